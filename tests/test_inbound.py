"""What the inbound endpoint promises: kept before it is answered, only for those who know the secret, within limits."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree

from einvoice.errors import ConfigError
from einvoice.exchange import SECRET_SLOT, Inbound
from einvoice.transport.inbound import Door, InboundServer

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SECRET, OTHER = "correct horse & battery", "another long secret"
WRITTEN = "correct horse &amp; battery"
ACCOUNTS: dict[str, Callable[[], str]] = {"ariba": lambda: SECRET, "coupa": lambda: OTHER}
XML = "text/xml; charset=UTF-8"


def status_update(payload_id: str = "s1@network", secret: str = WRITTEN, request: str = "StatusUpdateRequest") -> bytes:
    return (
        '<?xml version="1.0"?><!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.071/cXML.dtd">'
        f'<cXML payloadID="{payload_id}" timestamp="2026-11-23T08:00:00Z"><Header><Sender>'
        f'<Credential domain="NetworkID"><Identity>AN2</Identity><SharedSecret>{secret}</SharedSecret></Credential>'
        f"</Sender></Header><Request><{request}/></Request></cXML>"
    ).encode()


class Store:
    """Keeps what it is given; a second message under one (channel, id) is not new."""

    def __init__(self) -> None:
        self.kept: list[Inbound] = []
        self.broken = False

    def __call__(self, one: Inbound) -> bool:
        if self.broken:
            raise RuntimeError("disk full")
        new = all((each.channel, each.remote_id) != (one.channel, one.remote_id) for each in self.kept)
        self.kept.append(one)
        return new


@contextmanager
def serving(store: Store, **door: Any) -> Iterator[InboundServer]:
    server = InboundServer(Door(port=0, **door), accounts=ACCOUNTS, store=store, clock=lambda: AT)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def server(store: Store) -> Iterator[InboundServer]:
    with serving(store) as one:
        yield one


def port_of(server: InboundServer) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


def post(server: InboundServer, data: bytes, media: str = XML, path: str = "/cxml", method: str = "POST") -> Any:
    with closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=5)) as connection:
        connection.request(method, path, data, {"Content-Type": media})
        answer = connection.getresponse()
        return answer.status, answer.read()


def status(body: bytes) -> str:
    found = etree.fromstring(body).find("Response/Status")
    assert found is not None
    return str(found.get("code"))


def raw(server: InboundServer, data: bytes) -> bytes:
    """What comes back for these very bytes; empty also when the connection is reset."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as connection:
        try:
            connection.sendall(data)
            if data:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except TimeoutError:
            raise
        except OSError:
            return b""


def test_a_message_is_kept_raw_but_for_the_secret_and_then_answered(server: InboundServer, store: Store) -> None:
    http_status, body = post(server, status_update())
    assert (http_status, status(body)) == (200, "200")
    kept = Inbound("https:ariba:push", "s1@network", status_update(secret=SECRET_SLOT), XML)
    assert store.kept == [kept]


def test_the_account_is_told_by_the_secret(server: InboundServer, store: Store) -> None:
    post(server, status_update(secret=OTHER))
    assert store.kept[0].channel == "https:coupa:push"


def test_the_same_message_again_is_answered_200_and_counted_as_a_duplicate(server: InboundServer, store: Store) -> None:
    answers = [status(post(server, status_update())[1]) for _ in range(3)]
    assert answers == ["200"] * 3
    assert (server.counts["accepted"], server.counts["duplicate"]) == (1, 2)


@pytest.mark.parametrize("secret", ["", "wrong", SECRET_SLOT, "correct horse", f"{WRITTEN}x"])
def test_who_does_not_know_the_secret_is_told_401_and_nothing_is_kept(
    secret: str, server: InboundServer, store: Store
) -> None:
    http_status, body = post(server, status_update(secret=secret))
    assert (http_status, status(body)) == (200, "401")
    assert store.kept == []
    assert server.counts["unauthorised"] == 1


