"""The sandbox's own certificate authority: a CA and a server certificate, made at start or kept in a directory."""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)


def server_context(folder: Path, host: str) -> ssl.SSLContext:
    """A server context for *host* and the loopback names; ``ca.pem`` in *folder* is what clients trust.

    An existing, unexpired CA in *folder* is used again; the server certificate is made at every start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), *map(_address, ("127.0.0.1", "::1"))]
    if host not in {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}:  # noqa: S104  names to leave out, not to bind
        names.append(_general_name(host))
    certificate = (
        _builder("einvoice sandbox", ca.subject, key, timedelta(days=397))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(folder / "server.pem", certificate.public_bytes(serialization.Encoding.PEM) + _private(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem")
    return context


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    public, private = folder / "ca.pem", folder / "ca.key"
    if public.is_file() and private.is_file():
        ca = x509.load_pem_x509_certificate(public.read_bytes())
        key = serialization.load_pem_private_key(private.read_bytes(), password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey) and ca.not_valid_after_utc > datetime.now(UTC) + 7 * _DAY:
            return ca, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"einvoice sandbox CA {os.urandom(4).hex()}")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    ca = (
        _builder(None, name, key, 3650 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(private, _private(key))
    _write(public, ca.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return ca, key


def _builder(
    common_name: str | None, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lifetime: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]) if common_name else issuer
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + lifetime)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return _address(host)
    except ValueError:
        return x509.DNSName(host)


def _address(text: str) -> x509.IPAddress:
    return x509.IPAddress(ip_address(text))


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, mode: int = 0o600) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
