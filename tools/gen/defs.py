# SPDX-License-Identifier: MIT
"""Reads the tables of abi/: rows of MACRO(field, (list, of, items), "text") between comments."""
import re
from pathlib import Path


class BadTable(Exception):
    pass


class Row:
    def __init__(self, macro, fields, line):
        self.macro, self.fields, self.line = macro, fields, line


def strip_comments(text):
    """Comments become blanks of the same number of lines, so that line numbers stay true."""
    def blank(match):
        return match.group(0) if match.group(0).startswith('"') else re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r'"(?:\\.|[^"\\])*"|/\*.*?\*/', blank, text, flags=re.S)
    return re.sub(r"^[ \t]*#.*$", "", text, flags=re.M)


def split_fields(text):
    """Splits at the commas outside parentheses and strings."""
    fields, depth, start, in_string = [], 0, 0, False
    for i, c in enumerate(text):
        if c == '"' and text[i - 1] != "\\":
            in_string = not in_string
        elif in_string:
            continue
        elif c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
        elif c == "," and depth == 0:
            fields.append(text[start:i].strip())
            start = i + 1
    fields.append(text[start:].strip())
    return fields if fields != [""] else []


def value_of(field):
    if field.startswith('"'):
        return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', field))
    if field.startswith("("):
        return [" ".join(item.split()) for item in split_fields(field[1:-1])]
    if re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)", field):
        return int(field, 0)
    return field


def rows(path):
    text = strip_comments(Path(path).read_text(encoding="utf-8"))
    at = 0
    while True:
        match = re.compile(r"\b([A-Z]+)\(").search(text, at)
        if not match:
            return
        line = text.count("\n", 0, match.start()) + 1
        depth, i, in_string = 1, match.end(), False
        while depth:
            if i >= len(text):
                raise BadTable(f"{path}:{line}: {match.group(1)}( is never closed")
            c = text[i]
            if c == '"' and text[i - 1] != "\\":
                in_string = not in_string
            elif not in_string:
                depth += {"(": 1, ")": -1}.get(c, 0)
            i += 1
        yield Row(match.group(1), [value_of(f) for f in split_fields(text[match.end():i - 1])], line)
        at = i


class Argument:
    """`kind name` of a system call: kind is cap, ptr, addr, u64, u32 or deadline."""

    def __init__(self, item, where):
        try:
            spelled, self.name = item.split()
        except ValueError:
            raise BadTable(f"{where}: '{item}' is not `kind name`") from None
        self.optional = spelled.endswith("?")
        parts = spelled.rstrip("?").split(".")
        self.kind = parts[0]
        self.types, self.rights, self.direction, self.size = [], [], None, None
        if self.kind == "cap":
            self.types = parts[1].split("|")
            self.rights = [] if parts[2] == "0" else parts[2].split("+")
        elif self.kind == "ptr":
            self.direction, self.size = parts[1], parts[2]
        elif self.kind not in ("addr", "u64", "u32", "deadline"):
            raise BadTable(f"{where}: unknown kind '{self.kind}'")

    @property
    def spelled(self):
        if self.kind == "cap":
            return f"cap.{'|'.join(self.types)}.{'+'.join(self.rights) or '0'}{'?' if self.optional else ''}"
        return f"ptr.{self.direction}.{self.size}{'?' if self.optional else ''}" if self.kind == "ptr" else self.kind


class Result:
    def __init__(self, item):
        parts = item.split()
        self.name = parts[-1]
        self.type = parts[0].split(".")[1] if len(parts) == 2 else None


