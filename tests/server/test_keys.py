"""Secrets of the server: made once, whole, and for nobody else to read."""

import os
from pathlib import Path

from server.keys import KEY_BYTES, server_key, token_hash
from server.settings import Settings, load


def settings_in(folder: Path, **flags: object) -> Settings:
    return load({}, data=folder, **flags)


def test_the_key_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    key = server_key(settings)
    assert len(key) == KEY_BYTES
    assert server_key(settings) == key
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["secret.key"]  # noqa: PTH208


def test_a_key_that_a_full_disk_cut_off_is_never_used(tmp_path: Path) -> None:
    for cut in (b"", b"half a key"):
        (tmp_path / "secret.key").write_bytes(cut)
        key = server_key(settings_in(tmp_path))
        assert len(key) == KEY_BYTES
        assert (tmp_path / "secret.key").read_bytes() == key


def test_the_setting_wins_and_leaves_no_file(tmp_path: Path) -> None:
    one, other = (server_key(settings_in(tmp_path, secret=secret)) for secret in ("one", "other"))
    assert one != other
    assert not list(tmp_path.iterdir())


def test_a_token_of_any_bytes_has_a_hash() -> None:
    assert len(token_hash("\udcff")) == 32
