# SPDX-License-Identifier: MIT
"""Group `model`: test/model/*.pml, model-checked with spin, and their broken twins, which must fail.

Comment lines of a model:   /* broken: 1 2 */      twins, selected by -DBROKEN=1 and -DBROKEN=2
                            /* pan: -m100000 */    more options for the checker
"""

import os
import re
import shutil

from vectra.groups.host import run
from vectra.results import Failure

FOLDER, BUILD = "test/model", "build/host/model"
FIELD = re.compile(r"(?://|\*|/\*)\s*(broken|pan):\s*(.*?)\s*(?:\*/)?\s*$", re.MULTILINE)
# Properties about infinite runs need the search for acceptance cycles; without them it is only slower.
LIVENESS = re.compile(r"^\s*(ltl\b|never\b)|\baccept[A-Za-z0-9_]*:", re.MULTILINE)
ERRORS = re.compile(rb"^State-vector .*errors: ([0-9]+)|^.*\berrors: ([0-9]+)", re.MULTILINE)
INCOMPLETE = (b"max search depth too small", b"Search not completed", b"out of memory", b"reached -DMEMLIM")
TIMEOUT_S = 300


def fields(text):
    """What the comments say: {field: [words]}."""
    out = {"broken": [], "pan": []}
    for match in FIELD.finditer(text):
        out[match.group(1)].extend(match.group(2).split())
    return out


def check(name, text, twin):
    """Generates, compiles and runs the checker for a model (`twin` None) or for one broken twin."""
    folder = f"{BUILD}/{name}" + (f".broken{twin}" if twin else "")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(f"{folder}/model.pml", "w", encoding="utf-8") as handle:
        handle.write(text)
    liveness = bool(LIVENESS.search(text))
    compiler = os.environ.get("CLANG", "clang-19")
    log = b""
    # spin writes pan.c where it stands, so each runs in the model's own folder.
    script = 'cd "$1" && shift && exec "$@"'
    for line in ([os.environ.get("SPIN", "spin"), f"-P{compiler} -std=gnu99 -E -x c",
                  *([f"-DBROKEN={twin}"] if twin else []), "-a", "model.pml"],
                 [compiler, "-O2", "-w", "-DMEMLIM=4096", *([] if liveness else ["-DSAFETY"]), "-o", "pan", "pan.c"],
                 ["./pan", "-m1000000", *(["-a"] if liveness else []), *fields(text)["pan"]]):
        status, output = run(["sh", "-c", script, "sh", folder, *line], TIMEOUT_S)
        log += output
        if status is None:
            raise Failure(f"{line[0]} did not end within {TIMEOUT_S} s", log)
        if status != 0 and line[0] != "./pan":
            raise Failure(f"{line[0]}: exit status {status}", log)
    verdict(output, status, twin, log)


def verdict(output, status, twin, log):
    """A model has no error and was searched to the end; a broken twin has one."""
    found = ERRORS.search(output)
    if not found:
        raise Failure(f"pan gave no verdict (exit status {status})", log)
    errors = int(found.group(1) or found.group(2))
    if twin:
        if errors == 0:
            raise Failure(f"passes although BROKEN={twin} breaks it", log)
        return
    if errors:
        raise Failure(f"{errors} errors", log)
    for text in INCOMPLETE:
        if text in output:
            raise Failure(f"the search is not complete: {text.decode()}", log)


def tests(_):
    """One test for each model and one for each broken twin."""
    out = []
    for file in sorted(os.listdir(FOLDER)) if os.path.isdir(FOLDER) else []:
        if not file.endswith(".pml"):
            continue
        with open(f"{FOLDER}/{file}", encoding="utf-8") as handle:
            text = handle.read()
        name, twins = file[:-4], fields(text)["broken"]
        out.append((name, lambda n=name, t=text: check(n, t, None)))
        out += [(f"{name}+broken{twin}", lambda n=name, t=text, w=twin: check(n, t, w)) for twin in twins]
        if not twins:
            out.append((f"{name}+broken", lambda n=name: no_twin(n)))
    return out


def no_twin(name):
    """A model without a broken twin cannot show that it would find anything."""
    raise Failure(f"{FOLDER}/{name}.pml names no broken twin (/* broken: 1 */)")
