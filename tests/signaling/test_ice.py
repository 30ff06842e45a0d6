"""Which ICE servers a participant is told of."""

import base64
import hmac

from signaling.ice import IceSettings, ice_servers, open_servers
from signaling.messages import IceServer

BOTH = IceSettings(["stun:stun.example.org"], ["turn:turn.example.org"], "secret", 600)


def test_without_servers_there_are_none() -> None:
    assert ice_servers(IceSettings(), "dana", 0) == []
    assert open_servers(IceSettings()) == []


def test_stun_needs_no_credential() -> None:
    assert open_servers(BOTH) == [IceServer(["stun:stun.example.org"], None, None)]


def test_a_turn_credential_is_coturns_and_expires() -> None:
    server = ice_servers(BOTH, "dana", 1_700_000_000_999)[1]
    assert server.username == "1700000600:dana"
    digest = hmac.digest(b"secret", b"1700000600:dana", "sha1")
    assert server.credential == base64.b64encode(digest).decode()
