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
    """One build of a folder at a time, also between two ./vectra."""
    os.makedirs("build", exist_ok=True)
    with open(f"build/.lock-{name}", "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
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


def build(arch, mode, goals=("all",)):
    """Builds one architecture and mode. Raises BuildError with the end of make's output."""
    line = ["make", "-O", f"-j{jobs()}", f"ARCH={arch}", f"MODE={mode}", *goals]
    progress = Progress(f"vectra: building {arch} ({mode})")
    tail = collections.deque(maxlen=60)
    with locked(f"{arch}-{mode}"):
        with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace") as process:
            for count, text in enumerate(process.stdout):
                tail.append(text)
                progress.step(count, " ".join(text.split()))
        progress.end()
    if process.returncode != 0:
        raise BuildError("".join(tail))
