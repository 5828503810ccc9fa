# SPDX-License-Identifier: MIT
"""Rust's tools: which compiler will do, what is piped to a program, and what links later. Nothing is fetched or built."""

import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from vectra import fetch
from vectra.commands import cargo
from vectra.rust import NotHere, link, listing, programs, runner, toolchain

POLICY = """rustc-web:
  Installed: (none)
  Candidate: {version}
  Version table:
"""


class ToolchainTest(unittest.TestCase):
    """A distribution of our own."""

    def candidate(self, version):
        """Which version would be taken where the distribution has that one."""
        with mock.patch.object(toolchain, "ask", return_value=POLICY.format(version=version)), \
                mock.patch.object(fetch, "renew"):
            return toolchain.candidate([], "")

    def test_new_enough(self):
        """The oldest that will do, and newer ones."""
        for version in ("1.96.0+dfsg1-1~deb12u2", "1.100.0-1", "2:2.0.1-1"):
            self.assertEqual(self.candidate(version), version)

    def test_too_old(self):
        """The refusal says what was found and what was wanted."""
        for version in ("1.95.9+dfsg1-1", "1.85.0+dfsg2-3", "0.99.0-1"):
            with self.assertRaisesRegex(NotHere, rf"needs Rust 1\.96 or newer.*here it is {version.replace('+', '.')}"):
                self.candidate(version)

    def test_none(self):
        """So does the one where there is none at all."""
        with self.assertRaisesRegex(NotHere, "needs Rust 1.96 or newer.*has no package rustc-web"):
            self.candidate("(none)")

    def test_an_old_one_in_the_cache(self):
        """An old one that was unpacked once is not taken."""
        with tempfile.TemporaryDirectory() as cache, mock.patch.dict(os.environ, {"XDG_CACHE_HOME": cache}):
            for version in ("1.95.0-1", "1.85.0-1"):
                os.makedirs(f"{cache}/vectra/rust/toolchain-{version}")
                with open(f"{cache}/vectra/rust/toolchain-{version}/.complete", "w", encoding="utf-8"):
                    pass
            self.assertIsNone(toolchain.unpacked())


class RunnerTest(unittest.TestCase):
    """What ./vectra exec is told."""

    def test_command(self):
        """Arguments and variables are quoted; standard input is a file, if there is one."""
        line = runner.command("aarch64", "/x/my demo", ["a b", "$x"], {"RUST_LOG": "a;b", "HOME": "/"})
        self.assertEqual(line[-1], "RUST_LOG='a;b' '/bin/my demo' 'a b' '$x'")
        line = runner.command("x86_64", "/x/demo", [], {}, "/y/input")
        self.assertEqual(line[-1], f"/bin/demo <{runner.INPUT}")
        self.assertIn(f"/y/input:{runner.INPUT}", line)

    def piped(self, **source):
        """What a process finds for its standard input."""
        code = "import sys; sys.path.insert(0, 'tools'); from vectra.rust import runner; print(runner.standard_input())"
        return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, **source).stdout.decode().strip()

    def test_standard_input(self):
        """A pipe's and a file's bytes; a device has none to give."""
        self.assertEqual(self.piped(input=b"a\n\x00\xff"), repr(b"a\n\x00\xff"))
        self.assertEqual(self.piped(input=b""), repr(b""))
        self.assertEqual(self.piped(stdin=subprocess.DEVNULL), "None")
        with tempfile.TemporaryFile() as handle:
            handle.write(b"in a file")
            handle.seek(3)
            self.assertEqual(self.piped(stdin=handle), repr(b"a file"))


class ProgramsTest(unittest.TestCase):
    """The recipe of others' programs."""

    def test_recipe(self):
        """Every program can be fetched, built and compared, and every hash is one."""
        found, crates = programs.recipe()
        self.assertGreaterEqual(len(found), 3)
        for name, program in found.items():
            self.assertTrue({"summary", "version", "licence", "licence-file"} <= set(program), name)
            self.assertTrue("binary" in program or "example" in program, name)
            self.assertTrue("crate" in program or {"package", "package-version", "archive", "sha256", "folder"} <= set(program), name)
        digests = [*crates.values(), *(program["sha256"] for program in found.values() if "sha256" in program),
                   *(program["peer"][1] for program in found.values() if "peer" in program)]
        for digest in digests:
            self.assertRegex(digest, "^[0-9a-f]{64}$")

    def test_join(self):
        """One object is made of what is a file; what is for the last link is left out."""
        line = link.join_command(["a.o", "-L", "x", "--gc-sections", "b.rlib", "-lc", "-o", "out.o"])
        self.assertEqual(line[1:], ["-r", "a.o", "b.rlib", "-o", "out.o"])


