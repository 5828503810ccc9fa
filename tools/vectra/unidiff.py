# SPDX-License-Identifier: MIT
"""Applies unified diffs exactly: every context line must be there. A hunk may have moved; it may not be guessed at."""

import os
import re

HUNK = re.compile(r"^@@ -([0-9]+)(?:,([0-9]+))? \+([0-9]+)(?:,([0-9]+))? @@")


class PatchError(Exception):
    """The patch does not fit; the text says where."""


def parse(text):
    """[(old path, new path, [(old start, old lines, new lines)])] of a diff; what stands before a file is comment."""
    lines, files, at = text.splitlines(keepends=True), [], 0
    while at < len(lines):
        if not (lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")):
            at += 1
            continue
        hunks = []
        files.append((name_of(lines[at]), name_of(lines[at + 1]), hunks))
        at += 2
        while at < len(lines) and (found := HUNK.match(lines[at])):
            at, old, new = hunk(lines, at, found)
            hunks.append((int(found.group(1)), old, new))
    return files


def name_of(line):
    """The path in a `---` or `+++` line without its first folder; None for /dev/null."""
    name = line[4:].split("\t")[0].strip()
    return None if name == "/dev/null" else name.split("/", 1)[-1]


def hunk(lines, at, found):
    """(line behind the hunk, its old lines, its new lines)."""
    n_old, n_new = (int(found.group(i) or 1) for i in (2, 4))
    old, new = [], []
    at += 1
    while len(old) < n_old or len(new) < n_new:
        if at >= len(lines):
            raise PatchError("the patch is cut short")
        mark, rest = lines[at][:1], lines[at][1:]
        if mark in (" ", "\n"):
            old.append(rest if mark == " " else "\n")
            new.append(rest if mark == " " else "\n")
        elif mark == "-":
            old.append(rest)
        elif mark == "+":
            new.append(rest)
        elif mark != "\\":
            raise PatchError(f"line {at + 1} of the patch is not part of a hunk")
        at += 1
    if at < len(lines) and lines[at].startswith("\\"):
        at += 1
    return at, old, new


def place(lines, start, old):
    """Where `old` stands in `lines`, nearest to `start`; None when it does not, or twice at one distance."""
    last = len(lines) - len(old)
    for distance in range(0, max(start, last - start) + 1):
        for at in {start - distance, start + distance}:
            if 0 <= at <= last and lines[at:at + len(old)] == old:
                return at
    return None


def apply(text, folder):
    """Applies a diff to the files below `folder`. Nothing is written unless all of it fits."""
    files = parse(text)
    if not files:
        raise PatchError("there is no change in it")
    written = {}
    for old_name, new_name, hunks in files:
        for name in (old_name, new_name):
            if name is not None and (name.startswith("/") or ".." in name.split("/")):
                raise PatchError(f"{name} is outside the source")
        lines = []
        if old_name is not None:
            if old_name in written:
                lines = written[old_name]
            else:
                path = os.path.join(folder, old_name)
                if not os.path.isfile(path):
                    raise PatchError(f"{old_name} is not in the source")
                with open(path, encoding="utf-8", errors="surrogateescape", newline="") as handle:
                    lines = handle.read().splitlines(keepends=True)
        moved = 0
        for start, old, new in hunks:
            at = place(lines, max(start - 1, 0) + moved, old)
            if at is None:
                raise PatchError(f"{old_name}: the lines from {start} on are not as the patch expects")
            lines = lines[:at] + new + lines[at + len(old):]
            moved += len(new) - len(old)
        if new_name is None:
            written[old_name] = None
        else:
            written[new_name] = lines
    for name, lines in written.items():
        path = os.path.join(folder, name)
        if lines is None:
            os.remove(path)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
            handle.write("".join(lines))
