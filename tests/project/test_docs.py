"""The documents say what is so: links resolve, every setting is explained, the diagrams are the tables."""

import re
from pathlib import Path

import pytest

from server.settings import PREFIX, Settings
from signaling import diagram, messages
from tests.project.tree import REPOSITORY, files

DOCUMENTS = files(".md")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"")


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_resolves(document: Path) -> None:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    for match in LINK.finditer(text):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = REPOSITORY / document.parent / name if name else REPOSITORY / document
        assert path.exists(), f"{document} links to {target}"
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{document} links to {target}"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained(name: str) -> None:
    text = (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8")
    assert f"| `{PREFIX}{name.upper()}` |" in text


def test_no_setting_is_explained_that_does_not_exist() -> None:
    text = (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8")
    explained = set(re.findall(rf"^\| `{PREFIX}(\w+)` \|", text, flags=re.MULTILINE))
    assert explained - {"CONFIG"} == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(
    "name",
    sorted(kind.__struct_config__.tag for kind in (*messages.ClientMessage.__args__, *messages.ServerMessage.__args__)),
)
def test_every_message_is_in_the_protocol_document(name: str) -> None:
    assert f"`{name}`" in (REPOSITORY / "docs/protocol.md").read_text(encoding="utf-8")


def test_the_diagrams_show_the_tables() -> None:
    text = (REPOSITORY / diagram.DOCUMENT).read_text(encoding="utf-8")
    assert diagram.drawn(text) == text, "run `python -m signaling.diagram`"


def test_a_diagram_has_every_transition() -> None:
    drawn = diagram.diagram({"off": {"asked": "on", "kept": "off"}, "on": {"ended": "over"}, "over": {}})
    assert drawn.splitlines()[1:-1] == [
        "stateDiagram-v2",
        "    [*] --> off",
        "    off --> on: asked",
        "    off --> off: kept",
        "    on --> over: ended",
        "    over --> [*]",
    ]