@pytest.mark.parametrize(
    "data",
    [
        status_update()[:-8],
        status_update().replace(b"Header", b"Haeder", 1),
        status_update().replace(b'.dtd">', b'.dtd" [<!ENTITY a "b">]>'),
    ],
    ids=["cut", "not well-formed", "entities"],
)
def test_an_unreadable_message_of_a_known_partner_is_kept_for_a_person(
    data: bytes, server: InboundServer, store: Store
) -> None:
    _, body = post(server, data)
    assert status(body) == "406"
    (kept,) = store.kept
    assert kept.remote_id.startswith("unreadable:")
    assert kept.data == data.replace(WRITTEN.encode(), SECRET_SLOT.encode())


@pytest.mark.parametrize("data", [b"", b"\0\xff", b"<html/>", status_update(secret="wrong")[:-8]])
def test_an_unreadable_message_of_a_stranger_is_not_kept(data: bytes, server: InboundServer, store: Store) -> None:
    assert status(post(server, data)[1]) == "406"
    assert store.kept == []


def test_when_the_store_fails_nothing_is_acknowledged_and_the_partner_may_come_again(
    server: InboundServer, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store.broken = True
    http_status, body = post(server, status_update())
    assert (http_status, status(body)) == (500, "500")
    store.broken = False
    assert status(post(server, status_update())[1]) == "200"
    assert len(store.kept) == 1
    assert server.counts["failed"] == 1
    deadline = time.monotonic() + 10  # the reason is logged after the answer went out
    while "disk full" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "disk full" in caplog.text
    assert SECRET not in caplog.text
    assert WRITTEN not in caplog.text


def test_a_profile_request_is_answered_with_our_address_and_not_kept(store: Store) -> None:
    with serving(store, public_url="https://edi.seller.example/cxml?a&b") as server:
        _, body = post(server, status_update(request="ProfileRequest"))
    rows = {row.get("requestName"): row.findtext("URL") for row in etree.fromstring(body).iter("Transaction")}
    assert rows["StatusUpdateRequest"] == "https://edi.seller.example/cxml?a&b"
    assert store.kept == []


def test_the_answers_are_valid_cxml(server: InboundServer, reference: Path) -> None:
    dtd = etree.DTD(file=str(reference / "cxml" / "dtd-1.2.071" / "cXML.dtd"))
    for data in (status_update(), status_update(secret="no"), b"<", status_update(request="ProfileRequest")):
        answer = etree.fromstring(post(server, data)[1], etree.XMLParser(resolve_entities=False, no_network=True))
        assert dtd.validate(answer), str(dtd.error_log)


def test_a_message_with_attachments_is_kept_whole(server: InboundServer, store: Store) -> None:
    media = 'multipart/related; boundary="b1"; type="text/xml"; start="<main@x>"'
    first = b"Content-Type: text/xml; charset=UTF-8\r\nContent-ID: <main@x>\r\n\r\n" + status_update("c1", OTHER)
    second = (
        b"Content-Type: application/pdf\r\nContent-ID: <a@x>\r\nContent-Transfer-Encoding: binary\r\n\r\n%PDF-\0\xff"
    )
    data = b"--b1\r\n" + first + b"\r\n--b1\r\n" + second + b"\r\n--b1--\r\n"
    assert status(post(server, data, media)[1]) == "200"
    (kept,) = store.kept
    assert (kept.remote_id, kept.media_type) == ("c1", media)
    assert kept.data == data.replace(OTHER.encode(), SECRET_SLOT.encode())


def test_health_and_paths(server: InboundServer, store: Store) -> None:
    assert post(server, b"", path="/healthz", method="GET") == (200, b"ok\n")
    assert post(server, b"", path="/cxml", method="GET")[0] == 405
    assert post(server, status_update(), path="/other")[0] == 404
    assert store.kept == []


def head(*lines: str) -> bytes:
    return "\r\n".join(["POST /cxml HTTP/1.1", "Host: x", "Connection: close", *lines, "", ""]).encode()


def test_a_body_without_length_too_long_or_cut_is_refused_and_not_kept(store: Store) -> None:
    data = status_update()
    with serving(store, max_bytes=1000) as server:
        assert b" 411 " in raw(server, head())
        assert b" 411 " in raw(server, head("Content-Length: 5", "Content-Length: 6") + b"abcdef")
        assert b" 411 " in raw(server, head("Content-Length: -5"))
        assert b" 413 " in raw(server, head("Content-Length: 1001"))
        assert b" 413 " in raw(server, head("Content-Length: 99999999999999999999"))
        assert b" 400 " in raw(server, head(f"Content-Length: {len(data) + 1}") + data)
        assert b" 431 " in raw(server, head(*(f"X-{n}: y" for n in range(200))))
    assert store.kept == []


def test_a_chunked_body_is_taken_whole_or_not_at_all(server: InboundServer, store: Store) -> None:
    data = status_update()
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in (data[:100], data[100:]))
    chunked = head("Transfer-Encoding: chunked") + chunks
    assert b" 400 " in raw(server, chunked)
    assert b" 400 " in raw(server, head("Transfer-Encoding: chunked") + b"xyz\r\n")
    assert b" 413 " in raw(server, head("Transfer-Encoding: chunked") + b"ffffffff\r\n")
    assert store.kept == []
    assert b'<Status code="200"' in raw(server, chunked + b"0\r\nTrailer: x\r\n\r\n")
    assert store.kept[0].data == data.replace(WRITTEN.encode(), SECRET_SLOT.encode())


