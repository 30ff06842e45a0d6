"""The server's signature: one key that stays, and the public keys of those before it."""

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.settings import SettingsError, load
from server.signing import KEY_FILE, open_signer
from signaling.checkpoints import genuine


def test_a_key_is_made_once_and_is_for_the_server_alone(tmp_path: Path) -> None:
    first = open_signer(load({}, data=tmp_path))
    assert open_signer(load({}, data=tmp_path)).key_id == first.key_id
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0


def test_what_a_former_key_signed_can_still_be_checked(tmp_path: Path) -> None:
    held = open_signer(load({}, data=tmp_path)).signed(b'{"purpose":"test"}')
    key = SecretStr(base64.b64encode(bytes(range(32))).decode())
    present = open_signer(load({}, data=tmp_path, signing_key=key))
    assert present.key_id != held.key_id
    assert genuine(held, present.public_keys)
    assert genuine(present.signed(b"{}"), open_signer(load({}, data=tmp_path)).public_keys)


@pytest.mark.parametrize("key", ["short", "AAAA", "!" * 44])
def test_a_setting_that_is_no_key_is_refused_at_the_start(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match="signing_key"):
        load({"SIGHTLINE_SIGNING_KEY": key}, data=tmp_path)
