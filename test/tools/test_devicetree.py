# SPDX-License-Identifier: MIT
"""Changing a device tree that QEMU made."""

import struct
import unittest

from vectra import cpio, devicetree

DUMP = "test/data/firmware/virt-gic3-1.dtb"


class DeviceTreeTest(unittest.TestCase):
    """On a committed dump of a machine with an initial RAM disk."""

    def test_numbers_change_in_place(self):
        """The one that is named, and no other byte."""
        tree = bytearray(cpio.read(DUMP))
        before = bytes(tree)
        devicetree.set_number(tree, "/chosen", "linux,initrd-start", 0x41234567)
        values = {(path, name): (at, length) for path, name, at, length in devicetree.properties(tree)}
        at, length = values["/chosen", "linux,initrd-start"]
        self.assertEqual(int.from_bytes(tree[at:at + length], "big"), 0x41234567)
        self.assertEqual(tree[:at] + tree[at + length:], before[:at] + before[at + length:])

    def test_what_is_not_there_is_named(self):
        """A property of another node does not count."""
        with self.assertRaisesRegex(KeyError, "linux,initrd-start"):
            devicetree.set_number(bytearray(cpio.read(DUMP)), "/memory", "linux,initrd-start", 1)

    def test_unused_room_goes(self):
        """The tree says its new size."""
        tree = bytearray(cpio.read(DUMP))
        devicetree.trim(tree)
        whole = bytes(tree)
        tree += bytes(4096)
        devicetree.trim(tree)
        self.assertEqual(bytes(tree), whole)
        self.assertEqual(struct.unpack_from(">I", tree, 4)[0], len(tree))


if __name__ == "__main__":
    unittest.main()
