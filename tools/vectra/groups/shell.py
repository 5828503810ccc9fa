# SPDX-License-Identifier: MIT
"""Group `shell`: the shell's language against another shell.

The shell's language is portable. Built for this machine, under the sanitizers, it runs every script of test/shell/corpus
beside dash: standard output and exit status must be the same, byte for byte, and it must complain when dash does. Scripts
that begin with the line `# inside` need no other program; they run inside the system too (group `posix`).
"""

import glob
import os
import re
import shutil
import subprocess
import tempfile

from vectra import build
from vectra.results import Failure

CORPUS = "test/shell/corpus"
SHELL = "build/host/shell/sh"
WITHIN_S = 120
SANITIZER = re.compile(rb"runtime error:|ERROR: AddressSanitizer")


def other_shell():
    """The shell to compare with."""
    found = shutil.which("dash")
    if not found:
        raise Failure("dash is not on this machine (Debian: dash)")
    return found


def scripts(inside=False):
    """The scripts' paths."""
    out = []
    for path in sorted(glob.glob(f"{CORPUS}/*.sh")):
        with open(path, encoding="utf-8") as handle:
            if not inside or handle.readline().strip() == "# inside":
                out.append(path)
    return out


def run(shell, script):
    """Runs a script with `sh` being that shell, in a folder of its own: (status, output, errors)."""
    with tempfile.TemporaryDirectory(prefix="vectra-shell-") as folder:
        os.symlink(os.path.abspath(shell), f"{folder}/sh")
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": "/", "TMPDIR": folder, "LC_ALL": "C",
                       "ASAN_OPTIONS": "detect_leaks=0"}
        try:
            done = subprocess.run([f"{folder}/sh", os.path.abspath(script)], cwd=folder, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=WITHIN_S, env=environment, check=False)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{shell} did not end within {WITHIN_S} s", late.stdout or b"") from late
    return done.returncode, done.stdout, done.stderr


def first_difference(wanted, got):
    """Where two outputs part."""
    lines, others = wanted.split(b"\n"), got.split(b"\n")
    for number, (one, other) in enumerate(zip(lines + [b"(end)"], others + [b"(end)"]), start=1):
        if one != other:
            return f"line {number}: dash says {one.decode('utf-8', 'replace')!r}, the shell says " \
                   f"{other.decode('utf-8', 'replace')!r}"
    return "one output is longer"


def compare(script):
    """One script in both shells."""
    status, output, errors = run(SHELL, script)
    if SANITIZER.search(errors):
        raise Failure("a sanitizer speaks", errors)
    wanted_status, wanted, complaints = run(other_shell(), script)
    if not wanted:
        raise Failure("dash prints nothing: the script tests nothing")
    if output != wanted:
        raise Failure(first_difference(wanted, output), errors)
    if status != wanted_status:
        raise Failure(f"exit status {status}, dash has {wanted_status}", errors)
    if complaints and not errors:
        raise Failure("dash complains, the shell does not", complaints)
    return len(wanted.split(b"\n")) - 1


def tests(context):
    """One test for each script."""
    broken = []
    if not context.listing:
        with build.locked("host"):
            good, words = build.make(["host-shell"])
        if not good:
            broken.append(words)

    def test(script):
        if broken:
            raise Failure("does not build", broken[0])
        return compare(script)
    return [(os.path.basename(path)[:-3], lambda p=path: test(p)) for path in scripts()]
