"""What the tests need from the system is installed where it may be, and otherwise named."""

import subprocess
from pathlib import Path

import pytest

from tests.project.tree import REPOSITORY

INSTALLED = '[ "$3" = xvfb ] || printf installed'
"""A dpkg-query that knows every package but one."""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of commands that stand for a Debian on which xvfb is missing and nobody may become root."""
    commands = {
        "dpkg-query": INSTALLED,
        "apt-get": f'echo "$@" >> {tmp_path}/installed',
        "id": "echo 1000",
        "sudo": "exit 1",
    }
    for name, script in commands.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
    return tmp_path


def run(machine: Path) -> str:
    finished = subprocess.run(
        [str(REPOSITORY / "scripts/install-system-packages")],
        env={"PATH": f"{machine}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout


def test_a_user_who_may_not_install_is_told_what_is_missing(machine: Path) -> None:
    said = run(machine)
    assert "Missing system packages: xvfb\n" in said
    assert not (machine / "installed").exists()


def test_root_installs_only_what_is_missing(machine: Path) -> None:
    (machine / "id").write_text("#!/bin/sh\necho 0\n", encoding="utf-8")
    run(machine)
    installed = (machine / "installed").read_text(encoding="utf-8").splitlines()[-1].split()
    assert installed[0] == "install"
    assert [word for word in installed[1:] if not word.startswith("-")] == ["xvfb"]


def test_nothing_is_installed_where_nothing_is_missing(machine: Path) -> None:
    (machine / "dpkg-query").write_text("#!/bin/sh\nprintf installed\n", encoding="utf-8")
    assert run(machine) == ""
    assert not (machine / "installed").exists()


def test_an_install_that_fails_names_the_packages_and_lets_the_tests_go_on(machine: Path) -> None:
    (machine / "id").write_text("#!/bin/sh\necho 0\n", encoding="utf-8")
    (machine / "apt-get").write_text("#!/bin/sh\nexit 100\n", encoding="utf-8")
    assert "Could not install: xvfb." in run(machine)
