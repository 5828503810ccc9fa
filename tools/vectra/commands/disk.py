# SPDX-License-Identifier: MIT
"""./vectra disk: makes disk images, and moves files in and out of them."""

import sys

from vectra import disks
from vectra import options as opt
from vectra.options import UsageError

SUMMARY = "make disk images, and move files in and out of them"
OPTIONS = [
    opt.Option("--partition", "N", opt.number(1, 128), "the volume in that partition (default: the first FAT there is)"),
    opt.Option("--label", "TEXT", str, "create: the volume's name, up to 11 characters"),
    opt.Option("--table", None, None, "create: a disk with a partition table, the volume in its one partition"),
]
HELP = f"""usage: ./vectra disk create IMAGE SIZE [--label TEXT] [--table]
       ./vectra disk ls IMAGE [PATH]
       ./vectra disk get IMAGE PATH [HOST]
       ./vectra disk put IMAGE HOST... PATH

Raw images with a FAT volume: alone, or in a partition (MBR, GPT). SIZE is like 512M or 4G; the file has holes and takes
only what is in it. get and put copy files and whole folders and replace what is there; PATH is on the volume, HOST here
(get: the current folder if it is left out). Neither root nor a mount is needed. An image that a running machine has is
not written.

{opt.usage(OPTIONS)}"""


def words(options, low, high, usage):
    """The words behind the action; UsageError if they are too few or too many."""
    given = options.words[1:]
    if not low <= len(given) <= high:
        raise UsageError(f"disk: {usage}; try './vectra help disk'")
    return given


def act(options):
    """Does what the first word says."""
    actions = ("create", "ls", "get", "put")
    action = options.words[0] if options.words else None
    if action not in actions:
        raise UsageError("disk: " + (f"unknown action '{action}'{opt.near(action, actions)}" if action else
                                     f"what is to be done? One of: {', '.join(actions)}"))
    if action != "create" and (options.label or options.table):
        raise UsageError(f"disk: {'--label' if options.label else '--table'} is for create")
    if action == "create":
        image, size = words(options, 2, 2, "create needs an image and a size")
        if options.partition:
            raise UsageError("disk: create makes one partition, with --table")
        try:
            mib = opt.memory(size)
        except ValueError as problem:
            raise UsageError(f"disk: {size}: {problem}") from None
        disks.create(opt.caller_path(image), int(mib[:-1]) << 20, options.label, bool(options.table))
    elif action == "ls":
        image, *path = words(options, 1, 2, "ls needs an image")
        print("".join(name + "\n" for name in disks.listing(opt.caller_path(image), *path, partition=options.partition)),
              end="")
    elif action == "get":
        image, path, *host = words(options, 2, 3, "get needs an image and a path")
        disks.get(opt.caller_path(image), path, opt.caller_path(host[0] if host else "."), options.partition)
    else:
        image, *hosts, path = words(options, 3, sys.maxsize, "put needs an image, files, and a path")
        disks.put(opt.caller_path(image), [opt.caller_path(host) for host in hosts], path, options.partition)


def main(arguments):
    """0, or 1 with one line on stderr."""
    options = opt.parse("disk", arguments, OPTIONS)
    if options.rest is not None:
        raise UsageError("disk: takes no command after '--'")
    try:
        act(options)
        return 0
    except disks.DiskError as problem:
        print(f"vectra: disk: {problem}", file=sys.stderr)
        return 1
