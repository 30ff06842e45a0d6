"""Dana at the native client's terminal, in a network of her own."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType

from tests.end_to_end.console.counter import WAIT_S
from tests.end_to_end.network import Network

PROMPT = "Your choice: "


class Terminal:
    """`sightline share LINK --terminal`, answered with the choices that read so."""

    def __init__(self, network: Network, display: str, link: str) -> None:
        command = [sys.executable, "-m", "server.cli", "share", link, "--terminal", "--language", "en"]
        environment = {**os.environ, "DISPLAY": display, "WAYLAND_DISPLAY": "", "PYTHONIOENCODING": "utf-8"}
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", network.name, *command], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._said = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def choose(self, choice: str) -> None:
        """Waits until a choice that matches is offered, and takes it."""
        offered = re.compile(rf"^ +(\d+)  {choice}[\s\S]*{PROMPT}", re.MULTILINE)
        deadline = time.monotonic() + WAIT_S
        while not (found := offered.search(self._said)):
            assert time.monotonic() < deadline, f"{choice} was not offered: {self._said}"
            time.sleep(0.02)
        self.write(found.group(1))

    def write(self, line: str) -> None:
        """Answers with a line."""
        assert self._process.stdin is not None
        self._said = ""
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while said := os.read(self._process.stdout.fileno(), 4096):
            self._said += said.decode()
