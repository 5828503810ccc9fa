# SPDX-License-Identifier: MIT
"""Ports: other people's programs, built from their released sources. None of their code is in this tree.

ports/NAME/port.toml names the archive (by its hash), the licence and what the build needs; patches/*.patch and overlay/
are ours; build.sh builds into $OUT. What comes out is kept by its content key: the recipe, the archive, the compiler and
the ports it was built with. The same key is never built twice on a machine, in whatever tree.
"""

import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib

if __name__ == "__main__":
    sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

from vectra import fetch, unidiff   # noqa: E402  (the path above comes first)

FOLDER = "ports"
ARCHES = ("x86_64", "aarch64")
FORMAT = 2               # raise it when the way of building changes, so that nothing old is taken from the cache
RETRY_S = 600            # after a fetch that failed, make does not try again for this long
UNAVAILABLE_STATUS = 75
FIELDS = {"": {"name", "summary", "version", "licence", "licence-file", "source", "build", "image", "links"},
          "source": {"package", "package-version", "archive", "sha256", "folder", "patches"},
          "patches": {"archive", "sha256", "series"},
          "build": {"files", "remove", "needs", "link"}}


class PortError(Exception):
    """A recipe is wrong, or a build failed; the text says which and why."""


class Port:
    """One recipe, checked."""

    def __init__(self, folder):
        self.folder, self.name = folder, os.path.basename(folder)
        path = f"{folder}/port.toml"
        try:
            with open(path, "rb") as handle:
                self.recipe = tomllib.load(handle)
        except (OSError, tomllib.TOMLDecodeError) as problem:
            raise PortError(f"{path}: {problem}") from None
        self._check(path)

    def _check(self, path):
        recipe = self.recipe
        for table, known in FIELDS.items():
            part = recipe if not table else recipe.get("source", {}).get("patches", {}) if table == "patches" \
                else recipe.get(table, {})
            if unknown := sorted(set(part) - known):
                raise PortError(f"{path}: unknown field '{unknown[0]}'")
        for field in ("name", "summary", "version", "licence", "licence-file"):
            if not isinstance(recipe.get(field), str):
                raise PortError(f"{path}: '{field}' is missing")
        for field in ("package", "package-version", "archive", "sha256", "folder"):
            if not isinstance(recipe.get("source", {}).get(field), str):
                raise PortError(f"{path}: 'source.{field}' is missing")
        if recipe["name"] != self.name:
            raise PortError(f"{path}: the name is '{recipe['name']}', the folder's is '{self.name}'")

    version = property(lambda self: self.recipe["version"])
    licence = property(lambda self: self.recipe["licence"])
    source = property(lambda self: self.recipe["source"])
    needs = property(lambda self: self.recipe.get("build", {}).get("needs", []))
    files = property(lambda self: self.recipe.get("build", {}).get("files", {}))
    link = property(lambda self: self.recipe.get("build", {}).get("link", {}))
    image = property(lambda self: self.recipe.get("image", {}))
    links = property(lambda self: self.recipe.get("links", {}))

    def archives(self):
        """[(file name, sha256)]: the released source, and the distribution's changes to it if the recipe takes some."""
        found = [(self.source["archive"], self.source["sha256"])]
        if patches := self.source.get("patches"):
            found.append((patches["archive"], patches["sha256"]))
        return found

    def fetch(self):
        """Brings the archives; [(name, path)]."""
        return fetch.fetch({"package": self.source["package"], "package-version": self.source["package-version"],
                            "files": self.archives(), "upstream-only": "patches" not in self.source})

    def inputs(self):
        """Every file of this tree that decides what comes out."""
        found = list(self.files)
        for root, folders, names in os.walk(self.folder):
            folders.sort()
            found += [os.path.join(root, name) for name in names]
        return sorted(found)


