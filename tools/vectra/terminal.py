# SPDX-License-Identifier: MIT
"""What a terminal would show: text without the sequences that move the cursor or ask the terminal something."""

import re

# ECMA-48 "Elements of control functions": ESC [ parameters intermediates final; ESC ] string up to BEL or ESC \\;
# ESC intermediates final. A sequence that is not complete yet stands at the end of what has come.
SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])")
UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[ -/]*)\Z")


def visible(data):
    """`data` without escape sequences. More data only ever adds to the end of the answer."""
    return SEQUENCE.sub(b"", UNFINISHED.sub(b"", bytes(data)))
