# SPDX-License-Identifier: MIT
"""Declarative boot tests: test/boot/NAME.t, one or more directives on a line, `#` starts a comment.

    boot "WORDS"            append to the kernel's command line
    arch A                  only this architecture (else both)
    harts N                 mem SIZE            mode release|debug           gic 2|3
    machine "OPTIONS"       added to QEMU's -M value
    qemu "ARGS"             added to QEMU's command line
    initrd default|none|truncated|garbage|FILE
    initrd 0xADDRESS        aarch64: at that physical address below 4 GiB; the device tree says so
    within 60s              the whole test (default 60 s)
    expect /RE/             the serial line must come to match, in order
                            (patterns see it as a terminal shows it: without escape sequences)
    send "TEXT"             types TEXT and Enter (after the expectations before it); \\n \\r \\t \\xNN are known
    send "TEXT" after /RE/  the same with an expectation of its own
    exec "COMMAND"          run by the exec protocol; expectations are then about its output, and
    output "TEXT"           its output must be exactly this, or
    output file "PATH"      exactly the bytes of this file of the initial RAM disk
    exit N | poweroff       the command's exit status, or: the machine must power itself off
    stages                  the marker of every stage in order, then the prompt
    reject /RE/             must not come anywhere on the serial line
    again "ARGS" same|other the whole conversation once more, with these words for QEMU in place of `qemu`'s: what the group
                            in the last expectation matched must be the same as the first time, or something else

Rejected always: a kernel panic and a failed kassert, unless the test expects it.
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile

from vectra import cpio, devicetree, execute
from vectra import options as opt
from vectra.qemu import Machine, Running
from vectra.results import Failure
from vectra.terminal import visible

FOLDER = "test/boot"
TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|/(?:\\.|[^/\\])*/|\S+)')
DRAIN_S = 2
REJECT = rb"KERNEL PANIC|kassert"
STAGES = "boot firmware paging reticle caps sched rings entropy user initd services".split()
PROMPT = rb"^vectra:/\$ "
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class SpecError(Exception):
    """A .t file says something that this language does not know."""


class Step:
    """Wait for `pattern` if there is one, then type `text` if there is one."""

    def __init__(self, pattern=None, text=None):
        self.pattern, self.text = pattern, text


class Spec:
    """One boot test, parsed."""

    def __init__(self, name):
        self.name, self.machine = name, {}
        self.arches, self.initrd = list(opt.ARCHES), "default"
        self.steps, self.rejects = [], [re.compile(REJECT)]
        self.command = self.output = self.output_file = self.exit = None
        self.again = []
        self.within = 60.0


def tokens(line):
    """Words, "strings" and /patterns/ of a line, up to a comment."""
    out, at = [], 0
    while match := TOKEN.match(line, at):
        if match.group(1).startswith("#"):
            break
        out.append(match.group(1))
        at = match.end()
    return out


def text_of(token):
    """The characters that a "string" stands for, as bytes."""
    if len(token) < 2 or token[0] != '"' or token[-1] != '"':
        raise SpecError(f'{token} must be a "string"')

    def replace(match):
        if match.group(1):
            return chr(int(match.group(1), 16))
        if match.group(2) not in ESCAPES:
            raise SpecError(f"unknown escape \\{match.group(2)}")
        return ESCAPES[match.group(2)]
    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|(.))", replace, token[1:-1]).encode("latin-1")


def pattern_of(token):
    """A /pattern/ compiled for bytes; `^` and `$` are about lines, and the line may end in CR LF."""
    if len(token) < 2 or token[0] != "/" or token[-1] != "/":
        raise SpecError(f"{token} must be a /pattern/")
    try:
        return re.compile(token[1:-1].replace("\\/", "/").encode(), re.MULTILINE)
    except re.error as problem:
        raise SpecError(f"{token}: {problem}") from None


def parse(name, text):
    """The Spec of one file. Raises SpecError with the line's number."""
    spec = Spec(name)
    for number, line in enumerate(text.splitlines(), start=1):
        words = tokens(line)
        try:
            while words:
                directive(spec, words)
        except IndexError:
            raise SpecError(f"{name}.t:{number}: something is missing at the end of the line") from None
        except (SpecError, ValueError) as problem:
            raise SpecError(f"{name}.t:{number}: {problem}") from None
    if not (spec.steps or spec.command or spec.exit):
        raise SpecError(f"{name}.t: expects nothing, so it cannot fail")
    return spec


