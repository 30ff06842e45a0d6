"""The shared surface as H.264, encoded once for all who watch, in a thread of its own.

Each frame is encoded when the network has taken most of those before it, and always the newest: on a narrow path the
picture moves less often, but stays readable. Once it stands still it is encoded a few times more, each time finer,
and then no more at all.
"""

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import av
import cv2
import numpy as np
import structlog
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from customer_client.capture.screen_capture import RATE, Captured
from customer_client.capture.surfaces import Area, Picture

log = structlog.get_logger()

CLOCK_RATE = 90_000
START_BITRATE = 2_000_000
"""Bits per second, as long as nothing is known of the path."""
MAX_PIXELS = 3840 * 2160
"""Of a surface with more, each side is made smaller: beyond level 5.1 there are hardly any decoders."""
QUALITY = 23
FINEST = 20
"""x264's rate factor, and the quantizer below which a picture in motion only costs more."""
LARGEST = 0.4
"""How many seconds of the bitrate the largest frame may take."""
LARGE_PER_SECOND = 8
"""How many frames a second x264 divides the bitrate among; with more of them, how often is ours to see to."""
QUEUE_SECONDS = 0.1
SHARPEN_EVERY = 0.16
SHARPENINGS = 5
"""x264 lowers the quantizer step by step: so a picture of a window or two is as good as it gets within a second."""
MOST_SHARPENINGS = 12
"""A screen full of small text takes longer: it goes on as long as what is added is not small."""
SMALL_BYTES = 4_000
"""A frame of less changed so little that it is already good; it is made finer once."""
KEYFRAME_AT_MOST_EVERY = 0.3
MANY_CHANGES = 64
"""With more of them it is simpler to take all of the picture over."""
NARROWER, WIDER = 0.6, 2.5
"""Beyond these factors another bitrate is worth another encoder, which begins with a keyframe."""
WIDEN_AFTER = 5.0
_LEVELS = ((3600, 108_000, 31), (8192, 245_760, 40), (8704, 522_240, 42), (22_080, 589_824, 50), (36_864, 983_040, 51))
"""Macroblocks a frame, macroblocks a second, and ten times the level that has room for them (H.264 table A-1)."""


class EncodedFrame(NamedTuple):
    """One picture in Annex B (start codes, parameter sets before each keyframe); `timestamp` in a 90 kHz clock."""

    data: bytes
    keyframe: bool
    timestamp: int


