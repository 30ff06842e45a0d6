"""The reference: two pages and a relay, the least signaling with which one browser sees the other's screen.

The relay passes every text frame on to the other socket and knows nothing. Capture, codec, content hint and bitrates
(the one to start with too) are those of the product, so that what differs is signaling alone.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

SENDER = """<!doctype html><title>sender</title><button>share</button><script>
const socket = new WebSocket(`ws://${location.host}/relay`);
let pc;
socket.onmessage = async ({ data }) => {
  const message = JSON.parse(data);
  if (!message.sdp) return pc.addIceCandidate(message);
  const sdp = message.sdp.replace(/^(a=fmtp:\\d+ (?!apt=).*?)(\\r?)$/gm, "$1;x-google-start-bitrate=2500$2");
  await pc.setRemoteDescription({ type: message.type, sdp });
};
document.querySelector("button").onclick = async () => {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { displaySurface: "window", frameRate: { ideal: 30, max: 30 } }, audio: false,
    selfBrowserSurface: "exclude", surfaceSwitching: "include", systemAudio: "exclude",
  });
  const track = stream.getVideoTracks()[0];
  track.contentHint = "text";
  pc = new RTCPeerConnection();
  pc.onicecandidate = ({ candidate }) => candidate && socket.send(JSON.stringify(candidate));
  const video = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: [{ maxBitrate: 4e6 }] });
  const codecs = RTCRtpSender.getCapabilities("video").codecs;
  const first = codecs.filter((codec) => codec.mimeType === "CODEC");
  video.setCodecPreferences([...first, ...codecs.filter((codec) => !first.includes(codec))]);
  await pc.setLocalDescription();
  socket.send(JSON.stringify(pc.localDescription));
};
</script>"""

VIEWER = """<!doctype html><title>viewer</title><video autoplay muted playsinline></video><script>
const socket = new WebSocket(`ws://${location.host}/relay`);
const pc = new RTCPeerConnection();
const video = document.querySelector("video");
pc.onicecandidate = ({ candidate }) => candidate && socket.send(JSON.stringify(candidate));
pc.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); };
socket.onmessage = async ({ data }) => {
  const message = JSON.parse(data);
  if (!message.sdp) return pc.addIceCandidate(message);
  await pc.setRemoteDescription(message);
  await pc.setLocalDescription();
  socket.send(JSON.stringify(pc.localDescription));
};
</script>"""


@asynccontextmanager
async def bare_server(codec: str) -> AsyncIterator[str]:
    """Its address; `codec` is a MIME type such as `video/VP9`."""
    sockets: set[web.WebSocketResponse] = set()

    async def relay(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    for other in sockets - {socket}:
                        await other.send_str(message.data)
        finally:
            sockets.discard(socket)
        return socket

    def page(text: str) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    async def sender(_: web.Request) -> web.Response:
        return page(SENDER.replace("CODEC", codec))

    async def viewer(_: web.Request) -> web.Response:
        return page(VIEWER)

    application = web.Application()
    application.add_routes([web.get("/relay", relay), web.get("/sender", sender), web.get("/viewer", viewer)])
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "localhost", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://localhost:{port}"
    finally:
        await runner.cleanup()
