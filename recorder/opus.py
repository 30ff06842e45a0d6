"""Opus as it comes in RTP: RFC 7587; one packet is one frame. Its own shape: RFC 6716 section 3."""

import struct

from recorder.frames import Kind, Part

CODEC = "OPUS"
KIND: Kind = "audio"
MATROSKA = "A_OPUS"
ONE_HEADER = False
CLOCK_RATE = 48_000
CHANNELS = 1
PRE_SKIP = 312
"""Samples by which libopus, as browsers use it, is behind what it encodes."""
DELAY_MS = -(-PRE_SKIP * 1000 // CLOCK_RATE)
"""How much later a block is marked than it sounds: players take CodecDelay off it (RFC 9559 section 5.1.4.1.25).

With a voice marked from 0 a file would begin before 0, and Chromium finds no keyframe when it seeks to its beginning.
"""
SEEK_PRE_ROLL_MS = 80
"""How long a decoder runs before its output is right again (RFC 7845 section 4.6)."""
_SHORTEST_SAMPLES = 120
_LONGEST_SAMPLES = 5760
SILENCE_SAMPLES = 960


def strip(payload: bytes) -> Part:
    """The payload, when it is an Opus packet of a length that there is."""
    samples(payload)
    return payload, True


def join(parts: list[bytes]) -> bytes:
    """The packet."""
    return b"".join(parts)


def keyframe_size(frame: bytes) -> tuple[int, int] | None:
    """None: voice has no size."""
    return None


def private(frame: bytes) -> bytes:
    """The identification header (RFC 7845 section 5.1) of any voice; a decoder mixes stereo down."""
    return struct.pack("<8sBBHLhB", b"OpusHead", 1, CHANNELS, PRE_SKIP, CLOCK_RATE, 0, 0)


def samples(packet: bytes) -> int:
    """How long a packet sounds, in samples of 48 kHz; raises ValueError when it is none."""
    if not packet:
        raise ValueError("Opus packet is empty")
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        length = (480, 960, 1920, 2880)[configuration & 3]
    elif configuration < 16:
        length = (480, 960)[configuration & 1]
    else:
        length = _SHORTEST_SAMPLES << (configuration & 3)
    if code == 3:
        if len(packet) < 2 or not packet[1] & 0x3F:
            raise ValueError("Opus packet without frames")
        length *= packet[1] & 0x3F
    elif code:
        length *= 2
    if length > _LONGEST_SAMPLES:
        raise ValueError("Opus packet is too long")
    return length


def silence(frames: int) -> bytes:
    """A packet of 1 to 6 frames of 20 ms in which nothing is heard."""
    return b"\xfb" + bytes((frames,)) + b"\xff\xfe" * frames
