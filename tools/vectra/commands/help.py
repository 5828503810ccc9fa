# SPDX-License-Identifier: MIT
"""./vectra help: what there is."""

from vectra.options import UsageError, near

SUMMARY = "this text, or the help of one command"
HELP = "usage: ./vectra help [COMMAND]"


def main(arguments):
    """Prints the overview or one command's help."""
    from vectra.main import COMMANDS, command_module   # the table of commands names this module too
    if len(arguments) > 1:
        raise UsageError("help: one command at a time")
    if arguments:
        if arguments[0] not in COMMANDS:
            raise UsageError(f"help: unknown command '{arguments[0]}'{near(arguments[0], list(COMMANDS))}")
        print(command_module(arguments[0]).HELP)
        return 0
    print("usage: ./vectra COMMAND [OPTION]...\n")
    for name in COMMANDS:
        print(f"  {name:<8} {command_module(name).SUMMARY}")
    print("\nThe first two to try:  ./vectra run          ./vectra exec -- echo hi"
          "\nMore on one command:   ./vectra help COMMAND")
    return 0
