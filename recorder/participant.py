"""One session's recorder: a participant that answers the customer's offer and writes what it receives.

It writes only while the timeline says that recording is on and sharing is not paused. A new offer or a new sharing
begins a new segment. It outlives the loss of its signaling link: the picture comes from peer to peer, so it goes on
writing and reports when the link is back.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from pathlib import Path

import structlog
from aiortc import RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.sdp import candidate_from_sdp

from recorder.fragments import (
    DurableFile,
    Finished,
    SegmentWriter,
    WritingFailed,
    abandoned,
    index,
    indexed_path,
    recover,
)
from recorder.frames import Frame
from recorder.reception import Attachment, Reception
from signaling import messages as m
from signaling.aiortc_internals import peer_connection
from signaling.client import ClosedError, RefusedError, SignalingConnection, new_id

log = structlog.get_logger()

SILENT_AFTER = 6.0
OFFERED_WITHIN = 3.0
REST = 5.0
"""Seconds after a failure of the disk before another segment is tried."""
LINGER = 20.0
"""Seconds in which the end of a recording may still be reported after everything has stopped."""
HURRY = 2.0
MAX_CANDIDATES = 40
"""More than any machine has; each that is taken is tried against each of our own."""


def _is_literal(candidate: str) -> bool:
    """Whether the address in an ICE candidate is an IP address and no name."""
    parts = candidate.split()
    try:
        ipaddress.ip_address(parts[4])
    except (IndexError, ValueError):
        return False
    return True


def _literal_only(sdp: str) -> str:
    """The description with so many candidates as are taken, and without those that are names."""
    kept, taken = list[str](), 0
    for line in sdp.splitlines(keepends=True):
        if line.startswith("a=candidate:"):
            taken += _is_literal(line)
            if taken > MAX_CANDIDATES or not _is_literal(line):
                continue
        kept.append(line)
    return "".join(kept)


class Segment:
    """A file being written: from the first keyframe to the end of its connection or of the recording."""

    def __init__(self, writer: SegmentWriter, segment_id: str) -> None:
        self.id = segment_id
        self.writer = writer
        self.reported: asyncio.Task[bool | None] | None = None


class Incoming:
    """The peer connection with the customer; `connection` is its name in the protocol."""

    def __init__(self, offer: m.Offer, customer: str, peer: RTCPeerConnection) -> None:
        self.connection = offer.connection
        self.customer = customer
        self.peer = peer
        self.attachment: Attachment | None = None
        self.candidates = 0
        self.named = False
        """A candidate with a name came, which is not looked up: the browser's own checks will show its address."""
        self.resync = False
        """Frames were passed over, so that only a keyframe can come next."""

    @property
    def reception(self) -> Reception | None:
        return self.attachment.reception if self.attachment else None

    async def close(self) -> None:
        if self.attachment is not None:
            self.attachment.release()
        await self.peer.close()


