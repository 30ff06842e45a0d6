"""Limits on how often something may be tried: by address, by account, over all."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aiohttp import web
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from server.problems import TooMany


class Limiter:
    """Counts tries in a moving window, such as `limiter.hit("10/minute", "login", address)`."""

    def __init__(self) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._turns: dict[tuple[str, ...], asyncio.Lock] = {}
        self._wanted: Counter[tuple[str, ...]] = Counter()

    async def hit(self, rate: str, *key: str) -> None:
        """Count one try; raises `TooMany` when there were as many as `rate` allows already."""
        if not await self._windows.hit(parse(rate), *key):
            raise self._too_many(rate)

    async def check(self, rate: str, *key: str) -> None:
        """Raise `TooMany` when `hit` would, without counting."""
        if not await self._windows.test(parse(rate), *key):
            raise self._too_many(rate)

    @asynccontextmanager
    async def in_turn(self, *key: str) -> AsyncIterator[None]:
        """One after the other, so that what is checked at the beginning still holds when it is counted."""
        self._wanted[key] += 1
        try:
            async with self._turns.setdefault(key, asyncio.Lock()):
                yield
        finally:
            self._wanted[key] -= 1
            if not self._wanted[key]:
                del self._wanted[key], self._turns[key]

    @staticmethod
    def _too_many(rate: str) -> TooMany:
        return TooMany("too_many", "That was tried too often. Wait a little and try again.", parse(rate).get_expiry())


def address_of(request: web.Request, trusted_proxies: Collection[str]) -> str:
    """Where a request comes from, as far as we can believe it: an IPv4 address, or an IPv6 network of /64."""
    address = request.remote or ""
    if address in trusted_proxies:
        forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
        address = next((hop for hop in reversed(forwarded) if hop not in trusted_proxies), address)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
