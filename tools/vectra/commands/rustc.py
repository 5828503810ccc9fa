# SPDX-License-Identifier: MIT
"""./vectra rustc: the Rust compiler for VectraOS programs, used exactly as rustc is."""

import sys

from vectra import options as opt
from vectra.rust import RustError, front, sysroot

SUMMARY = "the Rust compiler for VectraOS programs, used as rustc is"
HELP = """usage: ./vectra rustc ARGUMENT...

Compiles Rust programs for VectraOS, with std, from any folder: all arguments are rustc's own. Without --target it is
x86_64-unknown-vectra; the other one is aarch64-unknown-vectra.

  ./vectra rustc -O hello.rs
  ./vectra exec --add hello:/bin/hello -- hello
  ./vectra rustc -O --target aarch64-unknown-vectra hello.rs

The first call fetches the compiler (about 150 MB, 900 MB unpacked) and builds std for the architecture that is asked for;
both are kept in the cache. A program is linked only if none of its instructions but the C library's enters the kernel.
More in docs/rust.md."""


def main(arguments):
    """Runs the compiler; returns its status."""
    if not arguments:
        raise opt.UsageError("rustc: no input files; try './vectra help rustc'")
    try:
        made = front.ready(front.architectures(arguments))
    except RustError as problem:
        print(f"vectra: rustc: {problem}", file=sys.stderr)
        return 1
    settings = made.environment()
    target = [] if front.names_target(arguments) else [f"--target={sysroot.triple(front.DEFAULT)}"]
    return front.call([settings["RUSTC"], *target, *arguments], settings)
