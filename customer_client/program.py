"""The native client from its start to its end: the server is confirmed, the invitation used, the session taken part in.

The face has the main thread, as window systems want it; all else happens on an event loop in another one.
"""

import asyncio
import threading
import webbrowser
from collections.abc import Callable

import structlog

from customer_client import admission
from customer_client.admission import Place
from customer_client.brake import Brake
from customer_client.capture import surfaces
from customer_client.capture.surfaces import CaptureUnavailable
from customer_client.faces.face import (
    Again,
    Close,
    Connect,
    Destination,
    Face,
    Intents,
    OpenBrowser,
    Screens,
    Trouble,
    Waiting,
)
from customer_client.invitation import Invitation
from customer_client.native import NativeCustomer
from customer_client.words import Words

log = structlog.get_logger()

END_WITHIN_S = 10.0

MakeFace = Callable[[Intents, Screens, Callable[[], None], Words], Face]


class Program:
    """One start of the client; without an invitation it can only say so. `browse` opens an address in the browser."""

    def __init__(
        self,
        invitation: Invitation | None,
        make_face: MakeFace,
        words: Words,
        browse: Callable[[str], object] = webbrowser.open,
    ) -> None:
        self._invitation = invitation
        self._words = words
        self._browse = browse
        self._intents = Intents()
        self._brake = Brake()
        self._face = make_face(self._intents, surfaces, self._brake.pull, words)

    def run(self) -> None:
        """Returns when the person closed it; to be called in the main thread."""
        work = threading.Thread(target=self._work, name="session", daemon=True)
        work.start()
        try:
            self._face.run()
        finally:
            self._brake.pull()
            self._intents.put(Close())
            work.join(END_WITHIN_S)

    def _work(self) -> None:
        try:
            asyncio.run(self._begin())
        except Exception:
            log.exception("the client failed")
            self._brake.pull()
            self._face.show(Trouble("crashed"))
        else:
            self._face.close()

    async def _begin(self) -> None:
        invitation = self._invitation
        if invitation is None:
            self._face.show(Trouble("unnamed"))
            await self._wanted(Connect)
            return
        self._face.show(Destination(invitation.server, invitation.code))
        if await self._wanted(Connect) and (place := await self._enter(invitation)) is not None:
            customer = NativeCustomer(invitation.server, place, self._face, self._intents, self._brake, self._words)
            await customer.take_part()

    async def _enter(self, invitation: Invitation) -> Place | None:
        """A place in the session; None when the person gave up, or went on in the browser."""
        try:
            await asyncio.to_thread(surfaces.sources)
        except CaptureUnavailable as unavailable:
            # The invitation is still unused, so that the browser's page can use it.
            self._face.show(Trouble(unavailable.code, browser=invitation.page))
            if await self._wanted(OpenBrowser):
                await asyncio.to_thread(self._browse, invitation.page)
            return None
        while True:
            self._face.show(Waiting("connecting"))
            try:
                return await admission.redeem(invitation, self._words.language)
            except admission.Failed as failed:
                values = {"server": invitation.server, "id": failed.number}
                self._face.show(Trouble(failed.code, values, again=failed.again))
                if not await self._wanted(Again):
                    return None

    async def _wanted(self, kind: type[Connect | Again | OpenBrowser]) -> bool:
        """Waits for this intent; False when the person closes the client instead."""
        while True:
            match await self._intents.take():
                case Close():
                    return False
                case intent if isinstance(intent, kind):
                    return True
