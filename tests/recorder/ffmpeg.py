"""FFmpeg's own programs on a file as it is served: what ffprobe reads in it, and whether ffmpeg decodes all of it."""

import asyncio
import shutil
from typing import NamedTuple

import msgspec

INSTALLED = bool(shutil.which("ffmpeg") and shutil.which("ffprobe"))
OUTPUT_TIME = ("-enc_time_base:v", "1:1000")
"""As in the file. Otherwise ffmpeg guesses a steady rate, and complains of pictures that come closer than that."""


class Packet(msgspec.Struct, tag_field="type", tag="packet"):
    """`pts` is in ms; `flags` begins with K for a keyframe."""

    codec_type: str
    pts: int
    flags: str


class Decoded(msgspec.Struct, tag_field="type", tag="frame"):
    """A picture, or samples of a voice, that came out of a decoder; `pts` is in ms."""

    media_type: str
    pts: int
    key_frame: int
    width: int = 0
    height: int = 0
    nb_samples: int = 0

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


class Stream(msgspec.Struct):
    """Names of FFmpeg's."""

    codec_type: str
    codec_name: str


class Format(msgspec.Struct):
    """`duration` is in seconds."""

    format_name: str
    duration: str


class Read(msgspec.Struct):
    """All that ffprobe says of a file."""

    packets_and_frames: list[Packet | Decoded]
    streams: list[Stream]
    format: Format

    def packets(self, kind: str) -> list[Packet]:
        return [one for one in self.packets_and_frames if isinstance(one, Packet) and one.codec_type == kind]

    def decoded(self, kind: str) -> list[Decoded]:
        return [one for one in self.packets_and_frames if isinstance(one, Decoded) and one.media_type == kind]


class Finished(NamedTuple):
    status: int | None
    output: bytes
    errors: bytes


async def probe(address: str) -> Read:
    """Reads and decodes a whole file; fails when anything in it is an error to ffprobe.

    Keyframes are those that the container names: without FFmpeg's parsers, which would find them by themselves.
    """
    shown = ("-show_format", "-show_streams", "-show_packets", "-show_frames", "-of", "json")
    finished = await _run("ffprobe", "-v", "error", "-fflags", "+nofillin+noparse", *shown, address)
    assert (finished.status, finished.errors) == (0, b"")
    return msgspec.json.decode(finished.output, type=Read)


async def decode(address: str) -> None:
    """Decodes a whole file; fails at the first error."""
    finished = await _run(
        "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", address, *OUTPUT_TIME, "-f", "null", "-"
    )
    assert (finished.status, finished.errors) == (0, b"")


async def _run(*command: str) -> Finished:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    output, errors = await process.communicate()
    return Finished(process.returncode, output, errors)
