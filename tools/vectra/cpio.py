# SPDX-License-Identifier: MIT
"""Writes cpio `newc` archives: the initial RAM disk, and the small one that `exec` puts behind it.

The same input gives the same bytes: entries sorted, times zero, owner root, inode numbers counted from one. Executables
begin on pages, so that Tasks can share them: zeros behind their names are counted as part of those.
"""

import argparse
import os
import sys

FILE, DIRECTORY, LINK = 0o100000, 0o040000, 0o120000
TRAILER = "TRAILER!!!"
HEADER, PAGE, ELF = 110, 4096, b"\x7fELF"


class Archive:
    """Collects files by their absolute guest path; parent directories are made as needed."""

    def __init__(self):
        self.entries = {}

    def link(self, path, target):
        """Adds a symbolic link."""
        self.add(path, target.encode(), LINK | 0o777)

    def add(self, path, data, mode=0o644):
        """Adds one regular file, unless the mode says else; a later one of the same path replaces the earlier one."""
        name = clean(path)
        parts = name.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if self.entries.get(parent, (DIRECTORY,))[0] & 0o170000 != DIRECTORY:
                raise ValueError(f"/{parent} is a file and cannot hold /{name}")
            self.entries[parent] = (DIRECTORY | 0o755, b"")
        if self.entries.get(name, (FILE,))[0] & 0o170000 == DIRECTORY:
            raise ValueError(f"/{name} is a directory already")
        self.entries[name] = (mode if mode & 0o170000 else FILE | mode, data)

    def add_tree(self, path, source):
        """Adds every file below the host folder `source` under the guest path `path`."""
        for root, dirs, names in os.walk(source):
            dirs.sort()
            for name in sorted(names):
                host = os.path.join(root, name)
                inside = os.path.relpath(host, source).replace(os.sep, "/")
                self.add(f"{path}/{inside}", read(host), mode_of(host))

    def pack(self, aligned=True):
        """The archive's bytes, padded to four so that another can follow; it is to begin on a page. aligned=False: for Linux, to
        which a name of more than a page with its zeros is none."""
        out = bytearray()
        for number, name in enumerate(sorted(self.entries), start=1):
            mode, data = self.entries[name]
            out += entry(len(out), number, name, mode, data, aligned)
        out += entry(len(out), 0, TRAILER, 0, b"")
        return bytes(out)


def clean(path):
    """The name stored for an absolute guest path; refuses what could leave the root."""
    parts = [p for p in path.split("/") if p not in ("", ".")]
    if not parts or ".." in parts or not path.startswith("/") or "\0" in path:
        raise ValueError(f"'{path}' is not an absolute path of a file")
    return "/".join(parts)


def entry(at, number, name, mode, data, aligned=True):
    """One entry for offset `at`: header, name, data, each padded to a multiple of four; an executable to a page."""
    raw = name.encode() + b"\0"
    if aligned and data.startswith(ELF):
        raw += b"\0" * (-(at + HEADER + len(raw)) % PAGE)
    links = 2 if mode & 0o170000 == DIRECTORY else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(raw), 0)
    out = bytearray(b"070701" + b"".join(b"%08x" % f for f in fields) + raw)
    out += b"\0" * (-len(out) % 4)
    out += data
    out += b"\0" * (-len(out) % 4)
    return bytes(out)


def parse(blob):
    """Reads concatenated archives back as {name: (mode, data)}; for tests and tools, not for the kernel."""
    entries, at = {}, 0
    while at + HEADER <= len(blob):
        if blob[at:at + 4] == b"\0\0\0\0":  # between archives
            at += 4
            continue
        if blob[at:at + 6] != b"070701":
            raise ValueError(f"no newc header at offset {at}")
        field = [int(blob[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name_end = at + HEADER + field[11]
        name = blob[at + HEADER:name_end].rstrip(b"\0").decode()
        start = name_end + (-name_end % 4)
        end = start + field[6]
        if name != TRAILER:
            entries[name] = (field[1], blob[start:end])
        at = end + (-end % 4)
    return entries


def read(path):
    """The bytes of a host file."""
    with open(path, "rb") as handle:
        return handle.read()


def mode_of(path):
    """Only the executable bit of a host file matters; the rest depends on somebody's umask."""
    return 0o755 if os.access(path, os.X_OK) else 0o644


def main(arguments):
    """The command that mk/initrd.mk calls."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--tree", action="append", default=[], metavar="GUEST=FOLDER")
    parser.add_argument("--file", action="append", default=[], metavar="GUEST=FILE")
    parser.add_argument("--program", action="append", default=[], metavar="GUEST=FILE")
    parser.add_argument("--link", action="append", default=[], metavar="GUEST=TARGET")
    options = parser.parse_args(arguments)
    archive = Archive()
    for pair in options.tree:
        archive.add_tree(*pair.split("=", 1))
    for pair in options.file:
        guest, host = pair.split("=", 1)
        archive.add(guest, read(host))
    for pair in options.program:
        guest, host = pair.split("=", 1)
        archive.add(guest, read(host), 0o755)
    for pair in options.link:
        archive.link(*pair.split("=", 1))
    temporary = options.out + ".new"
    with open(temporary, "wb") as handle:
        handle.write(archive.pack())
    os.replace(temporary, options.out)


if __name__ == "__main__":
    main(sys.argv[1:])
