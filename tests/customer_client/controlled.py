"""Who and what is at a computer that is controlled: a program of its own, and the person's own mouse and keyboard."""

import json
import os
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from Xlib import display
from Xlib.ext import xinput
from Xlib.protocol import rq

OWN_MOUSE, OWN_KEYS = "Xvfb mouse", "Xvfb keyboard"
DEVICE_KEY_PRESS, DEVICE_KEY_RELEASE, DEVICE_BUTTON_PRESS, DEVICE_BUTTON_RELEASE, DEVICE_MOTION = range(1, 6)
ESCAPE, CAPS = 9, 66
"""Keycodes."""


class Window:
    """The program that is controlled, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self.id = int(self.hear(lambda said: "ready" in said)["ready"])

    def hear(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next thing said that is wanted."""
        while True:
            said = self._said.get(timeout=20)
            if wanted(said):
                return said

    def reads(self, text: str) -> None:
        """Waits until this stands in it."""
        self.hear(lambda said: said.get("text") == text)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(json.loads(line))


class Person:
    """Her own mouse and keyboard: input through XTEST in the name of the server's own devices, not of XTEST's."""

    def __init__(self) -> None:
        class Input(rq.Request):
            _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(2), rq.RequestLength(), rq.Binary("events", pad=0))

        self._input = Input
        self._display = display.Display()
        extension = self._display.query_extension(xinput.extname)
        assert extension is not None
        self._base = extension.first_event
        self._devices = {d.name: d.deviceid for d in self._display.xinput_query_device(xinput.AllDevices).devices}

    def does(self, device: str, kind: int, detail: int = 0, place: tuple[int, int] | None = None) -> None:
        number = self._devices[device]
        events = struct.pack("=BBHI", self._base + kind, detail, 0, 0).ljust(31, b"\0") + bytes([number])
        if place is not None:
            events += struct.pack("=BBHHBB6i", self._base, number, 0, 0, 2, 0, *place, 0, 0, 0, 0)
        opcode = self._display.display.get_extension_major("XTEST")
        self._input(display=self._display.display, opcode=opcode, events=events)
        self._display.sync()

    def pointer(self) -> tuple[int, int]:
        found = self._display.screen().root.query_pointer()
        return found.root_x, found.root_y

    def moves(self) -> None:
        for step in range(6):
            self.does(OWN_MOUSE, DEVICE_MOTION, place=(300 + step, 200))

    def presses(self, keycode: int) -> None:
        self.does(OWN_KEYS, DEVICE_KEY_PRESS, keycode)
        self.does(OWN_KEYS, DEVICE_KEY_RELEASE, keycode)


@contextmanager
def open_program() -> Iterator[Window]:
    """The program at the process's own DISPLAY."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.customer_client.typed_into"],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Window(process)
    finally:
        process.kill()
        process.wait()
