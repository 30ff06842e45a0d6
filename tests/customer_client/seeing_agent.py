"""Alice in Python, who looks at what the native client sends her."""

import av
import numpy as np
from numpy.typing import NDArray

from recorder.frames import Frame
from recorder.incoming import Incoming
from tests.recorder.viewer import PythonViewer


class SeeingAgent(PythonViewer):
    """Alice, who looks at what comes."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        self.picture: NDArray[np.uint8] | None = None
        self._decoders: dict[int, av.VideoCodecContext] = {}

    def _deliver(self, incoming: Incoming, frame: Frame, now: float) -> None:
        super()._deliver(incoming, frame, now)
        decoder = self._decoders.setdefault(id(incoming), av.CodecContext.create("h264", "r"))
        for picture in decoder.decode(av.Packet(annex_b(frame.data))):
            self.picture = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)

    def sees(self, x: float, y: float, color: str) -> bool:
        """Whether about this color is seen at this place, given in fractions."""
        if self.picture is None:
            return False
        height, width = self.picture.shape[:2]
        wanted = np.array([*bytes.fromhex(color[1:])], int)
        return bool(np.abs(self.picture[int(y * height), int(x * width)].astype(int) - wanted).max() < 24)


def annex_b(stored: bytes) -> bytes:
    """A frame as files store it, with start codes in the place of lengths."""
    units, at = [], 0
    while at < len(stored):
        end = at + 4 + int.from_bytes(stored[at : at + 4], "big")
        units.append(b"\0\0\0\1" + stored[at + 4 : end])
        at = end
    return b"".join(units)
