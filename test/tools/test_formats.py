# SPDX-License-Identifier: MIT
"""The kernel prints only with what its formatter understands (kernel/format.c)."""

import os
import re
import unittest

PRINTERS = re.compile(r"\b(?:kprintf|log_debug|log_urgent|kernel_panic|kernel_refuse|put_format)\(([^;]*);")
STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
DIRECTIVE = re.compile(r"%[^a-zA-Z%]*(?:hh|h|ll|l|z|j|t)?.?")
KNOWN = re.compile(r"%(?:0?[1-9][0-9]*)?(?:(?:l|ll|z)?[dux]|s)")


def directives(text):
    """Every directive in the formats that a source file prints with."""
    return [directive for call in PRINTERS.findall(text) for string in STRING.findall(call)
            for directive in DIRECTIVE.findall(string)]


class FormatsTest(unittest.TestCase):
    """kernel/**/*.c"""

    def test_only_known(self):
        """No directive that would be printed as it stands."""
        seen = 0
        for folder, _, names in os.walk("kernel"):
            for name in names:
                path = os.path.join(folder, name)
                if not name.endswith((".c", ".h")) or path.startswith("kernel/arch/host"):
                    continue
                with open(path, encoding="utf-8") as handle:
                    found = directives(handle.read())
                seen += len(found)
                self.assertEqual([], [one for one in found if not KNOWN.fullmatch(one)], path)
        self.assertGreater(seen, 50)

    def test_unknown_is_found(self):
        """A directive of printf that the kernel's formatter lacks, and one broken off."""
        self.assertEqual(["%-8s", "%.3s", "%p"],
                         [one for one in directives('kprintf("%u %-8s %.3s\\n%p", a,\n "b");') if not KNOWN.fullmatch(one)])


if __name__ == "__main__":
    unittest.main()
