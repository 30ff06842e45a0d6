"""The one server of a data folder: a lock that only one process holds, and a note of how to reach it."""

import fcntl
import os
from pathlib import Path
from typing import IO

import msgspec

LOCK, NOTE = "server.lock", "server.json"


class Instance(msgspec.Struct, frozen=True):
    """How other commands on this machine reach the running server; `secret` is that of its processes."""

    pid: int
    url: str
    secret: str


class AlreadyRunning(Exception):
    """Another server has this data folder."""


def claim(data: Path) -> IO[bytes]:
    """Take the data folder until the file that is returned is closed; raises `AlreadyRunning`."""
    data.mkdir(parents=True, exist_ok=True)
    file = (data / LOCK).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AlreadyRunning(f"Another server uses {data} already.") from None
    return file


def announce(data: Path, instance: Instance) -> None:
    """Leave the note, for the owner of the folder alone."""
    path = data / NOTE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(instance))


def withdraw(data: Path) -> None:
    """Take the note away."""
    (data / NOTE).unlink(missing_ok=True)


def running(data: Path) -> Instance | None:
    """The server that has this folder now, or None."""
    try:
        claim(data).close()
    except AlreadyRunning:
        try:
            return msgspec.json.decode((data / NOTE).read_bytes(), type=Instance)
        except (OSError, msgspec.MsgspecError):
            return None
    return None
