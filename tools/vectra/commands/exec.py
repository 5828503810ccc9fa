# SPDX-License-Identifier: MIT
"""./vectra exec: boots, runs one shell command, passes on exactly its output and exit status."""

import shlex
import sys

from vectra import execute
from vectra import options as opt
from vectra.commands import common

SUMMARY = "boot, run one shell command, print just its output, exit with its status"
OPTIONS = opt.MACHINE + [
    opt.Option("--add", "HOST:GUEST", opt.add_pair, "put a host file into the guest; may be repeated", many=True),
    opt.Option("--timeout", "S", opt.seconds, "give up after S seconds (default 120)", default=120.0),
    opt.Option("--verbose", None, None, "the whole transcript on stderr as it comes"),
]
HELP = f"""usage: ./vectra exec [OPTION]... -- COMMAND...

Boots VectraOS, runs COMMAND in its shell and prints exactly what it printed. The exit status is the command's own;
124: it did not end in time, 125: the machine did not boot or the kernel panicked (transcript on stderr), 2: wrong usage.

{opt.usage(OPTIONS)}"""


def write_output(data):
    """Passes the program's bytes on at once."""
    if data:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def write_log(data):
    """The transcript, for --verbose."""
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()


def main(arguments):
    """Runs the command; returns its status, 124 or 125."""
    options = opt.parse("exec", arguments, OPTIONS)
    text = common.command_text("exec", options)
    machine = common.machine("exec", options)
    if options.verbose:
        print("vectra: " + shlex.join(machine.command(execute.SERIAL)), file=sys.stderr)
    outcome = execute.run_command(machine, text, options.add, options.timeout, write_output,
                                  write_log if options.verbose else None)
    if outcome.failed:
        print(outcome.report() if not options.verbose else f"vectra: {outcome.reason}", file=sys.stderr, end="\n")
    return outcome.status
