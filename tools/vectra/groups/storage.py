# SPDX-License-Identifier: MIT
"""Group `storage`: disks, from the guest and from the host. Each test makes images, boots, lets a command run in the guest,
and looks at what it printed and at the bytes that are in the images afterwards."""

import os
import random
import re
import shutil
import subprocess
import tempfile

from vectra import disks, execute
from vectra.groups.guest import built, graph_with
from vectra.qemu import NO_BOOT_DISKS, Machine
from vectra.results import Failure

MIB = 1 << 20
WITHIN_S = 90.0
MMIO = ["-global", "virtio-mmio.force-legacy=false"]
ROOT_PORT = ["-device", "pcie-root-port,id=root1,chassis=1"]


def pattern(first, count, seed, block=512):
    """What `blk fill DISK FIRST COUNT SEED` writes."""
    start = first * block
    return b"".join((seed << 40 ^ at).to_bytes(8, "little") for at in range(start, start + count * block, 8))


class Bench:
    """One test's folder of images, and its machine."""

    def __init__(self, arch, check):
        check(arch, "release")
        self.arch, self.folder, self.extra, self.log = arch, tempfile.mkdtemp(prefix="vectra-disk-"), [], b""
        self.n_disks = 0

    def image(self, name, size):
        """A new image, all zeroes."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as handle:
            handle.truncate(size)
        return path

    def attach(self, path, device="virtio-blk-pci", drive="", options=""):
        """Adds a disk to the machine."""
        name = f"disk{self.n_disks}"
        self.n_disks += 1
        self.extra += ["-drive", f"file={path},if=none,id={name},format=raw{drive}",
                       "-device", f"{device},drive={name}{options}"]
        return path

    def run(self, command, smp=1, gic="3", status=0, files=()):
        """Runs a command in the guest, with further files (host, guest) in its initial RAM disk; its output as text."""
        parts = []
        boot = NO_BOOT_DISKS if self.arch == "x86_64" else []
        machine = Machine(self.arch, smp=smp, gic=gic, extra=self.extra + boot)
        outcome = execute.run_command(machine, command, files, WITHIN_S, parts.append)
        self.log = outcome.transcript + outcome.messages
        if outcome.failed:
            raise Failure(outcome.reason)
        if outcome.status != status:
            raise Failure(f"exit status {outcome.status}, not {status}")
        return b"".join(parts).decode("latin-1")


def expect(output, *patterns):
    """Fails unless the patterns come, in order."""
    at = 0
    for text in patterns:
        match = re.compile(text, re.MULTILINE).search(output, at)
        if not match:
            raise Failure(f"the output does not match /{text}/: {output[-600:]!r}")
        at = match.end()


def same(path, offset, wanted):
    """Fails unless these bytes are in the image."""
    with open(path, "rb") as handle:
        handle.seek(offset)
        got = handle.read(len(wanted))
    if got != wanted:
        at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
        raise Failure(f"the image differs at byte {offset + at}: {got[at:at + 16]!r}, not {wanted[at:at + 16]!r}")


def persists(bench):
    """What the guest wrote and flushed is in the image after power-off, byte for byte, and nothing else is."""
    disk = bench.attach(bench.image("a", 4 * MIB))
    output = bench.run("blk list; blk fill blk0 3 1000 7; blk write blk0 2000 hello; blk flush blk0; blk stat blk0")
    expect(output, r"^blk0 +8192 blocks of 512 bytes, 4096 KiB", r"flushes 1, errors 0")
    zero = bytes(4 * MIB)
    whole = zero[:3 * 512] + pattern(3, 1000, 7) + zero[:997 * 512] + b"hello".ljust(512, b"\0")
    same(disk, 0, whole + zero[len(whole):])
    expect(bench.run("blk check blk0 3 1000 7; blk read blk0 2000 1"), "^same$", "68 65 6c 6c 6f 00")
    return 4


def variants(bench):
    """Every kind of queue and transport moves the same bytes."""
    kinds = [("virtio-blk-pci", ",packed=on", [], "3"), ("virtio-blk-pci", ",packed=on,indirect_desc=off", [], "3"),
             ("virtio-blk-pci", ",indirect_desc=off,event_idx=off,num-queues=4", [], "3"),
             ("virtio-blk-pci", ",logical_block_size=4096,physical_block_size=4096,bus=root1", ROOT_PORT, "3")]
    if bench.arch == "aarch64":
        kinds += [("virtio-blk-device", "", MMIO, "3"), ("virtio-blk-pci", "", [], "2")]
    for number, (device, options, extra, gic) in enumerate(kinds):
        bench.extra, bench.n_disks = list(extra), 0
        disk = bench.attach(bench.image(f"v{number}", 4 * MIB), device, options=options)
        block = 4096 if "4096" in options else 512
        count = 2 * MIB // block
        expect(bench.run(f"blk hammer blk0 5 {count} {number} 2; blk stat blk0", gic=gic), "round [0-9]+ safe",
               "done: 2 rounds, 0 written again, 0 restarts", "errors 0")
        same(disk, 5 * block, pattern(5, count, number + 1, block))
    return len(kinds)


def interrupts(bench):
    """Interrupts come by messages where device and machine have them, else by the line; drivers share one."""
    ways = [("", [], "3", "by messages"), (",vectors=0", [], "3", "by a line"), (",vectors=2", [], "3", "by messages")]
    if bench.arch == "aarch64":
        ways += [("", ["-machine", "its=off"], "3", "by a line"), ("", [], "2", "by messages"),
                 (",vectors=0", [], "2", "by a line")]
    for number, (options, extra, gic, how) in enumerate(ways):
        bench.extra, bench.n_disks = list(extra), 0
        bench.attach(bench.image(f"i{number}", MIB), options=options)
        expect(bench.run("blk hammer blk0 0 1024 1 1; blk stat blk0; topo", gic=gic),
               "done: 1 rounds", "errors 0, interrupts [1-9]", f"device virtio-blk .*: driven, {how}$")
    # Two disks and the entropy device on one line; a driver that dies does not keep the others waiting.
    bench.extra, bench.n_disks = ["-device", "virtio-rng-pci,addr=9,vectors=0"], 0
    disks = [bench.attach(bench.image(f"line{i}", MIB), options=f",addr={1 + 4 * i},vectors=0") for i in range(2)]
    for smp in (1, 2):
        expect(bench.run("blk hammer blk0 0 1024 1 2 & blk hammer blk1 0 1024 2 2; wait; blk stat blk0; blk stat blk1; "
                         "/test/rng; services restart blkd0; blk hammer blk1 0 1024 4 2; blk hammer blk0 0 1024 5 2; "
                         "blk stat blk0", smp=smp),
               "done: 2 rounds", "done: 2 rounds", "errors 0, interrupts [1-9]", "errors 0, interrupts [1-9]",
               "# done: 7 passed, 0 failed", "done: 2 rounds", "done: 2 rounds", "errors 0, interrupts [1-9]")
        for i, seed in enumerate((6, 5)):
            same(disks[i], 0, pattern(0, 1024, seed))
    return len(ways) + 2


def mute(bench):
    """A driver that never says that it has heard does not keep the others on its line waiting: it is named, its device is made
    to let go of the line, and comes back to it when the driver hears after all."""
    graph = os.path.join(bench.folder, "graph")
    with open(graph, "w", encoding="utf-8") as handle:
        handle.write(graph_with(None, "test/guest/mute/mute.services"))
    bench.extra = ["-append", "services=/etc/graph"]
    for slot in ("9", "d"):
        bench.extra += ["-device", f"virtio-rng-pci,addr={slot},vectors=0"]
    disks = [bench.attach(bench.image(f"mute{i}", MIB), options=f",addr={1 + 4 * i},vectors=0") for i in range(2)]
    output = bench.run("services start mute; blk hammer blk0 0 1024 1 4 & blk hammer blk1 0 1024 2 4; wait; sleep 8; "
                       "blk hammer blk0 0 1024 5 2; /test/rng; topo; blk stat blk0", files=[(graph, "/etc/graph")])
    expect(output, "^mute: rung: OK", "^topod: the driver of pci 00:0d.0 does not answer to line", "^# done: 7 passed, 0 failed")
    expect(output, "done: 4 rounds", "done: 4 rounds", "^mute: heard, and rung again: OK",
           "done: 2 rounds", "# done: 7 passed, 0 failed", "device virtio-rng at pci 00:0d.0: driven, by a line",
           "errors 0, interrupts [1-9]")
    for i, seed in enumerate((6, 5)):
        same(disks[i], 0, pattern(0, 1024, seed))
    return 7


def read_only(bench):
    """A disk that must not be written is not."""
    disk = bench.attach(bench.image("ro", MIB), drive=",readonly=on")
    output = bench.run("blk list; blk write blk0 0 no; blk zero blk0 0 8; blk read blk0 0 1")
    expect(output, "read-only", "blk: write: that capability lacks a right", "blk: zero: that capability lacks a right",
           "^00000000  00 00")
    same(disk, 0, bytes(MIB))
    return 2


def snapshot(bench):
    """The machine of --disk: the first image at /data, the second at /data1, and what is written stays; with --snapshot it is
    seen until the machine ends, and then neither image has changed by a byte."""
    images = [os.path.join(bench.folder, name) for name in ("one", "two")]
    for path in images:
        disks.create(path, 8 * MIB)

    def run(command, throw_away):
        parts = []
        machine = Machine(bench.arch, disks=images, snapshot=throw_away)
        outcome = execute.run_command(machine, command, (), WITHIN_S, parts.append)
        bench.log = outcome.transcript + outcome.messages
        if outcome.failed or outcome.status != 0:
            raise Failure(outcome.reason or f"exit status {outcome.status}")
        return b"".join(parts).decode("latin-1")

    run("echo one > /data/kept; echo two > /data1/kept", False)
    for path, text in zip(images, (b"one\n", b"two\n"), strict=True):
        disks.get(path, "kept", os.path.join(bench.folder, "host"))
        same(os.path.join(bench.folder, "host"), 0, text)
    before = []
    for path in images:
        with open(path, "rb") as handle:
            before.append(handle.read())
    expect(run("cat /data/kept /data1/kept; echo gone > /data/kept; echo gone > /data1/new; sync; cat /data/kept /data1/new", True),
           "^one", "^two", "^gone", "^gone")
    for path, data in zip(images, before, strict=True):
        same(path, 0, data)
    return 4


def several(bench):
    """Four disks, four drivers, each its own bytes; a fifth disk is nobody's."""
    disks = [bench.attach(bench.image(f"d{i}", MIB)) for i in range(5)]
    output = bench.run("; ".join(f"blk fill blk{i} {i} 64 {i + 1}; blk flush blk{i}" for i in range(4)) +
                       "; blk list; services; topo")
    expect(output, *(f"^blk{i} +2048 blocks" for i in range(4)), *(f"^blkd{i} +ready" for i in range(4)),
           *(["device virtio-blk at pci .*: driven"] * 4), "device virtio-blk at pci .*: for no service")
    for i in range(4):
        same(disks[i], i * 512, pattern(i, 64, i + 1))
        same(disks[i], (i + 64) * 512, bytes(4096))
    for disk in disks[4:]:
        same(disk, 0, bytes(MIB))
    return len(disks)


