# SPDX-License-Identifier: MIT
"""./vectra disk: images made, filled and emptied from outside, with partition tables of all kinds; mistakes in one line."""

import contextlib
import fcntl
import os
import subprocess
import tempfile
import unittest

from vectra import disks
from vectra.qemu import Machine

MIB = 1 << 20


class DiskTest(unittest.TestCase):
    """Each in a folder of its own, with a space in its name."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vectra disk ")
        self.image = self.path("disk.img")

    def tearDown(self):
        self.folder.cleanup()

    def path(self, name):
        """A path in the folder."""
        return os.path.join(self.folder.name, name)

    def host_file(self, name, data):
        """A file outside, and its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as handle:
            handle.write(data)
        return path

    def read(self, name):
        """What is in a file outside."""
        with open(self.path(name), "rb") as handle:
            return handle.read()

    def fsck(self, offset=0):
        """fsck.fat finds nothing wrong."""
        with open(self.image, "rb") as handle, open(self.path("volume"), "wb") as out:
            handle.seek(offset)
            out.write(handle.read())
        done = subprocess.run(["fsck.fat", "-n", self.path("volume")], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def there_and_back(self):
        """Files, names and folders of all kinds."""
        data = os.urandom(300_000)
        names = ["SHORT.TXT", "a long name, with Capitals.tar.gz", "été €.c", ".profile"]
        paths = [self.host_file("in/" + name, data[i:]) for i, name in enumerate(names)]
        disks.put(self.image, paths, "/")
        self.assertEqual(disks.listing(self.image), sorted(names))
        for i, name in enumerate(names):
            disks.get(self.image, name, self.path("back"))
            self.assertEqual(self.read("back"), data[i:])
        self.host_file("tree/sub/deep", b"deep")
        self.host_file("tree/empty", b"")
        disks.put(self.image, [self.path("tree")], "/")
        self.assertIn("tree/", disks.listing(self.image))
        self.assertEqual(disks.listing(self.image, "/tree"), ["empty", "sub/"])
        os.mkdir(self.path("out"))
        disks.get(self.image, "tree", self.path("out"))
        self.assertEqual(self.read("out/tree/sub/deep"), b"deep")
        disks.put(self.image, [self.host_file("new", b"replaced")], "/SHORT.TXT")
        disks.get(self.image, "/SHORT.TXT", self.path("back"))
        self.assertEqual(self.read("back"), b"replaced")

    def test_plain(self):
        """A volume by itself; large ones are FAT32 and take no room on the host."""
        disks.create(self.image, 100 * MIB, "LABEL")
        self.assertEqual(disks.listing(self.image), [])
        self.there_and_back()
        self.fsck()
        self.image = self.path("large.img")
        disks.create(self.image, 4096 * MIB)
        self.assertLess(os.stat(self.image).st_blocks * 512, 20 * MIB)
        with open(self.image, "rb") as handle:
            self.assertEqual(handle.read(512)[82:90], b"FAT32   ")
        self.assertEqual(os.listdir(self.folder.name).count("large.img.unfinished"), 0)

    def test_small(self):
        """The smallest one."""
        disks.create(self.image, MIB)
        disks.put(self.image, [self.host_file("x", b"x" * 1000)], "/x")
        self.assertEqual(disks.listing(self.image), ["x"])
        self.fsck()

    def test_own_table(self):
        """What create --table makes."""
        disks.create(self.image, 100 * MIB, partition=True)
        self.there_and_back()
        self.fsck(disks.FIRST_SECTOR * 512)
        text = subprocess.run(["sfdisk", "-l", self.image], capture_output=True, text=True, check=True).stdout
        self.assertIn("W95 FAT32 (LBA)", text)

    def tabled(self, program, script, first):
        """An image whose table another tool made, with a volume at a sector."""
        with open(self.image, "wb") as handle:
            handle.truncate(64 * MIB)
        subprocess.run([*program, self.image], input=script, capture_output=True, text=True, check=True)
        subprocess.run(["mkfs.fat", f"--offset={first}", self.image, "20000"], capture_output=True, check=True)

    def test_gpt(self):
        """The FAT is in the second partition."""
        self.tabled(["sgdisk", "-n", "1:2048:4095", "-n", "2:8192:0", "-t", "2:0700"], "", 8192)
        self.there_and_back()
        self.assertEqual(disks.volume(self.image, 2), f"{self.image}@@{8192 * 512}")
        with self.assertRaisesRegex(disks.DiskError, "no FAT volume in partition 1"):
            disks.volume(self.image, 1)
        with self.assertRaisesRegex(disks.DiskError, "has no partition 3"):
            disks.volume(self.image, 3)

    def test_logical(self):
        """The FAT is in a logical partition."""
        self.tabled(["sfdisk"], "2048,2048,83\n8192,,5\n10240,40960,c\n", 10240)
        self.there_and_back()
        self.assertEqual(disks.volume(self.image, 5), f"{self.image}@@{10240 * 512}")

    def test_nothing_there(self):
        """What is no volume, and what is not on one."""
        self.host_file("disk.img", bytes(MIB))
        with self.assertRaisesRegex(disks.DiskError, "holds no FAT volume"):
            disks.listing(self.image)
        self.host_file("disk.img", b"QFI\xfb" + bytes(MIB))
        with self.assertRaisesRegex(disks.DiskError, "qcow2"):
            disks.listing(self.image)
        with self.assertRaisesRegex(disks.DiskError, "No such file"):
            disks.listing(self.path("none"))
        self.host_file("disk.img", b"short")
        with self.assertRaisesRegex(disks.DiskError, "holds no FAT volume"):
            disks.listing(self.image)
        os.unlink(self.image)
        disks.create(self.image, 2 * MIB)
        for what in (lambda: disks.get(self.image, "none", self.path("x")), lambda: disks.listing(self.image, "none")):
            with self.assertRaisesRegex(disks.DiskError, "/none: no such file on the disk"):
                what()
        with self.assertRaisesRegex(disks.DiskError, "no such file"):
            disks.put(self.image, [self.path("none")], "/")
        with self.assertRaisesRegex(disks.DiskError, "exists already"):
            disks.create(self.image, MIB)
        with self.assertRaisesRegex(disks.DiskError, "at least 1M"):
            disks.create(self.path("tiny"), MIB - 1)

    def test_full(self):
        """A disk without room says so."""
        disks.create(self.image, MIB)
        with self.assertRaisesRegex(disks.DiskError, "(?i)full"):
            disks.put(self.image, [self.host_file("large", bytes(2 * MIB))], "/")

    def test_persistent(self):
        """Made when it is first wanted, kept from then on; not while another machine has it."""
        before = os.environ.get("XDG_DATA_HOME")
        os.environ["XDG_DATA_HOME"] = self.path("share")
        try:
            self.image = disks.persistent()
            self.assertEqual(self.image, self.path("share/vectra/data.img"))
            disks.put(self.image, [self.host_file("kept", b"kept")], "/")
            self.assertEqual(disks.persistent(), self.image)
            self.assertEqual(disks.listing(self.image), ["kept"])
            self.assertLess(os.stat(self.image).st_blocks * 512, 20 * MIB)
            with self.held(), self.assertRaisesRegex(disks.DiskError, "is in use"):
                disks.persistent()
            os.environ["XDG_DATA_HOME"] = self.path("kept")   # a file
            with self.assertRaisesRegex(disks.DiskError, "Not a directory"):
                disks.persistent()
        finally:
            if before is None:
                del os.environ["XDG_DATA_HOME"]
            else:
                os.environ["XDG_DATA_HOME"] = before

    def test_snapshot(self):
        """What QEMU is asked for."""
        disks.create(self.image, MIB)
        line = " ".join(Machine("x86_64", disks=[self.image], snapshot=True).command([]))
        self.assertIn("format=raw,snapshot=on", line)
        self.assertNotIn("snapshot", " ".join(Machine("x86_64", disks=[self.image]).command([])))

    @contextlib.contextmanager
    def held(self):
        """Somebody has the image with a lock like QEMU's."""
        child = subprocess.Popen(["python3", "-c", "import fcntl,sys\nh=open(sys.argv[1],'r+b')\n"
                                  "fcntl.lockf(h,fcntl.LOCK_SH,1,100)\nprint('held',flush=True)\nsys.stdin.read()", self.image],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.assertEqual(child.stdout.readline(), b"held\n")
            yield
        finally:
            child.communicate()

    def test_in_use(self):
        """A lock like QEMU's keeps `put` away; reading goes on."""
        disks.create(self.image, 2 * MIB)
        with self.held():
            with self.assertRaisesRegex(disks.DiskError, "is in use"):
                disks.put(self.image, [self.host_file("x", b"x")], "/")
            self.assertEqual(disks.listing(self.image), [])
        with open(self.image, "r+b") as handle:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        disks.put(self.image, [self.path("x")], "/")


if __name__ == "__main__":
    unittest.main()
