"""The session machine's tables as Mermaid diagrams: `python -m signaling.diagram` writes them into the docs.

`--check` compares instead; a test does the same, so the picture cannot say another thing than the tables.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signaling.state import PHASES, RECORDING

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENT = Path("docs/architecture.md")
MARKED = "<!-- generated: {name}, by python -m signaling.diagram -->\n{content}<!-- end of generated: {name} -->"


def diagram(table: Mapping[Any, Mapping[str, str]]) -> str:
    """A Mermaid state diagram of state → what happens → next state; the first state is the initial one."""
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(table))}"]
    for state, row in table.items():
        targets: dict[str, list[str]] = {}
        for happening, target in row.items():
            targets.setdefault(target, []).append(happening.replace("_", " "))
        lines += [f"    {state} --> {target}: {', '.join(names)}" for target, names in targets.items()]
        if not row:
            lines.append(f"    {state} --> [*]")
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def drawn(document: str) -> str:
    """The document with both diagrams as the tables have them now; raises ValueError when a marker is missing."""
    for name, content in {"phases": diagram(PHASES), "recording": diagram(RECORDING)}.items():
        start, end = MARKED.format(name=name, content="\0").split("\0")
        before, found, rest = document.partition(start)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"{DOCUMENT} has no place for the diagram of {name}: put its two markers back.")
        document = before + start + content + end + after
    return document


def main() -> int:
    """`python -m signaling.diagram [--check]`."""
    parser = argparse.ArgumentParser(prog="python -m signaling.diagram", description="The session machine's diagrams.")
    parser.add_argument("--check", action="store_true", help="compare with the document, write nothing")
    arguments = parser.parse_args()
    path = REPOSITORY / DOCUMENT
    written = path.read_text(encoding="utf-8")
    text = drawn(written)
    if text == written:
        return 0
    if arguments.check:
        print(f"{DOCUMENT} shows another machine: run `python -m signaling.diagram`.", file=sys.stderr)
        return 1
    path.write_text(text, encoding="utf-8")
    print(f"wrote {DOCUMENT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
