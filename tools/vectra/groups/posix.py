# SPDX-License-Identifier: MIT
"""Group `posix`: the C library and the ports, from inside the system.

test/posix/NAME.c is compiled with `./vectra cc` and run as /bin/NAME; it says what guest tests say (guest.py). A Lua
script runs in the interpreter on the image, and the shell's scripts that need no other program (shell.py) in the shell.
What was built is looked at too.
"""

import bz2
import glob
import hashlib
import os
import re
import secrets
import subprocess
import sys
import tempfile

from vectra import build, execute, fetch, ports
from vectra.commands import trace
from vectra.groups import guest, host, posix_crash, shell
from vectra.qemu import Machine, Running
from vectra.results import Failure

FOLDER = "test/posix"
WITHIN_S = 180.0
MARK = "--exit-status"
# What enters a kernel, as llvm-objdump writes it.
ENTRY = re.compile(rb"\s(syscall|sysenter|svc|int\s+\$0x80)\b")
INSTRUCTION = re.compile(rb"^\s+[0-9a-f]+:\s", re.MULTILINE)
PIE = b"""#include <stdio.h>
static const char *const words[] = { "static", "pie" };
int main(void) { for (int i = 0; i < 2; i++) printf("%s%c", words[i], i ? 10 : 45); return 0; }
"""


def compile_program(arch, out, *arguments):
    """Compiles with ./vectra cc; any word of the compiler is a failure."""
    os.makedirs(os.path.dirname(out), exist_ok=True)
    status, output = host.run([os.path.abspath("vectra"), "cc", "--arch", arch, "-o", out, *arguments])
    if status != 0 or output:
        raise Failure(f"./vectra cc: exit status {status}", output)


def inside(arch, command, files, **machine):
    """Boots and runs a command; (its output, the outcome). machine: how it differs from the usual one."""
    parts = []
    outcome = execute.run_command(Machine(arch, **machine), command, files, WITHIN_S, parts.append)
    if outcome.failed:
        raise Failure(outcome.reason, outcome.transcript + outcome.messages)
    return b"".join(parts), outcome


def program_test(name, arch, check):
    """Compiles and runs one program."""
    check(arch)
    out = f"build/posix-{arch}/test/{name}"
    compile_program(arch, out, "-std=gnu23", "-O2", "-Wall", "-Wextra", "-Werror", f"{FOLDER}/{name}.c")
    output, outcome = inside(arch, f"/bin/{name}", [(out, f"/bin/{name}")])
    return guest.judge(output, outcome.status)


def typed(keys):
    """What somebody types who is asked for `keys`: ^X is one byte, a line ends with Enter."""
    text = re.sub(rb"\^([A-Z\\])", lambda m: bytes([m.group(1)[0] & 31]), keys)
    return text if text.startswith((b"\x03", b"\x1a", b"\x1c")) and len(text) == 1 else text + b"\r"


def type_for(machine, command, files):
    """Runs a command and types whatever its lines `type KEYS` ask for; (its output, its exit status)."""
    nonce = secrets.token_hex(16).encode()
    markers, heard, asked = execute.Markers(nonce), b"", 0
    with tempfile.TemporaryDirectory(prefix="vectra-type-") as folder:
        base = machine.initrd_file()
        machine.initrd = os.path.join(folder, "initrd.cpio")
        machine.append = [*machine.append, "log=quiet"]
        execute.write_initrd(machine.initrd, base, nonce, command, files)
        with Running(machine.command(execute.SERIAL)) as running:
            while markers.status is None:
                chunk = running.read(1)
                if running.elapsed() > WITHIN_S or chunk == b"":
                    raise Failure("the program did not end", bytes(running.transcript))
                heard += markers.feed(chunk or b"")
                requests = re.findall(rb"^type (.+?)\r?\n", heard, re.MULTILINE)
                for keys in requests[asked:]:
                    running.send(typed(keys))
                asked = len(requests)
    return heard.replace(b"\r\n", b"\n"), markers.status


def terminal_test(arch, check):
    """Job control with somebody at the keys."""
    check(arch)
    out = f"build/posix-{arch}/test/terminal"
    compile_program(arch, out, "-std=gnu23", "-O2", "-Wall", "-Wextra", "-Werror", f"{FOLDER}/terminal/main.c")
    output, status = type_for(Machine(arch), "/bin/terminal", [(out, "/bin/terminal")])
    return guest.judge(output, status)


