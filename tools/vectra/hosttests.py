# SPDX-License-Identifier: MIT
"""Finds host unit tests and fuzzers, reads what they say about themselves, and writes make rules for them.

A test is test/unit/**/NAME_test.c, a fuzzer test/fuzz/**/NAME_fuzz.c. Comment lines in it say how it is built:

    // sources: kernel/ring.c base/list.c     the files that it links with
    // flags: -DSOMETHING                     more compiler flags for all of them (optional)
    // libs: -lpthread                        more libraries (optional)
    // sanitize: thread                       in place of address,undefined (optional)
    // mutations: BREAK_A -DBREAK_B=1         macros that must each make the test fail when defined (optional)
    // mutations: lose-it lose-it:-DTHIS      the same of test/mutations/lose-it.patch, applied to copies of the files
                                              that it changes; behind a colon, a flag to go with it
"""

import os
import re
import shutil
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

from vectra import unidiff   # noqa: E402

FIELD = re.compile(r"^\s*(?://|\*|/\*)\s*(sources|flags|libs|sanitize|mutations):\s*(.*?)\s*(?:\*/)?\s*$")
DEFAULT_SANITIZE = "address,undefined"
MUTATIONS = "test/mutations"


class HostProgram:
    """One host program to build: a test, a fuzzer, or a mutation of a test (which must then fail)."""

    def __init__(self, kind, name, main, fields, mutation=None):
        self.kind, self.name, self.main, self.mutation = kind, name, main, mutation
        self.sources = [main, *fields.get("sources", [])]
        patch, _, flag = (mutation or "").partition(":")
        self.patch = f"{MUTATIONS}/{patch}.patch" if patch and not patch.startswith("-") else None
        self.flags = [*fields.get("flags", []), *filter(None, [flag if self.patch else mutation])]
        self.libs = fields.get("libs", [])
        self.sanitize = ",".join(fields.get("sanitize", [])) or DEFAULT_SANITIZE

    def binary(self, build):
        """Where make puts it."""
        return f"{build}/{self.kind}/{self.name}"


def read_fields(path):
    """What the comment lines of one file say: {field: [words]}. A field may stand on several lines."""
    fields = {}
    with open(path, encoding="utf-8") as handle:
        for line in handle:
            match = FIELD.match(line)
            if match:
                known = fields.setdefault(match.group(1), [])
                known.extend(word for word in match.group(2).split() if word not in known)
    return fields


def find(kind, folder, suffix):
    """All programs of one kind below `folder`, mutations included, sorted by path."""
    programs = []
    for root, dirs, names in os.walk(folder):
        dirs.sort()
        for name in sorted(names):
            if not name.endswith(suffix):
                continue
            path = os.path.join(root, name).replace(os.sep, "/")
            short = os.path.relpath(path, folder).replace(os.sep, "-")[:-len(suffix)]
            fields = read_fields(path)
            programs.append(HostProgram(kind, short, path, fields))
            for mutation in fields.get("mutations", []):
                if mutation.isupper() and not mutation.startswith("-"):
                    mutation = f"-D{mutation}"
                label = re.sub(r"[^A-Za-z0-9_]+", "_", mutation.removeprefix("-D"))
                programs.append(HostProgram(kind, f"{short}+{label}", path, fields, mutation))
    return programs


def unit_tests():
    """The host unit tests of the tree in the current directory."""
    return find("unit", "test/unit", "_test.c")


def fuzzers():
    """The fuzzers of the tree in the current directory."""
    return find("fuzz", "test/fuzz", "_fuzz.c")


def changed_files(patch):
    """The files of the tree that a patch changes."""
    with open(patch, encoding="utf-8") as handle:
        return [name for name, _, _ in unidiff.parse(handle.read())]


def mutate(patch, folder):
    """Puts copies of the files that a patch changes into `folder`, and changes them."""
    for name in changed_files(patch):
        copy = os.path.join(folder, name)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copyfile(name, copy)
    with open(patch, encoding="utf-8") as handle:
        unidiff.apply(handle.read(), folder)


def rules(program, build):
    """The make rules that build one program; every program has its own objects, for its own flags."""
    fuzz = program.kind == "fuzz"
    sanitize = f"-fsanitize={program.sanitize} -fno-sanitize-recover=all"
    flags = " ".join([sanitize + (" -fsanitize=fuzzer-no-link" if fuzz else ""), *program.flags])
    libs = " ".join(["-fsanitize=fuzzer" if fuzz else "-lcmocka", *program.libs])
    binary = program.binary(build)
    out, objects, mutant, changed = [], [], f"{build}/obj/{program.kind}/{program.name}/mutant", []
    if program.patch:   # a copy is found before what it is a copy of
        changed = changed_files(program.patch)
        names = " ".join(changed)
        out.append(f"{mutant}/.stamp: {program.patch} {names} tools/vectra/hosttests.py\n"
                   f"\t$(Q)$(PYTHON) tools/vectra/hosttests.py mutate {program.patch} {mutant} && touch $@\n")
    first = f"-I{mutant} " if program.patch else ""
    stamp = f"{mutant}/.stamp " if program.patch else ""
    for source in program.sources:
        target = f"{build}/obj/{program.kind}/{program.name}/{source}.o"
        copy = f"{mutant}/{source}" if source in changed else "$<"
        objects.append(target)
        out.append(f"{target}: {source} {stamp}{build}/flags {build}/rules.mk | {build}/gen/.stamp\n"
                   f"\t@mkdir -p $(@D)\n"
                   f"\t$(Q)$(CLANG) {first}$(HOST_CFLAGS) {flags} -MMD -MP -MF $(@:.o=.d) -c {copy} -o $@\n")
    names = " ".join(objects)
    out.append(f"{binary}: {names}\n"
               f"\t@mkdir -p $(@D)\n"
               f"\t$(say) {'FUZZ' if fuzz else 'TEST'} $@\n"
               f"\t$(Q)$(CLANG) {sanitize} $(HOST_LDFLAGS) {names} {libs} -o $@\n"
               f"HOST_OBJ += {names}\n"
               f"HOST_{'FUZZ' if fuzz else 'UNIT'}_BIN += {binary}\n")
    return "".join(out)


def main(arguments):
    """What mk/host.mk calls: `rules BUILD` prints the make fragment, whose rules call `mutate PATCH FOLDER`."""
    if len(arguments) == 3 and arguments[0] == "mutate":
        try:
            mutate(arguments[1], arguments[2])
        except unidiff.PatchError as error:
            sys.exit(f"{arguments[1]}: {error}: the mutation is to follow the source")
        return
    if len(arguments) != 2 or arguments[0] != "rules":
        sys.exit("usage: hosttests.py rules BUILD | mutate PATCH FOLDER")
    print("# Generated by tools/vectra/hosttests.py.")
    for program in unit_tests() + fuzzers():
        print(rules(program, arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
