"""What packagers and operators are given is accepted by the programs that read it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project.tree import REPOSITORY


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = (REPOSITORY / "deploy/sightline.service").read_text(encoding="utf-8")
    copy = tmp_path / "sightline.service"
    copy.write_text(unit.replace("/opt/sightline/bin/sightline", "/bin/true"), encoding="utf-8")
    finished = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert not [line for line in finished.stderr.splitlines() if copy.name in line]


def test_the_container_does_not_run_as_root_and_tells_its_health() -> None:
    stages = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")
    assert re.search(r"^USER (?!root|0\b)\w+", stages[-1], flags=re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", stages[-1], flags=re.MULTILINE)


def test_the_image_copies_every_folder_that_the_pages_are_built_from() -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    for folder in sorted(path.parent.name for path in REPOSITORY.glob("*/browser")):
        assert f"COPY {folder}/browser {folder}/browser" in dockerfile
