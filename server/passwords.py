"""Passwords: argon2id, in a thread, few at a time since each takes 64 MiB."""

import asyncio
import secrets
from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
# Of no password at all, but checking it takes as long; hashing a real one would delay every start of a process.
_NOBODYS = "$argon2id$v=19$m={},t={},p={}${}${}".format(
    _HASHER.memory_cost,
    _HASHER.time_cost,
    _HASHER.parallelism,
    *(b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (_HASHER.salt_len, _HASHER.hash_len)),
)
_TURNS = asyncio.Semaphore(2)


async def hashed(password: str) -> str:
    """What is stored of a password."""
    async with _TURNS:
        return await asyncio.to_thread(_HASHER.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the one; for an account that does not exist it takes as long as for one that does."""
    async with _TURNS:
        found = await asyncio.to_thread(_verify, stored or _NOBODYS, password)
    return found and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
