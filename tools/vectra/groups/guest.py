# SPDX-License-Identifier: MIT
"""Groups `boot`, `guest` and `stress`: whole machines.

A guest program is a directory test/guest/NAME; it prints `ok N - text`, `not ok N - text - detail` and at the end
`# done: P passed, F failed`. A comment line in its C files may say how it runs:

    // guest: smp 1 4 mem 128M within 120 boot log=debug      or      // guest: helper    (another program starts it)

`smp` names the numbers of harts it runs on, each a test of its own (1 and 4 if nothing is said); `args` is the last
setting and takes the rest of the line as the program's arguments. A line `// stress: ...` of the same form says how the
program runs in the group `stress`, with `times` how often (once); without it the program runs there three times on
four harts.
"""

import glob
import os
import re
import socket
import subprocess
import tempfile

from vectra import boottest, build, execute
from vectra import options as opt
from vectra.groups import host
from vectra.qemu import Machine
from vectra.results import Failure

FOLDER = "test/guest"
SETTINGS = re.compile(r"^\s*(?://|\*|/\*)\s*(guest|stress):\s*(.*?)\s*(?:\*/)?\s*$", re.MULTILINE)
LINE = re.compile(rb"^(ok|not ok) ([0-9]+) - (.*?)\r?$", re.MULTILINE)
DONE = re.compile(rb"^# done: ([0-9]+) passed, ([0-9]+) failed\r?$", re.MULTILINE)
WITHIN_S = 300.0  # for a program on a busy machine with fewer processors than harts
NOT_TESTS = ("bench",)
# So that all of the group takes some twenty minutes on two idle processors; at 60 and 10 it was most of an hour.
STRESS_FUZZ_S, STRESS_TIMES = 20, 3


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


def graph_with(name, path):
    """The shipped service graph with the descriptions of a file behind it, and vfsd may use the file system `name`, if any."""
    with open("etc/services", encoding="utf-8") as shipped, open(path, encoding="utf-8") as more:
        text = shipped.read()
        if name:
            text = text.replace("uses     rom ram dev", f"uses     {name} rom ram dev")
        if name and f"uses     {name} " not in text:
            raise Failure("vfsd's line of etc/services is not what it was")
        return text + "\n" + more.read()


def boot_test(spec, arch, check):
    """Runs one boot test on one architecture."""
    check(arch, spec.machine.get("mode", "release"))
    boottest.run(spec, arch)
    return 1


def debugger_test(arch, check):
    """`./vectra debug` with commands typed into gdb: stops in the kernel, knows its source, its callers and its data."""
    check(arch, "debug")
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    line = ["./vectra", "debug", "--arch", arch, "--mem", "128M", "--port", str(port)]
    typed = b"break init_start\ncontinue\nbacktrace\nprint n_harts\nkill\nquit\n"
    try:
        done = subprocess.run(line, input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=WITHIN_S,
                              check=False)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"not over within {WITHIN_S:.0f} s", late.stdout or b"") from late
    wanted = (rb"Breakpoint 1, \w+ \(m=(?:m@entry=)?0x", rb"in kernel_main \([^#]*at kernel/main\.c:[0-9]+", rb"\$1 = 1\b")
    for pattern in wanted:
        if not re.search(pattern, done.stdout):
            raise Failure(f"gdb did not say {pattern.decode()}", done.stdout)
    return len(wanted)


def boot_tests(context):
    """One test for each file and architecture, and one of the debugger."""
    pairs = [(spec, arch) for spec in boottest.load() for arch in spec.arches if arch in context.arches]
    modes = [(arch, spec.machine.get("mode", "release")) for spec, arch in pairs]
    check = built(context, modes + [(arch, "debug") for arch in context.arches])
    return [(f"{spec.name}-{arch}", lambda s=spec, a=arch: boot_test(s, a, check)) for spec, arch in pairs] + [
        (f"debugger-{arch}", lambda a=arch: debugger_test(a, check)) for arch in context.arches]


