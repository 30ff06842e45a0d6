"""Secrets of the server that are made once and kept in the data folder, and tokens."""

import hashlib
import secrets
from pathlib import Path

from recorder.archive import Archive
from recorder.durability import replace
from recorder.keyring import Keyring, parse
from server.settings import Settings

KEY_BYTES = 32


def server_key(settings: Settings) -> bytes:
    """The key of every keyed hash: the setting `secret`, or 32 random bytes kept in `<data>/secret.key`."""
    if settings.secret is not None:
        return hashlib.sha256(settings.secret.get_secret_value().encode()).digest()
    return kept(settings.data / "secret.key")


def kept(path: Path) -> bytes:
    """The 32 bytes of a key file, made when there is none; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and len(key := path.read_bytes()) == KEY_BYTES:
        return key
    key = secrets.token_bytes(KEY_BYTES)  # none yet, or one that a full disk cut off before it was ever used
    replace(path, key, 0o600, made=secrets.token_hex(4))
    return key


def recording_keys(settings: Settings) -> Keyring:
    """The keys of recordings: `recording_keys`, or those kept in `<data>/recording.keys`; raises OSError."""
    if settings.recording_keys is not None:
        return Keyring(parse(settings.recording_keys.get_secret_value()))
    keyring = Keyring(settings.data / "recording.keys")
    keyring.prepare()
    return keyring


def open_archive(settings: Settings) -> Archive:
    """The recordings of the data folder, which is made when there is none; raises OSError."""
    folder = settings.data / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    return Archive(folder, recording_keys(settings))


def new_token() -> str:
    """An opaque token of 256 bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token; it is random enough to need no key."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
