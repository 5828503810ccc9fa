# SPDX-License-Identifier: MIT
"""What `./vectra ports` shows and does of Rust: std, the programs of others, and the crates that they are made with."""

import json
import os
import re
import subprocess
import tarfile
import tomllib

from vectra import fetch, options as opt
from vectra.rust import front, programs, sysroot, toolchain

STD = "rust"


def names():
    """What can be asked for by name."""
    return [STD, *programs.recipe()[0]]


def rows():
    """(name, version, licence, state, what) of each."""
    found, tools = [], toolchain.unpacked()
    made = sysroot.Sysroot(tools, toolchain.say_on_stderr) if tools else None
    built = [arch for arch in opt.ARCHES if made and made.has(arch)]
    found.append((STD, tools.version.partition("+")[0] if tools else f">= {toolchain.recipe()['oldest']}",
                  toolchain.recipe()["licences"]["std"], state(built, tools), "the compiler, and std for VectraOS"))
    for name, program in programs.recipe()[0].items():
        built = [arch for arch in opt.ARCHES if made and os.path.isfile(programs.kept(made, arch, name))]
        found.append((name, program["version"], program["licence"], state(built, programs.have(name)), program["summary"]))
    return found


def state(built, fetched):
    """What is there, in a few words."""
    return "built: " + " ".join(built) if built else "fetched" if fetched else "not fetched"


def crates(name):
    """[(crate, version, licence, SHA-256)] of what one is made with, or None where that has not been fetched: of std the
    vendored crates, whose sums are those of the released archives; of a program the distribution's packages, theirs."""
    if name == STD:
        tools = toolchain.unpacked()
        return sorted(vendored(f"{tools.library}/vendor")) if tools else None
    listed = [(package, fetch.have(package, digest), digest) for package, digest in programs.recipe()[1].items()]
    if not all(path for _, path, _ in listed):
        return None
    return [(*packaged(path), digest) for _, path, digest in listed]


def vendored(folder):
    """The crates of a folder as `cargo vendor` makes one."""
    for entry in os.scandir(folder):
        with open(f"{entry.path}/Cargo.toml", "rb") as about, open(f"{entry.path}/.cargo-checksum.json", "rb") as sums:
            yield (*described(tomllib.load(about)), json.load(sums)["package"])


def packaged(path):
    """The crate in a package of the distribution."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:   # it is not read to its end
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            found = next(described(tomllib.load(archive.extractfile(member))) for member in archive
                         if member.name.count("/") == 6 and member.name.endswith("/Cargo.toml"))
        process.stdout.close()
    return found


def described(about):
    """(name, version, licence) as a crate says them."""
    package = about["package"]
    return package["name"], package["version"], re.sub(r" *(/| or ) *", " or ", package.get("license", "see its file"))


def bring(name):
    """Fetches; the words that say what is there."""
    if name == STD:
        found = toolchain.find(toolchain.say_on_stderr)
        return f"{STD}: Rust {found.version} in {found.place}"
    programs.bring(name)
    return f"{name}: its source and {len(programs.recipe()[1])} crates in {fetch.cache_folder()}/archives"


def make(chosen, arch):
    """Builds for an architecture; lines that say what is where."""
    made = front.ready([arch])
    if STD in chosen:
        made.build_small(arch)
        yield f"{STD} {made.tools.version} for {arch} in {made.place}"
    if others := [name for name in chosen if name != STD]:
        programs.build(made, [arch], toolchain.say_on_stderr)
        linked = programs.linked(made, arch)
        for name in others:
            yield f"{name} {programs.recipe()[0][name]['version']} for {arch} in {os.path.relpath(linked[name])}"
