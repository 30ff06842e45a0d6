"""A certificate of our own for use in a local network, where no authority gives one."""

import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from server.settings import Settings

DAYS = 397
"""No browser takes a longer-lived one."""
RENEW_BEFORE = datetime.timedelta(days=30)


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """The TLS that the settings ask for; None for plain HTTP."""
    if settings.tls == "off":
        return None
    if settings.tls == "files" and settings.tls_cert and settings.tls_key:
        certificate, key = settings.tls_cert, settings.tls_key
    else:
        certificate, key = self_signed(settings.data / "tls", addresses(settings.host))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def addresses(listening: str) -> frozenset[str]:
    """Every name and address by which this machine may be reached."""
    names = {"localhost", "127.0.0.1", "::1", socket.gethostname()}
    if listening not in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        names.add(listening)
    with contextlib.suppress(OSError):
        names.update(str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(socket.gethostname(), None))
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks the system for the way out (RFC 5737 address)
        names.add(probe.getsockname()[0])
    return frozenset(names)


def self_signed(folder: Path, names: frozenset[str]) -> tuple[Path, Path]:
    """The kept certificate and key, made anew when a name is missing or it soon expires."""
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    if certificate_path.exists() and key_path.exists() and _good(certificate_path, names):
        return certificate_path, key_path
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sightline")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in sorted(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate_path, key_path


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _good(path: Path, names: frozenset[str]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    lasting = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC) > RENEW_BEFORE
    return lasting and {_name(name) for name in names} <= set(held)
