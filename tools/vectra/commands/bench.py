# SPDX-License-Identifier: MIT
"""./vectra bench: measures, compares with the limits and with the committed baseline."""

import sys

from vectra import benchmarks, build, plot
from vectra import options as opt

SUMMARY = "measure; a table, and JSON or a plot if asked for"
OPTIONS = [
    opt.Option("--arch", "A", opt.arch, "only this architecture (default both)"),
    opt.Option("--json", "FILE", opt.output_file, "also write the figures as JSON"),
    opt.Option("--plot", "FILE.svg", opt.output_file, "also draw them"),
    opt.Option("--check", None, None, "exit 1 when a figure is beyond its limit or missing"),
    opt.Option("--linux", "KERNEL", opt.existing_file, "measure the group posix on Linux instead, on that kernel (with --arch)"),
    opt.Option("--update-baseline", None, None, "make these figures the committed baseline"),
]
HELP = f"""usage: ./vectra bench [OPTION]... [GROUP [NAME]...]

Boots a release build on one hart under QEMU's instruction counter and runs the benchmarks of a group, or those named.
The groups are: {', '.join(benchmarks.GROUPS)}. Without one, all are measured but {benchmarks.RUST_GROUP}.
The figures are instructions per operation, the same on every machine. LIMIT is the most that the project allows itself
(test/bench/limits.json), BASELINE what is committed (test/bench/baseline.json). The group {benchmarks.SCALE_GROUP} is measured by the clock,
on two harts: its figures are how much more those do than one, LIMIT is the least, and they count on an idle machine only.
The group {benchmarks.THROUGHPUT_GROUP} is by the clock too: how fast a disk is read, and what part that is of QEMU's own reading.
LINUX is what Linux needs on the same machine (test/bench/peers.json); with a kernel of a distribution's, --linux measures it anew:

  ./vectra bench --linux boot/vmlinuz-6.1 --arch x86_64 posix

{opt.usage(OPTIONS)}"""


MEASURE = {benchmarks.GROUP: benchmarks.measure, benchmarks.POSIX_GROUP: benchmarks.measure_posix,
           benchmarks.STORAGE_GROUP: benchmarks.measure_storage, benchmarks.SCALE_GROUP: benchmarks.measure_scale,
           benchmarks.THROUGHPUT_GROUP: benchmarks.measure_throughput, benchmarks.RUST_GROUP: benchmarks.measure_rust}


def table(rows, limits, baseline, peers=None):
    """The lines of the table, and the names that are beyond their limit. peers: what Linux needs, shown when there is any."""
    linux = {(row["group"], row["name"], row["arch"]): (peers or {}).get((row["group"], row["name"], row["arch"])) for row in rows}
    beside = any(linux.values())
    lines = [f"{'group':<8} {'name':<26} {'arch':<8} {'unit':<13} {'value':>10} {'min':>10} {'max':>10} "
             f"{'limit':>10} {'baseline':>10} {'change':>8}" + (f" {'linux':>11}" if beside else "")]
    beyond = []
    for row in rows:
        limit = limits.get(row["name"], {}).get(row["arch"])
        before = baseline.get((row["group"], row["name"], row["arch"]))
        change = f"{100 * (row['value'] - before) / before:+.1f}%" if before else ""
        mark = ""
        if limit is not None and not benchmarks.within(row, limit):
            mark = "  OVER" if row["unit"] != "ratio" else "  BELOW"
            beyond.append(f"{row['name']} ({row['arch']})")
        lines.append(f"{row['group']:<8} {row['name']:<26} {row['arch']:<8} {row['unit']:<13} {row['value']:>10,} "
                     f"{row['min']:>10,} {row['max']:>10,} {figure(limit):>10} {figure(before):>10} {change:>8}"
                     + (f" {figure(linux[row['group'], row['name'], row['arch']]):>11}" if beside else "") + mark)
    return lines, beyond


def figure(value):
    """A number, or nothing."""
    return "" if value is None else f"{value:,}"


def on_linux(options, names):
    """--linux: the figures of another kernel; returns the exit status."""
    if options.words[:1] != [benchmarks.POSIX_GROUP] or not options.arch:
        raise opt.UsageError(f"bench: --linux goes with the group {benchmarks.POSIX_GROUP} and --arch")
    build.build_sysroot(options.arch)
    rows, transcript = benchmarks.measure_linux(options.arch, options.linux, names)
    if not rows:
        print("vectra: bench: no figure came; the transcript follows\n" + transcript.decode("utf-8", "replace"), file=sys.stderr)
    else:
        print("\n".join(table(rows, {}, benchmarks.load_peers())[0]))
    return int(not rows)


def main(arguments):
    """Measures; returns 0 unless a boot failed or --check finds something."""
    options = opt.parse("bench", arguments, OPTIONS)
    if options.rest is not None:
        raise opt.UsageError("bench: takes no command after '--'")
    groups, names = options.words[:1] or benchmarks.ALL, options.words[1:]
    if groups[0] not in benchmarks.GROUPS:
        raise opt.UsageError(f"bench: there is no group '{groups[0]}'; there is: {', '.join(benchmarks.GROUPS)}")
    limits, baseline = benchmarks.load_limits(groups[0]) if options.words else benchmarks.usual_limits(), benchmarks.load_baseline()
    for name in names:
        if name not in limits:
            raise opt.UsageError(f"bench: unknown figure '{name}'{opt.near(name, list(limits))}")
    if options.linux:
        return on_linux(options, names)
    rows, status, busy = [], 0, False
    for arch in [options.arch] if options.arch else opt.ARCHES:
        build.build(arch, "release")
        for group in groups:
            print(f"vectra: measuring {group} on {arch}", file=sys.stderr)
            if group in benchmarks.BY_THE_CLOCK:
                busy |= not benchmarks.idle()
            found, outcome = MEASURE[group](arch, names)
            rows += found
            if outcome and (outcome.failed or outcome.status != 0):
                reason = outcome.reason or f"the program ended with exit status {outcome.status}"
                print(f"vectra: bench: {arch}: {reason}\n" + outcome.report(), file=sys.stderr)
                status = 1
            elif not found:
                print(f"vectra: bench: {arch}: no figure came", file=sys.stderr)
                status = 1
    lines, beyond = table(rows, limits, baseline, benchmarks.load_peers())
    print("\n".join(lines))
    if busy:
        print(f"bench: the machine was not idle: the figures of the groups {' and '.join(benchmarks.BY_THE_CLOCK)} say little, and do not count")
        beyond = [name for name in beyond if name.split()[0] not in benchmarks.load_limits(benchmarks.SCALE_GROUP)]
    if options.json:
        benchmarks.save(options.json, rows)
    if options.plot:
        with open(options.plot, "w", encoding="utf-8") as handle:
            handle.write(plot.svg([row for row in rows if row["unit"] == "instructions"], limits))
    if options.update_baseline and status == 0:
        old = benchmarks.load(benchmarks.BASELINE, {"results": []})["results"]
        lasting = [row for row in rows if row["group"] != benchmarks.THROUGHPUT_GROUP]
        benchmarks.save(benchmarks.BASELINE, benchmarks.merged(lasting, old))
    if options.check:
        here = {(row["name"], row["arch"]) for row in rows}
        arches = [options.arch] if options.arch else list(opt.ARCHES)
        missing = [f"{name} ({arch})" for name, limit in limits.items() for arch in arches
                   if arch in limit and (name, arch) not in here and (not names or name in names)]
        for name in beyond:
            print(f"bench: {name} is beyond its limit")
        for name in missing:
            print(f"bench: {name} was not measured")
        status = status or int(bool(beyond or missing))
    return status
