# SPDX-License-Identifier: MIT
"""Groups `unit` and `fuzz`: programs that run on this machine."""

import os
import re
import subprocess
import time

from vectra import build, hosttests
from vectra.results import Failure

BUILD = "build/host"
TIMEOUT_S = 300
PASSED = re.compile(rb"^\[       OK \]", re.MULTILINE)
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:strict_string_checks=1:detect_stack_use_after_return=1",
               "UBSAN_OPTIONS": "print_stacktrace=1", "TSAN_OPTIONS": "halt_on_error=1"}


def build_all(programs, goal):
    """Builds every program that builds. Returns {name: make's words} for those that do not."""
    with build.locked("host"):
        ok, output = build.make([goal])
        if ok:
            return {}
        broken = {}
        for program in programs:
            # A binary of an earlier build must not stand in for one that no longer builds.
            ok, words = build.make([program.binary(BUILD)])
            if not ok:
                broken[program.name] = words
        return broken or {"": output}


def run(line, timeout=TIMEOUT_S):
    """Runs one program; returns (status or None for a time-out, output)."""
    try:
        done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout, env={**os.environ, **ENVIRONMENT}, check=False)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        return None, late.stdout or b""


def prepared(context, programs, goal):
    """Builds, and returns a function that fails for programs that did not build."""
    broken = {} if context.listing or not programs else build_all(programs, goal)

    def check(program):
        words = broken.get(program.name, broken.get(""))
        if words is not None:
            raise Failure("does not build", words)
    return check


def unit_test(program, built):
    """Runs one unit test; returns how many of its cases passed."""
    built(program)
    status, output = run([program.binary(BUILD)])
    if program.mutation:
        if status == 0:
            raise Failure(f"passes although {program.mutation} breaks what it tests", output)
        return 1
    if status is None:
        raise Failure(f"did not end within {TIMEOUT_S} s", output)
    if status != 0:
        raise Failure(f"exit status {status}", output)
    count = len(PASSED.findall(output))
    if count == 0:
        raise Failure("ran no case", output)
    return count


def unit_tests(context):
    """One test for each unit test program."""
    programs = hosttests.unit_tests()
    built = prepared(context, programs, "host-unit")
    return [(p.name, lambda p=p: unit_test(p, built)) for p in programs]


DEFAULT_SEED = 1  # the default run says the same twice; group `stress` goes new ways


def fuzz_test(program, built, seconds, seed):
    """Runs one fuzzer over its corpus, then for a while from there. `seed` 0: another way every time."""
    built(program)
    corpus = "test/fuzz/corpus/" + os.path.basename(program.main).removesuffix("_fuzz.c")
    if not os.path.isdir(corpus) or not os.listdir(corpus):
        raise Failure(f"{corpus} is missing or empty: every fuzzer has a corpus")
    found, crashes = f"{BUILD}/corpus/{program.name}", f"{BUILD}/crashes/{program.name}-"
    os.makedirs(found, exist_ok=True)
    os.makedirs(os.path.dirname(crashes), exist_ok=True)
    line = [program.binary(BUILD), f"-max_total_time={max(1, round(seconds))}", f"-seed={seed}", "-timeout=10",
            "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={crashes}"]
    dictionary = f"test/fuzz/{program.name}.dict"
    if os.path.exists(dictionary):
        line.append(f"-dict={dictionary}")
    start = time.monotonic()
    status, output = run([*line, found, corpus], seconds + TIMEOUT_S)
    if status != 0:
        raise Failure(f"exit status {status} after {time.monotonic() - start:.0f} s", output)
    executed = re.search(rb"stat::number_of_executed_units:\s*([0-9]+)", output)
    if not executed or int(executed.group(1)) == 0:
        raise Failure("executed no input", output)
    return 1


def fuzz_tests(context):
    """One test for each fuzzer."""
    programs = hosttests.fuzzers()
    built = prepared(context, programs, "host-fuzz")
    return [(p.name, lambda p=p: fuzz_test(p, built, context.fuzz_seconds, DEFAULT_SEED)) for p in programs]
