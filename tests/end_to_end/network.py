"""A network of its own for the customer, which blocks what a test wants blocked, and a TURN server to get out of it."""

import contextlib
import ctypes
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tests.server_process import free_port

CLONE_NEWNET = 0x40000000
CHUNK = 65536
HOLE = "100"
"""The routing table of what gets lost."""


class Wire:
    """TCP connections from within a network namespace to the same port of this machine: both are 127.0.0.1."""

    def __init__(self, namespace: Path, port: int) -> None:
        self._port = port
        self._listener = _listen_within(namespace, port)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or the thread that waits in it would keep it open
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                inner, _ = self._listener.accept()
                outer = socket.create_connection(("127.0.0.1", self._port))
                for source, target in ((inner, outer), (outer, inner)):
                    threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                target.sendall(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()


def _listen_within(namespace: Path, port: int) -> socket.socket:
    """A listening socket in a network namespace: it stays there when the thread that made it is gone."""
    made: list[socket.socket] = []

    def make() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with namespace.open() as handle:
            if libc.setns(handle.fileno(), CLONE_NEWNET) == 0:
                made.append(socket.create_server(("127.0.0.1", port)))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not made:
        raise OSError(f"no socket in {namespace}")
    return made[0]


class Network:
    """A network namespace with one link to this machine, over which UDP goes until it is blocked."""

    def __init__(self) -> None:
        self.name = f"sightline-{secrets.token_hex(4)}"
        subnet = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
        self.outside, self.inside = f"{subnet}.1", f"{subnet}.2"
        self._wires: list[Wire] = []
        self._link = link = f"sl{secrets.token_hex(4)}"
        peer = f"sl{secrets.token_hex(4)}"
        _ip("netns", "add", self.name)
        _ip("link", "add", link, "type", "veth", "peer", "name", peer, "netns", self.name)
        _ip("address", "add", f"{self.outside}/24", "dev", link)
        _ip("link", "set", link, "up")
        self._within("address", "add", f"{self.inside}/24", "dev", peer)
        for each in ("lo", peer):
            self._within("link", "set", each, "up")
        # Chromium tells of no address but that of the default route.
        self._within("route", "add", "default", "via", self.outside)
        # A link at whose other end nobody listens: what goes there is lost without an error.
        self._within("link", "add", "hole", "type", "veth", "peer", "name", "bottom")
        self._within("link", "set", "hole", "arp", "off", "up")
        self._within("link", "set", "bottom", "up")
        self._within("route", "add", "default", "dev", "hole", "table", HOLE)

    def wire(self, port: int) -> None:
        """Let TCP through to a server at 127.0.0.1, whatever is blocked."""
        self._wires.append(Wire(Path("/run/netns") / self.name, port))

    def block(self, protocol: Literal["udp", "tcp"], port: int | None = None) -> None:
        """From now on nothing gets out of the network by this protocol, to that port of others; nobody is told."""
        self._within("rule", "add", "ipproto", protocol, *_to(port), "lookup", HOLE)

    def unblock(self, protocol: Literal["udp", "tcp"], port: int | None = None) -> None:
        self._within("rule", "delete", "ipproto", protocol, *_to(port), "lookup", HOLE)

    def command(self, path: Path, program: str) -> Path:
        """A program at `path` that runs another within this network."""
        path.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {program} "$@"\n')
        path.chmod(0o755)
        return path

    def close(self) -> None:
        for wire in self._wires:
            wire.close()
        _ip("link", "delete", self._link)
        _ip("netns", "delete", self.name)

    def _within(self, *words: str) -> None:
        _ip("-n", self.name, *words)


def _to(port: int | None) -> list[str]:
    return ["dport", str(port)] if port else []


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def unavailable() -> str | None:
    """Why there can be no network of one's own here; None when there can."""
    if shutil.which("ip") is None:
        return "iproute2 is not installed"
    try:
        network = Network()
        network.block("tcp", 1)
        network.close()
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.decode().strip()}"
    return None


@contextlib.contextmanager
def turn_server(network: Network, secret: str, folder: Path) -> Iterator[int]:
    """coturn, which takes connections over TCP alone; its port at the network's outside."""
    port = free_port()
    command = [
        "turnserver", "-n", "--use-auth-secret", f"--static-auth-secret={secret}", "--realm=example.org",
        "-L", network.outside, "-p", str(port), "-E", network.outside, "--no-udp", "--no-tls", "--no-dtls", "--no-cli",
        "--allow-loopback-peers", "--simple-log", f"--log-file={folder / 'turn.log'}", "--no-stdout-log",
        f"--pidfile={folder / 'turn.pid'}", f"--userdb={folder / 'turn.db'}",
    ]  # fmt: skip
    with (folder / "turn.out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
    try:
        deadline = time.monotonic() + 20
        while socket.socket().connect_ex((network.outside, port)) != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "turn.out").read_text())
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()
