# SPDX-License-Identifier: MIT
"""./vectra size: how big the trusted base is, and that none of it is somebody else's."""

import glob
import os
import re
import struct

from vectra import build
from vectra import options as opt
from vectra.commands import common

SUMMARY = "lines, image size and third-party count of the kernel"
OPTIONS = [
    opt.Option("--check", None, None, "exit 1 when a budget is broken"),
    opt.Option("--arch", "A", opt.arch, "only this architecture (default both)"),
]
HELP = f"""usage: ./vectra size [OPTION]...

Counts the kernel's lines of code (neither blank nor comment), its image, and lines that are not under our licence.

{opt.usage(OPTIONS)}"""
ONE_ARCH_LINES, BOTH_LINES, IMAGE_BYTES = 12000, 16000, 160 * 1024
PLAT = {"x86_64": "q35", "aarch64": "virt"}
PORTABLE = [("kernel", ["kernel/*"]), ("kernel/firmware", ["kernel/firmware/*"]), ("base", ["base/*"]),
            ("abi", ["abi/*"]), ("kernel/arch/include", ["kernel/arch/include/**/*"])]
SUFFIXES = (".c", ".h", ".S", ".def", ".ld")
OURS = "SPDX-License-Identifier: MIT"
FOREIGN = re.compile(r"SPDX-License-Identifier:(?! MIT\b)|\bCopyright\b|\(c\) [12][0-9]{3}|All rights reserved")
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)


def files(patterns):
    """The sources that patterns name, sorted."""
    found = {path for pattern in patterns for path in glob.glob(pattern, recursive=True)}
    return sorted(p for p in found if p.endswith(SUFFIXES) and os.path.isfile(p))


def code_lines(text):
    """Lines that are neither blank nor only comment."""
    def blank(match):
        token = match.group(0)
        return "\n" * token.count("\n") + " " if token.startswith(("//", "/*")) else token
    return sum(1 for line in COMMENT.sub(blank, text).split("\n") if line.strip())


def count(paths):
    """(lines of code, paths that do not carry our licence line or carry another, their lines) of some files."""
    lines, foreign, foreign_lines = 0, [], 0
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as handle:
            text = handle.read()
        mine = code_lines(text)
        lines += mine
        if OURS not in text[:400] or FOREIGN.search(text):
            foreign.append(path)
            foreign_lines += mine
    return lines, foreign, foreign_lines


def image_size(path):
    """(bytes loaded from the file, bytes zeroed) of an ELF file: its allocated sections."""
    with open(path, "rb") as handle:
        data = handle.read()
    if data[:5] != b"\x7fELF\x02":
        raise ValueError(f"{path} is no 64-bit ELF file")
    offset, = struct.unpack_from("<Q", data, 40)
    entry, number = struct.unpack_from("<HH", data, 58)
    loaded = zeroed = 0
    for index in range(number):
        kind, flags, _, _, size = struct.unpack_from("<IQQQQ", data, offset + index * entry + 4)
        if flags & 2:
            if kind == 8:
                zeroed += size
            else:
                loaded += size
    return loaded, zeroed


def over(value, limit, what, problems):
    """The limit as it is shown; notes a broken one."""
    if value > limit:
        problems.append(f"{what}: {value:,} is over the budget of {limit:,}")
        return f"OVER {limit:,}"
    return f"of {limit:,}"


def main(arguments):
    """Prints the table; with --check the status says whether all budgets hold."""
    options = opt.parse("size", arguments, OPTIONS)
    common.no_words("size", options)
    arches = [options.arch] if options.arch else list(opt.ARCHES)
    problems, foreign, foreign_lines, portable = [], [], 0, 0
    print("kernel, lines of code (no blanks, no comments)")
    for name, patterns in PORTABLE:
        lines, bad, bad_lines = count(files(patterns))
        portable, foreign, foreign_lines = portable + lines, foreign + bad, foreign_lines + bad_lines
        print(f"  {name:<28} {lines:>7,}")
    common_lines, bad, bad_lines = count(files(["kernel/plat/common/**/*"]))
    foreign, foreign_lines, both = foreign + bad, foreign_lines + bad_lines, portable + common_lines
    print(f"  {'kernel/plat/common':<28} {common_lines:>7,}")
    totals = {}
    for arch in opt.ARCHES:
        own = files([f"kernel/arch/{arch}/**/*", f"kernel/plat/{PLAT[arch]}/**/*"])
        lines, bad, bad_lines = count(own)
        foreign, foreign_lines = foreign + bad, foreign_lines + bad_lines
        totals[arch], both = portable + common_lines + lines, both + lines
        print(f"  {f'{arch} and {PLAT[arch]}':<28} {lines:>7,}")
    for arch in opt.ARCHES:
        print(f"  {'total for ' + arch:<28} {totals[arch]:>7,}  {over(totals[arch], ONE_ARCH_LINES, arch, problems)}")
    print(f"  {'total for both':<28} {both:>7,}  {over(both, BOTH_LINES, 'both architectures', problems)}")
    print("kernel image, bytes (release)")
    for arch in arches:
        build.build(arch, "release", ["kernel"])
        loaded, zeroed = image_size(f"build/{arch}-release/vectra.elf")
        print(f"  {arch:<28} {loaded:>7,}  {over(loaded, IMAGE_BYTES, arch + ' image', problems)}"
              f"   and {zeroed:,} zeroed")
    print(f"third-party lines in the kernel: {foreign_lines}")
    problems += [f"{path}: does not carry just the line '{OURS}'" for path in foreign]
    for problem in problems:
        print(f"size: {problem}")
    return 1 if problems and options.check else 0
