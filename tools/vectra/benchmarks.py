# SPDX-License-Identifier: MIT
"""Measures: boots a release build under QEMU's instruction counter and collects the lines that the guest prints.

    bench GROUP NAME UNIT VALUE MIN MAX RUNS

One hart, one instruction is one nanosecond of the guest's clock, so a figure is the same on every machine. /test/bench
prints most lines; with bench=1 on its command line the kernel prints boot_to_initd and the shell boot_to_prompt, which
a second, plain boot collects. The groups scale and throughput are by the clock on the wall, and no test.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from vectra import disks, execute, floor, masked, peers, slowdisk
from vectra.qemu import NO_BOOT_DISKS, Machine, Running, program

LIMITS, BASELINE, PEERS = "test/bench/limits.json", "test/bench/baseline.json", "test/bench/peers.json"
LINE = re.compile(rb"\bbench ([a-z0-9_]+) ([a-z0-9_]+) ([a-z0-9_/]+) ([0-9]+) ([0-9]+) ([0-9]+) ([0-9]+)\r?$", re.MULTILINE)
PROMPT = b"vectra:/$ "
GROUP, BOOT_NAMES = "kernel", ("boot_to_initd", "boot_to_prompt")
MASKED, MASKED_WORST = "irqs_off_", "irqs_off_worst"
POSIX_GROUP, POSIX_SOURCE, POSIX_PROGRAM = "posix", "test/bench/posix.c", "/bin/posix-bench"
# Compilers for Linux keep no frame pointers with -O2; ours does unless told, for the sake of crash reports.
POSIX_FLAGS = ["-std=gnu23", "-O2", "-fomit-frame-pointer"]
AS_A_RATIO, OF_LINUX = "lua_fib_30", "of_linux"   # a figure whose limit is a part of what Linux needs
RUST_GROUP, RUST_SOURCE, RUST_PROGRAM, RUST_HELLO = "rust", "test/bench/rust.rs", "/bin/rust-bench", "test/bench/hello.rs"
RUST_SIZE = "rust_hello_size"
SMALL = ["-Copt-level=s", "-Clto", "-Cpanic=abort", "-Cstrip=symbols"]
STORAGE_GROUP = "storage"
DISK_BOOT_NAME, DISK_BOOTS, DISK_BOOTS_MAX = "boot_to_prompt_disk", 3, 12
SCALE_GROUP, IDLE_LOAD = "scale", 0.5
THROUGHPUT_GROUP, RAW_NAME, RAW_READS = "throughput", "read_1m", 128
RAW_SPEED = re.compile(rb", 1 ops; .* ([0-9.]+) ops/sec\)")
BY_THE_CLOCK = (SCALE_GROUP, THROUGHPUT_GROUP)
ALL = (GROUP, POSIX_GROUP, STORAGE_GROUP, *BY_THE_CLOCK)   # what is measured when nothing is named
GROUPS = (*ALL, RUST_GROUP)
TIMEOUT_S, BOOT_TIMEOUT_S = 900, 120
SCHEMA = 1


def machine(arch, jumps=True):
    """The machine that everything is measured on. jumps: while nobody has anything to do its clock jumps to the next deadline, and
    does not wait; not with a disk, which does not jump along: whoever waits for it would be told that it has timed out."""
    cpu = "max" if arch == "x86_64" else "max,cntfrq=1000000000"
    return Machine(arch, cpu=cpu, extra=["-icount", "shift=0,sleep=" + ("off" if jumps else "on")])


def parse(transcript, arch):
    """The rows of a transcript; a later line of the same name replaces an earlier one."""
    rows = {}
    for match in LINE.finditer(transcript):
        group, name, unit = (text.decode() for text in match.groups()[:3])
        value, low, high, runs = (int(text) for text in match.groups()[3:])
        rows[(group, name)] = {"group": group, "name": name, "arch": arch, "unit": unit, "value": value,
                               "runs": runs, "min": low, "max": high}
    return rows


def measure(arch, names=()):
    """Runs the benchmarks of one architecture, all or the named; returns (rows, the outcome of /test/bench or None)."""
    rows, outcome = {}, None
    elsewhere = (*BOOT_NAMES, *masked.RUNS)
    inside = [name for name in names if name not in elsewhere]
    if inside or not names:
        outcome = execute.run_command(machine(arch), " ".join(["/test/bench", GROUP, *inside]), (), TIMEOUT_S)
        rows = parse(bytes(outcome.transcript), arch)
    if not (outcome and outcome.failed) and (not names or any(name in BOOT_NAMES for name in names)):
        rows.update(parse(plain_boot(arch), arch))
    for name in masked.RUNS:
        if not (outcome and (outcome.failed or outcome.status)) and (not names or name in names or MASKED_WORST in names):
            found, outcome = measure_masked(arch, name, bool(names))
            rows.update(found)
    worst = max((row for (_, name), row in rows.items() if name.startswith(MASKED)), key=lambda row: row["value"], default=None)
    if worst and (GROUP, MASKED_WORST) in rows:
        rows[(GROUP, MASKED_WORST)] = {**worst, "name": MASKED_WORST}
    return [row for row in rows.values() if not names or row["name"] in names], outcome


def measure_masked(arch, name, tell):
    """A row of the longest stretch with interrupts masked in a whole run, {} where QEMU cannot; and the Outcome. tell: say what it
    was even if it is within its limit."""
    if reason := masked.unavailable(arch):
        print(f"vectra: bench: no {name} with this QEMU: {reason}", file=sys.stderr)
        return {}, None
    booted = machine(arch)
    booted.append.append("kaslr=off")   # the names of functions are those of where it is linked
    worst, count, outcome = masked.measure(name, booted)
    if tell or worst.instructions > load_limits(GROUP)[name][arch]:
        print(f"vectra: {name} on {arch}: {worst.tell(masked.symbols_of(booted))}", file=sys.stderr)
    row = {"group": GROUP, "name": name, "arch": arch, "unit": "instructions", "value": worst.instructions, "runs": count,
           "min": worst.instructions, "max": worst.instructions}
    return {(GROUP, name): row} if worst.instructions >= masked.LEAST else {}, outcome


class DiskImage:
    """A disk for the group storage: a FAT volume with the files r-a, r-b, ... of 1 MiB. A context manager: its path."""

    BYTES, FILES, FILE_BYTES = 128 << 20, 21, 1 << 20

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="vectra-bench-")
        path = os.path.join(self.folder, "disk")
        disks.create(path, self.BYTES)
        chance = random.Random(1)
        names = [os.path.join(self.folder, f"r-{chr(ord('a') + n)}") for n in range(self.FILES)]
        for name in names:
            with open(name, "wb") as handle:
                handle.write(chance.randbytes(self.FILE_BYTES))
        disks.put(path, names, "/")
        return path

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def measure_storage(arch, names=()):
    """The same for the group storage: a disk, and files on it and in memory, as a native program sees them. The disk is so slow
    that whoever waits for it sleeps: so the figures do not depend on how busy the host is."""
    with DiskImage() as image, slowdisk.SlowDisk(image) as slow:
        booted = machine(arch, jumps=False)
        booted.extra += ["-drive", f"file={slow},if=none,id=disk0,format=raw",
                         "-device", "virtio-blk-pci,drive=disk0,disable-legacy=on", *(NO_BOOT_DISKS if arch == "x86_64" else [])]
        outcome = execute.run_command(booted, " ".join(["/test/bench", STORAGE_GROUP, *names]), (), TIMEOUT_S)
        rows = list(parse(bytes(outcome.transcript), arch).values())
        if not outcome.failed and (not names or DISK_BOOT_NAME in names):
            rows += disk_boot(arch, image)
    return [row for row in rows if not names or row["name"] in names], outcome


def disk_boot(arch, image):
    """The boot to the prompt with the disk mounted. What is waited for counts here, and can only add, so it is the least of a few;
    of more, on a host that is busy, as long as that is beyond the limit."""
    limit, found = load_limits(STORAGE_GROUP)[DISK_BOOT_NAME][arch], []
    for tries in range(DISK_BOOTS_MAX):
        if tries >= DISK_BOOTS and found and min(row["value"] for row in found) <= limit:
            break
        found += [row for row in parse(plain_boot(arch, [image]), arch).values() if row["name"] == "boot_to_prompt"]
    if not found:
        return []
    values = sorted(row["value"] for row in found)
    return [{**found[0], "group": STORAGE_GROUP, "name": DISK_BOOT_NAME, "value": values[0], "min": values[0],
             "max": values[-1], "runs": len(values)}]


def raw_speed(image):
    """Megabytes a second that QEMU's own block layer reads from the image, 1 MiB at a time, with no guest."""
    line = [program("x86_64"), "-M", "none", "-S", "-display", "none", "-monitor", "stdio",
            "-drive", f"file={image},if=none,id=disk0,format=raw"]
    orders = "".join(f'qemu-io disk0 "read {number}M 1M"\n' for number in range(RAW_READS)) + "quit\n"
    said = subprocess.run(line, input=orders.encode(), capture_output=True, check=False, timeout=BOOT_TIMEOUT_S).stdout
    took = sum(1 / float(speed) for speed in RAW_SPEED.findall(said))
    return RAW_READS * (1 << 20) / took / 1e6 if took else 0


