"""Who may import whom, in both languages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.tree import REPOSITORY, files

IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*|@import\s+(?:url\()?)["']([^"']+)["']""")
MAY_IMPORT = {
    "annotate": {"annotate"},
    "signaling": {"signaling", "annotate"},
    "customer_client": {"customer_client", "signaling", "annotate"},
    "agent_client": {"agent_client", "signaling", "annotate"},
}
PAGE_SOURCES = [p for p in files(".ts", ".tsx", ".css") if p.parts[0] in MAY_IMPORT and "browser" in p.parts]


def forbidden_imports(path: Path, text: str) -> list[str]:
    """Relative imports of `path` that leave the layers below it, or the browser's folders."""
    found = []
    for target in IMPORT.findall(text):
        if not target.startswith("."):
            continue
        reached = (REPOSITORY / path.parent / target).resolve().relative_to(REPOSITORY)
        if reached.parts[0] not in MAY_IMPORT[path.parts[0]] or "browser" not in reached.parts:
            found.append(target)
    return found


def test_python_keeps_to_the_layers() -> None:
    finished = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("path", PAGE_SOURCES, ids=str)
def test_a_page_source_keeps_to_the_layers(path: Path) -> None:
    assert not forbidden_imports(path, (REPOSITORY / path).read_text(encoding="utf-8"))


def test_an_import_against_the_layers_is_found() -> None:
    upwards = 'import { join } from "../../customer_client/browser/join";'
    assert forbidden_imports(Path("signaling/browser/connection.ts"), upwards)
    across = 'import "../../agent_client/browser/app/shell.css";'
    assert forbidden_imports(Path("customer_client/browser/join.ts"), across)
    assert not forbidden_imports(Path("signaling/browser/x.ts"), 'from "../../annotate/browser/shapes"')
