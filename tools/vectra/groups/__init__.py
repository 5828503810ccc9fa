# SPDX-License-Identifier: MIT
"""The groups of `./vectra test`. A group makes (name, function) pairs; a function returns how many checks passed."""

from vectra.groups import bench, builds, examples, guest, host, model, posix, rust, shell, storage, tools

__all__ = ["GROUPS", "Context"]


class Context:
    """What the person asked for."""

    def __init__(self, arches, jobs=2, only=(), fuzz_seconds=5.0, listing=False, named=()):
        self.arches, self.jobs, self.only, self.fuzz_seconds = arches, jobs, only, fuzz_seconds
        self.listing = listing   # the tests are only named, so nothing is built
        self.named = named       # the groups that the person named; none: all are to run


class Group:
    """One group: `tests` is called with the Context when its turn comes, so that it may build first."""

    def __init__(self, name, text, tests, default=True, parallel=True):
        self.name, self.text, self.tests = name, text, tests
        self.default, self.parallel = default, parallel


GROUPS = {group.name: group for group in (
    Group("build", "both architectures, release and debug, without a warning", builds.tests, parallel=False),
    Group("unit", "portable code on this machine, under sanitizers", host.unit_tests),
    Group("fuzz", "hostile bytes for everything that reads them", host.fuzz_tests),
    Group("shell", "the shell's language against dash, on this machine", shell.tests),
    Group("model", "protocols, model-checked with spin", model.tests),
    Group("tools", "the tools' own tests, and the checkers of the tree", tools.tests),
    Group("boot", "whole boots, test/boot/*.t", guest.boot_tests),
    Group("guest", "programs that test the system from inside", guest.guest_tests),
    Group("storage", "disks: what the guest writes is in the image, whatever dies", storage.tests),
    Group("posix", "the C library, libposix and the ports, from inside the system", posix.tests),
    Group("rust", "std, the crate vectra and cargo, as a Rust programmer meets them", rust.tests),
    Group("examples", "each project of examples/, built as its reader would, and run", examples.tests),
    Group("bench-smoke", "the benchmarks run, and no figure has left its limit", bench.tests),
    Group("stress", "the fuzzers for 20 s each, storms and random calls inside for a minute, the other guest programs three times", guest.stress_tests,
          default=False),
)}