def measure_throughput(arch, names=()):
    """Reading a disk through BLOCK_V1, by the clock, in MB/s (10^6 bytes), and as a part of what QEMU's block layer does
    alone. Nothing that could be held: both depend on the host and on what else it does."""
    with DiskImage() as image:
        outcome = execute.run_command(Machine(arch, disks=[image]), f"/test/bench {THROUGHPUT_GROUP}", (), TIMEOUT_S)
        found = [row for row in parse(bytes(outcome.transcript), arch).values() if not names or row["name"] in names]
        rows = []
        for row in found:
            speed = row["value"] / 1000
            raw = round(raw_speed(image), 1) if row["name"] == RAW_NAME else 0
            rows.append({**row, "unit": "MB/s", **dict.fromkeys(("value", "min", "max"), speed)})
            if raw:
                ratio = round(speed / raw, 3)
                rows.append({**row, "name": f"{RAW_NAME}_raw", "unit": "MB/s", **dict.fromkeys(("value", "min", "max"), raw)})
                rows.append({**row, "name": f"{RAW_NAME}_ratio", "unit": "ratio", **dict.fromkeys(("value", "min", "max"), ratio)})
    return rows, outcome


def measure_posix(arch, names=()):
    """The same for the group posix: a program of the C library."""
    out = os.path.abspath(f"build/posix-{arch}/test/posix-bench")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    subprocess.run(["./vectra", "cc", "--arch", arch, *POSIX_FLAGS, "-o", out, POSIX_SOURCE], check=True)
    outcome = execute.run_command(machine(arch), " ".join([POSIX_PROGRAM, *names]), [(out, POSIX_PROGRAM)], TIMEOUT_S)
    rows = parse(bytes(outcome.transcript), arch)
    rows = [as_a_ratio(row, load_peers()) for row in rows.values()]
    return [row for row in rows if not names or row["name"] in names], outcome


