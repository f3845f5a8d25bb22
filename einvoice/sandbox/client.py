"""The control interface from Python. Standard library only; the same calls work from any language with HTTPS."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit


class ControlClient:
    """Steers a sandbox and asks it what it received. docs/sandbox.md describes each call and its answer.

    A refused call raises ValueError with the sandbox's own words.
    """

    def __init__(self, url: str, token: str, ca_file: Path | str) -> None:
        self._url = urlsplit(url)
        self._token = token
        self._context = ssl.create_default_context(cafile=str(ca_file))

    def reset(self) -> None:
        """Forgets everything; first secret, first rules, real time, no behaviours, no callback."""
        self._call("POST", "/reset")

    def invoices(self, **wanted: str) -> list[dict[str, Any]]:
        """Invoices taken, one row each, with ``copies``, ``distinct_bytes`` and ``contents`` per payloadID."""
        return list(self._call("GET", "/invoices", query=wanted)["invoices"])

    def count(self, number: str) -> int:
        """How many separate invoices bear *number*: more than one is a double invoice."""
        return int(self._call("GET", "/invoices", query={"number": number})["numbers"].get(number, 0))

    def totals(self) -> dict[str, Any]:
        """``invoices`` taken, ``requests`` that bore one, ``doubled`` numbers, payloadIDs whose content ``changed``."""
        return dict(self._call("GET", "/totals"))

    def copies(self, payload_id: str) -> int:
        """How many requests bearing *payload_id* came over the wire, accepted or not."""
        return len(self.messages(payload_id=payload_id, direction="in"))

    def messages(self, **wanted: str) -> list[dict[str, Any]]:
        """Every exchange in order, filtered by kind, payload_id, invoice_number, direction, behaviour."""
        return list(self._call("GET", "/messages", query=wanted))

    def raw(self, message_id: int, side: str = "request") -> bytes:
        """The exact bytes of a stored message: its ``request`` or its ``answer``."""
        return self._send("GET", f"/messages/{message_id}/{side}", b"")

    def next(self, do: str, **how: Any) -> None:
        """Queues a behaviour for the next matching request; *how*: ``on``, ``match``, ``times``, ``after`` ..."""
        self._call("POST", "/behaviours", {"do": do, **how})

    def behaviours(self) -> list[dict[str, Any]]:
        """Behaviours that still wait."""
        return list(self._call("GET", "/behaviours"))

    def clear_behaviours(self) -> None:
        self._call("DELETE", "/behaviours")

    def now(self) -> str:
        """Virtual now, ISO 8601."""
        return str(self._call("GET", "/clock")["now"])

    def advance(self, seconds: int = 0, *, hours: int = 0) -> int:
        """Moves the clock and returns when everything due on the way was done; how many things that was."""
        return int(self._call("POST", "/clock", {"seconds": seconds, "hours": hours})["fired"])

    def push(self, of: str, type: str | None, **more: Any) -> dict[str, Any]:
        """Sends a status about the invoice *of* (payloadID or number; "" for one that is not known)."""
        row: dict[str, Any] = self._call("POST", "/statuses", {"of": of, "type": type, **more})
        return row

    def statuses(self) -> list[dict[str, Any]]:
        """Statuses queued, pushed, polled and acknowledged."""
        return list(self._call("GET", "/statuses"))

    def rotate_secret(self, secret: str = "") -> str:
        """The new shared secret; the old one is refused from now on."""
        return str(self._call("POST", "/secret", {"secret": secret})["secret"])

    def set_rules(self, rules: Mapping[str, Any]) -> None:
        """Replaces the rules: ``{"default": {...}, "buyer": {"AN...": {...}}}``."""
        self._call("PUT", "/rules", dict(rules))

    def set_callback(self, url: str, secret: str, ca: str = "") -> None:
        """Pushes statuses to *url* from now on; *ca* is PEM text."""
        self._call("PUT", "/callback", {"url": url, "secret": secret, "ca": ca})

    def clear_callback(self) -> None:
        self._call("DELETE", "/callback")

    def _call(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        return json.loads(self._send(method, path + (f"?{urlencode(query)}" if query else ""), data))

    def _send(self, method: str, path: str, body: bytes) -> bytes:
        connection = HTTPSConnection(self._url.hostname or "", self._url.port, timeout=60, context=self._context)
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Connection": "close"}
            connection.request(method, self._url.path + path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(f"sandbox: {method} {path}: {data.decode(errors='replace').strip()}")
        return data
