# SPDX-License-Identifier: MIT
"""Tests of the group `storage`: what a person does with volumes inside, looked at with this machine's tools."""

import os
import struct
import subprocess

from vectra import disks
from vectra.groups import storage
from vectra.results import Failure

MIB = storage.MIB


def made(bench):
    """mkfs.fat inside makes what fsck.fat here accepts; lsblk and lspci show what there is."""
    plain = bench.attach(bench.image("plain", 16 * MIB))
    large = bench.attach(bench.image("large", 40 * MIB))
    whole = bench.attach(bench.image("whole", 8 * MIB))
    parts = os.path.join(bench.folder, "parts")
    disks.create(parts, 64 * MIB, partition=True)
    bench.attach(parts)
    output = bench.run(
        "lsblk; lspci; mkfs.fat blk3; mkfs.fat blk3p1; mkfs.fat blk9; mkfs.fat -F 13 blk0; umount /data3; "
        "mkfs.fat -F 12 -s 16 -n HELLO -i cafe1234 blk0 && mkfs.fat -F 32 blk1 && mkfs.fat blk2 && mkfs.fat -F 16 blk3p1; echo $?; "
        "fsck.fat blk0; fsck.fat blk3p1; mkfs.fat /tmp/none; dd if=/dev/zero of=/tmp/image bs=1M count=4 2>/tmp/dd; "
        "mkfs.fat /tmp/image && fsck.fat -n /tmp/image; cat < /tmp/image | wc -c")
    storage.expect(
        output, "^NAME +SIZE RO TYPE MOUNTPOINTS", "^blk0 +16M  0 disk *\r?$", "^blk1 +40M", "^blk2 +8M", "^blk3 +64M  0 disk",
        r"^`-blk3p1 +6[0-9.]+M  0 part /data3\r?$", "Host bridge: ", "^[0-9a-f:.]+ SCSI storage controller: 1af4:10[0-9a-f]+, driven",
        "^blk3: Resource busy: blk3p1 is mounted at /data3", "^blk3p1: Resource busy", "^blk9: there is no such disk", "^usage: mkfs.fat",
        "^0\r?$", "^blk0: [01] files, 0 directories: clean", "^blk3p1: 0 files, 0 directories: clean", "^/tmp/none: No such file",
        "^/tmp/image: 0 files, 0 directories: clean", f"^{4 * MIB}\r?$")
    for path, offset, bits in ((plain, 0, 12), (large, 0, 32), (whole, 0, 12), (parts, disks.FIRST_SECTOR * 512, 16)):
        storage.fsck(path, offset, harmless=("^Warning: Filesystem is FAT32", "^ *but has only", "^ *This may lead"))
        found = Fat(path, offset).bits
        if found != bits and path != whole:
            raise Failure(f"{path}: made with {found} bits, not {bits}")
    with open(plain, "rb") as handle:
        head = handle.read(64)
    if head[13] != 16 or struct.unpack_from("<I", head, 39)[0] != 0xcafe1234 or head[43:54] != b"HELLO      ":
        raise Failure(f"mkfs.fat's options are not in the boot sector: {head!r}")
    return 6


