"""What a transport promises: one contract for all, then what each meets on the wire. Loopback only, real TLS."""

from __future__ import annotations

import logging
import os
import re
import resource
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from lxml import etree
from pydantic import ValidationError

from einvoice import transport
from einvoice.errors import ConfigError, InvalidInvoice
from einvoice.exchange import SECRET_SLOT, Document, Envelope, Environment, Identity, Inbound, Outcome, Receipt
from einvoice.transport.folder import Folder, FolderTransport
from einvoice.transport.https import Credential, Https, HttpsCxml
from einvoice.transport.mock import Mock, MockTransport, Step

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SECRET = "s3cr&t<of>the 'partner\""
TEST, PRODUCTION = Environment.TEST, Environment.PRODUCTION


def cxml(payload_id: str = "1@seller", *, content: str = "x", mode: str = "test", slot: str = SECRET_SLOT) -> bytes:
    secret = f"<SharedSecret>{slot}</SharedSecret>" if slot else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<cXML payloadID="{payload_id}" timestamp="2026-11-23T08:00:00+00:00">'
        f'<Header><From><Credential domain="NetworkID"><Identity>AN1-T</Identity></Credential></From>'
        f'<Sender><Credential domain="NetworkID"><Identity>AN1-T</Identity>{secret}</Credential></Sender></Header>'
        f'<Request deploymentMode="{mode}"><InvoiceDetailRequest>{content}</InvoiceDetailRequest></Request></cXML>'
    ).encode()


def document(data: bytes) -> Document:
    return Document(data, "cxml", "text/xml", "invoice.xml")


def identity(payload_id: str = "1@seller") -> Identity:
    return Identity(payload_id, AT)


# -- a partner made of sockets


class Pki:
    """An authority, a server certificate for 127.0.0.1, a client certificate; PEM files in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ca_key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._issue("Test CA", self.ca_key, None, authority=True)
        self.ca_file = self._write("ca", self.ca)
        self.server = self._pair("server", ExtendedKeyUsageOID.SERVER_AUTH)
        self.client = self._pair("client", ExtendedKeyUsageOID.CLIENT_AUTH)

    def _pair(self, name: str, usage: x509.ObjectIdentifier) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._write(name, self._issue(name, key, usage))
        pem = serialization.Encoding.PEM
        path = self.directory / f"{name}.key"
        text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(text)
        return certificate, path

    def _issue(
        self, name: str, key: ec.EllipticCurvePrivateKey, usage: x509.ObjectIdentifier | None, authority: bool = False
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if authority else self.ca.subject
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca_key.public_key()), critical=False)
        )
        if authority:
            signs = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(signs, critical=True)
        if usage:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            builder = builder.add_extension(names, critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return builder.sign(self.ca_key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate) -> Path:
        path = self.directory / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


def http(body: str | bytes, status: str = "200 OK", media: str = "text/xml; charset=UTF-8", more: str = "") -> bytes:
    data = body.encode() if isinstance(body, str) else body
    kind = f"Content-Type: {media}\r\n" if media else ""
    return f"HTTP/1.1 {status}\r\n{kind}Content-Length: {len(data)}\r\n{more}\r\n".encode() + data


def response(code: int | str, text: str = "said", payload_id: str = "", inner: str = "") -> str:
    named = payload_id or f"{time.monotonic_ns()}@network"
    return (
        f'<?xml version="1.0"?><!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.071/cXML.dtd">'
        f'<cXML payloadID="{named}" timestamp="2026-11-23T08:00:01+00:00"><Response>'
        f'<Status code="{code}" text="{text}"/>{inner}</Response></cXML>'
    )


#: what the peer does once it has the request: bytes to send and stay open, or a function of the connection
Behaviour = bytes | Callable[[ssl.SSLSocket], None]


def reset(connection: ssl.SSLSocket) -> None:
    """A TCP reset instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def then_close(data: bytes) -> Callable[[ssl.SSLSocket], None]:
    def act(connection: ssl.SSLSocket) -> None:
        connection.sendall(data)
        connection.close()

    return act


def drip(data: bytes, pause: float) -> Callable[[ssl.SSLSocket], None]:
    def act(connection: ssl.SSLSocket) -> None:
        for one in data:
            try:
                connection.sendall(bytes([one]))
            except OSError:
                return
            time.sleep(pause)

    return act


class Peer:
    """A TLS server on loopback that records what it gets and then behaves as it is told, once per entry of ``next``."""

    def __init__(self, pki: Pki, *, client_ca: bool = False) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(*pki.server)
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(pki.ca_file)
        self.next: list[Behaviour] = []
        self.otherwise: Callable[[bytes], bytes] = lambda _: http(response(200))
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.connections = 0
        self.before_tls: Callable[[socket.socket], bool] = lambda _: False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/cxml"

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(10)
        try:
            if self.before_tls(raw):
                return
            with self.context.wrap_socket(raw, server_side=True) as connection:
                self.connections += 1
                while self._one(connection):
                    continue
        except OSError:
            return  # the client went away, or its handshake failed: what a test looks for is on its side
        finally:
            raw.close()  # of what TLS has not taken over

    def _one(self, connection: ssl.SSLSocket) -> bool:
        file = connection.makefile("rb")
        head = self._head(file)
        if not head:
            return False
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
        body = file.read(length)
        self.paths.append(head.split(b" ")[1].decode())
        self.bodies.append(body)
        behaviour = self.next.pop(0) if self.next else self.otherwise(body)
        if isinstance(behaviour, bytes):
            connection.sendall(behaviour)
            return True
        behaviour(connection)
        return False

    @staticmethod
    def _head(file: Any) -> bytes:
        lines = []
        while (line := file.readline()) not in (b"\r\n", b""):
            lines.append(line)
        return b"".join(lines)


@pytest.fixture
def peer(pki: Pki) -> Iterator[Peer]:
    one = Peer(pki)
    yield one
    one.close()


