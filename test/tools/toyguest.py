# SPDX-License-Identifier: MIT
"""Builds the toy guest once for each run of the tests, and makes machines that boot it."""

import os
import subprocess
import tempfile

from vectra.qemu import Machine

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = tempfile.TemporaryDirectory(prefix="vectra-toy-")
IMAGE = os.path.join(FOLDER.name, "toy.elf")


def build():
    """The path of the toy's ELF file."""
    if not os.path.exists(IMAGE):
        source = os.path.join(HERE, "toy", "guest.c")
        compiler, linker = os.environ.get("CLANG", "clang-19"), os.environ.get("LLD", "ld.lld-19")
        subprocess.run([compiler, "--target=i386-unknown-none-elf", "-std=c23", "-ffreestanding", "-nostdlibinc", "-O1",
                        "-mgeneral-regs-only", "-fno-pic", "-Wall", "-Wextra", "-Werror", "-c", source,
                        "-o", IMAGE + ".o"], check=True)
        subprocess.run([linker, "-T", os.path.join(HERE, "toy", "guest.ld"), IMAGE + ".o", "-o", IMAGE], check=True)
    return IMAGE


def machine(**changes):
    """A machine that boots the toy, with no initial RAM disk of its own."""
    return Machine("x86_64", kernel=build(), initrd=None, mem="64M", **changes)
