# SPDX-License-Identifier: MIT
"""Disk images with FAT volumes, from outside: made with mkfs.fat, reached with mtools, which need neither root nor a mount.

An image is raw: a volume by itself, or a disk with a partition table (MBR or GPT)."""

import fcntl
import os
import re
import struct
import subprocess

SECTOR = 512
FIRST_SECTOR = 2048                      # where the one partition of a new disk begins: at 1 MiB
FAT_TYPES = (0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e, 0xef)
EXTENDED_TYPES = (0x05, 0x0f, 0x85)
PROTECTIVE_TYPE = 0xee
FAT32_LBA = 0x0c
SMALLEST = 1 << 20
PERSISTENT_BYTES = 4 << 30
FAT32_FROM = 64 << 20                    # below, mkfs.fat chooses: FAT12 or FAT16
LOGICAL_MAX = 64
MISSING = re.compile(r'File "::(.*)" not found')   # how mtools say it


class DiskError(Exception):
    """What went wrong, in one line."""


def tool(line):
    """Runs mkfs.fat or one of mtools. Returns what it printed; DiskError with its own words when it fails."""
    surroundings = {**os.environ, "MTOOLSRC": os.devnull, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=surroundings)
    except FileNotFoundError:
        raise DiskError(f"{line[0]} is not installed: './vectra doctor' says what brings it") from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        missing = MISSING.search(words[0]) if words else None
        if missing:
            raise DiskError(f"{missing.group(1)}: no such file on the disk")
        raise DiskError(words[0].strip() if words else f"{line[0]} failed with status {done.returncode}")
    return done.stdout.decode("utf-8", "replace")


# --- making ---

def create(path, size, label=None, partition=False):
    """A new image, all holes but for an empty volume. The file appears only when it is whole."""
    if size < SMALLEST:
        raise DiskError("a volume has at least 1M")
    if os.path.lexists(path):
        raise DiskError(f"{path} exists already")
    unfinished = path + ".unfinished"
    line = ["mkfs.fat", *(["-F", "32"] if size >= FAT32_FROM else []), *(["-n", label] if label else []), "--mbr=no"]
    try:
        with open(unfinished, "xb") as handle:
            handle.truncate(size)
            if partition:
                handle.write(partition_table(size))
        if partition:
            blocks = (size - FIRST_SECTOR * SECTOR) // 1024
            line += [f"--offset={FIRST_SECTOR}", "-h", str(FIRST_SECTOR), unfinished, str(blocks)]
        else:
            line += [unfinished]
        tool(line)
        os.link(unfinished, path)   # unlike a rename this replaces nothing that came meanwhile
    except OSError as problem:
        raise DiskError(f"{path}: {problem.strerror}") from None
    finally:
        try:
            os.unlink(unfinished)
        except FileNotFoundError:
            pass


def partition_table(size):
    """A master boot record with one partition, from 1 MiB to the end."""
    sectors = size // SECTOR - FIRST_SECTOR
    if sectors * SECTOR < SMALLEST:
        raise DiskError("a disk with a partition has at least 2M")
    entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", FAT32_LBA, b"\xfe\xff\xff", FIRST_SECTOR, min(sectors, 0xffffffff))
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


# --- the one that `./vectra run` keeps ---

