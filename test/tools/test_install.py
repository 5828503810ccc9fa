# SPDX-License-Identifier: MIT
"""The front door on machines that lack things: a fake system of a few programs, where apt-get only pretends."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
TOOLS = ("sh", "dirname", "readlink", "grep", "sed", "head", "uname", "env", "cat", "chmod", "id", "touch", "python3")


class Fake:
    """A folder that is the whole PATH, and a tree that holds only the front door."""

    def __init__(self, folder):
        self.bin, self.tree, self.log = (os.path.join(folder, n) for n in ("bin", "a tree", "log"))
        os.makedirs(self.bin)
        os.makedirs(os.path.join(self.tree, "tools", "vectra"))
        for tool in TOOLS:
            os.symlink(shutil.which(tool), os.path.join(self.bin, tool))
        shutil.copy(os.path.join(ROOT, "vectra"), self.tree)
        shutil.copy(os.path.join(ROOT, "tools/vectra/packages.txt"), os.path.join(self.tree, "tools/vectra"))
        self.write(os.path.join(self.tree, "tools/vectra/main.py"), "import sys\nprint('main', *sys.argv[1:])\n")

    def write(self, path, text):
        """A file that can be run."""
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(text)
        os.chmod(path, 0o755)

    def program(self, name, text="exit 0"):
        """A fake program; what it is called with goes to the log."""
        path = os.path.join(self.bin, name)
        if os.path.lexists(path):
            os.remove(path)
        self.write(path, f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{text}\n')

    def apt(self, installs):
        """An apt-get that makes the named programs appear."""
        made = "\n".join(f'printf "#!/bin/sh\\n" >"{self.bin}/{name}"; chmod 755 "{self.bin}/{name}"' for name in installs)
        self.program("apt-get", f'if [ "$1" = install ]; then\n{made}\n:\nfi')

    def call(self, *words, doctor=False):
        """(status, stdout, stderr, log) of ./vectra; with the tree's own Python if the doctor is to come."""
        if doctor:
            shutil.copytree(os.path.join(ROOT, "tools"), os.path.join(self.tree, "tools"), dirs_exist_ok=True)
        done = subprocess.run([os.path.join(self.tree, "vectra"), *words], capture_output=True, text=True, check=False,
                              env={"PATH": self.bin, "HOME": "/"}, stdin=subprocess.DEVNULL, timeout=60)
        log = ""
        if os.path.exists(self.log):
            with open(self.log, encoding="utf-8") as handle:
                log = handle.read()
        return done.returncode, done.stdout, done.stderr, log


NEEDED = ("make", "clang-19", "ld.lld-19", "llvm-objcopy-19", "qemu-system-x86_64", "qemu-system-aarch64",
          "bison", "mkfs.fat", "mcopy")


