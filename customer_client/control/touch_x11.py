"""The person's own input on X11: raw events of XInput 2, which name the device that each of them came from.

What is injected comes from the XTEST devices. Since version 2.1 raw events come while another program holds a grab too.
"""

import selectors
import socket
import struct
import threading
from collections.abc import Callable

from Xlib import XK, display
from Xlib.error import ConnectionClosedError, DisplayError
from Xlib.ext import ge, xinput

from customer_client.control.hands import ControlUnavailable
from customer_client.control.touch import Attention, TakenBack, Touch, now_ms

_RAW = struct.Struct("=HIIH")
"""deviceid, time, detail and sourceid of xXIRawEvent (XI2proto.h), behind the generic event's ten bytes."""
_MASK = xinput.RawMotionMask | xinput.RawButtonPressMask | xinput.RawKeyPressMask


def watch(taken_back: TakenBack, attention: Attention) -> Callable[[], None]:
    """See `touch.Watch`."""
    try:
        connection = display.Display()
    except DisplayError as error:
        raise ControlUnavailable(str(error)) from error
    try:
        watcher = _Watcher(connection, taken_back, attention)
    except ControlUnavailable:
        connection.close()
        raise
    threading.Thread(target=watcher.run, name="touch", daemon=True).start()
    return watcher.stop


class _Watcher:
    def __init__(self, connection: display.Display, taken_back: TakenBack, attention: Attention) -> None:
        if connection.query_extension(xinput.extname) is None:
            raise ControlUnavailable("the X server has no XInput, so that nobody could take control back")
        self._display = connection
        self._taken_back = taken_back
        self._attention = attention
        self._wake, self._stopping = socket.socketpair()
        opcode = connection.display.get_extension_major(xinput.extname)
        version = xinput.XIQueryVersion(display=connection.display, opcode=opcode, major_version=2, minor_version=2)
        if (version.major_version, version.minor_version) < (2, 1):
            raise ControlUnavailable("the X server's XInput is older than 2.1")
        devices = connection.xinput_query_device(xinput.AllDevices).devices
        self._injecting = {device.deviceid for device in devices if "XTEST" in device.name}
        self._escapes = {code for code, _ in connection.keysym_to_keycodes(XK.XK_Escape)}
        connection.screen().root.xinput_select_events([(xinput.AllMasterDevices, _MASK)])
        connection.sync()

    def run(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._display.fileno(), selectors.EVENT_READ)
                selector.register(self._wake, selectors.EVENT_READ, self)
                while all(key.data is not self for key, _ in selector.select()):
                    if touch := self._read():
                        self._taken_back(touch)
                        return
        except (ConnectionClosedError, OSError):
            self._taken_back("mouse")  # nobody could take control back any more
        finally:
            self._display.close()
            self._wake.close()

    def stop(self) -> None:
        self._stopping.close()  # which ends the other end's wait

    def _read(self) -> Touch | None:
        found: Touch | None = None
        while self._display.pending_events():
            event = self._display.next_event()
            if event.type != ge.GenericEventCode or found is not None:
                continue
            _, _, detail, source = _RAW.unpack_from(event.data)
            if source not in self._injecting:
                found = self._judge(event.evtype, now_ms(), detail)
        return found

    def _judge(self, kind: int, at: int, detail: int) -> Touch | None:
        match kind:
            case xinput.RawMotion:
                return self._attention.moved(at)
            case xinput.RawButtonPress:
                return self._attention.pressed(at)
            case _:
                return self._attention.typed(detail in self._escapes, at)
