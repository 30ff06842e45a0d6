"""Every codec that can be recorded, by its name in SDP in capitals."""

from collections.abc import Mapping

from recorder import av1, h264, opus, vp8, vp9
from recorder.frames import Codec

CODECS: Mapping[str, Codec] = {codec.CODEC: codec for codec in (vp9, h264, vp8, av1, opus)}