def measure_linux(arch, kernel, names=()):
    """The rows of the group posix on Linux: the same programs on the same machine."""
    transcript = peers.measure(machine(arch), kernel, POSIX_SOURCE, POSIX_FLAGS, names)
    return [row for row in parse(transcript, arch).values() if not names or row["name"] in names], transcript


def as_a_ratio(row, figures):
    """The row, or, of the one whose limit is a ratio, the same as parts of what Linux needs."""
    if row["name"] != AS_A_RATIO:
        return row
    linux = figures[(row["group"], row["name"], row["arch"])]
    return {**row, "unit": OF_LINUX, **{part: round(row[part] / linux, 4) for part in ("value", "min", "max")}}


def rustc(arch, source, name, *words):
    """A Rust program, compiled as a person would; its path."""
    out = os.path.abspath(f"build/posix-{arch}/test/{name}")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    subprocess.run(["./vectra", "rustc", "--edition=2021", f"--target={arch}-unknown-vectra", *words, source, "-o", out],
                   check=True)
    return out


def measure_rust(arch, names=()):
    """The same for the group rust: std's threads and locks, and how large the smallest program is."""
    inside = [name for name in names if name != RUST_SIZE]
    program_file = rustc(arch, RUST_SOURCE, "rust-bench", "-O")
    size = os.path.getsize(rustc(arch, RUST_HELLO, "rust-hello", *SMALL))
    rows = [{"group": RUST_GROUP, "name": RUST_SIZE, "arch": arch, "unit": "bytes", "value": size, "runs": 1, "min": size,
             "max": size}]
    outcome = None
    if inside or not names:
        outcome = execute.run_command(machine(arch), " ".join([RUST_PROGRAM, *inside]), [(program_file, RUST_PROGRAM)], TIMEOUT_S)
        rows += parse(bytes(outcome.transcript), arch).values()
    return [row for row in rows if not names or row["name"] in names], outcome


