# SPDX-License-Identifier: MIT
"""Merges the -MJ fragments below the given build folders into one compile_commands.json."""

import fcntl
import json
import os
import sys


def fragments(folder):
    """The entries of one build folder, in a stable order; a fragment is one JSON object and a comma."""
    for root, dirs, names in os.walk(folder):
        dirs.sort()
        for name in sorted(names):
            if name.endswith(".o.json"):
                with open(os.path.join(root, name), encoding="utf-8") as handle:
                    text = handle.read().strip().rstrip(",")
                if text:
                    entry = json.loads(text)
                    # Of assembly the compiler names a temporary file: the object is what stays.
                    entry["output"] = os.path.join(root, name).removesuffix(".json")
                    yield entry


def merge(out, folders):
    """Writes `out`: the named folders' entries replace the ones it had for the same outputs. One writer at a time: the
    two architectures are built at once, and who read before the other wrote would lose what that wrote."""
    with open(os.path.join(folders[0], os.pardir, ".lock-compdb"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        merge_alone(out, folders)


def merge_alone(out, folders):
    """merge(), with the lock held."""
    entries = {}
    if os.path.exists(out):
        try:
            with open(out, encoding="utf-8") as handle:
                entries = {e.get("output", e["file"]): e for e in json.load(handle)}
        except (ValueError, KeyError, TypeError):
            entries = {}
    entries = {key: e for key, e in entries.items()
               if os.path.exists(key) and not any(key.startswith(f + os.sep) for f in folders)}
    for folder in folders:
        for entry in fragments(folder):
            if os.path.exists(entry["file"]):
                entries[entry.get("output", entry["file"])] = entry
    temporary = f"{out}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as handle:
        json.dump([entries[k] for k in sorted(entries)], handle, indent=1)
        handle.write("\n")
    os.replace(temporary, out)


if __name__ == "__main__":
    merge(sys.argv[1], sys.argv[2:])
