# SPDX-License-Identifier: MIT
"""What documents say about the tree, held against the tree: links, anchors, paths, names, and quoted test titles."""

import os
import re

ROOMS = "abi|base|kernel|lib|srv|drv|fs|bin|etc|test|tools|mk|docs"
FENCE = re.compile(r"```.*?```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"(?:{ROOMS})/[A-Za-z0-9_./-]+")
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
UNFINISHED = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X|T[B]D)\b")
# Names that only show how names are made.
SAMPLES = {"noun_verb", "n_pages"}
# In these, a table's quotation with a blank in it is the title of a test.
PROMISES = ("docs/testing.md", "docs/capabilities.md")
COMMANDS = ("./", "-", "#", "//")


def tree(skipped=("build", ".git")):
    """Every file below the current directory, but for what git and the build keep."""
    for root, folders, names in os.walk("."):
        folders[:] = sorted(name for name in folders if name not in skipped)
        for name in sorted(names):
            yield os.path.relpath(os.path.join(root, name), ".").replace(os.sep, "/")


def read(path):
    """A file's text; nothing for one that is no text."""
    with open(path, "rb") as handle:
        data = handle.read()
    return "" if b"\0" in data else data.decode("utf-8", "replace")


def anchors(text):
    """The anchors that the headings of a document make."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(FENCE.sub("", text))}


def link_problem(path, target, documents):
    """What is wrong with a link of the document at `path`, or None."""
    if target.startswith(("http:", "https:")):
        return f"a link that leaves the tree: {target}"
    name, _, anchor = target.partition("#")
    there = os.path.normpath(os.path.join(os.path.dirname(path), name)).replace(os.sep, "/") if name else path
    if not os.path.exists(there):
        return f"a link to nothing: {target}"
    if anchor and anchor not in anchors(documents.get(there, "")):
        return f"no such heading: {target}"
    return None


def quote_problem(path, quoted, in_table, code):
    """What is wrong with something in backquotes, or None. `code` is the text of all that is no document."""
    if PATH.fullmatch(quoted):
        return None if "NAME" in quoted or os.path.exists(quoted) else f"no such path: {quoted}"
    if NAME.fullmatch(quoted):
        known = quoted in SAMPLES or quoted in code or quoted.lower() in code
        return None if known else f"a name that is not in the tree: {quoted}"
    if path in PROMISES and in_table and " " in quoted and not quoted.startswith(COMMANDS):
        return None if quoted in code else f"no test is called: {quoted}"
    return None


def problems(path, documents, code):
    """Yields what is wrong with one document, with the line."""
    text = FENCE.sub(lambda match: "\n" * match.group(0).count("\n"), documents[path])
    for number, line in enumerate(text.split("\n"), start=1):
        found = [link_problem(path, target, documents) for target in LINK.findall(line)]
        found += [quote_problem(path, quoted, line.startswith("|"), code) for quoted in QUOTED.findall(line)]
        yield from (f"{path}:{number}: {problem}" for problem in found if problem)
    for number, line in enumerate(documents[path].split("\n"), start=1):
        if line != line.rstrip():
            yield f"{path}:{number}: blanks at the end of the line"
        if UNFINISHED.search(line):
            yield f"{path}:{number}: unfinished: {line.strip()}"


def check():
    """(number of documents, messages) of the tree in the current directory."""
    files = list(tree())
    documents = {path: read(path) for path in files if path.endswith(".md")}
    # Strings of C that are written in pieces are one.
    code = re.sub(r'"\s*"', "", "\n".join([*files, *(read(path) for path in files if not path.endswith(".md"))]))
    return len(documents), [message for path in documents for message in problems(path, documents, code)]
