"""The peer connection over which one sender's media come: its offer answered, its candidates taken."""

from collections.abc import Callable, Iterable

from aiortc import RTCIceServer, RTCSessionDescription

from recorder.candidates import RemoteCandidates, literal_only
from recorder.frames import Codec, Frame
from recorder.reception import Attachment, Reception
from signaling import messages as m
from signaling.aiortc_internals import close, codecs_by_preference, peer_connection


class Incoming:
    """The peer connection with `sender`; `connection` is its name in the protocol."""

    def __init__(self, offer: m.Offer, sender: str, ice_servers: Iterable[m.IceServer]) -> None:
        self.connection = offer.connection
        self.sender = sender
        self.peer = peer_connection(
            [
                RTCIceServer(urls=server.urls, username=server.username, credential=server.credential)
                for server in ice_servers
            ]
        )
        self.attachment: Attachment | None = None
        self.resync = False
        """Frames were passed over, so that only a keyframe can come next."""
        self.candidates = RemoteCandidates(self.peer)

    @property
    def reception(self) -> Reception | None:
        return self.attachment.video if self.attachment else None

    @property
    def codecs(self) -> list[Codec]:
        """The picture's codec, and behind it the voice's when one may come."""
        return self.attachment.codecs if self.attachment else []

    async def accept(
        self, sdp: str, deliver: Callable[["Incoming", Frame, float], None], lost: Callable[["Incoming"], None]
    ) -> list[m.Relayed]:
        """What to answer; from now on frames are delivered, until `lost`. Raises what aiortc does on hostile SDP."""
        peer = self.peer
        kinds = ("video", "audio") if "\nm=audio" in sdp else ("video",)
        transceivers = [
            peer.addTransceiver(kind, direction="recvonly" if kind == "video" else "sendrecv") for kind in kinds
        ]
        for transceiver in transceivers:
            transceiver.setCodecPreferences(codecs_by_preference(transceiver.kind))
        await peer.setRemoteDescription(RTCSessionDescription(sdp=literal_only(sdp), type="offer"))
        self.attachment = Attachment(transceivers, lambda frame, now: deliver(self, frame, now))
        await peer.setLocalDescription()

        @peer.on("connectionstatechange")  # type: ignore[misc, unused-ignore]
        def changed() -> None:
            if peer.connectionState in ("failed", "closed"):
                lost(self)

        to, connection = self.sender, self.connection
        end = m.Candidate(to=to, connection=connection, candidate="", sdp_mid=None, sdp_m_line_index=0)
        return [m.Answer(to=to, connection=connection, sdp=peer.localDescription.sdp), end]

    async def close(self) -> None:
        """Stops delivering, and closes the connection."""
        if self.attachment is not None:
            self.attachment.release()
        await close(self.peer)
