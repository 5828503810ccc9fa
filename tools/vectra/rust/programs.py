# SPDX-License-Identifier: MIT
"""Programs of others in Rust (ports/rust/programs), built offline with `./vectra cargo`.

cargo compiles each into one object; that is kept in the cache by everything that decides what comes out, and linked with
the C library of the day, so a change of libposix compiles nothing anew."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib

from vectra import fetch
from vectra.rust import RustError, link, sysroot

FOLDER = "ports/rust/programs"
FORMAT = 1          # raise it when the way of building changes
HOST = "host"       # beside the architectures: this machine
TABLE = re.compile(r"^(?=\[)", re.MULTILINE)
TESTS_ONLY = re.compile(r"\[(?:target\..*\.)?dev-dependencies\b|\[\[(?:bench|test)\]\]")
# The compiler is to be quick, and what is compared is what programs print.
PROFILE = {"OPT_LEVEL": "0", "DEBUG": "0", "INCREMENTAL": "false", "DEBUG_ASSERTIONS": "false", "OVERFLOW_CHECKS": "false"}


def recipe():
    """(programs by name, crates: file name to SHA-256)."""
    with open(f"{FOLDER}/programs.toml", "rb") as handle:
        found = tomllib.load(handle)
    crates = found.pop("crates")
    return found, crates


def wanted(where):
    """The programs that are built for an architecture, or for this machine: those that nobody else built for it."""
    return [name for name, program in recipe()[0].items() if where != HOST or "peer" not in program]


def command(name):
    """What a program is called by."""
    return recipe()[0][name].get("binary", name)


def product(program):
    """What cargo makes of it, and where in its folder."""
    return f"examples/{program['example']}" if "example" in program else program["binary"]


def key(made):
    """The content key of what is kept."""
    found = hashlib.sha256(f"{FORMAT} {made.place} {PROFILE}\n".encode())
    for root, folders, names in os.walk(FOLDER):
        folders.sort()
        for path in sorted(os.path.join(root, name) for name in names):
            found.update(f"{path} {fetch.sha256(path)}\n".encode())
    return found.hexdigest()[:32]


def kept(made, where, name):
    """Where the cache has a program: its object, or for this machine the program itself."""
    return os.path.join(fetch.cache_folder(), "built", f"rust-{name}-{where}-{key(made)}")


def build(made, places, say):
    """Sees that the programs are compiled for these architectures (and HOST)."""
    os.makedirs("build/rust-programs", exist_ok=True)
    with open("build/rust-programs/lock", "w", encoding="utf-8") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        missing = {name: todo for name in recipe()[0] if
                   (todo := [where for where in places if name in wanted(where) and not os.path.isfile(kept(made, where, name))])}
        if missing:
            with tempfile.TemporaryDirectory(prefix="work-", dir="build/rust-programs") as work:
                compile_all(made, missing, os.path.abspath(work), say)


def compile_all(made, missing, work, say):
    """Compiles, for all places at once: what runs while it compiles is the same for each, and so are crates of several."""
    programs, crates = recipe()
    vendor(f"{work}/vendor", crates)
    for name, places in missing.items():
        program = programs[name]
        say(f"compiling {name} {program['version']} for {', '.join(places)}")
        cargo(made, work, unpack(name, program, work), program, places)
        for where in places:
            path = kept(made, where, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(f"{work}/target/{triple(made, where)}/debug/{product(program)}", f"{path}.{os.getpid()}")
            os.replace(f"{path}.{os.getpid()}", path)


def triple(made, where):
    """What cargo calls the target."""
    return made.tools.host if where == HOST else sysroot.triple(where)


def vendor(folder, crates):
    """A folder of crates, as `cargo vendor` makes one: those of the packages, and ours."""
    with tempfile.TemporaryDirectory(prefix="vectra-crates-") as work:
        for path in fetch.binary_packages(crates.items()):
            done = subprocess.run(["dpkg-deb", "-x", path, work], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            if done.returncode != 0:
                raise RustError(f"{os.path.basename(path)} does not unpack: {done.stdout.decode('utf-8', 'replace')}")
        shutil.copytree(f"{work}/usr/share/cargo/registry", folder)
    for name in sorted(entry.name for entry in os.scandir(FOLDER) if entry.is_dir()):
        shutil.copytree(f"{FOLDER}/{name}", f"{folder}/{name}")
        sysroot.write(f"{folder}/{name}/.cargo-checksum.json", '{"files": {}}\n')


def source(program):
    """Where the released source of a program comes from, if it is no crate."""
    return {"package": program["package"], "package-version": program["package-version"],
            "files": [(program["archive"], program["sha256"])], "upstream-only": True}


def have(name):
    """True when the cache has what a program is made from."""
    programs, crates = recipe()
    files = [*crates.items(), *([] if "crate" in programs[name] else source(programs[name])["files"])]
    return all(fetch.have(*file) for file in files)


def bring(name):
    """Fetches what a program is made from, and what it is compared with."""
    programs, crates = recipe()
    fetch.binary_packages([*crates.items(), *(tuple(peer[:2]) for peer in [programs[name].get("peer")] if peer)])
    if "crate" not in programs[name]:
        fetch.fetch(source(programs[name]))


def unpack(name, program, work):
    """The source, without what is only there to test it."""
    if "crate" in program:
        place = f"{work}/{program['crate']}"
        shutil.copytree(f"{work}/vendor/{program['crate']}", place)
    else:
        [(_, path)] = fetch.fetch(source(program))
        place = f"{work}/{program['folder']}"
        with tarfile.open(path) as archive:
            archive.extractall(work, filter="data")
    path, words = f"{place}/Cargo.toml", program.get("without-features", [])
    text = "".join(part for part in TABLE.split(fetch.read(path)) if not TESTS_ONLY.match(part))
    for word in words:
        text, count = re.subn(rf"^{re.escape(word)} = .*\n", "", text, flags=re.MULTILINE)
        if count != 1:
            raise RustError(f"{name}: its Cargo.toml has no feature '{word}'")
    sysroot.write(path, text)
    if os.path.exists(f"{place}/Cargo.lock"):
        os.remove(f"{place}/Cargo.lock")   # it names the versions of another registry
    return place


def cargo(made, work, place, program, places):
    """`cargo build` of one program."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO", "RUST", "MAKE", "MFLAGS"))}
    settings |= {**made.environment(), "CARGO_HOME": f"{work}/home", "CARGO_TARGET_DIR": f"{work}/target", "LC_ALL": "C",
                 "CARGO_ENCODED_RUSTFLAGS": f"--remap-path-prefix={work}=/build", link.JOIN: "1",
                 **{f"CARGO_PROFILE_DEV_{field}": value for field, value in PROFILE.items()}}
    what = f"--example={program['example']}" if "example" in program else f"--bin={program['binary']}"
    line = [made.tools.cargo, "build", "--offline", "-q", f"-j{max(2, os.cpu_count() or 2)}", what, "--config",
            "source.crates-io.replace-with='packaged'", "--config", f"source.packaged.directory={json.dumps(work + '/vendor')}",
            *(f"--target={triple(made, where)}" for where in places)]
    done = subprocess.run(line, cwd=place, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise RustError(f"{os.path.basename(product(program))} does not build\n{done.stdout[-4000:]}")


def linked(made, arch):
    """{name: path} of the programs of an architecture, linked with the C library that is there now."""
    folder, found = f"build/rust-programs/{arch}", {}
    os.makedirs(folder, exist_ok=True)
    for name in wanted(arch):
        # The linker goes by the names of files.
        shutil.copyfile(kept(made, arch, name), f"{folder}/{name}.o")
        found[name] = os.path.abspath(f"{folder}/{name}")
        done = subprocess.run([sys.executable, os.path.abspath(link.__file__), arch, f"{folder}/{name}.o",
                               f"-L{made.libraries(arch)}", "--gc-sections", "--eh-frame-hdr", "--strip-all", "-o", found[name]],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False)
        if done.returncode != 0:
            raise RustError(f"{name} does not link for {arch}\n{done.stdout}")
    return found


def peers(made, into):
    """{name: path} of the same programs for this machine; packages are unpacked in `into`."""
    found = {}
    for name, program in recipe()[0].items():
        if "peer" not in program:
            found[name] = kept(made, HOST, name)
            continue
        package, digest, inside = program["peer"]
        [path] = fetch.binary_packages([(package, digest)])
        os.makedirs(into, exist_ok=True)
        subprocess.run(["dpkg-deb", "-x", path, f"{into}/{name}"], check=True)
        found[name] = f"{into}/{name}/{inside}"
    return found
