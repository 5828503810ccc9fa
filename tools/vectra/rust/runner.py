# SPDX-License-Identifier: MIT
"""Runs a program inside VectraOS for cargo: its output and its exit status are passed on as they are."""

import os
import shlex
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
HARTS, WITHIN_S = "4", "86400"


def command(arch, program, arguments, environment):
    """The words of ./vectra exec."""
    name = f"/bin/{os.path.basename(program)}"
    settings = [f"{key}={value}" for key, value in sorted(environment.items())
                if key.startswith("RUST_") and key.replace("_", "").isalnum()]
    line = " ".join([*(f"{key}={shlex.quote(value)}" for key, _, value in (word.partition("=") for word in settings)),
                     *(shlex.quote(word) for word in (name, *arguments))])
    return [os.path.join(ROOT, "vectra"), "exec", "--arch", arch, "--smp", HARTS, "--timeout", WITHIN_S,
            *shlex.split(environment.get("VECTRA_EXEC", "")), "--add", f"{os.path.abspath(program)}:{name}", "--", line]


def main(arguments):
    """vectra-run ARCH PROGRAM ARGUMENT..."""
    if len(arguments) < 2:
        print("usage: vectra-run ARCH PROGRAM [ARGUMENT]...", file=sys.stderr)
        return 2
    line = command(arguments[0], arguments[1], arguments[2:], os.environ)
    os.execv(line[0], line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
