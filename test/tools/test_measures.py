# SPDX-License-Identifier: MIT
"""What counts and compares: code lines, image size, symbols, benchmark lines, guest results, host tests' own words."""

import array
import io
import json
import os
import tempfile
import unittest
import xml.etree.ElementTree as xml

from vectra import benchmarks, hosttests, ksyms, masked, plot
from vectra.commands import bench, size
from vectra.groups import guest, model
from vectra.results import Failure, Report, Result


class SizeTest(unittest.TestCase):
    """The budget."""

    def test_code_lines(self):
        """Blank lines and comments do not count; what looks like a comment in a string does."""
        self.assertEqual(size.code_lines("/* a\n b */\n\nint x; // c\n  // d\nchar *s = \"/*\";\nint y; /* e\n*/ int z;\n"), 4)

    def test_dependency_files_name_what_is_compiled(self):
        """The first rule, over several lines; the empty rules behind it add nothing."""
        self.assertEqual(size.dependencies("o/a.o: kernel/a.c \\\n  base/b.h abi/c.def\nkernel/z.h:\n"),
                         {"kernel/a.c", "base/b.h", "abi/c.def"})
        self.assertEqual([size.room(p) for p in ("kernel/cap.c", "kernel/arch/x86_64/a.S", "kernel/arch/include/arch/b.h",
                                                 "kernel/firmware/dt/c.c", "abi/d.def")],
                         ["kernel", "kernel/arch", "kernel/arch/include", "kernel/firmware", "abi"])

    def test_foreign_lines(self):
        """No licence line, another one, or somebody's copyright."""
        texts = {"ours.c": "// SPDX-License-Identifier: MIT\nint a;\n", "none.c": "int a;\n",
                 "gpl.c": "// SPDX-License-Identifier: GPL-2.0\nint a;\nint b;\n",
                 "theirs.c": "// SPDX-License-Identifier: MIT\n// Copyright 1999 Somebody\nint a;\n"}
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, text in texts.items():
                paths.append(os.path.join(folder, name))
                with open(paths[-1], "w", encoding="utf-8") as handle:
                    handle.write(text)
            lines, foreign, foreign_lines = size.count(paths)
        self.assertEqual((lines, [os.path.basename(p) for p in foreign], foreign_lines),
                         (5, ["none.c", "gpl.c", "theirs.c"], 4))


class KsymsTest(unittest.TestCase):
    """The kernel's own symbols."""

    LISTING = ("ffffffff80000020 t local\nffffffff80000020 T global\nffffffff80000000 T start\n"
               "ffffffff7fffff00 T image_start\nffffffff80000000 T x86_text_start\n0000000000100000 T pvh_entry\nffffffff80000040 t $x.1\nffffffff80000050 D data\n")

    def test_high_code_sorted_once(self):
        """Only code, only the high half, one name for each address."""
        self.assertEqual(ksyms.text_symbols(self.LISTING),
                         [(0xffffffff80000000, "start"), (0xffffffff80000020, "global")])

    def test_base(self):
        """The linker script's symbol; without one there is none."""
        self.assertEqual(ksyms.image_base(self.LISTING), 0xffffffff7fffff00)
        self.assertIsNone(ksyms.image_base(""))

    def test_source(self):
        """Offsets from the base, names one after another; an empty table still compiles."""
        text = ksyms.source(0xffffffff7fffff00, ksyms.text_symbols(self.LISTING), [])
        self.assertIn("ksym_offset[2] = { 0x100, 0x120 }", text)
        self.assertIn("ksym_name[2] = { 0, 6 }", text)
        self.assertIn("ksym_count = 0", ksyms.source(0, [], []))

    def test_addresses_of_the_image(self):
        """Those that hold one of its own, not distances, numbers, the part that runs low, or what a debugger reads."""
        row = "{:016x}  0000000100000001 {}  {:016x} symbol + 0\n".format
        text, low = 0xffffffff80200000, 0x200040
        listing = ("Relocation section '.rela.text' at offset 0x1 contains 5 entries:\n"
                   + row(text + 0x300, "R_X86_64_32S", text + 8) + row(text + 9, "R_X86_64_64", text - 0x200000)
                   + row(text + 0x20, "R_X86_64_PC32", text) + row(text + 0x28, "R_X86_64_32S", low)
                   + row(text + 0x30, "R_AARCH64_ABS64", 0x89000)
                   + "Relocation section '.rela.boot.text' at offset 0x1 contains 1 entry:\n" + row(low, "R_X86_64_32", text)
                   + "Relocation section '.rela.debug_info' at offset 0x1 contains 1 entry:\n" + row(1, "R_X86_64_64", text))
        self.assertEqual(ksyms.image_addresses(text, listing), [text + 9, text + 0x300])
        for places in ([9, 0x300, 0x3ff], [1, 255, 509, 510, 765], [254, 255, 508, 0x10000]):  # as kernel/slide.c reads it
            at, found = 0, []
            for skip in ksyms.skips(text, [text + place for place in places]):
                at += skip if skip != 255 else 254
                found += [at] if skip not in (0, 255) else []
            self.assertEqual(found, places)
        with self.assertRaises(SystemExit):
            ksyms.image_addresses(text, "Relocation section '.rela.text' at\n" + row(text, "R_X86_64_GOTPCREL", text))


