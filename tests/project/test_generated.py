"""What is generated from the Structs is committed as it would be generated now."""

from pathlib import Path

import msgspec
import pytest

from server import schema as bodies
from signaling import schema
from signaling.schema import declarations
from tests.project.tree import GENERATED, REPOSITORY

FILES = {**schema.protocol(), **bodies.http()}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_generated_file_is_what_the_structs_say(path: Path) -> None:
    assert (REPOSITORY / path).read_text(encoding="utf-8") == FILES[path], "run `make generate`"


def test_every_generated_file_is_known_as_such() -> None:
    assert {str(path) for path in FILES} == GENERATED


def test_a_union_narrows_by_its_tag_and_every_field_is_required() -> None:
    class Said(msgspec.Struct, tag="said", tag_field="type"):
        text: str
        at: tuple[float, float] = (0, 0)

    class Gone(msgspec.Struct, tag="gone", tag_field="type"):
        reason: str | None

    found = declarations([], {"Happening": Said | Gone})
    assert found.text["Happening"] == "export type Happening = Said | Gone;\n"
    assert (
        found.text["Said"] == 'export interface Said {\n  type: "said";\n  text: string;\n  at: [number, number];\n}\n'
    )
    assert found.text["Gone"] == 'export interface Gone {\n  type: "gone";\n  reason: string | null;\n}\n'


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (REPOSITORY / "package-lock.json").read_text(encoding="utf-8")
