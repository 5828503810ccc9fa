# SPDX-License-Identifier: MIT
"""The linker of Rust programs: adds the C library to what rustc asks for, links, and has the guard look at the result.

With JOIN in the environment it makes one object of the program's own parts instead, to be linked later."""

import os
import shutil
import subprocess
import sys
import tempfile

if __name__ == "__main__":
    sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

from vectra.rust import guard   # noqa: E402  (the path above comes first)

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
JOIN = "VECTRA_RUST_JOIN"
# As ./vectra cc links.
LAYOUT = ["-static", "-z", "max-page-size=4096", "-z", "separate-code", "-z", "noexecstack", "-z", "norelro", "--build-id=none"]
FIXED = "--image-base=0x400000"
PLACED = ["-pie", "--no-dynamic-linker"]   # what rustc says for a program that may lie anywhere; the kernel chooses where


def library_folder(arch):
    """Where the C library lies."""
    return os.path.join(os.environ.get("VECTRA_SYSROOT") or os.path.join(ROOT, f"build/posix-{arch}/sysroot"), "lib")


def command(arch, arguments, map_file):
    """The whole command line. -nostartfiles, which no linker knows, is what C compilers call a program that begins by itself;
    nothing relocates such a one, so it lies where it was linked for."""
    libraries, begin, end = library_folder(arch), [], []
    rest = [word for word in arguments if word != "-nostartfiles"]
    if len(rest) != len(arguments):
        rest = [word for word in rest if word not in PLACED]
    else:
        begin = [f"{libraries}/{'rcrt1' if '-pie' in rest else 'crt1'}.o", f"{libraries}/crti.o"]
        end = [f"{libraries}/crtn.o"]
    layout = LAYOUT if "-pie" in rest else [*LAYOUT, FIXED]
    # Of several maps the linker writes the last.
    return [os.environ.get("LLD", "ld.lld-19"), *layout, *begin, f"-L{libraries}", *rest,
            "--start-group", "-lc", "-lgcc", "-lunwind", "--end-group", *end, f"--Map={map_file}"]


def maps(arguments):
    """Where the caller wants a map of the program, too."""
    return [word.partition("=")[2] for word in arguments if word.startswith(("--Map=", "-Map="))]


def join_command(arguments):
    """The command line that makes one object: only what is a file, in its order."""
    parts = [word for word in arguments if word.endswith((".o", ".rlib", ".a")) and not word.startswith("-")]
    return [os.environ.get("LLD", "ld.lld-19"), "-r", *(part for part in parts if part != output_of(arguments)),
            "-o", output_of(arguments)]


def output_of(arguments):
    """The file that -o names."""
    return arguments[arguments.index("-o") + 1] if "-o" in arguments[:-1] else "a.out"


def main(arguments):
    """Links for the architecture that comes first; returns the exit status."""
    arch, rest = arguments[0], arguments[1:]
    if os.environ.get(JOIN):
        return subprocess.run(join_command(rest), check=False).returncode
    libraries = library_folder(arch)
    if not os.path.exists(f"{libraries}/libc.a"):
        print(f"vectra: there is no C library for {arch} in {libraries}: call rustc or cargo through ./vectra",
              file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="vectra-link-") as work:
        map_file, out = f"{work}/map", output_of(rest)
        status = subprocess.run(command(arch, rest, map_file), check=False).returncode
        if status != 0:
            return status
        for path in maps(rest):
            shutil.copyfile(map_file, path)
        with open(map_file, encoding="utf-8", errors="replace") as handle:
            found = guard.strays(out, guard.Map(handle.read(), f"{libraries}/libc.a"))
    if not found:
        return 0
    os.remove(out)
    for address, name in found:
        print(f"vectra: {name} enters the kernel by itself, at {address:#x}: on VectraOS only the C library does that",
              file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
