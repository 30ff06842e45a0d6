"""Secrets of the server that are made once and kept in the data folder, and hashes keyed with them."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from server.settings import Settings


def server_key(settings: Settings) -> bytes:
    """The key of every keyed hash: the setting `secret`, or 32 random bytes kept in `<data>/secret.key`."""
    if settings.secret is not None:
        return hashlib.sha256(settings.secret.get_secret_value().encode()).digest()
    return _kept(settings.data / "secret.key")


def _kept(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def keyed_hash(key: bytes, purpose: str, text: str) -> bytes:
    """HMAC-SHA-256 of `text`, apart for every purpose."""
    return hmac.digest(key, f"{purpose}\0{text}".encode(), "sha256")


def new_token() -> str:
    """An opaque token of 256 bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token; it is random enough to need no key."""
    return hashlib.sha256(token.encode()).digest()
