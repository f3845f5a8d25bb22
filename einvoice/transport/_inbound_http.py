"""The sockets of the inbound endpoint: TLS, limits, one thread a connection, two paths."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ..errors import ConfigError
from . import _cxml

if TYPE_CHECKING:
    from .inbound import Door, InboundServer

_log = logging.getLogger("einvoice.inbound")
_LINE: Final = 1024


class _Refused(Exception):
    """An HTTP body that is not taken."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        super().__init__(text)


def tls(door: Door) -> ssl.SSLContext | None:
    """The server's context; None on loopback without a certificate. ConfigError for anything else."""
    if door.certificate is None:
        if not _loopback(door.host):
            told = f"refuses to listen on {door.host} without TLS: partners send a shared secret"
            raise ConfigError(
                told, where="inbound", fix="set certificate and key, or listen on 127.0.0.1 behind a proxy"
            )
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(door.certificate, door.key)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__
        raise ConfigError(
            f"cannot be used for TLS: {why}", where=str(door.certificate), fix="give PEM files"
        ) from error
    return context


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, inbound: InboundServer, context: ssl.SSLContext | None) -> None:
        self.inbound, self.context = inbound, context
        self.slots = threading.BoundedSemaphore(inbound.door.max_connections)
        door = inbound.door
        try:
            if ":" in door.host:
                self.address_family = socket.AF_INET6
            super().__init__((door.host, door.port), _Handler)
        except OSError as error:
            told = f"cannot listen on {door.host} port {door.port}: {error.strerror}"
            raise ConfigError(told, where="inbound", fix="choose another host or port") from error

    def process_request(self, request: Any, client_address: Any) -> None:
        """One thread a connection, up to the limit; beyond it the connection is closed and the partner comes again."""
        if not self.slots.acquire(blocking=False):
            self.inbound.count("refused")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            request.settimeout(self.inbound.door.idle_timeout.total_seconds())
            if self.context:  # here and not while accepting: a client that never finishes must not stop the others
                request = self.context.wrap_socket(request, server_side=True)
            super().process_request_thread(request, client_address)
        except OSError as error:
            _log.info("connection ended: %s", type(error).__name__)
            self.inbound.count("refused")
            self.shutdown_request(request)
        finally:
            self.slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke, or a store that failed; the latter's partner has its answer already."""
        broken = isinstance(sys.exception(), OSError)
        _log.log(logging.INFO if broken else logging.ERROR, "inbound request failed", exc_info=not broken)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "einvoice"
    sys_version = ""
    server: Server
    paths: ClassVar = {"/cxml": "POST", "/healthz": "GET"}

    def do_GET(self) -> None:
        if self._allowed("GET"):
            self._say(200, "text/plain; charset=utf-8", b"ok\n")

    def do_POST(self) -> None:
        if not self._allowed("POST"):
            return
        inbound = self.server.inbound
        try:
            data = self._body()
        except _Refused as refused:
            self._refuse(refused.status, refused.text)
            return
        try:
            status, media_type, answer = inbound.take(data, self.headers.get("Content-Type", "text/xml"))
        except Exception:
            inbound.count("failed")
            self._say(500, _cxml.MEDIA_TYPE, inbound.not_kept(data))
            raise
        self._say(status, media_type, answer)

    def handle_one_request(self) -> None:
        """One request within the total time, however slowly it drips."""
        seconds = self.server.inbound.door.total_timeout.total_seconds()
        watch = threading.Timer(seconds, socket.socket.shutdown, (self.connection, socket.SHUT_RDWR))
        watch.daemon = True
        watch.start()
        try:
            super().handle_one_request()
        finally:
            watch.cancel()

    def _allowed(self, method: str) -> bool:
        wanted = self.paths.get(self.path.partition("?")[0])
        if wanted != method:
            self._refuse(405 if wanted else 404, "use POST /cxml")
        return wanted == method

    def _body(self) -> bytes:
        """The whole posted body, or _Refused. A cut body is never taken for a whole one."""
        most = self.server.inbound.door.max_bytes
        lengths = self.headers.get_all("Content-Length") or []
        if self.headers.get("Transfer-Encoding", "").strip().lower() == "chunked" and not lengths:
            return self._chunks(most)
        if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            raise _Refused(411, "send Content-Length once")
        if len(lengths[0]) > 12 or int(lengths[0]) > most:
            raise _Refused(413, f"at most {most} bytes")
        return self._exactly(int(lengths[0]))

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise _Refused(400, "the body was cut")
        return data

    def _chunks(self, most: int) -> bytes:
        """A chunked body (RFC 9112 7.1); trailers are read over."""
        data = bytearray()
        while size := self._chunk_size():
            if len(data) + size > most:
                raise _Refused(413, f"at most {most} bytes")
            data += self._exactly(size)
            self._exactly(2)
        for _ in range(100):
            if self.rfile.readline(_LINE) in (b"\r\n", b"\n"):
                return bytes(data)
        raise _Refused(400, "the body was cut")

    def _chunk_size(self) -> int:
        text = self.rfile.readline(_LINE).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", text):
            raise _Refused(400, "not a chunked body")
        return int(text, 16)

    def _refuse(self, status: int, text: str) -> None:
        self.server.inbound.count("refused")
        self.close_connection = True
        self._say(status, "text/plain; charset=utf-8", f"{text}\n".encode())

    def _say(self, status: int, media_type: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        _log.info("%s %s", self.address_string(), format % args)
