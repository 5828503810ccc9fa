# SPDX-License-Identifier: MIT
"""Runs a program inside VectraOS for cargo: its output and its exit status are passed on as they are."""

import os
import shlex
import stat
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
HARTS, WITHIN_S = "4", "86400"
INPUT, PATIENCE_S = "/etc/standard-input", 5


def standard_input():
    """What is piped or redirected to us, as bytes; None for a terminal, a device or nothing: then the program has none."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None
    # The machine gets all of it when it starts.
    note = threading.Timer(PATIENCE_S, lambda: print("vectra: reading standard input to its end…", file=sys.stderr, flush=True))
    note.daemon = True
    note.start()
    with os.fdopen(os.dup(0), "rb") as handle:
        data = handle.read()
    note.cancel()
    return data


def command(arch, program, arguments, environment, given=None):
    """The words of ./vectra exec; `given`: the file that is the program's standard input."""
    name = f"/bin/{os.path.basename(program)}"
    settings = [f"{key}={value}" for key, value in sorted(environment.items())
                if key.startswith("RUST_") and key.replace("_", "").isalnum()]
    line = " ".join([*(f"{key}={shlex.quote(value)}" for key, _, value in (word.partition("=") for word in settings)),
                     *(shlex.quote(word) for word in (name, *arguments)), *([f"<{INPUT}"] if given else [])])
    return [os.path.join(ROOT, "vectra"), "exec", "--arch", arch, "--smp", HARTS, "--timeout", WITHIN_S,
            *shlex.split(environment.get("VECTRA_EXEC", "")), "--add", f"{os.path.abspath(program)}:{name}",
            *(["--add", f"{given}:{INPUT}"] if given else []), "--", line]


def main(arguments):
    """vectra-run ARCH PROGRAM ARGUMENT..."""
    if len(arguments) < 2:
        print("usage: vectra-run ARCH PROGRAM [ARGUMENT]...", file=sys.stderr)
        return 2
    data = standard_input()
    if data is None:
        line = command(arguments[0], arguments[1], arguments[2:], os.environ)
        os.execv(line[0], line)
    with tempfile.TemporaryDirectory(prefix="vectra-") as folder:
        given = os.path.join(folder, "input")
        with open(given, "wb") as handle:
            handle.write(data)
        return subprocess.run(command(arguments[0], arguments[1], arguments[2:], os.environ, given), stdin=subprocess.DEVNULL,
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
