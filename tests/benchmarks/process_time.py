"""CPU time of processes with all that they started, as Linux counts it."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


class Reading(NamedTuple):
    """What was used up to a moment, both in seconds."""

    cpu: float
    at: float

    def cores_until(self, later: "Reading") -> float:
        """How many cores were busy in between, on average."""
        return (later.cpu - self.cpu) / (later.at - self.at)


def _processes() -> dict[int, tuple[int, float]]:
    """Every process's parent and CPU seconds."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(place.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS
    return found


def marked(marker: str) -> int:
    """The process that was started first with this word on its command line."""
    for place in sorted(Path("/proc").glob("[0-9]*"), key=lambda place: int(place.name)):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if marker.encode() in words:
            return int(place.name)
    raise LookupError(f"no process with {marker}")


def reading(roots: Iterable[int]) -> Reading:
    """What these processes and their descendants used."""
    processes = _processes()
    family = set(roots)
    grown = True
    while grown:
        younger = {pid for pid, (parent, _) in processes.items() if parent in family} - family
        family |= younger
        grown = bool(younger)
    return Reading(sum(processes[pid][1] for pid in family if pid in processes), time.monotonic())
