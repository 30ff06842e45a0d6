"""What is believed of a DTLS handshake in clear text."""

import contextlib
import random
import struct

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCCertificate
from OpenSSL import SSL

from signaling.datagrams import Role, is_dtls, plausible_dtls
from tests.signaling.hostile import PAYLOADS


def sides() -> tuple[SSL.Connection, SSL.Connection]:
    def side() -> SSL.Connection:
        certificate = RTCCertificate.generateCertificate()
        return SSL.Connection(certificate._create_ssl_context(srtp_profiles=SRTP_PROFILES))

    client, server = side(), side()
    client.set_connect_state()
    server.set_accept_state()
    return client, server


def handshake() -> list[tuple[Role, bytes]]:
    """A real handshake: who is given each datagram, and the datagram."""
    client, server = sides()
    sent: list[tuple[Role, bytes]] = []
    for _ in range(8):
        for sender, receiver, role in ((client, server, "server"), (server, client, "client")):
            with contextlib.suppress(SSL.WantReadError):
                sender.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                while data := sender.bio_read(1500):
                    sent.append((role, data))  # type: ignore[arg-type]
                    receiver.bio_write(data)
                    with contextlib.suppress(SSL.WantReadError):
                        receiver.do_handshake()
    return sent


def test_every_datagram_of_a_handshake_is_plausible_to_whom_it_is_for_and_the_first_to_nobody_else() -> None:
    sent = handshake()
    assert {role for role, _ in sent} == {"client", "server"}
    assert all(plausible_dtls(data, role) and plausible_dtls(data, "auto") for role, data in sent)
    role, hello = sent[0]
    assert role == "server"
    assert not plausible_dtls(hello, "client")


@pytest.mark.parametrize("role", ["client", "server", "auto"])
def test_nothing_hostile_in_clear_is_plausible(role: Role) -> None:
    sealed = ("forged", "DTLS 1.3")
    for name, payload in PAYLOADS.items():
        for number in range(300):
            data = payload(number)
            if data and is_dtls(data) and data[0] < 32 and not any(word in name for word in sealed):
                assert not plausible_dtls(data, role), (name, number)


def test_a_hello_with_one_length_altered_is_not_plausible() -> None:
    hello = handshake()[0][1]
    session_id = 13 + 12 + 34
    for place in (11, 14, 22, session_id):
        altered = bytearray(hello)
        altered[place] ^= 0x40
        assert not plausible_dtls(bytes(altered), "server"), place


def test_no_bytes_at_all_raise() -> None:
    rng = random.Random(3)
    for _ in range(20_000):
        kind = rng.choice([20, 21, 22, 22, 22, 23, 25, 40])
        data = struct.pack("!BHHHI", kind, rng.choice([0xFEFD, 0xFEFF, 0]), rng.choice([0, 0, 1]), 0, 0)
        plausible_dtls((data + rng.randbytes(rng.randrange(40)))[: rng.randrange(1, 60)], "client")
