"""Receiving a video stream without decoding it: packets in, complete frames and RTCP feedback out.

`Reception` is pure: time comes in as an argument, packets go out through a function. `Attachment` puts it between an
aiortc transceiver and the event loop. aiortc's own receiver is passed by: it decodes, keeps back the last frame of a
still screen, asks for a lost packet only once, and grants a quiet screen too little to come to life again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

import structlog
from aiortc import RTCRtpTransceiver

from recorder import rtp, vp8
from recorder.assembly import ASK_AGAIN_AFTER, Assembly
from recorder.bandwidth import Bandwidth
from recorder.frames import Codec, Frame
from recorder.rtp import Packet
from signaling.aiortc_internals import Negotiated, RawTransport, negotiated

log = structlog.get_logger()

CODECS: Mapping[str, Codec] = {vp8.CODEC: vp8}
REPORT_EVERY = 0.5
KEYFRAME_AGAIN_AFTER = 0.5
FIRST_KEYFRAME_WITHIN = 0.3
"""A stream begins with a keyframe, unless it began before its recorder listened."""
KEYFRAME_EVERY = 10.0
"""While the picture moves; it is where a recording can be cut without encoding it anew."""
MOVING_FRAMES = 25
STREAM_SILENT_AFTER = 2.0
MAX_NACKED = 256


class Reception:
    """One video stream. `deliver(frame, now)` gets its frames in order, `send(packet)` the RTCP to be sent."""

    def __init__(
        self, terms: Negotiated, send: Callable[[bytes], None], deliver: Callable[[Frame, float], None]
    ) -> None:
        self.heard_at: float | None = None
        self._terms = terms
        self._send = send
        self._deliver = deliver
        self._codecs = {kind: CODECS[name] for kind, name in terms.codecs.items() if name in CODECS}
        self._assembly: Assembly | None = None
        self._payload_type = -1
        self._ssrc: int | None = None
        self._bandwidth = Bandwidth()
        self._recent: deque[float] = deque(maxlen=3)
        self._frames_since_keyframe = 0
        self._keyframe_at = 0.0
        self._keyframe_asked_at = float("-inf")
        self._first = 0
        self._received = 0
        self._expected_before = self._received_before = 0
        self._jitter = 0.0
        self._last_transit: float | None = None
        self._sender_report: tuple[int, float] = (0, 0.0)
        self._reported_at = float("-inf")

    @property
    def codec(self) -> Codec | None:
        """What is being received, once something was."""
        return self._codecs.get(self._payload_type)

    @property
    def urgent(self) -> bool:
        """Whether packets are missing, so that `tick` wants to be called within 30 ms."""
        return self._assembly is not None and self._assembly.incomplete

    def rtp(self, data: bytes, now: float) -> None:
        """A decrypted RTP packet."""
        try:
            packet = rtp.parse(data, self._terms.abs_send_time)
        except ValueError:
            return
        self.heard_at = now
        self._bandwidth.received(len(data))
        repeated = self._terms.retransmissions.get(packet.payload_type)
        if repeated is not None:
            if len(packet.payload) <= 2 or self._ssrc is None or repeated != self._payload_type:
                return
            original = int.from_bytes(packet.payload[:2], "big")
            packet = packet._replace(sequence=original, payload=packet.payload[2:], send_time=None)
        elif not self._belongs(packet, now):
            return
        else:
            self._count(packet, now)
        if self._assembly is None:
            return
        frames = self._assembly.add(packet, now)
        if frames:
            self._pass_on(frames, now)
        if self._assembly.incomplete:
            self._ask(now)
        if self._assembly.needs_keyframe:
            self._ask_for_keyframe(now)

    def rtcp(self, data: bytes, now: float) -> None:
        """A decrypted compound RTCP packet."""
        self.heard_at = now
        for report in rtp.sender_reports(data):
            if report.ssrc == self._ssrc:
                self._sender_report = (report.middle_ntp, now)

    def tick(self, now: float) -> float:
        """Does what is due, and says after how many seconds it wants to be asked again."""
        if self._assembly is not None:
            if frames := self._assembly.expire(now):
                self._pass_on(frames, now)
            self._ask(now)
            if self._assembly.needs_keyframe or self._time_for_keyframe(now):
                self._ask_for_keyframe(now)
            if now - self._reported_at >= REPORT_EVERY:
                self._report(now)
        return ASK_AGAIN_AFTER if self.urgent else REPORT_EVERY / 2

    def want_keyframe(self, now: float) -> None:
        """Asks for a keyframe, for instance because the frames before it are not to be written."""
        if self._assembly is not None:
            self._assembly.needs_keyframe = True
            self._ask_for_keyframe(now)

    def resume(self, now: float) -> None:
        """The sender begins again after a pause: its silence until now means nothing."""
        self.heard_at = now
        self.want_keyframe(now)

    def _belongs(self, packet: Packet, now: float) -> bool:
        """Whether the packet is of the stream that is received; the first is taken, and another when it fell silent."""
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return False
        if packet.ssrc == self._ssrc and packet.payload_type == self._payload_type:
            return True
        if packet.ssrc != self._ssrc and self._recent and now - self._recent[-1] < STREAM_SILENT_AFTER:
            return False
        self._ssrc, self._payload_type = packet.ssrc, packet.payload_type
        self._keyframe_asked_at = now + FIRST_KEYFRAME_WITHIN - KEYFRAME_AGAIN_AFTER
        self._first, self._received = packet.sequence, 0
        self._expected_before = self._received_before = 0
        self._sender_report, self._last_transit = (0, 0.0), None
        self._assembly = self._assembly.renewed(codec) if self._assembly else Assembly(codec)
        return True

    def _count(self, packet: Packet, now: float) -> None:
        """Statistics for the receiver report (RFC 3550 section 6.4.1 and appendix A.8), jitter by frames."""
        self._received += 1
        if not packet.marker:
            return
        if packet.send_time is not None:
            self._bandwidth.frame(packet.send_time, now)
        transit = now * 90_000 - packet.timestamp
        if self._last_transit is not None and abs(transit - self._last_transit) < 1 << 24:
            self._jitter += (abs(transit - self._last_transit) - self._jitter) / 16
        self._last_transit = transit

    def _pass_on(self, frames: list[Frame], now: float) -> None:
        for frame in frames:
            self._recent.append(now)
            self._frames_since_keyframe += 1
            if frame.size is not None:
                self._keyframe_at, self._frames_since_keyframe = now, 0
            self._deliver(frame, now)

    def _ask(self, now: float) -> None:
        assert self._assembly is not None and self._ssrc is not None
        if missing := self._assembly.missing(now):
            self._send(rtp.nack(self._terms.local_ssrc, self._ssrc, missing[:MAX_NACKED]))

    def _time_for_keyframe(self, now: float) -> bool:
        moving = len(self._recent) == self._recent.maxlen and now - self._recent[0] < 1
        return moving and self._frames_since_keyframe >= MOVING_FRAMES and now - self._keyframe_at >= KEYFRAME_EVERY

    def _ask_for_keyframe(self, now: float) -> None:
        if self._ssrc is not None and now - self._keyframe_asked_at >= KEYFRAME_AGAIN_AFTER:
            self._keyframe_asked_at = now
            self._send(rtp.picture_loss(self._terms.local_ssrc, self._ssrc))

    def _report(self, now: float) -> None:
        assert self._assembly is not None and self._assembly.highest is not None and self._ssrc is not None
        self._reported_at = now
        expected = self._assembly.highest - self._first + 1
        lately, lost = expected - self._expected_before, 0
        if lately > 0:
            lost = max(0, lately - (self._received - self._received_before))
        self._expected_before, self._received_before = expected, self._received
        fraction = lost / lately if lately > 0 else 0.0
        middle_ntp, came_at = self._sender_report
        delay = int((now - came_at) * 65536) if middle_ntp else 0
        report = rtp.Report(
            min(255, int(fraction * 256)),
            expected - self._received,
            self._assembly.highest,
            int(self._jitter),
            middle_ntp,
            delay,
        )
        bitrate = self._bandwidth.report(fraction, now)
        blocks = rtp.receiver_report(self._terms.local_ssrc, self._ssrc, report)
        self._send(blocks + rtp.maximum_bitrate(self._terms.local_ssrc, self._ssrc, bitrate))


class Attachment:
    """A reception on a transceiver: it is fed, and its timer runs, until `release`."""

    def __init__(self, transceiver: RTCRtpTransceiver, deliver: Callable[[Frame, float], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = RawTransport(transceiver, self._rtp, self._rtcp)
        self.reception = Reception(negotiated(transceiver), self._transport.send_rtcp, deliver)
        self._timer = self._loop.call_later(ASK_AGAIN_AFTER, self._tick)

    def release(self) -> None:
        """Stops feeding and the timer."""
        self._timer.cancel()
        self._transport.release()

    def _rtp(self, data: bytes) -> None:
        now = self._loop.time()
        try:
            self.reception.rtp(data, now)
        except Exception:  # raised into the socket's transport, it would close every path to this peer
            log.exception("packet not taken")
            self.reception.want_keyframe(now)
        if self.reception.urgent and self._timer.when() > now + ASK_AGAIN_AFTER:
            self._timer.cancel()
            self._timer = self._loop.call_later(ASK_AGAIN_AFTER, self._tick)

    def _rtcp(self, data: bytes) -> None:
        self.reception.rtcp(data, self._loop.time())

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self.reception.tick(self._loop.time()), self._tick)
