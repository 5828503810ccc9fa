# SPDX-License-Identifier: MIT
"""Group `build`: every architecture and mode compiles and links; portable code compiles for an architecture that is none."""

import glob
import os
import subprocess

from vectra import build
from vectra.results import Failure


def made(arch, mode):
    """Builds one, or fails with make's words."""
    try:
        build.build(arch, mode)
    except build.BuildError as problem:
        raise Failure(f"{arch} ({mode}) does not build", str(problem)) from None


def portable(arch):
    """Compiles every portable kernel file with the stub's headers; returns how many. Only the target is real."""
    with build.locked(f"{arch}-release"):
        asked = subprocess.run(["make", "-s", f"ARCH={arch}", "gen", "print-KERNEL_CFLAGS"], check=True,
                               capture_output=True, text=True).stdout.splitlines()[-1]
    flags = asked.replace(f"kernel/arch/{arch}/", "kernel/arch/stub/").split()
    files = sorted(glob.glob("kernel/*.c") + glob.glob("kernel/firmware/**/*.c", recursive=True) +
                   glob.glob("kernel/arch/stub/*.c"))
    line = [os.environ.get("CLANG", "clang-19"), *flags, "-fsyntax-only", *files]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Failure("portable code leans on an architecture", done.stdout)
    return len(files)


def tests(context):
    """One test for each architecture and mode, and one for each with the stub in its place."""
    return ([(f"portable-{arch}", lambda a=arch: portable(a)) for arch in context.arches] +
            [(f"{arch}-{mode}", lambda a=arch, m=mode: made(a, m))
             for arch in context.arches for mode in ("release", "debug")])
