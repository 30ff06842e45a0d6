"""The phrase that is the same on both screens only when nobody stands between them, as browser/verification.ts has it.

It is made of the two certificates that the peers proved to hold in the DTLS handshake (RFC 8827, section 5.6.4).
"""

import hashlib
import re
import struct

_FINGERPRINT = re.compile(r"^a=fingerprint:(\S+) (\S+)", re.MULTILINE)


def phrase_of(one: str, other: str) -> str:
    """Four groups of three digits out of two SHA-256 certificate fingerprints, in whatever order."""
    text = "\n".join(sorted((one.upper(), other.upper())))
    words = struct.unpack(">8I", hashlib.sha256(text.encode()).digest())
    return " ".join(f"{word % 1000:03}" for word in words[:4])


def local_fingerprint(sdp: str) -> str | None:
    """The SHA-256 fingerprint of our own description, all of whose digests are of our one certificate."""
    return next((value.upper() for name, value in _FINGERPRINT.findall(sdp) if name.upper() == "SHA-256"), None)


def only_fingerprint(sdp: str) -> str | None:
    """The SHA-256 fingerprint of the other side's description; None when others stand there as well.

    One that offers other digests may be proven by any of them, so it says nothing about the certificate for which its
    SHA-256 stands.
    """
    found = {(name.upper(), value.upper()) for name, value in _FINGERPRINT.findall(sdp)}
    name, value = found.pop() if len(found) == 1 else ("", "")
    return value if name == "SHA-256" else None