def settings(peer: Peer, pki: Pki, **more: Any) -> Https:
    base: dict[str, Any] = {"url": peer.url, "secret": "env:PARTNER", "ca_file": pki.ca_file}
    return Https(**{**base, "connect_timeout": "2s", "read_timeout": "2s", "total_timeout": "4s", **more})


def channel(peer: Peer, pki: Pki, **more: Any) -> HttpsCxml:
    return HttpsCxml(settings(peer, pki, **more), name="acme", environment=TEST, secret=lambda: SECRET)


def send(channel: HttpsCxml, payload_id: str = "1@seller", **more: Any) -> Receipt:
    envelope = channel.pack([document(cxml(payload_id, **more))], identity(payload_id))
    return channel.deliver(envelope, at=AT)


# -- one contract


class Case(Protocol):
    """One kind of channel in a state that a test asks for, and how many copies its partner has."""

    channel: Any

    def meets(self, step: Step) -> None: ...
    def copies(self) -> int: ...
    def comes_late(self) -> None: ...


class MockCase:
    def __init__(self, tmp_path: Path, peer: Peer, pki: Pki) -> None:
        self.channel = MockTransport(Mock(), name="acme", environment=TEST)

    def meets(self, step: Step) -> None:
        self.channel.script.append(step)

    def copies(self) -> int:
        return len(self.channel.taken)

    def comes_late(self) -> None:
        self.channel.waiting.append(Inbound("mock:acme", "late", b"late"))


class FolderCase:
    def __init__(self, tmp_path: Path, peer: Peer, pki: Pki) -> None:
        self.outbox, self.inbox = tmp_path / "out", tmp_path / "in"
        self.outbox.mkdir()
        self.inbox.mkdir()
        self.channel = FolderTransport(Folder(outbox=self.outbox, inbox=self.inbox), name="acme", environment=TEST)
        self.step: Step = "accept"
        self.foreign = 0
        deliver = self.channel.deliver
        self.channel.deliver = lambda envelope, *, at: self._deliver(deliver, envelope, at)  # type: ignore[method-assign]

    def meets(self, step: Step) -> None:
        self.step = step

    def _deliver(self, deliver: Any, envelope: Envelope, at: datetime) -> Receipt:
        """Arranges the file system for the next attempt only."""
        step, self.step = self.step, "accept"
        if step == "reject":
            (self.outbox / envelope.name).write_bytes(b"someone else's")
            self.foreign = 1
        if step != "cut":
            return deliver(envelope, at=at)  # type: ignore[no-any-return]
        with file_size_limit(10):
            return deliver(envelope, at=at)  # type: ignore[no-any-return]

    def copies(self) -> int:
        return len(list(self.outbox.iterdir())) - self.foreign

    def comes_late(self) -> None:
        (self.inbox / "late").write_bytes(b"late")
        os.utime(self.inbox / "late", (AT.timestamp() - 60, AT.timestamp() - 60))


class HttpsCase:
    def __init__(self, tmp_path: Path, peer: Peer, pki: Pki) -> None:
        own, partner = Credential(identity="AN1-T"), Credential(identity="AN2-T")
        self.channel = channel(peer, pki, own=own, partner=partner, poll=["StatusUpdateRequest"])
        self.peer, self.taken, self.late = peer, dict[bytes, bytes](), list[str]()
        peer.otherwise = self._network

    def _network(self, body: bytes) -> bytes:
        if b"<GetPendingRequest" in body:
            if b"lastReceivedTimestamp" in body:
                self.late.clear()
            inner = f"<GetPendingResponse>{''.join(self.late)}</GetPendingResponse>" if self.late else ""
            return http(response(200, inner=inner))
        name = re.search(rb'payloadID="([^"]*)"', body)[1]  # type: ignore[index]
        if name in self.taken:
            return http(response(409, "Duplicate payloadID"))
        self.taken[name] = body
        return http(response(200))

    def meets(self, step: Step) -> None:
        if step == "reject":
            self.peer.next.append(http(response(400, "no order")))
        if step == "cut":
            self.peer.next.append(reset)

    def copies(self) -> int:
        return len(self.taken)

    def comes_late(self) -> None:
        self.late.append('<cXML payloadID="late" timestamp="2026-11-23T09:00:00Z"><Request/></cXML>')


