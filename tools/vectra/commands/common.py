# SPDX-License-Identifier: MIT
"""What several commands share: checks that need the whole command line."""

import os
import platform
import shutil
import sys

from vectra import build, qemu
from vectra.options import UsageError


def no_words(command, options):
    """Refuses words where only options belong."""
    if options.words:
        raise UsageError(f"{command}: unexpected '{options.words[0]}'; try './vectra help {command}'")
    if options.rest is not None:
        raise UsageError(f"{command}: takes no command after '--'")


def command_text(command, options):
    """The shell command after `--`, its words joined with spaces."""
    if options.words:
        raise UsageError(f"{command}: unexpected '{options.words[0]}'; the command goes behind '--'")
    text = " ".join(options.rest or [])
    if not text.strip():
        raise UsageError(f"{command}: no command; type it behind '--', like: ./vectra {command} -- ls /")
    return text


def machine(command, options):
    """The machine that the options ask for, checked against this host, and built."""
    if options.gic != "3" and options.arch != "aarch64":
        raise UsageError(f"{command}: --gic is for aarch64 only")
    check_accel(command, options)
    made = qemu.Machine.from_options(options)
    build.build(made.arch, made.mode)
    return made


def check_accel(command, options):
    """Hardware acceleration is asked for by name; a host that cannot gets told why, before QEMU starts."""
    if options.accel == "tcg":
        return
    host = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    if host != options.arch:
        raise UsageError(f"{command}: --accel {options.accel} runs only this host's own architecture, {host}")
    if options.accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise UsageError(f"{command}: --accel kvm needs /dev/kvm, which is missing or not yours; leave the option out")
    if options.accel == "hvf" and sys.platform != "darwin":
        raise UsageError(f"{command}: --accel hvf is for macOS; leave the option out")


def tool(variable, *names):
    """The path of a host program: the environment's choice, else the first name found; None when there is none."""
    for name in (os.environ.get(variable), *names):
        if name and (found := shutil.which(name)):
            return found
    return None
