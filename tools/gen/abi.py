#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generates everything that follows from abi/*.def and abi/protocols/*.def.

  abi.py OUTDIR    include/vectra/syscall_stubs.h, include/vectra/rpc_*.h, trace_names.h, syscalls.json,
                   syscall_grammar.h
  abi.py --docs    docs/abi/syscalls.md, docs/abi/protocols.md, docs/limits.md
  abi.py --golden  abi/abi.golden
  abi.py --rust    lib/rust/vectra/src/abi.rs and protocols.rs
  abi.py --check   exit 1, with one line, if the committed documents, listing or Rust files are not current
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import defs  # noqa: E402
import docs  # noqa: E402
import rpc  # noqa: E402
import rust  # noqa: E402
import stubs  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def generated(abi):
    files = {"include/vectra/syscall_stubs.h": stubs.stubs(abi), "trace_names.h": stubs.trace_names(abi),
             "syscalls.json": stubs.grammar(abi), "syscall_grammar.h": stubs.guest_grammar(abi)}
    return files | {f"include/vectra/rpc_{p.name}.h": rpc.header(p) for p in abi.protocols}


def documents(abi):
    return {"docs/abi/syscalls.md": docs.syscalls(abi), "docs/abi/protocols.md": docs.protocols(abi),
            "docs/limits.md": docs.limits(abi)}


def listing(abi):
    return {"abi/abi.golden": docs.golden(abi)}


def crate(abi):
    return {"lib/rust/vectra/src/abi.rs": rust.tables(abi), "lib/rust/vectra/src/protocols.rs": rust.protocols(abi)}


def write(base, files):
    """Leaves a file that is current alone, so that make rebuilds no more than it must."""
    for name, text in files.items():
        path = Path(base) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def check(abi):
    commands = {"--docs": documents(abi), "--golden": listing(abi), "--rust": crate(abi)}
    for command, files in commands.items():
        for name, text in files.items():
            path = ROOT / name
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                print(f"{name} is not current: the ABI tables changed; run tools/gen/abi.py {command} and look at the diff",
                      file=sys.stderr)
                return 1
    return 0


def main(arguments):
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    try:
        abi = defs.Abi(ROOT)
    except defs.BadTable as problem:
        print(problem, file=sys.stderr)
        return 1
    option = arguments[0]
    if option == "--check":
        return check(abi)
    if option == "--docs":
        write(ROOT, documents(abi))
    elif option == "--golden":
        write(ROOT, listing(abi))
    elif option == "--rust":
        write(ROOT, crate(abi))
    elif option.startswith("-"):
        print(f"abi.py: there is no option {option}; see --help", file=sys.stderr)
        return 2
    else:
        write(option, generated(abi))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
