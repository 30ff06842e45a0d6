"""A line between a browser and the server that can be cut and mended; pictures from peer to peer don't go over it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


class Line:
    """Passes bytes on from `url` to the server, until it is cut."""

    def __init__(self, server_url: str) -> None:
        self.url = ""
        self._server = urlsplit(server_url)
        self._cut = False
        self._writers: set[asyncio.StreamWriter] = set()

    def through(self, link: str) -> str:
        """A link to the server, as it looks at this end of the line."""
        return link.replace(f"{self._server.scheme}://{self._server.netloc}", self.url)

    def cut(self) -> None:
        """Every connection breaks, and none can be made."""
        self._cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Connections can be made again."""
        self._cut = False

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the browser."""
        self._writers.add(writer)
        try:
            if self._cut:
                return
            onward_reader, onward_writer = await asyncio.open_connection(self._server.hostname, self._server.port)
            self._writers.add(onward_writer)
            try:
                await asyncio.gather(_pass(reader, onward_writer), _pass(onward_reader, writer))
            finally:
                self._writers.discard(onward_writer)
                onward_writer.close()
        finally:
            self._writers.discard(writer)
            writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextlib.asynccontextmanager
async def line_to(server_url: str) -> AsyncIterator[Line]:
    """A line on a free port."""
    line = Line(server_url)
    async with await asyncio.start_server(line.take, "127.0.0.1", 0) as listening:
        line.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield line
        line.cut()
