# SPDX-License-Identifier: MIT
"""Group `rust`: std inside the system, the crate `vectra`, and the ways to them, as a person types them.

test/rust/std is one program of many tests, compiled with `./vectra rustc --test`; test/rust/native the same for the crate
`vectra`; what lies in test/rust/refused must not compile, with the error that its first line names. test/rust/stray.rs enters
the kernel by itself, so it must not link. examples/rust and a new project are built and run with `./vectra cargo`. std is
built when the cache has it not, a minute or two for each architecture."""

import glob
import os
import re
import shutil
import subprocess
import tempfile

from vectra import benchmarks, build, execute
from vectra.groups import bench, guest
from vectra.qemu import Machine
from vectra.results import Failure, LeftOut
from vectra.rust import NotHere, RustError, front, toolchain

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
CRATE = "lib/rust/vectra/src/lib.rs"
SERVICE, CLIENT = "/bin/tally", "/test/tally-client"


def compiled(work, arch, *words):
    """./vectra rustc for an architecture; a failure if it refuses."""
    status, _, said = vectra(work, "rustc", "--edition=2021", target(arch), *words)
    if status != 0:
        raise Failure(f"./vectra rustc: exit status {status}", said)


def std_test(arch, check):
    """All tests of std, on four harts and on one."""
    check(arch)
    with tempfile.TemporaryDirectory(prefix="vectra-") as work:
        compiled(work, arch, "--test", "-O", os.path.abspath(f"{FOLDER}/std/main.rs"), "-o", f"{work}/tests")
        return sum(libtest(arch, harts, "/bin/rust-std", options, [(f"{work}/tests", "/bin/rust-std")])
                   for harts, options in STD_RUNS)


def libtest(arch, harts, name, options, files):
    """One run of a program of tests; how many passed."""
    output = inside(arch, harts, f"HARTS={harts} {name} {options}", files)
    verdict = VERDICT.search(output)
    if not verdict or int(verdict.group(1)) == 0:
        raise Failure(f"no verdict, on {harts} harts", output)
    return int(verdict.group(1))


def inside(arch, harts, command, files):
    """Boots and runs a command that must end well; its output."""
    parts = []
    outcome = execute.run_command(Machine(arch, smp=harts), command, files, WITHIN_S, parts.append)
    output = b"".join(parts)
    if outcome.failed:
        raise Failure(f"{outcome.reason}, on {harts} harts", output + outcome.transcript + outcome.messages)
    if outcome.status != 0:
        raise Failure(f"exit status {outcome.status}, on {harts} harts", output)
    return output


def example(work, arch, name, *words):
    """A project of examples/rust, copied out of the tree and built there; its target folder."""
    folder = f"{work}/my projects/{name}"
    shutil.copytree(f"examples/rust/{name}", folder)
    status, _, said = vectra(folder, "cargo", "build", "-q", "--offline", target(arch), *words)
    if status != 0:
        raise Failure(f"./vectra cargo build of {name}: exit status {status}", said)
    return f"{folder}/target/{arch}-unknown-vectra"


def native_test(arch, check):
    """The crate `vectra`: its own tests, with the example's service for a child; and what must not compile does not."""
    check(arch)
    with tempfile.TemporaryDirectory(prefix="vectra-") as work:
        compiled(work, arch, "-O", "-Dwarnings", "--crate-name=vectra", "--crate-type=rlib", "--cfg", 'feature="std"',
                 os.path.abspath(CRATE), "--out-dir", work)
        crate = ["--extern", f"vectra={work}/libvectra.rlib"]
        compiled(work, arch, "--test", "-O", *crate, os.path.abspath(f"{FOLDER}/native/main.rs"), "-o", f"{work}/tests")
        count = sum(refused(work, arch, crate, path) for path in sorted(glob.glob(f"{FOLDER}/refused/*.rs")))
        service = example(work, arch, "service", "--release") + "/release/tally"
        client = example(work, arch, "client") + "/debug/tally-client"
        count += libtest(arch, 1, "/test/rust-native", "--test-threads=2",
                         [(f"{work}/tests", "/test/rust-native"), (service, SERVICE)])
        said = inside(arch, 1, f"{CLIENT} {SERVICE}", [(service, SERVICE), (client, CLIENT)])
    with open("examples/rust/expected", "rb") as handle:
        if said != handle.read():
            raise Failure("the example's client printed something else", said)
    return count + 1


