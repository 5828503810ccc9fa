# SPDX-License-Identifier: MIT
"""tools/check-syscall-tests is not content with names: what bears one must be able to fail, and must have run."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CHECKER, TESTS = os.path.join(ROOT, "tools/check-syscall-tests"), os.path.join(ROOT, "test/guest/syscalls")
MADE = "E(cap_drop, BAD_HANDLE, SYS(cap_drop, sem))"


class CheckerTest(unittest.TestCase):
    """Copies of the tests, changed as somebody would who wants peace."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.tests = os.path.join(self.folder, "syscalls")
        shutil.copytree(TESTS, self.tests)

    def check(self, *words):
        """(status, output) of the checker on the copies."""
        done = subprocess.run([CHECKER, "--tests", self.tests, *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def with_instead(self, text):
        """The checker's answer when `text` stands where a test stood."""
        path = os.path.join(self.tests, "cap.c")
        with open(path, encoding="utf-8") as handle:
            whole = handle.read()
        self.assertEqual(whole.count(MADE), 1)
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(whole.replace(MADE, text))
        return self.check()

    def test_what_is_there_is_enough(self):
        """And nothing of it is in vain."""
        self.assertEqual(self.check()[0], 0)

    def test_a_test_that_is_gone(self):
        """Its name is said."""
        self.assertEqual(self.with_instead("(void)0"), (1, "check-syscall-tests: cap_drop.BAD_HANDLE: no test\n"))

    def test_names_that_prove_nothing(self):
        """In a comment, with a condition that holds always, about another call."""
        for text, complaint in (
                (f"(void)0; /* {MADE} */", "cap_drop.BAD_HANDLE: no test"),
                (f"(void)0; // {MADE}", "cap_drop.BAD_HANDLE: no test"),
                ("C(cap_drop, BAD_HANDLE, true)", "its condition is always 'true'"),
                ("E(cap_drop, BAD_HANDLE, SYS(cap_inspect, 0, 0))", "it calls cap_inspect"),
                ("E(cap_drop, BAD_HANDLE, sem)", "'sem' is no result of that call")):
            status, words = self.with_instead(text)
            self.assertEqual((status, complaint in words), (1, True), words)
            shutil.rmtree(self.tests)
            shutil.copytree(TESTS, self.tests)

    def test_a_test_that_does_not_run(self):
        """What the program printed decides."""
        transcript = os.path.join(self.folder, "transcript")
        needed = self.check("--list")[1].split()
        with open(transcript, "w", encoding="utf-8") as handle:
            handle.writelines(f"ok {n} - {name}\n" for n, name in enumerate(needed) if name != "cap_drop.BAD_HANDLE")
        self.assertEqual(self.check("--transcript", transcript),
                         (1, "check-syscall-tests: cap_drop.BAD_HANDLE: not printed as ok\n"))


if __name__ == "__main__":
    unittest.main()