class file_size_limit:
    """A disk that takes no more than so many bytes a file."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __enter__(self) -> None:
        self.handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.most, self.before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        signal.signal(signal.SIGXFSZ, self.handler)


@pytest.fixture(params=[MockCase, FolderCase, HttpsCase], ids=["mock", "folder", "https"])
def case(request: pytest.FixtureRequest, tmp_path: Path, peer: Peer, pki: Pki) -> Case:
    made: Case = request.param(tmp_path, peer, pki)
    return made


def attempt(case: Case, data: bytes | None = None) -> Receipt:
    envelope = case.channel.pack([document(data or cxml())], identity())
    receipt = case.channel.deliver(envelope, at=AT)
    assert isinstance(receipt, Receipt)
    assert receipt.at == AT
    return receipt


def test_an_accepted_document_is_at_the_partner_once(case: Case) -> None:
    assert attempt(case).outcome is Outcome.ACCEPTED
    assert case.copies() == 1


def test_a_refused_document_is_not_at_the_partner_and_says_why(case: Case) -> None:
    case.meets("reject")
    receipt = attempt(case)
    assert receipt.outcome is Outcome.REJECTED
    assert receipt.text
    assert case.copies() == 0


def test_a_delivery_cut_mid_way_is_never_accepted_and_its_resend_is_one_copy(case: Case) -> None:
    case.meets("cut")
    assert attempt(case).outcome in (Outcome.UNKNOWN, Outcome.RETRY)
    assert case.copies() == 0
    assert attempt(case).outcome is Outcome.ACCEPTED
    assert case.copies() == 1


def test_a_repeat_under_one_identity_is_told_as_a_duplicate_and_makes_no_second_copy(case: Case) -> None:
    assert not attempt(case).duplicate
    assert attempt(case).duplicate
    assert case.copies() == 1


def test_a_late_receipt_is_collected_once_and_kept_by_the_partner_until_it_was_taken(case: Case) -> None:
    assert list(case.channel.collect(at=AT)) == []
    case.comes_late()
    interrupted = case.channel.collect(at=AT)
    assert next(interrupted).remote_id == "late"
    interrupted.close()  # a crash before it was stored
    assert [one.remote_id for one in case.channel.collect(at=AT)] == ["late"]
    assert list(case.channel.collect(at=AT)) == []


def test_a_test_envelope_never_meets_a_production_channel(case: Case) -> None:
    stray = Envelope("1@seller", cxml(), "text/xml", "invoice.xml", PRODUCTION)
    with pytest.raises(ConfigError, match="never meet"):
        case.channel.deliver(stray, at=AT)
    with pytest.raises(ConfigError):
        case.channel.pack([document(cxml(mode="production"))], Identity("1@seller", AT, PRODUCTION))
    assert case.copies() == 0


def test_one_message_carries_one_document(case: Case) -> None:
    with pytest.raises(ConfigError, match="0 documents"):
        case.channel.pack([], identity())


# -- which transport


def test_a_transport_is_found_by_its_name_and_an_unknown_name_lists_the_known() -> None:
    assert transport.get("mock").SETTINGS is Mock
    with pytest.raises(ConfigError, match="folder, https, mock"):
        transport.get("inbound")


def test_a_transport_is_made_from_its_settings_and_asks_for_the_secret_only_when_it_sends(peer: Peer, pki: Pki) -> None:
    asked: list[str] = []

    def resolve(reference: str) -> str:
        asked.append(reference)
        return f"secret-{len(asked)}"

    made = transport.make(settings(peer, pki), name="acme", environment=TEST, resolve=resolve)
    envelope = made.pack([document(cxml())], identity())
    assert asked == []
    made.deliver(envelope, at=AT)
    made.deliver(envelope, at=AT)
    assert asked == ["env:PARTNER", "env:PARTNER"]
    assert [f"secret-{n}".encode() in body for n, body in enumerate(peer.bodies, 1)] == [True, True]


# -- the verdict is in the body


STATUSES = {
    200: (Outcome.ACCEPTED, False),
    201: (Outcome.ACCEPTED, False),
    204: (Outcome.ACCEPTED, False),
    280: (Outcome.ACCEPTED, False),
    281: (Outcome.ACCEPTED, False),
    299: (Outcome.ACCEPTED, False),
    400: (Outcome.REJECTED, False),
    401: (Outcome.RETRY, True),
    402: (Outcome.RETRY, True),
    403: (Outcome.RETRY, True),
    406: (Outcome.REJECTED, False),
    409: (Outcome.REJECTED, False),
    412: (Outcome.REJECTED, False),
    417: (Outcome.REJECTED, False),
    450: (Outcome.RETRY, True),
    475: (Outcome.RETRY, True),
    476: (Outcome.RETRY, True),
    477: (Outcome.RETRY, True),
    499: (Outcome.REJECTED, False),
    500: (Outcome.RETRY, False),
    550: (Outcome.RETRY, False),
    551: (Outcome.RETRY, False),
    560: (Outcome.RETRY, False),
    599: (Outcome.RETRY, False),
    302: (Outcome.UNKNOWN, False),
    700: (Outcome.UNKNOWN, False),
}


@pytest.mark.parametrize("code", STATUSES)
def test_the_cxml_status_decides_whatever_the_http_code(code: int, peer: Peer, pki: Pki) -> None:
    outcome, fault = STATUSES[code]
    for status in ("200 OK", "401 Unauthorized", "500 Oops"):
        peer.next.append(http(response(code, "the words"), status))
        receipt = send(channel(peer, pki))
        assert (receipt.outcome, receipt.code, receipt.channel_fault) == (outcome, str(code), fault)
        assert receipt.text == "the words"
        assert receipt.duplicate is (code == 409)
        assert b"the words" in receipt.raw


HTML = "<html><body>Down for maintenance</body></html>"
WHOLE = response(200)
NO_VERDICT: dict[str, tuple[Behaviour, Outcome, str]] = {
    "html under 200": (http(HTML, media="text/html"), Outcome.UNKNOWN, "content type"),
    "html named xml": (http(HTML), Outcome.UNKNOWN, "not cXML"),
    "empty": (http(""), Outcome.UNKNOWN, "empty"),
    "wrong content type": (http(WHOLE, media="application/json"), Outcome.UNKNOWN, "content type"),
    "truncated xml, right length": (http(WHOLE[:-9]), Outcome.UNKNOWN, "not well-formed"),
    "cut before its length": (then_close(http(WHOLE)[:-20]), Outcome.UNKNOWN, "cut"),
    "cut without a length": (
        then_close(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n" + WHOLE[:-9].encode()),
        Outcome.UNKNOWN,
        "not well-formed",
    ),
    "cut chunk": (
        then_close(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<cXML"),
        Outcome.UNKNOWN,
        "cut",
    ),
    "a request for an answer": (http(cxml()), Outcome.UNKNOWN, "without Response/Status"),
    "a status that is no number": (http(response("abc")), Outcome.UNKNOWN, "three digits"),
    "an entity": (
        http(f'<!DOCTYPE cXML [<!ENTITY a "b">]>{WHOLE.partition(".dtd")[2][2:]}'),
        Outcome.UNKNOWN,
        "declares entities",
    ),
    "garbage": (then_close(b"SSH-2.0-OpenSSH\r\n"), Outcome.UNKNOWN, "after the body"),
    "reset": (reset, Outcome.UNKNOWN, "after the body"),
    "closed": (then_close(b""), Outcome.UNKNOWN, "after the body"),
    "500": (http("oops", "500 Oops", "text/plain"), Outcome.UNKNOWN, "no cXML verdict"),
    "502": (http(HTML, "502 Bad Gateway", "text/html"), Outcome.UNKNOWN, "no cXML verdict"),
    "503": (http("", "503 Busy", "text/plain", "Retry-After: 120\r\n"), Outcome.UNKNOWN, "no cXML verdict"),
    "400": (http("", "400 Bad", "text/plain"), Outcome.UNKNOWN, "no cXML verdict"),
    "408": (http("", "408 Slow", "text/plain"), Outcome.RETRY, "in time"),
    "413": (http("", "413 Large", "text/plain"), Outcome.REJECTED, "larger"),
    "429": (http("", "429 Many", "text/plain", "Retry-After: 120\r\n"), Outcome.RETRY, "too many"),
    "401": (http("", "401 No", "text/plain"), Outcome.RETRY, "not authenticated"),
    "403": (http("", "403 No", "text/plain"), Outcome.RETRY, "forbidden"),
    "404": (http(HTML, "404 Not Found", "text/html"), Outcome.RETRY, "nothing is at this address"),
    "302": (http("", "302 Found", "text/html", "Location: https://evil.example/\r\n"), Outcome.RETRY, "nothing"),
}
FAULTS = {"401", "403", "404", "302"}


@pytest.mark.parametrize("name", NO_VERDICT)
def test_without_a_whole_cxml_answer_nothing_is_taken_for_accepted(name: str, peer: Peer, pki: Pki) -> None:
    behaviour, outcome, words = NO_VERDICT[name]
    peer.next.append(behaviour)
    receipt = send(channel(peer, pki))
    assert receipt.outcome is outcome, receipt
    assert words in receipt.text
    assert receipt.channel_fault is (name in FAULTS)
    assert len(peer.bodies) == 1, "no resend and no redirect followed"
    if name in ("503", "429"):
        assert receipt.retry_after == 120


def test_an_entity_bomb_in_an_answer_is_not_expanded(peer: Peer, pki: Pki) -> None:
    rows = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = (
        f'<!DOCTYPE cXML [<!ENTITY a0 "ha">{rows}]><cXML><Response><Status code="200" text="x"/>&a11;</Response></cXML>'
    )
    peer.next.append(http(bomb))
    assert send(channel(peer, pki)).outcome is Outcome.UNKNOWN


def test_an_external_dtd_or_entity_of_an_answer_is_not_fetched(peer: Peer, pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("inside")
    entity = f'<!DOCTYPE cXML [<!ENTITY e SYSTEM "file://{tmp_path}/secret.txt">]>'
    peer.next.append(http(f'{entity}<cXML><Response><Status code="200" text="x">&e;</Status></Response></cXML>'))
    receipt = send(channel(peer, pki))
    assert receipt.outcome is Outcome.UNKNOWN
    assert "inside" not in receipt.text


def test_an_answer_longer_than_the_limit_is_unknown_and_is_not_read_to_its_end(peer: Peer, pki: Pki) -> None:
    peer.next.append(then_close(http(WHOLE + " " * 300_000)))
    receipt = send(channel(peer, pki, max_answer_bytes=100_000))
    assert receipt.outcome is Outcome.UNKNOWN
    assert "longer than 100000" in receipt.text
    assert len(receipt.raw) == 100_000


@pytest.mark.parametrize("data", [http(WHOLE), b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500], ids=["whole", "in the header"])
def test_a_dripping_answer_ends_with_the_total_time(data: bytes, peer: Peer, pki: Pki) -> None:
    peer.next.append(drip(data, 0.1))
    begun = time.monotonic()
    receipt = send(channel(peer, pki, read_timeout="1s", total_timeout="1s"))
    assert receipt.outcome is Outcome.UNKNOWN
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("times", [("1s", "60s"), ("60s", "1s")], ids=["read", "total"])
def test_silence_ends_with_the_shorter_time_and_is_unknown(times: tuple[str, str], peer: Peer, pki: Pki) -> None:
    peer.next.append(lambda connection: time.sleep(1.5))
    begun = time.monotonic()
    receipt = send(channel(peer, pki, read_timeout=times[0], total_timeout=times[1]))
    assert time.monotonic() - begun < 1.4
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.UNKNOWN, False)


def test_a_lost_answer_is_unknown_and_the_resend_bears_the_same_bytes(peer: Peer, pki: Pki) -> None:
    peer.next += [reset, http(response(409, "already processed"))]
    one = channel(peer, pki)
    envelope = one.pack([document(cxml())], identity())
    first, second = one.deliver(envelope, at=AT), one.deliver(envelope, at=AT + timedelta(minutes=5))
    assert (first.outcome, second.duplicate) == (Outcome.UNKNOWN, True)
    assert peer.bodies[0] == peer.bodies[1]


def test_an_answer_that_answered_another_message_before_is_remarked(peer: Peer, pki: Pki) -> None:
    peer.next += [http(response(200, payload_id="same@network"))] * 3
    one = channel(peer, pki)
    assert "note" not in send(one, "1@seller").text
    assert "note" not in send(one, "1@seller").text
    assert "answered another message before" in send(one, "2@seller").text


# -- before the body


def test_a_refused_connection_is_a_retry(pki: Pki, peer: Peer) -> None:
    peer.close()
    peer.thread.join(0.1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"https://127.0.0.1:{free.getsockname()[1]}/"
    receipt = send(channel(peer, pki, url=closed))
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, False)
    assert "before the body" in receipt.text


def test_a_name_that_does_not_resolve_is_a_retry(peer: Peer, pki: Pki) -> None:
    receipt = send(channel(peer, pki, url="https://partner.invalid/"))
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, False)


def test_a_certificate_of_an_unknown_authority_stops_the_channel_before_anything_is_sent(
    peer: Peer, tmp_path: Path, pki: Pki
) -> None:
    receipt = send(channel(peer, pki, ca_file=Pki(tmp_path).ca_file))
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, True)
    assert peer.bodies == []


def test_a_certificate_of_another_host_stops_the_channel(peer: Peer, pki: Pki) -> None:
    receipt = send(channel(peer, pki, url=peer.url.replace("127.0.0.1", "localhost")))
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, True)
    assert peer.bodies == []


def test_an_own_authority_is_trusted_alone_or_beside_the_systems(peer: Peer, pki: Pki) -> None:
    assert send(channel(peer, pki, ca_adds=True)).outcome is Outcome.ACCEPTED
    assert send(channel(peer, pki, ca_file=None)).channel_fault


def test_a_connection_dropped_in_the_handshake_is_a_retry(peer: Peer, pki: Pki) -> None:
    def drop(raw: socket.socket) -> bool:
        raw.recv(10)
        raw.close()
        return True

    peer.before_tls = drop
    receipt = send(channel(peer, pki))
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, False)


def test_a_handshake_that_hangs_ends_with_the_connect_time(peer: Peer, pki: Pki) -> None:
    def hang(raw: socket.socket) -> bool:
        time.sleep(1.5)
        return True

    peer.before_tls = hang
    receipt = send(channel(peer, pki, connect_timeout="1s"))
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, False)


def test_a_plain_http_server_on_the_port_stops_the_channel(peer: Peer, pki: Pki) -> None:
    def plain(raw: socket.socket) -> bool:
        raw.recv(10)
        raw.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return True

    peer.before_tls = plain
    receipt = send(channel(peer, pki))
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, True)


def test_a_partner_that_wants_a_client_certificate_gets_it_and_without_it_nothing_was_taken(pki: Pki) -> None:
    strict = Peer(pki, client_ca=True)
    certificate, key = pki.client
    with_it = channel(strict, pki, client_certificate=certificate, client_key=key)
    assert send(with_it).outcome is Outcome.ACCEPTED
    without = send(channel(strict, pki))
    assert without.outcome in (Outcome.RETRY, Outcome.UNKNOWN)
    assert len(strict.bodies) == 1
    strict.close()


def test_a_missing_certificate_file_stops_the_channel_and_names_the_file(peer: Peer, pki: Pki, tmp_path: Path) -> None:
    receipt = send(channel(peer, pki, ca_file=tmp_path / "gone.pem"))
    assert (receipt.outcome, receipt.code, receipt.channel_fault) == (Outcome.RETRY, "CONFIG", True)
    assert "gone.pem" in receipt.text


def test_one_connection_serves_many_documents(peer: Peer, pki: Pki) -> None:
    one = channel(peer, pki)
    for number in range(20):
        assert send(one, f"{number}@seller").outcome is Outcome.ACCEPTED
    assert (len(peer.bodies), peer.connections) == (20, 1)
    assert send(channel(peer, pki), "other@seller").outcome is Outcome.ACCEPTED
    assert peer.connections == 1, "and all channels of one partner share it"


def test_a_connection_that_the_partner_closed_while_idle_costs_no_document(peer: Peer, pki: Pki) -> None:
    one = channel(peer, pki)
    peer.next.append(then_close(http(WHOLE)))
    assert send(one).outcome is Outcome.ACCEPTED
    time.sleep(0.05)
    assert send(one, "2@seller").outcome is Outcome.ACCEPTED


# -- the secret


def test_the_secret_leaves_only_in_its_place_and_escaped(peer: Peer, pki: Pki) -> None:
    one = channel(peer, pki)
    data = cxml(content=f"<Comments>{SECRET_SLOT} &lt;SharedSecret&gt;{SECRET_SLOT}</Comments>")
    envelope = one.pack([document(data)], identity())
    one.deliver(envelope, at=AT)
    assert envelope.data == data, "stored bytes keep the place"
    head, rest = peer.bodies[0].split(b"<Request ")
    assert b"<SharedSecret>s3cr&amp;t&lt;of&gt;the 'partner\"</SharedSecret>" in head
    assert SECRET_SLOT.encode() not in head
    assert rest == data.split(b"<Request ")[1], "what the document says is never a place"


PLACE = f"<SharedSecret>{SECRET_SLOT}</SharedSecret>"


@pytest.mark.parametrize(
    "data",
    [
        cxml(slot=""),
        cxml(slot=f"{SECRET_SLOT}</SharedSecret><SharedSecret>{SECRET_SLOT}"),
        cxml(slot="").replace(b"<Header>", f"<Header><!-- {SECRET_SLOT} -->".encode()),
        cxml(slot="").replace(b"<Sender>", f"<Sender note='{SECRET_SLOT}'>".encode()),
        cxml().replace(b"<Header>", f"<!-- <Request > --><Header>{PLACE}".encode()),
        cxml(slot="", content=PLACE),
        b"<Invoice/>",
        b"",
    ],
    ids=["none", "two", "in a comment", "in an attribute", "behind a false Request", "in the document", "ubl", "empty"],
)
def test_a_header_without_exactly_one_place_is_refused_before_identity_is_fixed(
    data: bytes, peer: Peer, pki: Pki
) -> None:
    one = channel(peer, pki)
    with pytest.raises(ConfigError):
        one.pack([document(data)], identity())
    with pytest.raises(ConfigError):
        one.deliver(Envelope("1@seller", data, "text/xml", "x", TEST), at=AT)
    assert peer.bodies == []


def test_with_a_client_certificate_alone_the_header_has_no_place(peer: Peer, pki: Pki) -> None:
    certificate, key = pki.client
    more = {"secret": None, "client_certificate": certificate, "client_key": key}
    one = HttpsCxml(settings(peer, pki, **more), name="acme", environment=TEST)
    assert one.deliver(one.pack([document(cxml(slot=""))], identity()), at=AT).outcome is Outcome.ACCEPTED
    with pytest.raises(ConfigError, match="no place"):
        one.pack([document(cxml())], identity())


def test_a_document_of_the_other_mode_is_refused(peer: Peer, pki: Pki) -> None:
    one = channel(peer, pki)
    for mode in ("production", "x"):
        with pytest.raises(ConfigError, match="deploymentMode"):
            one.pack([document(cxml(mode=mode))], identity())
    silent = cxml().replace(b' deploymentMode="test"', b"")
    with pytest.raises(ConfigError, match="deploymentMode is production"):
        one.pack([document(silent)], identity())


ECHOES = {
    "plain": SECRET,
    "escaped": "s3cr&amp;t&lt;of&gt;the 'partner\"",
    "quoted": "s3cr&amp;t&lt;of&gt;the &apos;partner&quot;",
    "references": "".join(f"&#{ord(letter)};" for letter in SECRET),
    "base64": "czNjciZ0PG9mPnRoZSAncGFydG5lciI=",
}


@pytest.mark.parametrize("name", ECHOES)
def test_a_partner_that_echoes_the_secret_does_not_get_it_into_receipts_or_logs(
    name: str, peer: Peer, pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = ECHOES[name]
    bodies: list[Behaviour] = [
        http(response(400, "bad").replace("/>", f">{said}</Status>", 1)),
        http(f"not xml {said}", "500 Oops", "text/plain"),
        then_close(http(f"cut {said}")[:-6]),
        http(response(200, payload_id=said.replace('"', "&quot;").replace("<", "&lt;"))),
    ]
    peer.next += [*bodies, bodies[-1]]
    one = channel(peer, pki)
    told = [send(one, f"{number}@seller") for number in range(5)]
    shown = repr(told) + repr(one) + repr(one.settings) + repr(vars(one)) + caplog.text
    everything = shown.encode() + b"".join(receipt.raw for receipt in told)
    for form in (SECRET, said, SECRET[:8]):
        assert form.encode() not in everything, form


def test_a_secret_that_cannot_be_had_stops_the_channel_and_is_not_shown(peer: Peer, pki: Pki) -> None:
    def absent() -> str:
        raise ConfigError("env:PARTNER is not set")

    for secret, words in ((absent, "env:PARTNER"), (lambda: "line\nbreak", "control"), (lambda: "", "empty")):
        one = HttpsCxml(settings(peer, pki), name="acme", environment=TEST, secret=secret)
        receipt = send(one)
        assert (receipt.outcome, receipt.code, receipt.channel_fault) == (Outcome.RETRY, "CONFIG", True)
        assert words in receipt.text
        assert "break" not in receipt.text
    assert peer.bodies == []


def test_an_inline_secret_is_refused_without_being_shown(peer: Peer, pki: Pki) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(peer, pki, secret="hunter2")
    assert "secret" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_settings_that_cannot_work_are_refused_all_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        Https(poll=["StatusUpdateRequest"], ca_adds=True)
    told = str(caught.value)
    for words in ("no address", "own and partner", "secret or client_certificate", "ca_adds without"):
        assert words in told
    for url in ("http://partner.example/", "https://", "https://user:pw@partner.example/", "ftp://x/"):
        with pytest.raises(ValidationError, match="https"):
            Https(url=url, secret="env:X")


def test_a_document_larger_than_the_network_takes_is_a_finding(peer: Peer, pki: Pki) -> None:
    with pytest.raises(InvalidInvoice) as caught:
        channel(peer, pki, max_document_bytes=100).pack([document(cxml())], identity())
    assert caught.value.findings[0].rule == "EINV-SEND-01"


# -- looking the address up


def profile(**urls: str) -> str:
    rows = "".join(f'<Transaction requestName="{name}"><URL>{url}</URL></Transaction>' for name, url in urls.items())
    return response(200, inner=f'<ProfileResponse effectiveDate="2026-01-01T00:00:00Z">{rows}</ProfileResponse>')


def asking(peer: Peer, pki: Pki, **more: Any) -> HttpsCxml:
    own, partner = Credential(identity="AN1<&-T"), Credential(identity="AN2-T")
    return channel(peer, pki, url=None, profile_url=f"{peer.url}/profile", own=own, partner=partner, **more)


def test_the_address_is_looked_up_once_a_day(peer: Peer, pki: Pki) -> None:
    peer.otherwise = lambda body: http(
        profile(InvoiceDetailRequest=f"{peer.url}/invoices") if b"<ProfileRequest/>" in body else WHOLE
    )
    one = asking(peer, pki)
    envelope = one.pack([document(cxml())], identity())
    for hours in (0, 1, 2, 30):
        assert one.deliver(envelope, at=AT + timedelta(hours=hours)).outcome is Outcome.ACCEPTED
    look_up, send_there = "/cxml/profile", "/cxml/invoices"
    assert peer.paths == [look_up, send_there, send_there, send_there, look_up, send_there]
    assert b"<Identity>AN1&lt;&amp;-T</Identity>" in peer.bodies[0]
    assert b"<SharedSecret>s3cr&amp;t" in peer.bodies[0]
    assert one.discover(AT + timedelta(hours=30)) == {"InvoiceDetailRequest": f"{peer.url}/invoices"}


@pytest.mark.parametrize(
    "url", ["https://evil.example/cxml", "http://127.0.0.1/cxml", "https://127.0.0.1@evil.example/", "", "javascript:x"]
)
def test_a_profile_that_names_another_host_stops_the_channel_and_tells_it_nothing(
    url: str, peer: Peer, pki: Pki
) -> None:
    peer.next.append(http(profile(InvoiceDetailRequest=url)))
    receipt = send(asking(peer, pki))
    assert (receipt.outcome, receipt.code, receipt.channel_fault) == (Outcome.RETRY, "CONFIG", True)
    assert len(peer.bodies) == 1


def test_a_host_that_was_allowed_by_name_may_be_told(peer: Peer, pki: Pki) -> None:
    peer.next.append(http(profile(InvoiceDetailRequest=peer.url.replace("127.0.0.1", "localhost"))))
    receipt = send(asking(peer, pki, allowed_hosts=["localhost"]))
    assert receipt.code == "TLS", "it went there, and the certificate is for another name"


def test_a_moved_address_is_looked_up_again_and_the_document_follows(peer: Peer, pki: Pki) -> None:
    peer.next += [
        http(profile(InvoiceDetailRequest=f"{peer.url}/old")),
        http(HTML, "404 Not Found", "text/html"),
        http(profile(InvoiceDetailRequest=f"{peer.url}/new")),
        http(WHOLE),
    ]
    one = asking(peer, pki)
    first, second = send(one), send(one)
    assert (first.outcome, first.channel_fault, second.outcome) == (Outcome.RETRY, False, Outcome.ACCEPTED)
    assert peer.paths[-1] == "/cxml/new"


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [(http(response(401)), True), (http(HTML, media="text/html"), False), (reset, False), (http(response(560)), False)],
    ids=["credentials", "maintenance", "reset", "temporary"],
)
def test_a_look_up_that_fails_leaves_the_document_unsent_not_unknown(
    behaviour: Behaviour, fault: bool, peer: Peer, pki: Pki
) -> None:
    peer.next.append(behaviour)
    receipt = send(asking(peer, pki))
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, fault)
    assert len(peer.bodies) == 1


def test_an_address_pinned_for_the_request_is_used_without_asking(peer: Peer, pki: Pki) -> None:
    send(asking(peer, pki, urls={"InvoiceDetailRequest": f"{peer.url}/pinned"}))
    assert peer.paths == ["/cxml/pinned"]


# -- polling


def test_polled_messages_come_byte_for_byte_and_are_acknowledged_once_they_were_taken(peer: Peer, pki: Pki) -> None:
    first = '<cXML  payloadID="m1" timestamp="2026-11-23T10:00:00+02:00"><Request a=\'1\'>\u00e4</Request></cXML>'
    second = '<cXML payloadID="m2" timestamp="2026-11-23T08:30:00Z"><Request><cXML payloadID="in"/></Request></cXML>'
    page = f"<GetPendingResponse>{second} {first}</GetPendingResponse>"
    peer.next += [http(response(200, inner=page)), http(response(200, "no more"))]
    own = Credential(identity="AN1-T")
    one = channel(peer, pki, own=own, partner=own, poll=["StatusUpdateRequest", "CopyRequest"])
    taken = list(one.collect(at=AT))
    assert [(each.channel, each.remote_id, each.data.decode()) for each in taken] == [
        ("https:acme:poll", "m2", second),
        ("https:acme:poll", "m1", first),
    ]
    assert b"<MessageType>StatusUpdateRequest</MessageType><MessageType>CopyRequest</MessageType>" in peer.bodies[0]
    assert b"lastReceivedTimestamp" not in peer.bodies[0]
    assert b'lastReceivedTimestamp="2026-11-23T08:30:00Z"' in peer.bodies[1], "the later instant, zones considered"


def test_a_network_that_repeats_its_page_for_ever_is_asked_no_more(peer: Peer, pki: Pki) -> None:
    page = '<GetPendingResponse><cXML payloadID="m" timestamp="2026-11-23T08:30:00Z"/></GetPendingResponse>'
    peer.otherwise = lambda _: http(response(200, inner=page))
    own = Credential(identity="AN1-T")
    assert len(list(channel(peer, pki, own=own, partner=own, poll=["StatusUpdateRequest"]).collect(at=AT))) == 1
    assert len(peer.bodies) == 2


def test_a_poll_in_another_encoding_is_handed_on_as_utf_8(peer: Peer, pki: Pki) -> None:
    page = '<GetPendingResponse><cXML payloadID="m"><Request>\u00e4</Request></cXML></GetPendingResponse>'
    body = response(200, inner=page).replace("?>", ' encoding="ISO-8859-1"?>', 1).encode("latin-1")
    peer.next.append(http(body))
    own = Credential(identity="AN1-T")
    (one,) = channel(peer, pki, own=own, partner=own, poll=["StatusUpdateRequest"]).collect(at=AT)
    assert one.data == '<cXML payloadID="m"><Request>\u00e4</Request></cXML>'.encode()


def test_the_transports_own_requests_are_valid_cxml(peer: Peer, pki: Pki, reference: Path) -> None:
    dtd = etree.DTD(file=str(reference / "cxml" / "dtd-1.2.071" / "cXML.dtd"))
    peer.otherwise = lambda body: http(
        profile(GetPendingRequest=f"{peer.url}/pending") if b"<ProfileRequest/>" in body else WHOLE
    )
    list(asking(peer, pki, poll=["StatusUpdateRequest"]).collect(at=AT))
    assert len(peer.bodies) == 2
    for body in peer.bodies:
        asked = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        assert dtd.validate(asked), str(dtd.error_log)


def test_a_poll_that_fails_says_so(peer: Peer, pki: Pki) -> None:
    own = Credential(identity="AN1-T")
    one = channel(peer, pki, own=own, partner=own, poll=["StatusUpdateRequest"])
    peer.next.append(http(response(401, "Invalid credentials")))
    with pytest.raises(transport.ChannelDown, match="Invalid credentials") as caught:
        list(one.collect(at=AT))
    assert caught.value.receipt.channel_fault


def test_a_channel_without_poll_asks_nothing(peer: Peer, pki: Pki) -> None:
    assert list(channel(peer, pki).collect(at=AT)) == []
    assert peer.bodies == []


# -- folder


def folder(tmp_path: Path, **more: Any) -> FolderTransport:
    for name in ("out", "in"):
        (tmp_path / name).mkdir(exist_ok=True)
    made = Folder(outbox=tmp_path / "out", inbox=tmp_path / "in", **more)
    return FolderTransport(made, name="acme", environment=TEST)


def old(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    os.utime(path, (AT.timestamp() - 60, AT.timestamp() - 60))


def test_a_file_is_named_by_its_identity_and_holds_the_bytes_with_the_secrets_place_empty(tmp_path: Path) -> None:
    one = folder(tmp_path)
    hostile = Document(cxml(), "cxml", "text/xml", "../../evil.sh")
    envelope = one.pack([hostile], Identity("../x y@seller", AT))
    assert re.fullmatch(r"_x_y_seller-[0-9a-f]{8}\.xml", envelope.name)
    assert one.deliver(envelope, at=AT).code == "WRITTEN"
    (written,) = (tmp_path / "out").iterdir()
    assert (written.name, written.read_bytes()) == (envelope.name, cxml())


def test_what_the_partner_was_seen_to_take_is_not_put_there_again(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    one = folder(tmp_path, taken=tmp_path / "archive")
    envelope, other = (one.pack([document(cxml())], identity(name)) for name in ("1@seller", "2@seller"))
    one.deliver(envelope, at=AT)
    (tmp_path / "out" / envelope.name).rename(tmp_path / "archive" / envelope.name)
    receipt = one.deliver(envelope, at=AT)
    assert (receipt.outcome, receipt.code, receipt.duplicate) == (Outcome.ACCEPTED, "TAKEN", True)
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "archive" / other.name).write_bytes(b"other bytes")
    assert one.deliver(other, at=AT).code == "WRITTEN"


def test_a_name_that_leaves_the_outbox_is_refused(tmp_path: Path) -> None:
    for name in ("../x.xml", "/etc/x", ".hidden", ""):
        with pytest.raises(ConfigError):
            folder(tmp_path).deliver(Envelope("1", b"x", "text/xml", name, TEST), at=AT)


def test_a_full_disk_is_a_retry_and_a_missing_outbox_stops_the_channel(tmp_path: Path) -> None:
    one = folder(tmp_path)
    envelope = one.pack([document(cxml())], identity())
    with file_size_limit(5):
        receipt = one.deliver(envelope, at=AT)
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, False)
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "out").rmdir()
    receipt = one.deliver(envelope, at=AT)
    assert (receipt.outcome, receipt.channel_fault) == (Outcome.RETRY, True)


def test_many_writers_of_one_identity_leave_one_whole_file(tmp_path: Path) -> None:
    one = folder(tmp_path)
    envelope = one.pack([document(cxml(content="y" * 200_000))], identity())
    told: list[Receipt] = []
    threads = [threading.Thread(target=lambda: told.append(one.deliver(envelope, at=AT))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.code for receipt in told) == ["EXISTS"] * 7 + ["WRITTEN"]
    assert {receipt.outcome for receipt in told} == {Outcome.ACCEPTED}
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [envelope.data]


def test_the_inbox_gives_settled_regular_files_and_keeps_them_in_taken(tmp_path: Path) -> None:
    one = folder(tmp_path)
    inbox = tmp_path / "in"
    old(inbox / "b.xml", b"b")
    old(inbox / "a.xml", b"a")
    old(inbox / ".part", b"half")
    (inbox / "fresh.xml").write_bytes(b"being written")
    old(tmp_path / "elsewhere", b"not of this inbox")
    (inbox / "link.xml").symlink_to(tmp_path / "elsewhere")
    assert [(each.remote_id, each.data) for each in one.collect(at=AT)] == [("a.xml", b"a"), ("b.xml", b"b")]
    old(inbox / "a.xml", b"another under the old name")
    assert [each.data for each in one.collect(at=AT)] == [b"another under the old name"]
    kept = sorted(path.read_bytes() for path in (inbox / "taken").iterdir())
    assert kept == [b"a", b"another under the old name", b"b"]


def test_an_inbox_file_too_large_is_left_and_named_after_the_others_were_given(tmp_path: Path) -> None:
    one = folder(tmp_path, max_bytes=10)
    old(tmp_path / "in" / "a.xml", b"x" * 11)
    old(tmp_path / "in" / "b.xml", b"b")
    given: list[bytes] = []
    with pytest.raises(transport.ChannelDown, match=r"a\.xml: 11 bytes"):
        given.extend(each.data for each in one.collect(at=AT))
    assert (tmp_path / "in" / "taken" / "b.xml").exists()


# -- mock


@pytest.mark.parametrize(
    ("step", "outcome", "taken"),
    [
        ("accept", Outcome.ACCEPTED, 1),
        ("late", Outcome.ACCEPTED, 1),
        ("reject", Outcome.REJECTED, 0),
        ("retry", Outcome.RETRY, 0),
        ("fault", Outcome.RETRY, 0),
        ("lost", Outcome.UNKNOWN, 1),
        ("cut", Outcome.UNKNOWN, 0),
    ],
)
def test_a_mock_does_what_its_script_says(step: Step, outcome: Outcome, taken: int) -> None:
    one = MockTransport(Mock(script=(step,)), name="acme", environment=TEST)
    receipt = one.deliver(one.pack([document(b"x")], identity()), at=AT)
    assert (receipt.outcome, receipt.channel_fault) == (outcome, step == "fault")
    assert len(one.taken) == taken
    assert len(list(one.collect(at=AT))) == (step == "late")


def test_a_mock_refuses_other_bytes_under_an_id_it_has() -> None:
    one = MockTransport(Mock(), name="acme", environment=TEST)
    one.deliver(one.pack([document(b"x")], identity()), at=AT)
    receipt = one.deliver(one.pack([document(b"y")], identity()), at=AT)
    assert (receipt.outcome, receipt.duplicate, len(one.attempts)) == (Outcome.REJECTED, True, 2)
