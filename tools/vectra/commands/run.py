# SPDX-License-Identifier: MIT
"""./vectra run: boots to a shell in this terminal."""

import os
import sys

from vectra import disks
from vectra import options as opt
from vectra.commands import common

SUMMARY = "build if needed, boot to a shell in this terminal"
OPTIONS = opt.MACHINE
HELP = f"""usage: ./vectra run [OPTION]...

Boots VectraOS to a shell in this terminal. Leave with `poweroff`, or Ctrl-A X.

What is written below /data stays: in an image in your data directory ($XDG_DATA_HOME/vectra/data.img), which is made when it
is first wanted, or in the one that --disk names. './vectra disk' moves files in and out of it.

{opt.usage(OPTIONS)}"""
SERIAL = ["-serial", "mon:stdio"]


def main(arguments):
    """Replaces this process by QEMU."""
    options = opt.parse("run", arguments, OPTIONS)
    common.no_words("run", options)
    machine = common.machine("run", options)
    if not machine.disks:
        try:
            machine.disks.append(disks.persistent())
        except disks.DiskError as problem:
            print(f"vectra: no /data this time: {problem}", file=sys.stderr)
    harts = "1 hart" if machine.smp == 1 else f"{machine.smp} harts"
    print(f"vectra: {machine.arch}, {harts}, {machine.mem}; leave with 'poweroff' or Ctrl-A X", file=sys.stderr)
    line = machine.command(SERIAL)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvp(line[0], line)
