"""HTTPS on loopback: bytes in, the planned wire out. Knows sockets and nothing of cXML."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .behaviours import Wire

_RESET = struct.pack("ii", 1, 0)
_CHUNK = 65536
#: Bytes read and thrown away of a body that is over the limit, so that the sender hears the answer.
_DRAIN = 256_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, body read; ``size`` is what was sent, ``body`` what was kept of it."""

    method: str
    base: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    size: int


class Server(ThreadingHTTPServer):
    """Serves *answer* on (host, port) until ``stop``; port 0 takes a free one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext, answer: Callable[[Call], Wire], max_bytes: int
    ) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)
        self.answer, self.max_bytes = answer, max_bytes
        self._context = context
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="sandbox-https", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stops listening and closes every open connection."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The TLS handshake happens here, in the connection's own thread, so that a silent client blocks no other."""
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request.settimeout(60)
        try:
            secure = self._context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            request.close()
            return
        self._open.add(secure)
        try:
            super().process_request_thread(secure, client_address)
        finally:
            self._open.discard(secure)

    def shutdown_request(self, request: Any) -> None:
        if getattr(request, "fileno", lambda: -1)() >= 0 and not _resets(request):
            # A closing alert without waiting for the peer's: an end of data that is not an attack.
            request.setblocking(False)
            with contextlib.suppress(OSError, ValueError):
                request.unwrap()
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_WR)
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own business; anything else is a fault of the sandbox and is shown."""
        if not isinstance(sys.exc_info()[1], OSError | ssl.SSLError):
            super().handle_error(request, client_address)


def _resets(connection: Any) -> bool:
    linger: bytes = connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET))
    return linger[:4] != bytes(4)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "einvoice-sandbox"
    sys_version = ""
    server: Server

    def _serve(self) -> None:
        try:
            body, size = self._body()
        except (ValueError, EOFError) as error:
            # Cut or garbled by the sender: nobody is there to read an answer, or nothing to give one to.
            self.close_connection = True
            self.send_error(400, f"Bad Request: {error}")
            return
        host = self.headers.get("Host") or "{}:{}".format(*self.server.server_address[:2])
        call = Call(self.command, f"https://{host}", self.path, dict(self.headers.items()), body, size)
        self._send(self.server.answer(call))

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the store remembers more than a log would."""

    def _body(self) -> tuple[bytes, int]:
        """The body and its full size. Raises ValueError when it is garbled, EOFError when it ends early."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").casefold():
            return self._chunked()
        length = int(self.headers.get("Content-Length") or 0)
        wanted = max(0, min(length, self.server.max_bytes + 1))
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            raise EOFError(f"{len(body)} bytes came, {length} were promised")
        if length > wanted:
            self._drain(length - wanted)
        return body, length

    def _drain(self, rest: int) -> None:
        rest = min(rest, _DRAIN)
        while rest > 0 and (read := self.rfile.read(min(rest, _CHUNK))):
            rest -= len(read)
        self.close_connection = True

    def _chunked(self) -> tuple[bytes, int]:
        kept, size = bytearray(), 0
        while count := int(self.rfile.readline(1024).split(b";")[0], 16):
            piece = self.rfile.read(count)
            size += len(piece)
            if len(piece) < count or size > _DRAIN:
                raise EOFError("the last chunk did not come")
            kept += piece[: max(0, self.server.max_bytes + 1 - len(kept))]
            self.rfile.readline(8)
        while self.rfile.readline(_CHUNK).strip():
            pass
        return bytes(kept), size

    def _send(self, wire: Wire) -> None:
        if wire.pace == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close_connection = True
            return
        if wire.pace == "hang":
            self.close_connection = True
            time.sleep(wire.seconds)
            return
        self.send_response(wire.http)
        for name, value in wire.headers.items():
            self.send_header(name, value)
        if wire.length is None or wire.length != len(wire.body):
            self.close_connection = True
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        if wire.length is not None:
            self.send_header("Content-Length", str(wire.length))
        if wire.pace == "drip":
            self.end_headers()
            self._drip(wire)
        else:
            # Head and body in one write: two would wait for an acknowledgement between them.
            self._headers_buffer.append(b"\r\n" + wire.body)  # type: ignore[attr-defined]
            self.flush_headers()

    def _drip(self, wire: Wire) -> None:
        steps = max(1, min(len(wire.body), 20))
        size = -(-len(wire.body) // steps)
        for start in range(0, len(wire.body), size):
            time.sleep(wire.seconds / steps)
            self.wfile.write(wire.body[start : start + size])