def directive(spec, words):
    """Takes one directive and its arguments from the front of `words`."""
    word = words.pop(0)
    simple = {"harts": ("smp", opt.number(1, 512)), "mem": ("mem", opt.memory), "gic": ("gic", opt.choice("2", "3")),
              "mode": ("mode", opt.choice("release", "debug"))}
    if word in simple:
        key, check = simple[word]
        spec.machine[key] = check(words.pop(0))
    elif word == "arch":
        spec.arches = [opt.arch(words.pop(0))]
    elif word == "boot":
        spec.machine.setdefault("append", []).append(text_of(words.pop(0)).decode("latin-1"))
    elif word == "machine":
        spec.machine["machine"] = [text_of(words.pop(0)).decode("latin-1")]
    elif word == "qemu":
        spec.machine.setdefault("extra", []).extend(shlex.split(text_of(words.pop(0)).decode("latin-1")))
    elif word == "initrd":
        spec.initrd = words.pop(0)
    elif word == "within":
        spec.within = opt.seconds(words.pop(0).removesuffix("s"))
    elif word == "expect":
        spec.steps.append(Step(pattern_of(words.pop(0))))
    elif word == "stages":
        spec.steps += [Step(re.compile(rb"\[stage\] " + stage.encode() + rb": ok")) for stage in STAGES]
        spec.steps.append(Step(re.compile(PROMPT, re.MULTILINE)))
    elif word == "reject":
        spec.rejects.append(pattern_of(words.pop(0)))
    elif word == "send":
        text, pattern = text_of(words.pop(0)) + b"\r", None
        if words and words[0] == "after":
            words.pop(0)
            pattern = pattern_of(words.pop(0))
        spec.steps.append(Step(pattern, text))
    elif word == "again":
        extra = shlex.split(text_of(words.pop(0)).decode("latin-1"))
        spec.again.append((extra, opt.choice("same", "other")(words.pop(0))))
    elif word == "exec":
        spec.command = text_of(words.pop(0)).decode("latin-1")
    elif word == "output":
        token = words.pop(0)
        if token == "file":
            spec.output_file = text_of(words.pop(0)).decode()
        else:
            spec.output = text_of(token)
    elif word == "exit":
        token = words.pop(0)
        spec.exit = token if token == "poweroff" else opt.number(0, 255)(token)
    else:
        raise SpecError(f"unknown directive '{word}'")


def load(folder=FOLDER):
    """All specs of a folder, sorted by name."""
    specs = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith(".t"):
            with open(os.path.join(folder, name), encoding="utf-8") as handle:
                specs.append(parse(name[:-2], handle.read()))
    return specs