def crash_test(arch, check):
    """What is said of a crashed program (posix_crash.py)."""
    check(arch)
    out = f"build/posix-{arch}/test/crash"
    signed = ["-mbranch-protection=pac-ret"] if arch == "aarch64" else []   # places to return to are named all the same
    compile_program(arch, out, "-std=gnu23", "-O2", "-Wall", "-Wextra", "-Werror", *signed, f"{FOLDER}/crash/main.c")
    if signed and b"paciasp" not in host.run([os.environ.get("LLVM_OBJDUMP", "llvm-objdump-19"), "-d", out])[1]:
        raise Failure("no return address is signed")
    return posix_crash.crash_test(arch, out, inside)


def pie_test(arch, check):
    """A position-independent program, from standard input, by way of an object file."""
    check(arch)
    folder = f"build/posix-{arch}/test"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/pie.c", "wb") as handle:
        handle.write(PIE)
    compile_program(arch, f"{folder}/pie.o", "-c", "-fPIE", f"{folder}/pie.c")
    compile_program(arch, f"{folder}/pie", "-static-pie", f"{folder}/pie.o", "-lm", "-lpthread")
    output, outcome = inside(arch, "pie", [(f"{folder}/pie", "/bin/pie")])
    if output != b"static-pie\n" or outcome.status != 0:
        raise Failure(f"printed {output!r}, exit status {outcome.status}")
    return 1


def lua_test(arch, check):
    """The interpreter on the image: one expression, and a script that uses files and processes."""
    check(arch)
    names = ("script", "module", "exit")
    output, outcome = inside(arch, 'lua -e "print(2^53)" && lua /test/script.lua',
                             [(f"{FOLDER}/{name}.lua", f"/test/{name}.lua") for name in names])
    if not output.startswith(b"9.007199254741e+15\n"):
        raise Failure("lua -e 'print(2^53)' did not print 9.007199254741e+15", output)
    return 1 + guest.judge(output, outcome.status)


def lua_prompt_test(arch, check):
    """The prompt edits: a line is corrected, called back, and the end of input leaves."""
    check(arch)
    line = b'n=(n or 0)+1; print(n*21); print(("ty".."pe %c%s"):format(94, n<2 and "P" or "D"))'
    mistyped = line.replace(b"n*21", b"n*1^B2^E")
    heard, status = type_for(Machine(arch), f"lua -i -e 'print [[type {mistyped.decode()}]]'", [])
    if status != 0 or not re.search(rb"^21\n(.|\n)*^42\n", heard, re.MULTILINE):
        raise Failure(f"exit status {status}, or the line was not corrected and called back", heard)
    return 1


def accounting_test(arch, check):
    """ps, top, kill and time on a program that computes and one that sleeps."""
    check(arch)
    output, _ = inside(arch, "sh -c 'while :; do :; done' & sleep 0.5; echo ps; ps; echo top; top; kill $!; wait $!; "
                             "echo killed $?; time sleep 0.3; time -p sh -c 'i=0; while [ $i -lt 9000 ]; do i=$((i+1)); done'",
                       [])
    words = output.decode("ascii", "replace")
    listed = re.search(r"^ps\n(.*)^top\n(.*)^killed 143\n", words, re.MULTILINE | re.DOTALL)
    times = re.findall(r"^(real|user|sys)[\t ](\d+\.\d+)$", words, re.MULTILINE)
    if listed is None or [name for name, _ in times] != ["real", "user", "sys"] * 2 or \
            not all(len(text.split(".")[1]) == 3 for _, text in times[:3]):
        raise Failure("not what ps, top, kill and time say", output)
    slept, _, _, computed, used, _ = (float(text) for _, text in times)
    row = re.compile(r" \d+ +\d+ \w+ +runs +\d+ .* (\d+\.\d+) +sh$", re.MULTILINE)
    spent = [max(map(float, row.findall(part)), default=0) for part in listed.groups()]
    if not (min(spent) >= 0.1 and 0.3 <= slept and float(times[1][1]) <= slept - 0.2 and 0 < used <= computed + 0.05):
        raise Failure(f"the times are impossible: {spent}, {times}", output)
    return 1


def lua_interrupt_test(arch, check):
    """A loop that makes no call hears an interruption by its handler: Lua says where it was."""
    check(arch)
    command = """lua -e 'while true do end' & sleep 1; kill -INT $!; wait $!"""
    heard, outcome = inside(arch, command, [])
    if outcome.status != 1 or b"lua: interrupted!" not in heard:
        raise Failure(f"exit status {outcome.status}", heard)
    return 1


