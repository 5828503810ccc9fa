# SPDX-License-Identifier: MIT
"""What rustc calls a sysroot: std for VectraOS, built from the distribution's sources as they are, and libunwind.a.

One folder serves both architectures and, for build scripts and procedural macros, this machine. It lies in the cache by a
key of everything that decides what comes out, so it is built once for all trees, and each architecture only when a
program for it is built.

A second one in it is for programs that abort on a panic and are optimised as a whole, which is how one asks for a small
program: its std has no backtraces, and what makes them is half of such a program. ports/rust/bin/vectra-rustc sees from
its arguments which one a crate is for, and has this one built when the first such crate comes. Cargo says both things of
all crates of a program or of none; what it can say of one crate alone, as `strip`, would give a program two kinds of std.
"""

import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

if __name__ == "__main__":
    ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
    sys.path[0] = os.path.join(ROOT, "tools")
    os.chdir(ROOT)

# The path above comes first.
# pylint: disable=wrong-import-position
from vectra import fetch   # noqa: E402
from vectra.build import Progress   # noqa: E402
from vectra.rust import RustError, toolchain   # noqa: E402

RECIPE = "ports/rust"
FORMAT = 2          # raise it when the way of building changes
PARTS = ("std", "panic_unwind", "panic_abort", "test")
SMALL, SMALL_PARTS = "small", ("std", "panic_abort")
SEPARATOR = "\x1f"


def triple(arch):
    """What rustc calls the system."""
    return f"{arch}-unknown-vectra"


def inputs():
    """The files of this tree that decide what comes out."""
    found = [f"{RECIPE}/bin/vectra-rustc"]
    for name in ("targets", "unwind"):
        for root, folders, names in os.walk(f"{RECIPE}/{name}"):
            folders.sort()
            found += [os.path.join(root, name) for name in names]
    return sorted(found)


def key(tools):
    """The content key."""
    found = hashlib.sha256(f"{FORMAT} {tools.version} {' '.join(PARTS)}\n".encode())
    for path in inputs():
        found.update(f"{path} {fetch.sha256(path)}\n".encode())
    return found.hexdigest()[:16]


