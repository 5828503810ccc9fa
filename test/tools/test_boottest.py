# SPDX-License-Identifier: MIT
"""The language of boot tests, and the runner against the toy guest: what must pass does, what must fail does."""

import unittest

import toyguest
from vectra import boottest
from vectra.boottest import SpecError, parse
from vectra.results import Failure
from vectra.terminal import visible


def run_toy(text):
    """Parses and runs a test with the toy guest in place of VectraOS."""
    return boottest.run(parse("toy", text), "x86_64", kernel=toyguest.build(), mem="64M")


class ParseTest(unittest.TestCase):
    """Files become specs, or one line that says where they are wrong."""

    def test_several_directives_on_a_line(self):
        """As in the style guide's sample."""
        spec = parse("t", '# a comment\nboot "a=1;b"  harts 4  mem 2G  within 90s   # more\nexpect /x [0-9]+ \\/y/ exit 3')
        self.assertEqual(spec.machine, {"append": ["a=1;b"], "smp": 4, "mem": "2048M"})
        self.assertEqual((spec.within, spec.exit), (90.0, 3))
        self.assertEqual(spec.steps[0].pattern.pattern, b"x [0-9]+ /y")

    def test_strings_have_escapes(self):
        """Also bytes that are no text."""
        spec = parse("t", r'exec "a \"b\" \\" output "\x00\xff\n"')
        self.assertEqual((spec.command, spec.output), ('a "b" \\', b"\x00\xff\n"))

    def test_send_types_enter(self):
        """With and without an expectation of its own."""
        steps = parse("t", 'send "ls" after /\\$ / send "x"').steps
        self.assertEqual([(s.pattern and s.pattern.pattern, s.text) for s in steps], [(b"\\$ ", b"ls\r"), (None, b"x\r")])

    def test_stages_end_with_the_prompt(self):
        """Eleven markers and the prompt."""
        steps = parse("t", "stages").steps
        self.assertEqual(len(steps), len(boottest.STAGES) + 1)
        self.assertTrue(steps[-1].pattern.search(b"x\r\nvectra:/$ "))

    def test_mistakes_name_file_and_line(self):
        """Each with what is wrong."""
        for text, message in (("bogus", "t.t:1: unknown directive 'bogus'"), ("\nexpect", "t.t:2: something is missing"),
                              ("expect x", 'must be a /pattern/'), ("boot x", 'must be a "string"'),
                              ("expect /(/", "/(/"), ("mem 3X expect /a/", "size"), ("harts 0 expect /a/", "1 to 512"),
                              ("arch mips expect /a/", "unknown architecture"), ("exit 256", "0 to 255"),
                              (r'send "\q"', "unknown escape"), ('again "-seed 1" maybe', "same, other"), ("mem 64M", "cannot fail")):
            with self.assertRaises(SpecError, msg=text) as caught:
                parse("t", text)
            self.assertIn(message, str(caught.exception))

    def test_the_trees_own_tests_parse(self):
        """All of test/boot."""
        self.assertGreater(len(boottest.load()), 10)


class VisibleTest(unittest.TestCase):
    """What is left of a serial line's bytes."""

    def test_sequences_go_and_text_stays(self):
        """Cursor, colour, question, title; a lone bracket and a byte beyond ASCII are text."""
        self.assertEqual(visible(b"a\x1b7\x1b[999;999H\x1b[6n\x1b8\x1b[?25l$ [1\x1b[0;1mb\x1b]0;t\x07c\x1b]2;u\x1b\\\xffd\x1b(B"),
                         b"a$ [1bc\xffd")

    def test_more_bytes_only_add(self):
        """However a sequence is cut, an offset into the answer stays valid."""
        data = b"x\x1b[12;3Hy\x1b]0;title\x1b\\z\x1b\x01\x1b(0\x1b7end"
        parts = [visible(data[:n]) for n in range(len(data) + 1)]
        for before, after in zip(parts, parts[1:]):
            self.assertTrue(after.startswith(before), (before, after))
        self.assertEqual(parts[-1], b"xyz\x1b\x01end")


class RunTest(unittest.TestCase):
    """Against the toy guest."""

    def fails(self, text, message):
        """The test must fail, and say why."""
        with self.assertRaises(Failure) as caught:
            run_toy(text)
        self.assertIn(message, str(caught.exception))
        return caught.exception

    def test_conversation_and_power_off(self):
        """Expectations in order, typed text, a clean end."""
        log = run_toy('initrd none within 20s expect /toy: up/ boot "log=all" expect /nothing to run: log=all/ '
                      'send "one" after /^toy> / expect /you said one/ send "off" after /toy> / exit poweroff')
        self.assertIn(b"you said one", log)

    def test_escape_sequences_are_not_seen(self):
        """Patterns are about what a terminal shows."""
        run_toy('initrd none within 20s send "\\x1b7\\x1b[999;999H\\x1b[6n\\x1b8one" after /^toy> / expect /you said one/')
        self.fails('initrd none within 20s send "a\\x1b[mb" after /^toy> / expect /you said/ reject /said ab/ '
                   'send "off" exit poweroff', "rejected text came: said ab")

    def test_order_matters(self):
        """The second expectation is looked for behind the first."""
        failure = self.fails("initrd none within 2s expect /nothing to run/ expect /toy: up/", "nothing matched /toy: up/")
        self.assertIn(b"toy: up", failure.log)

    def test_no_power_off(self):
        """A machine that stays on."""
        self.fails("initrd none within 2s expect /toy> / exit poweroff", "did not power itself off")

    def test_stopped_too_early(self):
        """A machine that is gone before the expectation came."""
        self.fails('initrd none within 20s send "off" after /toy> / expect /more/', "stopped before anything matched /more/")

    def test_rejected(self):
        """A rejected text fails at once and also at the end."""
        self.fails("initrd none within 20s reject /nothing to run/ expect /never/", "rejected text came: nothing to run")
        self.fails("initrd none within 20s expect /toy> / reject /toy: up/", "rejected text came: toy: up")

    def test_qemu_does_not_start(self):
        """Its words are in the log."""
        failure = self.fails('initrd none qemu "-device no-such" within 20s expect /x/', "the machine stopped")
        self.assertIn(b"no-such", failure.log)

    def test_exec(self):
        """Output and status, exactly."""
        run_toy('initrd none exec "echo a b" output "a b\\n" exit 0')
        run_toy('initrd none exec "exit 9" output "" exit 9')
        self.fails('initrd none exec "exit 9"', "exit status 9, not 0")
        self.fails('initrd none exec "echo ab" output "aB\\n"', "part at byte 1")
        self.fails('initrd none exec "echo ab" expect /x/', "does not match /x/")
        self.fails('initrd none exec "panic"', "the kernel panicked")
        self.fails('initrd none exec "hang" within 3s', "no end within 3 s")


if __name__ == "__main__":
    unittest.main()
