# SPDX-License-Identifier: MIT
"""`exec`: the protocol in any pieces, and every way in which a machine can end."""

import os
import tempfile
import time
import unittest

import toyguest
from vectra import cpio, execute, qemu

NONCE = b"0123456789abcdef0123456789abcdef"
BEGIN, END = b"\x02VX-BEGIN " + NONCE + b"\n", b"\x03VX-END " + NONCE + b" "


def feed_all(data, size):
    """Feeds `data` in pieces of `size`; returns (output, markers)."""
    markers, out = execute.Markers(NONCE), b""
    for at in range(0, len(data), size):
        out += markers.feed(data[at:at + size])
    return out, markers


class RunningTest(unittest.TestCase):
    """What a machine says and when it is read are two things."""

    def test_what_was_said_until_the_end_is_in_the_transcript(self):
        """Also what nobody had come to read when it was killed."""
        with qemu.Running(["sh", "-c", "echo one; echo two >&2; exec 2>&-; sleep 0.1; echo three; exec sleep 60"]) as guest:
            while b"one" not in guest.transcript:
                guest.read(1)
            time.sleep(0.3)
        self.assertEqual(guest.transcript, b"one\nthree\n")


class MarkersTest(unittest.TestCase):
    """The scanner alone."""

    def test_output_is_exact_in_pieces_of_any_size(self):
        """Bytes that look almost like markers are output."""
        body = bytes(range(256)) + b"\x03VX-END " + NONCE[:-1] + b"x 3\n" + BEGIN + END + b"x\n" + END + b"1234\n\x03\x03"
        stream = b"boot noise\x02VX-BEGIN no\n" + BEGIN + body + END + b"42\nlate"
        for size in (1, 2, 3, 7, 40, 41, 42, 43, 44, 45, 46, 64, len(stream)):
            out, markers = feed_all(stream, size)
            self.assertEqual(out, body, f"pieces of {size}")
            self.assertEqual(markers.status, 42)

    def test_output_is_not_held_back(self):
        """What cannot be the start of a marker is passed on at once, even without a newline."""
        markers = execute.Markers(NONCE)
        self.assertEqual(markers.feed(BEGIN + b"prompt? "), b"prompt? ")
        self.assertEqual(markers.feed(b"a\x03"), b"a")
        self.assertEqual(markers.feed(b"b"), b"\x03b")
        self.assertEqual(markers.feed(END + b"12"), b"")
        self.assertEqual(markers.rest(), END + b"12")

    def test_a_status_beyond_255_is_no_marker(self):
        """The end marker carries 0 to 255."""
        out, markers = feed_all(BEGIN + END + b"256\n", 1)
        self.assertEqual(out + markers.rest(), END + b"256\n")
        self.assertIsNone(markers.status)

    def test_another_nonce_is_output(self):
        """Only this run's nonce counts."""
        other = END.replace(b"0123", b"3210") + b"0\n"
        out, markers = feed_all(BEGIN + other + END + b"0\n", 5)
        self.assertEqual((out, markers.status), (other, 0))


class MachineTest(unittest.TestCase):
    """Whole machines, with the toy guest."""

    def run_toy(self, command, timeout=30, machine=None):
        """Runs one command of the toy: (outcome, output)."""
        out = []
        outcome = execute.run_command(machine or toyguest.machine(), command, (), timeout, out.append)
        return outcome, b"".join(out)

    def test_output_and_status(self):
        """The command's bytes and status come through, spaces and all."""
        outcome, out = self.run_toy("echo  hi  'there' ")
        self.assertEqual((outcome.status, out, outcome.reason), (0, b" hi  'there' \n", None))

    def test_status_is_the_commands_own(self):
        """124 and 125 from the command itself are no failures of the machine."""
        for status in (7, 124, 125, 255):
            outcome, out = self.run_toy(f"exit {status}")
            self.assertEqual((outcome.status, out, outcome.failed), (status, b"", False))

    def test_bytes_are_exact(self):
        """All 256 values, and text that resembles the end marker."""
        outcome, out = self.run_toy("bytes")
        self.assertEqual(out, bytes(range(256)) + b"\x03VX-END 00 7\n\x03VX-END ")
        self.assertEqual(outcome.status, 0)

    def test_a_hang_is_124(self):
        """Before and after the command began; what it printed is passed on."""
        outcome, out = self.run_toy("hang", timeout=3)
        self.assertEqual((outcome.status, out), (124, b"hanging\n"))
        outcome, out = self.run_toy("hang-early", timeout=3)
        self.assertEqual((outcome.status, out), (124, b""))
        self.assertIn("toy: up", outcome.report())

    def test_a_panic_is_125(self):
        """Before and after the command began."""
        for command in ("panic-early", "panic"):
            outcome, _ = self.run_toy(command)
            self.assertEqual(outcome.status, 125)
            self.assertIn("the kernel panicked", outcome.report())
            self.assertIn("KERNEL PANIC", outcome.report())

    def test_a_machine_that_stops_is_125(self):
        """It powers itself off without the end marker."""
        for command, when in (("die-early", "before the command began"), ("die", "before the command ended")):
            outcome, _ = self.run_toy(command)
            self.assertEqual(outcome.status, 125)
            self.assertIn(when, outcome.reason)

    def test_qemu_that_does_not_start_is_125(self):
        """QEMU's own message is in the report."""
        outcome, _ = self.run_toy("echo", machine=toyguest.machine(extra=["-device", "no-such-device"]))
        self.assertEqual(outcome.status, 125)
        self.assertIn("no-such-device", outcome.report())

    def test_a_machine_is_left_as_it_was(self):
        """A second command on the same machine finds the same initial RAM disk and command line."""
        machine = toyguest.machine(append=["log=debug"])
        self.run_toy("exit 0", machine=machine)
        self.assertEqual((machine.initrd, machine.append), (None, ["log=debug"]))


class InitrdTest(unittest.TestCase):
    """The archive that carries the command."""

    def test_command_and_files_follow_the_base_archive(self):
        """The base is untouched, the next archive starts at a multiple of four, the text is verbatim."""
        with tempfile.TemporaryDirectory() as folder:
            base, added, out = (os.path.join(folder, n) for n in ("base", "added", "out"))
            first = cpio.Archive()
            first.add("/etc/motd", b"hello")
            with open(base, "wb") as handle:
                handle.write(first.pack())
            with open(added, "wb") as handle:
                handle.write(b"\0\1\2")
            execute.write_initrd(out, base, NONCE, "echo 'a  b'\n# ä", [(added, "/tmp/data.bin")])
            blob = cpio.read(out)
            self.assertTrue(blob.startswith(first.pack()))
            self.assertEqual(len(blob) % 4, 0)
            entries = cpio.parse(blob)
            self.assertEqual(entries["etc/motd"][1], b"hello")
            self.assertEqual(entries["tmp/data.bin"][1], b"\0\1\2")
            self.assertEqual(entries["run/exec"][1], NONCE + "\necho 'a  b'\n# ä".encode())


if __name__ == "__main__":
    unittest.main()