class Sysroot:
    """The folder for one toolchain and one recipe; there need not be anything in it yet."""

    def __init__(self, tools, say):
        self.tools, self.say = tools, say
        self.place = f"{toolchain.folder()}/sysroot-{key(tools)}"

    def libraries(self, arch, variant="."):
        """Where the libraries of an architecture lie."""
        return f"{self.place}/{variant}/lib/rustlib/{triple(arch)}/lib"

    def environment(self):
        """For whoever calls the recipe's vectra-rustc, directly or through cargo."""
        folder = os.path.abspath(f"{RECIPE}/bin")
        return {**self.tools.environment(), "VECTRA_RUSTC": self.tools.rustc, "VECTRA_RUSTDOC": self.tools.rustdoc,
                "VECTRA_RUST_SYSROOT": self.place, "VECTRA_RUST_SMALL": os.path.abspath(__file__),
                "RUSTC": f"{folder}/vectra-rustc", "RUSTDOC": f"{folder}/vectra-rustdoc",
                "PATH": f"{folder}:{os.environ.get('PATH', '')}",
                host_variable(self.tools.host, "LINKER"): os.environ.get("CLANG", "clang-19")}

    def build(self, arch):
        """Sees that std is there for an architecture."""
        self.step("complete", arch, self.build_complete)
        self.step("abort", arch, self.build_abort)

    def has(self, arch):
        """True when std is there for an architecture."""
        return os.path.exists(self.mark("abort", arch))

    def mark(self, name, arch):
        """The file that says that a step of the building is done."""
        return f"{self.place}/.{name}-{arch}"

    def build_small(self, arch):
        """Sees that the one without backtraces is there, too."""
        self.build(arch)
        self.step(SMALL, arch, self.build_smaller)

    def step(self, name, arch, work):
        """Does one step of the building, unless it is done."""
        mark = self.mark(name, arch)
        if os.path.exists(mark):
            return
        os.makedirs(self.place, exist_ok=True)
        with open(f"{self.place}/lock", "w", encoding="utf-8") as alone:
            fcntl.flock(alone, fcntl.LOCK_EX)
            if not os.path.exists(mark):
                work(arch)
                touch(mark)

    def build_complete(self, arch):
        """std as cargo builds it, and the unwinder."""
        self.say(f"building std for {arch} from the sources of Rust {self.tools.version.partition('+')[0]}; once, it takes a "
                 "minute or two")
        with tempfile.TemporaryDirectory(prefix="build-", dir=self.place) as work:
            self.prepare(".")
            self.build_std(arch, work, ".", [f"-Zbuild-std={','.join(PARTS)}"], [])
            self.build_unwinder(arch, work)

    def build_smaller(self, arch):
        """std for small programs."""
        self.say(f"building std for small programs for {arch}; once, it takes a minute")
        with tempfile.TemporaryDirectory(prefix="build-", dir=self.place) as work:
            self.prepare(SMALL)
            # Any feature takes the place of the usual ones; this one does nothing beside that.
            self.build_std(arch, work, SMALL, [f"-Zbuild-std={','.join(SMALL_PARTS)}",
                                                  "-Zbuild-std-features=backtrace-trace-only"], ["-Cpanic=abort"])
            shutil.copyfile(f"{self.libraries(arch)}/libunwind.a", f"{self.libraries(arch, SMALL)}/libunwind.a")

    def prepare(self, variant):
        """The targets, and this machine's own libraries."""
        base = f"{self.place}/{variant}/lib/rustlib"
        os.makedirs(base, exist_ok=True)
        for name in (self.tools.host, "src"):
            if not os.path.islink(f"{base}/{name}"):
                os.symlink(f"{self.tools.place}/usr/lib/rustlib/{name}", f"{base}/{name}")
        for path in glob.glob(f"{RECIPE}/targets/*.json"):
            place = f"{base}/{os.path.basename(path).removesuffix('.json')}"
            os.makedirs(f"{place}/lib", exist_ok=True)
            shutil.copyfile(path, f"{place}/target.json")

    def build_std(self, arch, work, variant, options, extra):
        """By cargo, from the library's workspace: its own build would need crates that the packages leave out."""
        project = f"{work}/std"
        os.makedirs(f"{project}/src")
        write(f"{project}/Cargo.toml", '[package]\nname = "all_of_std"\nversion = "0.1.0"\nedition = "2021"\n\n[workspace]\n')
        write(f"{project}/src/lib.rs", "")
        # Programs with link-time optimisation need the bitcode, and no path of this machine is to be in any program.
        flags = ["-Cembed-bitcode=yes", f"--remap-path-prefix={self.tools.library}=/rust/library",
                 f"--remap-path-prefix={self.place}/lib/rustlib/src/rust=/rust", f"--remap-path-prefix={work}=/build", *extra]
        self.cargo(arch, work, project, options, flags)
        made = glob.glob(f"{work}/target/{triple(arch)}/release/deps/lib*.rlib")
        libraries = self.libraries(arch, variant)
        shutil.rmtree(libraries)
        os.makedirs(libraries)
        for path in made:
            if not os.path.basename(path).startswith("liball_of_std"):
                shutil.copyfile(path, f"{libraries}/{os.path.basename(path)}")

    def build_abort(self, arch):
        """Programs that abort on a panic need the one crate that is compiled so; cargo compiles all of std to unwind."""
        libraries = self.libraries(arch)
        with tempfile.TemporaryDirectory(prefix="build-", dir=self.place) as work:
            done = subprocess.run([f"{RECIPE}/bin/vectra-rustc", "--crate-name=panic_abort", "--crate-type=rlib", "--edition=2024",
                                   f"{self.tools.library}/panic_abort/src/lib.rs", f"--target={triple(arch)}", "-Cpanic=abort",
                                   "-Copt-level=3", "-Cembed-bitcode=yes", "-Cmetadata=abort", "-Zforce-unstable-if-unmarked",
                                   f"--remap-path-prefix={self.tools.library}=/rust/library", "--out-dir", work],
                                  env={**os.environ, **self.environment()}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
            if done.returncode != 0:
                raise RustError(f"Rust {self.tools.version}: panic_abort does not build for {arch}\n{done.stdout}")
            for path in glob.glob(f"{libraries}/libpanic_abort*.rlib"):
                os.remove(path)
            shutil.copyfile(f"{work}/libpanic_abort.rlib", f"{libraries}/libpanic_abort.rlib")

    def build_unwinder(self, arch, work):
        """libunwind.a: one object that defines the interface of unwinding, and keeps its own copy of core to itself."""
        project = f"{work}/unwind"
        shutil.copytree(f"{RECIPE}/unwind", project)
        self.cargo(arch, work, project, [], [f"--remap-path-prefix={work}=/build",
                                             f"--remap-path-prefix={self.tools.library}=/rust/library"])
        archive, joined = f"{work}/target/{triple(arch)}/release/libunwind.a", f"{work}/unwind.o"
        listed = run([os.environ.get("LLVM_NM", "llvm-nm-19"), "--defined-only", "--extern-only", "--format=just-symbols",
                      archive])
        names = sorted({name for name in listed.split() if name.startswith("_Unwind_")})
        if "_Unwind_RaiseException" not in names:
            raise RustError("the crate `unwinding` does not define _Unwind_RaiseException")
        run([os.environ.get("LLD", "ld.lld-19"), "-r", *(f"--undefined={name}" for name in names), archive, "-o", joined])
        run([os.environ.get("OBJCOPY", "llvm-objcopy-19"), "-w", "--keep-global-symbol=_Unwind_*", joined])
        run([os.environ.get("LLVM_AR", "llvm-ar-19"), "rcsD", f"{self.libraries(arch)}/libunwind.a", joined])

    def cargo(self, arch, work, project, options, flags):
        """A release build of one project from the vendored crates alone."""
        home = f"{work}/home"
        os.makedirs(home, exist_ok=True)
        write(f"{home}/config.toml", f'[source.crates-io]\nreplace-with = "vendored"\n\n[source.vendored]\n'
                                     f'directory = "{self.tools.library}/vendor"\n\n[net]\noffline = true\n')
        settings = {name: value for name, value in os.environ.items()
                    if not name.startswith(("CARGO", "RUST", "MAKE", "MFLAGS"))}
        settings |= {**self.environment(), "CARGO_HOME": home, "CARGO_TARGET_DIR": f"{work}/target", "LC_ALL": "C",
                     "CARGO_ENCODED_RUSTFLAGS": SEPARATOR.join(flags), "RUSTC_BOOTSTRAP": "1",
                     "VECTRA_RUST_SMALL": ""}
        line = [self.tools.cargo, "build", "--release", "--offline", f"-j{max(2, os.cpu_count() or 2)}",
                f"--target={triple(arch)}", *options]
        progress, words = Progress(f"vectra: std for {arch}"), []
        with subprocess.Popen(line, cwd=project, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace") as process:
            for count, text in enumerate(process.stdout):
                words.append(text)
                progress.step(count, " ".join(text.split()[:3]))
        progress.end()
        if process.returncode != 0:
            raise RustError(f"Rust {self.tools.version}: {os.path.basename(project)} does not build for {arch}\n"
                            + "".join(words[-30:]))


def touch(path):
    """An empty file."""
    with open(path, "w", encoding="utf-8"):
        pass


def host_variable(host, name):
    """Cargo's name of a setting for this machine."""
    return f"CARGO_TARGET_{host.upper().replace('-', '_')}_{name}"


def write(path, text):
    """A small file."""
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(text)


def run(line):
    """One tool; its output. Raises RustError with its words."""
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RustError(f"{line[0]}: exit status {done.returncode}\n{done.stderr.decode('utf-8', 'replace')}")
    return done.stdout.decode("utf-8", "replace")


def main(arguments):
    """What vectra-rustc calls: `sysroot.py ARCH` sees that the std for small programs is there."""
    try:
        Sysroot(toolchain.find(toolchain.say_on_stderr), toolchain.say_on_stderr).build_small(arguments[0])
    except RustError as problem:
        print(f"vectra: rustc: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
