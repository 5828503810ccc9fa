# SPDX-License-Identifier: MIT
"""Rust for VectraOS: the distribution's compiler, std built from its unmodified sources, our linker and our guard."""


class RustError(Exception):
    """Rust programs cannot be built here and now; the text says why."""


class NotHere(RustError):
    """There is no compiler to be had on this machine."""
