"""The one way by which the screen leaves this computer: captured, covered, encoded. Closed at once, in any thread.

It knows nothing of the network, so that a stop needs none.
"""

import io
import threading
from collections.abc import Callable

from PIL import Image

from customer_client.capture.masks import Masks
from customer_client.capture.screen_capture import Capture, Captured
from customer_client.capture.surfaces import Ink, Source
from customer_client.participant import Still
from customer_client.sending.encoder import ScreenEncoder

MAX_PNG = 8 * 1024 * 1024
"""A picture of more bytes is sent as JPEG: it would take too long on a slow line."""

Measured = Callable[[Captured], None]


class Tap:
    """What is open, and what is covered. `measured` is told of pictures of another size or place, in any thread."""

    def __init__(self, measured: Measured, gone: Callable[[Source], None], ink: Ink | None = None) -> None:
        self.encoder = ScreenEncoder()
        self._measured = measured
        self._gone = gone
        self._ink = ink
        self._lock = threading.RLock()
        self._capture: Capture | None = None
        self._source: Source | None = None
        self._before: Captured | None = None
        self.encoder.start()

    @property
    def open(self) -> bool:
        """Whether anything leaves this computer."""
        return self._capture is not None

    @property
    def source(self) -> Source | None:
        """What is captured, with the place that it has now; None while the tap is closed."""
        with self._lock:
            if self._capture is None:
                return None
            latest = self._capture.latest()
            return latest.source if latest and self._source and latest.source.key == self._source.key else self._source

    @property
    def latest(self) -> Captured | None:
        """The newest picture; None while the tap is closed."""
        with self._lock:
            return self._capture.latest() if self._capture is not None else None

    def start(self, source: Source, masks: Masks) -> None:
        """Opens it, or goes on with another source; takes the time of one picture. Raises CaptureUnavailable."""
        with self._lock:
            self._source = source
            if self._capture is not None:
                self._capture.switch(source, masks)
                return
            capture = Capture(source, masks=masks, ink=self._ink, on_gone=self._gone)
            capture.start()
            self._capture = capture
            capture.subscribe(self.encoder.feed)
            capture.subscribe(self._measure)

    def cover(self, masks: Masks) -> None:
        """From the next picture on these parts are covered, and no others."""
        with self._lock:
            if self._capture is not None:
                self._capture.cover(masks)

    def close(self) -> None:
        """Nothing leaves this computer once this returns."""
        with self._lock:
            capture, self._capture, self._before = self._capture, None, None
            if capture is not None:
                capture.stop()
            self.encoder.rest()

    def end(self) -> None:
        """Closes it for good."""
        self.close()
        self.encoder.stop()

    def still(self, label: str) -> Still | None:
        """What is shown at this moment, as a file; None while the tap is closed. Raises CaptureUnavailable."""
        with self._lock:
            return still_of(self._capture.still(), label) if self._capture is not None else None

    def _measure(self, captured: Captured) -> None:
        before, self._before = self._before, captured
        if before is None or before.source != captured.source or before.picture.shape != captured.picture.shape:
            self._measured(captured)


def one_picture(source: Source, masks: Masks, label: str, ink: Ink) -> Still:
    """A picture of a source that is not shared live, in full resolution. Raises CaptureUnavailable."""
    return still_of(Capture(source, masks=masks, ink=ink).still(), label)


def still_of(captured: Captured, label: str) -> Still:
    """A captured picture as a file to be stored."""
    kind = captured.source.kind
    height, width = captured.picture.shape[:2]
    picture = Image.frombuffer("RGB", (width, height), captured.picture, "raw", "BGRX", 0, 1)
    data = io.BytesIO()
    picture.save(data, "PNG", compress_level=3)
    if data.tell() <= MAX_PNG:
        return Still(data.getvalue(), "image/png", kind, label)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=92)
    return Still(data.getvalue(), "image/jpeg", kind, label)