def interrupt_test(arch, check):
    """^C typed into a command that nobody sits at a prompt for ends what runs, and then the command."""
    check(arch)
    lua = """lua -e 'print "type ^C" while true do end'"""
    for command, status, wanted in [(f"{lua}; echo went on $?", 0, b"lua: interrupted!.*went on 1"),
                                    ("echo 'type ^C'; sleep 100; echo not this", 130, b""),
                                    ("echo 'type ^C'; while :; do :; done; echo not this", 130, b""),
                                    ("sh -c 'echo \"type ^Z\"; sleep 1; echo went on'", 0, b"went on"),
                                    ("trap 'echo trapped' INT; echo 'type ^C'; read x; echo then $?", 0, b"trapped.*then 1")]:
        heard, ended = type_for(Machine(arch), command, [])
        if ended != status or not re.search(wanted, heard, re.DOTALL) or b"not this" in heard:
            raise Failure(f"{command}: exit status {ended}, not {status}", heard)
    return 5


def trace_test(arch, check):
    """`./vectra trace --posix` shows calls by name, with their arguments and what came of them."""
    check(arch)
    heard, outcome = inside(arch, trace.POSIX + "sh -c 'cat /etc/version /nothing; :'; cat /etc/version | cat", [])
    for line in (rb'^\[\d+\] openat\(AT_FDCWD, "/etc/version", O_RDONLY.*\) = [3-9]$',
                 rb'^\[\d+\] read\([3-9], "VectraOS.*\) = \d+$',
                 rb'^\[\d+\] openat\(AT_FDCWD, "/nothing", O_RDONLY.*\) = -1 ENOENT$',
                 rb'^\[\d+\] posix_spawn\("/bin/cat", \["cat", "/etc/version", "/nothing"\]\) = \d+$',
                 rb'^\[\d+\] wait4\(-?\d+, .*\) = \d+$', rb'^\[\d+\] exit_group\(0\)$'):
        if not re.search(line, heard, re.MULTILINE):
            raise Failure(f"no line is like {line}", heard)
    if outcome.status != 0 or b"call_" in heard:
        raise Failure(f"exit status {outcome.status}, or a call without a name", heard)
    return 6


def script_test(script, arch, check):
    """A shell script inside the system prints what dash prints here."""
    check(arch)
    name = os.path.basename(script)
    wanted_status, wanted, _ = shell.run(shell.other_shell(), script)
    output, outcome = inside(arch, f"sh /test/{name}", [(script, f"/test/{name}")])
    # What goes to standard error comes on the same terminal.
    lines = [line for line in output.split(b"\n") if not line.startswith(f"/test/{name}: ".encode())]
    if b"\n".join(lines) != wanted:
        raise Failure(shell.first_difference(wanted, b"\n".join(lines)), output)
    if outcome.status != wanted_status:
        raise Failure(f"exit status {outcome.status}, dash has {wanted_status}", output)
    return len(wanted.split(b"\n")) - 1


def same_test(name, arch, check):
    """A program prints here what it prints on this machine, with its C library."""
    check(arch)
    flags = ["-std=gnu17", "-O1", "-fno-builtin", "-frounding-math", "-Wall", "-Wextra", "-Wno-format"]
    path, out = f"{FOLDER}/same/{name}.c", f"build/posix-{arch}/test/same-{name}"
    compile_program(arch, out, *flags, path)
    status, words = host.run([os.environ.get("CLANG", "clang-19"), *flags, "-o", f"{out}.host", path, "-lm"])
    if status != 0:
        raise Failure(f"{path} does not compile for this machine", words)
    status, theirs = host.run([f"{out}.host"])
    ours, outcome = inside(arch, f"/bin/{name}", [(out, f"/bin/{name}")])
    if (status, outcome.status) != (0, 0):
        raise Failure(f"exit status {outcome.status}, {status} on this machine", ours)
    mine, wanted = ours.splitlines(), theirs.splitlines()
    for number, (left, right) in enumerate(zip(mine, wanted), start=1):
        if left != right:
            raise Failure(f"line {number}: {left!r}, on this machine {right!r}")
    if len(mine) != len(wanted) or len(mine) < 100:
        raise Failure(f"{len(mine)} lines, on this machine {len(wanted)}")
    return 1


def libm_test(arch, check):
    """The mathematical functions against a table of values that were computed to many digits."""
    check(arch)
    folder, out = f"{FOLDER}/libm", f"build/posix-{arch}/test/libm"
    compile_program(arch, out, "-std=gnu23", "-O2", "-Wall", "-Wextra", "-Werror", f"{folder}/libm.c")
    status, table = host.run([sys.executable, f"{folder}/libm.py"])
    if status != 0:
        raise Failure(f"{folder}/libm.py: exit status {status}", table)
    with open(f"{out}.table", "wb") as handle:
        handle.write(table)
    output, outcome = inside(arch, "libm /test/table", [(out, "/bin/libm"), (f"{out}.table", "/test/table")])
    return guest.judge(output, outcome.status)


