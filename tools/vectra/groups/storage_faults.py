# SPDX-License-Identifier: MIT
"""Tests of the group `storage`: what goes wrong, seen through files. A disk that is full or fails, drivers and file systems
that die in the middle of a write or stop answering, programs that race."""

import os
import random
import re

from vectra import disks
from vectra.groups import guest, storage
from vectra.results import Failure

MIB = storage.MIB
SECTOR = 512
PIECE = 1 << 18   # of /test/disk full


def words(number, size):
    """What `fill` of /test/disk writes into a file."""
    return b"".join((number << 32 | at).to_bytes(8, "little") for at in range(size // 8))


def put(path, name, data):
    """A file on the volume; the number of the sector that it begins in."""
    host = path + ".put"
    with open(host, "wb") as handle:
        handle.write(data)
    disks.put(path, [host], f"/{name}")
    os.unlink(host)
    with open(path, "rb") as handle:
        at = handle.read().find(data[:SECTOR])
    if at < 0 or at % SECTOR:
        raise Failure(f"{name} is not on the volume")
    return at // SECTOR


def same_file(path, name, wanted):
    """Fails unless the volume has a file with these bytes."""
    host = path + ".got"
    disks.get(path, name, host)
    if os.path.getsize(host) != len(wanted):
        raise Failure(f"{name} has {os.path.getsize(host)} bytes, not {len(wanted)}")
    storage.same(host, 0, wanted)
    os.unlink(host)


def full(bench):
    """A full disk says so, loses nothing, and is of use again when something goes: FAT12, FAT16 and FAT32."""
    paths = []
    for number, size in enumerate((6 * MIB, 24 * MIB, 66 * MIB)):
        paths.append(os.path.join(bench.folder, f"full{number}"))
        disks.create(paths[number], size)
        bench.attach(paths[number])
    output = bench.run("for d in /data /data1 /data2; do /test/disk full $d; done; "
                       "dd if=/dev/zero of=/data/more bs=64k count=2; echo dd $?; echo text > /data1/more; echo echo $?; services")
    reports = output.split("# done: ")
    for path, report in zip(paths, reports, strict=False):
        kept = [(int(number), int(size)) for number, size in re.findall(r"^kept ([0-9]+) ([0-9]+)\r?$", report, re.MULTILINE)]
        if len(kept) < 3:
            raise Failure(f"the disk was not filled: {report[-600:]!r}")
        storage.fsck(path)
        for number, size in kept:
            wanted = words(number, size)
            if number == 0:
                wanted = wanted[:8] + words(0, PIECE + 8)[8:] + wanted[PIECE + 8:]
            same_file(path, f"full-{number:02}", wanted)
    storage.expect(output, *["^# done: 23 passed, 0 failed"] * len(paths), "^dd: .*No space left on device", "^dd 1",
                   "No space left on device", "^echo 1", *(f"^fatfsd{i} +ready +[0-9]+ +0 " for i in range(len(paths))))
    return 8 * len(paths)


def racing(bench):
    """Two clients race on every pair of operations, in memory and on a disk; on two harts as many pairs as there is time for."""
    path = storage.volume(bench)
    for smp, seconds in ((1, 40), (2, 4)):
        output = bench.run(f"/test/files race /tmp/race {seconds}; /test/files race /data/race {seconds}; services", smp=smp)
        storage.expect(output, *["^# [0-9]+ of 325 pairs", "^# done: 12 passed, 0 failed"] * 2,
                       *(f"^{name} +ready +[0-9]+ +0 " for name in ("blkd0", "ramfsd", "fatfsd0", "vfsd")))
        storage.fsck(path)
    return 48


def large(bench):
    """The driver, the file system and vfsd die in the middle of a large write with a client waiting: it is told or the
    write is made again, and what was synced is on the disk byte for byte."""
    path = storage.volume(bench)
    rounds = 25
    output = bench.run(f"spawn /test/disk large 8 {rounds}; for i in 1 2 3; do sleep 0.3; services restart blkd0; "
                       "sleep 0.5; services restart fatfsd0; sleep 0.4; services restart vfsd; sleep 0.3; done; wait; services")
    storage.expect(output, "^large: OK, ", r"^blkd0 +ready +[0-9]+ +3 ", r"^fatfsd0 +\w+ +[0-9]+ +[3-5] ", r"^vfsd +ready +[0-9]+ +3 ")
    storage.fsck(path, harmless=storage.CUT)
    same_file(path, "large", words(rounds, 8 * MIB))
    return 5


def fail(bench, path, *rules):
    """Attaches the image behind QEMU's blkdebug, which fails as the rules (kind of request, sector or None, once) say."""
    config = os.path.join(bench.folder, "blkdebug")
    with open(config, "w", encoding="ascii") as handle:
        for kind, sector, once in rules:
            where = "" if sector is None else f'sector = "{sector}"\n'
            handle.write(f'[inject-error]\nevent = "none"\niotype = "{kind}"\nerrno = "5"\n{where}'
                         + ('once = "on"\n' if once else ""))
    bench.extra = ["-drive", f"file=blkdebug:{config}:{path},if=none,id=disk0,format=raw,werror=report,rerror=report",
                   "-device", "virtio-blk-pci,drive=disk0"]


def disk_errors(bench):
    """Errors of the disk through files: EIO to who asked, and to nobody else; the file system goes on."""
    path = os.path.join(bench.folder, "volume")
    disks.create(path, 64 * MIB)
    old, good = random.Random(2).randbytes(200_000), random.Random(3).randbytes(100_000)
    sector = put(path, "old", old) + 8
    put(path, "good", good)
    small = "head -c 100 /dev/zero > /tmp/small; dd if=/tmp/small of=/data/old conv=notrunc,fsync bs=100 seek=41; echo small $?; "
    sound = "cat /data/good | wc -c; "
    new = "dd if=/tmp/small of=/data/new{0} conv=fsync; echo new $?; "

    # What cannot be read.
    fail(bench, path, ("read", sector, False))
    output = bench.run("head -c 100 /dev/zero > /tmp/small; cat /data/old > /tmp/out; echo cat $?; " + sound + new.format(1)
                       + "services; umount /data; echo umount $?")
    storage.expect(output, "^cat: /data/old: I/O error", "^cat 1", "^100000", "^new 0", "^fatfsd0 +ready +[0-9]+ +0 ", "^umount 0")
    storage.fsck(path)

    # What cannot be written, in one large piece: the write says it, and nothing of it is kept.
    fail(bench, path, ("write", sector, False))
    output = bench.run("head -c 200000 /dev/zero > /tmp/large; head -c 100 /dev/zero > /tmp/small; "
                       "dd if=/tmp/large of=/data/old conv=notrunc,fsync bs=64k; echo large $?; " + sound + new.format(2)
                       + "services; umount /data; echo umount $?")
    storage.expect(output, "^dd: /data/old: write error: I/O error", "^large 1", "^100000", "^new 0",
                   "^fatfsd0 +ready +[0-9]+ +0 ", "^umount 0")
    storage.fsck(path)

    # What cannot be written once: whoever syncs is told, and it is written later.
    for kind, where in (("write", sector), ("flush", None)):
        fail(bench, path, (kind, where, True))
        output = bench.run(small * 3 + sound + new.format(3) + "services; umount /data; echo umount $?")
        storage.expect(output, "^dd: .*I/O error", "^small 1", "^small 0", "^100000", "^new 0", "^fatfsd0 +ready +[0-9]+ +0 ", "^umount 0")
        storage.fsck(path)
        same_file(path, "good", good)

    # What can never be written: syncs say so; then the volume is read-only, what is there is read, who had written is told
    # once, and the disk is as after a cut of power.
    fail(bench, path, ("write", sector, False))
    output = bench.run(small + new.format(4) + sound + "echo lost > /data/new5; sleep 7; echo x > /data/new6; rm -f /data/good; "
                       + "fsync /data/new5; echo told $?; fsync /data/new5; echo again $?; fsync /data/good; echo good $?; "
                       + sound + "cat /data/new5; services; umount /data; echo umount $?; umount -f /data; echo forced $?")
    storage.expect(output, "^dd: .*fsync: I/O error", "^small 1", "^dd: .*I/O error", "^new 1", "^100000",
                   "new6: .*[Rr]ead-only", "good'?: .*[Rr]ead-only", "^told 1", "^again 0", "^good 0", "^100000", "^lost",
                   "^fatfsd0 +ready +[0-9]+ +0 ", "^umount: /data: I/O error", "^umount 1", "^forced 0")
    storage.fsck(path, harmless=storage.CUT)
    same_file(path, "good", good)
    for number in (1, 2, 3):
        same_file(path, f"new{number}", bytes(100))
    return 30


def hanging(bench):
    """A file system that stops answering: a call to it ends within the time that is promised, the others go on, and it is
    there again when it was started anew. The machine's clock jumps over the waits."""
    graph = os.path.join(bench.folder, "graph")
    with open(graph, "w", encoding="utf-8") as handle:
        handle.write(guest.graph_with("hang", "test/guest/hangfs/hangfs.services"))
    bench.extra = ["-append", "services=/etc/graph", "-icount", "shift=0,sleep=off"]
    output = bench.run(
        "mount hang /mnt; cat /mnt/good; date +%s > /tmp/a; cat /mnt/stuck; echo stuck $?; date +%s > /tmp/b; ls /mnt/hang; echo hang $?; date +%s > /tmp/c; "
        "echo took $(($(cat /tmp/b) - $(cat /tmp/a))) $(($(cat /tmp/c) - $(cat /tmp/b))); cat /tmp/c > /tmp/d; cmp /tmp/c /tmp/d; echo others $?; "
        "services restart hangfs; sleep 1; cat /mnt/good; umount -f /mnt; echo forced $?; services", files=[(graph, "/etc/graph")])
    storage.expect(output, "^good\r?$", "^cat: /mnt/stuck: .*tim", "^stuck 1", "^ls: /mnt/hang: .*tim", "^hang 1",
                   "^took 3[0-9] 3[0-9]\r?$", "^others 0", "^good\r?$", "^forced 0", "^vfsd +ready +[0-9]+ +0 ", "^hangfs +ready +[0-9]+ +1 ")
    return 9


def claims(bench):
    """Who writes a volume keeps others from doing so, also when the driver was started anew. What was mounted and unmounted by
    hand is so still when vfsd was started anew, and when that happened again."""
    storage.volume(bench)
    path = os.path.join(bench.folder, "second")
    disks.create(path, 8 * MIB)
    bench.attach(path)
    output = bench.run(
        "umount /data1; mkdir /tmp/ro; mount blk1 /mnt; mount -r ram /tmp/ro; echo kept > /mnt/file; exec 3< /mnt/file; "
        "services restart vfsd; sleep 1; cat <&3; exec 3<&-; "
        "echo text > /tmp/new; echo made $?; cat /tmp/new; mount; cat /mnt/file; echo no > /tmp/ro/x; echo read-only $?; "
        "/test/block blk1 claimed; mkfs.fat blk1; echo mkfs $?; fsck.fat -a blk1; echo fsck $?; fsck.fat -n blk1 > /tmp/out; echo look $?; "
        "mount blk1 /data1; echo mount $?; services restart blkd1; sleep 3; /test/block blk1 claimed; "
        "services restart vfsd; sleep 1; cat /mnt/file; umount /mnt; services restart vfsd; sleep 1; mount > /tmp/mounts; grep -c blk1 /tmp/mounts; "
        "/test/block blk1 free; fsck.fat -a blk1; mount blk1 /mnt; ls /mnt; umount /mnt; mkfs.fat blk1; echo free $?")
    busy, claimed = "^blk1: Resource busy: blk1 is mounted at /mnt", "# done: 2 passed, 0 failed"
    storage.expect(output, "^cat: .*: Stale file handle", "^made 0", "^text", "^blk0 on /data type fat", "^blk1 on /mnt type fat", "^kept",
                   "[Rr]ead-only", "^read-only [1-9]", claimed, busy, "^mkfs 1", busy, "^fsck [1-9]", "^look [01]", "^mount: blk1: Resource busy", "^mount 1",
                   claimed, "^kept", "^0\r?$", claimed, "^blk1: 1 files, 0 directories: clean", "^file\r?$", "^free 0")
    storage.fsck(path)
    return 19


def narrowed(bench):
    """A service reaches the files that its `files` line of the graph gives it, with those rights, and no others."""
    graph = os.path.join(bench.folder, "graph")
    with open(graph, "wb") as handle:
        for name in ("etc/services", "test/guest/narrowed/narrowed.services"):
            with open(name, "rb") as part:
                handle.write(part.read())
    bench.extra = ["-append", "services=/etc/graph", "-icount", "shift=0,sleep=off"]   # it sleeps in no time
    output = bench.run("for s in reader writer nowhere; do services start $s; sleep 5; done; cat /tmp/made; readlink /tmp/out",
                       files=[(graph, "/etc/graph")])
    storage.expect(output, "^narrowed: reader", "^# done: 14 passed, 0 failed", "^narrowed: writer", "^# done: 14 passed, 0 failed",
                   "^narrowed: nowhere", "^# done: 1 passed, 0 failed", "^made", "^/etc/services")
    return 29


TESTS = {"claims": claims, "narrowed": narrowed, "full": full, "racing": racing, "large": large, "disk-errors": disk_errors, "hanging": hanging}
