# SPDX-License-Identifier: MIT
"""A disk that takes its time: an image served by the NBD protocol through a local socket, each answer a while after its request.

A host answers from its cache in a few microseconds, now before and now after the guest has gone to sleep, which are two
different paths. With a while that is long beside them everybody sleeps, whatever else the host does. Source: the NBD
project's "doc/proto.md", fixed newstyle negotiation and simple replies."""

import contextlib
import os
import queue
import socket
import struct
import tempfile
import threading
import time

DELAY_S = 0.001
OPTION_MAGIC, OPTION_REPLY, REQUEST, REPLY = b"IHAVEOPT", 0x3E889045565A9, 0x25609513, 0x67446698
FIXED_NEWSTYLE_NO_ZEROES = 3
OPT_EXPORT_NAME, OPT_ABORT, OPT_GO = 1, 2, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 0x80000001
HAS_FLAGS, SEND_FLUSH, SEND_TRIM, SEND_ZEROES = 1, 4, 32, 64
READ, WRITE, DISCONNECT, FLUSH, TRIM, ZEROES = 0, 1, 2, 3, 4, 6
OPTION_MAX, REQUEST_MAX, EINVAL, EIO = 4096, 32 << 20, 22, 5


class SlowDisk:
    """Serves an image to one QEMU. A context manager: the value of QEMU's `file=`."""

    def __init__(self, image, delay_s=DELAY_S):
        self.delay_s, self.handle = delay_s, os.open(image, os.O_RDWR)  # the delay may be changed at any time
        self.folder = tempfile.mkdtemp(prefix="vectra-nbd-")
        self.path = os.path.join(self.folder, "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.peer, self.answers = None, queue.Queue()
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.serve, self.answer)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return f"nbd+unix:///?socket={self.path}"

    def __exit__(self, *_):
        for end in (self.listener, self.peer):
            if end:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self.answers.put(None)
        for thread in self.threads:
            thread.join()
        self.listener.close()
        if self.peer:
            self.peer.close()
        os.close(self.handle)
        os.unlink(self.path)
        os.rmdir(self.folder)

    def take(self, n_bytes):
        """So many bytes of the peer's; EOFError when it has gone."""
        data = bytearray()
        while len(data) < n_bytes:
            part = self.peer.recv(n_bytes - len(data))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def serve(self):
        """The one connection, from its beginning to its end."""
        with contextlib.suppress(OSError, EOFError):
            self.peer, _ = self.listener.accept()
            if self.negotiate():
                while self.request():
                    pass
            self.peer.shutdown(socket.SHUT_RDWR)

    def negotiate(self):
        """True when the peer goes on to requests."""
        facts = struct.pack(">QH", os.fstat(self.handle).st_size, HAS_FLAGS | SEND_FLUSH | SEND_TRIM | SEND_ZEROES)
        self.peer.sendall(b"NBDMAGIC" + OPTION_MAGIC + struct.pack(">H", FIXED_NEWSTYLE_NO_ZEROES))
        self.take(4)
        while True:
            magic, option, n_bytes = struct.unpack(">8sII", self.take(16))
            if magic != OPTION_MAGIC or n_bytes > OPTION_MAX:
                return False
            self.take(n_bytes)
            if option == OPT_EXPORT_NAME:
                self.peer.sendall(facts)
                return True
            if option == OPT_GO:
                self.reply_option(option, REP_INFO, struct.pack(">H", 0) + facts)
            self.reply_option(option, REP_ACK if option in (OPT_GO, OPT_ABORT) else REP_UNSUPPORTED)
            if option in (OPT_GO, OPT_ABORT):
                return option == OPT_GO

    def reply_option(self, option, kind, data=b""):
        """One reply of the negotiation."""
        self.peer.sendall(struct.pack(">QIII", OPTION_REPLY, option, kind, len(data)) + data)

    def request(self):
        """Takes and does one request; its answer is sent later. False: there are no more."""
        magic, _, kind, number, offset, n_bytes = struct.unpack(">IHHQQI", self.take(28))
        if magic != REQUEST or kind == DISCONNECT or (kind in (READ, WRITE) and n_bytes > REQUEST_MAX):
            return False
        data = self.take(n_bytes) if kind == WRITE else b""
        error, found = self.perform(kind, offset, n_bytes, data)
        self.answers.put((time.monotonic() + self.delay_s, struct.pack(">IIQ", REPLY, error, number) + found))
        return True

    def perform(self, kind, offset, n_bytes, data):
        """(an errno or 0, what was read). A TRIM is advice, and not taken."""
        if kind not in (READ, WRITE, FLUSH, TRIM, ZEROES):
            return EINVAL, b""
        try:
            if kind == READ:
                return 0, os.pread(self.handle, n_bytes, offset).ljust(n_bytes, b"\0")
            if kind in (WRITE, ZEROES):
                os.pwrite(self.handle, data if kind == WRITE else bytes(n_bytes), offset)
        except OSError:
            return EIO, b""
        return 0, b""

    def answer(self):
        """Sends each answer when it is due."""
        while item := self.answers.get():
            time.sleep(max(0.0, item[0] - time.monotonic()))
            with contextlib.suppress(OSError):
                self.peer.sendall(item[1])
