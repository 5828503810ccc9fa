# SPDX-License-Identifier: MIT
"""./vectra cc: the C compiler for VectraOS programs, used exactly as cc is."""

import os
import subprocess
import sys

from vectra import build, compiler, ports
from vectra import options as opt

SUMMARY = "the C compiler for VectraOS programs, used as cc is"
HELP = """usage: ./vectra cc [--arch A] ARGUMENT...

Compiles and links C programs for VectraOS, from any folder: all arguments are the compiler's own (clang's), with the
headers and the C library of VectraOS in place of the machine's.

  --arch A                 x86_64 (default) or aarch64
  --print-sysroot          the folder that holds include/ and lib/

  ./vectra cc -O2 -o hello hello.c
  ./vectra exec --add hello:/bin/hello -- hello
  make CC="/path/to/vectra cc --arch aarch64"

Programs are static; -static-pie makes a position-independent one. Threads and mathematics are in the C library, so
-lpthread and -lm are accepted and mean nothing."""


def take_arch(arguments):
    """(architecture, the other arguments)."""
    arch, rest, at = "x86_64", [], 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        name, has_value, value = word.partition("=")
        if name != "--arch":
            rest.append(word)
            continue
        if not has_value:
            if at >= len(arguments):
                raise opt.UsageError("cc: --arch needs a value: --arch A")
            value = arguments[at]
            at += 1
        try:
            arch = opt.arch(value)
        except ValueError as problem:
            raise opt.UsageError(f"cc: --arch {value}: {problem}") from None
    return arch, rest


def main(arguments):
    """Runs the compiler where the person stands; returns its status."""
    arch, rest = take_arch(arguments)
    if not rest:
        raise opt.UsageError("cc: no input files; try './vectra help cc'")
    root = compiler.sysroot(arch)
    if "VECTRA_SYSROOT" not in os.environ and not os.path.exists(f"{root}/.stamp"):
        build.build_sysroot(arch)
        if reason := ports.unavailable(arch):
            print(f"vectra: cc: there is no C library: {reason}", file=sys.stderr)
            return 1
    if "--print-sysroot" in rest:
        print(root)
        return 0
    line = compiler.command(arch, rest)
    return subprocess.run(line, cwd=os.environ.get("VECTRA_CALLED_FROM") or None, check=False).returncode
