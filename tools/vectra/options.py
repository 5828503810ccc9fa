# SPDX-License-Identifier: MIT
"""The command line: declared options, one clear line for a wrong one, and a suggestion where one is near."""

import difflib
import os
import re

ARCHES = ("x86_64", "aarch64")
ARCH_ALIASES = {"x86-64": "x86_64", "amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
SIZE = re.compile(r"^([1-9][0-9]*)([KMG]?)$")
UNITS = {"": 1 << 20, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class UsageError(Exception):
    """The command line is wrong; the text is the one line that says so."""


class Option:
    """One option: its name, what stands for its value (None: a switch), how a value is checked, what it is for."""

    def __init__(self, name, value, check, text, default=None, many=False):
        self.name, self.value, self.check, self.text = name, value, check, text
        self.default, self.many = default, many

    @property
    def key(self):
        """The name that a parsed command line has it under."""
        return self.name.lstrip("-").replace("-", "_")


class Parsed(dict):
    """Parsed options, also readable as attributes; `words` holds what was no option, `rest` what followed `--`."""

    __getattr__ = dict.__getitem__


def near(word, known):
    """' (did you mean X?)' when something known is close to what was typed."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f"; known are: {', '.join(known)}"


def parse(command, arguments, options):
    """Parses `arguments` against the declared options. Raises UsageError with one line."""
    known = {o.name: o for o in options}
    found = Parsed({o.key: ([] if o.many else o.default) for o in options})
    found["words"], found["rest"] = [], None
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if word == "--":
            found["rest"] = arguments[at:]
            break
        if not word.startswith("-") or word == "-":
            found["words"].append(word)
            continue
        name, has_value, value = word.partition("=")
        if name not in known:
            raise UsageError(f"{command}: unknown option '{name}'{near(name, list(known))}" if known else
                             f"{command}: takes no options, so not '{name}'")
        option = known[name]
        if option.value is None:
            if has_value:
                raise UsageError(f"{command}: {name} takes no value")
            found[option.key] = True
            continue
        if not has_value:
            if at >= len(arguments) or arguments[at] == "--":
                raise UsageError(f"{command}: {name} needs a value: {name} {option.value}")
            value = arguments[at]
            at += 1
        try:
            checked = option.check(value)
        except ValueError as problem:
            raise UsageError(f"{command}: {name} {value}: {problem}") from None
        if option.many:
            found[option.key].append(checked)
        else:
            found[option.key] = checked
    return found


def usage(options):
    """The option lines of a help text."""
    lines = []
    for option in options:
        left = option.name + (f" {option.value}" if option.value else "")
        lines.append(f"  {left:<24} {option.text}")
    return "\n".join(lines)


# Checks of values: each returns the value, or raises ValueError with what is wrong with it.

def arch(text):
    """An architecture name."""
    if text not in ARCHES:
        alias = ARCH_ALIASES.get(text.lower())
        raise ValueError("unknown architecture" + (f"; did you mean '{alias}'?" if alias else near(text, ARCHES)))
    return text


def choice(*names):
    """One of a few words."""
    def check(text):
        if text not in names:
            raise ValueError("not one of them" + near(text, names))
        return text
    return check


def number(low, high):
    """A whole number within bounds."""
    def check(text):
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)
    return check


def seconds(text):
    """A positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError("must be a number of seconds") from None
    if not 0 < value <= 86400:
        raise ValueError("must be more than 0 and at most 86400 seconds")
    return value


def memory(text):
    """A memory size as QEMU writes it: 512M, 4G; a bare number is MiB. Returned normalised."""
    match = SIZE.match(text)
    if not match:
        raise ValueError("must be a size like 512M or 4G")
    size = int(match.group(1)) * UNITS[match.group(2)]
    if size % (1 << 20) or size < 1 << 20:
        raise ValueError("must be a whole number of MiB")
    if size > 1 << 42:
        raise ValueError("is more than 4096G")
    return f"{size >> 20}M"


def caller_path(text):
    """A host path, relative to where the person typed the command."""
    return os.path.normpath(os.path.join(os.environ.get("VECTRA_CALLED_FROM", os.getcwd()), text))


def existing_file(text):
    """A host file that can be read."""
    path = caller_path(text)
    if not os.path.isfile(path):
        raise ValueError("no such file")
    if not os.access(path, os.R_OK):
        raise ValueError("cannot be read")
    return path


# Where other file systems are mounted on the initial RAM disk, which is what files are added to.
HIDDEN = ("data", "data1", "data2", "data3", "dev", "tmp")


def add_pair(text):
    """HOST:GUEST: a host file and the absolute path it gets in the guest."""
    host, colon, guest = text.rpartition(":")
    if not colon or not host or not guest.startswith("/") or guest.endswith("/"):
        raise ValueError("must be HOST:GUEST with an absolute guest path")
    top = guest.split("/")[1]
    if top in HIDDEN:
        raise ValueError(f"/{top} hides what the initial RAM disk has there: choose another place")
    return existing_file(host), guest


def output_file(text):
    """A host file that is to be written."""
    path = caller_path(text)
    if not os.path.isdir(os.path.dirname(path)):
        raise ValueError("its folder does not exist")
    if os.path.isdir(path):
        raise ValueError("is a folder")
    return path


ARCH = Option("--arch", "A", arch, "x86_64 (default) or aarch64", default="x86_64")
MACHINE = [
    ARCH,
    Option("--smp", "N", number(1, 512), "harts (default 1)", default=1),
    Option("--mem", "SIZE", memory, "memory, like 512M (default) or 4G", default="512M"),
    Option("--disk", "FILE", existing_file, "attach a disk image; its FAT volume is /data, of the next one /data1", many=True),
    Option("--snapshot", None, None, "throw away what is changed on disks"),
    Option("--accel", "NAME", choice("tcg", "kvm", "hvf"), "tcg (default), kvm or hvf", default="tcg"),
    Option("--mode", "MODE", choice("release", "debug"), "release (default) or debug build", default="release"),
    Option("--append", "TEXT", str, "more words for the kernel's command line", many=True),
    Option("--gic", "V", choice("2", "3"), "aarch64: interrupt controller 2 or 3 (default)", default="3"),
]
