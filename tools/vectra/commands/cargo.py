# SPDX-License-Identifier: MIT
"""./vectra cargo: builds, runs and tests Rust projects for VectraOS, used exactly as cargo is."""

import json
import os
import sys

from vectra import fetch, options as opt
from vectra.rust import RustError, front, sysroot, toolchain

SUMMARY = "Rust's build tool for VectraOS programs, used as cargo is"
HELP = """usage: ./vectra cargo ARGUMENT...

Builds Rust projects for VectraOS, from any folder: all arguments are cargo's own. `run` boots VectraOS, runs the program
there and passes its output and exit status on; `test` runs the tests there. Without --target it is
x86_64-unknown-vectra; the other one is aarch64-unknown-vectra.

  ./vectra cargo new demo && cd demo && ../vectra cargo run
  ./vectra cargo test --target aarch64-unknown-vectra

The program gets its arguments, the variables RUST_* and a machine with 4 harts; VECTRA_EXEC='--mem 2G' in the environment
adds options of ./vectra exec. The first call fetches the compiler (about 150 MB, 900 MB unpacked) and builds std for the
architecture that is asked for; both are kept in the cache. More in docs/rust.md."""


def manifests(place, arguments):
    """The Cargo.toml of the project that is meant, and of all that lies in it."""
    for at, word in enumerate(arguments):
        if word.startswith("--manifest-path"):
            named = word.partition("=")[2] or "".join(arguments[at + 1:at + 2])
            place = os.path.dirname(os.path.join(place, named))
    found, above = None, place
    while os.path.dirname(above) != above:
        if os.path.isfile(f"{above}/Cargo.toml"):
            found = above
        above = os.path.dirname(above)
    for folder, folders, names in os.walk(found) if found else ():
        folders[:] = [name for name in folders if name != "target" and not name.startswith(".")]
        if "Cargo.toml" in names:
            yield f"{folder}/Cargo.toml"


def may_use_ours(place, arguments):
    """True when something there names the crate `vectra`, or lies outside and is not looked at. Cargo warns of a crate that
    nobody depends on each time it is told of one."""
    return any("vectra" in fetch.read(path) or ".." in fetch.read(path) for path in manifests(place, arguments))


def configuration(arguments):
    """Cargo's settings that are ours, as words of its command line: the programs that run a program, and where the crate
    `vectra` lies for who depends on it."""
    runner, words = os.path.abspath("ports/rust/bin/vectra-run"), []
    if may_use_ours(os.environ.get("VECTRA_CALLED_FROM") or os.getcwd(), arguments):
        words = ["--config", f"patch.crates-io.vectra.path={json.dumps(os.path.abspath('lib/rust/vectra'))}"]
    for arch in opt.ARCHES:
        words += ["--config", f"target.{sysroot.triple(arch)}.runner=[{json.dumps(runner)},{json.dumps(arch)}]"]
    return words


def main(arguments):
    """Runs cargo; returns its status."""
    mine = arguments[:arguments.index("--")] if "--" in arguments else arguments
    try:
        made = front.ready(front.architectures(mine))
    except RustError as problem:
        print(f"vectra: cargo: {problem}", file=sys.stderr)
        return 1
    settings = made.environment()
    # The machine's own settings of cargo are about the machine's own Rust.
    settings |= {"CARGO_HOME": os.path.join(toolchain.folder(), "cargo"),
                 "CARGO_BUILD_TARGET": os.environ.get("CARGO_BUILD_TARGET") or sysroot.triple(front.DEFAULT)}
    return front.call([made.tools.cargo, *configuration(mine), *arguments], settings)
