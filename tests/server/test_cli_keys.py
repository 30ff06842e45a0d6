"""`sightline keys`: rotated while a segment is written and others are read, and ended at every step."""

import base64
import itertools
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recorder.archive import Archive
from recorder.keyring import KEY_BYTES, Keyring, parse, usage
from server import doctor
from server.cli import cli
from server.cli_keys import RotationError, rotate
from server.keys import open_archive
from server.settings import Settings, SettingsError, load

NAMES = ("one", "two")


def item(name: str, byte: int) -> str:
    return f"{name}:{base64.b64encode(bytes((byte,)) * KEY_BYTES).decode()}"


def filled(settings: Settings) -> Archive:
    archive = open_archive(settings)
    for name in NAMES:
        file = archive.create(name)
        file.append(name.encode())
        file.close()
    return archive


def readable(archive: Archive) -> list[str]:
    found = []
    for path in sorted(archive.folder.glob("*.vault")):
        with archive.open(path.stem) as segment:
            assert segment.read(0, 100) == path.stem.encode()
        found.append(path.stem)
    return found


class Interrupted(BaseException):
    """What ends a command from outside."""


def test_a_rotation_ended_at_every_step_loses_nothing_and_is_finished_by_the_next(tmp_path: Path) -> None:
    archive = filled(load({}, data=tmp_path))
    for last in itertools.count(1):
        steps = itertools.count(1)
        growing = archive.create("new")  # by a recorder that goes on meanwhile

        def reached(_: str, steps: "itertools.count[int]" = steps, last: int = last) -> None:
            if next(steps) == last:
                raise Interrupted

        try:
            first, dropped = rotate(archive, drop=True, reached=reached)
        except Interrupted:
            dropped = []
        growing.append(b"new")
        growing.close()
        assert readable(open_archive(load({}, data=tmp_path))) == ["new", *NAMES]
        if dropped:
            break
        archive.shred("new")
    assert last == 9  # the new key, two steps for each of three segments, the end
    assert list(archive.keyring.keys()) == [first]
    assert len(dropped) == last
    assert usage(archive.folder) == {first: 3}
    media = {path: path.read_bytes() for path in archive.folder.iterdir() if path.suffix in {".vault", ".tail"}}
    rotate(archive, drop=True, reached=lambda step: None)
    assert {path: path.read_bytes() for path in media} == media


def test_keys_of_a_setting_are_rotated_by_putting_another_in_front(tmp_path: Path) -> None:
    old = filled(load({"SIGHTLINE_RECORDING_KEYS": item("old", 1)}, data=tmp_path))
    assert not (tmp_path / "recording.keys").exists()
    path = tmp_path / "keys"
    path.write_text(f"{item('new', 2)}\n{item('old', 1)}\n")
    settings = load({"SIGHTLINE_RECORDING_KEYS_FILE": str(path)}, data=tmp_path)
    assert rotate(open_archive(settings), drop=False, reached=lambda step: None) == ("new", [])
    assert usage(old.folder) == {"new": 2}
    assert readable(open_archive(settings)) == list(NAMES)
    assert settings.masked()["recording_keys"] == "********"
    with pytest.raises(SettingsError, match=r"recording_keys: .*key 1 must be id:base64") as error:
        load({"SIGHTLINE_RECORDING_KEYS": "new=abcdefgh"}, data=tmp_path)
    assert "abcdefgh" not in str(error.value)


def test_a_key_that_is_missing_is_named_by_the_rotation_and_by_the_doctor(tmp_path: Path) -> None:
    settings = load({}, data=tmp_path)
    archive = filled(settings)
    foreign = Archive(archive.folder, Keyring(parse(item("lost", 9)))).create("foreign")
    foreign.close()
    with pytest.raises(RotationError, match="cannot be unwrapped: foreign"):
        rotate(archive, drop=True, reached=lambda step: None)
    assert len(archive.keyring.keys()) == 2  # nothing is forgotten by a rotation that did not succeed
    (finding,) = [f for f in doctor.examine(settings, running=True) if f.subject == "recording keys"]
    assert (finding.well, "lost" in finding.text) == (False, True)
    archive.shred("foreign")
    (tmp_path / "recording.keys").chmod(0o644)
    (finding,) = [f for f in doctor.examine(settings, running=True) if f.subject == "recording keys"]
    assert (finding.well, "chmod 600" in finding.text) == (False, True)


def test_the_command_rotates_and_lists(tmp_path: Path) -> None:
    archive, command = filled(load({}, data=tmp_path)), CliRunner()
    data = ["--data", str(tmp_path)]
    (old,) = archive.keyring.keys()
    rotated = command.invoke(cli, ["keys", "rotate", "--drop-old", *data])
    assert rotated.exit_code == 0, rotated.output
    (new,) = archive.keyring.keys()
    assert new in rotated.output
    assert old in rotated.output
    listed = command.invoke(cli, ["keys", "list", *data]).output
    assert new in listed
    assert " 2 " in listed
    assert old not in listed
    secret = (tmp_path / "recording.keys").read_text().split(":")[1].strip()
    assert secret not in rotated.output + listed
    given = {"SIGHTLINE_RECORDING_KEYS": item("x", 1)}
    refused = command.invoke(cli, ["keys", "rotate", "--drop-old", *data], env=given)
    assert refused.exit_code == 1
    assert "setting" in refused.output
    assert "MISSING" in command.invoke(cli, ["keys", "list", *data], env=given).output