def mounted(bench):
    """Volumes are mounted and unmounted: what is in use is not, who has no authority may not, and what was unmounted is clean
    on the disk."""
    first = os.path.join(bench.folder, "first")
    parts = os.path.join(bench.folder, "parts")
    disks.create(first, 64 * MIB)
    disks.create(parts, 64 * MIB, partition=True)
    bench.attach(first)
    bench.attach(parts)
    bench.attach(bench.image("empty", 2 * MIB))
    output = bench.run(
        "mount; mount blk1p1 /mnt; umount /data1; mount blk1p1 /nowhere; mount blk1p1 /etc/version; mount blk2 /mnt; mount blk7 /mnt; "
        "mount blk1p1 /mnt; echo mounted $?; mount; df /mnt; lsblk; echo text > /mnt/file; { sleep 2; cat; } < /mnt/file & "
        "sleep 0.5; umount /mnt; echo held $?; wait; cd /mnt; umount /mnt; cd /; umount /mnt; echo free $?; "
        "ls /mnt; services; sh -c 'mount blk1p1 /mnt'; sh -c 'umount /data'; "
        "mount -r blk1 /mnt; echo no > /mnt/other; cat /mnt/file; umount blk1p1; umount /mnt; "
        "mkdir /tmp/two; mount ram /tmp/two; echo seen > /tmp/one; cat /tmp/two/one; umount /tmp/two; "
        "mount blk1 /mnt; exec 3< /mnt/file; umount /mnt; umount -f /mnt; echo forced $?; cat <&3; exec 3<&-; "
        "umount /data; echo $?; mount blk0 /data; echo last > /data/last; umount /data; df -h / /tmp; df -k | wc -l; sync")
    storage.expect(
        output, "^rom on / type rom .ro.", "^blk0 on /data type fat", "^blk1p1 on /data1 type fat",
        "^mount: blk1p1: Resource busy: blk1p1 is mounted at /data1", "^mount: /nowhere: No such file",
        "^mount: /etc/version: Not a directory", "^mount: blk2: there is no FAT volume on it", "^mount: blk7: cannot be served|^mount: blk7: there",
        "^mounted 0", "^blk1p1 on /mnt type fat.* .rw.", "^Filesystem +512-blocks +Used +Available Capacity Mounted on", "^blk1p1 +1[0-9]{5} +[0-9]+ +1[0-9]{5} +[0-9]+% /mnt", "^`-blk1p1 .*part /mnt", "^umount: /mnt: Resource busy", "^held 1", "^text",
        "^umount: /mnt: Resource busy", "^free 0", "^volume0 +stopped",
        "^mount: this shell has no authority", "^umount: /data: this shell may not mount",
        "Read-only file system", "^text", "^umount: /mnt: nothing is mounted there", "^seen",
        "^umount: /mnt: Resource busy", "^forced 0", "Stale file handle", "^0\r?$", "^rom +[0-9.]+M", "^ram +[0-9.]+M +[0-9.]+[KM] +[0-9.]+M +[0-9]+% /tmp")
    storage.fsck(first)
    storage.fsck(parts, disks.FIRST_SECTOR * 512)
    host = os.path.join(bench.folder, "host")
    for path, name, text in ((first, "last", b"last\n"), (parts, "file", b"text\n")):
        disks.get(path, name, host)
        storage.same(host, 0, text)
    return 12


