"""ICE candidates of another participant: so many as any machine has, and no names, which we never look up."""

import ipaddress

import structlog
from aiortc import RTCIceCandidate, RTCPeerConnection
from aiortc.sdp import candidate_from_sdp

from signaling import messages as m

log = structlog.get_logger()

MAX_CANDIDATES = 40
"""More than any machine has; each that is taken is tried against each of our own."""


def is_literal(candidate: str) -> bool:
    """Whether the address in an ICE candidate is an IP address and no name."""
    parts = candidate.split()
    try:
        ipaddress.ip_address(parts[4])
    except (IndexError, ValueError):
        return False
    return True


def literal_only(sdp: str) -> str:
    """The description with so many candidates as are taken, and without those that are names."""
    kept, taken = list[str](), 0
    for line in sdp.splitlines(keepends=True):
        if line.startswith("a=candidate:"):
            taken += is_literal(line)
            if taken > MAX_CANDIDATES or not is_literal(line):
                continue
        kept.append(line)
    return "".join(kept)


class RemoteCandidates:
    """Those that come one by one, given to the peer connection."""

    def __init__(self, peer: RTCPeerConnection) -> None:
        self._peer = peer
        self._taken = 0
        self._named = False
        """A candidate with a name came: the other side's own checks will show its address."""

    async def add(self, message: m.Candidate) -> None:
        """Takes a candidate of the other side; what can't be one is passed over."""
        if message.candidate and not is_literal(message.candidate):
            self._named = True
        elif not message.candidate and self._named:
            return
        else:
            self._taken += 1
            if self._taken > MAX_CANDIDATES:
                return
            try:
                await self._peer.addIceCandidate(_parsed(message))
            except Exception as error:  # aiortc raises whatever it likes on hostile input
                log.debug("candidate not taken", error=type(error).__name__)


def _parsed(message: m.Candidate) -> RTCIceCandidate | None:
    if not message.candidate:
        return None
    candidate = candidate_from_sdp(message.candidate.removeprefix("candidate:"))
    candidate.sdpMid, candidate.sdpMLineIndex = message.sdp_mid, message.sdp_m_line_index
    return candidate
