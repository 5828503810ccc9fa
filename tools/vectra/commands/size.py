# SPDX-License-Identifier: MIT
"""./vectra size: how big the trusted base is, that none of it is somebody else's, and what beside it is."""

import os
import re
import struct
import subprocess

from vectra import build, ports
from vectra import options as opt
from vectra.commands import common

SUMMARY = "lines, image size and third-party count of the kernel"
OPTIONS = [
    opt.Option("--check", None, None, "exit 1 when a budget is broken"),
    opt.Option("--arch", "A", opt.arch, "only this architecture (default both)"),
]
HELP = f"""usage: ./vectra size [OPTION]...

Counts what is compiled into each kernel: its sources and every file of the tree that they include, as the compiler's
own dependency files name them. A line counts when it is neither blank nor only comment; the rows of the tables in
abi/*.def count like code. Generated files do not count: what they are made from does. Also counts the bytes of the
image, and lines that are not under our licence. Then lists what is built from other people's sources (./vectra ports).

{opt.usage(OPTIONS)}"""
ONE_ARCH_LINES, BOTH_LINES, IMAGE_BYTES = 12000, 16000, 160 * 1024  # docs/decisions/0013
ROOMS = ("kernel/firmware", "kernel/arch/include", "kernel/arch", "kernel/plat", "kernel", "base", "abi")
OURS = "SPDX-License-Identifier: MIT"
FOREIGN = re.compile(r"SPDX-License-Identifier:(?! MIT\b)|\bCopyright\b|\(c\) [12][0-9]{3}|All rights reserved")
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)


def compiled(arch):
    """The files of the tree that the release kernel of one architecture is made of. It must have been built."""
    line = ["make", "-s", f"ARCH={arch}", "MODE=release", "print-KERNEL_DEPS"]
    names = subprocess.run(line, check=True, capture_output=True, text=True).stdout.split()
    found = set()
    for name in names:
        with open(name, encoding="utf-8") as handle:
            found |= dependencies(handle.read())
    return {path for path in found if not path.startswith(("build/", "/"))}


def dependencies(text):
    """What the first rule of a dependency file depends on."""
    rule = text.replace("\\\n", " ").split("\n", 1)[0]
    return set(rule.partition(":")[2].split())


def room(path):
    """The row of the table that a file is counted in."""
    return next(name for name in ROOMS if path.startswith(name + "/"))


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


def lines_table(sources, problems):
    """Prints lines by room, a column for each architecture and one for both; `sources` is {architecture: files}."""
    columns = dict(sources)
    if len(sources) > 1:
        columns["both"] = set().union(*sources.values())
    print("lines of code that are compiled into the kernel (no blanks, no comments)")
    print(f"  {'':<22}" + "".join(f"{name:>16}" for name in columns))
    for name in sorted(ROOMS):
        print(f"  {name:<22}" + "".join(f"{count(p for p in files if room(p) == name)[0]:>16,}"
                                       for files in columns.values()))
    limits = [BOTH_LINES if name == "both" else ONE_ARCH_LINES for name in columns]
    totals = [count(files)[0] for files in columns.values()]
    print(f"  {'together':<22}" + "".join(f"{total:>16,}" for total in totals))
    shown = [over(total, limit, f"lines, {name}", problems) for name, total, limit in zip(columns, totals, limits)]
    print(f"  {'':<22}" + "".join(f"{text:>16}" for text in shown))


def ports_table(arches):
    """Prints what comes from other people's sources: nothing of it is in the kernel or in this tree."""
    print("other people's programs, bytes of what was built (not in the kernel; ports/ has the recipes)")
    for port in ports.load().values():
        sizes = "".join(f"{folder_bytes(ports.output_folder(port, arch)):>16,}" for arch in arches)
        print(f"  {port.name + ' ' + port.version:<22}{sizes}  {port.licence}, {port.source['archive']}")


def folder_bytes(folder):
    """The bytes of all files below a folder; 0 when there is none."""
    return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(folder) for name in names)


def main(arguments):
    """Prints the table; with --check the status says whether all budgets hold."""
    options = opt.parse("size", arguments, OPTIONS)
    common.no_words("size", options)
    arches = [options.arch] if options.arch else list(opt.ARCHES)
    problems, sources = [], {}
    for arch in arches:
        build.build(arch, "release", ["kernel"])
        sources[arch] = compiled(arch)
    lines_table(sources, problems)
    print("kernel image, bytes (release)")
    for arch in arches:
        loaded, zeroed = image_size(f"build/{arch}-release/vectra.elf")
        print(f"  {arch:<22}{loaded:>16,}  {over(loaded, IMAGE_BYTES, arch + ' image', problems)}"
              f"   and {zeroed:,} zeroed")
    ports_table(arches)
    _, foreign, foreign_lines = count(sorted(set().union(*sources.values())))
    print(f"third-party lines in the kernel: {foreign_lines}")
    problems += [f"{path}: does not carry just the line '{OURS}'" for path in foreign]
    for problem in problems:
        print(f"size: {problem}")
    return 1 if problems and options.check else 0
