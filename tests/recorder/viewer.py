"""An agent in Python who sees: takes every offer, shows what carries a frame first, and says which way it came."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine

from recorder.frames import Frame
from recorder.incoming import Incoming
from recorder.voices import Listening
from signaling import messages as m
from signaling.client import ClosedError, RefusedError, SignalingConnection, new_id
from signaling.rtp import Packet


class PythonViewer:
    """One agent's picture; `frames` holds (arrival, RTP timestamp, the way it came) of each that was shown."""

    def __init__(self, url: str, token: str, *, loses: Callable[[bytes], bool] = lambda _: False) -> None:
        self.link = SignalingConnection(url, token)
        self.shown: Incoming | None = None
        self.next: Incoming | None = None
        self.frames: list[tuple[float, m.Path]] = []
        self.heard: list[bytes] = []
        self.lost = 0
        self._loses = loses
        self._mouths: dict[str, Listening] = {}
        self._said = 0
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Takes part until the session ends or the task is cancelled."""
        try:
            async with self.link:
                async for heard in self.link:
                    if isinstance(heard, m.Relay):
                        await self._take(heard.sender, heard.message)
                    elif isinstance(heard, m.Event) and isinstance(heard.body, m.SessionEnded):
                        return
        finally:
            for incoming in (self.shown, self.next):
                if incoming is not None:
                    await incoming.close()

    def ask_customer(self) -> None:
        """Wants the picture straight from the customer again."""
        customer = self.link.state.customer
        assert customer is not None
        self.link.pass_on(m.Reoffer(to=customer))

    def say(self, payload: bytes) -> None:
        """A packet of this agent's voice, over the connection that is shown."""
        assert self.shown is not None
        assert self.shown.attachment is not None
        mouth = self._mouths.get(self.shown.connection) or self.shown.attachment.listening()
        assert mouth is not None
        self._mouths[self.shown.connection] = mouth
        self._said += 1
        packet = Packet(111, False, self._said & 0xFFFF, self._said * 960, 1, payload, None)
        mouth.packet("me", packet, self._loop.time())

    @property
    def gap(self) -> float:
        """The longest time without a frame, in seconds."""
        times = [at for at, _ in self.frames]
        return max((after - before for before, after in itertools.pairwise(times)), default=0.0)

    def came_by(self, path: m.Path) -> int:
        """How many of the frames shown came this way."""
        return sum(way == path for _, way in self.frames)

    async def _take(self, sender: str, message: m.Relayed) -> None:
        match message:
            case m.Offer():
                incoming = Incoming(message, sender, self.link.ice_servers)
                if self.next is not None:
                    self._begin(self.next.close())
                self.next = incoming
                for answer in await incoming.accept(message.sdp, self._deliver, self._gone):
                    self.link.pass_on(answer)
                reception = incoming.reception
                assert reception is not None
                taken = reception.rtp
                if incoming.attachment is not None and incoming.attachment.voice is not None:
                    incoming.attachment.voice.on_packet = lambda packet, now: self.heard.append(packet.payload)

                def rtp(data: bytes, now: float) -> None:
                    if self._loses(data):
                        self.lost += 1
                    else:
                        taken(data, now)

                reception.rtp = rtp  # type: ignore[method-assign]
            case m.Candidate(connection=connection):
                for each in (self.shown, self.next):
                    if each is not None and each.connection == connection:
                        await each.candidates.add(message)

    def _path(self, incoming: Incoming) -> m.Path:
        return "recorder" if self.link.state.participants[incoming.sender].role == "recorder" else "direct"

    def _deliver(self, incoming: Incoming, frame: Frame, now: float) -> None:
        if incoming is self.next:
            before, self.shown, self.next = self.shown, incoming, None
            if before is not None:
                self._begin(before.close())
            self._begin(self._report(self._path(incoming)))
        if incoming is self.shown:
            self.frames.append((self._loop.time(), self._path(incoming)))

    def _gone(self, incoming: Incoming) -> None:
        pass

    async def _report(self, path: m.Path) -> None:
        try:
            await self.link.send(m.ReportPath(id=new_id(), path=path))
        except (RefusedError, ClosedError):
            return

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
