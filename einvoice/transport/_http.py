"""One HTTPS exchange: the answer, or the silence and whether the body may have left. Nothing is retried here."""

from __future__ import annotations

import io
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from ..errors import ConfigError

_BLOCK = 65536


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust and who we are. ``ca_file`` alone is trusted, or beside the system's when ``ca_adds``."""

    ca_file: Path | None = None
    ca_adds: bool = False
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, between two bytes and for the exchange after connecting; bytes of an answer."""

    connect: int
    read: int
    total: int
    answer: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. ``problem`` says why its body is not whole; empty when it is, as far as HTTP can tell."""

    status: int
    media_type: str
    data: bytes
    retry_after: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer. ``left``: bytes of the body may have reached the other side. ``fault``: a person must act."""

    left: bool
    code: str
    text: str
    fault: bool = False


class _Socket(ssl.SSLSocket):
    """A TLS socket with an end: a partner that drips one byte a minute cannot hold an exchange for ever."""

    deadline: float | None = None
    each: float = 0

    def _bound(self) -> None:
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the exchange took longer than its total time")
            self.settimeout(min(self.each, left))

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._bound()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._bound()
        return super().send(*args, **kwargs)


class _Body(io.BytesIO):
    """The bytes to send; knows whether any were taken, and gives its exchange's times to the socket."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        super().__init__(data)
        self.limits = limits
        self.left = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.left = True
        return super().read(size)


class _Connection(HTTPSConnection):
    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **rest: Any) -> None:
        if isinstance(self.sock, _Socket) and isinstance(body, _Body):
            self.sock.each = body.limits.read
            self.sock.deadline = time.monotonic() + body.limits.total
        super().request(method, url, body=body, headers=headers, **rest)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


_pools: dict[tuple[object, ...], urllib3.PoolManager] = {}
_lock = threading.Lock()


def pool(tls: Tls, password: Callable[[], str] | None = None) -> urllib3.PoolManager:
    """The process's connections under *tls*: reused between calls, made anew in a forked child and when a file changes.

    ConfigError when a certificate or key cannot be read.
    """
    try:
        files = [path for path in (tls.ca_file, tls.certificate, tls.key) if path]
        key = (os.getpid(), tls, *(path.stat().st_mtime_ns for path in files))
        with _lock:
            if key not in _pools:
                _pools[key] = _manager(_context(tls, password))
            return _pools[key]
    except (OSError, ssl.SSLError) as error:
        where = ", ".join(str(path) for path in files)
        why = getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__
        raise ConfigError(f"cannot be used for TLS: {why}", where=where, fix="give readable PEM files") from error


def _manager(context: ssl.SSLContext) -> urllib3.PoolManager:
    manager = urllib3.PoolManager(num_pools=32, maxsize=16, ssl_context=context, cert_reqs="CERT_REQUIRED")
    manager.pool_classes_by_scheme = {"https": _Pool}
    return manager


def _context(tls: Tls, password: Callable[[], str] | None) -> ssl.SSLContext:
    """Verification on, TLS 1.2 or newer. Made once for each trust set: it costs some 18 ms."""
    context = ssl.create_default_context(cafile=None if tls.ca_adds else tls.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _Socket
    if tls.ca_file and tls.ca_adds:
        context.load_verify_locations(tls.ca_file)
    if tls.certificate:
        context.load_cert_chain(tls.certificate, tls.key, password)
    return context


def post(
    pool: urllib3.PoolManager, url: str, data: bytes, headers: Mapping[str, str], limits: Limits, at: datetime
) -> Answer | Silence:
    """What one POST of *data* to *url* came to. Redirects are answers, not followed: they could carry a secret away."""
    body = _Body(data, limits)
    timeout = urllib3.Timeout(connect=limits.connect, read=limits.read)
    head = {**headers, "Content-Length": str(len(data)), "Accept-Encoding": "identity"}
    try:
        response = pool.urlopen(
            "POST", url, body=body, headers=head, timeout=timeout, retries=False, redirect=False, preload_content=False
        )
    except (HTTPError, OSError) as error:
        return _silence(error, body.left)
    return _read(response, limits, at)


def _read(response: urllib3.BaseHTTPResponse, limits: Limits, at: datetime) -> Answer:
    """The whole answer, or as much as came with the problem named. A spoiled connection is not used again."""
    data, problem = bytearray(), ""
    try:
        for block in iter(lambda: response.read(_BLOCK, decode_content=False), b""):
            data += block
            if len(data) > limits.answer:
                problem = f"longer than {limits.answer} bytes"
                break
    except (HTTPError, OSError) as error:
        problem = f"cut: {_cause(error)}"
    if problem:
        response.close()
    response.release_conn()
    return Answer(
        status=response.status,
        media_type=response.headers.get("Content-Type", ""),
        data=bytes(data[: limits.answer]),
        retry_after=retry_after(response.headers.get("Retry-After", ""), at),
        problem=problem,
    )


def retry_after(value: str, at: datetime) -> int | None:
    """Seconds that a Retry-After header asks for, counted from *at*; None when it says nothing readable (RFC 9110)."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), 7 * 86400)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    if then.tzinfo is None:
        return None
    return max(0, min(int((then - at).total_seconds()), 7 * 86400))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: urllib3 keeps the cause in args, ``__cause__`` or ``__context__``."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, one.__cause__, one.__context__]


def _cause(error: BaseException) -> str:
    """The innermost class name, for people: ``ConnectionResetError``."""
    return [type(one).__name__ for one in _chain(error)][-1]


#: Alerts by which a server ends the handshake. With TLS 1.3 they arrive when the client believes it is done, even after
#: it wrote its request: the server never read that request, so nothing was taken.
_REFUSED = (
    *("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_EXPIRED"),
    *("CERTIFICATE_REVOKED", "CERTIFICATE_UNKNOWN", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "ACCESS_DENIED"),
)


def _silence(error: BaseException, left: bool) -> Silence:
    """Why there was no answer. TLS trust and version faults need a person; a cut or refused connection does not."""
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return Silence(left, "TLS", f"certificate not accepted: {one.verify_message}", fault=not left)
        if isinstance(one, ssl.SSLError) and (reason := str(one.reason or "")):
            alert = "ALERT" in reason and reason.endswith(_REFUSED)
            version = any(word in reason for word in ("VERSION", "PROTOCOL", "NO_SHARED", "HTTP_REQUEST"))
            if alert or (version and not left):
                return Silence(False, "TLS", f"the TLS handshake was refused: {reason}", fault=True)
    stage = "after the body may have left" if left else "before the body left"
    return Silence(left, _cause(error), f"no answer, {stage}: {_cause(error)}")
