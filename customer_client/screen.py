"""This computer's screen as a customer's picture: what is shared of it, over which connections, with which ink upon it.

Who sits in front of it, and what is asked of that person, is left to `native.py`.
"""

import abc
import asyncio
import contextlib

import structlog

from customer_client.brake import Brake
from customer_client.capture.masks import Masks
from customer_client.capture.screen_capture import Captured
from customer_client.capture.surfaces import CaptureUnavailable, Cover as Unseen, Source
from customer_client.control.handover import Handover
from customer_client.control.hands import controllable
from customer_client.faces.face import Face
from customer_client.faces.status import name_of
from customer_client.faces.views import controller_of
from customer_client.overlay.ink import Ink
from customer_client.participant import CustomerParticipant, Outgoing, Participation, Still
from customer_client.sending.live_snapshots import Look
from customer_client.sending.stream import ScreenOutgoing, ScreenStream
from customer_client.sending.tap import Tap, one_picture
from customer_client.words import Words
from signaling import messages as m
from signaling.client import new_id

log = structlog.get_logger()

AGREED_WITHIN_S = 10.0


class ScreenCustomer(CustomerParticipant):
    """A customer who shares a monitor or a window of this computer, or pictures of them."""

    def __init__(self, server_url: str, place: Participation, face: Face, brake: Brake, words: Words) -> None:
        super().__init__(server_url, place)
        self._face = face
        self._brake = brake
        self._words = words
        self._loop = asyncio.get_running_loop()
        self._ink = Ink(self.link.server_time)
        self._tap = Tap(self._measured_anywhere, self._gone_anywhere, self._unseen)
        self._stream = ScreenStream(self._tap.encoder)
        self._handover = Handover(
            lambda: self._tap.source, self.send, lambda told: face.tell(told, agent=controller_of(self.link.state))
        )
        self._source: Source | None = None
        """What the person shares live, also while it is paused."""
        self._masks = Masks()
        self._surface: m.Surface | None = None
        self._pictures = False
        """Whether pictures are shared instead of anything live."""
        self._paused = False
        self._stopped_at: int | None = None
        self._seen = asyncio.Event()
        brake.stops[:] = [self._tap.close, self._handover.revoke, self._ink.clear]

    @abc.abstractmethod
    def show(self) -> None:
        """Told when what the person is to see may have changed."""

    async def close_screen(self) -> None:
        """Lets go of everything, for good."""
        self._brake.stops.clear()
        self._stream.close()
        await asyncio.to_thread(self._tap.end)
        await asyncio.to_thread(self._ink.close)

    # --- A participant ---

    @property
    def sends(self) -> bool:
        return self._source is not None

    def open_outgoing(self, viewer: str, servers: list[m.IceServer]) -> Outgoing:
        return ScreenOutgoing(self._stream, servers)

    async def still(self) -> Still | None:
        source, state = self._source, self.link.state
        if source is None or self._paused or not state.seen:
            return None
        try:
            still = await asyncio.to_thread(self._tap.still, self._label(source))
        except CaptureUnavailable:
            return None
        return still if self._source is source and not self._paused else None

    async def look(self) -> Look | None:
        captured, surface, state = self._tap.latest, self._surface, self.link.state
        if captured is None or surface is None or self._source is None or self._paused or state.phase != "sharing":
            return None
        if captured.source.key != self._source.key or state.surface is None or state.surface.id != surface.id:
            return None  # the other source is not there yet, or the server does not know of it
        return Look(surface.id, captured.number, captured.picture)

    # --- Sharing ---

    @property
    def _sharing(self) -> bool:
        state = self.link.state
        return self._source is not None or (self._pictures and state.phase in ("consent_asked", "sharing", "paused"))

    async def _share(self, source: Source, masks: Masks) -> bool:
        """Begins to share this, live; whether it could."""
        try:
            if not await self._open_tap(source, masks):
                return False
        except CaptureUnavailable as error:
            log.warning("nothing captured", code=error.code)
            return False
        self._stopped_at = None
        self._surface = self._surface_of(source, new_id())
        self.send(m.StartSharing(id=new_id(), surface=self._surface, controllable=self._controllable(source)))
        self._place_ink()
        self.settle()
        return True

    async def _open_tap(self, source: Source, masks: Masks) -> bool:
        """Opens the tap, unless the person has braked since; whether it is open."""
        if self._brake.free:
            await asyncio.to_thread(self._tap.start, source, masks)
            if self._brake.free:
                self._source, self._masks, self._paused = source, masks, False
                return True
            self._tap.close()
        return False

    def _hold(self, held: bool) -> None:
        """The server pauses what could not be recorded, and lets it go on by itself."""
        if self._source is None:
            return
        if held:
            self._paused = True
            self._close_capture()
        else:
            self.spawn(self._resume(tell=False))

    async def _resume(self, *, tell: bool) -> None:
        source = self._source
        if source is None or not self._paused or self.link.state.must_hold:
            return
        try:
            opened = await self._open_tap(source, self._masks)
        except CaptureUnavailable:
            self._face.tell("gone", source=name_of(source, self._words))
            return
        if opened:
            if tell:
                self.send(m.ResumeSharing(id=new_id()))
            self._face.tell("resumed")
            self._place_ink()
            self.show()

    async def _switch(self, source: Source, masks: Masks) -> None:
        if self._source is None:
            return
        if self._paused:
            self._source, self._masks = source, masks
        elif not await self._opened_instead(source, masks):
            return
        self._surface = self._surface_of(source, new_id())
        self._handover.revoke()
        self.send(m.ChangeSurface(id=new_id(), surface=self._surface, controllable=self._controllable(source)))
        self._place_ink()
        self._face.tell("switched", source=name_of(source, self._words))

    async def _opened_instead(self, source: Source, masks: Masks) -> bool:
        try:
            return await self._open_tap(source, masks)
        except CaptureUnavailable:  # what was shared before goes on
            self._face.tell("gone", source=name_of(source, self._words))
            return False

    async def _send_picture(self, source: Source, masks: Masks) -> None:
        try:
            still = await asyncio.to_thread(one_picture, source, masks, self._label(source), self._unseen)
        except CaptureUnavailable:
            self._face.tell("picture.failed")
            return
        with contextlib.suppress(TimeoutError):  # this picture may be all that the person has agreed to, just now
            await asyncio.wait_for(self._seen.wait(), AGREED_WITHIN_S)
        surface = await self.upload(still, None) if self.link.state.seen else None
        if surface is None:
            self._face.tell("picture.failed")
            return
        self._face.tell("picture.sent")
        if self._pictures:
            self.send(m.ShowSurface(id=new_id(), surface=surface))

    # --- Closing ---

    def _close_capture(self) -> None:
        self._tap.close()
        self.snapshots.interrupt()
        self._handover.revoke()
        self._ink.place(None, None)

    def _close_tap(self) -> None:
        """From here on nothing leaves this computer, whatever the network does."""
        if self._sharing:
            self._stopped_at = self.link.server_time()
        self._close_capture()
        self._source = self._surface = None
        self._masks = Masks()
        self._paused = self._pictures = False
        self.hang_up()

    # --- The screen ---

    def _unseen(self) -> Unseen:
        """What is left out of the picture: the ink, and of the face what shows more than what is shared."""
        ink, face = self._ink.covers(), self._face.covers()
        return Unseen(ink.windows | face.windows, ink.areas + face.areas)

    def _label(self, source: Source) -> str:
        return self._words(f"surface.{source.kind}")

    def _controllable(self, source: Source) -> bool:
        return self._face.guarded and controllable(source)

    def _surface_of(self, source: Source, surface: str) -> m.Surface:
        return m.Surface(
            surface, source.kind, self._label(source), max(1, source.area.width), max(1, source.area.height)
        )

    def _place_ink(self) -> None:
        """Puts the ink over what is shared; that of a frozen frame as well, as long as it shows the same thing."""
        state, surface = self.link.state, self._surface
        frozen = state.snapshots.get(state.shown or "")
        if surface and frozen and (frozen.kind, frozen.width, frozen.height) == (
            surface.kind, surface.width, surface.height,
        ):  # fmt: skip
            surface = frozen
        self._ink.place(self._source if not self._paused else None, surface.id if surface else None)

    def _measured_anywhere(self, captured: Captured) -> None:
        self._loop.call_soon_threadsafe(self._measured, captured)

    def _measured(self, captured: Captured) -> None:
        """The size or the place of what is shared may be another one now."""
        source, surface = self._source, self._surface
        if source is None or surface is None or captured.source.key != source.key:
            return
        self._source = captured.source
        height, width = captured.picture.shape[:2]
        if (surface.width, surface.height) != (width, height):
            self._surface = m.Surface(surface.id, surface.kind, surface.label, width, height)
            may = self._controllable(captured.source)
            self.send(m.ChangeSurface(id=new_id(), surface=self._surface, controllable=may))
        self._place_ink()
        self.show()

    def _gone_anywhere(self, source: Source) -> None:
        self._loop.call_soon_threadsafe(self._gone, source)

    def _gone(self, source: Source) -> None:
        """A window was closed, or a monitor unplugged: nothing is shown until the person has chosen again."""
        if self._source is None or self._source.key != source.key or self._paused:
            return
        self._paused = True
        self._close_capture()
        self.send(m.PauseSharing(id=new_id()))
        self._face.tell("gone", source=name_of(source, self._words))
        self.show()
