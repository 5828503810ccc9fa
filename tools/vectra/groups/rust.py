# SPDX-License-Identifier: MIT
"""Group `rust`: std inside the system, the crate `vectra`, and the ways to them, as a person types them.

test/rust/std is one program of many tests, compiled with `./vectra rustc --test`; test/rust/native the same for the crate
`vectra`; what lies in test/rust/refused must not compile, with the error that its first line names. test/rust/stray.rs enters
the kernel by itself, so it must not link. examples/rust, a new project and programs of others (ports/rust/programs) are built
and run with `./vectra cargo`. std is built when the cache has it not, a minute or two for each architecture."""

import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading

from vectra import benchmarks, build, execute, fetch
from vectra.groups import bench, guest
from vectra.qemu import Machine
from vectra.results import Failure, LeftOut
from vectra.rust import NotHere, RustError, front, programs, toolchain

FOLDER = "test/rust"
WITHIN_S = 300.0
VERDICT = re.compile(rb"^test result: ok\. (\d+) passed; 0 failed;", re.MULTILINE)
# A small program of two crates, one of which is to be fast all the same.
SMALL = """part = { path = "part" }
[profile.release]
panic = "abort"
lto = true
strip = true
opt-level = "s"
[profile.release.package.part]
opt-level = 3
"""
EXIT = 'fn main() { assert_eq!(part::add(1, 2), 3); println!("{:?}", std::env::args().skip(1).collect::<Vec<_>>()); std::process::exit(7) }\n'
TESTED = """pub fn twice(n: u32) -> u32 { 2 * n }
#[test] fn good() { assert_eq!(twice(2), 4); }
#[test] fn bad() { assert_eq!(twice(2), 5); }
"""


# What programs of others are asked to do in a folder that has docs/ and dna in it, and whether the order of the lines is theirs.
OTHERS = [("rg --sort path -n 'capabilit(y|ies)' docs", True), ("rg -j 4 -c -w Ring docs", False),
          ("rg -j 4 --files -g '*.md' docs", False), ("rg -j 4 -U -o 'the\\s+kernel' docs", False),
          ("rg nothing-is-like-this docs", True), ("rg -o '[ACGT]{60}' - <dna", True), ("regex-dna <dna", True),
          ("pulldown-cmark -T -F <docs/rust.md", True), ("pulldown-cmark -e <docs/protocols/vfs.md", True)]
DNA_LETTERS = 2_000
PIPED = 'fn main() { std::io::copy(&mut std::io::stdin(), &mut std::io::stdout()).unwrap(); }\n'