def foreign_test(name, arch, check):
    """A released project, unmodified, built by its own makefile with `./vectra cc`, works on files in the system."""
    check(arch)
    folder = f"{FOLDER}/foreign"
    try:
        port = ports.load(name, folder)
        ports.build(port, arch, *ports.for_programs(arch, f"build/posix-{arch}/sysroot"))
    except (ports.PortError, fetch.Unavailable, fetch.WrongHash) as problem:
        raise Failure(str(problem)) from None
    out, data = ports.output_folder(port, arch), f"build/{arch}-release/vectra.elf"
    script = f"{out}.run"
    with open(script, "w", encoding="utf-8") as handle, open(f"{folder}/{name}/run.sh", encoding="utf-8") as body:
        handle.write("set -e\nDATA=/test/data\n" + body.read())
    files = [(f"{out}/{program}", f"/bin/{program}") for program in os.listdir(out) if program not in ("LICENCE", "PORT")]
    output, outcome = inside(arch, "sh /test/run", [*files, (script, "/test/run"), (data, "/test/data")])
    with open(data, "rb") as handle:
        wanted = FOREIGN[name](handle.read())
    if outcome.status != 0 or output.decode("utf-8", "replace").split() != wanted:
        raise Failure(f"exit status {outcome.status}, wanted {wanted}", output)
    return 1


def foreign_bzip2(data):
    """What run.sh prints: bzip2 makes the same bytes everywhere."""
    return [hashlib.sha256(data).hexdigest(), hashlib.sha256(bz2.compress(data)).hexdigest(), "data.bz2"]


def foreign_zstd(data):
    """Both ways through, and what is left."""
    return [hashlib.sha256(data).hexdigest()] * 2 + ["twice.zst"]


def foreign_zlib(data):
    """The end of its own test's words, then the checksum by two programs."""
    return "large_inflate(): OK after inflateSync(): hello, hello! inflate with dictionary: hello, hello!".split() + \
        [hashlib.sha256(data).hexdigest()] * 2


def foreign_ed(data):
    """What was edited and written, and what the handler of a hangup saved."""
    del data
    return "3893 hell0 w0rld 12 said ! hell0 w0rld 0 kept not written".split()


FOREIGN = {"bzip2": foreign_bzip2, "ed": foreign_ed, "zstd": foreign_zstd, "zlib": foreign_zlib}


def utilities_test(arch, check):
    """The usual utilities print what this machine's print, line by line of test/posix/utilities.list."""
    check(arch)
    with open(f"{FOLDER}/utilities.list", encoding="utf-8") as handle:
        commands = [line.rstrip("\n") for line in handle if line.strip() and not line.startswith("#")]
    tool = f"build/posix-{arch}/test/lines"
    compile_program(arch, tool, "-std=gnu23", "-O2", "-Wall", "-Wextra", "-Werror", f"{FOLDER}/helpers/lines.c")
    script = "".join(f"{command}\n" for command in commands)
    work = f"build/posix-{arch}/test/utilities.txt"
    with open(work, "w", encoding="utf-8") as handle:
        handle.write(script.replace("@w", "/tmp/w").replace("@", "/test/u"))
    folder = f"{FOLDER}/utilities"
    files = [(f"{folder}/{name}", f"/test/u/{name}") for name in sorted(os.listdir(folder))]
    output, _ = inside(arch, f"mkdir /tmp/w && lines /test/utilities.txt {MARK}",
                       [*files, (work, "/test/utilities.txt"), (tool, "/bin/lines")])
    with tempfile.TemporaryDirectory() as writable:
        here = "".join(f"{command}\necho {MARK} $?\n" for command in commands)
        here = "umask 022\n" + here.replace("@w", writable).replace("@", folder)
        wanted = subprocess.run(["sh", "-c", here], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=False, env={**os.environ, "LC_ALL": "C"}).stdout
    wanted = wanted.replace(writable.encode(), b"/tmp/w").replace(folder.encode(), b"/test/u")
    ours, theirs = answers(output), answers(wanted)
    if len(theirs) != len(commands) or len(ours) != len(commands):
        raise Failure(f"{len(ours)} of {len(commands)} commands answered, {len(theirs)} here", output)
    different = [f"{command}: {mine!r}, on this machine {host_says!r}"
                 for command, mine, host_says in zip(commands, ours, theirs)
                 if mine != host_says and not (command.startswith("find") and sorted(mine[0]) == sorted(host_says[0]))]
    if different:
        raise Failure(f"{len(different)} of {len(commands)} commands differ", "\n".join(different).encode())
    return len(commands)