def test_a_client_that_drips_is_let_go_and_does_not_stop_the_others(store: Store) -> None:
    with serving(store, idle_timeout="30s", total_timeout="1s") as server:
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as slow:
            slow.sendall(b"POST /cxml HTTP/1.1\r\nContent-Le")
            assert post(server, status_update())[0] == 200
            assert slow.recv(10) == b""
        assert time.monotonic() - begun < 3


def test_more_connections_than_allowed_are_closed_at_once(store: Store) -> None:
    with serving(store, max_connections=1) as server:
        with socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as first:
            first.sendall(b"POST")
            time.sleep(0.05)
            assert raw(server, b"") == b""
        deadline = time.monotonic() + 3
        while server.counts["accepted"] == 0 and time.monotonic() < deadline:
            try:
                post(server, status_update())
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
    assert server.counts["accepted"] == 1


def test_it_listens_beyond_loopback_only_with_tls() -> None:
    with pytest.raises(ConfigError, match="without TLS"):
        InboundServer(Door(host="0.0.0.0", port=0), accounts=ACCOUNTS, store=Store(), clock=lambda: AT)


def test_a_short_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError, match="channel weak") as caught:
        InboundServer(Door(port=0), accounts={"weak": lambda: "hunter2"}, store=Store(), clock=lambda: AT)
    assert "hunter2" not in str(caught.value)


def test_a_port_in_use_and_a_missing_certificate_are_told_in_one_line(server: InboundServer, tmp_path: Path) -> None:
    for door in (Door(port=port_of(server)), Door(port=0, certificate=tmp_path / "gone.pem")):
        with pytest.raises(ConfigError) as caught:
            InboundServer(door, accounts=ACCOUNTS, store=Store(), clock=lambda: AT)
        assert "\n" not in str(caught.value)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One PEM file with a self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "einvoice test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return path


def post_tls(server: InboundServer, certificate: Path) -> str:
    context = ssl.create_default_context(cafile=certificate)
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)  # the certificate is its own authority
    with closing(http.client.HTTPSConnection("127.0.0.1", port_of(server), timeout=5, context=context)) as connection:
        connection.request("POST", "/cxml", status_update(), {"Content-Type": XML})
        return status(connection.getresponse().read())


def test_with_tls_a_stalled_handshake_does_not_stop_the_others(store: Store, certificate: Path) -> None:
    with serving(store, certificate=certificate, idle_timeout="1s") as server:
        assert server.url.startswith("https://")
        with socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as stalled:
            stalled.sendall(b"\x16\x03\x01")
            assert post_tls(server, certificate) == "200"
            assert post_tls(server, certificate) == "200"
    assert (server.counts["accepted"], server.counts["duplicate"]) == (1, 1)


def test_with_tls_a_plain_client_is_let_go(store: Store, certificate: Path) -> None:
    with serving(store, certificate=certificate) as server:
        assert b"HTTP" not in raw(server, head("Content-Length: 0"))
        assert post_tls(server, certificate) == "200"