class Fat:
    """A FAT volume to be damaged: entries of its first table, and the slots of its root directory (12 and 16 bits)."""

    def __init__(self, path, offset=0):
        self.path, self.offset = path, offset
        with open(path, "rb") as handle:
            handle.seek(offset)
            boot = handle.read(512)
        sector, per_cluster, reserved, copies, root_entries = struct.unpack_from("<HBHBH", boot, 11)
        sectors = struct.unpack_from("<H", boot, 19)[0] or struct.unpack_from("<I", boot, 32)[0]
        self.table_sectors = struct.unpack_from("<H", boot, 22)[0] or struct.unpack_from("<I", boot, 36)[0]
        self.copies, self.table = copies, reserved * sector
        self.table_bytes = self.table_sectors * sector
        self.root = self.table + copies * self.table_bytes
        clusters = (sectors - reserved - copies * self.table_sectors - (root_entries * 32 + sector - 1) // sector) // per_cluster
        self.bits = 32 if root_entries == 0 else 12 if clusters < 4085 else 16

    def patch(self, at, data):
        with open(self.path, "r+b") as handle:
            handle.seek(self.offset + at)
            handle.write(data)

    def read(self, at, count):
        with open(self.path, "rb") as handle:
            handle.seek(self.offset + at)
            return handle.read(count)

    def entry(self, cluster, value, copies=None):
        """Sets an entry of a table with 16 bits, in so many of the copies."""
        for copy in range(self.copies if copies is None else copies):
            self.patch(self.table + copy * self.table_bytes + cluster * 2, struct.pack("<H", value))

    def slot(self, name):
        """Where the entry of that short name lies, and its first cluster."""
        for at in range(self.root, self.root + 512 * 32, 32):
            data = self.read(at, 32)
            if data[:11] == name:
                return at, struct.unpack_from("<H", data, 26)[0]
        raise Failure(f"{self.path} has no {name!r}")


def loop(fat):
    _, first = fat.slot(b"A       BIN")
    fat.entry(first + 1, first)


def shared(fat):
    at, _ = fat.slot(b"B       BIN")
    fat.patch(at + 26, struct.pack("<H", fat.slot(b"A       BIN")[1]))


def lost(fat):
    for cluster in range(3000, 3007):
        fat.entry(cluster, 0xffff)


def free_cluster(fat):
    _, first = fat.slot(b"A       BIN")
    fat.entry(first + 1, 0)


def too_long(fat):
    at, _ = fat.slot(b"A       BIN")
    fat.patch(at + 28, struct.pack("<I", 900_000))


def copies_differ(fat):
    fat.entry(3500, 0xffff, copies=1)


def dots(fat):
    _, first = fat.slot(b"DIR        ")
    data = fat.root + 512 * 32 + (first - 2) * 512
    fat.patch(data + 26, struct.pack("<H", first + 5))


def unmarked(fat):
    fat.entry(1, 0x7fff)


# What is done to a volume, and what fsck.fat inside says of it (nothing: it is as it was).
DAMAGES = ((None, None), (loop, "chains that lead astray"), (shared, "chains that lead astray"), (lost, "7 clusters in no file"),
           (free_cluster, "chains that lead astray|files longer than"), (too_long, "1 files longer than"),
           (copies_differ, "copies of the table differ"), (dots, "wrong . or .."), (unmarked, "not unmounted"))


def host_fsck(path):
    """What fsck.fat here says of the image: its status."""
    return subprocess.run(["fsck.fat", "-n", path], capture_output=True, check=False).returncode


def damaged(bench):
    """fsck.fat inside finds fault with what fsck.fat here finds fault with, and what it corrected both accept."""
    path = storage.volume(bench)
    names, wanted, script = [], [], ""
    for number, (damage, says) in enumerate(DAMAGES):
        image = os.path.join(bench.folder, f"image{number}")
        subprocess.run(["mkfs.fat", "-F", "16", "-s", "1", "-C", image, "4096"], capture_output=True, check=True)
        data = os.path.join(bench.folder, "A.BIN")
        with open(data, "wb") as handle:
            handle.write(os.urandom(60_000))
        subprocess.run(["mcopy", "-i", image, data, "::A.BIN"], check=True)
        subprocess.run(["mcopy", "-i", image, data, "::B.BIN"], check=True)
        subprocess.run(["mmd", "-i", image, "::DIR"], check=True)
        if damage is not None:
            damage(Fat(image))
        status = host_fsck(image)
        if (status != 0) != (damage is not None):
            raise Failure(f"fsck.fat here says {status} to {damage}")
        disks.put(path, [image], f"/image{number}")
        names.append(image)
        wanted += [says or "clean", f"^first {min(status, 1)}\r?$", f"^repair {min(status, 1)}\r?$", "^again 0\r?$"]
        script += f"f=/data/image{number}; fsck.fat $f; echo first $?; fsck.fat -a $f >/tmp/out; echo repair $?; fsck.fat -n $f >/tmp/out; echo again $?; "
    storage.expect(bench.run(script), *wanted)
    storage.fsck(path)
    for number, image in enumerate(names):
        disks.get(path, f"image{number}", image)
        if host_fsck(image) != 0:
            raise Failure(f"{DAMAGES[number][0]}: fsck.fat here is not content with the correction")
    return len(DAMAGES)


TESTS = {"volumes-made": made, "volumes-mounted": mounted, "volumes-damaged": damaged}