def refused(work, arch, crate, path):
    """A program compiles, or is refused with one error, as its first line says."""
    with open(path, encoding="utf-8") as handle:
        wanted = handle.readline().strip()
    status, _, said = vectra(work, "rustc", "--edition=2021", target(arch), "--emit=metadata", *crate, os.path.abspath(path),
                             "-o", f"{work}/refused.rmeta")
    codes = re.findall(rb"^error\[(E\d+)\]", said, re.MULTILINE)
    found = "// accepted" if status == 0 else f"// refused: {b' '.join(codes).decode()}"
    if found != wanted:
        raise Failure(f"{path}: {found}, and its first line says {wanted}", said)
    return 1


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


def words_test(arch, check):
    """The parallel word count over a tree, here that of the documents, prints what this machine computes."""
    check(arch)
    tree = sorted(path for path in glob.glob("docs/**", recursive=True) if os.path.isfile(path))
    with tempfile.TemporaryDirectory(prefix="vectra-") as work:
        compiled(work, arch, "-O", os.path.abspath(f"{FOLDER}/words.rs"), "-o", f"{work}/words")
        said = inside(arch, 4, "words /test/tree", [(f"{work}/words", "/bin/words"),
                                                    *((path, f"/test/tree/{path}") for path in tree)])
    wanted = counted_here(tree)
    if said != wanted:
        raise Failure("the words were counted otherwise", b"inside:\n" + said + b"here:\n" + wanted)
    return len(tree)


def counted_here(tree):
    """What test/rust/words.rs has to print."""
    out, total, sums = [], {}, [0, 0, 0]
    for path in sorted(tree, key=lambda path: path.split("/")):
        with open(path, "rb") as handle:
            text = handle.read()
        words = [word for word in re.split(rb"[ \t\n\r\x0c]+", text) if word]
        figures = [text.count(b"\n"), len(words), len(text)]
        sums = [a + b for a, b in zip(sums, figures)]
        out.append("%7d %7d %8d %s" % (*figures, path))
        for word in words:
            total[word.lower()] = total.get(word.lower(), 0) + 1
    out.append("%7d %7d %8d total" % tuple(sums))
    most = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:20]
    out += [f"{count:7d} {word.decode('utf-8', 'replace')}" for word, count in most]
    return "".join(line + "\n" for line in out).encode()


def bench_test(arch, check):
    """Every figure of `./vectra bench rust` comes, and none has left its limit; a panic aborts in the program that is to."""
    check(arch)
    rows, outcome = benchmarks.measure_rust(arch)
    limits = benchmarks.load_limits(benchmarks.RUST_GROUP)
    if outcome.failed or outcome.status != 0 or {row["name"] for row in rows} != set(limits):
        raise Failure("not every figure came", outcome.transcript)
    if problems := bench.left_limits(rows, limits, benchmarks.load_baseline(), arch):
        raise Failure("; ".join(problems), outcome.transcript)
    small = os.path.abspath(f"build/posix-{arch}/test/rust-hello")
    said = inside(arch, 1, "hello; hello panic 2>/dev/null; echo $?", [(small, "/bin/hello")])
    if said != b"Hello, world!\nHello, world!\n134\n":
        raise Failure("the small program ended otherwise", said)
    return len(rows) + 1


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
    """std, the crate, the guard and cargo on each architecture. Where the compiler cannot be had, a run of everything leaves
    them out, and says so; a run that names the group fails."""
    built, broken = guest.built(context, [(arch, "release") for arch in context.arches]), {}
    if not context.listing:
        try:
            toolchain.find(toolchain.say_on_stderr)
        except NotHere as problem:
            if "rust" not in context.named:
                raise LeftOut(str(problem)) from None
    for arch in [] if context.listing else context.arches:
        try:
            front.ready([arch])
        except (RustError, build.BuildError) as problem:
            broken[arch] = str(problem)

    def check(arch):
        built(arch, "release")
        if arch in broken:
            raise Failure(broken[arch])
    kinds = {"std": std_test, "native": native_test, "words": words_test, "cargo": cargo_test, "bench": bench_test, "guard": guard_test}
    return [(f"{name}-{arch}", lambda t=test, a=arch: t(a, check)) for name, test in kinds.items() for arch in context.arches]
