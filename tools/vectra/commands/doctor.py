# SPDX-License-Identifier: MIT
"""./vectra doctor: what this machine has and what it lacks; the front door has looked (VECTRA_LACKING)."""

import os
import subprocess

from vectra import options as opt
from vectra.commands import common

SUMMARY = "what this machine has, and what is missing"
HELP = "usage: ./vectra doctor\n\nLists what ./vectra needs, and the package that brings it. Exit status 1 when something is missing."
TABLE = "tools/vectra/packages.txt"
NEEDS = {"base": "every command", "ports": "the C library", "disk": "disk images", "test": "test", "debug": "debug", "tidy": "make tidy"}
PLAIN = {"clang-19": ("CLANG", "clang"), "ld.lld-19": ("LLD", "ld.lld"), "llvm-objcopy-19": ("OBJCOPY", "llvm-objcopy"),
         "clang-format-19": ("CLANG_FORMAT", "clang-format"), "clang-tidy-19": ("CLANG_TIDY", "clang-tidy"),
         "gdb-multiarch": ("GDB", "gdb")}


def rows(path=TABLE):
    """[(need, probe, {system: package})] of the table."""
    out, systems = [], []
    with open(path, encoding="utf-8") as handle:
        for line in handle:
            words = line.lstrip("# ").split()
            if words[:2] == ["need", "probe"]:
                systems = words[2:]
            elif words and not line.startswith("#"):
                out.append((words[0], words[1], dict(zip(systems, words[2:]))))
    return out


def find(probe):
    """Where what a row looks for is: the path of a program, the name of anything else."""
    if probe.startswith("file:"):
        return probe[5:]
    variable, plain = PLAIN.get(probe, ("", None))
    return common.tool(variable, probe, plain)


def version(path):
    """The first line that `PROGRAM --version` prints; empty for files."""
    if not os.access(path, os.X_OK) or path.endswith((".so", ".a", ".h")):
        return ""
    option = "-V" if path.endswith("spin") else "--version"
    try:
        done = subprocess.run([path, option], capture_output=True, text=True, timeout=20, check=False,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return "does not run"
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[0] if lines else ""


def main(arguments):
    """Prints the table; returns 1 when something is missing."""
    options = opt.parse("doctor", arguments, [])
    common.no_words("doctor", options)
    missing = []
    lacking = os.environ.get("VECTRA_LACKING", "").split()
    for need, probe, packages in rows():
        name = probe.removeprefix("file:")
        path = None if probe in lacking else find(probe)
        if path:
            print(f"  ok       {name:<22} {'' if path == name else version(path) or path}".rstrip())
        else:
            names = ", ".join(f"{system}: {package}" for system, package in packages.items())
            print(f"  MISSING  {name:<22} for {NEEDS[need]} ({names})")
            missing.append(name)
    if missing:
        print("On Debian and Ubuntu the command that needs it installs it.")
    print("everything is here" if not missing else f"missing: {', '.join(missing)}")
    return 1 if missing else 0
