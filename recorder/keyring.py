"""The keys of recordings: each segment has its own, which lies beside it wrapped by a key-encryption key.

Key-encryption keys have ids. The first of a keyring wraps what is new, the others are there to read what is old, so
that a rotation rewraps the small key files and never touches media. Whatever changes key files holds the folder's lock,
which the system takes back from a process that dies: a deleted key can't come back through a rotation, and no key can
be wrapped by one that is just being dropped.
"""

import base64
import contextlib
import fcntl
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from recorder.durability import replace, sync_folder

KEY_BYTES = 32
LOCK = "keys.lock"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class KeyringError(OSError):
    """The keys can't be used; the text says which and why."""


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lies beside a segment: its key, wrapped (RFC 3394, base64) by the key-encryption key with this id."""

    kek: str
    wrapped: str


def parse(text: str) -> dict[str, bytes]:
    """The keys of `id:base64` items with commas or white space between them, in order; raises ValueError."""
    keys: dict[str, bytes] = {}
    for item in re.split(r"[,\s]+", text.strip()):
        name, _, encoded = item.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not _ID.fullmatch(name) or len(key) != KEY_BYTES:
            raise ValueError(f"key {len(keys) + 1} must be id:base64 with {KEY_BYTES} bytes")
        if name in keys:
            raise ValueError(f"key {name} stands there twice")
        keys[name] = key
    return keys


def _text(keys: dict[str, bytes]) -> bytes:
    return "".join(f"{name}:{base64.b64encode(key).decode()}\n" for name, key in keys.items()).encode()


class Keyring:
    """Key-encryption keys, given once, or kept in a file that is read anew whenever they are needed."""

    def __init__(self, source: Path | dict[str, bytes]) -> None:
        self._source = source

    @property
    def changeable(self) -> bool:
        """Whether the keys lie in a file of ours, to which a rotation may add one."""
        return isinstance(self._source, Path)

    def keys(self) -> dict[str, bytes]:
        """The keys by id, the first of which wraps what is new; raises `KeyringError`."""
        if not isinstance(self._source, Path):
            return self._source
        try:
            return parse(self._source.read_text())
        except ValueError as error:
            raise KeyringError(f"{self._source}: {error}") from None

    def prepare(self) -> None:
        """Makes the file with its first key if there is none; raises OSError."""
        if isinstance(self._source, Path):
            self._source.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._source.parent):
                if not self._source.exists():
                    self._write(_with_new({}))
        self.keys()

    def add(self) -> str:
        """Puts a new key first in the file; its id."""
        assert isinstance(self._source, Path)
        with _locked(self._source.parent):
            keys = _with_new(self.keys())
            self._write(keys)
        return next(iter(keys))

    def keep(self, wanted: Collection[str]) -> list[str]:
        """Drops the keys of the file that are not wanted, but never the first; the ids of those dropped."""
        assert isinstance(self._source, Path)
        with _locked(self._source.parent):
            keys = self.keys()
            first = next(iter(keys))
            kept = {name: key for name, key in keys.items() if name == first or name in wanted}
            if dropped := [name for name in keys if name not in kept]:
                self._write(kept)
        return dropped

    def _write(self, keys: dict[str, bytes]) -> None:
        assert isinstance(self._source, Path)
        replace(self._source, _text(keys), 0o600)

    def wrap(self, key: bytes) -> KeyFile:
        """The key as it may lie on disk."""
        name, kek = next(iter(self.keys().items()))
        return KeyFile(name, base64.b64encode(aes_key_wrap(kek, key)).decode())

    def unwrap(self, file: KeyFile) -> bytes:
        """The key; raises `KeyringError` when its key-encryption key is not here, or was not this one."""
        kek = self.keys().get(file.kek)
        if kek is None:
            raise KeyringError(f"the key-encryption key {file.kek} is not in the keyring")
        try:
            return aes_key_unwrap(kek, base64.b64decode(file.wrapped, validate=True))
        except (InvalidUnwrap, ValueError):
            raise KeyringError(f"a key that was wrapped by {file.kek} can't be unwrapped") from None


def _with_new(keys: dict[str, bytes]) -> dict[str, bytes]:
    return {secrets.token_hex(4): secrets.token_bytes(KEY_BYTES)} | keys


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _path(folder: Path, segment: str) -> Path:
    return folder / f"{segment}.key"


def _read(path: Path) -> KeyFile:
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeyFile)
    except msgspec.MsgspecError:
        raise KeyringError(f"{path} is no key file") from None


def store_key(folder: Path, segment: str, key: bytes, keyring: Keyring) -> None:
    """Puts a new segment's key beside it, wrapped and durable; raises OSError."""
    with _locked(folder):
        replace(_path(folder, segment), msgspec.json.encode(keyring.wrap(key)), 0o600)


def has_key(folder: Path, segment: str) -> bool:
    """Whether a segment's key is there."""
    return _path(folder, segment).exists()


def read_key(folder: Path, segment: str, keyring: Keyring) -> bytes:
    """A segment's key; raises FileNotFoundError when it was shredded, and `KeyringError`."""
    return keyring.unwrap(_read(_path(folder, segment)))


def shred_key(folder: Path, segment: str) -> None:
    """Overwrites and removes a segment's key, and what an interrupted rotation left of it; may be repeated."""
    with _locked(folder):
        path = _path(folder, segment)
        for found in (path.with_name(f"{path.name}.new"), path):
            with contextlib.suppress(FileNotFoundError):
                descriptor = os.open(found, os.O_WRONLY)
                try:
                    os.pwrite(descriptor, secrets.token_bytes(max(1, found.stat().st_size)), 0)
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                found.unlink()
        sync_folder(folder)


def usage(folder: Path) -> Counter[str]:
    """How many segments each key-encryption key wraps."""
    return Counter(_read(path).kek for path in folder.glob("*.key"))


def rewrap(folder: Path, keyring: Keyring, reached: Callable[[str], None] = lambda step: None) -> list[str]:
    """Wraps every segment's key by the first key-encryption key; the segments whose key can't be unwrapped.

    May be interrupted anywhere and repeated; `reached` is told each step. Raises OSError.
    """
    first, failed = next(iter(keyring.keys())), list[str]()
    for path in sorted(folder.glob("*.key")):
        with _locked(folder):
            try:
                if (file := _read(path)).kek == first:
                    continue
                wrapped = msgspec.json.encode(keyring.wrap(keyring.unwrap(file)))
            except FileNotFoundError:  # deleted meanwhile
                continue
            except KeyringError:
                failed.append(path.stem)
                continue
            reached(f"unwrapped {path.stem}")
            replace(path, wrapped, 0o600)
        reached(f"rewrapped {path.stem}")
    return failed


def drop_unused(folder: Path, keyring: Keyring) -> list[str]:
    """Drops the key-encryption keys that wrap nothing, save the first; their ids. Raises OSError."""
    with _locked(folder):
        return keyring.keep(usage(folder).keys())
