# SPDX-License-Identifier: MIT
"""./vectra debug as a person uses it: at a terminal, with ^C, on both architectures."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
VECTRA = os.path.join(ROOT, "vectra")
PROMPT = rb"\(gdb\) $"
WITHIN_S = 120


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


class Session:
    """./vectra debug in a terminal of its own."""

    def __init__(self, arch, port):
        self.process, self.line = pty.fork()
        if self.process == 0:
            os.environ["TERM"] = "dumb"
            os.execv(VECTRA, [VECTRA, "debug", "--arch", arch, "--mode", "release", "--port", str(port)])
        self.transcript = b""

    def until(self, pattern, within=WITHIN_S):
        """What comes, up to the pattern; an AssertionError when it does not."""
        said, end = b"", time.monotonic() + within
        while not re.search(pattern, said):
            if not select.select([self.line], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{pattern} did not come:\n{(self.transcript + said).decode('utf-8', 'replace')}")
            try:
                said += os.read(self.line, 4096)
            except OSError:
                raise AssertionError(f"it ended before {pattern}:\n{self.transcript + said}") from None
        self.transcript += said
        return said.decode("utf-8", "replace").replace("\r", "")

    def ask(self, command):
        """What gdb answers to a command."""
        os.write(self.line, command.encode() + b"\n")
        return self.until(PROMPT)

    def status(self, within=WITHIN_S):
        """The exit status; the terminal is read to its end."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if select.select([self.line], [], [], 0.1)[0]:
                try:
                    os.read(self.line, 4096)
                except OSError:
                    pass
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                self.process = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it did not end")

    def close(self):
        """Nothing of it stays."""
        if self.process:
            os.killpg(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.line)


class DebugTest(unittest.TestCase):
    """From the first instruction to the prompt."""

    def session(self, arch):
        """Breaks where the kernel begins, runs to the prompt, stops there by ^C, looks around."""
        port, log = free_port(), os.path.join(ROOT, f"build/{arch}-release/serial.log")
        if os.path.exists(log):
            os.remove(log)
        session = Session(arch, port)
        self.addCleanup(session.close)
        session.until(PROMPT, 600)  # the build comes first
        for setting in ("set confirm off", "set pagination off", "set width 0"):
            session.ask(setting)
        session.ask("hbreak kernel_main")
        self.assertRegex(session.ask("continue"), r"kernel_main \(.*\) at kernel/main\.c:[0-9]+")
        self.assertRegex(session.ask("bt 2"), r"#1 .* (x86_boot|boot_main) ")
        os.write(session.line, b"continue\n")
        end, said = time.monotonic() + WITHIN_S, ""
        while "[stage] services: ok" not in said and time.monotonic() < end:
            time.sleep(0.2)
            with open(log, encoding="utf-8", errors="replace") as serial:
                said = serial.read()
        self.assertIn("[stage] services: ok", said)
        os.write(session.line, b"\x03")
        self.assertIn("SIGINT", session.until(rb"SIGINT[^$]*" + PROMPT))
        tasks = session.ask("tasks")
        if "the hart is in a program" in tasks:  # aarch64, and only where ^C came just then
            session.ask("thbreak sched_run")
            self.assertIn("sched_run", session.ask("continue"))
            tasks = session.ask("tasks")
        self.assertRegex(tasks, r"\n +1 +0 +driver +running +[0-9]+ +[0-9]+ +[0-9]+  initd\n")
        self.assertRegex(tasks, r"\n +[0-9]+ +1 +driver +running .*  consoled\n")
        counted = int(re.search(r"\n +1 +0 +\S+ +\S+ +[0-9]+ +([0-9]+)", tasks).group(1))
        caps = session.ask("caps 1")
        self.assertIn(f"\n{counted} capabilities.", caps)
        self.assertRegex(caps, r"\n[0-9a-f]{8}  RETICLE  RW------CMK")
        self.assertIn("`tasks` lists them", session.ask("caps 9999"))
        self.assertRegex(session.ask("rings"), r"\n0xffff[0-9a-f]{12} +8 +0  open +open, asleep\n")
        os.write(session.line, b"quit\n")
        self.assertEqual(session.status(), 0)
        with socket.socket() as probe:
            self.assertNotEqual(probe.connect_ex(("localhost", port)), 0, "QEMU still listens")

    def test_x86_64(self):
        """One machine."""
        self.session("x86_64")

    def test_aarch64(self):
        """The other."""
        self.session("aarch64")

    def test_a_port_that_is_taken(self):
        """gdb would attach to whoever listens there."""
        with socket.socket() as other:
            other.bind(("localhost", 0))
            other.listen()
            port = other.getsockname()[1]
            done = subprocess.run([VECTRA, "debug", "--port", str(port)], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, check=False, timeout=WITHIN_S)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (2, "", f"vectra: debug: --port {port}: Address already in use; choose another\n"))


if __name__ == "__main__":
    unittest.main()
