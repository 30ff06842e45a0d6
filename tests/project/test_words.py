"""Our nouns and no others: the words of docs/glossary.md, in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.tree import GENERATED, PACKAGES, REPOSITORY, files

BANNED = frozenset({"host", "room", "call"})
VAGUE = frozenset({"util", "utils", "common", "helper", "helpers", "manager", "managers", "core", "misc"})
NETWORK_HOSTS = frozenset({"server/settings.py", "server/cli.py", "server/web.py"})
"""Where `host` is what RFC 3986 calls it: the address that a server listens on."""
MAX_LINES = 400
ALONE = Path("recorder/verification.py")
"""It goes with every export and is read by those who trust nothing else of ours: one file, however long."""
SOURCES = [p for p in files(".py", ".ts", ".tsx", ".css") if str(p) not in GENERATED]
OWN = [p for p in SOURCES if p.parts[0] in PACKAGES]


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def python_names(text: str) -> Iterator[str]:
    """The names that a module gives: classes, functions, parameters, fields and constants."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if not name.startswith("__"):
                    yield name
            case ast.arg(arg=name) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def page_names(text: str) -> Iterator[str]:
    """The names that a TypeScript module gives."""
    yield from re.findall(r"\b(?:class|interface|type|enum|function|const|let)\s+(\w+)", text)


@pytest.mark.parametrize("path", OWN, ids=str)
def test_no_name_is_a_banned_word(path: Path) -> None:
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    names = python_names(text) if path.suffix == ".py" else page_names(text) if path.suffix != ".css" else []
    banned = BANNED - {"host"} if str(path) in NETWORK_HOSTS else BANNED
    assert not {name for name in (*names, path.stem) if words(name) & banned}


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_file_is_named_by_a_noun_of_the_field(path: Path) -> None:
    assert not {part for part in path.with_suffix("").parts if words(part) & VAGUE}


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_file_holds_one_noun(path: Path) -> None:
    lines = (REPOSITORY / path).read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_LINES or path == ALONE


def test_a_banned_word_is_found_in_both_languages() -> None:
    assert [n for n in python_names("class CallState:\n    room_id: int\n") if words(n) & BANNED] == [
        "CallState",
        "room_id",
    ]
    assert [n for n in page_names("const hostName = 1; callback();") if words(n) & BANNED] == ["hostName"]
    assert not words("callback") & BANNED
