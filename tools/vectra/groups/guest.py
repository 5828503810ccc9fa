# SPDX-License-Identifier: MIT
"""Groups `boot`, `guest` and `stress`: whole machines.

A guest program is a directory test/guest/NAME; it prints `ok N - text`, `not ok N - text - detail` and at the end
`# done: P passed, F failed`. A comment line in its C files may say how it runs:

    // guest: harts 2 mem 128M within 120 boot log=debug      or      // guest: helper    (another program starts it)
"""

import glob
import os
import re

from vectra import boottest, build, execute
from vectra import options as opt
from vectra.groups import host
from vectra.qemu import Machine
from vectra.results import Failure

FOLDER = "test/guest"
SETTINGS = re.compile(r"^\s*(?://|\*|/\*)\s*guest:\s*(.*?)\s*(?:\*/)?\s*$", re.MULTILINE)
LINE = re.compile(rb"^(ok|not ok) ([0-9]+) - (.*?)\r?$", re.MULTILINE)
DONE = re.compile(rb"^# done: ([0-9]+) passed, ([0-9]+) failed\r?$", re.MULTILINE)
WITHIN_S = 120.0
NOT_TESTS = ("bench",)


def built(context, pairs):
    """Builds the (arch, mode) pairs. Returns a function that fails for those that do not build."""
    broken = {}
    for pair in [] if context.listing else sorted(set(pairs)):
        try:
            build.build(*pair)
        except build.BuildError as problem:
            broken[pair] = str(problem)

    def check(arch, mode):
        if (arch, mode) in broken:
            raise Failure(f"{arch} ({mode}) does not build", broken[(arch, mode)])
    return check


def boot_test(spec, arch, check):
    """Runs one boot test on one architecture."""
    check(arch, spec.machine.get("mode", "release"))
    boottest.run(spec, arch)
    return 1


def boot_tests(context):
    """One test for each file and architecture."""
    pairs = [(spec, arch) for spec in boottest.load() for arch in spec.arches if arch in context.arches]
    check = built(context, [(arch, spec.machine.get("mode", "release")) for spec, arch in pairs])
    return [(f"{spec.name}-{arch}", lambda s=spec, a=arch: boot_test(s, a, check)) for spec, arch in pairs]


def settings(program):
    """How a guest program runs: (Machine's changes, time), or None for a helper."""
    changes, within = {}, WITHIN_S
    for path in sorted(glob.glob(f"{FOLDER}/{program}/*.c")):
        with open(path, encoding="utf-8") as handle:
            words = [word for found in SETTINGS.findall(handle.read()) for word in found.split()]
        if "helper" in words:
            return None
        for key, value in zip(words[::2], words[1::2]):
            if key == "within":
                within = opt.seconds(value.removesuffix("s"))
            elif key == "boot":
                changes.setdefault("append", []).append(value)
            elif key in ("harts", "mem"):
                changes["smp" if key == "harts" else "mem"] = int(value) if key == "harts" else opt.memory(value)
            else:
                raise Failure(f"{path}: unknown setting '{key}'")
    return changes, within


def judge(output, status):
    """Reads what a guest program printed; returns how many checks passed."""
    lines = LINE.findall(output)
    done = DONE.search(output)
    broken = [text.decode("utf-8", "replace") for verdict, _, text in lines if verdict == b"not ok"]
    passed = sum(1 for verdict, _, _ in lines if verdict == b"ok")
    if broken:
        raise Failure(f"{len(broken)} failed, first: {broken[0]}", output)
    if not done:
        raise Failure("no '# done' line: it did not come to its end", output)
    if (int(done.group(1)), int(done.group(2))) != (passed, 0):
        raise Failure(f"'# done' says {done.group(1).decode()} passed, {done.group(2).decode()} failed; "
                      f"the lines say {passed} passed", output)
    if status != 0:
        raise Failure(f"exit status {status}", output)
    if passed == 0:
        raise Failure("checked nothing", output)
    return passed


def guest_test(program, arch, check, **changes):
    """Boots, runs one guest program and counts its checks."""
    check(arch, "release")
    machine_changes, within = settings(program)
    parts = []
    outcome = execute.run_command(Machine(arch, **{**machine_changes, **changes}), f"/test/{program}", (), within,
                                  parts.append)
    if outcome.failed:
        raise Failure(outcome.reason, outcome.transcript + outcome.messages)
    return judge(b"".join(parts), outcome.status)


def programs():
    """The guest programs that are tests."""
    names = sorted({path.split("/")[2] for path in glob.glob(f"{FOLDER}/*/*.c")})
    return [name for name in names if name not in NOT_TESTS and settings(name) is not None]


def guest_tests(context):
    """One test for each program and architecture."""
    check = built(context, [(arch, "release") for arch in context.arches])
    return [(f"{name}-{arch}", lambda n=name, a=arch: guest_test(n, a, check))
            for name in programs() for arch in context.arches]


def stress_tests(context):
    """The long versions."""
    fuzzers = host.hosttests.fuzzers()
    fuzz_built = host.prepared(context, fuzzers, "host-fuzz")
    check = built(context, [(arch, "release") for arch in context.arches])
    out = [(f"fuzz-{p.name}", lambda p=p: host.fuzz_test(p, fuzz_built, 60)) for p in fuzzers]
    out += [(f"{name}-{arch}-{turn}", lambda n=name, a=arch: guest_test(n, a, check, smp=4))
            for turn in range(1, 11) for name in programs() for arch in context.arches]
    return out
