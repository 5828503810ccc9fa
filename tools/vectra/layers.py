# SPDX-License-Identifier: MIT
"""Who may include whom: the rooms of the tree, and what in a file breaks their rules.

Known exceptions stand in tools/layers.exceptions, one `COUNT PATH RULE` a line; a count may only fall.
"""

import os
import re

ARCHES = ("x86_64", "aarch64", "host", "stub")
PLAYS = {"q35": "x86_64", "virt": "aarch64"}   # board → the isa whose <isa/plat.h> it sees
FREESTANDING = {name + ".h" for name in (
    "float iso646 limits stdalign stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdnoreturn").split()}
# Room → the rooms it may include from. A room may always include from itself.
MAY = {
    "abi": (),
    "base": ("abi",),
    "contract": ("abi", "base", "firmware", "kernel-entry"),
    "kernel-entry": ("abi", "base", "contract", "firmware"),
    "kernel-board": ("abi", "base", "contract", "firmware"),
    "firmware": ("abi", "base"),   # a pure library about tables and formats; boards and isas read it at boot
    "kernel": ("abi", "base", "contract", "firmware", "kernel-entry", "kernel-board"),
    "arch": ("abi", "base", "contract", "firmware", "kernel-entry"),
    "plat": ("abi", "base", "contract", "firmware", "kernel-entry", "kernel-board"),
    "lib": ("abi", "base"),
    "program": ("abi", "base", "lib"),
}
# Headers of kernel/ that lower rooms may see.
SEEN = {"kernel/entry.h": "kernel-entry", "kernel/hart_sched.h": "kernel-entry", "kernel/gate.h": "kernel-entry",
        "kernel/entropy.h": "kernel-entry", "kernel/kmap.h": "kernel-entry", "kernel/slide.h": "kernel-entry",
        "kernel/irqchip.h": "kernel-board"}
PROGRAM_ROOMS = ("srv", "drv", "fs", "bin")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*(?:include|embed)[ \t]+(?:"([^"]+)"|<([^>]+)>|(\w+))', re.MULTILINE)
CONDITION = re.compile(r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif|elifdef|elifndef)\b(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
CPU = re.compile(r"__(?:x86_64|amd64|i386|i486|i686|aarch64|arm|ARM_\w+|SSE\w*|AVX\w*)__|\bARCH_(?:X86|ARM|AARCH)\w*"
                 r"|\b(?:x86_64|aarch64|amd64|arm64)\b", re.IGNORECASE)
BOARD = re.compile(r"\b(?:\w+_)?(?:x86(?:_64)?|aarch64|amd64|arm64|q35|pl011|ns16550)(?:_\w+)?\b", re.IGNORECASE)
ASM = re.compile(r"\b(?:__asm__|__asm|asm)\b")
TOKENS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)


def room(path):
    """(room, part) of a file: parts of one room may not see each other. None for files without rules."""
    parts = path.split("/")
    if path in SEEN:
        return SEEN[path], ""
    if parts[0] in ("abi", "base"):
        return parts[0], ""
    if parts[0] == "lib":
        return "lib", ""
    if parts[0] in PROGRAM_ROOMS:
        return "program", "/".join(parts[:2])
    if parts[:2] == ["test", "guest"]:
        return "program", "test/guest" if parts[2:3] == ["common"] else "/".join(parts[:3])
    if parts[0] != "kernel":
        return None
    if parts[1] == "arch":
        if parts[2] == "include":
            return "contract", ""
        return "arch", "/".join(parts[:3])
    if parts[1] == "plat":
        return "plat", "/".join(parts[:3])
    if parts[1] == "firmware":
        return "firmware", ""
    return "kernel", ""


def bare(text, keep_strings=False):
    """The text without comments, and without what strings say; line numbers stay."""
    def blank(match):
        token = match.group(0)
        if not token.startswith(("//", "/*")):
            return token if keep_strings else '""'
        return "\n" * token.count("\n") or " "
    return TOKENS.sub(blank, text)


def resolve(path, name, files):
    """The file of the tree that an include names, or None. Every isa's own include folder is tried."""
    places = [os.path.dirname(path), "", "kernel/arch/include", "lib/include"]
    mine = room(path)
    if mine and mine[0] == "arch":
        places.insert(1, mine[1] + "/include")
    elif mine and mine[0] == "plat" and (isa := PLAYS.get(path.split("/")[2])):
        places.insert(1, f"kernel/arch/{isa}/include")
    elif path.startswith("kernel/"):
        places += [f"kernel/arch/{arch}/include" for arch in ARCHES]
    else:
        places += [f"lib/arch/{arch}" for arch in ARCHES]
    for place in places:
        candidate = os.path.normpath(os.path.join(place, name)).replace(os.sep, "/")
        if candidate in files:
            return candidate
    return None


