"""Packets of RTP and RTCP in files: the format "rtpdump" of rtptools, as Wireshark reads it too."""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_FIRST_LINE = b"#!rtpplay1.0 127.0.0.1/0\n"
_FILE_HEAD = bytes(16)
_RECORD = struct.Struct("!HHL")


class Record(NamedTuple):
    """A packet that came `ms` after the first."""

    ms: int
    is_rtp: bool
    data: bytes


def write(path: Path, records: Iterable[Record]) -> None:
    """Writes a file."""
    pieces = [_FIRST_LINE, _FILE_HEAD]
    for ms, is_rtp, data in records:
        pieces += (_RECORD.pack(len(data) + _RECORD.size, len(data) if is_rtp else 0, ms), data)
    path.write_bytes(b"".join(pieces))


def read(path: Path) -> list[Record]:
    """The packets in a file."""
    data = path.read_bytes()
    position, records = len(_FIRST_LINE) + len(_FILE_HEAD), list[Record]()
    while position < len(data):
        length, payload, ms = _RECORD.unpack_from(data, position)
        records.append(Record(ms, payload > 0, data[position + _RECORD.size : position + length]))
        position += length
    return records