def restarts(bench):
    """The driver is ended in the middle of writes: they are sent again, and what was reported as safe is there."""
    disk = bench.attach(bench.image("k", 8 * MIB))
    # As many rounds as outlast both ends of the driver on a quick machine.
    output = bench.run("spawn blk hammer blk0 100 8000 5 240; sleep 0.4; services restart blkd0; sleep 0.5; "
                       "services restart blkd0; wait; services; blk check blk0 100 8000 244")
    expect(output, "round 5 safe", "round 244 safe", r"done: 240 rounds, [0-9]+ written again, 2 restarts",
           r"^blkd0 +ready +[0-9]+ +2 ", "^same$")
    same(disk, 100 * 512, pattern(100, 8000, 244))
    output = bench.run("services restart topod; sleep 1; services; blk check blk0 100 8000 244")
    expect(output, r"^topod +ready +[0-9]+ +1 ", r"^blkd0 +ready +[0-9]+ +1 ", "^same$")
    return 6


def clients(bench):
    """Programs that have requests with the driver end, and are killed, at any moment: the driver goes on."""
    bench.attach(bench.image("c", MIB))
    for smp in (1, 2):
        expect(bench.run("/test/block; services", smp=smp), "# done: 10 passed, 0 failed", r"^blkd0 +ready +[0-9]+ +0 ")
    return 2


