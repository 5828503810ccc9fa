# SPDX-License-Identifier: MIT
"""The longest stretch with interrupts masked of a whole run, and what ran in it: test/bench/masked.c inside QEMU."""

import array
import bisect
import collections
import os
import shutil
import subprocess
import sys
import tempfile

from vectra import build, execute, ksyms, qemu
from vectra.commands import common

SOURCE, LIBRARY = "test/bench/masked.c", "build/host/libmasked.so"
FLAGS = ["-std=gnu23", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
         *(["-Wl,-undefined,dynamic_lookup"] if sys.platform == "darwin" else [])]
# Each with a seed that does not change; the numbers of harts are turns of one thread of emulation.
RUNS = {"irqs_off_fuzz": [("/test/fuzz 1 500", 1), ("/test/fuzz 2 250", 4)], "irqs_off_stress": [("/test/stress brief", 1)]}
TIMEOUT_S = 600
LEAST = 5000   # a step of any call in steps; a run without one has not been seen by the plugin
KERNEL_HALF = 0xffff << 48


def library():
    """The plugin, built if its source is newer."""
    with build.locked("host"):
        os.makedirs(os.path.dirname(LIBRARY), exist_ok=True)
        if not os.path.exists(LIBRARY) or os.path.getmtime(LIBRARY) < os.path.getmtime(SOURCE):
            clang = common.tool("CLANG", "clang-19", "clang")
            subprocess.run([clang, *FLAGS, "-o", LIBRARY, SOURCE], check=True)
    return LIBRARY


def option(path):
    """QEMU's words for the plugin that writes to `path`."""
    return ["-plugin", f"{os.path.abspath(library())},out={path.replace(',', ',,')}"]


def unavailable(arch):
    """Why this QEMU cannot do it, or None: it may be built without plugins, or with another interface."""
    with tempfile.TemporaryDirectory(prefix="vectra-masked-") as folder:
        line = [qemu.program(arch), "-M", "none", "-S", "-display", "none", "-monitor", "stdio", *option(f"{folder}/out")]
        done = subprocess.run(line, input=b"quit\n", capture_output=True, check=False, timeout=60)
    return None if done.returncode == 0 else done.stderr.decode("utf-8", "replace").strip()


class Stretch:
    """What the plugin found: how many stretches, the longest one's instructions, and its blocks [(address, instructions)]."""

    def __init__(self, data=b""):
        words = array.array("Q", data[:len(data) // 8 * 8])
        self.count, self.instructions, n_blocks = words[:3] if len(words) >= 3 else (0, 0, 0)
        self.blocks = [(word >> 16 | KERNEL_HALF, word & 0xffff) for word in words[3:3 + n_blocks]]

    def tell(self, symbols):
        """What it did: the functions [(address, name)] in which most of it went by, and all in the order of their first block."""
        keys, share = [address for address, _ in symbols], collections.Counter()
        for address, n in self.blocks:
            share[symbols[max(bisect.bisect_right(keys, address) - 1, 0)][1] if symbols else hex(address)] += n
        most = ", ".join(f"{name} {n:,}" for name, n in share.most_common(8))
        return f"{self.instructions:,} instructions, of these {most}; in turn {' '.join(share)}"


def symbols_of(machine):
    """The kernel's functions, as it was linked."""
    nm = common.tool("NM", "llvm-nm-19", "llvm-nm")
    listing = subprocess.run([nm, f"{machine.build}/vectra.elf"], capture_output=True, text=True, check=True).stdout
    return ksyms.text_symbols(listing)


def run(machine, command):
    """Runs one command with the plugin; returns (Stretch, Outcome)."""
    folder, extra = tempfile.mkdtemp(prefix="vectra-masked-"), machine.extra
    try:
        path = os.path.join(folder, "out")
        machine.extra = extra + option(path)
        outcome = execute.run_command(machine, command, (), TIMEOUT_S)
        with open(path, "rb") as handle:
            return Stretch(handle.read()), outcome
    except FileNotFoundError:
        return Stretch(), outcome
    finally:
        machine.extra = extra
        shutil.rmtree(folder, ignore_errors=True)


def measure(name, machine):
    """A row's runs. Returns (the longest Stretch of all, how many there were, the Outcome of the last run made)."""
    worst, count, outcome = Stretch(), 0, None
    for command, harts in RUNS[name]:
        machine.smp = harts
        found, outcome = run(machine, command)
        count += found.count
        worst = max(worst, found, key=lambda stretch: stretch.instructions)
        if outcome.failed or outcome.status != 0:
            break
    return worst, count, outcome