def prepared_initrd(spec, machine, folder):
    """The initial RAM disk that the test asks for, made in `folder` when it is not an existing file."""
    if spec.initrd in ("default", "none"):
        return machine.initrd_file() if spec.initrd == "default" else None
    if spec.initrd.startswith("0x"):
        return place_initrd(machine, int(spec.initrd, 16), folder)
    if spec.initrd not in ("truncated", "garbage"):
        return os.path.join(FOLDER, spec.initrd)
    data = cpio.read(machine.initrd_file())
    path = os.path.join(folder, spec.initrd)
    with open(path, "wb") as handle:
        handle.write(data[:len(data) // 2 + 2] if spec.initrd == "truncated" else b"\x5a" * 4096)
    return path


def stripped(data, folder):
    """A program without its symbols; anything else as it is."""
    if not data.startswith(b"\x7fELF"):
        return data
    program = os.path.join(folder, "program")
    with open(program, "wb") as handle:
        handle.write(data)
    subprocess.run([os.environ.get("OBJCOPY", "llvm-objcopy-19"), "--strip-all", program], check=True)
    return cpio.read(program)


def place_initrd(machine, address, folder):
    """Makes QEMU load the initial RAM disk at `address`: QEMU's own device tree, changed, is given back to it."""
    tree, initrd = os.path.join(folder, "tree.dtb"), os.path.join(folder, "initrd.cpio")
    archive = cpio.Archive()  # services without disks and the shell, without names: below the kernel is 1 MiB of room
    archive.entries = {name: (mode, stripped(data, folder))
                       for name, (mode, data) in cpio.parse(cpio.read(machine.initrd_file())).items()
                       if name.startswith(("sbin", "etc")) and name != "sbin/fatfsd" or name in ("bin", "bin/sh")}
    with open(initrd, "wb") as handle:
        handle.write(archive.pack())
    subprocess.run([*machine.command(execute.SERIAL), "-machine", f"dumpdtb={tree}"], stdin=subprocess.DEVNULL,
                   capture_output=True, check=True)
    data = bytearray(cpio.read(tree))
    devicetree.set_number(data, "/chosen", "linux,initrd-start", address)
    devicetree.set_number(data, "/chosen", "linux,initrd-end", address + os.path.getsize(initrd))
    devicetree.trim(data)
    with open(tree, "wb") as handle:
        handle.write(data)
    machine.extra = [*machine.extra, "-dtb", tree, "-device", f"loader,file={initrd},addr={address:#x},force-raw=on"]
    return None


def run(spec, arch, **changes):
    """Runs one spec on one architecture. Returns the transcript; raises Failure with it as the log."""
    machine = Machine(arch, **{**spec.machine, **changes})
    folder = tempfile.mkdtemp(prefix="vectra-boot-")
    transcript = bytearray()
    try:
        machine.initrd = prepared_initrd(spec, machine, folder)
        if spec.command is not None:
            return run_exec(spec, machine, transcript)
        first = run_once(spec, machine, transcript)
        for machine.extra, how in spec.again:
            again = run_once(spec, machine, transcript)
            if (again == first) != (how == "same"):
                raise Failure(f"first {first!r} came and then, with {shlex.join(machine.extra)}, {again!r}")
        return transcript
    except Failure as failure:
        failure.log = transcript
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_once(spec, machine, transcript):
    """One conversation, from power-on, added to the transcript. Returns what converse() does."""
    with Running(machine.command(execute.SERIAL)) as guest:
        try:
            return converse(spec, guest)
        except Failure:
            drain(guest)
            raise
        finally:
            transcript += guest.transcript + guest.messages


def drain(guest):
    """Reads on for a moment, so that the log of a failure holds the whole of a panic's report."""
    end = guest.elapsed() + DRAIN_S
    while guest.elapsed() < end and guest.read(0.5) != b"":
        pass


def check_rejects(spec, transcript, final):
    """Fails on a rejected pattern, also when it came behind the last expectation."""
    expected = [step.pattern.pattern for step in spec.steps if step.pattern]
    transcript = visible(transcript)
    for pattern in spec.rejects:
        match = pattern.search(transcript)
        # What a test expects by name is not rejected; a panic that is still being printed is waited for.
        if match and not any(re.search(p, match.group(0)) or match.group(0) in p for p in expected):
            if final or b"\n" in transcript[match.end():]:
                raise Failure(f"rejected text came: {match.group(0).decode('latin-1')}")


def converse(spec, guest):
    """Goes through the steps, then waits for the power-off if the test wants one. Returns what the last group matched."""
    at, group = 0, None
    for step in spec.steps:
        while step.pattern:
            match = step.pattern.search(visible(guest.transcript), at)
            if match:
                at, group = match.end(), match.group(match.lastindex or 0)
                break
            check_rejects(spec, guest.transcript, False)
            left = spec.within - guest.elapsed()
            if left <= 0:
                raise Failure(f"nothing matched {show(step.pattern)} within {spec.within:g} s")
            if guest.read(min(left, 1)) == b"":
                guest.wait(5)
                check_rejects(spec, guest.transcript, True)
                raise Failure(f"the machine stopped before anything matched {show(step.pattern)}")
        if step.text:
            guest.send(step.text)
    if spec.exit == "poweroff":
        while guest.read(min(1, spec.within - guest.elapsed())) != b"":
            if guest.elapsed() >= spec.within:
                raise Failure(f"the machine did not power itself off within {spec.within:g} s")
        status = guest.wait(5)
        if status != 0:
            raise Failure(f"QEMU ended with exit status {status}")
    check_rejects(spec, guest.transcript, True)
    return group


def run_exec(spec, machine, transcript):
    """A test of one command's output and status."""
    parts = []
    outcome = execute.run_command(machine, spec.command, (), spec.within, parts.append)
    transcript += outcome.transcript + outcome.messages
    output = b"".join(parts)
    if outcome.failed:
        raise Failure(outcome.reason)
    want = spec.exit if spec.exit is not None else 0
    if outcome.status != want:
        raise Failure(f"exit status {outcome.status}, not {want}")
    exact = spec.output
    if spec.output_file:
        exact = cpio.parse(cpio.read(machine.initrd_file()))[spec.output_file.lstrip("/")][1]
    if exact is not None and output != exact:
        raise Failure(difference(output, exact))
    at = 0
    for step in spec.steps:
        match = step.pattern.search(output, at) if step.pattern else None
        if not match:
            raise Failure(f"the output does not match {show(step.pattern)}")
        at = match.end()
    check_rejects(spec, transcript, True)
    return transcript


def difference(output, exact):
    """Where two byte strings part."""
    at = next((i for i, (a, b) in enumerate(zip(output, exact)) if a != b), min(len(output), len(exact)))
    return (f"{len(output)} bytes of output, not the {len(exact)} expected; they part at byte {at}: "
            f"{bytes(output[at:at + 24])!r}, not {bytes(exact[at:at + 24])!r}")


def show(pattern):
    """A pattern as the test wrote it."""
    return f"/{pattern.pattern.decode('latin-1')}/" if pattern else "(nothing)"
