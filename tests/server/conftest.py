"""The application in this process, for tests that need no process of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.desk import Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A fresh application with alice and bob (agents), tess (trainer), quinn (qa) and ada (admin) signed in."""
    async with open_desk(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
async def recorded_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The same with the demo's finished session, `demo.SESSION`, and its real recording."""
    async with open_desk(tmp_path / "data", recorded=True) as opened:
        yield opened
