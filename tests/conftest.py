"""The fixture `server`: a real server process on a free port, with its own data folder and the standing cast."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server_process import ServerProcess, seed

MakeServer = Callable[..., ServerProcess]


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the cast exists, made once since that takes a while."""
    folder = tmp_path_factory.mktemp("seeded")
    asyncio.run(seed(folder))
    return folder


@pytest.fixture
def make_server(seeded: Path, tmp_path: Path) -> Iterator[MakeServer]:
    """Start a server: `make_server(children=True, grace_s=1)`; each argument is a setting. Ended after the test."""
    started: list[ServerProcess] = []

    def make(**settings: object) -> ServerProcess:
        data = tmp_path / f"data{len(started)}"
        shutil.copytree(seeded, data)
        process = ServerProcess(data, tmp_path / f"server{len(started)}.log", settings)
        started.append(process)
        process.start()
        return process

    yield make
    for process in started:
        process.terminate()
    for process in started:
        process.check_log()


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    """A server without worker and recorder."""
    return make_server()