def vectra(folder, *words, given=None):
    """./vectra as typed in a folder: (status, output, words on stderr). `given`: what is piped into it."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO", "RUST", "VECTRA_CALLED"))}
    source = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    done = subprocess.run([os.path.abspath("vectra"), *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=settings, check=False, **source)
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
    return inside_of(Machine(arch, smp=harts), command, files)


def inside_of(machine, command, files):
    """The same for any machine."""
    parts = []
    outcome = execute.run_command(machine, command, files, WITHIN_S, parts.append)
    output = b"".join(parts)
    if outcome.failed:
        raise Failure(f"{outcome.reason}, on {machine.smp} harts", output + outcome.transcript + outcome.messages)
    if outcome.status != 0:
        raise Failure(f"exit status {outcome.status}, on {machine.smp} harts", output)
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
        count += graph_test(work, arch, service, client)
    with open("examples/rust/expected", "rb") as handle:
        if said != handle.read():
            raise Failure("the example's client printed something else", said)
    return count + 1


def graph_test(work, arch, service, client):
    """initd starts the service from a graph, and clients reach it by its name."""
    with open("examples/rust/services.tally", encoding="utf-8") as ours, open("etc/services", encoding="utf-8") as usual:
        text = ours.read() + usual.read()
    graph = re.sub(r"(?m)(^service shell\n(?: +\S.*\n)*? +uses +)", r"\1tally ", text, count=1)
    with open(f"{work}/graph", "w", encoding="utf-8") as handle:
        handle.write(graph)
    machine = Machine(arch)
    machine.append.append("services=/test/graph")
    said = inside_of(machine, f"{CLIENT} --graph", [(service, SERVICE), (client, CLIENT), (f"{work}/graph", "/test/graph")])
    if said != b"one two three: 3\nfour five: 2\n":
        raise Failure("the service of the graph answered otherwise", said)
    return 1


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


ET_DYN = b"\x03\x00"
STRAY = {"x86_64": 186, "aarch64": 178}   # what test/rust/stray.rs asks for: Linux's gettid


def guard_test(arch, check):
    """A program with a system call of its own is not linked, and the message names the function; if it runs all the same, the
    call is refused, and the trace names its number."""
    check(arch)
    with tempfile.TemporaryDirectory(prefix="vectra-") as work:
        source = os.path.abspath(f"{FOLDER}/stray.rs")
        status, _, words = vectra(work, "rustc", "-O", target(arch), source, "-o", f"{work}/stray")
        if status == 0 or os.path.exists(f"{work}/stray"):
            raise Failure("a program that enters the kernel by itself was linked", words)
        if not re.search(rb"stray_call\S* enters the kernel by itself", words):
            raise Failure("the message does not name the function", words)
        # Linked all the same, by who goes around the guard: the kernel refuses the number.
        compiled(work, arch, "-O", "--cfg", "unguarded", source, "-o", f"{work}/stray")
        with open(f"{work}/stray", "rb") as handle:
            if handle.read(18)[16:] != ET_DYN:
                raise Failure("a program is linked for one place, which the kernel then cannot choose")
        said = inside(arch, 1, "stray", [(f"{work}/stray", "/bin/stray")])
        if said != b"-1\n":
            raise Failure("a number that is no call of ours was not refused", said)
        status, traced, words = vectra(work, "trace", "stray", "--arch", arch, "--add", "stray:/bin/stray", "--", "stray")
        if status != 0 or not re.search(rb" no call %d\(.*\)\s+\[.*\] trace \S+ = -1, " % STRAY[arch], traced):
            raise Failure(f"the trace does not name the call {STRAY[arch]}", traced + words)
    return 4


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


def others_there():
    """Sees that the sources of programs of others are there. The distribution may have newer ones only: a run of everything
    leaves them out then, and says so."""
    try:
        for name in programs.recipe()[0]:
            programs.bring(name)
    except fetch.Unavailable as problem:
        print(f"rust: programs of others are left out: {problem}", file=sys.stderr, flush=True)
        return False
    return True


class Others:
    """Programs of others: compiled once for all architectures of the run, when the first of them is tested."""

    def __init__(self, arches):
        self.arches, self.alone = arches, threading.Lock()

    def linked(self, arch):
        """(the sysroot that they were compiled with, the programs of an architecture)."""
        with self.alone:
            try:
                made = front.ready(self.arches)
                programs.build(made, [*self.arches, programs.HOST], toolchain.say_on_stderr)
                return made, programs.linked(made, arch)
            except (RustError, fetch.Unavailable, fetch.WrongHash) as problem:
                raise Failure(str(problem)) from None

    def test(self, arch, check):
        """They print inside what the same programs print here."""
        check(arch)
        made, linked = self.linked(arch)
        tree = sorted(path for path in glob.glob("docs/**", recursive=True) if os.path.isfile(path))
        line = "cd /test/tree; " + "; ".join(f'{command} >/tmp/out 2>/tmp/err; echo "== $?"; cat /tmp/out /tmp/err'
                                             for command, _ in OTHERS)
        with tempfile.TemporaryDirectory(prefix="vectra-") as work:
            with open(f"{work}/dna", "w", encoding="ascii") as handle:
                handle.write(dna())
            files = [(path, f"/bin/{programs.command(name)}") for name, path in linked.items()]
            # regex-dna takes 51 MiB at once for its input.
            said = inside_of(Machine(arch, smp=4, mem="1024M"), line,
                             [*files, (f"{work}/dna", "/test/tree/dna"), *((path, f"/test/tree/{path}") for path in tree)])
            answers = re.split(rb"^== ", said, flags=re.MULTILINE)[1:]
            if len(answers) != len(OTHERS):
                raise Failure(f"{len(answers)} answers to {len(OTHERS)} questions", said)
            for (command, ordered), answer, wanted in zip(OTHERS, answers, answered_here(work, made)):
                lines, other = answer.splitlines(), wanted.splitlines()
                if lines[:1] != other[:1] or (lines != other if ordered else sorted(lines) != sorted(other)):
                    raise Failure(f"{command}: another answer than here", b"inside:\n" + answer + b"here:\n" + wanted)
        return len(OTHERS)


def dna():
    """Letters by chance, the same each time, with places that the patterns fit."""
    chance = random.Random(1)
    pieces = ["agggtaaa", "cgggtaaa", "tttaccca", "aaggtaaa", "aggctaaa", "agggtaac"]
    letters = "".join(chance.choice(pieces) if chance.random() < 0.03 else chance.choice("acgtACGT") for _ in range(DNA_LETTERS))
    return ">ONE\n" + "\n".join(letters[at:at + 60] for at in range(0, len(letters), 60)) + "\n"


def answered_here(work, made):
    """What the same programs print on this machine, in the folder where the input lies."""
    os.makedirs(f"{work}/bin")
    for name, path in programs.peers(made, f"{work}/peers").items():
        os.symlink(path, f"{work}/bin/{programs.command(name)}")
    shutil.copytree("docs", f"{work}/docs")
    settings = {"PATH": f"{work}/bin:{os.environ['PATH']}", "HOME": work, "LC_ALL": "C"}
    found = []
    for command, _ in OTHERS:
        done = subprocess.run(["sh", "-c", command], cwd=work, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        found.append(f"{done.returncode}\n".encode() + done.stdout)
    return found


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
    if not re.fullmatch(rb"Hello, world!\nHello, world!\nhello\[\d+\]: aborted, thread 1\n( {2}#.*\n)*134\n", said):
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
        vectra(folder, "cargo", "new", "--vcs=none", "--lib", "part")
        with open(f"{folder}/Cargo.toml", "a", encoding="utf-8") as handle:
            handle.write(SMALL)
        with open(f"{folder}/src/main.rs", "w", encoding="utf-8") as handle:
            handle.write(EXIT)
        expect(folder, (7, b'["a b", "$x"]\n'), "cargo", "run", "-q", "--release", target(arch), "--", "a b", "$x")
        with open(f"{folder}/src/main.rs", "w", encoding="utf-8") as handle:
            handle.write(PIPED)
        piped = b"a line\nand bytes \x00\x04\xff without an end"
        expect(folder, (0, piped), "cargo", "run", "-q", target(arch), given=piped)
        with open(f"{folder}/src/main.rs", "w", encoding="utf-8") as handle:
            handle.write(EXIT + TESTED)
        status, output, words = vectra(folder, "cargo", "test", target(arch))
        if status != 101 or b"test good ... ok" not in output or b"test bad ... FAILED" not in output:
            raise Failure(f"cargo test: exit status {status}", output + words)
    return 4


def expect(folder, wanted, *words, given=None):
    """A command that must end so and print that."""
    status, output, said = vectra(folder, *words, given=given)
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
    if context.listing or "rust" in context.named or others_there():
        kinds["programs"] = Others(context.arches).test
    return [(f"{name}-{arch}", lambda t=test, a=arch: t(a, check)) for name, test in kinds.items() for arch in context.arches]
