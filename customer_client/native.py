"""The native customer: a participant whose screen is the real desktop, and whose person sits in front of it.

It lives on an event loop in a thread of its own and composes all other parts: the face shows what is so and says what
the person wants, the tap lets the screen out, the overlay shows the ink. Whatever closes the tap does so first and
tells the server afterwards.
"""

import asyncio
import contextlib

import structlog

from annotate.pointers import PointerMark
from customer_client import admission
from customer_client.admission import Place
from customer_client.brake import Brake
from customer_client.capture.masks import Masks
from customer_client.capture.surfaces import Source
from customer_client.chronicle import Chronicle
from customer_client.faces.face import (
    Agree,
    Answer,
    Apart,
    Close,
    Cover,
    Decline,
    Face,
    Intent,
    Intents,
    Pause,
    Rate,
    Report,
    Resume,
    Say,
    SendPicture,
    ShareAgain,
    Stop,
    Switch,
    View,
)
from customer_client.faces.views import Situation, view_of
from customer_client.screen import ScreenCustomer
from customer_client.words import Words
from signaling import messages as m
from signaling.client import ClosedError, RefusedError, new_id

log = structlog.get_logger()

LOOK_EVERY_S = 0.5
ASK_LINE_EVERY_S = 5.0
LEAVE_WITHIN_S = 5.0