def load(name=None, folder=FOLDER):
    """The recipe of that name, or all of them by name."""
    if name is not None:
        if not os.path.isfile(f"{folder}/{name}/port.toml"):
            known = ", ".join(sorted(load(folder=folder))) or "none"
            raise PortError(f"there is no port '{name}'; there is: {known}")
        return Port(f"{folder}/{name}")
    return {os.path.basename(os.path.dirname(path)): Port(os.path.dirname(path))
            for path in sorted(glob.glob(f"{folder}/*/port.toml"))}


def tool_versions():
    """What the compiler and the archiver say they are."""
    out = b""
    for variable, name in (("CLANG", "clang-19"), ("LLD", "ld.lld-19")):
        line = [os.environ.get(variable, name), "--version"]
        out += subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    return out


def key_of(port, arch, extra=()):
    """The content key of what a port builds to. `extra`: files beside the recipe, like the library it links with."""
    found = hashlib.sha256(f"{FORMAT} {port.name} {arch}\n".encode() + tool_versions())
    for name, digest in port.archives():
        found.update(f"{name} {digest}\n".encode())
    for path in [*port.inputs(), *sorted(extra)]:
        found.update(f"{os.path.basename(path)} {fetch.sha256(path)}\n".encode())
    for need in port.needs:
        found.update(key_of(load(need, os.path.dirname(port.folder)), arch).encode())
    return found.hexdigest()[:32]


def output_folder(port, arch):
    """Where a port's files lie."""
    return f"build/posix-{arch}/ports/{port.name}"


def unpack(port, into):
    """The patched source in `into`; returns its folder."""
    archives = port.fetch()
    source = os.path.join(into, port.source["folder"])
    with tarfile.open(archives[0][1]) as archive:
        archive.extractall(into, filter="data")
    if not os.path.isdir(source):
        raise PortError(f"{port.name}: {archives[0][0]} has no folder {port.source['folder']}")
    if patches := port.source.get("patches"):
        with tarfile.open(archives[1][1]) as archive:
            for name in patches["series"]:
                member = archive.extractfile(f"debian/patches/{name}")
                patch(port, name, member.read().decode("utf-8", "surrogateescape"), source)
    for name in port.recipe.get("build", {}).get("remove", []):
        os.remove(os.path.join(source, name))
    if os.path.isdir(f"{port.folder}/overlay"):
        shutil.copytree(f"{port.folder}/overlay", source, dirs_exist_ok=True)
    for ours, theirs in port.files.items():
        shutil.copyfile(ours, os.path.join(source, theirs))
    for path in sorted(glob.glob(f"{port.folder}/patches/*.patch")):
        with open(path, encoding="utf-8") as handle:
            patch(port, os.path.basename(path), handle.read(), source)
    return source


def patch(port, name, text, source):
    """Applies one patch, or says whose does not fit."""
    try:
        unidiff.apply(text, source)
    except unidiff.PatchError as problem:
        raise PortError(f"{port.name}: {name}: {problem}") from None


def build(port, arch, extra=(), environment=None, say=lambda text: None):
    """Sees that the port's files are there for this architecture; returns their content key."""
    key, out = key_of(port, arch, extra), output_folder(port, arch)
    stamp = f"{out}.key"
    if fetch.read(stamp).strip() == key and os.path.isdir(out):
        return key
    with locked(out):
        kept = os.path.join(fetch.cache_folder(), "built", f"{port.name}-{arch}-{key}.tar")
        if not os.path.isfile(kept):
            say(f"building {port.name} {port.version} for {arch}")
            compile_port(port, arch, kept, environment or {})
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        with tarfile.open(kept) as archive:
            archive.extractall(out, filter="data")
        with open(stamp, "w", encoding="utf-8") as handle:
            handle.write(key + "\n")
    return key


