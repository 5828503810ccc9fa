# SPDX-License-Identifier: MIT
"""Ports: recipes, hashes, patches, the cache. Everything here is local: a made-up source in a made-up cache."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from unittest import mock

from vectra import compiler, fetch, ports, unidiff

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PATCH = """Why it is so.

--- a/src/one.txt
+++ b/src/one.txt
@@ -1,3 +1,3 @@
 first
-second
+changed
 third
"""


class PortsTest(unittest.TestCase):
    """A tree and a cache of our own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()   # pylint: disable=consider-using-with
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder.name)
        patcher = mock.patch.dict(os.environ, {"XDG_CACHE_HOME": f"{self.folder.name}/cache"})
        patcher.start()
        self.addCleanup(patcher.stop)
        os.makedirs("source/toy-1/src")
        self.write("source/toy-1/src/one.txt", "first\nsecond\nthird\n")
        self.write("source/toy-1/LICENSE", "do what you like\n")
        with tarfile.open("toy_1.orig.tar.gz", "w:gz") as archive:
            archive.add("source/toy-1", "toy-1")
        with open("toy_1.orig.tar.gz", "rb") as handle:
            self.digest = hashlib.sha256(handle.read()).hexdigest()
        os.makedirs("ports/toy/patches")
        self.write("ports/toy/patches/0001-change.patch", PATCH)
        self.write("ports/toy/build.sh", 'cp src/one.txt "$OUT/result"; echo "$ARCH" >> "$OUT/result"\n')
        self.recipe(self.digest)

    @staticmethod
    def write(path, text):
        """A text file."""
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(text)

    def recipe(self, digest, more=""):
        """The recipe, with a hash."""
        self.write("ports/toy/port.toml", f"""name = "toy"
summary = "a toy"
version = "1"
licence = "none"
licence-file = "LICENSE"
{more}
[source]
package = "toy"
package-version = "1-1"
archive = "toy_1.orig.tar.gz"
sha256 = "{digest}"
folder = "toy-1"
[image]
"/bin/toy" = "result"
""")

    def build(self):
        """Builds from the cache."""
        return ports.build(ports.load("toy"), "x86_64")

    def test_build(self):
        """Patched, built once, kept by content, and built again when the recipe changes."""
        fetch.keep("toy_1.orig.tar.gz", "toy_1.orig.tar.gz", self.digest)
        key = self.build()
        self.assertEqual(fetch.read("build/posix-x86_64/ports/toy/result"), "first\nchanged\nthird\nx86_64\n")
        self.assertIn("licence: none", fetch.read("build/posix-x86_64/ports/toy/PORT"))
        self.assertEqual(fetch.read("build/posix-x86_64/ports/toy/LICENCE"), "do what you like\n")
        self.assertEqual(ports.image_list("x86_64").split("\n")[0],
                         "program /bin/toy=build/posix-x86_64/ports/toy/result")
        with mock.patch.object(ports, "compile_port") as compile_port:
            self.assertEqual(self.build(), key)
            subprocess.run(["rm", "-rf", "build"], check=True)
            self.assertEqual(self.build(), key)   # a clean does not build again
            self.assertFalse(compile_port.called)
        self.write("ports/toy/build.sh", 'echo other > "$OUT/result"\n')
        self.assertNotEqual(self.build(), key)
        self.assertEqual(fetch.read("build/posix-x86_64/ports/toy/result"), "other\n")

    def test_hash(self):
        """An archive that is not what the recipe names is refused, and never gets into the cache."""
        self.recipe("0" * 64)
        with self.assertRaisesRegex(fetch.WrongHash, "the SHA-256 is " + self.digest):
            fetch.keep("toy_1.orig.tar.gz", "toy_1.orig.tar.gz", "0" * 64)
        self.assertFalse(os.path.exists(fetch.cached("toy_1.orig.tar.gz", "0" * 64)))

    def test_rotten_cache(self):
        """A cached archive that changed is not used."""
        place = fetch.keep("toy_1.orig.tar.gz", "toy_1.orig.tar.gz", self.digest)
        self.write(place, "rot")
        self.assertIsNone(fetch.have("toy_1.orig.tar.gz", self.digest))

    def test_offline(self):
        """Without a network there is one line that says so, no build, and nothing on the image."""
        with mock.patch.object(fetch, "apt", return_value=(False, "E: no route\n")), \
                mock.patch.object(fetch, "source_parts", return_value={"x.sources": "Types: deb deb-src\n"}), \
                mock.patch.object(fetch.shutil, "which", return_value="/bin/apt-get"):
            self.assertEqual(ports.build_for_make("x86_64", "toy", "build/toy.key"), ports.UNAVAILABLE_STATUS)
        self.assertEqual(ports.unavailable("x86_64"), "toy: the package lists cannot be fetched: no route")
        self.assertEqual(ports.image_list("x86_64"), "")
        with mock.patch.object(ports, "build") as build:   # not tried again for a while
            self.assertEqual(ports.build_for_make("x86_64", "toy", "build/toy.key"), ports.UNAVAILABLE_STATUS)
            self.assertFalse(build.called)

    def test_a_failing_build(self):
        """The end of the log is told."""
        fetch.keep("toy_1.orig.tar.gz", "toy_1.orig.tar.gz", self.digest)
        self.write("ports/toy/build.sh", "echo this is why; exit 3\n")
        with self.assertRaisesRegex(ports.PortError, "does not build for x86_64(.|\n)*this is why"):
            self.build()

    def test_a_patch_that_does_not_fit(self):
        """Named, and nothing is built."""
        fetch.keep("toy_1.orig.tar.gz", "toy_1.orig.tar.gz", self.digest)
        self.write("ports/toy/patches/0001-change.patch", PATCH.replace("-second", "-sekond"))
        with self.assertRaisesRegex(ports.PortError, "0001-change.patch: src/one.txt: the lines from 1 on"):
            self.build()

    def test_recipes(self):
        """Mistakes are named; the recipes of the tree have none."""
        self.recipe(self.digest, 'colour = "red"')
        with self.assertRaisesRegex(ports.PortError, "unknown field 'colour'"):
            ports.load("toy")
        with self.assertRaisesRegex(ports.PortError, "there is no port 'tea'"):
            self.recipe(self.digest)
            ports.load("tea")
        known = ports.load(folder=f"{ROOT}/ports")
        self.assertLessEqual({"musl", "lua"}, set(known))
        for port in known.values():
            for name, digest in port.archives():
                self.assertRegex(digest, "^[0-9a-f]{64}$", name)

    def test_package_settings(self):
        """Only the distribution's own, with source packages; the machine's files are only read."""
        os.makedirs("apt/sources.list.d")
        self.write("apt/sources.list.d/a.sources", "Types: deb\nURIs: file:/a\nSigned-By: /usr/share/keyrings/"
                   "debian-archive-keyring.gpg\n\nTypes: deb\nURIs: file:/b\nSigned-By: /usr/share/keyrings/other.gpg\n")
        self.write("apt/sources.list", "deb http://mirror.invalid/debian bookworm main\ndeb http://b.invalid/x y z\n")
        parts = fetch.source_parts("apt")
        self.assertEqual(parts["a.sources"].split("\n")[0], "Types: deb deb-src")
        self.assertNotIn("file:/b", parts["a.sources"])
        self.assertEqual(parts["sources-vectra.list"], "deb http://mirror.invalid/debian bookworm main\n"
                         "deb-src http://mirror.invalid/debian bookworm main\n")