class Plan:
    """How a guest program runs: what its comment lines say."""

    def __init__(self, harts, times):
        self.harts, self.times, self.within = harts, times, WITHIN_S
        self.changes, self.args = {}, ""

    def read(self, text, path):
        """Takes in the settings of one comment line."""
        words, self.times = text.split(), 1
        while words:
            key, at = words.pop(0), 1
            if key == "args":
                self.args, at = " ".join(words), len(words)
            elif key == "smp":
                while at < len(words) and words[at].isdigit():
                    at += 1
                self.harts = [int(word) for word in words[:at]]
            elif key == "within":
                self.within = opt.seconds(words[0].removesuffix("s"))
            elif key == "boot":
                self.changes.setdefault("append", []).append(words[0])
            elif key == "mem":
                self.changes["mem"] = opt.memory(words[0])
            elif key == "times":
                self.times = int(words[0])
            else:
                raise Failure(f"{path}: unknown setting '{key}'")
            del words[:at]


def plan(program, group="guest"):
    """The Plan of a program in a group, or None for a helper."""
    found = Plan([4], STRESS_TIMES) if group == "stress" else Plan([1, 4], 1)
    for path in sorted(glob.glob(f"{FOLDER}/{program}/*.c")):
        with open(path, encoding="utf-8") as handle:
            lines = SETTINGS.findall(handle.read())
        if any("helper" in text.split() for _, text in lines):
            return None
        for kind, text in lines:
            if kind == group:
                found.read(text, path)
    return found


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


def guest_test(program, arch, check, how, harts):
    """Boots, runs one guest program and counts its checks."""
    check(arch, "release")
    parts = []
    machine = Machine(arch, **{**how.changes, "smp": harts})
    outcome = execute.run_command(machine, f"/test/{program} {how.args}".strip(), (), how.within, parts.append)
    if outcome.failed:
        raise Failure(outcome.reason, outcome.transcript + outcome.messages)
    passed = judge(b"".join(parts), outcome.status)
    if program == "syscalls":
        every_call_was_tested(b"".join(parts))
    return passed


# A release kernel lacks the call: test/boot/debug-guests.t.
ONLY_IN_DEBUG = "fp_clobber.ok"


def every_call_was_tested(output):
    """What is written in the sources of /test/syscalls was also run."""
    with tempfile.NamedTemporaryFile() as transcript:
        transcript.write(output)
        transcript.flush()
        status, words = host.run(["tools/check-syscall-tests", "--transcript", transcript.name, "--but", ONLY_IN_DEBUG])
    if status != 0:
        raise Failure("not every test of a system call was run", words)


def programs():
    """The guest programs that are tests."""
    names = sorted({path.split("/")[2] for path in glob.glob(f"{FOLDER}/*/*.c")})
    return [name for name in names if name not in NOT_TESTS and plan(name) is not None]


def runs(program, group, context, check):
    """The tests that a program is in a group: one for each architecture, number of harts and turn."""
    how = plan(program, group)
    for turn in range(1, how.times + 1):
        for harts in how.harts:
            for arch in context.arches:
                name = f"{program}-{arch}" + (f"-smp{harts}" if harts != 1 else "") + (f"-{turn}" if how.times > 1 else "")
                yield name, lambda a=arch, h=harts: guest_test(program, a, check, how, h)


def guest_tests(context):
    """The tests of all programs."""
    check = built(context, [(arch, "release") for arch in context.arches])
    return [test for name in programs() for test in runs(name, "guest", context, check)]


def stress_tests(context):
    """The long versions."""
    fuzzers = host.hosttests.fuzzers()
    fuzz_built = host.prepared(context, fuzzers, "host-fuzz")
    check = built(context, [(arch, "release") for arch in context.arches])
    out = [(f"fuzz-{p.name}", lambda p=p: host.fuzz_test(p, fuzz_built, STRESS_FUZZ_S, 0)) for p in fuzzers]
    return out + [test for name in programs() for test in runs(name, "stress", context, check)]
