# SPDX-License-Identifier: MIT
"""The slow disk of the benchmarks: QEMU reads and writes through it, each answer a while after its request; hostile peers."""

import os
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from vectra import slowdisk
from vectra.qemu import program

MIB = 1 << 20


class SlowDiskTest(unittest.TestCase):
    """Each with an image of 1 MiB."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vectra slow ")
        self.image = os.path.join(self.folder.name, "image")
        with open(self.image, "wb") as handle:
            handle.write(b"seen" * (MIB // 4))

    def tearDown(self):
        self.folder.cleanup()

    def orders(self, url, *orders):
        """What QEMU's own reader and writer says to them."""
        line = [program("x86_64"), "-M", "none", "-S", "-display", "none", "-monitor", "stdio",
                "-drive", f"file={url},if=none,id=disk0,format=raw"]
        text = "".join(f'qemu-io disk0 "{order}"\n' for order in orders) + "quit\n"
        return subprocess.run(line, input=text.encode(), capture_output=True, check=True, timeout=60).stdout.decode()

    def test_qemu_reads_and_writes_through_it(self):
        """What the image holds is seen, what is written and zeroed is in the image."""
        with slowdisk.SlowDisk(self.image, 0) as url:
            said = self.orders(url, "read -P 0x73 0 1", "read -v 4096 4", "write -P 0x41 8192 4096", "write -z 16384 512",
                               "discard 32768 512", "flush")
        self.assertIn("73 65 65 6e", said)
        with open(self.image, "rb") as handle:
            data = handle.read()
        self.assertEqual(data[8192:12288], b"A" * 4096)
        self.assertEqual(data[16384:16896], bytes(512))
        self.assertEqual(data[12288:16384] + data[16896:], b"seen" * ((MIB - 16896 + 4096) // 4))

    def test_each_answer_takes_its_time(self):
        """Twenty reads, one behind the other, take at least twenty times the delay."""
        with slowdisk.SlowDisk(self.image, 0.02) as url:
            before = time.monotonic()
            self.orders(url, *["read 0 512"] * 20)
            self.assertGreaterEqual(time.monotonic() - before, 0.4)

    def connect(self, server):
        """A peer that says what it likes, behind the greeting."""
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(10)
        peer.connect(server.path)
        self.assertEqual(peer.recv(18, socket.MSG_WAITALL)[:8], b"NBDMAGIC")
        return peer

    def test_peers_that_break_the_protocol_are_cut_off(self):
        """Neither a wrong magic number, nor an option or a request that is too long, keeps it."""
        option = struct.pack(">I8sII", 3, b"IHAVEOPT", slowdisk.OPT_EXPORT_NAME, 0)
        for words in (struct.pack(">I8sII", 3, b"HAVENOPT", 1, 0), struct.pack(">I8sII", 3, b"IHAVEOPT", 1, 1 << 30),
                      option + bytes(28), option + struct.pack(">IHHQQI", slowdisk.REQUEST, 0, slowdisk.READ, 1, 0, 1 << 31)):
            server = slowdisk.SlowDisk(self.image, 0)
            with server, self.connect(server) as peer:
                peer.sendall(words)
                while peer.recv(4096):
                    pass

    def test_nobody_has_to_come(self):
        """Without a peer it ends all the same, and leaves no socket."""
        server = slowdisk.SlowDisk(self.image)
        with server:
            pass
        self.assertFalse(os.path.exists(server.folder))


if __name__ == "__main__":
    unittest.main()
