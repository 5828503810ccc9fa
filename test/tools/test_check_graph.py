# SPDX-License-Identifier: MIT
"""tools/check-graph: what the committed graph promises, and answers about small graphs made here."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def ask(graph, *question):
    """The tool's exit status and first line."""
    done = subprocess.run([sys.executable, str(ROOT / "tools/check-graph"), str(graph), *question],
                          capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).split("\n")[0]


class CommittedGraphTest(unittest.TestCase):
    """The promises of etc/services."""

    graph = ROOT / "etc/services"

    def test_only_consoled_drives_the_serial_port(self):
        self.assertEqual(ask(self.graph, "--can", "consoled", "hold", "uart")[0], 0)
        for other in ("namingd", "shell"):
            self.assertEqual(ask(self.graph, "--can", other, "hold", "uart")[0], 1)

    def test_the_shell_reaches_the_serial_port_through_consoled_only(self):
        status, text = ask(self.graph, "--can", "shell", "reach", "uart.irq")
        self.assertEqual(status, 0)
        self.assertTrue(text.startswith("yes: shell -> consoled holds uart.irq"))

    def test_namingd_holds_no_device_and_no_power(self):
        for resource in ("devices", "power", "initrd"):
            self.assertEqual(ask(self.graph, "--can", "namingd", "reach", resource)[0], 1)


class SmallGraphTest(unittest.TestCase):
    """Rules of reaching."""

    def graph(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".services", encoding="utf-8")  # pylint: disable=consider-using-with
        self.addCleanup(file.close)
        file.write(text)
        file.flush()
        return file.name

    def test_a_chain_is_followed_and_shown(self):
        graph = self.graph("service a\nuses b\nservice b\nprovides b\nuses c\nservice c\nprovides c\ncap mmio READ\n")
        self.assertEqual(ask(graph, "--can", "a", "reach", "uart"), (0, "yes: a -> b -> c holds mmio (and so uart.regs)"))
        self.assertEqual(ask(graph, "--can", "a", "hold", "uart")[0], 1)

    def test_a_circle_of_services_ends(self):
        graph = self.graph("service a\nprovides a\nuses b\nservice b\nprovides b\nuses a\n")
        self.assertEqual(ask(graph, "--can", "a", "reach", "devices")[0], 1)

    def test_rights_that_only_look_are_no_authority(self):
        graph = self.graph("service a\ncap irqs INSPECT,MOVE\n")
        self.assertEqual(ask(graph, "--can", "a", "hold", "irqs")[0], 1)

    def test_a_driver_holds_its_device_and_who_may_ask_it_reaches_it(self):
        graph = self.graph("service t\nimage /t\nprovides topo\nservice d\nimage /d\nuses topo\nprovides blk\n"
                           "device virtio-blk 0 optional\nservice c\nimage /c\nuses blk\n")
        self.assertEqual(ask(graph, "--can", "d", "hold", "virtio-blk.0")[0], 0)
        self.assertEqual(ask(graph, "--can", "c", "hold", "disks")[0], 1)
        self.assertEqual(ask(graph, "--can", "c", "reach", "disks")[0], 0)
        self.assertEqual(ask(graph, "--can", "t", "reach", "disks")[0], 1)

    def test_files_are_said_and_shown(self):
        vfs = "service v\nprovides vfs\n"
        graph = self.graph(vfs + "service a\nuses vfs\nfiles /tmp READ,WRITE\nstart by-hand\n")
        done = subprocess.run([sys.executable, str(ROOT / "tools/check-graph"), graph], capture_output=True, text=True, check=True)
        self.assertIn("of the files has /tmp: READ,WRITE\n    starts by hand\n", done.stdout)
        for bad in ("uses vfs\n", "files /tmp READ\n", "uses vfs\nfiles tmp READ\n", "uses vfs\nfiles /tmp EXEC\n"):
            self.assertEqual(ask(self.graph(vfs + "service a\n" + bad))[0], 2)

    def test_nonsense_gets_one_line_and_status_2(self):
        good = self.graph("service a\ncap irqs BIND\n")
        for graph, question in ((good, ("--can", "b", "hold", "irqs")), (good, ("--can", "a", "hold", "moon")),
                                (self.graph("cap x READ\n"), ()), (self.graph("service a\nneeds b\n"), ()),
                                (self.graph("service a\nuses b\n"), ()), ("/nonexistent", ())):
            status, text = ask(graph, *question)
            self.assertEqual(status, 2)
            self.assertTrue(text.startswith("check-graph: "), text)


if __name__ == "__main__":
    unittest.main()
