# SPDX-License-Identifier: MIT
"""The Rust compiler and the sources of std: the distribution's packages, fetched by its own tools into a private folder and
unpacked there. The machine's own Rust, if it has one, is neither used nor touched."""

import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

from vectra import fetch
from vectra.rust import NotHere, RustError

RECIPE = "ports/rust/toolchain.toml"
UPSTREAM = re.compile(r"^(?:\d+:)?(\d+)\.(\d+)")
DEPENDENCY = re.compile(r"([a-z0-9][a-z0-9.+-]*)(?::\w+)?(?:\s*\(([<>=]+)\s*([^)]+)\))?")


def folder():
    """Where everything of Rust lies."""
    return os.path.join(fetch.cache_folder(), "rust")


def recipe():
    """The recipe's fields."""
    with open(RECIPE, "rb") as handle:
        return tomllib.load(handle)


def numbers(version):
    """(major, minor) of a package's version, or None."""
    found = UPSTREAM.match(version)
    return (int(found.group(1)), int(found.group(2))) if found else None


class Toolchain:
    """An unpacked one."""

    def __init__(self, place):
        self.place, self.version = place, os.path.basename(place).partition("-")[2]
        self.rustc, self.rustdoc, self.cargo = (f"{place}/usr/bin/{name}" for name in ("rustc", "rustdoc", "cargo"))
        self.library = os.path.realpath(f"{place}/usr/lib/rustlib/src/rust/library")
        hosts = sorted(glob.glob(f"{place}/usr/lib/rustlib/*-unknown-linux-gnu"))
        if not hosts or not os.path.isdir(f"{self.library}/std") or not os.path.isdir(f"{self.library}/vendor"):
            raise RustError(f"the packages of Rust {self.version} are not made as expected: no sources of std with their "
                            f"vendored crates in {place}")
        self.host = os.path.basename(hosts[0])

    def environment(self):
        """What its programs need to find their own libraries."""
        places = glob.glob(f"{self.place}/usr/lib/*-linux-gnu")
        if before := os.environ.get("LD_LIBRARY_PATH"):
            places.append(before)
        return {"LD_LIBRARY_PATH": ":".join(places)}


def unpacked():
    """The newest that is there, or None."""
    oldest = numbers(recipe()["oldest"])
    found = [path for path in glob.glob(f"{folder()}/toolchain-*") if os.path.exists(f"{path}/.complete")
             and (numbers(os.path.basename(path).partition("-")[2]) or (0, 0)) >= oldest]
    return Toolchain(max(found, key=lambda path: (numbers(os.path.basename(path).partition("-")[2]), path))) \
        if found else None


def find(say):
    """The toolchain, fetched and unpacked if it is not there. Raises RustError."""
    if found := unpacked():
        return found
    os.makedirs(folder(), exist_ok=True)
    with open(f"{folder()}/lock", "w", encoding="utf-8") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if found := unpacked():
            return found
        try:
            return bring(say)
        except fetch.Unavailable as problem:
            raise NotHere(f"Rust {recipe()['oldest']} or newer cannot be had here: {problem}") from None


def bring(say):
    """Fetches the packages that the recipe names, and what of theirs the machine has not."""
    with fetch.packages() as options, tempfile.TemporaryDirectory(prefix="unpack-", dir=folder()) as work:
        version = candidate(options, work)
        wanted = closure(options, version)
        say(f"fetching Rust {version.split('+')[0]}: {len(wanted)} packages, about 150 MB")
        ok, words = fetch.apt([*options, "download", "-qq", *(f"{n}={v}" for n, v in wanted.items())], work)
        if not ok:
            raise fetch.Unavailable(fetch.last_line(words))
        say("unpacking them")
        tree = f"{work}/tree"
        for package in sorted(glob.glob(f"{work}/*.deb")):
            done = subprocess.run(["dpkg-deb", "-x", package, tree], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            if done.returncode != 0:
                raise RustError(f"{os.path.basename(package)} does not unpack: {done.stdout.decode('utf-8', 'replace')}")
        for unused in ("usr/share/doc", "usr/share/man"):
            shutil.rmtree(f"{tree}/{unused}", ignore_errors=True)
        place = f"{folder()}/toolchain-{version}"
        shutil.rmtree(place, ignore_errors=True)
        os.rename(tree, place)
    found = Toolchain(place)
    with open(f"{place}/.complete", "w", encoding="utf-8") as handle:
        handle.writelines(f"{name} {version}\n" for name, version in sorted(wanted.items()))
    return found


def candidate(options, work):
    """The version of the compiler's package; renews the lists once before it says that there is none."""
    main, oldest = recipe()["packages"][0], recipe()["oldest"]
    for turn in range(2):
        found = re.search(r"^\s+Candidate: (\S+)", ask(options, "policy", main), re.MULTILINE)
        version = found.group(1) if found and found.group(1) != "(none)" else None
        if version and numbers(version) >= numbers(oldest):
            return version
        if turn == 0:
            fetch.renew(options, work)
    raise NotHere(f"needs Rust {oldest} or newer, as the package {main} of Debian 12 has it; " +
                    (f"here it is {version}" if version else f"this distribution has no package {main}"))


def ask(options, *words):
    """What apt-cache says."""
    return subprocess.run(["apt-cache", *options, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, check=False, env={**os.environ, "LC_ALL": "C"}).stdout


def stanza(text):
    """The first paragraph of apt-cache's `show`, as a dictionary."""
    return dict(re.findall(r"^([A-Z][\w-]*): (.*)$", text.partition("\n\n")[0], re.MULTILINE))


def installed(name):
    """True when the machine has that package."""
    done = subprocess.run(["dpkg-query", "-W", "-f=${Status}", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False)
    return done.stdout.endswith(b"ok installed")


def closure(options, version):
    """{package: version} of the recipe's packages and of all that they depend on and the machine lacks."""
    found, queue = {}, [(name, version) for name in recipe()["packages"]]
    while queue:
        name, exact = queue.pop()
        if name in found:
            continue
        about = stanza(ask(options, "show", "--no-all-versions" if exact is None else "--all-versions",
                           name if exact is None else f"{name}={exact}"))
        if "Version" not in about:
            continue   # a virtual package: one of those that provide it is named beside it
        found[name] = about["Version"]
        for group in f"{about.get('Depends', '')}, {about.get('Pre-Depends', '')}".split(","):
            choices = DEPENDENCY.findall(group)
            if choices and not any(installed(choice[0]) for choice in choices if not ours(choice[0])) and \
                    choices[0][0] not in NOT_NEEDED:
                first = choices[0]
                queue.append((first[0], first[2] if first[1] == "=" else None))
    return found


# A linker for programs of this machine: clang does it.
NOT_NEEDED = ("gcc", "binutils", "libc-dev", "libc6-dev")


def ours(name):
    """True for the packages that must be of one version, whatever the machine has."""
    return name.startswith("libstd-rust-") or name in recipe()["packages"]


def say_on_stderr(text):
    """Progress, for a person who waits."""
    print(f"vectra: {text}…", file=sys.stderr, flush=True)
