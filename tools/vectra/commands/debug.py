# SPDX-License-Identifier: MIT
"""./vectra debug: QEMU stopped at its first instruction, with gdb attached and symbols loaded."""

import os
import shlex
import signal
import socket
import subprocess
import sys

from vectra import options as opt
from vectra.commands import common

SUMMARY = "QEMU stopped at its first instruction, gdb attached, symbols loaded"
OPTIONS = [o for o in opt.MACHINE if o.name != "--mode"] + [
    opt.Option("--mode", "MODE", opt.choice("release", "debug"), "debug (default) or release build", default="debug"),
    opt.Option("--port", "N", opt.number(1024, 65535), "gdb's port (default 1234)", default=1234),
]
HELP = f"""usage: ./vectra debug [OPTION]... [--]

Starts QEMU stopped, with gdb in this terminal and the serial line in build/ARCH-MODE/serial.log. The kernel runs where it
is linked (kaslr=off), so that its symbols fit, and on aarch64 without pointer authentication, so that gdb finds callers.
With a `--` at the end no gdb is started: the serial line is in this terminal, and the gdb command to type elsewhere is
printed.

{opt.usage(OPTIONS)}"""
SCRIPT = "tools/gdb/vectra.py"


def gdb_command(machine, port):
    """What attaches gdb, from the root of the tree."""
    program = common.tool("GDB", "gdb-multiarch", "gdb") or "gdb-multiarch"
    line = [program, "-q", "-ex", f"target remote localhost:{port}"]
    if os.path.exists(SCRIPT):
        line += ["-ex", f"source {SCRIPT}"]
    return line + [f"{machine.build}/vectra.elf"]


def check_port(port):
    """Refuses a port that somebody listens on: gdb would attach to that."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except OSError as problem:
            raise opt.UsageError(f"debug: --port {port}: {problem.strerror}; choose another") from None


def main(arguments):
    """Runs both programs until gdb ends; returns gdb's status."""
    options = opt.parse("debug", arguments, OPTIONS)
    alone = options.rest == []
    options["rest"] = None if alone else options.rest
    common.no_words("debug", options)
    check_port(options.port)
    machine = common.machine("debug", options)
    machine.append = ["kaslr=off", *machine.append]  # the symbols are those of where the kernel is linked
    if machine.arch == "aarch64" and machine.cpu == "max":
        machine.cpu = "max,pauth=off"  # gdb cannot tell a signed return address from a wrong one: QEMU does not say how
    stopped = ["-gdb", f"tcp:localhost:{options.port}", "-S"]
    debugger = gdb_command(machine, options.port)
    if alone:
        print(f"vectra: stopped; in another terminal, in {os.getcwd()}, type:\n  {shlex.join(debugger)}",
              file=sys.stderr)
        line = machine.command(["-serial", "mon:stdio"]) + stopped
        sys.stderr.flush()
        os.execvp(line[0], line)
    log = f"{machine.build}/serial.log"
    print(f"vectra: the serial line is in {log}", file=sys.stderr)
    line = machine.command(["-serial", f"file:{log}", "-monitor", "none"]) + stopped
    # ^C is for gdb, which stops the machine: the terminal sends it to all of us. (A handler: what is ignored stays so in gdb.)
    signal.signal(signal.SIGINT, lambda *_: None)
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, start_new_session=True) as guest:
        try:
            return subprocess.call(debugger)
        except FileNotFoundError:
            print(f"vectra: debug: {debugger[0]} is not installed; try './vectra doctor'", file=sys.stderr)
            return 1
        finally:
            guest.kill()