class BenchTest(unittest.TestCase):
    """Figures."""

    TEXT = (b"noise\r\nbench kernel null_syscall instructions 75 74 90 1000\r\n[1.0] bench boot boot_to_initd "
            b"instructions 4000000 4000000 4000000 1\nbench kernel broken instructions x 1 1 1\n")

    def test_lines_become_rows(self):
        """Also behind a kernel log's prefix; a malformed line is none."""
        rows = list(benchmarks.parse(self.TEXT, "aarch64").values())
        self.assertEqual([r["name"] for r in rows], ["null_syscall", "boot_to_initd"])
        self.assertEqual(rows[0], {"group": "kernel", "name": "null_syscall", "arch": "aarch64", "unit": "instructions",
                                   "value": 75, "runs": 1000, "min": 74, "max": 90})

    def test_json_round_trip_and_baseline(self):
        """The file is the documented one; a new baseline replaces only what was measured."""
        rows = list(benchmarks.parse(self.TEXT, "x86_64").values())
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.json")
            benchmarks.save(path, rows)
            with open(path, encoding="utf-8") as handle:
                self.assertEqual(json.load(handle), {"schema": 1, "results": rows})
        newer = [{**rows[0], "value": 70}]
        self.assertEqual([r["value"] for r in benchmarks.merged(newer, rows)], [4000000, 70])

    def test_table_marks_what_is_over(self):
        """The limit and the change since the baseline."""
        rows = list(benchmarks.parse(self.TEXT, "x86_64").values())
        lines, beyond = bench.table(rows, {"null_syscall": {"x86_64": 70}}, {("kernel", "null_syscall", "x86_64"): 50})
        self.assertEqual(beyond, ["null_syscall (x86_64)"])
        self.assertIn("+50.0%", lines[1])
        self.assertIn("OVER", lines[1])

    def test_linux_stands_beside(self):
        """In a column of its own; the row whose limit is a part of it is divided by it, and may be at most that."""
        rows = list(benchmarks.parse(b"bench posix lua_fib_30 instructions 205 200 210 3\nbench posix getpid instructions 7 7 7 9\n",
                                     "x86_64").values())
        linux = {("posix", "lua_fib_30", "x86_64"): 200, ("posix", "getpid", "x86_64"): 308}
        rows = [benchmarks.as_a_ratio(row, linux) for row in rows]
        self.assertEqual([(r["unit"], r["value"], r["min"], r["max"]) for r in rows],
                         [("of_linux", 1.025, 1.0, 1.05), ("instructions", 7, 7, 7)])
        lines, beyond = bench.table(rows, {"lua_fib_30": {"x86_64": 1.02}}, {}, linux)
        self.assertEqual([line.split()[-1] for line in lines], ["linux", "OVER", "308"])
        self.assertEqual(beyond, ["lua_fib_30 (x86_64)"])
        self.assertNotIn("linux", bench.table(rows, {}, {}, {})[0][0])

    def test_every_limit_of_the_c_library_has_a_peer(self):
        """So that each figure of the group posix is printed with Linux's beside it."""
        peers = benchmarks.load_peers()
        for name in benchmarks.load_limits("posix"):
            for arch in ("x86_64", "aarch64"):
                self.assertGreater(peers.get(("posix", name, arch), 0), 0, f"{name} {arch}")

    def test_a_stretch_is_told_by_its_functions(self):
        """What the plugin leaves: a count, the longest, its blocks; what came before the first function counts there."""
        blocks = [(0x80001000 << 16) | 30, (0x80001040 << 16) | 12, (0x80001008 << 16) | 8]
        found = masked.Stretch(array.array("Q", [7, 50, 3, *blocks, 0, 0]).tobytes())
        self.assertEqual((found.count, found.instructions, found.blocks[1]), (7, 50, (0xffff000080001040, 12)))
        self.assertEqual(found.tell([(0xffff000080001000, "enter"), (0xffff000080001040, "loop")]),
                         "50 instructions, of these enter 38, loop 12; in turn enter loop")
        self.assertEqual((masked.Stretch(b"").count, masked.Stretch(b"").blocks), (0, []))

    def test_plot_is_xml(self):
        """One bar for each figure and the limits."""
        rows = list(benchmarks.parse(self.TEXT, "x86_64").values())
        root = xml.fromstring(plot.svg(rows, {"null_syscall": {"x86_64": 80}}))
        self.assertGreaterEqual(len(root.findall(".//{http://www.w3.org/2000/svg}rect")), 3)

    def test_every_limit_names_both_architectures(self):
        """The committed limits; what the emulator makes of nothing has none."""
        for name, limit in benchmarks.load_limits().items():
            self.assertEqual(sorted(limit), [] if name == "scale_floor_svc_2" else ["aarch64", "x86_64"], name)


