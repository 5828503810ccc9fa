# SPDX-License-Identifier: MIT
"""The ABI generator: the committed files are current, mistakes in the tables are refused, and a change is noticed."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(tool, *arguments):
    """The generator of a tree, as make calls it."""
    return subprocess.run([sys.executable, str(tool), *map(str, arguments)], capture_output=True, text=True, check=False)


class AbiTest(unittest.TestCase):
    """Each test works on its own copy of abi/ and the generator."""

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        shutil.copytree(ROOT / "abi", self.dir / "abi")
        shutil.copytree(ROOT / "tools/gen", self.dir / "tools/gen")
        self.tool = self.dir / "tools/gen/abi.py"

    def edit(self, name, old, new):
        path = self.dir / name
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def test_the_committed_listing_and_documents_are_current(self):
        done = run(ROOT / "tools/gen/abi.py", "--check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_renumbered_call_is_noticed_in_one_line(self):
        run(self.tool, "--docs")
        run(self.tool, "--golden")
        run(self.tool, "--rust")
        self.assertEqual(run(self.tool, "--check").returncode, 0)
        self.edit("abi/syscalls.def", "SYSCALL( 8, yield", "SYSCALL(49, yield")
        done = run(self.tool, "--check")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("--docs", done.stderr)

    def test_the_rust_crate_follows_the_protocols(self):
        run(self.tool, "--rust")
        path = self.dir / "lib/rust/vectra/src/protocols.rs"
        before = path.read_text(encoding="utf-8")
        self.assertIn("client.call(4, &question, None)", before)
        self.edit("abi/protocols/rng.def", "(bytes.48 data)", "(u32 more, bytes.40 data)")
        run(self.tool, "--rust")
        self.assertIn("data: answer.bytes::<40>(4)?", path.read_text(encoding="utf-8"), "laid out as C does")

    def test_mistakes_name_their_line(self):
        self.edit("abi/syscalls.def", "SYSCALL( 1, task_exit, 1,", "SYSCALL( 1, task_exit, 2,")
        done = run(self.tool, self.dir / "out")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^abi/syscalls.def:\d+: task_exit says 2 arguments and lists 1\n$")

    def test_two_calls_cannot_share_a_number(self):
        self.edit("abi/syscalls.def", "SYSCALL( 8, yield", "SYSCALL( 7, yield")
        self.assertIn("given twice", run(self.tool, self.dir / "out").stderr)

    def test_every_limit_is_named_by_a_test(self):
        """Or stands among the known gaps of docs/STATUS.md, and there only as long as none does."""
        texts = [path.read_text(encoding="utf-8", errors="replace") for folder in ("test", "tools/vectra")
                 for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".c", ".h", ".py", ".lua", ".t", ".rs")]
        words = {word for text in texts for word in re.findall(r"[A-Z][A-Z0-9_]{3,}", text)}
        limits = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/limits.md").read_text(encoding="utf-8"), re.MULTILINE))
        line = re.search(r"^- Limits that no test reaches the edge of: (.*(?:\n  .*)*)",
                         (ROOT / "docs/STATUS.md").read_text(encoding="utf-8"), re.MULTILINE)
        known = set(re.findall(r"`(\w+)`", line.group(1))) if line else set()
        self.assertGreater(len(limits), 60)
        self.assertEqual(sorted(limits - words), sorted(known))

    def test_a_byte_string_fits_its_message(self):
        """RPC_BYTES_MAX."""
        console = "abi/protocols/console.def"
        self.edit(console, "(bytes.48 data), (u32 written)", "(bytes.55 data), (u32 written)")
        self.assertEqual(run(self.tool, self.dir / "out").returncode, 0)
        self.edit(console, "(bytes.55 data), (u32 written)", "(bytes.56 data), (u32 written)")
        self.assertRegex(run(self.tool, self.dir / "out").stderr,
                         r"abi/protocols/console.def:\d+: data: a message holds 1 to 55 bytes")

    def test_an_unknown_error_is_refused(self):
        self.edit("abi/syscalls.def", "(WOULD_BLOCK BUSY PEER_CLOSED)", "(WOULD_BLOK BUSY PEER_CLOSED)")
        self.assertIn("there is no error WOULD_BLOK", run(self.tool, self.dir / "out").stderr)

    def test_the_grammar_for_fuzzers_knows_every_call(self):
        self.assertEqual(run(self.tool, self.dir / "out").returncode, 0)
        grammar = json.loads((self.dir / "out/syscalls.json").read_text(encoding="utf-8"))
        calls = {c["name"]: c for c in grammar["syscalls"]}
        self.assertEqual(calls["spawn"]["number"], 21)
        self.assertEqual(calls["spawn"]["arguments"][0]["rights"], ["READ", "EXEC"])
        self.assertIn("BAD_ADDRESS", calls["ring_send"]["errors"])

    def test_the_guest_grammar_has_the_errors_of_each_call(self):
        self.assertEqual(run(self.tool, self.dir / "out").returncode, 0)
        text = (self.dir / "out/syscall_grammar.h").read_text(encoding="utf-8")
        self.assertIn('[8] = { "yield", 0, 0x0, { 0, 0 }, {', text)
        self.assertIn('[26] = { "nanosleep", 1, 0xc00, { 0, 0 }, {', text)  # TIMED_OUT and INTERRUPTED
        self.assertIn('{ GRAMMAR_CAP, 0x20, "rx" },', text)

    def test_a_second_run_rewrites_nothing(self):
        out = self.dir / "out"
        run(self.tool, out)
        before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()}
        run(self.tool, out)
        self.assertEqual(before, {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()})


if __name__ == "__main__":
    unittest.main()