def persistent():
    """The image that is /data in every `./vectra run`, made on first use: in the user's data directory, 4 GiB with holes."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    path = os.path.join(base, "vectra", "data.img")
    if not os.path.exists(path):
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as problem:
            raise DiskError(f"{os.path.dirname(path)}: {problem.strerror}") from None
        try:
            create(path, PERSISTENT_BYTES, "VECTRA")
        except DiskError:
            if not os.path.exists(path):   # else another one has just made it
                raise
    refuse_in_use(path)
    return path


# --- finding the volume ---

def is_fat(sector):
    """A boot sector of a FAT volume."""
    if len(sector) < SECTOR or sector[510:512] != b"\x55\xaa" or sector[0] not in (0xeb, 0xe9):
        return False
    sector_bytes, cluster, reserved, copies = struct.unpack_from("<HBHB", sector, 11)
    return sector_bytes in (512, 1024, 2048, 4096) and cluster in (1, 2, 4, 8, 16, 32, 64, 128) and reserved > 0 and copies > 0


def read_at(handle, sector):
    """One sector; short at the end of the file."""
    handle.seek(sector * SECTOR)
    return handle.read(SECTOR)


def logical_partitions(handle, base):
    """The partitions in an extended one, numbered from 5: a chain of records."""
    at = base
    for number in range(5, 5 + LOGICAL_MAX):
        record = read_at(handle, at)
        if len(record) < SECTOR or record[510:512] != b"\x55\xaa":
            return
        yield number, at + struct.unpack_from("<I", record, 446 + 8)[0]
        following = struct.unpack_from("<I", record, 462 + 8)[0]
        if record[462 + 4] not in EXTENDED_TYPES or base + following <= at:
            return
        at = base + following


def partitions(handle):
    """[(number, first sector)] of the partitions that the table names, FAT or not."""
    found, record = [], read_at(handle, 0)
    if len(record) < SECTOR or record[510:512] != b"\x55\xaa":
        return found
    for number in range(1, 5):
        entry = record[446 + 16 * (number - 1):446 + 16 * number]
        kind, first = entry[4], struct.unpack_from("<I", entry, 8)[0]
        if kind == PROTECTIVE_TYPE:
            return list(gpt_partitions(handle))
        if kind in EXTENDED_TYPES:
            found += logical_partitions(handle, first)
        elif kind:
            found.append((number, first))
    return sorted(found)


def gpt_partitions(handle):
    """The entries of a GUID partition table."""
    header = read_at(handle, 1)
    if header[:8] != b"EFI PART":
        return
    entries_at, count, size = struct.unpack_from("<QII", header, 72)
    if not 128 <= size <= 4096 or count > 1024:
        return
    handle.seek(entries_at * SECTOR)
    table = handle.read(count * size)
    for number in range(len(table) // size):
        entry = table[number * size:(number + 1) * size]
        if entry[:16] != bytes(16):
            yield number + 1, struct.unpack_from("<Q", entry, 32)[0]


def volume(path, partition=None):
    """What mtools call the volume in an image: PATH@@OFFSET. The first FAT there is, or that of a partition by number."""
    try:
        with open(path, "rb") as handle:
            if handle.read(4) == b"QFI\xfb":
                raise DiskError(f"{path} is a qcow2 image; only raw ones can be looked into")
            if partition is None and is_fat(read_at(handle, 0)):
                return path
            listed = partitions(handle)
            wanted = [first for number, first in listed if partition in (None, number)]
            if partition is not None and not wanted:
                raise DiskError(f"{path} has no partition {partition}")
            for first in wanted:
                if is_fat(read_at(handle, first)):
                    return f"{path}@@{first * SECTOR}"
    except OSError as problem:
        raise DiskError(f"{path}: {problem.strerror}") from None
    where = "" if partition is None else f" in partition {partition}"
    raise DiskError(f"{path} holds no FAT volume{where}")


def refuse_in_use(path):
    """An image that a running machine has open must not be written from outside: QEMU holds locks on it."""
    try:
        with open(path, "r+b") as handle:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DiskError(f"{path} is in use: a running machine has it") from None
    except OSError as problem:
        raise DiskError(f"{path}: {problem.strerror}") from None


# --- files ---

def inside(path):
    """A path on the volume, as mtools want it."""
    return "::/" + path.strip("/")


def listing(image, path="/", partition=None):
    """The names in a directory, sorted, directories with a `/` behind; of a file, its own name."""
    where = volume(image, partition)
    if path.strip("/") == "":
        text = tool(["mdir", "-b", "-a", "-i", where, "::/"]) if has_entries(where) else ""
    else:
        text = tool(["mdir", "-b", "-a", "-i", where, inside(path)])
    names = []
    for line in text.splitlines():
        name = line.removeprefix("::/")
        names.append(name.rstrip("/").rsplit("/", 1)[-1] + ("/" if name.endswith("/") else ""))
    return sorted(name for name in names if name not in ("./", "../", "/"))


def has_entries(where):
    """Whether the root has any: mdir takes an empty one for an error."""
    return "No files" not in tool(["sh", "-c", 'mdir -a -i "$0" ::/ 2>&1 || true', where])


def get(image, path, host, partition=None):
    """Copies a file or a whole directory out of the image; `host` may be a folder, or a new name."""
    where = volume(image, partition)
    if os.path.exists(host) and not os.path.isdir(host) and not os.path.isfile(host):
        raise DiskError(f"{host} is neither a file nor a folder")
    tool(["mcopy", "-s", "-n", "-m", "-i", where, inside(path), host])


def put(image, hosts, path, partition=None):
    """Copies files and folders into the image; `path` is a directory there, or the new name of the one file."""
    where = volume(image, partition)
    refuse_in_use(image)
    for host in hosts:
        if not os.path.exists(host):
            raise DiskError(f"{host}: no such file")
    tool(["mcopy", "-s", "-o", "-m", "-i", where, *hosts, inside(path)])
