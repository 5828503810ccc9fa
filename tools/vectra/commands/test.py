# SPDX-License-Identifier: MIT
"""./vectra test: everything that can be tested, or some groups of it."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from vectra import options as opt
from vectra.groups import GROUPS, Context
from vectra.results import LeftOut, Report, Result

SUMMARY = "run every test, or the named groups"
OPTIONS = [
    opt.Option("--arch", "A", opt.arch, "only this architecture (default both)"),
    opt.Option("--junit", "FILE", opt.output_file, "also write the results as a JUnit file"),
    opt.Option("--list", None, None, "name the tests and run none"),
    opt.Option("--jobs", "N", opt.number(1, 64), "how many tests at once (default 2)", default=2),
    opt.Option("--without", "GROUP", str, "not this group; may be repeated (rust: the first run builds std for it)", many=True),
    opt.Option("--only", "TEXT", str, "only tests whose name contains TEXT; may be repeated", many=True),
    opt.Option("--fuzz-seconds", "S", opt.seconds, "how long each fuzzer runs (default 5)", default=5.0),
]
HELP = (f"usage: ./vectra test [OPTION]... [GROUP]...\n\n" +
        "Runs the tests; the last line is `N passed, N failed`, the exit status 1 when one failed.\n\n" +
        "\n".join(f"  {g.name:<24} {g.text}{'' if g.default else ' (only when named)'}" for g in GROUPS.values()) +
        f"\n\n{opt.usage(OPTIONS)}")


def run_one(group, test):
    """Runs one test; every way in which it can end is a result."""
    name, function = test
    start = time.monotonic()
    try:
        found = function()
    except Exception as problem:   # a test's own failure and a defect of the harness are both failures
        text = str(problem) or type(problem).__name__
        text = text if getattr(problem, "is_verdict", False) else f"{type(problem).__name__}: {text}"
        return [Result(group.name, name, time.monotonic() - start, text, getattr(problem, "log", ""))]
    return [Result(group.name, name, time.monotonic() - start, count=found or 1)]


def run_group(group, context, report):
    """Runs the tests of one group, a few at once; a group in which nothing ran has failed."""
    report.say(f"{group.name}: {group.text}")
    start = time.monotonic()
    try:
        tests = group.tests(context)
    except LeftOut as problem:
        report.say(f"{group.name}: left out: {problem}")
        return
    except Exception as problem:   # pylint: disable=broad-except
        report.add(Result(group.name, "prepare", time.monotonic() - start, str(problem) or type(problem).__name__,
                          getattr(problem, "log", "")))
        return
    selected = [t for t in tests if not context.only or any(text in t[0] for text in context.only)]
    if not selected:
        if not context.only:
            report.add(Result(group.name, "tests", 0, "there is no test in this group"))
        return
    with ThreadPoolExecutor(max_workers=context.jobs if group.parallel else 1) as pool:
        for results in pool.map(lambda test: show(report, run_one(group, test)), selected):
            del results


def show(report, results):
    """Reports the results of one test as soon as they are there."""
    for result in results:
        report.add(result)


def main(arguments):
    """Runs the groups; returns 0 when all passed."""
    options = opt.parse("test", arguments, OPTIONS)
    if options.rest is not None:
        raise opt.UsageError("test: takes no command after '--'")
    for word in [*options.words, *options.without]:
        if word not in GROUPS:
            raise opt.UsageError(f"test: unknown group '{word}'{opt.near(word, list(GROUPS))}")
    groups = [g for g in GROUPS.values() if g.name in options.words or (not options.words and g.default)]
    groups = [g for g in groups if g.name not in options.without]
    context = Context(arches=[options.arch] if options.arch else list(opt.ARCHES), jobs=options.jobs,
                      only=options.only, fuzz_seconds=options.fuzz_seconds, listing=bool(options.list), named=options.words)
    if options.list:
        for group in groups:
            for name, _ in group.tests(context):
                print(f"{group.name}/{name}")
        return 0
    report = Report(sys.stdout)
    try:
        for group in groups:
            run_group(group, context, report)
    except KeyboardInterrupt:
        report.add(Result("run", "interrupted", 0, "the run was interrupted"))
    status = report.finish()
    if options.junit:
        report.write_junit(options.junit)
    return status