def measure_scale(arch, names=()):
    """The same for the group scale: two harts against one, by the clock. A ratio, which is to be large."""
    outcome = execute.run_command(Machine(arch, smp=2, accel="tcg,thread=multi"), f"/test/bench {SCALE_GROUP}", (), TIMEOUT_S)
    rows = [row for row in parse(bytes(outcome.transcript), arch).values() if not names or row["name"] in names]
    for row in rows:
        row.update(unit="ratio", **{key: row[key] / 100 for key in ("value", "min", "max")})
    alone = floor.row() if arch == floor.ARCH and (not names or floor.NAME in names) else None   # QEMU itself, for comparison
    return rows + ([alone] if alone else []), outcome


def idle():
    """Whether nothing else runs here: what is measured by the clock says little otherwise."""
    return os.getloadavg()[0] < IDLE_LOAD


def within(row, limit):
    """Whether a figure keeps its limit: a ratio is at least that, anything else at most."""
    return row["value"] >= limit if row["unit"] == "ratio" else row["value"] <= limit


def plain_boot(arch, images=()):
    """The transcript of a boot to the prompt, and of what comes right behind it."""
    booted = machine(arch)
    booted.disks = list(images)
    booted.append.append("bench=1")
    with Running(booted.command(execute.SERIAL)) as guest:
        while guest.elapsed() < BOOT_TIMEOUT_S:
            chunk = guest.read(1)
            if chunk == b"" or (chunk is None and PROMPT in guest.transcript):
                break
        return bytes(guest.transcript)


def load_limits(group=None):
    """{name: {arch: at most}} of a group, or of all. A name belongs to one group: those without a prefix to the kernel."""
    found = {}
    for key, limit in load(LIMITS, {}).items():
        of, _, name = key.rpartition("/")
        if group in (None, of or GROUP):
            found[name] = limit
    return found


def usual_limits():
    """Those of what is measured when nothing is named."""
    return {name: limit for group in ALL for name, limit in load_limits(group).items()}


def load_baseline():
    """{(group, name, arch): value} of the committed baseline."""
    rows = load(BASELINE, {"results": []})["results"]
    return {(row["group"], row["name"], row["arch"]): row["value"] for row in rows}


def load_peers():
    """{(group, name, arch): instructions on Linux}; where they come from is in docs/benchmarks.md."""
    return {(*key.split("/"), arch): value for key, figures in load(PEERS, {}).items() for arch, value in figures.items()}


def load(path, missing):
    """A JSON file, or `missing` when there is none."""
    if not os.path.exists(path):
        return missing
    with open(path, encoding="utf-8") as handle:
        return json.load(handle)


def document(rows):
    """What --json writes."""
    return {"schema": SCHEMA, "results": rows}


def save(path, rows):
    """Writes the JSON file, one row on a line, so that a new baseline is a readable diff."""
    body = ",\n".join("  " + json.dumps(row) for row in rows)
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(f'{{"schema": {SCHEMA}, "results": [\n{body}\n]}}\n')


def merged(rows, old):
    """The rows of `old` with those of `rows` in their place: a new baseline after measuring only a part."""
    def key(row):
        return row["group"], row["name"], row["arch"]
    table = {key(row): row for row in old}
    table.update({key(row): row for row in rows})
    return [table[k] for k in sorted(table)]
