# SPDX-License-Identifier: MIT
"""Calls make: quiet when it works, a progress line when it takes a while, make's own words when it fails."""

import collections
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time

SLOW_S = 1.0


class BuildError(Exception):
    """The build failed; the text is what make said last."""


@contextlib.contextmanager
def locked(name):
    """One build of a folder at a time, also between two ./vectra: the second waits, and says so if that takes a while."""
    os.makedirs("build", exist_ok=True)
    with open(f"build/.lock-{name}", "w", encoding="utf-8") as handle:
        end = time.monotonic() + SLOW_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.02)
            if time.monotonic() > end:
                print(f"vectra: waits for another build of {name} in this tree", file=sys.stderr, flush=True)
                fcntl.flock(handle, fcntl.LOCK_EX)
                break
        yield


def jobs():
    """How many compilers at once."""
    return max(2, os.cpu_count() or 2)


def make(goals, **variables):
    """Runs make; returns (ok, output). Both streams together, with the goals that still work made too."""
    line = ["make", "-k", "-O", f"-j{jobs()}", *(f"{k}={v}" for k, v in variables.items()), *goals]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


class Progress:
    """A line on stderr that shows what a slow build is at; nothing when it is quick or when nobody watches."""

    def __init__(self, title):
        self.title, self.start = title, time.monotonic()
        self.shown, self.tty = False, sys.stderr.isatty()

    def step(self, count, text):
        """One more thing is done."""
        if time.monotonic() - self.start < SLOW_S:
            return
        if self.tty:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\033[K" + f"{self.title}: {count} {text}"[:width])
            sys.stderr.flush()
        elif not self.shown:
            print(f"{self.title}…", file=sys.stderr)
        self.shown = True

    def end(self):
        """Leaves a clean line."""
        if self.shown and self.tty:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def run_make(line, title):
    """Runs make with a progress line. Raises BuildError with the end of its output."""
    progress = Progress(title)
    tail = collections.deque(maxlen=60)
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as process:
        for count, text in enumerate(process.stdout):
            tail.append(text)
            progress.step(count, " ".join(text.split()))
    progress.end()
    if process.returncode != 0:
        raise BuildError("".join(tail))


def build(arch, mode, goals=("all",)):
    """Builds one architecture and mode. Says so in a line when there are no ports for it."""
    line = ["make", "-O", f"-j{jobs()}", f"ARCH={arch}", f"MODE={mode}", *goals]
    with locked(f"posix-{arch}"), locked(f"{arch}-{mode}"):
        run_make(line, f"vectra: building {arch} ({mode})")
    if "all" in goals:
        tell_unavailable(arch)


def build_posix(arch, goals):
    """Builds the C library or ports. A source that cannot be had is no error here: ports.unavailable() tells."""
    line = ["make", "-O", f"-j{jobs()}", f"ARCH={arch}", *goals]
    with locked(f"posix-{arch}"):
        try:
            run_make(line, f"vectra: building for {arch}")
        except BuildError:
            if not os.path.exists(f"build/posix-{arch}/unavailable"):
                raise


def build_sysroot(arch):
    """The C library alone."""
    build_posix(arch, ["sysroot"])


TOLD = set()


def tell_unavailable(arch):
    """One line on stderr, once, when the system was built without the ports."""
    path = f"build/posix-{arch}/unavailable"
    if arch in TOLD or not os.path.exists(path):
        return
    TOLD.add(arch)
    with open(path, encoding="utf-8") as handle:
        print(f"vectra: {arch} is built without the C library and the ports: {handle.read().strip()}", file=sys.stderr)
