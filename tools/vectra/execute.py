# SPDX-License-Identifier: MIT
"""`exec`: runs one shell command in a fresh machine and passes on exactly its output and exit status.

The command travels in the file /run/exec of a second cpio archive behind the initial RAM disk: a random nonce on the
first line, then the command. The guest answers on the serial line with

    \\x02VX-BEGIN nonce\\n   the program's bytes, untouched   \\x03VX-END nonce STATUS\\n

and powers itself off. What stands before BEGIN is the transcript of the boot; it is shown only when something fails.
"""

import os
import re
import secrets
import shutil
import tempfile

from vectra import cpio
from vectra.qemu import Running

TIMED_OUT, BOOT_FAILED = 124, 125
# A panic that does not power the machine off ends the run once the line has been silent for this long.
PANIC_SILENCE_S = 10
PANIC = b"KERNEL PANIC"
SERIAL = ["-serial", "stdio", "-monitor", "none"]


class Markers:
    """Finds the markers of one nonce in a stream that arrives in arbitrary pieces.

    Invariants: 1. what `feed` returns is output and nothing else; 2. bytes are held back only while they may still be
    the start of the end marker; 3. after the end marker `status` is set and nothing is returned any more.
    """

    LONGEST_STATUS = 3

    def __init__(self, nonce):
        self.begin = b"\x02VX-BEGIN " + nonce + b"\n"
        self.end = b"\x03VX-END " + nonce + b" "
        self.end_line = re.compile(re.escape(self.end) + rb"([0-9]{1,3})\n")
        self.began, self.status = False, None
        self._held = b""

    def feed(self, chunk):
        """Takes the next bytes of the serial line; returns those that are the program's output."""
        if self.status is not None:
            return b""
        data = self._held + chunk
        if not self.began:
            at = data.find(self.begin)
            if at < 0:
                self._held = data[-(len(self.begin) - 1):]
                return b""
            self.began, data = True, data[at + len(self.begin):]
        match = self.end_line.search(data)
        if match and int(match.group(1)) <= 255:
            self.status, self._held = int(match.group(1)), b""
            return data[:match.start()]
        keep = self._possible_end(data)
        self._held = data[keep:]
        return data[:keep]

    def _possible_end(self, data):
        """Where a beginning of the end marker may start at the end of `data`; its length when there is none."""
        at = max(0, len(data) - len(self.end) - self.LONGEST_STATUS)
        while (at := data.find(b"\x03", at)) >= 0:
            tail = data[at:]
            if self.end.startswith(tail):
                return at
            digits = tail[len(self.end):]
            if tail.startswith(self.end) and len(digits) <= self.LONGEST_STATUS and (not digits or digits.isdigit()):
                return at
            at += 1
        return len(data)

    def rest(self):
        """What is still held back when the stream ends without an end marker."""
        held, self._held = self._held, b""
        return held if self.began else b""


class Outcome:
    """What became of a command: its status (or 124, 125), why, and the whole serial transcript."""

    def __init__(self, status, reason, transcript, messages):
        self.status, self.reason, self.transcript, self.messages = status, reason, transcript, messages

    @property
    def failed(self):
        """True when the machine failed, as opposed to the command."""
        return self.reason is not None

    def report(self):
        """The text for stderr."""
        return (f"vectra: {self.reason}; the transcript follows\n" +
                bytes(self.transcript).decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n") + "\n" +
                self.messages.decode("utf-8", "replace"))


def write_initrd(path, base, nonce, command, files):
    """Writes the initial RAM disk at `base` with the archive that holds the command and the added files behind it."""
    extra = cpio.Archive()
    for host, guest in files:
        extra.add(guest, cpio.read(host), cpio.mode_of(host))
    extra.add("/run/exec", nonce + b"\n" + command.encode("utf-8", "surrogateescape"))
    with open(path, "wb") as out:
        if base:
            with open(base, "rb") as archive:
                shutil.copyfileobj(archive, out)
            out.write(b"\0" * (-out.tell() % cpio.PAGE))
        out.write(extra.pack())


def run_command(machine, command, files=(), timeout=120, output=lambda data: None, log=None, quiet=True):
    """Boots `machine`, runs `command`, gives its output to `output` as it comes; returns the Outcome."""
    nonce = secrets.token_hex(16).encode()
    folder = tempfile.mkdtemp(prefix="vectra-exec-")
    base, kept = machine.initrd_file(), (machine.initrd, machine.append)
    try:
        machine.initrd = os.path.join(folder, "initrd.cpio")
        machine.append = [*machine.append, *(["log=quiet"] if quiet else [])]
        write_initrd(machine.initrd, base, nonce, command, files)
        with Running(machine.command(SERIAL), log) as guest:
            return follow(guest, Markers(nonce), timeout, output)
    finally:
        machine.initrd, machine.append = kept
        shutil.rmtree(folder, ignore_errors=True)


def follow(guest, markers, timeout, output):
    """Reads the serial line to the end of the command, the machine or the time."""
    def outcome(status, reason=None):
        return Outcome(status, reason, guest.transcript, guest.messages)

    heard = guest.elapsed()
    while True:
        now = guest.elapsed()
        if now >= timeout:
            output(markers.rest())
            return outcome(TIMED_OUT, f"no end within {timeout:g} s")
        chunk = guest.read(min(timeout - now, 1))
        if chunk is None:
            if guest.elapsed() - heard > PANIC_SILENCE_S and panic_seen(guest.transcript):
                output(markers.rest())
                return outcome(BOOT_FAILED, "the kernel panicked")
            continue
        heard = guest.elapsed()
        if chunk:
            output(markers.feed(chunk))
            if markers.status is not None:
                # The guest powers itself off now. It has said all, so one that does not is simply ended.
                guest.wait(5)
                return outcome(markers.status)
            continue
        output(markers.rest())
        status = guest.wait(5)
        if panic_seen(guest.transcript):
            return outcome(BOOT_FAILED, "the kernel panicked")
        if markers.began:
            return outcome(BOOT_FAILED, "the machine stopped before the command ended")
        return outcome(BOOT_FAILED, f"the machine stopped before the command began (QEMU's exit status {status})")


def panic_seen(transcript):
    """True when a line of the transcript is a kernel panic."""
    return transcript.startswith(PANIC) or b"\n" + PANIC in transcript or b"] " + PANIC in transcript
