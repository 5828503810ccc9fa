# SPDX-License-Identifier: MIT
"""Group `bench-smoke`: every benchmark runs, and no figure that was within its limit has left it."""

from vectra import benchmarks, masked, ports
from vectra.groups.guest import built
from vectra.results import Failure


def left_limits(rows, limits, baseline, arch):
    """What was within its limit and is not any more, in words."""
    problems = []
    for row in rows:
        limit = limits.get(row["name"], {}).get(arch)
        before = baseline.get((row["group"], row["name"], arch))
        if limit is not None and before is not None and before <= limit < row["value"]:
            problems.append(f"{row['name']}: {row['value']}, beyond its limit of {limit}; the baseline has {before}")
    return problems


def smoke(arch, check):
    """Runs all benchmarks of one architecture; returns how many figures came."""
    check(arch, "release")
    rows, outcome = benchmarks.measure(arch)
    if outcome.failed or outcome.status != 0:
        raise Failure(outcome.reason or f"/test/bench: exit status {outcome.status}", outcome.transcript)
    if reason := ports.unavailable(arch):
        raise Failure(f"there is no C library to measure: {reason}")
    more, outcome = benchmarks.measure_posix(arch)
    if outcome.failed or outcome.status != 0:
        raise Failure(outcome.reason or f"{benchmarks.POSIX_PROGRAM}: exit status {outcome.status}", outcome.transcript)
    rows += more
    more, outcome = benchmarks.measure_storage(arch)
    if outcome.failed or outcome.status != 0:
        raise Failure(outcome.reason or f"/test/bench storage: exit status {outcome.status}", outcome.transcript)
    rows += more
    limits, baseline = benchmarks.usual_limits(), benchmarks.load_baseline()
    problems = left_limits(rows, limits, baseline, arch)
    names = {row["name"] for row in rows}
    if masked.unavailable(arch):
        names.update(masked.RUNS)
    for name, limit in limits.items():
        if arch in limit and name not in names and name not in benchmarks.load_limits(benchmarks.SCALE_GROUP):
            problems.append(f"{name}: no figure came")
    if problems:
        raise Failure("; ".join(problems), outcome.transcript)
    return len(rows)


def tests(context):
    """One test for each architecture."""
    check = built(context, [(arch, "release") for arch in context.arches])
    return [(arch, lambda a=arch: smoke(a, check)) for arch in context.arches]
