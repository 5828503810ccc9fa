# SPDX-License-Identifier: MIT
"""The compiler for VectraOS programs: clang with our C library, used as `cc` is."""

import glob
import os
import shutil
import subprocess
import sys

ARCHES = ("x86_64", "aarch64")
# Arguments after which nothing is linked.
NO_LINK = ("-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "--version", "--help", "-###")
LINK_AS_ASKED = ("-r", "-shared", "-nostdlib", "-nostartfiles", "-nodefaultlibs")


class CompilerError(Exception):
    """There is no way to compile here; the text says why."""


def sysroot(arch):
    """The folder of the C library."""
    return os.environ.get("VECTRA_SYSROOT") or os.path.abspath(f"build/posix-{arch}/sysroot")


def clang():
    """The compiler's name."""
    return os.environ.get("CLANG", "clang-19")


def helpers(arch):
    """The compiler's helper functions for this architecture (long double, complex numbers): somebody's libgcc.a.
    Nothing in it needs an operating system."""
    places = [f"/usr/lib/gcc-cross/{arch}-linux-gnu/*/libgcc.a", f"/usr/lib/gcc/{arch}-linux-gnu/*/libgcc.a",
              f"/usr/lib/gcc/{arch}-redhat-linux/*/libgcc.a", f"/usr/lib/gcc/{arch}-pc-linux-gnu/*/libgcc.a",
              f"/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.builtins-{arch}.a",
              f"/usr/lib/clang/*/lib/linux/libclang_rt.builtins-{arch}.a"]
    for place in places:
        if found := sorted(glob.glob(place), key=lambda path: [int(n) if n.isdigit() else 0 for n in path.split("/")]):
            return found[-1]
    raise CompilerError(f"there is no libgcc.a for {arch} on this machine (Debian: libgcc-12-dev" +
                        ("-arm64-cross)" if arch == "aarch64" else ")"))


def base_flags(arch, root):
    """What every compilation gets."""
    resources = subprocess.run([clang(), "-print-resource-dir"], check=True, capture_output=True,
                               text=True).stdout.strip()
    flags = [f"--target={arch}-linux-musl", "-nostdinc", "-isystem", f"{root}/include", "-isystem",
             f"{resources}/include", "-D__vectra__=1", "-ftls-model=local-exec",
             # What a crash prints of its callers is found by these.
             "-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer"]
    return flags + (["-mno-outline-atomics"] if arch == "aarch64" else [])


def command(arch, arguments):
    """The whole command line of clang."""
    root = sysroot(arch)
    flags = base_flags(arch, root)
    if not links(arguments):
        return [clang(), *flags, *arguments]
    pie = any(a in ("-static-pie", "-pie") for a in arguments)
    rest = [a for a in arguments if a not in ("-static", "-static-pie", "-pie", "-no-pie", "-lm", "-lpthread", "-lrt",
                                               "-ldl", "-lutil", "-lcrypt", "-lresolv", "-lxnet", "-lc")]
    linker = shutil.which(os.environ.get("LLD", "ld.lld-19")) or "ld.lld"
    link = [f"--ld-path={linker}", "-nostdlib", "-Wl,-z,max-page-size=4096,-z,separate-code,-z,noexecstack,-z,norelro",
            "-Wl,--build-id=none,--gc-sections"]
    code = [] if any(a.startswith(("-fPI", "-fpi", "-fno-pi", "-fno-PI")) for a in arguments) else \
        ["-fPIE" if pie else "-fno-pie"]
    link += ["-static-pie", "-Wl,--no-dynamic-linker,-z,text"] if pie else ["-static", "-Wl,--image-base=0x400000"]
    if any(a in LINK_AS_ASKED for a in arguments):
        return [clang(), *flags, *code, f"-L{root}/lib", *link[:1], *arguments]
    return [clang(), *flags, *code, *link, f"{root}/lib/crt1.o", f"{root}/lib/crti.o", f"-L{root}/lib", *rest,
            "-Wl,--start-group", "-lc", "-lgcc", "-Wl,--end-group", f"{root}/lib/crtn.o"]


def links(arguments):
    """True when clang is to link: there is something to link, and nothing says to stop before."""
    if any(a in NO_LINK or a.startswith(("-print-", "--print-", "-dump")) for a in arguments):
        return False
    takes_value = {"-o", "-I", "-L", "-D", "-U", "-include", "-isystem", "-x", "-T", "-Xlinker", "-MF", "-MT", "-MQ"}
    at, inputs = 0, False
    while at < len(arguments):
        word = arguments[at]
        if word in takes_value:
            at += 1
        elif not word.startswith("-") or word == "-":
            inputs = True
        at += 1
    return inputs


def main(arguments):
    """What mk/posix.mk calls: `helpers ARCH FILE` copies the helper functions."""
    if len(arguments) != 3 or arguments[0] != "helpers":
        print("usage: compiler.py helpers ARCH FILE", file=sys.stderr)
        return 2
    try:
        shutil.copyfile(helpers(arguments[1]), arguments[2])
    except CompilerError as problem:
        with open(f"build/posix-{arguments[1]}/unavailable", "w", encoding="utf-8") as handle:
            handle.write(f"{problem}\n")
        return 75
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
