# SPDX-License-Identifier: MIT
"""Group `build`: every architecture and mode compiles and links."""

from vectra import build
from vectra.results import Failure


def made(arch, mode):
    """Builds one, or fails with make's words."""
    try:
        build.build(arch, mode)
    except build.BuildError as problem:
        raise Failure(f"{arch} ({mode}) does not build", str(problem)) from None


def tests(context):
    """One test for each architecture and mode."""
    return [(f"{arch}-{mode}", lambda a=arch, m=mode: made(a, m))
            for arch in context.arches for mode in ("release", "debug")]
