# SPDX-License-Identifier: MIT
"""Group `examples`: each project of examples/, copied out of the tree, built as its README says, run inside, and what it
prints compared with its file `expected`."""

import glob
import os
import re
import shutil
import tempfile

from vectra import build, execute, ports
from vectra.groups import guest, host
from vectra.qemu import Machine
from vectra.results import Failure

FOLDER = "examples"
WITHIN_S = 120.0
DICE = re.compile(rb"dice: (?:[1-6] ){16}\r?\n")


def shell(command, folder):
    """Runs a line of the host's shell; its output. A status other than 0 is a failure."""
    status, output = host.run(["sh", "-c", f"cd '{folder}' && {command}"])
    if status != 0:
        raise Failure(f"{command}: exit status {status}", output)
    return output


def inside(machine, command, files):
    """Boots and runs a command; (its output, the outcome)."""
    parts = []
    outcome = execute.run_command(machine, command, files, WITHIN_S, parts.append)
    if outcome.failed:
        raise Failure(outcome.reason, outcome.transcript + outcome.messages)
    return b"".join(parts), outcome


class Project:
    """A copy of one example for one architecture, in a folder with a space in its name."""

    def __init__(self, name, arch, work):
        self.name, self.arch, self.folder = name, arch, os.path.join(work, "my projects", name)
        self.vectra = os.path.abspath("vectra")
        self.compiler = f"{self.vectra} cc --arch {arch}"
        shutil.copytree(f"{FOLDER}/{name}", self.folder)

    def make(self, arguments):
        """Runs make in the copy."""
        shell(f"make -s {arguments}", self.folder)

    def expect(self, command, files, machine=None):
        """The command prints the file `expected`, and ends well."""
        output, outcome = inside(machine or Machine(self.arch), command, [(f"{self.folder}/{host_name}", guest_name)
                                                               for host_name, guest_name in files])
        with open(f"{FOLDER}/{self.name}/expected", "rb") as handle:
            wanted = handle.read()
        if output != wanted or outcome.status != 0:
            raise Failure(f"exit status {outcome.status}, printed {output!r}", wanted)


def hello(project):
    """By its makefile."""
    project.make(f'CC="{project.compiler}"')
    project.expect("hello", [("hello", "/bin/hello")])


def threads(project):
    """By CMake."""
    toolchain = os.path.abspath(f"{FOLDER}/vectra.cmake")
    shell(f"cmake -B build -DCMAKE_TOOLCHAIN_FILE='{toolchain}' -DVECTRA_ARCH={project.arch} && cmake --build build",
          project.folder)
    project.expect("threads", [("build/threads", "/bin/threads")])


def ring(project):
    """By the compiler alone."""
    shell(f"{project.compiler} -std=gnu23 -O2 -Wall -Wextra -Werror -o ring ring.c", project.folder)
    project.expect("/bin/ring", [("ring", "/bin/ring")])


def lua(project):
    """Needs no building."""
    project.expect("lua /test/main.lua", [("main.lua", "/test/main.lua"), ("count.lua", "/test/count.lua")])


def driver(project):
    """By its makefile and pkg-config; on a machine with two entropy devices, of which it is given the second."""
    project.make(f"VECTRA='{project.vectra}' ARCH={project.arch}")
    graph = f"{project.folder}/graph"
    with open(graph, "wb") as handle:
        for path in ("etc/services", f"{FOLDER}/driver/dice.services"):
            with open(path, "rb") as part:
                handle.write(part.read())
    machine = Machine(project.arch, append=["services=/etc/graph"],
                      extra=["-device", "virtio-rng-pci", "-device", "virtio-rng-pci"])
    output, outcome = inside(machine, "services", [(f"{project.folder}/dice", "/sbin/dice"), (graph, "/etc/graph")])
    told = outcome.transcript + output
    if not DICE.search(told) or not re.search(rb"^rngd +ready", output, re.MULTILINE):
        raise Failure("the dice were not thrown", told)


def filesystem(project):
    """By its makefile and pkg-config; vfsd may use it, and it is mounted by hand."""
    project.make(f"VECTRA='{project.vectra}' ARCH={project.arch}")
    changed = f"{project.folder}/graph"
    with open(changed, "w", encoding="utf-8") as handle:
        handle.write(guest.graph_with("notes", f"{FOLDER}/filesystem/notes.services"))
    machine = Machine(project.arch, append=["services=/etc/graph"])
    project.expect("mount notes /mnt; sh /test/notes.sh 2>&1", [("notes", "/sbin/notes"), ("graph", "/etc/graph"), ("notes.sh", "/test/notes.sh")],
                   machine)


ELSEWHERE = {"rust"}   # by the group of that name
TESTS = {"filesystem": filesystem, "hello": hello, "threads": threads, "ring": ring, "lua": lua, "driver": driver}


def run(name, arch, check):
    """One example."""
    check(arch, "release")
    if reason := ports.unavailable(arch):
        raise Failure(f"there is no C library: {reason}")
    if not os.path.exists(f"build/posix-{arch}/sysroot/.stamp"):
        raise build.BuildError("there is no sysroot")
    with tempfile.TemporaryDirectory(prefix="vectra-") as work:
        TESTS[name](Project(name, arch, work))
    return 1


def all_tested(context):
    """No folder of examples/ is without its test."""
    del context
    found = {os.path.basename(os.path.dirname(path)) for path in glob.glob(f"{FOLDER}/*/")} - ELSEWHERE
    if found != set(TESTS):
        raise Failure(f"examples/ has {sorted(found)}, tested are {sorted(TESTS)}")
    return 1


def tests(context):
    """Every example on each architecture."""
    check = guest.built(context, [(arch, "release") for arch in context.arches])
    return [("all-tested", lambda: all_tested(context))] + \
        [(f"{name}-{arch}", lambda n=name, a=arch: run(n, a, check)) for name in TESTS for arch in context.arches]
