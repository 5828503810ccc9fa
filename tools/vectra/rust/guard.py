# SPDX-License-Identifier: MIT
"""The guard: no instruction of a linked program enters the kernel, except where the C library's own functions do, and in
the one function of the crate `vectra` that is there for it.

std's target is a look-alike of Linux (docs/decisions), so a crate may take it for one and bring system calls of its own.
They would not do what it thinks. Candidates are found by their bytes and confirmed by the disassembler from the start of
their function, since on x86-64 the same bytes may be a part of another instruction. A program that is built to deceive
this is none of its business: what such a call could do, any program can do."""

import bisect
import os
import re
import struct
import subprocess

ENTRY = re.compile(rb"^\s*([0-9a-f]+):\s+(syscall|sysenter|svc|int\s+\$0x80)\b", re.MULTILINE)
SECTION = re.compile(r"^\s*([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+ {9}(\S.*):\(([^()]*)\)$")
SYMBOL = re.compile(r"^\s*([0-9a-f]+)\s+[0-9a-f]+\s+[0-9a-f]+\s+\d+ {17}(\S.*)$")
EXECUTABLE, LOAD, EM_X86_64, EM_AARCH64 = 1, 1, 62, 183
ENTRY_SECTION = ".text.vectra_enter"   # the crate `vectra` (lib/rust/vectra/src/sys.rs)
X86_BYTES = re.compile(rb"\x0f\x05|\x0f\x34|\xcd\x80")


class Map:
    """What the linker says it put where: input sections, and the names of functions."""

    def __init__(self, text, library):
        self.allowed, names = [], {}
        for line in text.splitlines():
            if found := SECTION.match(line):
                start, size = int(found.group(1), 16), int(found.group(2), 16)
                if size:
                    names.setdefault(start, found.group(4))
                if found.group(3).startswith(library + "(") or found.group(4) == ENTRY_SECTION:
                    self.allowed.append((start, start + size))
            elif (found := SYMBOL.match(line)) and not found.group(2).startswith("$"):   # those mark code and data
                names[int(found.group(1), 16)] = found.group(2)
        self.starts, self.names = sorted(names), names

    def is_allowed(self, address):
        """True inside the C library."""
        return any(start <= address < end for start, end in self.allowed)

    def function(self, address):
        """(start, name) of what the address lies in."""
        at = bisect.bisect_right(self.starts, address) - 1
        return (self.starts[at], self.names[self.starts[at]]) if at >= 0 else (address, "?")


def executable_parts(image):
    """[(address, bytes)] of what a program may run; nothing for what is no program for our machines."""
    if image[:5] != b"\x7fELF\x02" or struct.unpack_from("<H", image, 18)[0] not in (EM_X86_64, EM_AARCH64):
        return []
    table, size, count = struct.unpack_from("<Q", image, 32)[0], *struct.unpack_from("<HH", image, 54)
    parts = []
    for at in range(table, table + size * count, size):
        kind, flags, offset, address, _, length = struct.unpack_from("<IIQQQQ", image, at)
        if kind == LOAD and flags & EXECUTABLE:
            parts.append((address, image[offset:offset + length]))
    return parts


def candidates(image):
    """The addresses of all bytes that would enter the kernel if they were an instruction."""
    found = []
    for address, code in executable_parts(image):
        if struct.unpack_from("<H", image, 18)[0] == EM_X86_64:
            found += [address + match.start() for match in X86_BYTES.finditer(code)]
        else:
            words = struct.unpack(f"<{len(code) // 4}I", code[:len(code) // 4 * 4])
            found += [address + 4 * i for i, word in enumerate(words) if word & 0xffe0001f == 0xd4000001]
    return found


def confirmed(path, start, address):
    """True when the disassembly of the function from its start has such an instruction at the address."""
    line = [os.environ.get("LLVM_OBJDUMP", "llvm-objdump-19"), "-d", "--no-show-raw-insn", f"--start-address={start:#x}",
            f"--stop-address={address + 4:#x}", path]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise OSError(f"{line[0]}: exit status {done.returncode}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return any(int(match.group(1), 16) == address for match in ENTRY.finditer(done.stdout))


def strays(path, link_map):
    """[(address, function)] of the instructions that enter the kernel outside the C library."""
    with open(path, "rb") as handle:
        image = handle.read()
    found = []
    for address in candidates(image):
        if not link_map.is_allowed(address):
            start, name = link_map.function(address)
            if confirmed(path, start, address):
                found.append((address, name))
    return found