def link(port, arch, key, libraries, environment):
    """Links the programs that the recipe leaves as archives, so that a change of libposix compiles nothing anew; returns
    the key of what is there then."""
    if not port.link:
        return key
    out, found = output_folder(port, arch), hashlib.sha256(key.encode())
    for path in libraries:
        found.update(f"{os.path.basename(path)} {fetch.sha256(path)}\n".encode())
    linked = found.hexdigest()[:32]
    with locked(out):
        if fetch.read(f"{out}.linked").strip() == linked and all(os.path.isfile(f"{out}/{p}") for p in port.link):
            return linked
        for program, archive in port.link.items():
            os.makedirs(os.path.dirname(f"{out}/{program}"), exist_ok=True)
            for line in ([*environment["CC"].split(), "-o", f"{out}/{program}", f"{out}/{archive}"],
                         [os.environ.get("OBJCOPY", "llvm-objcopy-19"), "--strip-debug", "--wildcard",
                          "--strip-symbol=$*", f"{out}/{program}"]):
                done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      env={**os.environ, **environment}, check=False)
                if done.returncode != 0:
                    raise PortError(f"{port.name}: {program} does not link for {arch}\n"
                                    + done.stdout.decode("utf-8", "replace"))
        with open(f"{out}.linked", "w", encoding="utf-8") as handle:
            handle.write(linked + "\n")
    return linked


def locked(out):
    """One build of a port at a time."""
    os.makedirs(os.path.dirname(out), exist_ok=True)
    handle = open(f"{out}.lock", "w", encoding="utf-8")   # pylint: disable=consider-using-with
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def compile_port(port, arch, kept, environment):
    """Runs build.sh in a fresh source and keeps what it made."""
    work = os.path.abspath(f"build/posix-{arch}/work/{port.name}")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(f"{work}/out")
    source, log = unpack(port, work), f"{work}/log"
    settings = {**os.environ, "LC_ALL": "C", "ARCH": arch, "OUT": f"{work}/out", "JOBS": str(max(2, os.cpu_count() or 2)),
                "CLANG": os.environ.get("CLANG", "clang-19"), "LLVM_AR": os.environ.get("LLVM_AR", "llvm-ar-19"),
                "LLVM_RANLIB": os.environ.get("LLVM_RANLIB", "llvm-ranlib-19"),
                "VECTRA": os.path.abspath("vectra"), "PORT": os.path.abspath(port.folder), **environment}
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKE_TERMOUT", "MAKE_TERMERR"):
        settings.pop(name, None)
    started = time.monotonic()
    with open(log, "wb") as handle:
        done = subprocess.run(["sh", os.path.abspath(f"{port.folder}/build.sh")], cwd=source, stdin=subprocess.DEVNULL,
                              stdout=handle, stderr=subprocess.STDOUT, env=settings, check=False)
    if done.returncode != 0:
        with open(log, encoding="utf-8", errors="replace") as handle:
            tail = "".join(line[:300].rstrip("\n") + "\n" for line in handle.readlines()[-30:])
        raise PortError(f"{port.name} {port.version} does not build for {arch}; the whole log is in {log}\n{tail}")
    shutil.copyfile(os.path.join(source, port.recipe["licence-file"]), f"{work}/out/LICENCE")
    with open(f"{work}/out/PORT", "w", encoding="utf-8") as handle:
        handle.write(f"{port.name} {port.version}\nlicence: {port.licence}\nsource: {port.source['archive']} "
                     f"sha256 {port.source['sha256']}\nbuilt in {time.monotonic() - started:.0f} s\n")
    os.makedirs(os.path.dirname(kept), exist_ok=True)
    temporary = f"{kept}.{os.getpid()}"
    with tarfile.open(temporary, "w") as archive:
        archive.add(f"{work}/out", arcname=".")
    os.replace(temporary, kept)
    shutil.rmtree(work)


def unavailable_file(arch):
    """Says why the ports are not there, in one line; missing when they are."""
    return f"build/posix-{arch}/unavailable"


def unavailable(arch):
    """That line, or None."""
    return fetch.read(unavailable_file(arch)).strip() or None


def remember_unavailable(arch, text):
    """Notes for ./vectra and make why there are no ports."""
    os.makedirs(os.path.dirname(unavailable_file(arch)), exist_ok=True)
    with open(unavailable_file(arch), "w", encoding="utf-8") as handle:
        handle.write(text + "\n")


