"""Dana's native client, run within the test, whose person is the test itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from customer_client.faces.face import Close, Intents, Screens
from customer_client.invitation import read_invitation
from customer_client.program import Program
from customer_client.words import Words
from tests.customer_client.scripted_face import ScriptedFace


@contextmanager
def native_client(link: str) -> Iterator[ScriptedFace]:
    """The client that was started with an invitation's link, on the process's own DISPLAY; closed in the end."""
    faces: list[ScriptedFace] = []

    def make(intents: Intents, screens: Screens, halt: Callable[[], None], words: Words) -> ScriptedFace:
        faces.append(ScriptedFace(intents, screens, halt))
        return faces[0]

    running = threading.Thread(target=Program(read_invitation(link), make, Words("en")).run)
    running.start()
    try:
        yield faces[0]
    finally:
        faces[0].want(Close())
        running.join()
