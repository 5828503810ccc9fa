# SPDX-License-Identifier: MIT
"""./vectra ports: other people's programs that can be built for VectraOS."""

import os
import sys

from vectra import build, fetch, ports
from vectra import options as opt
from vectra.rust import RustError, listing

SUMMARY = "list, fetch or build other people's programs"
OPTIONS = [
    opt.Option("--arch", "A", opt.arch, "build: only this architecture (default both)"),
    opt.Option("--from", "FOLDER", str, "fetch: take the archives from a folder instead of the network"),
]
HELP = f"""usage: ./vectra ports [OPTION]... [list | fetch [NAME]... | build [NAME]...]

A port is a recipe in ports/NAME: which released source, its hash, our patches, its licence. `fetch` brings the archives
into the cache, `build` builds; without names, all of them. The archives come through this machine's own package settings;
where that is not possible, put them into a folder and name it with --from. `run`, `exec` and `test` do all this by
themselves.

Rust and the programs in it (docs/rust.md) are fetched and built when they are named, and by who needs them. `list NAME`
shows of them, too, which crates they are made with: version, licence, SHA-256.

{opt.usage(OPTIONS)}"""


def state(port):
    """What is there of a port, in a few words."""
    built = [arch for arch in ports.ARCHES if os.path.isdir(ports.output_folder(port, arch))]
    if built:
        return "built: " + " ".join(built)
    return "fetched" if all(fetch.have(*archive) for archive in port.archives()) else "not fetched"


def show(known, rust):
    """The table of `list`."""
    print(f"{'port':<14} {'version':<10} {'licence':<18} {'state':<24} what")
    rows = [(port.name, port.version, port.licence, state(port), port.recipe["summary"]) for port in known]
    for name, version, licence, there, what in [*rows, *(row for row in listing.rows() if row[0] in rust)]:
        print(f"{name:<14} {version:<10} {licence:<18} {there:<24} {what}")


def show_crates(rust):
    """What std is made with, and the programs: all of these have the same crates to choose from."""
    for name in [*(["rust"] if "rust" in rust else []), *[name for name in rust if name != "rust"][:1]]:
        print(f"\n{'crates of std' if name == 'rust' else 'crates of the programs':<24} {'version':<20} {'licence':<34} SHA-256")
        for crate, version, licence, digest in listing.crates(name) or [("not fetched", "", "", "")]:
            print(f"{crate:<24} {version:<20} {licence:<34} {digest}")


def of_rust(work, *words):
    """One of the tasks for Rust; True when it was done."""
    try:
        print("\n".join(text) if not isinstance(text := work(*words), str) else text)
        return True
    except (RustError, build.BuildError, fetch.Unavailable, fetch.WrongHash) as problem:
        print(f"vectra: ports: {problem}", file=sys.stderr)
        return False


def bring(known, folder):
    """Fetches; True when all are there."""
    good = True
    for port in known:
        try:
            if folder:
                for name, digest in port.archives():
                    path = os.path.join(opt.caller_path(folder), name)
                    if not os.path.isfile(path):
                        raise fetch.Unavailable(f"{folder} has no {name}")
                    fetch.keep(path, name, digest)
            for name, path in port.fetch():
                print(f"{port.name}: {name} in {path}")
        except (fetch.Unavailable, fetch.WrongHash) as problem:
            print(f"vectra: ports: {port.name}: {problem}", file=sys.stderr)
            good = False
    return good


def make(known, arches):
    """Builds; True when all were built."""
    good = True
    for arch in arches:
        if os.path.isfile(ports.unavailable_file(arch)):
            os.remove(ports.unavailable_file(arch))   # asked for by name: try again now
        goals = [f"build/posix-{arch}/{'sysroot/.stamp' if port.name == 'musl' else port.name + '.key'}" for port in known]
        build.build_posix(arch, goals)
        if reason := ports.unavailable(arch):
            print(f"vectra: ports: {reason}", file=sys.stderr)
            good = False
            continue
        for port in known:
            print(f"{port.name} {port.version} for {arch} in {ports.output_folder(port, arch)}")
    return good


def main(arguments):
    """Does what the first word says; returns 0 when all of it worked."""
    options = opt.parse("ports", arguments, OPTIONS)
    if options.rest is not None:
        raise opt.UsageError("ports: takes no command after '--'")
    action, names = (options.words[0], options.words[1:]) if options.words else ("list", [])
    if action not in ("list", "fetch", "build"):
        raise opt.UsageError(f"ports: unknown action '{action}'{opt.near(action, ['list', 'fetch', 'build'])}")
    rust = [name for name in names if name in listing.names()]
    try:
        known = [ports.load(name) for name in names if name not in rust] if names else list(ports.load().values())
    except ports.PortError as problem:
        raise opt.UsageError(f"ports: {problem}") from None
    if action == "list":
        show(known, rust if names else listing.names())
        show_crates(rust)
        return 0
    if action == "fetch":
        done = [bring(known, options["from"]), *(of_rust(listing.bring, name) for name in rust)]
    else:
        arches = [options.arch] if options.arch else ports.ARCHES
        done = [make(known, arches) if known else True, *(of_rust(listing.make, rust, arch) for arch in arches if rust)]
    return 0 if all(done) else 1