def front_script():
    """./vectra by a name without a space: build scripts split $CC at spaces, as everybody's do."""
    path = os.path.abspath("vectra")
    if " " in path:
        link = os.path.join(tempfile.mkdtemp(prefix="vectra-"), "tree")
        os.symlink(os.path.dirname(path), link)
        path = os.path.join(link, "vectra")
    return path


def for_programs(arch, sysroot):
    """(files that decide what comes out, environment) for a port of programs that links them itself."""
    return ([*libraries_of(sysroot), "tools/vectra/compiler.py"],
            {"CC": f"{front_script()} cc --arch {arch}", "VECTRA_SYSROOT": os.path.abspath(sysroot)})


def libraries_of(sysroot):
    """What programs are linked with."""
    return sorted([*glob.glob(f"{sysroot}/lib/*.a"), *glob.glob(f"{sysroot}/lib/*.o")])


def build_for_make(arch, name, stamp, sysroot=None):
    """Builds one port and writes its key to a stamp when it changed; returns the exit status."""
    note = unavailable_file(arch)
    if os.path.isfile(note) and time.time() - os.path.getmtime(note) < RETRY_S:
        return UNAVAILABLE_STATUS
    try:
        port = load(name)
        extra, environment = for_programs(arch, sysroot) if sysroot else ([], {})
        libraries = libraries_of(sysroot) if sysroot and port.link else []
        extra = [path for path in extra if path not in libraries]
        key = link(port, arch, build(port, arch, extra, environment), libraries, environment)
    except fetch.Unavailable as problem:
        remember_unavailable(arch, f"{name}: {problem}")
        return UNAVAILABLE_STATUS
    except (PortError, fetch.WrongHash) as problem:
        print(f"ports: {problem}", file=sys.stderr)
        return 1
    if os.path.isfile(note):
        os.remove(note)
    write_if_changed(stamp, key + "\n")
    return 0


def write_if_changed(path, text):
    """Leaves a file alone whose text is the same."""
    if fetch.read(path) == text and os.path.isfile(path):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(text)


def image_list(arch, programs=()):
    """What the ports and our own programs of the C library (GUEST=HOST, and --link GUEST=PROGRAM for each further name
    of one) put on the image: lines `program GUEST=HOST`, and a key for each, so that the list changes when a file does."""
    if unavailable(arch):
        return ""
    lines = []
    for port in load().values():
        out = output_folder(port, arch)
        key = fetch.read(f"{out}.linked" if port.link else f"{out}.key").strip()
        for guest, inside in sorted(port.image.items()):
            lines.append(f"program {guest}={out}/{inside}\nkey {guest} {key}\n")
        for target, names in sorted(port.links.items()):
            lines += [f"link {os.path.dirname(target)}/{name}={os.path.basename(target)}\n" for name in names]
    programs = iter(programs)
    for pair in programs:
        if pair == "--link":
            lines.append(f"link {next(programs)}\n")
            continue
        guest, host = pair.split("=", 1)
        with open(host, "rb") as handle:
            lines.append(f"program {pair}\nkey {guest} {hashlib.sha256(handle.read()).hexdigest()}\n")
    return "".join(lines)


def main(arguments):
    """What mk/posix.mk calls: `build ARCH NAME STAMP [SYSROOT]` and `image ARCH FILE
    [GUEST=HOST...] [--link GUEST=PROGRAM...]`."""
    if arguments[:1] == ["build"] and len(arguments) in (4, 5):
        return build_for_make(*arguments[1:])
    if arguments[:1] == ["image"] and len(arguments) >= 3:
        write_if_changed(arguments[2], image_list(arguments[1], arguments[3:]))
        return 0
    print("usage: ports.py build ARCH NAME STAMP [SYSROOT] | image ARCH FILE [GUEST=HOST...] [--link GUEST=PROGRAM...]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
