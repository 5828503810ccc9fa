# SPDX-License-Identifier: MIT
"""What QEMU itself makes of system calls on two harts, without any kernel: test/bench/floor.c, the row scale_floor_svc_2."""

import os
import re
import statistics
import subprocess

from vectra import build
from vectra.commands import common
from vectra.qemu import Machine, Running

SOURCE, PROGRAM = "test/bench/floor.c", "build/host/floor.elf"
FLAGS = ["--target=aarch64-unknown-none-elf", "-std=c23", "-ffreestanding", "-nostdlibinc", "-O2", "-Wall", "-Wextra", "-Werror",
         "-mgeneral-regs-only", "-mstrict-align", "-fno-pic"]
LINK = ["-e", "_start", "-nostdlib", "-static", "--image-base=0x40200000", "--no-rosegment", "-z", "norelro"]   # RAM is from 1 GiB on
ARCH, NAME = "aarch64", "scale_floor_svc_2"
LINE = re.compile(rb"floor ([0-9]+) ([0-9]+) ([0-9]+)\r?\n")
RUNS, TIMEOUT_S = 7, 60


def program():
    """The program, built if its source is newer."""
    with build.locked("host"):
        os.makedirs(os.path.dirname(PROGRAM), exist_ok=True)
        if not os.path.exists(PROGRAM) or os.path.getmtime(PROGRAM) < os.path.getmtime(SOURCE):
            clang, lld = common.tool("CLANG", "clang-19", "clang"), common.tool("LD", "ld.lld-19", "ld.lld")
            subprocess.run([clang, *FLAGS, "-c", "-o", f"{PROGRAM}.o", SOURCE], check=True)
            subprocess.run([lld, *LINK, "-o", PROGRAM, f"{PROGRAM}.o"], check=True)
    return PROGRAM


def rate(harts):
    """Calls a second of so many harts together, 0 if it never said."""
    machine = Machine(ARCH, smp=harts, mem="64M", accel="tcg,thread=multi", kernel=program(), initrd=None)
    with Running(machine.command(["-serial", "stdio"])) as guest:
        while guest.elapsed() < TIMEOUT_S and guest.read(1) != b"":
            if said := LINE.search(guest.transcript):
                count, calls, ns = (int(text) for text in said.groups())
                return calls * 10**9 // ns if count == harts else 0
    return 0


def row():
    """The row of the table; None if the program did not run."""
    ratios = sorted(rate(2) / one for one in (rate(1) for _ in range(RUNS)) if one)
    if not ratios or not ratios[0]:
        return None
    low, value, high = (round(number, 2) for number in (ratios[0], statistics.median(ratios), ratios[-1]))
    return {"group": "scale", "name": NAME, "arch": ARCH, "unit": "ratio", "value": value, "runs": len(ratios), "min": low,
            "max": high}