class SessionRecorder:
    """Records one session into `folder` until the session ends or `stop` is called."""

    def __init__(
        self,
        server_url: str,
        token: str,
        folder: Path,
        threads: Executor,
        *,
        open_file: Callable[[Path], DurableFile] = DurableFile,
    ) -> None:
        self._link = SignalingConnection(server_url, token)
        self._folder = folder
        self._threads = threads
        self._open_file = open_file
        self._loop = asyncio.get_running_loop()
        self._incoming: Incoming | None = None
        self._segment: Segment | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._hurry = False
        self._asked_again_at = 0.0
        self._failure: str | None = None
        self._rest_until = 0.0

    @property
    def writing(self) -> bool:
        """Whether a segment is being written."""
        return self._segment is not None

    async def run(self) -> None:
        """Takes part until the session ends or the server closes the participation; finishes what it began."""
        async with self._link:
            self._watch = self._loop.create_task(self._watch_media())
            self._spawn(self._adopt())
            try:
                async for heard in self._link:
                    match heard:
                        case m.Event(body=body):
                            self._follow(body)
                            if isinstance(body, m.SessionEnded):
                                break
                        case m.Relay(sender=sender, message=message):
                            await self._take(sender, message)
            finally:
                await self._wind_up()

    async def stop(self, *, hurry: bool = False) -> None:
        """Finishes the segment in order, and leaves; in a hurry its index is left to the next process."""
        self._hurry = hurry
        await self._wind_up()
        await self._link.close()

    async def _wind_up(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._end_segment()
        if self._incoming is not None:
            incoming, self._incoming = self._incoming, None
            await incoming.close()
        if self._failure is not None and not self._hurry:
            self._spawn(self._adopt())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=HURRY if self._hurry else LINGER)

    def _follow(self, body: m.EventBody) -> None:
        match body:
            case m.RecordingStopped() | m.SharingStopped() | m.SessionEnded():
                self._end_segment()
                if self._incoming is not None:
                    self._spawn(self._incoming.close())
                    self._incoming = None
            case m.SharingResumed() | m.RecordingStarted():
                if self._incoming is not None and self._incoming.reception is not None:
                    self._incoming.reception.resume(self._loop.time())

    async def _take(self, sender: str, message: m.Relayed) -> None:
        match message:
            case m.Offer():
                await self._answer(sender, message)
            case m.Candidate(connection=connection) if self._incoming and self._incoming.connection == connection:
                await self._add_candidate(self._incoming, message)

    async def _answer(self, sender: str, offer: m.Offer) -> None:
        servers = [
            RTCIceServer(urls=server.urls, username=server.username, credential=server.credential)
            for server in self._link.ice_servers
        ]
        peer = peer_connection(servers)
        incoming, before = Incoming(offer, sender, peer), self._incoming
        try:
            await self._negotiate(incoming, offer)
        except Exception as error:  # aiortc's parsers raise whatever they like on hostile input
            log.warning("offer not understood", error=type(error).__name__)
            await incoming.close()
            return
        self._incoming = incoming
        if before is not None:
            self._end_segment()
            self._spawn(before.close())

    async def _negotiate(self, incoming: Incoming, offer: m.Offer) -> None:
        peer = incoming.peer
        video = peer.addTransceiver("video", direction="recvonly")
        capabilities = RTCRtpReceiver.getCapabilities("video")
        assert capabilities is not None
        video.setCodecPreferences([c for c in capabilities.codecs if c.mimeType in ("video/VP8", "video/rtx")])
        if "\nm=audio" in offer.sdp:
            peer.addTransceiver("audio", direction="inactive")
        await peer.setRemoteDescription(RTCSessionDescription(sdp=_literal_only(offer.sdp), type="offer"))
        incoming.attachment = Attachment(video, lambda frame, now: self._write(incoming, frame, now))
        await peer.setLocalDescription()
        link, to, connection = self._link, incoming.customer, incoming.connection
        link.pass_on(m.Answer(to=to, connection=connection, sdp=peer.localDescription.sdp))
        end = m.Candidate(to=to, connection=connection, candidate="", sdp_mid=None, sdp_m_line_index=0)
        link.pass_on(end)

        @peer.on("connectionstatechange")  # type: ignore[misc, unused-ignore]
        def changed() -> None:
            if peer.connectionState in ("failed", "closed") and self._incoming is incoming:
                self._end_segment()
                self._ask_again(incoming.customer)

    async def _add_candidate(self, incoming: Incoming, message: m.Candidate) -> None:
        if not message.candidate:
            if not incoming.named:
                await incoming.peer.addIceCandidate(None)
            return
        if not _is_literal(message.candidate):
            incoming.named = True
            return
        incoming.candidates += 1
        if incoming.candidates > MAX_CANDIDATES:
            return
        with contextlib.suppress(ValueError, AssertionError, IndexError, InvalidStateError):
            candidate = candidate_from_sdp(message.candidate.removeprefix("candidate:"))
            candidate.sdpMid, candidate.sdpMLineIndex = message.sdp_mid, message.sdp_m_line_index
            await incoming.peer.addIceCandidate(candidate)

    def _ask_again(self, customer: str) -> None:
        now = self._loop.time()
        if now - self._asked_again_at >= SILENT_AFTER:
            self._asked_again_at = now
            self._link.pass_on(m.Reoffer(to=customer))

    async def _watch_media(self) -> None:
        """Asks for a connection when there is none, and for another when this one is silent: ICE needs half a minute.

        An offer may be lost, as it is when it comes before our own link is up.
        """
        since: float | None = None
        while True:
            await asyncio.sleep(SILENT_AFTER / 6)
            state, now = self._link.state, self._loop.time()
            if state.recording != "on" or state.phase != "sharing" or not self._link.connected:
                since = None
                continue
            since = since if since is not None else now
            reception = self._incoming.reception if self._incoming else None
            heard_at = max(since, reception.heard_at or 0.0) if reception else since
            if state.customer and now - heard_at > (SILENT_AFTER if reception else OFFERED_WITHIN):
                self._ask_again(state.customer)

    def _write(self, incoming: Incoming, frame: Frame, now: float) -> None:
        if self._incoming is not incoming or incoming.reception is None:
            return
        resting = self._segment is None and now < self._rest_until
        if resting or self._link.state.recording != "on" or self._link.state.phase != "sharing":
            incoming.resync = True
            return
        if frame.size is None and (self._segment is None or incoming.resync):
            incoming.reception.want_keyframe(now)
            return
        incoming.resync = False
        if self._segment is None:
            self._segment = self._begin(incoming.reception)
        self._segment.writer.write(frame, now)

    def _begin(self, reception: Reception) -> Segment:
        assert reception.codec is not None
        name = new_id()
        segment = Segment(
            SegmentWriter(self._folder / f"{name}.webm", reception.codec, self._threads, self._failed, self._open_file),
            name,
        )
        started = m.ReportSegmentStarted(
            id=new_id(), segment=name, codec=reception.codec.CODEC, started_at=self._link.server_time()
        )
        segment.reported = self._loop.create_task(self._report_started(started, segment))
        return segment

    async def _report_started(self, message: m.ReportSegmentStarted, segment: Segment) -> bool | None:
        """Whether the segment stands on the timeline; None when we can't know, or nothing was written."""
        await segment.writer.settled.wait()
        if segment.writer.failed is not None:
            return None
        after_failure, self._failure = self._failure is not None, None
        try:
            await self._link.send(message)
        except ClosedError:
            return None
        except RefusedError as refusal:
            log.info("segment refused", code=refusal.code)
            if self._segment is segment:
                self._end_segment()
            return False
        if after_failure:
            self._spawn(self._adopt())
        return True

    def _failed(self, reason: str) -> None:
        log.error("recording failed", reason=reason)
        self._segment = None
        self._rest_until = self._loop.time() + REST
        if self._failure != reason:
            self._failure = reason
            self._spawn(self._report_failure(reason))

    async def _report_failure(self, reason: str) -> None:
        with contextlib.suppress(RefusedError, ClosedError):
            await self._link.send(m.ReportRecordingFailed(id=new_id(), reason=reason))

    def _end_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            self._spawn(self._finish(segment, self._loop.time()))

    async def _adopt(self) -> None:
        """Finishes the segments of this session that a recorder which died, or a disk that failed, left behind."""
        with contextlib.suppress(ClosedError):
            await self._link.caught_up()
            for name in [name for name, finished in self._link.state.segments.items() if not finished]:
                path = self._folder / f"{name}.webm"
                if not abandoned(path):
                    continue
                try:
                    await self._report_finished(name, await self._loop.run_in_executor(self._threads, recover, path))
                except (OSError, ValueError) as error:
                    log.warning("segment not recovered", segment=name, error=str(error))

    async def _finish(self, segment: Segment, now: float) -> None:
        try:
            finished = await segment.writer.finish(now)
        except WritingFailed:
            return
        path = segment.writer.path
        if not self._hurry:
            try:
                await self._loop.run_in_executor(self._threads, index, path, finished.duration_ms)
            except (OSError, ValueError) as error:
                log.warning("segment not indexed", segment=segment.id, error=str(error))
        known = await segment.reported if segment.reported is not None else None
        if known:
            await self._report_finished(segment.id, finished)
        elif known is False:  # the session was not to be recorded at that moment: nothing may be kept
            for unwanted in (path, indexed_path(path)):
                await self._loop.run_in_executor(self._threads, unwanted.unlink, True)

    async def _report_finished(self, name: str, finished: Finished) -> None:
        size, duration_ms, digest = finished
        report = m.ReportSegmentFinished(id=new_id(), segment=name, bytes=size, duration_ms=duration_ms, sha256=digest)
        with contextlib.suppress(RefusedError, ClosedError):
            await self._link.send(report)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
