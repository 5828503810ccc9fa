# SPDX-License-Identifier: MIT
"""What ./vectra rustc and ./vectra cargo share: everything is seen to before the real one is called, in the person's
folder, with the person's arguments."""

import os
import subprocess

from vectra import build, options as opt, ports
from vectra.rust import RustError, sysroot, toolchain

DEFAULT = "x86_64"


def architectures(arguments):
    """Which architectures the arguments name; the default one when they name no target of ours."""
    text = " ".join(arguments)
    return [arch for arch in opt.ARCHES if sysroot.triple(arch) in text] or [DEFAULT]


def names_target(arguments):
    """True when the arguments say for what to compile."""
    return any(word == "--target" or word.startswith("--target=") for word in arguments)


def ready(arches):
    """The sysroot, with std and the C library for these architectures."""
    tools = toolchain.find(toolchain.say_on_stderr)
    found = sysroot.Sysroot(tools, toolchain.say_on_stderr)
    for arch in arches:
        found.build(arch)
        build.build_sysroot(arch)
        if reason := ports.unavailable(arch):
            raise RustError(f"there is no C library for {arch}: {reason}")
    return found


def call(line, settings):
    """Runs the real one where the person stands; its exit status."""
    place = os.environ.get("VECTRA_CALLED_FROM") or None
    return subprocess.run(line, cwd=place, env={**os.environ, **settings}, check=False).returncode