class CommandTest(unittest.TestCase):
    """The linker's command line."""

    def test_placed(self):
        """What may lie anywhere relocates itself first; what begins by itself lies where it was linked for."""
        free = link.command("x86_64", ["-static", "-pie", "--no-dynamic-linker", "a.o"], "m")
        self.assertTrue(any(word.endswith("/rcrt1.o") for word in free))
        self.assertNotIn(link.FIXED, free)
        bare = link.command("x86_64", ["-static", "-pie", "--no-dynamic-linker", "-nostartfiles", "a.o"], "m")
        self.assertFalse([word for word in bare if word.endswith("crt1.o") or word in link.PLACED])
        self.assertIn(link.FIXED, bare)

    def test_maps(self):
        """The guard has its map, and so has who asked for one."""
        words = ["--Map=mine", "a.o"]
        self.assertEqual(link.command("x86_64", words, "ours")[-1], "--Map=ours")
        self.assertEqual(link.maps(words), ["mine"])


class CargoTest(unittest.TestCase):
    """Whether cargo is told of the crate `vectra`."""

    def test_who_uses_it(self):
        """The project, one of its workspace, or perhaps something outside; cargo new in an empty folder does not."""
        with tempfile.TemporaryDirectory() as place:
            os.makedirs(f"{place}/project/member/src")
            self.assertFalse(cargo.may_use_ours(place, ["new", "project"]))
            for folder, dependency, uses in (("project", "libc", False), ("project/member", "libc", False),
                                             ("project", 'other = { path = "../other" }', True), ("project", "libc", False),
                                             ("project/member", "vectra", True)):
                with open(f"{place}/{folder}/Cargo.toml", "w", encoding="utf-8") as about:
                    about.write(f"[dependencies]\n{dependency}\n")
                self.assertEqual(cargo.may_use_ours(f"{place}/project/member/src", ["build"]), uses)
            self.assertTrue(cargo.may_use_ours("/", ["build", f"--manifest-path={place}/project/Cargo.toml"]))
            self.assertTrue(cargo.may_use_ours(place, ["build", "--manifest-path", "project/member/Cargo.toml"]))


class SysrootTest(unittest.TestCase):
    """Which std the compiler is given."""

    def given(self, *arguments, small="sysroot.py"):
        """The folder behind --sysroot, of two that are there."""
        with tempfile.TemporaryDirectory() as place:
            for arch in ("x86_64", "aarch64"):
                with open(f"{place}/.small-{arch}", "w", encoding="utf-8"):
                    pass
            done = subprocess.run(["ports/rust/bin/vectra-rustc", *arguments], stdout=subprocess.PIPE, check=True, text=True,
                                  env={**os.environ, "VECTRA_RUSTC": "echo", "VECTRA_RUST_SYSROOT": place,
                                       "VECTRA_RUST_SMALL": small})
            return done.stdout.split()[1].removeprefix(place)

    def test_which(self):
        """The std without backtraces is for programs that abort on a panic and are optimised as a whole, and for no other."""
        target = "--target=aarch64-unknown-vectra"
        for words in (["-C", "lto"], ["-Clto=thin"], ["-C", "linker-plugin-lto", "--emit=dep-info,metadata,link"]):
            self.assertEqual(self.given(target, "-C", "panic=abort", *words, "a.rs"), "/small")
            self.assertEqual(self.given(target, "-C", "panic=abort", *words, "a.rs", small=""), "")   # a part of a sysroot
            self.assertEqual(self.given(target, *words, "a.rs"), "")
            self.assertEqual(self.given("-Cpanic=abort", *words), "")   # for this machine
            self.assertEqual(self.given(target, "-Cpanic=abort", *words, "--emit=dep-info,metadata"), "")
        for words in ([], ["-C", "lto=off"], ["-Cstrip=symbols"]):
            self.assertEqual(self.given(target, "-Cpanic=abort", *words), "")


class ListingTest(unittest.TestCase):
    """What ./vectra ports says of crates."""

    def test_crates(self):
        """Of vendored ones, whatever their licence is written like."""
        with tempfile.TemporaryDirectory() as place:
            os.mkdir(f"{place}/one")
            with open(f"{place}/one/Cargo.toml", "w", encoding="utf-8") as about:
                about.write('[package]\nname = "one"\nversion = "1.2.3"\nlicense = "MIT/Apache-2.0"\n')
            with open(f"{place}/one/.cargo-checksum.json", "w", encoding="utf-8") as sums:
                sums.write('{"files": {}, "package": "abcd"}')
            self.assertEqual(list(listing.vendored(place)), [("one", "1.2.3", "MIT or Apache-2.0", "abcd")])

    def test_names(self):
        """Each program has its row."""
        self.assertEqual([row[0] for row in listing.rows()], listing.names())


if __name__ == "__main__":
    unittest.main()
