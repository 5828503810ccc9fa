# SPDX-License-Identifier: MIT
"""Group `rust`: std inside the system, and the ways to it, as a person types them.

test/rust/std is one program of many tests, compiled with `./vectra rustc --test`; test/rust/stray.rs enters the kernel by
itself, so it must not link; a project is made, run and tested with `./vectra cargo`. std is built when the cache has it
not, a minute or two for each architecture.."""

import os
import re
import subprocess
import tempfile

from vectra import build, execute
from vectra.groups import guest
from vectra.qemu import Machine
from vectra.results import Failure
from vectra.rust import RustError, front

FOLDER = "test/rust"
WITHIN_S = 300.0
VERDICT = re.compile(rb"^test result: ok\. (\d+) passed; 0 failed;", re.MULTILINE)
EXIT = 'fn main() { println!("{:?}", std::env::args().skip(1).collect::<Vec<_>>()); std::process::exit(7) }\n'
TESTED = """pub fn twice(n: u32) -> u32 { 2 * n }
#[test] fn good() { assert_eq!(twice(2), 4); }
#[test] fn bad() { assert_eq!(twice(2), 5); }
"""


def vectra(folder, *words):
    """./vectra as typed in a folder: (status, output, words on stderr)."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO", "RUST", "VECTRA_CALLED"))}
    done = subprocess.run([os.path.abspath("vectra"), *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=settings, check=False)
    return done.returncode, done.stdout, done.stderr


def target(arch):
    """The option for rustc and cargo."""
    return f"--target={arch}-unknown-vectra"


# (harts, options of libtest): a thousand threads are born on one hart, all else happens on four.
STD_RUNS = [(4, "--skip a_thousand_threads --test-threads=2"), (1, "threads:: --test-threads=1")]


def std_test(arch, check):
    """All tests of std, on four harts and on one."""
    check(arch)
    with tempfile.TemporaryDirectory(prefix="vectra-") as work:
        source, out = os.path.abspath(f"{FOLDER}/std/main.rs"), f"{work}/rust-std"
        status, _, words = vectra(work, "rustc", "--test", "-O", "--edition=2021", target(arch), source, "-o", out)
        if status != 0:
            raise Failure(f"./vectra rustc: exit status {status}", words)
        return sum(libtest(arch, harts, out, options) for harts, options in STD_RUNS)


def libtest(arch, harts, program, options):
    """One run of a program of tests; how many passed."""
    parts = []
    outcome = execute.run_command(Machine(arch, smp=harts), f"HARTS={harts} /bin/rust-std {options}",
                                  [(program, "/bin/rust-std")], WITHIN_S, parts.append)
    output = b"".join(parts)
    if outcome.failed:
        raise Failure(f"{outcome.reason}, on {harts} harts", output + outcome.transcript + outcome.messages)
    verdict = VERDICT.search(output)
    if outcome.status != 0 or not verdict or int(verdict.group(1)) == 0:
        raise Failure(f"exit status {outcome.status}, on {harts} harts", output)
    return int(verdict.group(1))


def guard_test(arch, check):
    """A program with a system call of its own is not linked, and the message names the function."""
    check(arch)
    with tempfile.TemporaryDirectory(prefix="vectra-") as work:
        source = os.path.abspath(f"{FOLDER}/stray.rs")
        status, _, words = vectra(work, "rustc", "-O", target(arch), source, "-o", f"{work}/stray")
        if status == 0 or os.path.exists(f"{work}/stray"):
            raise Failure("a program that enters the kernel by itself was linked", words)
        if not re.search(rb"stray_call\S* enters the kernel by itself", words):
            raise Failure("the message does not name the function", words)
    return 1


def cargo_test(arch, check):
    """A new project greets from inside; arguments and the exit status come through; a failing test is one."""
    check(arch)
    with tempfile.TemporaryDirectory(prefix="vectra-") as work:
        status, _, words = vectra(work, "cargo", "new", "--vcs=none", "my demo", "--name=demo")
        if status != 0:
            raise Failure(f"cargo new: exit status {status}", words)
        folder = f"{work}/my demo"
        expect(folder, (0, b"Hello, world!\n"), "cargo", "run", "-q", target(arch))
        with open(f"{folder}/src/main.rs", "w", encoding="utf-8") as handle:
            handle.write(EXIT)
        expect(folder, (7, b'["a b", "$x"]\n'), "cargo", "run", "-q", "--release", target(arch), "--", "a b", "$x")
        with open(f"{folder}/src/main.rs", "a", encoding="utf-8") as handle:
            handle.write(TESTED)
        status, output, words = vectra(folder, "cargo", "test", target(arch))
        if status != 101 or b"test good ... ok" not in output or b"test bad ... FAILED" not in output:
            raise Failure(f"cargo test: exit status {status}", output + words)
    return 3


def expect(folder, wanted, *words):
    """A command that must end so and print that."""
    status, output, said = vectra(folder, *words)
    if (status, output) != wanted:
        raise Failure(f"{' '.join(words[:2])}: exit status {status}, printed {output!r}", said)


def tests(context):
    """std, the guard and cargo on each architecture."""
    built, broken = guest.built(context, [(arch, "release") for arch in context.arches]), {}
    for arch in [] if context.listing else context.arches:
        try:
            front.ready([arch])
        except (RustError, build.BuildError) as problem:
            broken[arch] = str(problem)

    def check(arch):
        built(arch, "release")
        if arch in broken:
            raise Failure(broken[arch])
    kinds = {"std": std_test, "guard": guard_test, "cargo": cargo_test}
    return [(f"{name}-{arch}", lambda t=test, a=arch: t(a, check)) for name, test in kinds.items() for arch in context.arches]
