# SPDX-License-Identifier: MIT
"""Archives of released sources: from the cache, else from the distribution's source packages, always by their SHA-256.

The distribution's own package settings are copied into a private folder and asked for sources there; the machine's
state is not touched and root is not needed. apt checks the signatures; the hash in the recipe is checked again here, so
that a changed archive stops the build wherever it comes from.
"""

import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

KEYRING = re.compile(r"(debian|ubuntu)-archive")
DISTRIBUTION_ONLY = re.compile(r"(^|\W)(debian|ubuntu)(\W|$)", re.IGNORECASE)
# Nobody waits for minutes to learn that there is no network.
APT = ["-oAcquire::Retries=1", "-oAcquire::http::Timeout=20", "-oAcquire::https::Timeout=20", "-oAPT::Sandbox::User=root",
       "-oAPT::Get::AllowUnauthenticated=false", "-oDebug::NoLocking=true"]
TIMEOUT_S = 300


class Unavailable(Exception):
    """The archive cannot be had here and now; the text says why in one line."""


class WrongHash(Exception):
    """What came is not what the recipe names."""


def cache_folder():
    """Where archives and built ports are kept, outside the tree."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "vectra")


def sha256(path):
    """The hash of a file."""
    found = hashlib.sha256()
    with open(path, "rb") as handle:
        while block := handle.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def cached(name, digest):
    """Where the cache keeps an archive."""
    return os.path.join(cache_folder(), "archives", f"{digest[:16]}-{name}")


def keep(path, name, digest):
    """Checks a file against its hash and puts it into the cache; returns its place there."""
    found = sha256(path)
    if found != digest:
        raise WrongHash(f"{name}: the SHA-256 is {found}, the recipe says {digest}")
    place = cached(name, digest)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    temporary = f"{place}.{os.getpid()}"
    shutil.copyfile(path, temporary)
    os.replace(temporary, place)
    return place


def have(name, digest):
    """The cached archive, or None. One that has rotted is removed."""
    place = cached(name, digest)
    if not os.path.isfile(place):
        return None
    if sha256(place) != digest:
        os.remove(place)
        return None
    return place


def fetch(source):
    """All archives of a source, [(name, path)]. `source`: package, package-version, [(name, sha256)] in `files`, and
    whether the upstream archive is all that is wanted, in `upstream-only`."""
    found = {name: have(name, digest) for name, digest in source["files"]}
    if not all(found.values()):
        with tempfile.TemporaryDirectory(prefix="vectra-fetch-") as folder:
            download(folder, source["package"], source["package-version"], source.get("upstream-only", False))
            for name, digest in source["files"]:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    raise Unavailable(f"the source package {source['package']} has no {name}")
                found[name] = keep(path, name, digest)
    return [(name, found[name]) for name, _ in source["files"]]


def download(folder, package, version, upstream_only=False):
    """Lets apt bring the files of a source package into `folder`."""
    with packages() as options:
        wanted = f"{package}={version}"
        get = ["source", "-qq", "--download-only", *(["--tar-only"] if upstream_only else []), wanted]
        # Lists of an earlier time often do; they are renewed when they do not.
        if not apt([*options, *get], folder)[0]:
            renew(options, folder)
            ok, words = apt([*options, *get], folder)
            if not ok:
                raise Unavailable(f"{wanted} cannot be fetched: {last_line(words)}")


def binary_packages(files):
    """The paths of binary packages, [(file name, sha256)], in that order; what the cache has not is fetched at once."""
    found = {name: have(name, digest) for name, digest in files}
    if missing := [name for name, path in found.items() if path is None]:
        wanted = ["=".join(name.removesuffix(".deb").split("_")[:2]).replace("%3a", ":") for name in missing]
        with packages() as options, tempfile.TemporaryDirectory(prefix="vectra-fetch-") as folder:
            if not apt([*options, "download", "-qq", *wanted], folder)[0]:
                renew(options, folder)
                ok, words = apt([*options, "download", "-qq", *wanted], folder)
                if not ok:
                    raise Unavailable(f"{len(wanted)} packages cannot be fetched: {last_line(words)}")
            for name, digest in files:
                if name in missing:
                    path = os.path.join(folder, name)
                    if not os.path.isfile(path):
                        raise Unavailable(f"the distribution has no {name}")
                    found[name] = keep(path, name, digest)
    return [found[name] for name, _ in files]


def prepare(state, parts):
    """Writes the private settings; apt's options for them."""
    for name in ("parts", "lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(state, name), exist_ok=True)
    for old in glob.glob(os.path.join(state, "parts", "*")):
        os.remove(old)
    for name, text in parts.items():
        with open(os.path.join(state, "parts", name), "w", encoding="utf-8") as handle:
            handle.write(text)
    return ["-oDir::Etc::SourceList=/dev/null", f"-oDir::Etc::SourceParts={state}/parts",
            f"-oDir::State::Lists={state}/lists", f"-oDir::Cache={state}/cache", *APT]


def renew(options, folder):
    """Brings the lists up to date."""
    ok, words = apt([*options, "update", "-qq", "--error-on=any"], folder)
    if not ok:
        raise Unavailable(f"the package lists cannot be fetched: {last_line(words)}")


@contextlib.contextmanager
def packages():
    """The distribution's packages by the private settings: gives (apt's options); one user of the folder at a time."""
    if not shutil.which("apt-get"):
        raise Unavailable("this system has no apt-get to fetch packages with")
    parts = source_parts()
    if not parts:
        raise Unavailable("the package settings of this machine name no archive of its distribution")
    state = os.path.join(cache_folder(), "apt")
    os.makedirs(state, exist_ok=True)
    with open(os.path.join(state, "lock"), "w", encoding="utf-8") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        yield prepare(state, parts)


def apt(arguments, folder):
    """Runs apt-get; (worked, what it said)."""
    try:
        done = subprocess.run(["apt-get", *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False,
                              env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"})
    except subprocess.TimeoutExpired:
        return False, f"no answer within {TIMEOUT_S} s"
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


def last_line(words):
    """The first error of apt's words, else their last line."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    for line in lines:
        if line.startswith("E:"):
            return line[2:].strip()
    return lines[-1] if lines else "apt-get said nothing"


def source_parts(folder="/etc/apt"):
    """{file name: text} of the distribution's own package sources, with source packages switched on."""
    parts = {}
    for path in sorted(glob.glob(f"{folder}/sources.list.d/*.sources")):
        stanzas = [with_sources(s) for s in re.split(r"\n\s*\n", read(path)) if is_ours(s)]
        if stanzas:
            parts[os.path.basename(path)] = "\n\n".join(stanzas) + "\n"
    for path in sorted([f"{folder}/sources.list", *glob.glob(f"{folder}/sources.list.d/*.list")]):
        lines = [line for line in read(path).splitlines() if line.startswith("deb ") and DISTRIBUTION_ONLY.search(line)]
        if lines:
            parts[os.path.basename(path).removesuffix(".list") + "-vectra.list"] = "".join(
                f"{line}\n{'deb-src ' + line[4:]}\n" for line in lines)
    return parts


def read(path):
    """A text file, or nothing."""
    if not os.path.isfile(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as handle:
        return handle.read()


def is_ours(stanza):
    """True for a deb822 stanza that the distribution's own keyring signs."""
    types = re.search(r"^Types:.*\bdeb\b", stanza, re.MULTILINE)
    signed = re.search(r"^Signed-By:\s*(.*)$", stanza, re.MULTILINE)
    return bool(types and signed and KEYRING.search(signed.group(1)))


def with_sources(stanza):
    """The stanza with `deb-src` among its types."""
    return re.sub(r"^Types:.*$", "Types: deb deb-src", stanza.strip(), flags=re.MULTILINE)
