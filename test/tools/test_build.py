# SPDX-License-Identifier: MIT
"""Builds that run at the same time in one tree: one folder at a time, and compile_commands.json loses nothing."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
TOOLS = {**os.environ, "PYTHONPATH": os.path.join(ROOT, "tools")}
# Says that it is in, waits for a line, and says that it goes.
BUILDER = """
import sys
from vectra import build
with build.locked("x86_64-release"):
    print("in", flush=True)
    sys.stdin.readline()
    print("out", flush=True)
"""


class LockTest(unittest.TestCase):
    """build.locked() between processes."""

    def test_the_second_waits_and_says_so(self):
        """And it comes in when the first has gone, also when that was killed."""
        def start():
            return subprocess.Popen([sys.executable, "-c", BUILDER], cwd=folder, env=TOOLS, text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for end in (lambda first: first.communicate("\n"), lambda first: (first.kill(), first.communicate())):
            with tempfile.TemporaryDirectory() as folder, start() as first:
                self.assertEqual(first.stdout.readline(), "in\n")
                with start() as second:
                    self.assertEqual(second.stderr.readline(),
                                     "vectra: waits for another build of x86_64-release in this tree\n")
                    end(first)
                    self.assertEqual(second.communicate("\n"), ("in\nout\n", ""))
                    self.assertEqual(second.returncode, 0)


class CompdbTest(unittest.TestCase):
    """compile_commands.json of two architectures that are built at once."""

    def test_no_entry_is_lost(self):
        """Each merge reads what the others wrote; assembly is named by its object."""
        with tempfile.TemporaryDirectory() as folder:
            arches = [f"arch{n}" for n in range(6)]
            with open(os.path.join(folder, "a.S"), "w", encoding="utf-8"):
                pass
            for arch in arches:
                os.makedirs(os.path.join(folder, "build", arch))
                for n in range(50):
                    path = os.path.join(folder, "build", arch, f"a{n}.o")
                    with open(path, "w", encoding="utf-8"), open(path + ".json", "w", encoding="utf-8") as fragment:
                        fragment.write(json.dumps({"directory": folder, "file": "a.S", "output": f"/tmp/a-{arch}{n}.s"}) + ",\n")
            merges = [subprocess.Popen([sys.executable, os.path.join(ROOT, "tools/vectra/compdb.py"), "compile_commands.json",
                                        f"build/{arch}"], cwd=folder) for arch in arches]
            self.assertEqual([merge.wait() for merge in merges], [0] * len(arches))
            with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as handle:
                outputs = {entry["output"] for entry in json.load(handle)}
            self.assertEqual(outputs, {f"build/{arch}/a{n}.o" for arch in arches for n in range(50)})


if __name__ == "__main__":
    unittest.main()
