"""ICE servers: STUN as it is set, and TURN with credentials that soon expire.

The credentials follow draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`.
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from signaling.messages import IceServer


@dataclass(frozen=True)
class IceSettings:
    """Which servers there are; `turn_secret` is coturn's `static-auth-secret`, `turn_lifetime_s` is in seconds."""

    stun_urls: Sequence[str] = ()
    turn_urls: Sequence[str] = ()
    turn_secret: str = ""
    turn_lifetime_s: int = 3600

    @property
    def turn(self) -> bool:
        """Whether credentials are handed out while there is sharing."""
        return bool(self.turn_urls and self.turn_secret)


def open_servers(settings: IceSettings) -> list[IceServer]:
    """The servers that need no credential."""
    return [IceServer(list(settings.stun_urls), None, None)] if settings.stun_urls else []


def ice_servers(settings: IceSettings, participant: str, now: int) -> list[IceServer]:
    """Every server for a participant at `now` (ms since 1970); the credential is good for `turn_lifetime_s`."""
    servers = open_servers(settings)
    if settings.turn:
        username = f"{now // 1000 + settings.turn_lifetime_s}:{participant}"
        digest = hmac.digest(settings.turn_secret.encode(), username.encode(), "sha1")
        servers.append(IceServer(list(settings.turn_urls), username, base64.b64encode(digest).decode()))
    return servers
