"""The wheel holds what runs and nothing else, and is built the way a packager builds it: sdist first, wheel from it."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.project.tree import PACKAGES, REPOSITORY, files

PAGES = {
    "agent_client/static/console.html",
    "customer_client/static/get-help.html",
    "customer_client/static/help-centre.css",
    "customer_client/static/help-chapters.js",
    "customer_client/static/join.html",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    missing = sorted(page for page in PAGES if not (REPOSITORY / page).exists())
    assert not missing, f"run `make setup` first: {missing} are not built"
    folder = tmp_path_factory.mktemp("dist")
    finished = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> set[str]:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        return set(archive.namelist())


def sources() -> set[str]:
    return {str(p) for p in files() if p.parts[0] in PACKAGES and "browser" not in p.parts}


def test_the_wheel_holds_every_source_file_of_the_packages(wheel: set[str]) -> None:
    assert not sources() - wheel


def test_the_wheel_holds_the_built_pages(wheel: set[str]) -> None:
    assert wheel >= PAGES
    for page in sorted(p for p in PAGES if p.endswith(".html")):
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        for name in re.findall(r'(?:src|href)="/static/(?:agent|customer)/([^"]+)"', text):
            assert f"{page.split('/')[0]}/static/{name}" in wheel, f"{page} needs {name}"


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    asset = re.compile(r"(?:agent|customer)_client/static/assets/[\w.-]+-[\w-]{8}\.(?:js|css|svg|png|webp)")
    metadata = re.compile(r"sightline-[\w.]+\.dist-info/(?:METADATA|RECORD|WHEEL|entry_points\.txt|licenses/LICENSE)")
    others = {name for name in wheel - sources() - PAGES if not asset.fullmatch(name) and not metadata.fullmatch(name)}
    assert not others


def test_the_wheel_holds_no_source_of_a_page_and_no_test(wheel: set[str]) -> None:
    assert not [name for name in wheel if "/browser/" in name or name.startswith("tests/") or name.endswith(".ts")]


def test_the_sdist_holds_what_is_needed_to_build_and_test(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {"pyproject.toml", "Makefile", "package.json", "package-lock.json", "LICENSE", "README.md"} | PAGES
    assert "signaling/browser/messages.ts" in names
    assert not [name for name in names if name.startswith((".venv/", "node_modules/", "data/"))]