class InstallTest(unittest.TestCase):
    """What ./vectra does before Python starts."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.fake = Fake(folder.name)

    def test_root_on_debian_installs_what_is_missing(self):
        """Once; standard output stays clean."""
        self.fake.program("id", "echo 0")
        self.fake.program("make")
        self.fake.apt(NEEDED)
        status, out, err, log = self.fake.call("run")
        self.assertEqual((status, out), (0, "main run\n"), err)
        self.assertIn("apt-get update -q\n", log)
        # mkfs.fat may be this machine's own: it is looked for where only root looks.
        self.assertRegex(log, "apt-get install -q -y --no-install-recommends clang-19 lld-19 llvm-19 qemu-system-x86 "
                         "qemu-system-arm bison( dosfstools)? mtools\n")
        self.assertEqual(self.fake.call("run")[3].count("apt-get install"), 1)

    def test_others_use_sudo(self):
        """Only when they are not root."""
        self.fake.program("id", "echo 1000")
        self.fake.program("sudo", '"$@"')
        self.fake.apt(NEEDED)
        status, _, err, log = self.fake.call("run")
        self.assertEqual(status, 0, err)
        self.assertIn("sudo apt-get update -q\n", log)
        self.assertIn("sudo env DEBIAN_FRONTEND=noninteractive apt-get install", log)

    def test_no_sudo(self):
        """The line to type as root."""
        self.fake.program("id", "echo 1000")
        self.fake.apt(NEEDED)
        status, _, err, _ = self.fake.call("run")
        self.assertEqual(status, 1)
        self.assertIn("as root, type: apt-get install --no-install-recommends make clang-19", err)

    def test_apt_that_fails(self):
        """One clear line after apt's own."""
        self.fake.program("id", "echo 0")
        self.fake.program("apt-get", "exit 100")
        status, _, err, _ = self.fake.call("run")
        self.assertEqual(status, 1)
        self.assertIn("apt-get could not install: make clang-19", err)

    def test_apt_that_lies(self):
        """Programs that are still not there are named."""
        self.fake.program("id", "echo 0")
        self.fake.apt([name for name in NEEDED if name != "qemu-system-aarch64"])
        status, _, err, _ = self.fake.call("run")
        self.assertEqual(status, 1)
        self.assertIn("still missing after the installation: qemu-system-arm", err)

    def test_other_systems_are_told_their_names(self):
        """Fedora, Arch, and one that nobody knows."""
        for manager, words in (("dnf", "sudo dnf install make clang lld llvm qemu-system-x86-core"),
                               ("pacman", "sudo pacman -S make clang lld llvm qemu-system-x86"), (None, "(Debian's names): make")):
            if manager:
                self.fake.program(manager)
            status, _, err, _ = self.fake.call("run")
            self.assertEqual(status, 1)
            self.assertIn(words, err)
            if manager:
                os.remove(os.path.join(self.fake.bin, manager))

    def test_plain_names_of_the_right_version(self):
        """A system without suffixes: clang 19 or newer is taken, an older one is not."""
        for name in NEEDED:
            self.fake.program(name)
        os.remove(os.path.join(self.fake.bin, "clang-19"))
        self.fake.program("dnf")
        self.fake.program("clang", 'echo "clang version 14.0.6 (Fedora 14.0.6-1)"')
        self.assertEqual(self.fake.call("run")[0], 1)
        self.fake.program("clang", 'echo "clang version 20.1.2 (Fedora 20.1.2-1)"')
        self.fake.write(os.path.join(self.fake.tree, "tools/vectra/main.py"), "import os\nprint(os.environ['CLANG'])\n")
        self.assertEqual(self.fake.call("run")[:2], (0, "clang\n"))

    def test_help_needs_only_python(self):
        """And so does doctor, which says what else is missing."""
        for command in ("help", "doctor"):
            self.assertEqual(self.fake.call(command)[:2], (0, f"main {command}\n"))

    def test_doctor_names_all_that_is_missing(self):
        """Every row of the table, and none on a machine that has it."""
        with open(os.path.join(ROOT, "tools/vectra/packages.txt"), encoding="utf-8") as handle:
            rows = [line.split() for line in handle]
        probes = [words[1].removeprefix("file:") for words in rows if words and words[0] != "#"]
        status, out, _, _ = self.fake.call("doctor", doctor=True)
        lacking = [line.split()[1] for line in out.splitlines() if line.startswith("  MISSING")]
        self.assertEqual(status, 1, out)
        self.assertEqual(set(probes) - set(lacking) - {"cmocka.h", "libgcc-aarch64", "mpmath", "mkfs.fat", "sfdisk", "sgdisk"},
                         {"python3"}, out)

    def test_the_sanitizers_library_of_another_version(self):
        """Only that of the compiler which is used counts."""
        library = os.path.join(self.fake.tree, "clang", "lib", "linux", "libclang_rt.fuzzer-x86_64.a")
        os.makedirs(os.path.dirname(library))
        self.fake.program("clang-19", f'echo "{self.fake.tree}/clang"')
        for there in (False, True):
            if there:
                self.fake.write(library, "")
            out = self.fake.call("doctor", doctor=True)[1]
            self.assertIn(f"  {'ok      ' if there else 'MISSING '} libclang_rt.fuzzer", out)

    def test_a_debugger_of_one_architecture(self):
        """Debian's plain gdb does not stand in for gdb-multiarch."""
        for knows_both in (False, True):
            self.fake.program("gdb", "exit 0" if knows_both else """echo 'Undefined item: "aarch64".' >&2""")
            out = self.fake.call("doctor", doctor=True)[1]
            self.assertIn(f"  {'ok      ' if knows_both else 'MISSING '} gdb-multiarch", out)

    def test_not_a_whole_tree(self):
        """The script alone."""
        shutil.rmtree(os.path.join(self.fake.tree, "tools"))
        status, _, err, _ = self.fake.call("run")
        self.assertEqual(status, 1)
        self.assertIn("is not a whole VectraOS tree", err)


if __name__ == "__main__":
    unittest.main()
