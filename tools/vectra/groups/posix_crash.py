# SPDX-License-Identifier: MIT
"""What is said of a program that a fault ends, and the dump that it asked for: part of the group `posix`."""

import re
import struct

from vectra.results import Failure

OWN = [rb"innermost", rb"middle", rb"main"]
LIBRARY = [rb"strlen", rb"in_the_library", rb"main"]
GIVES_UP = [rb"abort", rb"gives_up", rb"main"]
ASSERTS = [rb"abort", rb"__assert_fail", rb"asserts", rb"main"]
NT_PRSTATUS, NT_PRPSINFO, NT_AUXV = 1, 3, 6
CORE_THREADS_MAX, CORE_RANGES_MAX, CORE_BYTES_MAX = 128, 256, 64 << 20   # abi/service_limits.def
LARGE_MACHINE = "1536M"   # whose /tmp holds such a dump
MACHINES = {"x86_64": 62, "aarch64": 183}
# Where the instruction pointer lies in an NT_PRSTATUS.
PC_AT = {"x86_64": 112 + 16 * 8, "aarch64": 112 + 32 * 8}


def backtrace(output, functions):
    """Fails unless the report names these functions, innermost first; the address of the first."""
    lines = re.findall(rb"^  #(\d+) (0x[0-9a-f]+) ([\w.]+)\+0x[0-9a-f]+$", output, re.MULTILINE)
    if [name for _, _, name in lines][:len(functions)] != functions or \
            [int(n) for n, _, _ in lines] != list(range(len(lines))):
        raise Failure(f"no backtrace that begins with {functions}", output)
    return int(lines[0][1], 16)


def notes(core, at, size):
    """[(type, bytes)] of a PT_NOTE segment."""
    out, end = [], at + size
    while at < end:
        name, length, kind = struct.unpack_from("<III", core, at)
        if core[at + 12:at + 12 + name] != b"CORE\0":
            raise Failure(f"a note of somebody else at {at:#x}")
        at += 12 + (name + 3) // 4 * 4
        out.append((kind, core[at:at + length]))
        at += (length + 3) // 4 * 4
    return out


def check_core(arch, core, pc):
    """A core file of that machine: its notes, with the place of the fault, and the memory that the program wrote."""
    ident, kind, machine, _, _, headers_at, _, _, _, entry, count = struct.unpack_from("<16sHHIQQQIHHH", core)
    if (ident[:7], kind, machine, entry) != (b"\x7fELF\2\1\1", 4, MACHINES[arch], 56):
        raise Failure(f"not a core file of {arch}", core[:64])
    found, mark = [], False
    for i in range(count):
        kind, _, at, address, _, size, _, _ = struct.unpack_from("<IIQQQQQQ", core, headers_at + i * 56)
        if at + size > len(core):
            raise Failure(f"what was at {address:#x} lies behind the end of the dump")
        if kind == 4:
            found += notes(core, at, size)
        else:
            mark = mark or b"mark" * 20000 in core[at:at + size]
    kinds = [kind for kind, _ in found]
    if kinds[:3] != [NT_PRSTATUS, NT_PRPSINFO, NT_AUXV] or kinds.count(NT_PRSTATUS) < 2:
        raise Failure(f"the notes are {kinds}")
    if struct.unpack_from("<Q", found[0][1], PC_AT[arch])[0] != pc or found[0][1][0] != 11:
        raise Failure("the first thread is not where the report says, or has another signal", found[0][1])
    if not mark:
        raise Failure("what the program wrote to its memory is not in the dump")


def check_full(core):
    """A dump with as many threads and pieces of memory as it has room for, and no more."""
    headers_at, count = struct.unpack_from("<Q", core, 32)[0], struct.unpack_from("<H", core, 56)[0]
    threads = loads = 0
    for i in range(count):
        kind, _, at, _, _, size, _, _ = struct.unpack_from("<IIQQQQQQ", core, headers_at + i * 56)
        loads += kind == 1
        threads += [kind for kind, _ in notes(core, at, size)].count(NT_PRSTATUS) if kind == 4 else 0
    if (threads, loads) != (CORE_THREADS_MAX, CORE_RANGES_MAX):
        raise Failure(f"the dump has {threads} threads and {loads} pieces of memory")


def check_large(text, core):
    """A dump with as much memory as it has room for, and no more; all of it is in the file."""
    headers_at, count = struct.unpack_from("<Q", core, 32)[0], struct.unpack_from("<H", core, 56)[0]
    headers = [struct.unpack_from("<IIQQQQQQ", core, headers_at + i * 56) for i in range(count)]
    loaded = sum(size for kind, _, _, _, _, size, _, _ in headers if kind == 1)
    said = re.search(rb"^  core: /tmp/core\.\d+, (\d+) bytes$", text, re.MULTILINE)
    if loaded != CORE_BYTES_MAX or not said or int(said[1]) != max(at + size for _, _, at, _, _, size, _, _ in headers):
        raise Failure(f"the dump has {loaded} bytes of memory", text)


def crash_test(arch, program, inside):
    """Backtraces with names: of a program of the initial RAM disk, in the C library, of a file; then a dump."""
    files = [(program, "/bin/crash")]
    for command, functions in [("/bin/crash own", OWN), ("crash library", LIBRARY),
                               ("cp /bin/crash /tmp/copy; /tmp/copy own", OWN)]:
        output, outcome = inside(arch, command, files)
        backtrace(output, functions)
        if outcome.status != 139 or b"core" in output:
            raise Failure(f"{command}: exit status {outcome.status}, or a dump that nobody asked for", output)
    for command, functions in [("crash abort", GIVES_UP), ("crash assert", ASSERTS)]:
        output, outcome = inside(arch, command, files)
        backtrace(output, functions)
        if outcome.status != 134 or not re.search(rb"^crash\[\d+\]: aborted, thread 1$", output, re.MULTILINE):
            raise Failure(f"{command}: exit status {outcome.status}, or nothing says that it gave up", output)
    output, _ = inside(arch, "VECTRA_CORE=1 crash own; cat /tmp/core.*", files)
    text, mark, rest = output.partition(b"\x7fELF")
    pc = backtrace(text, OWN)
    if not re.search(rb"^  core: /tmp/core\.\d+, \d+ bytes$", text, re.MULTILINE):
        raise Failure("nothing says that there is a dump", text)
    check_core(arch, mark + rest, pc)
    output, _ = inside(arch, "VECTRA_CORE=1 crash full; head -c 131072 /tmp/core.*", files)
    check_full(output[output.index(b"\x7fELF"):])
    output, _ = inside(arch, "VECTRA_CORE=1 crash large; head -c 65536 /tmp/core.*", files, mem=LARGE_MACHINE)
    text, mark, rest = output.partition(b"\x7fELF")
    check_large(text, mark + rest)
    return 8
