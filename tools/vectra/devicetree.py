# SPDX-License-Identifier: MIT
"""Changes numbers in a flattened device tree in place. Source: Devicetree Specification, "Flattened Devicetree Format"."""

import struct

BEGIN_NODE, END_NODE, PROPERTY, NOP, END = 1, 2, 3, 4, 9


def properties(tree):
    """Yields (path of the node, name, offset of the value, its length)."""
    at, strings = struct.unpack_from(">II", tree, 8)
    path = []
    while True:
        token, = struct.unpack_from(">I", tree, at)
        at += 4
        if token == BEGIN_NODE:
            end = tree.index(b"\0", at)
            path.append(bytes(tree[at:end]).decode())
            at = (end + 4) & ~3
        elif token == END_NODE:
            path.pop()
        elif token == PROPERTY:
            length, name = struct.unpack_from(">II", tree, at)
            name += strings
            yield "/".join(path) or "/", bytes(tree[name:tree.index(b"\0", name)]).decode(), at + 8, length
            at = (at + 8 + length + 3) & ~3
        elif token == END:
            return
        elif token != NOP:
            raise ValueError(f"token {token} at offset {at - 4}")


def set_number(tree, path, name, value):
    """Writes a number over a property of 4 or 8 bytes that is there. Raises KeyError when it is not."""
    for where, what, at, length in properties(tree):
        if (where, what) == (path, name):
            tree[at:at + length] = value.to_bytes(length, "big")
            return
    raise KeyError(f"{path} has no {name}")


def trim(tree):
    """Takes away the unused room behind the last block: loaders double the size, and a kernel takes 2 MiB at most."""
    structure, strings = struct.unpack_from(">II", tree, 8)
    strings_size, structure_size = struct.unpack_from(">II", tree, 32)
    size = max(structure + structure_size, strings + strings_size)
    del tree[size:]
    struct.pack_into(">I", tree, 4, size)
