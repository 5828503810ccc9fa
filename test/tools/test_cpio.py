# SPDX-License-Identifier: MIT
"""The archive writer: the format, and that the same input gives the same bytes."""

import os
import shutil
import subprocess
import tempfile
import unittest

from vectra import cpio


class CpioTest(unittest.TestCase):
    """Archives written and read back."""

    def test_order_of_adding_means_nothing(self):
        """Sorted entries, parents made."""
        one, two = cpio.Archive(), cpio.Archive()
        one.add("/a/x", b"1")
        one.add("/b", b"22", 0o755)
        two.add("/b", b"22", 0o755)
        two.add("/a/x", b"1")
        self.assertEqual(one.pack(), two.pack())
        entries = cpio.parse(one.pack())
        self.assertEqual(entries, {"a": (0o040755, b""), "a/x": (0o100644, b"1"), "b": (0o100755, b"22")})

    def test_everything_is_aligned(self):
        """Any length of name and data leaves a multiple of four, so archives can follow each other."""
        for name in range(1, 6):
            for size in range(6):
                archive = cpio.Archive()
                archive.add("/" + "n" * name, b"d" * size)
                blob = archive.pack()
                self.assertEqual(len(blob) % 4, 0)
                self.assertEqual(cpio.parse(blob + blob), {"n" * name: (0o100644, b"d" * size)})

    def test_executables_begin_on_pages(self):
        """Whatever stands before them; what is no executable is not moved."""
        for name in range(1, 9):
            archive = cpio.Archive()
            archive.add("/" + "a" * name, b"d" * name)
            archive.add("/bin/x", cpio.ELF + b"first", 0o755)
            archive.add("/bin/y", cpio.ELF + b"second", 0o755)
            blob = archive.pack()
            self.assertEqual([blob.index(text) % cpio.PAGE for text in (cpio.ELF + b"first", cpio.ELF + b"second")], [0, 0])
            self.assertLess(blob.index(b"d" * name), cpio.PAGE)
            entries = cpio.parse(blob)
            self.assertEqual(entries["bin/y"], (0o100755, cpio.ELF + b"second"))

    def test_bad_paths_are_refused(self):
        """Relative, empty, leaving the root, a file below a file."""
        for path in ("x", "/", "", "/../x", "/a/../../x", "/a\0b"):
            with self.assertRaises(ValueError, msg=repr(path)):
                cpio.Archive().add(path, b"")
        archive = cpio.Archive()
        archive.add("/a", b"")
        with self.assertRaises(ValueError):
            archive.add("/a/b", b"")
        archive.add("/d/e", b"")
        with self.assertRaises(ValueError):
            archive.add("/d", b"")

    def test_tree_and_command_line(self):
        """What mk/initrd.mk calls: permissions follow the executable bit alone."""
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "etc", "sub"))
            for name, mode in (("etc/plain", 0o600), ("etc/sub/run", 0o711)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as handle:
                    handle.write(name)
                os.chmod(os.path.join(folder, name), mode)
            out = os.path.join(folder, "out.cpio")
            cpio.main(["--out", out, "--tree", "/etc=" + os.path.join(folder, "etc"),
                       "--program", "/bin/x=" + os.path.join(folder, "etc/plain")])
            modes = {name: mode for name, (mode, _) in cpio.parse(cpio.read(out)).items()}
            self.assertEqual(modes["etc/plain"], 0o100644)
            self.assertEqual(modes["etc/sub/run"], 0o100755)
            self.assertEqual(modes["bin/x"], 0o100755)

    @unittest.skipUnless(shutil.which("cpio"), "needs cpio")
    def test_cpio_reads_it(self):
        """The judgement of somebody else's program."""
        archive = cpio.Archive()
        archive.add("/sbin/initd", b"\x7fELF", 0o755)
        done = subprocess.run(["cpio", "-it"], input=archive.pack(), capture_output=True, check=True)
        self.assertEqual(done.stdout, b"sbin\nsbin/initd\n")


if __name__ == "__main__":
    unittest.main()