def files(bench):
    """File systems and vfsd are ended under a program that goes on; a program that dies leaves nothing behind."""
    output = bench.run("spawn /test/files survive; sleep 0.4; services restart romfsd; sleep 0.4; services restart ramfsd; "
                       "sleep 0.5; services restart vfsd; sleep 0.5; services restart ramfsd; wait; services")
    expect(output, r"# done: [0-9]+ passed, 0 failed", r"^romfsd +ready +[0-9]+ +1 ", r"^ramfsd +ready +[0-9]+ +2 ",
           r"^vfsd +ready +[0-9]+ +1 ")
    output = bench.run("/test/files die; /test/files die; /test/files after; services")
    expect(output, r"# done: 6 passed, 0 failed", r"^ramfsd +ready +[0-9]+ +0 ", r"^vfsd +ready +[0-9]+ +0 ")
    return 2


def partitions(bench):
    """Tables made by other people's tools; a partition is a disk of its own and cannot be left."""
    for tool in ("sfdisk", "sgdisk"):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            raise Failure(f"{tool} is missing; ./vectra doctor says what brings it")
    env = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    mbr, gpt = bench.image("mbr", 16 * MIB), bench.image("gpt", 16 * MIB)
    subprocess.run(["sfdisk", "-q", mbr], input=b"label: dos\n2048,4096,c\n,8192,5\n,2048,83\n8192,2048,83\n", env=env,
                   capture_output=True, check=True)
    subprocess.run(["sgdisk", "-n", "1:2048:+4M", "-c", "1:system", "-t", "1:ef00", "-n", "2:0:+2M", "-c", "2:data", gpt],
                   env=env, capture_output=True, check=True)
    bench.attach(mbr)
    bench.attach(gpt)
    with open(gpt, "r+b") as handle:   # the copy at the end must do
        handle.seek(512 + 40)
        handle.write(b"\xff")
    output = bench.run("blk list; blk fill blk0p1 1 8 3; blk fill blk1p2 0 8 4; blk flush blk0p1; blk flush blk1p2; "
                       "blk fill blk0p1 4090 8 9", status=1)
    expect(output, r"blk0p1 +mbr +from 2048, 4096 blocks, 2048 KiB, type c", r"blk0p5 +mbr +from 8192, 2048 blocks",
           r"blk1p1 +gpt +from 2048, 8192 blocks, 4096 KiB, type c12a7328  system", r"blk1p2 +gpt .*data",
           "blk: fill: an argument is outside")
    data = re.search(r"blk1p2 +gpt +from ([0-9]+)", output)
    same(mbr, 2049 * 512, b"".join((3 << 40 ^ at).to_bytes(8, "little") for at in range(512, 9 * 512, 8)))
    same(gpt, int(data.group(1)) * 512, b"".join((4 << 40 ^ at).to_bytes(8, "little") for at in range(0, 8 * 512, 8)))
    same(mbr, (2048 + 4090) * 512, bytes(6 * 512))   # what lies beyond is the next table, and was there before
    return 5