def level_of(width: int, height: int) -> int:
    """Ten times the lowest level of H.264 at which a picture of this size may be sent at the full frame rate."""
    blocks = -(-width // 16) * -(-height // 16)
    return next((level for size, rate, level in _LEVELS if blocks <= size and RATE * blocks <= rate), 52)


class Schedule:
    """When a picture is to be encoded, and whether as a keyframe; time comes in as an argument, in seconds."""

    def __init__(self) -> None:
        self.bitrate = START_BITRATE
        self.waiting = 0
        """Bytes that were made and are yet to be sent, as far as is known."""
        self.keyframe = True
        self._changed = False
        self._coarse = 0
        """How many times the picture is yet to be made finer."""
        self._sharpened = 0
        """How many times it was, since it changed."""
        self._finer = False
        """Whether that is what was begun last."""
        self._begun_at = float("-inf")
        self._keyframe_at = float("-inf")
        self._owed = 0.0
        self._owed_at = float("-inf")

    def change(self) -> None:
        """There is another picture."""
        self._changed = True

    def due(self, now: float) -> float | None:
        """In how many seconds something is to be encoded (0 is at once); None is not before something happens."""
        waits = []
        if self.keyframe:
            waits.append(self._keyframe_at + KEYFRAME_AT_MOST_EVERY - now)
        if self._changed:
            waits.append(0.0)
        elif self._coarse:
            waits.append(self._begun_at + SHARPEN_EVERY - now)
        if not waits:
            return None
        drained_in = max(self._still_owed(now), 8 * self.waiting) / self.bitrate - QUEUE_SECONDS
        return max(0.0, drained_in, min(waits))

    def rest(self) -> None:
        """What comes next stands for itself."""
        self.keyframe, self._changed, self._coarse = True, False, 0
        self._keyframe_at = float("-inf")

    def begin(self, now: float) -> bool:
        """A picture is encoded now; whether as a keyframe."""
        keyframe = self.keyframe and now - self._keyframe_at > KEYFRAME_AT_MOST_EVERY - 0.001
        if keyframe:
            self.keyframe, self._keyframe_at = False, now
        self._finer = not keyframe and not self._changed
        self._changed, self._begun_at = False, now
        return keyframe

    def made(self, size: int, now: float, *, keyframe: bool = False) -> None:
        """It has so many bytes; a keyframe, also one that comes of another encoder, is coarse whatever was begun."""
        self._owed, self._owed_at = self._still_owed(now) + 8 * size, now
        if self._finer and not keyframe:
            self._sharpened += 1
            worth_it = size >= SMALL_BYTES and self._sharpened < MOST_SHARPENINGS
            self._coarse = max(int(worth_it), self._coarse - 1)
        else:
            self._sharpened = 0
            self._coarse = max(self._coarse, 1 if size < SMALL_BYTES else SHARPENINGS)

    def _still_owed(self, now: float) -> float:
        return max(0.0, self._owed - (now - self._owed_at) * self.bitrate) if self._owed else 0.0


class Planes:
    """The picture in YUV 4:2:0 (BT.601, limited range), of which only what changed is made anew."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.buffer = np.empty((height * 3 // 2, width), np.uint8)
        self._y = self.buffer[:height]
        chroma = self.buffer[height:].reshape(2, height // 2, width // 2)
        self._u, self._v = chroma[0], chroma[1]

    def paint(self, picture: Picture, changed: tuple[Area, ...] | None) -> None:
        """Takes over these areas of a BGRA picture of this size, or with None all of it."""
        if changed is None or 2 * sum(area.width * area.height for area in changed) > self.width * self.height:
            cv2.cvtColor(picture, cv2.COLOR_BGRA2YUV_I420, dst=self.buffer)
            return
        for area in changed:
            left, top = area.left & ~1, area.top & ~1
            right = min(self.width, (area.right + 1) & ~1)
            bottom = min(self.height, (area.bottom + 1) & ~1)
            if right <= left or bottom <= top:
                continue
            part = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGRA2YUV_I420)
            rows, columns = bottom - top, right - left
            self._y[top:bottom, left:right] = part[:rows]
            chroma = part[rows:].reshape(2, rows // 2, columns // 2)
            half = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
            self._u[half], self._v[half] = chroma[0], chroma[1]


def fitted(picture: Picture) -> Picture:
    """The picture with even sides, as 4:2:0 needs them, and no larger than a decoder takes."""
    height, width = picture.shape[:2]
    if width * height > MAX_PIXELS:
        scale = (MAX_PIXELS / (width * height)) ** 0.5
        size = int(width * scale) & ~1, int(height * scale) & ~1
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return picture[: height & ~1, : width & ~1]


class ScreenEncoder:
    """Encodes what it is fed while `on_encoded` is set, which is called in the encoder's thread and must not wait."""

    def __init__(self) -> None:
        self._on_encoded: Callable[[EncodedFrame], None] | None = None
        self._wake = threading.Condition()
        self._schedule = Schedule()
        self._latest: Captured | None = None
        self._changed: list[Area] | None = None
        """What differs from what is in the planes; None is everything."""
        self._rests = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._planes: Planes | None = None
        self._context: VideoCodecContext | None = None
        self._configured = START_BITRATE
        self._configured_at = float("-inf")
        self._timestamp = -1

    @property
    def on_encoded(self) -> Callable[[EncodedFrame], None] | None:
        """What takes each frame; with None the encoder rests, and begins with a keyframe when it is set again."""
        return self._on_encoded

    @on_encoded.setter
    def on_encoded(self, take: Callable[[EncodedFrame], None] | None) -> None:
        with self._wake:
            self._on_encoded = take
            self._schedule.rest()
            self._wake.notify()

    @property
    def level(self) -> int:
        """Ten times the level of H.264 of what is sent, or will be; 40 before the first picture."""
        latest = self._latest
        if latest is None:
            return 40
        height, width = latest.picture.shape[:2]
        return level_of(width, height)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, and waits for it."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def feed(self, captured: Captured) -> None:
        """The newest picture, from any thread; never waits, and one that is not yet encoded is replaced."""
        with self._wake:
            before, self._latest = self._latest, captured
            if before is None or before.number + 1 != captured.number or len(self._changed or ()) > MANY_CHANGES:
                self._changed = None
            elif self._changed is not None:
                self._changed += captured.changed
            self._schedule.change()
            self._wake.notify()

    @property
    def resting(self) -> bool:
        """Whether there is no picture to be seen, and so nothing to be sent."""
        return self._latest is None

    def rest(self) -> None:
        """Forgets the picture: once this returns nothing is made of it any more, until another one is fed."""
        with self._wake:
            self._latest = self._changed = None
            self._rests += 1
            self._schedule.rest()

    def want_keyframe(self) -> None:
        """The next frame is to be a keyframe; with a still screen the last picture is encoded again."""
        with self._wake:
            self._schedule.keyframe = True
            self._wake.notify()

    def set_bitrate(self, bits_per_second: int, waiting: int = 0) -> None:
        """How much may be sent from now on, and how many bytes still wait for that."""
        with self._wake:
            if (bits_per_second, waiting) != (self._schedule.bitrate, self._schedule.waiting):
                self._schedule.bitrate, self._schedule.waiting = bits_per_second, waiting
                self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._stopping:
                    return
                wait = self._schedule.due(time.monotonic()) if self._on_encoded and self._latest else None
                if wait is None or wait > 0:
                    self._wake.wait(wait)
                    continue
                assert self._latest is not None
                captured, changed = self._latest, self._changed
                self._changed, rests = [], self._rests
                keyframe, bitrate = self._schedule.begin(time.monotonic()), self._schedule.bitrate
            frame = None
            try:
                frame = self._encode(captured, changed, bitrate, keyframe=keyframe)
            except (av.error.FFmpegError, cv2.error):
                log.exception("picture not encoded")
                self._context = None
            with self._wake:
                size, keyframe = (len(frame.data), frame.keyframe) if frame else (0, False)
                self._schedule.made(size, time.monotonic(), keyframe=keyframe)
                if frame and self._on_encoded and rests == self._rests:
                    self._on_encoded(frame)

    def _encode(self, captured: Captured, changed: list[Area] | None, bitrate: int, *, keyframe: bool) -> EncodedFrame:
        picture = fitted(captured.picture)
        height, width = picture.shape[:2]
        planes = self._planes
        if planes is None or (planes.width, planes.height) != (width, height):
            self._planes = planes = Planes(width, height)
            self._context = changed = None
        scaled = picture.shape[1] < captured.picture.shape[1] - 1
        planes.paint(picture, None if changed is None or scaled else tuple(changed))
        context = self._context_for(width, height, bitrate, keyframe=keyframe)
        self._timestamp = max(self._timestamp + 1, int(time.monotonic() * CLOCK_RATE))
        frame = av.VideoFrame.from_numpy_buffer(planes.buffer, format="yuv420p")
        frame.pts, frame.time_base = self._timestamp, Fraction(1, CLOCK_RATE)
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets = context.encode(frame)
        return EncodedFrame(
            b"".join(map(bytes, packets)), any(packet.is_keyframe for packet in packets), self._timestamp
        )

    def _context_for(self, width: int, height: int, bitrate: int, *, keyframe: bool) -> VideoCodecContext:
        now = time.monotonic()
        narrower = bitrate < NARROWER * self._configured
        wider = bitrate > WIDER * self._configured and now - self._configured_at >= WIDEN_AFTER
        # Before a keyframe nothing counts, not even what x264 thinks that it owes: to it time is a number of frames.
        if self._context is None or keyframe or narrower or wider:
            self._configured, self._configured_at = bitrate, now
            self._context = _context(width, height, bitrate)
        return self._context


def _context(width: int, height: int, bitrate: int) -> VideoCodecContext:
    """x264 as it suits a screen: no delay, constant quality within the bitrate, keyframes only when they are wanted.

    What moves on a screen moves far and by whole pixels, and text is read by its luma.
    """
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, CLOCK_RATE), Fraction(LARGE_PER_SECOND)
    context.thread_count = 1
    context.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "level": str(level_of(width, height)),
        "crf": str(QUALITY),
        "qmin": str(FINEST),
        "maxrate": str(bitrate),
        "bufsize": str(int(LARGEST * bitrate)),
        "forced-idr": "1",
        "colorspace": "smpte170m",
        "color_primaries": "smpte170m",
        "color_trc": "smpte170m",
        "color_range": "tv",
        "x264-params": "keyint=infinite:scenecut=0:me=umh:merange=32:subme=0:chroma-qp-offset=4",
    }
    context.open()
    return context
