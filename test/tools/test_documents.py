# SPDX-License-Identifier: MIT
"""The checker of documents: each kind of mistake is found, with its line, and what is right is not."""

import os
import tempfile
import unittest

from vectra import documents

SAYS = {"docs/testing.md": "# Testing\n\n| a promise | `a thing holds` in `test/a_test.c` |\n",
        "docs/a.md": "# A b: c\n\n[up](../README.md) [here](#a-b-c) `kernel/a.c` `ring_put` `RING_PUT` `kernel/NAME.c`\n",
        "README.md": "[a](docs/a.md#a-b-c)\n\n```\n[not](a-link) `not_a_name`\n```\n",
        "kernel/a.c": "int ring_put;\n", "test/a_test.c": '"a thing "\n    "holds"\n'}


class DocumentsTest(unittest.TestCase):
    """On a small tree in a folder of its own."""

    def found(self, **more):
        """The messages about the sample tree with more text at the end of docs/a.md or docs/testing.md."""
        here = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            for path, text in SAYS.items():
                full = os.path.join(folder, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as handle:
                    handle.write(text + more.get(path.removeprefix("docs/").removesuffix(".md"), ""))
            os.chdir(folder)
            try:
                return documents.check()
            finally:
                os.chdir(here)

    def test_a_good_tree(self):
        """Links, anchors, names, paths and titles that are there."""
        self.assertEqual(self.found(), (3, []))

    def test_mistakes(self):
        """Each is one message with its line."""
        for text, message in (("[x](gone.md)", "a link to nothing"), ("[x](testing.md#gone)", "no such heading"),
                              ("[x](https://a.example)", "leaves the tree"), ("`kernel/b.c`", "no such path"),
                              ("`ring_get`", "not in the tree: ring_get"), ("`RING_GET`", "not in the tree: RING_GET"),
                              ("a ", "blanks at the end"), ("TO" "DO: more", "unfinished")):
            _, messages = self.found(a=text)
            self.assertEqual(len(messages), 1, (text, messages))
            self.assertIn("docs/a.md:4: ", messages[0])
            self.assertIn(message, messages[0])

    def test_titles_of_tests(self):
        """A promise names a test that exists."""
        self.assertIn("no test is called: a thing fails", self.found(testing="| b | `a thing fails` |\n")[1][0])


if __name__ == "__main__":
    unittest.main()
