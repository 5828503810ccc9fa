# SPDX-License-Identifier: MIT
"""Test results: collecting, showing as they come, and the JUnit file. Nothing is retried; a failure is counted."""

import re
import threading
import time
import xml.etree.ElementTree as xml

TAIL = 40
# What XML 1.0 cannot hold.
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


class LeftOut(Exception):
    """A group that cannot run on this machine and that nobody named; the text says why."""


class Result:
    """One test: its group, name, time, and None or what went wrong; `count` is how many assertions a pass stands for."""

    def __init__(self, group, name, seconds, problem=None, log="", count=1):
        self.group, self.name, self.seconds, self.problem = group, name, seconds, problem
        self.log, self.count = log, count


class Report:
    """All results of a run; printing is serialised, so tests may end in any thread."""

    def __init__(self, out):
        self.out, self.results, self._lock = out, [], threading.Lock()
        self.started = time.monotonic()

    def say(self, text):
        """One line of progress."""
        with self._lock:
            print(text, file=self.out, flush=True)

    def add(self, result):
        """Counts and shows one result, a failure with the end of its log."""
        with self._lock:
            self.results.append(result)
            mark = "FAIL" if result.problem else "ok"
            many = f" ({result.count} checks)" if result.count > 1 else ""
            print(f"  {mark:<4} {result.group}/{result.name}{many}  {result.seconds:.1f} s", file=self.out)
            if result.problem:
                print(f"       {result.problem}", file=self.out)
                for line in tail(result.log):
                    print(f"       | {line}", file=self.out)
            self.out.flush()

    @property
    def passed(self):
        """How many checks passed."""
        return sum(r.count for r in self.results if not r.problem)

    @property
    def failed(self):
        """How many tests failed."""
        return sum(1 for r in self.results if r.problem)

    def finish(self):
        """The failures once more, then the last line; returns the exit status."""
        with self._lock:
            for result in self.results:
                if result.problem:
                    print(f"failed: {result.group}/{result.name}: {result.problem}", file=self.out)
            print(f"{time.monotonic() - self.started:.0f} s", file=self.out)
            print(f"{self.passed} passed, {self.failed} failed", file=self.out, flush=True)
        return 1 if self.failed or not self.passed else 0

    def write_junit(self, path):
        """The results as a JUnit file."""
        root = xml.Element("testsuites")
        for group in dict.fromkeys(r.group for r in self.results):
            mine = [r for r in self.results if r.group == group]
            suite = xml.SubElement(root, "testsuite", name=group, tests=str(len(mine)),
                                   failures=str(sum(1 for r in mine if r.problem)),
                                   time=f"{sum(r.seconds for r in mine):.3f}")
            for result in mine:
                case = xml.SubElement(suite, "testcase", classname=group, name=result.name,
                                      time=f"{result.seconds:.3f}")
                if result.problem:
                    problem = xml.SubElement(case, "failure", message=UNPRINTABLE.sub("?", result.problem))
                    problem.text = UNPRINTABLE.sub("?", printable(result.log))
        xml.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def printable(log):
    """A log as text, whatever it was."""
    return log.decode("utf-8", "replace") if isinstance(log, (bytes, bytearray)) else log


def tail(log, lines=TAIL):
    """The last lines of a log, printable."""
    return [UNPRINTABLE.sub("?", line.rstrip("\r")) for line in printable(log).rstrip().split("\n")[-lines:] if line.strip("\r")]


class Failure(Exception):
    """A test failed; the text says at what, `log` is what led there."""

    is_verdict = True

    def __init__(self, text, log=""):
        super().__init__(text)
        self.log = log
