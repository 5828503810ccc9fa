# SPDX-License-Identifier: MIT
"""Group `tools`: the unit tests of the Python tools, and every tools/check-* on this tree."""

import glob
import os
import re
import sys

from vectra.groups.host import run
from vectra.results import Failure

# What a checker is called with, where it needs to be told.
ARGUMENTS = {"check-graph": ["etc/services"]}
RAN = re.compile(rb"^Ran ([0-9]+) tests? in", re.MULTILINE)


def unittests(module):
    """Runs one file of test/tools; returns how many tests passed."""
    status, output = run(["env", "PYTHONPATH=tools:test/tools", sys.executable, "-m", "unittest", module])
    count = RAN.search(output)
    if status != 0:
        raise Failure(f"exit status {status}", output)
    if not count or int(count.group(1)) == 0:
        raise Failure("ran no test", output)
    return int(count.group(1))


def checker(line):
    """Runs one checker of the tree."""
    status, output = run(line)
    if status != 0:
        text = output.decode("utf-8", "replace").strip()
        raise Failure(text.split("\n")[-1] if text else f"exit status {status}", output)
    return 1


def tests(_):
    """Unit tests first, then the checkers, then the size budget."""
    out = [(os.path.basename(path)[:-3], lambda m=os.path.basename(path)[:-3]: unittests(m))
           for path in sorted(glob.glob("test/tools/test_*.py"))]
    out += [(os.path.basename(path), lambda p=path: checker([p, *ARGUMENTS.get(os.path.basename(p), [])]))
            for path in sorted(glob.glob("tools/check-*")) if os.access(path, os.X_OK)]
    out.append(("size", lambda: checker(["./vectra", "size", "--check"])))
    return out
