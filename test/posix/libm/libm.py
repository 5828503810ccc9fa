# SPDX-License-Identifier: MIT
"""Values of the mathematical functions, computed to many digits, for libm.c to compare with.

A line: function, kind (d, f or l), arguments, then the value as a sum of three doubles, all as hexadecimal floating point
numbers. Arguments are drawn from each function's interesting range by a generator with a fixed seed, and are exact in the
kind's type.
"""

import random
import struct
import sys

import mpmath

mpmath.mp.prec = 600
M = mpmath
COUNT = 60

# Ranges: "e" draws the exponent evenly (both signs unless the lower end is positive), "u" draws evenly.
UNARY = {
    "acos": (M.acos, ("u", -1, 1)), "asin": (M.asin, ("u", -1, 1)), "atan": (M.atan, ("e", -60, 60)),
    "acosh": (M.acosh, ("p", 0, 60)), "asinh": (M.asinh, ("e", -40, 60)), "atanh": (M.atanh, ("u", -1, 1)),
    "cbrt": (lambda x: M.sign(x) * M.cbrt(abs(x)), ("e", -120, 120)), "cos": (M.cos, ("e", -20, 120)),
    "sin": (M.sin, ("e", -20, 120)), "tan": (M.tan, ("e", -20, 120)), "cosh": (M.cosh, ("u", -80, 80)),
    "sinh": (M.sinh, ("u", -80, 80)), "tanh": (M.tanh, ("e", -20, 5)), "erf": (M.erf, ("u", -5, 5)),
    "erfc": (M.erfc, ("u", -5, 9)), "exp": (M.exp, ("u", -80, 80)), "exp2": (lambda x: M.mpf(2) ** x, ("u", -120, 120)),
    "exp10": (lambda x: M.mpf(10) ** x, ("u", -37, 37)), "expm1": (M.expm1, ("e", -40, 6)), "log": (M.log, ("p", -120, 120)),
    "log10": (M.log10, ("p", -120, 120)), "log2": (lambda x: M.log(x, 2), ("p", -120, 120)),
    "log1p": (M.log1p, ("p", -60, 60)), "sqrt": (M.sqrt, ("p", -120, 120)),
    "lgamma": (lambda x: M.log(abs(M.gamma(x))), ("u", 3, 100)), "tgamma": (M.gamma, ("u", 0.1, 30)),
    "j0": (M.j0, ("u", 0, 2)), "j1": (M.j1, ("u", 0, 3)), "y0": (M.bessely0 if hasattr(M, "bessely0") else
                                                                 (lambda x: M.bessely(0, x)), ("u", 0.01, 0.8)),
    "y1": (lambda x: M.bessely(1, x), ("u", 0.01, 2)),
    "ceil": (M.ceil, ("e", -4, 50)), "floor": (M.floor, ("e", -4, 50)),
    "trunc": (lambda x: M.floor(abs(x)) * M.sign(x), ("e", -4, 50)),
    "round": (lambda x: M.floor(abs(x) + M.mpf("0.5")) * M.sign(x), ("e", -4, 20)),
    "rint": (lambda x: M.nint(x), ("e", -4, 20)), "nearbyint": (lambda x: M.nint(x), ("e", -4, 20)),
    "fabs": (abs, ("e", -100, 100)), "logb": (lambda x: M.floor(M.log(abs(x), 2)), ("e", -100, 100)),
}
BINARY = {
    "atan2": (M.atan2, ("e", -40, 40)), "hypot": (M.hypot, ("e", -50, 50)), "pow": (None, None),
    "fmod": (lambda x, y: (abs(x) - M.floor(abs(x) / abs(y)) * abs(y)) * M.sign(x), ("e", -30, 60)),
    "remainder": (lambda x, y: x - M.nint(x / y) * y, ("e", -30, 60)), "fdim": (lambda x, y: max(x - y, M.mpf(0)), ("e", -3, 3)),
    "fmax": (max, ("e", -9, 9)), "fmin": (min, ("e", -9, 9)),
    "copysign": (lambda x, y: abs(x) * M.sign(y), ("e", -9, 9)),
}


def rounded(kind, x):
    """The nearest value of the kind's type; of a long double we use doubles only."""
    return struct.unpack("<f", struct.pack("<f", x))[0] if kind == "f" else float(x)


def draw(source, kind, spec):
    """An argument."""
    how, low, high = spec
    if how == "u":
        return rounded(kind, source.uniform(low, high))
    x = source.uniform(1, 2) * 2.0 ** source.randint(low, high - 1)
    return rounded(kind, x if how == "p" or source.random() < 0.5 else -x)


def parts(value):
    """Three doubles that sum up to the value, as far as they reach."""
    out = []
    for _ in range(3):
        out.append(float(value))
        value -= M.mpf(out[-1])
    return out


def emit(name, kind, arguments, value):
    """One line."""
    print(name, kind, " ".join(x.hex() for x in arguments), "=", " ".join(x.hex() for x in parts(value)))


def main():
    """The table of all functions and kinds."""
    source = random.Random(20261123)
    for kind in "dfl":
        for name, (function, spec) in UNARY.items():
            for _ in range(COUNT):
                x = draw(source, kind, spec)
                emit(name, kind, [x], function(M.mpf(x)))
        for name, (function, spec) in BINARY.items():
            for _ in range(COUNT):
                if name == "pow":
                    x, y = draw(source, kind, ("p", -8, 8)), draw(source, kind, ("u", -14, 14))
                    emit(name, kind, [x, y], M.mpf(x) ** M.mpf(y))
                else:
                    x, y = draw(source, kind, spec), draw(source, kind, spec)
                    emit(name, kind, [x, y], function(M.mpf(x), M.mpf(y)))
        for _ in range(COUNT):
            x, y, z = (draw(source, kind, ("e", -20, 20)) for _ in range(3))
            emit("fma", kind, [x, y, z], M.mpf(x) * M.mpf(y) + M.mpf(z))
    return 0


if __name__ == "__main__":
    sys.exit(main())
