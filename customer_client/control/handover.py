"""Control in a session: what this person granted, to one agent, for what is shared at this moment, until it is over.

The server says whom it was granted to; this computer believes that only after a yes of its own person.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from customer_client.capture.surfaces import Source
from customer_client.control.hands import ControlUnavailable
from signaling import messages as m
from signaling.client import new_id

if TYPE_CHECKING:
    from customer_client.control.control import Control
    from customer_client.control.touch import Touch

log = structlog.get_logger()

Send = Callable[[m.DurableMessage], None]
Tell = Callable[[str], None]


class Handover:
    """`source` says where what is shared lies now; `tell` is told what the person has to know. On one event loop."""

    def __init__(self, source: Callable[[], Source | None], send: Send, tell: Tell) -> None:
        self._source = source
        self._send = send
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._granted = False
        self._control: Control | None = None

    def answer(self, granted: bool) -> None:
        """The person's yes or no, which also takes back what was given."""
        self._granted = granted
        if not granted:
            self.revoke()
        self._send(m.GiveConsent(id=new_id(), scope="control", granted=granted))

    async def follow(self, given: bool) -> None:
        """Whether control is given, as the session has it now."""
        if not given:
            if self._control is not None:
                self._tell("control.off")
            self.revoke()
        elif not self._granted:
            self._send(m.GiveConsent(id=new_id(), scope="control", granted=False))
        elif self._control is None:
            await self._begin()

    def apply(self, message: m.Control) -> None:
        """What the agent does, if it may."""
        if self._control is not None:
            self._control.apply(message.inputs)

    def revoke(self) -> None:
        """Nothing is done any more, at once; in any thread."""
        self._granted = False
        control, self._control = self._control, None
        if control is not None:
            control.revoke()

    async def _begin(self) -> None:
        from customer_client.control.control import Control  # noqa: PLC0415 - loads what watches the person's own mouse and keys

        control = Control(self._source, self._touched)
        try:
            await asyncio.to_thread(control.start)
        except ControlUnavailable as unavailable:
            log.warning("control is not possible", cause=str(unavailable))
            self.answer(False)
            self._tell("control.unavailable")
            return
        if not self._granted or control.over:  # taken back while it began
            control.revoke()
            return
        self._control = control
        self._tell("control.on")

    def _touched(self, touch: "Touch") -> None:
        """In a thread of its own: the person's own hand ended it already."""
        log.info("control taken back", by=touch)
        self._loop.call_soon_threadsafe(self._take_back)

    def _take_back(self) -> None:
        if self._control is not None or self._granted:
            self.answer(False)
            self._tell("control.off")