class NativeCustomer(ScreenCustomer):
    """One session's customer at this computer, from the redeemed invitation to the farewell."""

    def __init__(self, server_url: str, place: Place, face: Face, intents: Intents, brake: Brake, words: Words) -> None:
        super().__init__(server_url, place, face, brake, words)
        self._place = place
        self._intents = intents
        self._chronicle = Chronicle()
        self._before = self.link.state
        self._view: View | None = None
        self._caught_up = False
        self._again = False
        self._declined = self._unasked = False
        self._notice = ""
        self._left = False
        self._line: admission.Line | None = None
        self._rated: int | None = None

    # --- A participant ---

    async def take_part(self) -> None:
        """Takes part until the session is over and the person is done with it."""
        obeying = asyncio.create_task(self._obey_all())
        looking = asyncio.create_task(self._look())
        try:
            with contextlib.suppress(ClosedError):
                await self.run()
            self._close_tap()
            self.show()
            await obeying
        finally:
            for task in (obeying, looking):
                task.cancel()
            await asyncio.gather(obeying, looking, return_exceptions=True)
            await self.close_screen()

    # --- What happens ---

    def hear(self, heard: m.Event | m.Relay | m.Presence) -> None:
        match heard:
            case m.Presence():
                self._caught_up = True
                self._decline_voice()
            case m.Event():
                self._chronicle = self._chronicle.after(heard, self._before, self.link.participant)
                self._follow_event(heard)
                self._before = self.link.state
                (self._seen.set if self._before.seen else self._seen.clear)()
            case m.Relay(sender=sender, message=message):
                self._follow_relay(sender, message)
        self.show()

    def changed(self) -> None:
        self.show()

    def refused(self, message: m.DurableMessage, refusal: RefusedError) -> None:
        super().refused(message, refusal)
        if isinstance(message, m.StartSharing):
            self._close_tap()
            self._again, self._notice = True, "alone" if refusal.code == "no_agent" else "refused"
        elif isinstance(message, m.Say):
            self._face.tell("said.failed")
        self.show()

    def _follow_event(self, event: m.Event) -> None:
        mine, fresh = event.actor == self.link.participant, self._caught_up
        self._ink.board(self.link.state.board)
        match event.body:
            case m.SharingStarted() if fresh and mine:
                self._face.tell("started", agent=self._agent())
            case m.SharingPaused() if not mine:
                self._hold(True)
            case m.SharingResumed() if not mine:
                self._hold(False)
            case m.SharingStopped() if not mine and self._sharing:
                self._close_tap()
                self._notice = "away"
                self._again = True
            case m.SessionEnded():
                self._close_tap()
            case m.Left(participant=participant):
                self._ink.forget(participant)
            case m.ConsentAsked(scope="view"):
                self._declined = False
            case m.ConsentGiven(scope="control") | m.ConsentWithdrawn(scope="control"):
                self.spawn(self._handover.follow(isinstance(event.body, m.ConsentGiven)))
            case m.ConsentAsked(scope="voice"):
                self._decline_voice()
            case m.SurfaceShown() | m.SnapshotTaken():
                self._place_ink()
        told = {
            m.RecordingStarted: "recording.on",
            m.RecordingStopped: "recording.off",
            m.SnapshotTaken: "snapshot",
            m.AnnotationAdded: "drawn",
        }.get(type(event.body))
        if told and fresh and not (mine and told == "drawn"):
            self._face.tell(told, agent=self._name(event.actor))

    def _follow_relay(self, sender: str, message: m.Relayed) -> None:
        match message:
            case m.Pointer(surface=surface, x=x, y=y, visible=visible):
                mark = PointerMark((x, y), self._name(sender), self._ink.color(self.link.state, sender))
                self._ink.point(sender, surface, mark if visible else None)
            case m.Drawing(annotation=annotation):
                self._ink.draw(sender, annotation)
            case m.Control(surface=surface) if sender == self.link.state.controlled_by and not self._paused:
                if self._surface and surface == self._surface.id:
                    self._handover.apply(message)

    def _decline_voice(self) -> None:
        """This program has no microphone: whoever asks gets a no rather than silence."""
        if self._caught_up and self.link.state.consents.get("voice") == "asked":
            self.send(m.GiveConsent(id=new_id(), scope="voice", granted=False), "voice")

    # --- What the person wants ---

    async def _obey_all(self) -> None:
        while True:
            intent = await self._intents.take()
            if isinstance(intent, Close):
                await self._leave()
                return
            await self._obey(intent)
            self.show()

    async def _obey(self, intent: Intent) -> None:
        match intent:
            case Agree(apart=apart, source=source, masks=masks):
                await self._agree(apart, source, masks)
            case Decline(unasked=unasked):
                self._declined, self._unasked = True, unasked
                self.send(m.GiveConsent(id=new_id(), scope="view", granted=False))
                if unasked:
                    self._report()
            case Pause():
                self._brake.told()
                if not self._paused:
                    self._paused = True
                    self._close_capture()
                    self.send(m.PauseSharing(id=new_id()))
            case Resume():
                await self._resume(tell=True)
            case Stop():
                self._brake.told()
                self._stop()
            case Say(text=text):
                self.send(m.Say(id=new_id(), text=text))
            case Switch(source=source, masks=masks):
                await self._switch(source, masks)
            case Cover(masks=masks):
                self._masks = masks
                self._tap.cover(masks)
            case Answer(scope="control", granted=granted):
                self._handover.answer(granted)
            case Answer(scope=scope, granted=granted):
                if granted and self.link.state.controlled_by:
                    self._handover.answer(False)  # nothing is agreed to while somebody else has the keyboard
                self.send(m.GiveConsent(id=new_id(), scope=scope, granted=granted))
            case SendPicture(source=source, masks=masks):
                self.spawn(self._send_picture(source, masks))
            case Report():
                self._stop()
                self._report()
            case ShareAgain():
                self._again, self._declined, self._notice = True, False, ""
            case Rate(face=score):
                if await admission.rate(self._server_url, self._place.token, score):
                    self._rated = score
                else:
                    self._face.tell("failed")

    async def _agree(self, apart: frozenset[Apart], source: Source | None, masks: Masks) -> None:
        state = self.link.state
        self._again, self._declined, self._notice, self._stopped_at = False, False, "", None
        self.send(m.GiveConsent(id=new_id(), scope="view", granted=True))
        if state.ask_recording or state.consents.get("record") == "asked":
            self.send(m.GiveConsent(id=new_id(), scope="record", granted="record" in apart))
        if source is None:
            self._pictures = True
            surface = m.Surface(id=new_id(), kind="picture", label="", width=1, height=1)
            self.send(m.StartSharing(id=new_id(), surface=surface))
            return
        if not await self._share(source, masks):
            self.send(m.GiveConsent(id=new_id(), scope="view", granted=False))
            self._again, self._notice = True, "gone" if self._brake.free else ""

    def _report(self) -> None:
        """The words stand on the timeline, where nobody of those whom they are about can take them away."""
        self.send(m.Say(id=new_id(), text=self._words("report.said")))

    def _stop(self) -> None:
        shared = self._sharing
        self._close_tap()
        if shared:
            self.send(m.StopSharing(id=new_id()))
        self.settle()

    async def _leave(self) -> None:
        """Goes for good."""
        self._left = True
        self._close_tap()
        with contextlib.suppress(RefusedError, ClosedError, TimeoutError):
            await asyncio.wait_for(self.link.send(m.Leave(id=new_id())), LEAVE_WITHIN_S)
        await self.link.close()

    # --- What is shown ---

    async def _look(self) -> None:
        """What no event tells: the link, and the place in the line."""
        asked_at = 0.0
        while True:
            state = self.link.state
            if state.agent is None and self._caught_up and self._loop.time() - asked_at > ASK_LINE_EVERY_S:
                asked_at = self._loop.time()
                self._line = await admission.line(self._server_url, self._place.token) or self._line
            self.show()
            await asyncio.sleep(LOOK_EVERY_S)

    def show(self) -> None:
        if not self._left and (view := self._now()) != self._view:
            self._view = view
            self._face.show(view)

    def _now(self) -> View:
        return view_of(
            Situation(
                state=self.link.state,
                chronicle=self._chronicle,
                server=self._server_url,
                closed=self.link.closed,
                caught_up=self._caught_up,
                online=self.link.connected,
                present=self.connected,
                fed=self.snapshots.viewers.union(self.fed),
                verification=self.verification(),
                position=self._line.position if self._line else None,
                sharing=self._sharing,
                source=self._source,
                masks=self._masks,
                paused=self._paused,
                again=self._again,
                declined=self._declined,
                unasked=self._unasked,
                notice=self._notice,
                rated=self._rated,
            ),
            self._stopped_at or self.link.server_time(),
            lambda now: self._chronicle.receipt(self._words, now, self.link.state, self._place.session),
        )

    def _agent(self) -> str:
        return self.link.state.agent_name or ""

    def _name(self, participant: str) -> str:
        known = self.link.state.participants.get(participant)
        return known.name if known else ""
