"""One session's recorder: a participant that answers the customer's offer and writes what it receives.

It writes only while the timeline says that recording is on and sharing is not paused. A new offer or a new sharing
begins a new segment. It outlives the loss of its signaling link: the picture comes from peer to peer, so it goes on
writing and reports when the link is back.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from concurrent.futures import Executor
from functools import partial

import structlog

from recorder import steps
from recorder.archive import Archive, Finished
from recorder.frames import Codec, Frame
from recorder.incoming import Incoming
from recorder.relay import Relay
from recorder.segment_writer import SegmentWriter, WritingFailed
from signaling import messages as m
from signaling.client import ClosedError, RefusedError, SignalingConnection, new_id

log = structlog.get_logger()

SILENT_AFTER = 4.0
ASK_EVERY = 6.0
"""Seconds; what was asked for may take five to gather its candidates when the TURN server does not answer."""
OFFERED_WITHIN = 3.0
REST = 5.0
"""Seconds after a failure of the disk before another segment is tried."""
ADOPT_EVERY = 20.0
GROWTH_EVERY = 60.0
LINGER = 20.0
"""Seconds in which the end of a recording may still be reported after everything has stopped."""
HURRY = 2.0


class Segment:
    """A file being written: from the first keyframe to the end of its connection or of the recording."""

    def __init__(self, writer: SegmentWriter, segment_id: str) -> None:
        self.id = segment_id
        self.writer = writer
        self.reported: asyncio.Task[bool | None] | None = None
        self.growth: asyncio.Task[None] | None = None


class SessionRecorder:
    """Records one session into `archive` until the session ends or `stop` is called."""

    def __init__(
        self,
        server_url: str,
        token: str,
        archive: Archive,
        threads: Executor,
        *,
        growth_every: float = GROWTH_EVERY,
    ) -> None:
        self._link = SignalingConnection(server_url, token)
        self._archive = archive
        self._threads = threads
        self._growth_every = growth_every
        self._loop = asyncio.get_running_loop()
        self._incoming: Incoming | None = None
        self._segment: Segment | None = None
        self._voices: dict[str, Segment] = {}
        """By agent: what each says, in a file of its own."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._hurry = False
        self._asked_again_at = 0.0
        self._failure: str | None = None
        self._rest_until = 0.0
        self._probing = False
        self._stuck = 0
        """Segments whose file the disk has not let go of yet."""
        self._relay = Relay(self._link, self._hear)
        self._joined = False

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
                            self._relay.follow(heard)
                            self._follow(body)
                            if isinstance(body, m.SessionEnded) or self._replaced(body):
                                break
                        case m.Relay(sender=sender, message=message):
                            await self._take(sender, message)
            finally:
                await self._wind_up()

    async def stop(self, *, hurry: bool = False) -> None:
        """Finishes the segment in order, and leaves; in a hurry what is still to be reported is not waited for."""
        self._hurry = hurry
        await self._wind_up()
        if not hurry:
            with contextlib.suppress(RefusedError, ClosedError, TimeoutError):
                await asyncio.wait_for(self._link.send(m.Leave(id=new_id())), HURRY)
        await self._link.close()

    async def _wind_up(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._end_segment()
        self._end_voices()
        incoming, self._incoming = self._incoming, None
        await self._relay.close()
        if incoming is not None:
            await incoming.close()
        if self._failure is not None and not self._hurry:
            self._spawn(self._adopt())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=HURRY if self._hurry else LINGER)

    def _replaced(self, body: m.EventBody) -> bool:
        """Whether another recorder has taken the session over. Others may have been there before."""
        if not isinstance(body, m.Joined) or body.role != "recorder":
            return False
        own = body.participant == self._link.participant
        self._joined |= own
        return self._joined and not own

    def _follow(self, body: m.EventBody) -> None:
        match body:
            case m.RecordingStopped() | m.SharingStopped() | m.SessionEnded():
                self._end_segment()
                self._end_voices()
                passes_on = isinstance(body, m.RecordingStopped) and self._relay.carries
                if self._incoming is not None and not passes_on:
                    self._spawn(self._incoming.close())
                    self._incoming = None
            case m.Left(participant=agent) if agent in self._voices:
                self._end(self._voices[agent])
            case m.ConsentWithdrawn(scope="voice"):
                self._end_voices()
            case m.SharingResumed() | m.RecordingStarted():
                if self._incoming is not None and self._incoming.reception is not None:
                    self._incoming.reception.resume(self._loop.time())

    async def _take(self, sender: str, message: m.Relayed) -> None:
        match message:
            case m.Offer():
                await self._answer(sender, message)
            case m.Candidate(connection=connection) if self._incoming and self._incoming.connection == connection:
                await self._incoming.candidates.add(message)
            case m.Answer() | m.Candidate() | m.Reoffer():
                await self._relay.take(sender, message)

    async def _answer(self, sender: str, offer: m.Offer) -> None:
        incoming, before = Incoming(offer, sender, self._link.ice_servers), self._incoming
        try:
            answer = await incoming.accept(offer.sdp, self._write, self._lost)
        except Exception as error:  # aiortc's parsers raise whatever they like on hostile input
            log.warning("offer not understood", error=type(error).__name__)
            await incoming.close()
            return
        for message in answer:
            self._link.pass_on(message)
        self._incoming = incoming
        self._relay.feed(incoming)
        if before is not None:
            self._end_segment()
            self._spawn(before.close())

    def _lost(self, incoming: Incoming) -> None:
        if self._incoming is incoming:
            self._end_segment()
            self._ask_again(incoming.sender)

    def _ask_again(self, customer: str) -> None:
        now = self._loop.time()
        if now - self._asked_again_at >= ASK_EVERY:
            self._asked_again_at = now
            self._link.pass_on(m.Reoffer(to=customer))

    async def _watch_media(self) -> None:
        """Asks for a connection when there is none, and for another when this one is silent: ICE needs half a minute.

        An offer may be lost, as it is when it comes before our own link is up.
        """
        since: float | None = None
        adopted_at = self._loop.time()
        while True:
            await asyncio.sleep(SILENT_AFTER / 6)
            state, now = self._link.state, self._loop.time()
            if now - adopted_at > ADOPT_EVERY:  # one that we took over from may have written on for a while
                adopted_at = now
                self._spawn(self._adopt())
            if state.held and self._link.connected and not self._probing and now >= self._rest_until:
                self._probing = True
                self._spawn(self._probe())
            if not (state.recording == "on" or state.relayed) or state.phase != "sharing" or not self._link.connected:
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
        resting = self._segment is None and (now < self._rest_until or self._stuck > 0)
        if resting or self._link.state.recording != "on" or self._link.state.phase != "sharing":
            incoming.resync = True
            return
        if frame.codec.KIND == "audio":
            agreed = self._link.state.consents.get("voice") == "given"
            if agreed and self._segment is not None and not incoming.resync:
                self._segment.writer.write(frame, now)
            return
        if frame.size is None and (self._segment is None or incoming.resync):
            incoming.reception.want_keyframe(now)
            return
        incoming.resync = False
        if frame.size is not None and self._segment is not None and not self._segment.writer.suits(frame):
            self._end_segment()
        if self._segment is None:
            self._segment = self._begin(incoming.codecs, incoming.sender, now - frame.time)
        self._segment.writer.write(frame, now)

    def _hear(self, agent: str, frame: Frame, now: float) -> None:
        """What an agent says over the connection that hands the picture on."""
        state = self._link.state
        agreed = state.recording == "on" and state.phase == "sharing" and state.consents.get("voice") == "given"
        if not agreed or now < self._rest_until or self._stuck > 0:
            return
        if agent not in self._voices:
            self._voices[agent] = self._begin([frame.codec], agent, now - frame.time)
        self._voices[agent].writer.write(frame, now)

    def _begin(self, codecs: Sequence[Codec], participant: str, age: float) -> Segment:
        """A segment whose first frame was captured `age` seconds ago."""
        name = new_id()
        segment = Segment(
            SegmentWriter(partial(self._archive.create, name), codecs, self._threads, self._failed),
            name,
        )
        started = m.ReportSegmentStarted(
            id=new_id(),
            segment=name,
            participant=participant,
            codec=codecs[0].CODEC,
            started_at=self._link.server_time() - round(age * 1000),
        )
        segment.reported = self._loop.create_task(self._report_started(started, segment))
        segment.growth = self._loop.create_task(self._report_growth(segment))
        return segment

    async def _report_started(self, message: m.ReportSegmentStarted, segment: Segment) -> bool | None:
        """Whether the segment stands on the timeline; None when we can't know, or nothing was written."""
        await segment.writer.settled.wait()
        if segment.writer.failed is not None:
            return None
        after_failure, self._failure = self._failure is not None, None
        if self._link.state.recording_failed is not None:
            self._spawn(self._report_restored())
        try:
            await self._link.send(message)
            steps.reached("start_reported")
        except ClosedError:
            return None
        except RefusedError as refusal:
            log.info("segment refused", code=refusal.code)
            if segment is self._segment or segment in self._voices.values():
                self._end(segment)
            return False
        if after_failure:
            self._spawn(self._adopt())
        return True

    async def _report_growth(self, segment: Segment) -> None:
        """Puts the digest of what is on disk onto the timeline from time to time, for the checkpoints to cover it."""
        reported = 0
        while True:
            await asyncio.sleep(self._growth_every)
            size, digest = segment.writer.grown
            if size > reported:
                reported = size
                with contextlib.suppress(RefusedError, ClosedError):
                    await self._link.send(m.ReportSegmentGrown(new_id(), segment.id, size, digest))

    def _failed(self, reason: str) -> None:
        log.error("recording failed", reason=reason)
        for segment in [*self._voices.values(), *([self._segment] if self._segment else [])]:
            if segment.writer.failed is not None:
                self._forget(segment)
                self._stuck += 1
                self._spawn(self._unstick(segment))
        self._rest_until = self._loop.time() + REST
        if self._failure != reason:
            self._failure = reason
            self._spawn(self._report_failure(reason))

    async def _report_restored(self) -> None:
        with contextlib.suppress(RefusedError, ClosedError):
            await self._link.send(m.ReportRecordingRestored(id=new_id()))

    async def _probe(self) -> None:
        """While the sharing is held back no frame comes to try the disk with."""
        try:
            await self._loop.run_in_executor(self._threads, self._archive.probe)
        except OSError:
            self._rest_until = self._loop.time() + REST
        else:
            self._failure = None
            await self._report_restored()
            await self._adopt()
        finally:
            self._probing = False

    async def _unstick(self, segment: Segment) -> None:
        """A disk that hangs gets nothing new to do: what waits for it would only pile up."""
        await segment.writer.let_go()
        self._stuck -= 1

    async def _report_failure(self, reason: str) -> None:
        with contextlib.suppress(RefusedError, ClosedError):
            await self._link.send(m.ReportRecordingFailed(id=new_id(), reason=reason))

    def _end_segment(self) -> None:
        if self._segment is not None:
            self._end(self._segment)

    def _end_voices(self) -> None:
        for segment in list(self._voices.values()):
            self._end(segment)

    def _end(self, segment: Segment) -> None:
        self._forget(segment)
        self._spawn(self._finish(segment, self._loop.time()))

    def _forget(self, segment: Segment) -> None:
        """Nothing more is written into it."""
        self._segment = None if segment is self._segment else self._segment
        self._voices = {agent: each for agent, each in self._voices.items() if each is not segment}
        if segment.growth is not None:
            segment.growth.cancel()

    async def _adopt(self) -> None:
        """Finishes the segments of this session that a recorder which died, or a disk that failed, left behind."""
        with contextlib.suppress(ClosedError):
            await self._link.caught_up()
            for name in [name for name, finished in self._link.state.segments.items() if not finished]:
                if not await self._loop.run_in_executor(self._threads, self._archive.abandoned, name):
                    continue
                try:
                    recovered = await self._loop.run_in_executor(self._threads, self._archive.recover, name)
                    await self._report_finished(name, recovered)
                except (OSError, ValueError) as error:
                    log.warning("segment not recovered", segment=name, error=str(error))

    async def _finish(self, segment: Segment, now: float) -> None:
        try:
            finished = await segment.writer.finish(now)
        except WritingFailed:
            return
        known = await segment.reported if segment.reported is not None else None
        if known:
            await self._report_finished(segment.id, finished)
        elif known is False:  # the session was not to be recorded at that moment: nothing may be kept
            await self._loop.run_in_executor(self._threads, self._archive.shred, segment.id)

    async def _report_finished(self, name: str, finished: Finished) -> None:
        size, duration_ms, digest = finished
        report = m.ReportSegmentFinished(id=new_id(), segment=name, bytes=size, duration_ms=duration_ms, digest=digest)
        with contextlib.suppress(RefusedError, ClosedError):
            await self._link.send(report)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
