"""`sightline doctor`: whether this machine has what the server needs, each finding with what to do."""

import platform
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from recorder.keyring import usage
from server.keys import recording_keys
from server.pages import AGENT, CUSTOMER
from server.settings import Settings

LEAST_FREE = 1024**3


class Finding(NamedTuple):
    """What was looked at, whether it is well, and what was found or what to do."""

    subject: str
    well: bool
    text: str


def examine(settings: Settings, running: bool) -> Iterator[Finding]:
    """Look at everything; `running` says that a server has the data folder, and so the port, already."""
    yield Finding("python", sys.version_info >= (3, 11), platform.python_version())
    yield Finding("sqlite", sqlite3.sqlite_version_info >= (3, 35, 0), sqlite3.sqlite_version)
    yield _data(settings)
    yield _keys(settings)
    for name, page in (("customer's pages", CUSTOMER / "join.html"), ("staff's pages", AGENT / "console.html")):
        built = page.is_file()
        yield Finding(name, built, "built" if built else "not built: run `make pages`")
    yield Finding("port", True, f"{settings.port}, used by the running server") if running else _port(settings)


def _data(settings: Settings) -> Finding:
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data) as file:
            file.write(b"written")
            file.flush()
    except OSError as error:
        return Finding("data folder", False, f"{settings.data} cannot be written: {error.strerror}")
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE:
        return Finding("data folder", False, f"{settings.data} has only {free // 1024**2} MiB left: make room")
    return Finding("data folder", True, f"{settings.data}, {free // 1024**3} GiB free")


def _keys(settings: Settings) -> Finding:
    subject, source = "recording keys", settings.data / "recording.keys"
    try:
        if settings.recording_keys is None and not source.exists():
            return Finding(subject, True, "are made at the first start")
        keyring = recording_keys(settings)
        missing = usage(settings.data / "recordings").keys() - keyring.keys().keys()
    except OSError as error:
        return Finding(subject, False, f"cannot be used: {error}")
    if missing:
        return Finding(subject, False, f"lack {', '.join(sorted(missing))}: what these wrap cannot be played")
    if keyring.changeable and source.stat().st_mode & 0o077:
        return Finding(subject, False, f"{source} can be read by others: chmod 600 it")
    return Finding(subject, True, f"{len(keyring.keys())}, the first of which wraps new recordings")


def _port(settings: Settings) -> Finding:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Finding("port", False, f"{settings.host}:{settings.port}: {error.strerror}; choose another --port")
    return Finding("port", True, f"{settings.host}:{settings.port} is free")
