# SPDX-License-Identifier: MIT
"""./vectra trace: runs one shell command and shows the system calls that were made meanwhile."""

import re
import sys

from vectra import execute
from vectra import options as opt
from vectra.commands import common
from vectra.commands.exec import write_output

SUMMARY = "run one shell command and show the system calls of it, or of one program"
OPTIONS = opt.MACHINE + [
    opt.Option("--timeout", "S", opt.seconds, "give up after S seconds (default 120)", default=120.0),
]
HELP = f"""usage: ./vectra trace [NAME] [OPTION]... -- COMMAND...

Boots with the kernel option trace=NAME (the name of a Task; `all`, the default, is every Task), runs COMMAND in the
shell, and prints its output with the kernel's trace lines in between. Exit status as for `exec`.

{opt.usage(OPTIONS)}"""
NAME = re.compile(r"^[A-Za-z0-9._/-]+$")


def main(arguments):
    """Runs the command with tracing on; returns its status."""
    options = opt.parse("trace", arguments, OPTIONS)
    name, options["words"] = (options.words or ["all"])[0], options.words[1:]
    if not NAME.match(name):
        raise opt.UsageError(f"trace: '{name}' is not the name of a Task")
    text = common.command_text("trace", options)
    machine = common.machine("trace", options)
    machine.append.append(f"trace={name}")
    outcome = execute.run_command(machine, text, (), options.timeout, write_output)
    if outcome.failed:
        print(outcome.report(), file=sys.stderr)
    return outcome.status