def errors(bench):
    """Errors of the disk reach who asked, and only them; a flush that failed is reported."""
    disk = bench.image("e", MIB)
    config = os.path.join(bench.folder, "blkdebug")
    with open(config, "w", encoding="ascii") as handle:
        handle.write('[inject-error]\nevent = "none"\niotype = "write"\nsector = "64"\nerrno = "5"\n'
                     '[inject-error]\nevent = "none"\niotype = "flush"\nerrno = "5"\n')
    bench.extra = ["-drive", f"file=blkdebug:{config}:{disk},if=none,id=disk0,format=raw,werror=report,rerror=report",
                   "-device", "virtio-blk-pci,drive=disk0"]
    output = bench.run("blk write blk0 10 good; blk write blk0 64 bad; blk flush blk0; blk read blk0 10 1; blk stat blk0")
    expect(output, "blk: write: a device failed to read or write", "blk: flush: a device failed", "67 6f 6f 64",
           r"errors 2")
    same(disk, 10 * 512, b"good")
    same(disk, 64 * 512, bytes(512))
    return 4


def faults(bench):
    """A disk in memory that fails on purpose: power cuts cost nothing that was flushed, errors are reported and end."""
    bench.extra = ["-append", "services=/etc/services.disks"]
    output = bench.run("blk hammer ram0 10 1500 5 30; blk check ram0 10 1500 34; blk stat ram1; "
                       "blk write ram1 0 x; blk write ram1 0 x; blk write ram1 0 x; blk stat ram1; blk fill ram2 0 2048 3; "
                       "blk check ram2 0 2048 3; /test/block ram2; blk flush ram3", status=1)
    again = re.search(r"done: 30 rounds, ([0-9]+) written again, ([0-9]+) restarts", output)
    expect(output, "round 5 safe", "round 34 safe", "done: 30 rounds", "^same$", "errors 0",
           "blk: write: a device failed", "errors 3", "^same$", "# done: 4 passed, 0 failed", "blk: flush: a device failed")
    if int(again.group(1)) < 2 or int(again.group(2)) < 2:
        raise Failure(f"no cut of power came: {again.group(0)}")
    return 6


