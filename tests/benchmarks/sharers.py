"""A process that shares an X screen: `python -m tests.benchmarks.sharers ours|default DISPLAY`.

`ours` is the native client's capture, encoder and sending; `default` is mss and aiortc as they come. It reads lines of
JSON, `{"offer": true}` and `{"answer": sdp}`, answers each with one, and goes on until standard input ends.
"""

import asyncio
import json
import os
import sys
from typing import Any


async def hear() -> dict[str, Any]:
    """What it is told."""
    return dict(json.loads(await asyncio.to_thread(sys.stdin.readline)))


async def say(offer: str) -> str:
    """The answer to an offer."""
    await hear()
    print(json.dumps({"offer": offer}), flush=True)
    return str((await hear())["answer"])


async def end() -> None:
    """Until standard input ends."""
    print("{}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def default() -> None:
    """What the documentation of mss and aiortc leads to."""
    import av  # noqa: PLC0415 - each kind is measured with what it needs
    import mss  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack  # noqa: PLC0415

    class Screen(VideoStreamTrack):
        def __init__(self) -> None:
            super().__init__()
            self._screen = mss.MSS()

        async def recv(self) -> Any:
            pts, time_base = await self.next_timestamp()
            picture = np.array(self._screen.grab(self._screen.monitors[1]))
            frame = av.VideoFrame.from_ndarray(picture, format="bgra")
            frame.pts, frame.time_base = pts, time_base
            return frame

    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTrack(Screen())
    await peer.setLocalDescription(await peer.createOffer())
    answer = await say(peer.localDescription.sdp)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await end()


async def ours() -> None:
    """The native client without its windows."""
    from customer_client.capture.screen_capture import Capture  # noqa: PLC0415
    from customer_client.capture.surfaces import sources  # noqa: PLC0415
    from customer_client.sending.encoder import ScreenEncoder  # noqa: PLC0415
    from customer_client.sending.stream import ScreenOutgoing, ScreenStream  # noqa: PLC0415

    monitor = next(source for source in sources() if source.kind == "monitor")
    capture, encoder = Capture(monitor), ScreenEncoder()
    encoder.start()
    capture.start()
    capture.subscribe(encoder.feed)
    outgoing = ScreenOutgoing(ScreenStream(encoder), [])
    await outgoing.accept(await say(await outgoing.offer()))
    await end()
    capture.stop()
    encoder.stop()
    await outgoing.close()


if __name__ == "__main__":
    os.environ["DISPLAY"] = sys.argv[2]
    asyncio.run({"ours": ours, "default": default}[sys.argv[1]]())
