"""The certificate that the server makes for itself."""

import ssl
import stat
from pathlib import Path

import aiohttp
from cryptography import x509

from server.tls import addresses, self_signed
from tests.conftest import MakeServer


def names_of(path: Path) -> set[str]:
    """Every name and address that a certificate is good for."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in held}


def test_it_names_this_machine_and_only_the_owner_reads_its_key(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, addresses("192.168.7.7"))
    assert {"localhost", "127.0.0.1", "192.168.7.7"} <= names_of(certificate)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_it_is_kept_as_long_as_it_fits_and_made_anew_when_not(tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path, frozenset({"localhost"}))
    first = certificate.read_bytes()
    self_signed(tmp_path, frozenset({"localhost"}))
    assert certificate.read_bytes() == first
    self_signed(tmp_path, frozenset({"localhost", "10.0.0.9"}))
    assert certificate.read_bytes() != first
    certificate.write_text("damaged")
    self_signed(tmp_path, frozenset({"localhost"}))
    assert names_of(certificate) == {"localhost"}


async def test_the_server_speaks_tls_with_it_and_its_cookies_say_so(make_server: MakeServer) -> None:
    server = make_server(tls="self-signed")
    trusted = ssl.create_default_context(cafile=str(server.data / "tls" / "certificate.pem"))
    url = server.url
    assert url.startswith("https://")
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/readyz", ssl=trusted) as answer:
            assert answer.status == 200
            assert f"wss://127.0.0.1:{server.port}" in answer.headers["Content-Security-Policy"]
        async with http.post(f"{url}/api/login", json=server.credentials("alice"), ssl=trusted) as answer:
            flags = answer.headers["Set-Cookie"]
            assert flags.startswith("__Host-sightline=")
            assert "Secure" in flags
            server.confidential.add(flags.partition("=")[2].partition(";")[0])
        async with http.get(f"{server.inside_url}/readyz") as answer:
            assert answer.status == 200