def answers(output):
    """What each command printed, with its exit status."""
    parts = re.split(rb"%s (\d+)\n" % MARK.encode(), output)
    return [(text.split(b"\n"), int(status)) for text, status in zip(parts[0::2], parts[1::2])]


def disassemble(path):
    """(instructions, those that enter a kernel) of an archive or object."""
    tool = os.environ.get("LLVM_OBJDUMP", "llvm-objdump-19")
    done = subprocess.run([tool, "-d", "--no-show-raw-insn", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if done.returncode != 0:
        raise Failure(f"{tool}: exit status {done.returncode}", done.stderr)
    return len(INSTRUCTION.findall(done.stdout)), len(ENTRY.findall(done.stdout))


def entry_test(arch, check):
    """No instruction of musl enters a kernel; those of libposix do, so the way of looking finds them."""
    check(arch)
    files = sorted(glob.glob(f"build/posix-{arch}/ports/musl/lib/*.[ao]"))
    counted = {path: disassemble(path) for path in files}
    total = sum(instructions for instructions, _ in counted.values())
    if total < 50000:
        raise Failure(f"only {total} instructions of the C library were looked at")
    if entered := [f"{path}: {entries}" for path, (_, entries) in counted.items() if entries]:
        raise Failure("instructions that enter a kernel: " + ", ".join(entered))
    if disassemble(f"build/posix-{arch}/sysroot/lib/libc.a")[1] == 0:
        raise Failure("none was found in libposix either: the check does not see them")
    return 1


def surface_test(arch, check):
    """Each call that the C library knows has a row in calls.def."""
    check(arch)
    header = f"build/posix-{arch}/sysroot/include/bits/syscall.h"
    status, output = host.run([sys.executable, "tools/gen/calls.py", "--surface", header])
    if status != 0:
        raise Failure("calls.def and the C library differ", output)
    return 1


def tests(context):
    """Every program, Lua, and what was built, on each architecture."""
    built = guest.built(context, [(arch, "release") for arch in context.arches])

    def check(arch):
        built(arch, "release")
        if reason := ports.unavailable(arch):
            raise Failure(f"there is no C library: {reason}")
        # The compiler is used from here on without a look at whether the library is current.
        if not os.path.exists(f"build/posix-{arch}/sysroot/.stamp"):
            raise build.BuildError("there is no sysroot")
    out = []
    for arch in context.arches:
        out += [(f"surface-{arch}", lambda a=arch: surface_test(a, check)),
                (f"no-kernel-entry-{arch}", lambda a=arch: entry_test(a, check))]
        out += [(f"{name}-{arch}", lambda n=name, a=arch: program_test(n, a, check))
                for name in sorted(os.path.basename(path)[:-2] for path in glob.glob(f"{FOLDER}/*.c"))]
        out += [(f"script-{os.path.basename(path)[:-3]}-{arch}", lambda p=path, a=arch: script_test(p, a, check))
                for path in shell.scripts(inside=True)]
        out += [(f"terminal-{arch}", lambda a=arch: terminal_test(a, check)),
                (f"crash-{arch}", lambda a=arch: crash_test(a, check)),
                (f"static-pie-{arch}", lambda a=arch: pie_test(a, check)),
                (f"lua-{arch}", lambda a=arch: lua_test(a, check)),
                (f"lua-interrupt-{arch}", lambda a=arch: lua_interrupt_test(a, check)),
                (f"lua-prompt-{arch}", lambda a=arch: lua_prompt_test(a, check)),
                (f"accounting-{arch}", lambda a=arch: accounting_test(a, check)),
                (f"interrupt-{arch}", lambda a=arch: interrupt_test(a, check)),
                (f"trace-{arch}", lambda a=arch: trace_test(a, check)),
                (f"libm-{arch}", lambda a=arch: libm_test(a, check)),
                (f"utilities-{arch}", lambda a=arch: utilities_test(a, check))]
        out += [(f"foreign-{name}-{arch}", lambda n=name, a=arch: foreign_test(n, a, check)) for name in FOREIGN]
        out += [(f"same-{name}-{arch}", lambda n=name, a=arch: same_test(n, a, check))
                for name in sorted(os.path.basename(path)[:-2] for path in glob.glob(f"{FOLDER}/same/*.c"))]
    return out