def may_include(path, target):
    """True when the rules let `path` include `target`, both paths of the tree."""
    mine, theirs = room(path), room(target)
    if mine is None:
        return True
    if theirs is None:
        return False
    if mine == theirs:
        return True
    if mine[0] == theirs[0]:
        # Boards share kernel/plat/common, guest tests share test/guest/common; programs otherwise share nothing.
        return theirs[1] in ("kernel/plat/common", "test/guest")
    # The contract's headers pull in the isa's half of themselves, <isa/NAME.h>.
    if mine[0] == "contract" and theirs[0] == "arch" and "/include/isa/" in target:
        return True
    # A board sees what its own isa says to boards; an isa that is no machine is its own board.
    if mine[0] == "plat" and target == f"kernel/arch/{PLAYS.get(path.split('/')[2])}/include/isa/plat.h":
        return True
    if theirs[0] == "kernel-board" and mine[1] in ("kernel/arch/host", "kernel/arch/stub"):
        return True
    return theirs[0] in MAY[mine[0]]


def hosted(path):
    """True for what may use a C library's headers: the fake architecture, which is a process, the C library's own
    lower half, what a library is over it, and programs of the C library."""
    return path.startswith(("kernel/arch/host/", "lib/libposix/", "lib/libfs/posix/", "bin/blk/", "bin/df/", "bin/fat/", "bin/lsblk/", "bin/lspci/", "bin/sh/"))


def violations(path, text, files, generated):
    """[(line, rule, what)] of one file. `generated` are names that generators make."""
    mine = room(path)
    if mine is None:
        return []
    out = []
    code = bare(text, keep_strings=True)
    for match in INCLUDE.finditer(code):
        name = match.group(1) or match.group(2)
        line = code.count("\n", 0, match.start()) + 1
        if name is None or name in generated:
            continue
        target = resolve(path, name, files)
        if target is None:
            if not hosted(path) and not (match.group(2) and name in FREESTANDING):
                out.append((line, "include", f"{name} is no file of this tree"))
        elif not may_include(path, target):
            out.append((line, "include", f"{mine[0]} may not include {target}"))
    plain = bare(text)
    if mine[0] not in ("arch", "plat") and not any(f"/{arch}/" in path for arch in ARCHES):
        out += [(plain.count("\n", 0, m.start()) + 1, "cpu-if", "an #if names a CPU: " + m.group(0).strip())
                for m in CONDITION.finditer(plain) if CPU.search(m.group(0))]
    if mine[0] in ("kernel", "firmware", "kernel-entry", "kernel-board", "contract", "base"):
        code = CONDITION.sub(lambda match: "\n" * match.group(0).count("\n"), plain)
        for number, line in enumerate(code.split("\n"), start=1):
            if ASM.search(line):
                out.append((number, "asm", "assembly in portable code"))
            # The decoders in kernel/firmware are about formats that name CPUs and devices.
            found = None if mine[0] == "firmware" else BOARD.search(line)
            if found and not line.lstrip().startswith("#"):
                out.append((number, "name", f"portable code names a CPU or a board: {found.group(0)}"))
    return out


def tree_files():
    """Every source file of the rooms that have rules."""
    out = []
    for top in ("abi", "base", "kernel", "lib", *PROGRAM_ROOMS, "test/guest"):
        for root, dirs, names in os.walk(top):
            dirs.sort()
            out += [os.path.join(root, n).replace(os.sep, "/") for n in sorted(names)
                    if n.endswith((".c", ".h", ".S", ".def", ".ld"))]
    return out


def generated_names():
    """Names of headers that a generator has made, as they are included."""
    out = set()
    for top in (os.path.join("build", name, "gen") for name in (os.listdir("build") if os.path.isdir("build") else [])):
        for root, _, names in os.walk(top):
            for name in names:
                path = os.path.relpath(os.path.join(root, name), top).replace(os.sep, "/")
                out |= {path, path.removeprefix("include/")}
    return out


def read_exceptions(path):
    """{(path, rule): count} of the exceptions file."""
    out = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as handle:
            for line in handle:
                words = line.split("#")[0].split()
                if words:
                    out[(words[1], words[2])] = int(words[0])
    return out


def check(files, read, generated, exceptions):
    """The messages of a whole tree: violations beyond the exceptions, and exceptions that are too generous."""
    found, messages, known = {}, [], set(files)
    for path in files:
        for line, rule, what in violations(path, read(path), known, generated):
            found.setdefault((path, rule), []).append(f"{path}:{line}: {what}")
    for key, hits in found.items():
        if len(hits) > exceptions.get(key, 0):
            messages += hits
    for key, count in exceptions.items():
        if len(found.get(key, ())) < count:
            messages.append(f"{key[0]}: {key[1]}: {count} exceptions are listed, {len(found.get(key, ()))} are left: "
                            "lower the count")
    return messages
