# SPDX-License-Identifier: MIT
"""./vectra trace: runs one shell command and shows the calls that were made meanwhile."""

import re
import sys

from gen import defs

from vectra import execute
from vectra import options as opt
from vectra.commands import common
from vectra.commands.exec import write_output

SUMMARY = "run one shell command and show the system calls of it, or of one program"
OPTIONS = opt.MACHINE + [
    opt.Option("--timeout", "S", opt.seconds, "give up after S seconds (default 120)", default=120.0),
    opt.Option("--posix", None, None, "the POSIX calls of the programs that COMMAND starts, instead of the kernel's"),
    opt.Option("--add", "HOST:GUEST", opt.add_pair, "put a host file into the guest; may be repeated", many=True),
]
# What a program of the C library looks for in its environment: lib/libposix/trace.h.
POSIX = "export VECTRA_TRACE=1; "
HELP = f"""usage: ./vectra trace [NAME] [OPTION]... -- COMMAND...

Boots with the kernel option trace=NAME (the name of a Task; `all`, the default, is every Task), runs COMMAND in the
shell, and prints its output with the kernel's trace lines in between. Exit status as for `exec`.

With --posix the lines are about what programs of the C library call, with arguments and results by name: a line at the
end of each call, `[PROCESS] NAME(ARGUMENTS) = RESULT`. What the library answers without a call (getpid, the clock) is
not among them.

{opt.usage(OPTIONS)}"""
LINE = re.compile(rb"( trace [0-9]+\.[0-9]+) call ([0-9]+)\((.*)\)")
NAME = re.compile(r"^[A-Za-z0-9._/-]+$")


class Names:
    """Passes output on, with names in place of the numbers that the kernel prints, and only as many arguments as a call has."""

    def __init__(self):
        self.calls = {row.fields[0]: (row.fields[1].encode(), row.fields[2]) for row in defs.rows("abi/syscalls.def")}
        self.kept = b""

    def feed(self, data):
        """Text as it comes; the beginning of a line waits for the rest of it."""
        *lines, self.kept = (self.kept + data).split(b"\n")
        write_output(b"".join(LINE.sub(self.named, line) + b"\n" for line in lines))

    def rest(self):
        """The last of it."""
        write_output(LINE.sub(self.named, self.kept))
        self.kept = b""

    def named(self, match):
        """What a call's line becomes."""
        who, number, arguments = match.groups()
        name, n = self.calls.get(int(number), (b"no call " + number, 6))
        return who + b" " + name + b"(" + b", ".join(arguments.split(b", ")[:n]) + b")"


def main(arguments):
    """Runs the command with tracing on; returns its status."""
    options = opt.parse("trace", arguments, OPTIONS)
    name, options["words"] = (options.words or ["all"])[0], options.words[1:]
    if not NAME.match(name):
        raise opt.UsageError(f"trace: '{name}' is not the name of a Task")
    if options.posix and name != "all":
        raise opt.UsageError("trace: --posix shows every program of the command; a NAME is for the kernel's calls")
    text = common.command_text("trace", options)
    machine = common.machine("trace", options)
    if options.posix:
        text = POSIX + text
    else:
        machine.append.append(f"trace={name}")
    names = Names()
    outcome = execute.run_command(machine, text, options.add, options.timeout, names.feed)
    names.rest()
    if outcome.failed:
        print(outcome.report(), file=sys.stderr)
    return outcome.status
