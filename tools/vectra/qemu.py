# SPDX-License-Identifier: MIT
"""The virtual machine: its QEMU command line, and a running QEMU whose serial line we read."""

import os
import queue
import subprocess
import sys
import threading
import time

# SeaBIOS takes memory for each disk that it could boot from, and then lies on the initial RAM disk: none is to boot from.
NO_BOOT_DISKS = ["-boot", "strict=on"]
LARGE_MIB = 8192   # from here on, memory is reserved only as the guest touches it


class Machine:
    """Everything that decides what QEMU is asked for. Paths are relative to the root of the tree, or absolute."""

    def __init__(self, arch="x86_64", **changes):
        self.arch, self.smp, self.mem, self.mode = arch, 1, "512M", "release"
        self.accel, self.gic, self.cpu = "tcg", "3", "max"
        self.disks, self.append, self.extra, self.machine = [], [], [], []
        self.snapshot = False
        self.kernel, self.initrd = None, "default"
        for name, value in changes.items():
            if not hasattr(self, name):
                raise AttributeError(f"a machine has no '{name}'")
            setattr(self, name, value)

    @classmethod
    def from_options(cls, options):
        """The machine that a parsed command line describes."""
        return cls(options.arch, smp=options.smp, mem=options.mem, mode=options.mode, accel=options.accel,
                   gic=options.gic, disks=list(options.disk), snapshot=bool(options.snapshot),
                   append=list(options.append))

    @property
    def build(self):
        """The build folder of this architecture and mode."""
        return f"build/{self.arch}-{self.mode}"

    def kernel_file(self):
        """What QEMU boots: the PVH ELF file on x86_64, the raw Image on aarch64."""
        return self.kernel or f"{self.build}/vectra.{'elf' if self.arch == 'x86_64' else 'img'}"

    def initrd_file(self):
        """The initial RAM disk, or None."""
        return f"{self.build}/initrd.cpio" if self.initrd == "default" else self.initrd

    def board(self):
        """The -M value."""
        parts = ["q35"] if self.arch == "x86_64" else ["virt", f"gic-version={self.gic}"]
        return ",".join(parts + self.machine)

    def command(self, serial):
        """The argument list; `serial` is what the serial line is connected to."""
        line = [program(self.arch), "-M", self.board(), "-accel", self.accel, "-cpu", self.cpu,
                "-smp", str(self.smp), "-m", self.mem, "-nodefaults", "-display", "none", "-no-reboot", *serial]
        if int(self.mem.rstrip("M")) >= LARGE_MIB and sys.platform == "linux" and "-numa" not in self.extra:
            line += ["-object", f"memory-backend-ram,id=ram,size={self.mem},reserve=off",
                     "-machine", "memory-backend=ram"]
        line += ["-kernel", self.kernel_file()]
        if self.initrd_file():
            line += ["-initrd", self.initrd_file()]
        for number, disk in enumerate(self.disks):
            line += ["-drive", f"file={disk.replace(',', ',,')},if=none,id=disk{number},format={image_format(disk)}"
                     + (",snapshot=on" if self.snapshot else ""),
                     "-device", f"virtio-blk-pci,drive=disk{number},disable-legacy=on"]
        if self.disks and self.arch == "x86_64":
            line += NO_BOOT_DISKS
        if self.append:
            line += ["-append", " ".join(self.append)]
        return line + self.extra


def program(arch):
    """QEMU's name for this architecture."""
    return f"qemu-system-{arch}"


def image_format(path):
    """qcow2 when the file says so, else raw: never guessed by QEMU, which warns about it."""
    with open(path, "rb") as handle:
        return "qcow2" if handle.read(4) == b"QFI\xfb" else "raw"


class Running:
    """A QEMU with its serial line on pipes. Use as a context manager: it never outlives the block."""

    def __init__(self, command, log=None):
        self.command, self.transcript, self.messages = command, bytearray(), b""
        self.log = log
        self._queue = queue.Queue()
        self._process = None
        self._threads = []
        self.started = 0.0

    def __enter__(self):
        self.started = time.monotonic()
        # A session of its own: ^C in our terminal reaches us, and we end QEMU in an orderly way.
        self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, bufsize=0, start_new_session=True)
        for pump in (self._pump_serial, self._pump_messages):
            thread = threading.Thread(target=pump, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        # What it still said: nobody may have come to read for a while.
        while not self._queue.empty():
            self.transcript += self._queue.get()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            try:
                stream.close()
            except OSError:
                pass

    def _pump_serial(self):
        while chunk := os.read(self._process.stdout.fileno(), 65536):
            self._queue.put(chunk)
        self._queue.put(b"")

    def _pump_messages(self):
        self.messages = self._process.stderr.read()

    def read(self, timeout):
        """The next bytes of the serial line; b"" when QEMU is gone, None when nothing came in time."""
        try:
            chunk = self._queue.get(timeout=max(timeout, 0))
        except queue.Empty:
            return None
        if not chunk:
            self._queue.put(b"")
        self.transcript += chunk
        if self.log and chunk:
            self.log(chunk)
        return chunk

    def send(self, data):
        """Types into the serial line."""
        try:
            self._process.stdin.write(data)
        except BrokenPipeError:
            pass

    def wait(self, timeout):
        """QEMU's own exit status, or None when it still runs after `timeout` seconds."""
        try:
            status = self._process.wait(timeout=max(timeout, 0))
        except subprocess.TimeoutExpired:
            return None
        self._threads[1].join(timeout=5)
        return status

    def elapsed(self):
        """Seconds since the start."""
        return time.monotonic() - self.started
