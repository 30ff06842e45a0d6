"""The server's signature: what it states can be checked by anyone who has its public key, without the server."""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.keys import kept
from server.settings import Settings
from signaling import checkpoints
from signaling.checkpoints import Signature

KEY_FILE = "signing.key"
PUBLIC_KEYS_FILE = "signing.public.json"


class Signer:
    """Signs with the present key; `public_keys` (id → 32 bytes) holds that of every key there ever was."""

    def __init__(self, private_key: Ed25519PrivateKey, former: Mapping[str, bytes] | None = None) -> None:
        self._private_key = private_key
        public_key = private_key.public_key().public_bytes_raw()
        self.key_id = checkpoints.key_id(public_key)
        self.public_keys: Mapping[str, bytes] = {**(former or {}), self.key_id: public_key}

    def sign(self, statement: bytes) -> Signature:
        """The signature of a statement, which says in its first field what it is for."""
        return checkpoints.sign(self._private_key, statement)

    def signed(self, statement: bytes) -> checkpoints.Signed:
        """The statement with its signature."""
        return checkpoints.signed(statement, self.sign(statement))


def open_signer(settings: Settings) -> Signer:
    """The signer with the setting `signing_key`, or the key in `<data>/signing.key`, made once.

    The public keys are kept beside it, so that what a former key signed can be checked after a change of keys. Raises
    OSError, and ValueError when the setting is no key or the kept public keys cannot be read.
    """
    if settings.signing_key is not None:
        seed = base64.b64decode(settings.signing_key.get_secret_value(), validate=True)
    else:
        seed = kept(settings.data / KEY_FILE)
    path = settings.data / PUBLIC_KEYS_FILE
    former = msgspec.json.decode(path.read_bytes(), type=dict[str, bytes]) if path.exists() else {}
    signer = Signer(Ed25519PrivateKey.from_private_bytes(seed), former)
    if signer.public_keys != former:
        _keep(path, msgspec.json.encode(signer.public_keys))
    return signer


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with made.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