def rng(bench):
    """The entropy device and its driver, beside a disk."""
    bench.attach(bench.image("r", MIB))
    bench.extra += ["-device", "virtio-rng-pci"]
    expect(bench.run("/test/rng; services; dmesg"), "# done: 7 passed, 0 failed", "^rngd +ready",
           "entropy: seeded: 512 bits from a driver")
    if bench.arch == "aarch64":
        bench.extra = MMIO + ["-device", "virtio-rng-device"]
        expect(bench.run("/test/rng"), "# done: 7 passed, 0 failed")
    return 7


def volume(bench, size=64 * MIB, partition=False):
    """A new volume as the first disk; its image."""
    path = os.path.join(bench.folder, "volume")
    disks.create(path, size, partition=partition)
    return bench.attach(path)


def fsck(path, offset=0, harmless=()):
    """fsck.fat finds nothing wrong, or nothing but what these patterns allow."""
    copy = path + ".checked"
    with open(path, "rb") as handle, open(copy, "wb") as out:
        handle.seek(offset)
        shutil.copyfileobj(handle, out)
    done = subprocess.run(["fsck.fat", "-n", copy], capture_output=True, text=True, check=False)
    os.unlink(copy)
    lines = [line for line in done.stdout.splitlines() if line and not any(re.search(p, line) for p in (*QUIET, *harmless))]
    if lines or (done.returncode != 0 and not harmless):
        raise Failure(f"fsck.fat: {done.stdout.strip()!r}")


QUIET = (r"^fsck\.fat ", r"^/.*: [0-9]+ files, ")
# What a cut of power may leave (docs/fat.md).
CUT = (r"^Dirty bit is set", r"^ Automatically removing", r"^FATs differ but appear", r"^ *Using first FAT", r"^Reclaimed [0-9]+ unused",
       r"^Free cluster summary", r"^ *Auto-correcting", r"cluster chain length is > ", r"^ *Truncating file to", r"^/",
       r"^Leaving filesystem unchanged")