class UnidiffTest(unittest.TestCase):
    """Applying patches."""

    def test_moved_lines(self):
        """A hunk may have moved; lines outside the source are refused."""
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(f"{folder}/src")
            with open(f"{folder}/src/one.txt", "w", encoding="utf-8") as handle:
                handle.write("new\n" * 5 + "first\nsecond\nthird\n")
            unidiff.apply(PATCH, folder)
            with open(f"{folder}/src/one.txt", encoding="utf-8") as handle:
                self.assertEqual(handle.read(), "new\n" * 5 + "first\nchanged\nthird\n")
            with self.assertRaisesRegex(unidiff.PatchError, "not as the patch expects"):
                unidiff.apply(PATCH, folder)
            with self.assertRaisesRegex(unidiff.PatchError, "outside the source"):
                unidiff.apply(PATCH.replace("src/one.txt", "../one.txt"), folder)
            with self.assertRaisesRegex(unidiff.PatchError, "no change"):
                unidiff.apply("words\n", folder)

    def test_new_file(self):
        """A file that was not there."""
        with tempfile.TemporaryDirectory() as folder:
            unidiff.apply("--- /dev/null\n+++ b/new/x\n@@ -0,0 +1,2 @@\n+a\n+b\n", folder)
            with open(f"{folder}/new/x", encoding="utf-8") as handle:
                self.assertEqual(handle.read(), "a\nb\n")


class CompilerTest(unittest.TestCase):
    """The command line that ./vectra cc makes."""

    def test_links(self):
        """Links only when there is something to link and nothing says to stop before."""
        for words, wanted in ((["x.c"], True), (["-c", "x.c"], False), (["-E", "x.c"], False), (["-o", "x.c"], False),
                              (["-o", "x", "y.o"], True), (["-print-file-name=x"], False), (["--version"], False),
                              (["-v"], False), (["-v", "x.c"], True)):
            self.assertEqual(compiler.links(words), wanted, words)

    def test_command(self):
        """Static by default; the start file first, the C library last."""
        with mock.patch.object(compiler, "base_flags", return_value=[]):
            line = compiler.command("aarch64", ["-O2", "x.c", "-lm", "-o", "x"])
        self.assertIn("-static", line)
        self.assertNotIn("-lm", line)
        self.assertLess(next(i for i, w in enumerate(line) if w.endswith("crt1.o")), line.index("x.c"))
        self.assertTrue(line[-1].endswith("crtn.o"))


class PosixTableTest(unittest.TestCase):
    """docs/posix.md."""

    def test_surface(self):
        """A call without a row, and a row without a call, are both told."""
        sys.path.insert(0, f"{ROOT}/tools/gen")
        import calls as table   # pylint: disable=import-outside-toplevel,import-error
        rows = table.rows('/* Part */\nDONE(read, 3, "")\nLATER(fork, ENOSYS, "never")\n')
        self.assertEqual(rows[1], ("Part", "LATER", "fork", "ENOSYS", "never"))
        self.assertEqual(table.surface("#define SYS_read 0\n#define SYS_fork 1\n", rows), [])
        self.assertEqual(len(table.surface("#define SYS_read 0\n#define SYS_write 1\n", rows)), 2)
        with self.assertRaisesRegex(ValueError, "two rows"):
            table.rows('DONE(read, 3, "")\nDONE(read, 3, "")\n')
        with self.assertRaisesRegex(ValueError, "not a row"):
            table.rows("DONE(read)\n")


if __name__ == "__main__":
    unittest.main()
