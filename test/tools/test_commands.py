# SPDX-License-Identifier: MIT
"""./vectra itself: wrong usage gets one line and exit status 2, from any directory and through a symbolic link."""

import os
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
VECTRA = os.path.join(ROOT, "vectra")


def vectra(*words, program=VECTRA, folder=None):
    """(status, stdout, stderr) of one call."""
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


class UsageTest(unittest.TestCase):
    """Mistakes on the command line."""

    def wrong(self, words, message):
        """One line on stderr that says it, nothing on stdout, status 2."""
        status, out, err = vectra(*words)
        self.assertEqual((status, out), (2, ""), words)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertIn(message, err)

    def test_mistakes(self):
        """Each with a suggestion where one is near."""
        for words, message in (
                (["rnu"], "unknown command 'rnu'; did you mean 'run'?"),
                (["cc"], "no input files"),
                (["cc", "--arch"], "--arch needs a value"),
                (["cc", "--arch", "mips", "x.c"], "unknown architecture"),
                (["ports", "bild"], "did you mean 'build'?"),
                (["ports", "build", "no-such"], "there is no port 'no-such'"),
                (["run", "--arhc", "x"], "did you mean '--arch'?"),
                (["run", "--arch", "arm64"], "did you mean 'aarch64'?"),
                (["run", "--arch", "mips"], "unknown architecture"),
                (["run", "--arch"], "--arch needs a value"),
                (["run", "--smp", "0"], "whole number from 1 to 512"),
                (["run", "--mem", "lots"], "size like 512M"),
                (["run", "--disk", "/no/such/file"], "no such file"),
                (["run", "--accel", "kwm"], "did you mean 'kvm'?"),
                (["run", "--gic", "2"], "--gic is for aarch64 only"),
                (["run", "ls"], "unexpected 'ls'"),
                (["run", "--", "ls"], "takes no command"),
                (["exec"], "no command"),
                (["exec", "ls"], "the command goes behind '--'"),
                (["exec", "--"], "no command"),
                (["exec", "--add", "x", "--", "ls"], "HOST:GUEST"),
                (["exec", "--add", "/no/such:/x", "--", "ls"], "no such file"),
                (["exec", "--add", "/bin/sh:/tmp/x", "--", "ls"], "/tmp hides"),
                (["exec", "--timeout", "never", "--", "ls"], "number of seconds"),
                (["exec", "--verbose=1", "--", "ls"], "takes no value"),
                (["test", "boots"], "did you mean 'boot'?"),
                (["test", "--junit", "/no/such/folder/x"], "folder does not exist"),
                (["bench", "Kernel!"], "there is no group 'Kernel!'"),
                (["bench", "kernel", "null_sycall"], "did you mean 'null_syscall'?"),
                (["trace", "a b", "--", "ls"], "not the name of a Task"),
                (["trace", "sh", "--posix", "--", "ls"], "a NAME is for the kernel's calls"),
                (["size", "--chek"], "did you mean '--check'?"),
                (["doctor", "--x"], "takes no options"),
                (["disk"], "what is to be done?"),
                (["disk", "crate", "x", "1M"], "did you mean 'create'?"),
                (["disk", "create", "x"], "create needs an image and a size"),
                (["disk", "create", "x", "big"], "size like 512M"),
                (["disk", "ls"], "ls needs an image"),
                (["disk", "ls", "x", "--label", "y"], "--label is for create"),
                (["disk", "get", "x"], "get needs an image and a path"),
                (["disk", "put", "x", "y"], "put needs an image, files, and a path"),
                (["help", "exce"], "did you mean 'exec'?")):
            self.wrong(words, message)

    def test_help(self):
        """Every command has a help text that begins with its usage."""
        status, out, _ = vectra("help")
        self.assertEqual(status, 0)
        for name in ("run", "exec", "test", "bench", "debug", "trace", "cc", "ports", "size", "disk", "doctor"):
            self.assertIn(f"  {name} ", out)
            for words in (["help", name], [name, "--help"]):
                status, text, _ = vectra(*words)
                self.assertEqual((status, text.startswith(f"usage: ./vectra {name}")), (0, True), words)

    def test_from_anywhere(self):
        """A symbolic link in a folder with a space in its name, called from elsewhere."""
        with tempfile.TemporaryDirectory(prefix="a space ") as folder:
            os.symlink(VECTRA, os.path.join(folder, "one"))
            os.symlink("one", os.path.join(folder, "two"))
            status, out, _ = vectra("help", program=os.path.join(folder, "two"), folder=folder)
            self.assertEqual(status, 0)
            self.assertIn("usage: ./vectra", out)

    def test_relative_files_are_the_callers(self):
        """A relative path means the folder in which the person typed."""
        with tempfile.TemporaryDirectory() as folder:
            _, _, err = vectra("exec", "--add", "here:/x", "--bogus", "--", "ls", folder=folder)
            self.assertIn("no such file", err)
            with open(os.path.join(folder, "here"), "w", encoding="utf-8") as handle:
                handle.write("x")
            _, _, err = vectra("exec", "--add", "here:/x", "--bogus", "--", "ls", folder=folder)
            self.assertIn("unknown option '--bogus'", err)


if __name__ == "__main__":
    unittest.main()