def file_bytes(number):
    """What `/test/disk work` writes into file `number`."""
    size = (1000 + number * 7919 % 60000) & ~7
    return b"".join((number << 32 | at).to_bytes(8, "little") for at in range(size // 8))


def volumes(bench):
    """A volume that mkfs.fat made and mcopy filled is read; what the guest wrote passes fsck.fat and mcopy. Also in a
    partition, and a second disk beside it."""
    data = random.Random(1).randbytes(300_000)
    host = os.path.join(bench.folder, "host")
    for partition in (False, True):
        bench.extra, bench.n_disks = [], 0
        path = volume(bench, partition=partition)
        second = os.path.join(bench.folder, "second")
        disks.create(second, 64 * MIB)
        bench.attach(second)
        with open(host, "wb") as handle:
            handle.write(data)
        disks.put(path, [host], "/From the host.bin")
        disks.put(second, [host], "/second.bin")
        output = bench.run("/test/disk; services")
        expect(output, "^# done: [0-9]+ passed, 0 failed", "^fatfsd0 +ready", "^fatfsd1 +ready")
        fsck(path, disks.FIRST_SECTOR * 512 if partition else 0)
        disks.get(path, "kept", host)
        same(host, 0, b"".join((7 << 32 | at).to_bytes(8, "little") for at in range(100_000 // 8)))
        disks.get(path, "From the host.bin", host)
        same(host, 0, data)
        bench.run("/test/disk leave")   # what nobody synced is on the disk when the machine is off
        fsck(path, disks.FIRST_SECTOR * 512 if partition else 0)
        disks.get(path, "left", host)
        same(host, 0, b"".join((3 << 32 | at).to_bytes(8, "little") for at in range(10_000 // 8)))
        os.unlink(path)
        os.unlink(second)
    return 10


def dying(bench):
    """The driver, the file system and vfsd are ended while files are written: nobody hangs, and what was reported as safe
    is there."""
    path = volume(bench)
    output = bench.run("spawn /test/disk work 400; sleep 0.3; services restart blkd0; sleep 0.6; services restart fatfsd0; "
                       "sleep 0.6; services restart blkd0; sleep 0.5; services restart vfsd; sleep 0.5; "
                       "services restart fatfsd0; wait; sleep 1; services; /test/disk read 400")
    expect(output, "safe 400", r"^blkd0 +ready +[0-9]+ +2 ", r"^fatfsd0 +ready +[0-9]+ +[2-5] ", r"^vfsd +ready +[0-9]+ +1 ", "^same$")
    fsck(path, harmless=CUT)
    return 4


def cuts(bench):
    """The machine is killed at moments that a seed chooses: the volume has at most lost clusters, what was safe is there,
    and the next start puts the rest right. STORAGE_CUTS in the environment: how many moments."""
    count = int(os.environ.get("STORAGE_CUTS", "6"))
    chance = random.Random(f"cuts {bench.arch}")
    path, n_safe = volume(bench), 0
    for _ in range(count):
        lasts = {}
        machine = Machine(bench.arch, extra=bench.extra + (NO_BOOT_DISKS if bench.arch == "x86_64" else []))
        outcome = execute.run_command(machine, "/test/disk work 100000", (), 3.0 + 4.0 * chance.random())
        bench.log = outcome.transcript + outcome.messages
        # All that it said until it was killed, however late we read it; with the ends of the lines, since the cut may have come
        # in the middle of a number.
        safe = [int(n) for n in re.findall(rb"^safe ([0-9]+)\r?\n", outcome.transcript, re.MULTILINE)]
        n_safe += len(safe)
        fsck(path, harmless=CUT)
        for number in safe:
            lasts[number % 8] = number
        for slot, number in lasts.items():
            host = os.path.join(bench.folder, "host")
            disks.get(path, f"file-{slot}", host)
            with open(host, "rb") as handle:
                got = handle.read()
            if got not in (file_bytes(number), file_bytes(number + 8)):
                raise Failure(f"file-{slot} is neither number {number}, which was safe, nor the next one")
    if n_safe == 0:
        raise Failure("nothing was safe before any of the cuts, so they have shown nothing")
    expect(bench.run("/test/disk work 9; /test/disk read 9"), "^safe 9$", "^same$")
    fsck(path)
    return count


TESTS = {"persists": persists, "variants": variants, "read-only": read_only, "several": several, "snapshot": snapshot, "restarts": restarts, "clients": clients, "files": files,
         "partitions": partitions, "errors": errors, "faults": faults,
         "rng": rng, "interrupts": interrupts, "mute": mute, "volumes": volumes, "dying": dying, "cuts": cuts}


def run(name, arch, check):
    """One test on one architecture."""
    bench = Bench(arch, check)
    try:
        return TESTS[name](bench)
    except Failure as failure:
        failure.log = failure.log or bench.log
        raise
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)


def tests(context):
    """One test for each name and architecture."""
    from vectra.groups import storage_faults, storage_volumes  # they use what is here
    TESTS.update(storage_volumes.TESTS)
    TESTS.update(storage_faults.TESTS)
    check = built(context, [(arch, "release") for arch in context.arches])
    return [(f"{name}-{arch}", lambda n=name, a=arch: run(n, a, check)) for name in TESTS for arch in context.arches]
