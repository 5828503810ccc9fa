# SPDX-License-Identifier: MIT
"""Linux beside us: the programs of the group posix built for Linux, and measured there, on the same machine.

Same compiler, same flags, same release of the C library (as it was released, without our patches), the same QEMU,
counter, CPU and memory. The kernel is whoever's the person has: `vmlinuz` of a distribution's package.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile

from vectra import compiler, cpio, execute, fetch, ports
from vectra.qemu import Running

INIT_SOURCE, INIT_END = "test/bench/linux-init.c", b"linux-init: the end, status "
CONSOLE = {"x86_64": "console=ttyS0", "aarch64": "console=ttyAMA0"}
# What a distribution's kernel does beyond its work for safety's sake and for accounts is turned off: Linux at its best. And without
# tsc=reliable Linux finds no other clock to hold the TSC against, and takes a slow one.
SETTINGS = ["quiet", "mitigations=off", "init_on_alloc=0", "cgroup_disable=memory", "apparmor=0", "audit=0", "tsc=reliable"]
TIMEOUT_S = 1800


def run(line, folder=None, environment=None):
    """A step of the build; what it says is shown when it fails."""
    done = subprocess.run(line, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, **(environment or {})}, check=False)
    if done.returncode != 0:
        raise ports.PortError(f"{' '.join(line)}\n{done.stdout.decode('utf-8', 'replace')[-4000:]}")


def build_library(arch, root):
    """The C library as it was released, for Linux, in `root`; compiled with the flags of ports/musl/build.sh."""
    port, stamp = ports.load("musl"), f"{root}/stamp"
    key = f"{port.source['sha256']} {arch}\n"
    if fetch.read(stamp) == key:
        return
    shutil.rmtree(root, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="vectra-linux-") as work:
        with tarfile.open(port.fetch()[0][1]) as archive:
            archive.extractall(work, filter="data")
        source, out = os.path.join(work, port.source["folder"]), os.path.join(work, "out")
        flags = "-O2 -fno-stack-protector" + (" -mno-outline-atomics" if arch == "aarch64" else "")
        run(["./configure", f"--target={arch}-linux-musl", "--disable-shared", "--disable-wrapper", f"--prefix={out}"], source,
            {"CC": f"{compiler.clang()} --target={arch}-linux-musl", "AR": os.environ.get("LLVM_AR", "llvm-ar-19"),
             "RANLIB": os.environ.get("LLVM_RANLIB", "llvm-ranlib-19"), "CFLAGS": flags})
        run(["make", f"-j{max(2, os.cpu_count() or 2)}"], source)
        run(["make", "install"], source)
        shutil.copytree(out, root)
    shutil.copyfile(compiler.helpers(arch), f"{root}/lib/libgcc.a")
    with open(stamp, "w", encoding="utf-8") as handle:
        handle.write(key)


def build_programs(arch, sources, flags):
    """{guest path: file}: the benchmark, the interpreter of ports/lua, and the first process, for Linux."""
    out = os.path.abspath(f"build/linux-{arch}")
    root = f"{out}/sysroot"
    build_library(arch, root)
    environment = {"VECTRA_SYSROOT": root}
    compile_line = [ports.front_script(), "cc", "--arch", arch, "-U__vectra__"]
    for name, source in sources.items():
        run([*compile_line, *flags, "-o", f"{out}/{name}", source], environment=environment)
    with tempfile.TemporaryDirectory(prefix="vectra-linux-") as work:
        source = ports.unpack(ports.load("lua"), work)
        run(["sh", os.path.abspath("ports/lua/build.sh")], source,
            {**environment, "CC": " ".join(compile_line), "OUT": work, "LLVM_AR": os.environ.get("LLVM_AR", "llvm-ar-19")})
        run([*compile_line, "-o", f"{out}/lua", f"{work}/lua.a"], environment=environment)
    return {"/init": f"{out}/init", "/bin/posix-bench": f"{out}/posix-bench", "/bin/lua": f"{out}/lua"}


def measure(machine, kernel, source, flags, names):
    """Boots `machine` with that Linux and measures; returns the transcript."""
    files = build_programs(machine.arch, {"posix-bench": source, "init": INIT_SOURCE}, flags)
    archive = cpio.Archive()
    for guest, host in files.items():
        archive.add(guest, cpio.read(host), 0o755)
    machine.kernel, machine.initrd = kernel, f"build/linux-{machine.arch}/initrd.cpio"
    with open(machine.initrd, "wb") as handle:
        handle.write(archive.pack(aligned=False))
    machine.append = [CONSOLE[machine.arch], *SETTINGS, "--", *names]
    with Running(machine.command(execute.SERIAL)) as guest:
        while guest.elapsed() < TIMEOUT_S and guest.read(1) != b"" and INIT_END not in guest.transcript:
            pass
        guest.wait(5)
    return bytes(guest.transcript)