class GuestTest(unittest.TestCase):
    """What guest programs print."""

    def test_pass(self):
        """Every ok counts."""
        self.assertEqual(guest.judge(b"ok 1 - a\r\nok 2 - b - c\r\n# done: 2 passed, 0 failed\r\n", 0), 2)

    def test_failures(self):
        """Each way to fail."""
        for output, status, message in ((b"ok 1 - a\nnot ok 2 - b - why\n# done: 1 passed, 1 failed\n", 1, "first: b - why"),
                                        (b"ok 1 - a\n", 0, "no '# done' line"),
                                        (b"ok 1 - a\n# done: 2 passed, 0 failed\n", 0, "the lines say 1"),
                                        (b"ok 1 - a\n# done: 1 passed, 0 failed\n", 3, "exit status 3"),
                                        (b"# done: 0 passed, 0 failed\n", 0, "checked nothing")):
            with self.assertRaises(Failure) as caught:
                guest.judge(output, status)
            self.assertIn(message, str(caught.exception))


class ModelTest(unittest.TestCase):
    """Verdicts of the model checker."""

    CLEAN, WRONG = b"State-vector 28 byte, depth reached 5, errors: 0\n", b"State-vector 28 byte, depth reached 5, errors: 1\n"

    def test_verdicts(self):
        """A model must be clean and complete, a broken twin must not be clean."""
        model.verdict(self.CLEAN, 0, None, b"")
        model.verdict(self.WRONG, 0, "1", b"")
        for output, twin in ((self.WRONG, None), (self.CLEAN, "1"), (b"", None),
                             (b"error: max search depth too small\n" + self.CLEAN, None)):
            with self.assertRaises(Failure):
                model.verdict(output, 0, twin, b"")

    def test_whole_models(self):
        """spin, the compiler and the checker on a small protocol and its broken twin."""
        text = ("/* broken: 1 */\nbyte n;\nactive proctype check() {\n"
                "  (_nr_pr == 1) -> assert(n == 2)\n}\nactive [2] proctype p() {\n  byte t;\n#ifdef BROKEN\n  t = n; n = t + 1\n#else\n"
                "  atomic { t = n; n = t + 1 }\n#endif\n}\n")
        model.check("self-test", text, None)
        model.check("self-test", text, "1")
        with self.assertRaises(Failure):
            model.check("self-test", text.replace("#ifdef BROKEN", "#ifndef BROKEN"), None)


class HostTestsTest(unittest.TestCase):
    """What a host test says about itself."""

    def test_fields(self):
        """Several lines, several comment styles, nothing twice."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "a_test.c"), "w", encoding="utf-8") as handle:
                handle.write("/* What it is.\n * mutations: BREAK */\n// sources: x.c y.c\n// sources: y.c z.c\n")
            programs = hosttests.find("unit", folder, "_test.c")
        self.assertEqual([p.name for p in programs], ["a", "a+BREAK"])
        self.assertEqual(programs[0].sources[1:], ["x.c", "y.c", "z.c"])
        self.assertEqual(programs[1].flags, ["-DBREAK"])

    def test_mutation_by_patch(self):
        """A name in small letters is a patch, with or without a flag; it changes copies, or says that it does not fit."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "a_test.c"), "w", encoding="utf-8") as handle:
                handle.write("// mutations: string-always-up string-always-up:-DX=1\n")
            _, plain, flagged = hosttests.find("unit", folder, "_test.c")
            self.assertEqual((plain.patch, plain.flags), ("test/mutations/string-always-up.patch", []))
            self.assertEqual((flagged.patch, flagged.flags), ("test/mutations/string-always-up.patch", ["-DX=1"]))
            for patch in sorted(os.listdir(hosttests.MUTATIONS)):
                patch = os.path.join(hosttests.MUTATIONS, patch)
                hosttests.mutate(patch, folder)
                for name in hosttests.changed_files(patch):
                    with open(name, "rb") as whole, open(os.path.join(folder, name), "rb") as broken:
                        self.assertNotEqual(whole.read(), broken.read())
            stale = os.path.join(folder, "stale.patch")
            with open(stale, "w", encoding="utf-8") as handle:
                handle.write("--- a/base/tree.c\n+++ b/base/tree.c\n@@ -1 +1 @@\n-not there\n+nor there\n")
            with self.assertRaises(hosttests.unidiff.PatchError):
                hosttests.mutate(stale, folder)


class ReportTest(unittest.TestCase):
    """The report of a run."""

    def test_last_line_and_junit(self):
        """Counts, the exit status, and a file that XML readers accept even when the log has odd bytes."""
        out = io.StringIO()
        report = Report(out)
        report.add(Result("g", "a", 0.1, count=3))
        report.add(Result("g", "b", 0.1, "broke", b"log \x00\x1b\xff"))
        self.assertEqual(report.finish(), 1)
        self.assertEqual(out.getvalue().splitlines()[-1], "3 passed, 1 failed")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "junit.xml")
            report.write_junit(path)
            self.assertEqual(len(xml.parse(path).getroot().findall(".//failure")), 1)

    def test_nothing_is_a_failure(self):
        """A run without a test has not passed."""
        self.assertEqual(Report(io.StringIO()).finish(), 1)


if __name__ == "__main__":
    unittest.main()
