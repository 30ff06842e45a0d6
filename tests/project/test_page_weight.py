"""The customer's page is light: whoever needs help may have the worst connection of all."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

from tests.project.tree import REPOSITORY

BUDGET_BYTES = 60_000
BASE = "/static/customer/"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("customer")
    finished = subprocess.run(
        ["npm", "run", "--silent", "build:customer", "--", "--outDir", str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return folder


def loaded(folder: Path, page: str) -> set[Path]:
    """The page and every file of ours that it can come to load, at once or later."""
    found: set[Path] = set()
    waiting = {folder / page}
    while waiting:
        path = waiting.pop()
        found.add(path)
        text = path.read_text(encoding="utf-8", errors="ignore")
        named = re.findall(rf"{BASE}([\w./-]+)", text)
        relative = re.findall(r"""["'`(](\.{1,2}/[\w./-]+)["'`)]""", text)
        bundled = re.findall(r"""["'`](assets/[\w./-]+)["'`]""", text)
        targets = [folder / name for name in (*named, *bundled)] + [(path.parent / name) for name in relative]
        waiting |= {target.resolve() for target in targets if target.is_file()} - found
    return found


@pytest.mark.parametrize("page", ["join.html", "get-help.html"])
def test_a_customers_page_stays_within_its_budget(built: Path, page: str) -> None:
    weights = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in loaded(built, page)}
    assert {name for name in weights if name.endswith(".js")}, "the page has no script: nothing was measured"
    assert sum(weights.values()) <= BUDGET_BYTES, weights
