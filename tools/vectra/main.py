# SPDX-License-Identifier: MIT
"""./vectra: finds the command and calls it. Exit status 2 and one line on stderr for a wrong command line."""

import importlib
import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

from vectra.build import BuildError               # noqa: E402  (the path above comes first)
from vectra.options import UsageError, near       # noqa: E402

# Command → module; each has `SUMMARY`, `HELP`, and `main(arguments)` which returns the exit status.
COMMANDS = {
    "run": "commands.run",
    "exec": "commands.exec",
    "test": "commands.test",
    "bench": "commands.bench",
    "disk": "commands.disk",
    "debug": "commands.debug",
    "trace": "commands.trace",
    "cc": "commands.cc",
    "rustc": "commands.rustc",
    "cargo": "commands.cargo",
    "ports": "commands.ports",
    "size": "commands.size",
    "doctor": "commands.doctor",
    "help": "commands.help",
}


# Compilers: their arguments are their own business.
COMPILERS = ("cc", "rustc", "cargo")


def command_module(name):
    """The module of a command that exists."""
    return importlib.import_module("vectra." + COMMANDS[name])


def main(arguments):
    """Dispatches; returns the exit status."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if name in ("-h", "--help"):
        name = "help"
    try:
        if name not in COMMANDS:
            raise UsageError(f"unknown command '{name}'{near(name, list(COMMANDS))}")
        if name in COMPILERS and rest in (["--help"], ["-h"]):
            name, rest = "help", [name]
        before_command = rest[:rest.index("--")] if "--" in rest else rest
        if name not in ("help", *COMPILERS) and ("--help" in before_command or "-h" in before_command):
            name, rest = "help", [name]
        return command_module(name).main(rest)
    except UsageError as problem:
        print(f"vectra: {problem}", file=sys.stderr)
        return 2
    except BuildError as problem:
        print(f"vectra: the build failed\n{problem}".rstrip("\n"), file=sys.stderr)
        return 125 if name in ("exec", "trace") else 1
    except KeyboardInterrupt:
        print("", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