class Syscall:
    def __init__(self, row, path):
        where = f"{path}:{row.line}"
        if len(row.fields) != 7:
            raise BadTable(f"{where}: a SYSCALL has 7 fields, this one {len(row.fields)}")
        self.number, self.name, count, arguments, results, errors, self.text = row.fields
        self.arguments = [Argument(a, where) for a in arguments]
        self.results = [Result(r) for r in results]
        self.errors = errors[0].split() if errors else []
        if len(self.arguments) != count or count > 5:
            raise BadTable(f"{where}: {self.name} says {count} arguments and lists {len(self.arguments)}")

    def all_errors(self):
        """Those of the table and those that the argument kinds imply."""
        implied = []
        for a in self.arguments:
            if a.kind == "cap":
                ring = any(t.startswith("RING") for t in a.types)
                implied += ["BAD_HANDLE"] + ([] if a.types == ["ANY"] else ["WRONG_TYPE"])
                implied += ["NO_RIGHTS"] if a.rights else []
                implied += ["PEER_CLOSED" if ring else "DESTROYED"] if a.rights or a.types != ["ANY"] else []
            elif a.kind == "ptr":
                implied.append("BAD_ADDRESS")
            elif a.kind == "deadline":
                implied += ["TIMED_OUT", "INTERRUPTED"]
        return list(dict.fromkeys(implied + self.errors))


class Field:
    """One argument or result of a protocol's call: u32, u64, i32, bytes.N or cap.TYPE."""
    SIZES = {"u32": 4, "i32": 4, "u64": 8}
    BYTES_MAX = 55  # abi/rpc.h holds it to the limit

    def __init__(self, item, where):
        spelled, self.name = item.split()
        parts = spelled.split(".")
        self.kind, self.param = parts[0], parts[1] if len(parts) > 1 else None
        if self.kind not in ("u32", "i32", "u64", "bytes", "cap"):
            raise BadTable(f"{where}: unknown kind '{spelled}'")
        if self.kind == "bytes" and not (self.param or "").isdigit():
            raise BadTable(f"{where}: {self.name}: bytes.N says how many at most")
        if self.kind == "bytes" and not 1 <= int(self.param) <= self.BYTES_MAX:
            raise BadTable(f"{where}: {self.name}: a message holds 1 to {self.BYTES_MAX} bytes (RPC_BYTES_MAX)")
        self.spelled = spelled


class Operation:
    def __init__(self, row, path):
        where = f"{path}:{row.line}"
        self.is_note = row.macro == "NOTE"
        if self.is_note:
            self.number, self.name, arguments, self.text = row.fields
            results, errors = [], []
        else:
            self.number, self.name, arguments, results, errors, self.text = row.fields
        self.arguments = [Field(a, where) for a in arguments]
        self.results = [Field(r, where) for r in results]
        self.errors = errors[0].split() if errors else []
        for side in (self.arguments, self.results):
            if sum(f.kind == "cap" for f in side) > 1:
                raise BadTable(f"{where}: a message carries at most one capability")


class Protocol:
    def __init__(self, path):
        self.operations, self.constants = [], []
        for row in rows(path):
            if row.macro == "PROTOCOL":
                self.name, self.version, self.text = row.fields
            elif row.macro == "CONST":
                self.constants.append(row.fields)
            elif row.macro in ("CALL", "NOTE"):
                self.operations.append(Operation(row, path))
            else:
                raise BadTable(f"{path}:{row.line}: unknown row {row.macro}")
        numbers = [o.number for o in self.operations]
        if len(set(numbers)) != len(numbers):
            raise BadTable(f"{path}: an operation number is given twice")


class Abi:
    def __init__(self, root):
        abi = Path(root) / "abi"
        self.syscalls = sorted((Syscall(r, "abi/syscalls.def") for r in rows(abi / "syscalls.def")), key=lambda c: c.number)
        if len({c.number for c in self.syscalls}) != len(self.syscalls):
            raise BadTable("abi/syscalls.def: a number is given twice")
        self.errors = [r.fields for name in ("errors.def", "service_errors.def") for r in rows(abi / name)]
        self.limits = [r.fields for name in ("limits.def", "service_limits.def") for r in rows(abi / name)]
        caps = list(rows(abi / "cap.def"))
        self.types = [r.fields for r in caps if r.macro == "TYPE"]
        self.rights = [r.fields for r in caps if r.macro == "RIGHT"]
        self.protocols = [Protocol(p) for p in sorted((abi / "protocols").glob("*.def"))]
        known = {e[0].removeprefix("ERR_") for e in self.errors}
        for c in self.syscalls:
            for e in c.errors:
                if e not in known:
                    raise BadTable(f"abi/syscalls.def: {c.name}: there is no error {e}")
