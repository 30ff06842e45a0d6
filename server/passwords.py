"""Passwords: argon2id, in a thread, few at a time since each takes 64 MiB."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
_NOBODYS = _HASHER.hash("nobody has this password")
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
