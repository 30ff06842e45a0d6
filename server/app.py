"""The application: the parts that every capability works with, composed once."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recorder.archive import Archive
from server.assignment import Assignment
from server.database import Database, now_ms
from server.feed import Feed
from server.limits import Limiter
from server.settings import Settings
from server.signing import Signer
from server.timeline import Timeline
from signaling.bus import Bus
from signaling.endpoint import Endpoint


@dataclass(frozen=True, eq=False)
class App:
    """What a handler is given.

    `key` is for keyed hashes, `process_secret` is what workers and recorders show, and `setup_token` makes the first
    administrator as long as there is none. `started_at` is ms since 1970. `decoding` is
    held while a picture is made anew, for each may take much memory. `verdicts` are those that are being found out by
    session, and `verifying` is held meanwhile: it takes much of the disk and of a processor.
    """

    settings: Settings
    database: Database
    timeline: Timeline
    bus: Bus
    endpoint: Endpoint
    assignment: Assignment
    feed: Feed
    limiter: Limiter
    signer: Signer
    archive: Archive
    key: bytes = field(repr=False)
    process_secret: str = field(repr=False)
    setup_token: str = field(repr=False)
    started_at: int = field(default_factory=now_ms)
    decoding: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    verdicts: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    verifying: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    @property
    def data(self) -> Path:
        """The folder of everything that is stored."""
        return self.settings.data
