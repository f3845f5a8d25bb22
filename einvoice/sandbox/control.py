"""The control interface: what a test asks of the sandbox, as JSON over HTTPS under ``/control``, with a token."""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field

from ..config import Strict
from ..errors import ConfigError
from .behaviours import Wire
from .clock import Clock
from .network import Network
from .options import Behaviour, Callback, Later, NetworkRules, Number, from_json
from .server import Call
from .statuses import Subject
from .store import Row

Json = object


class Advance(Strict):
    """How far to move the clock: virtual seconds and hours, added up."""

    seconds: Number | None = None
    hours: Number | None = None


class Behaviours(Strict):
    """Behaviours to put at the end of the queue."""

    behaviour: tuple[Behaviour, ...] = Field(min_length=1)


class PushStatus(Later):
    """A status to send: about a received invoice (``of``: its payloadID or number), or about nothing known."""

    of: str = ""


class NewSecret(Strict):
    secret: str = Field(default="", repr=False)


class Control:
    """Routes of the control interface. ``token`` is the only key to it."""

    def __init__(self, network: Network, clock: Clock, token: str) -> None:
        self._network, self._clock, self._token = network, clock, token
        self._routes: Mapping[tuple[str, str], Callable[[object, Mapping[str, str]], Json]] = {
            ("POST", "/control/reset"): self._reset,
            ("GET", "/control/invoices"): self._invoices,
            ("GET", "/control/messages"): self._messages,
            ("GET", "/control/totals"): lambda body, query: self._network.store.totals(),
            ("GET", "/control/behaviours"): lambda body, query: self._network.script.waiting(),
            ("POST", "/control/behaviours"): self._add_behaviours,
            ("DELETE", "/control/behaviours"): self._clear_behaviours,
            ("GET", "/control/clock"): lambda body, query: self._time(),
            ("POST", "/control/clock"): self._advance,
            ("GET", "/control/statuses"): lambda body, query: self._network.store.rows(
                "select * from status order by id"
            ),
            ("POST", "/control/statuses"): self._push,
            ("POST", "/control/secret"): self._rotate,
            ("GET", "/control/rules"): lambda body, query: self._network.rules.model_dump(mode="json"),
            ("PUT", "/control/rules"): self._set_rules,
            ("GET", "/control/callback"): self._callback,
            ("PUT", "/control/callback"): self._set_callback,
            ("DELETE", "/control/callback"): self._clear_callback,
        }

    def answer(self, call: Call) -> Wire:
        """The answer to one call: JSON, or the raw bytes of a message."""
        given = next((value for name, value in call.headers.items() if name.casefold() == "authorization"), "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return _json(401, {"error": "send the header Authorization: Bearer TOKEN with the token of the ready line"})
        url = urlsplit(call.path)
        if url.path.startswith("/control/messages/") and call.method == "GET":
            return self._raw(url.path.split("/")[3:])
        route = self._routes.get((call.method, url.path))
        if route is None:
            known = sorted(f"{method} {path}" for method, path in self._routes)
            return _json(404, {"error": f"no {call.method} {url.path}", "known": known})
        try:
            body = json.loads(call.body) if call.body.strip() else {}
            return _json(200, route(body, dict(parse_qsl(url.query))))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            return _json(400, {"error": f"the body is not JSON: {error}"})
        except ConfigError as error:
            return _json(400, error.as_dict())

    # What was received -----------------------------------------------------------------------------------------

    def _invoices(self, body: object, query: Mapping[str, str]) -> Json:
        rows = self._network.store.invoices(**query)
        numbers = Counter((row["supplier"], row["number"]) for row in rows if row["operation"] == "new")
        return {
            "count": len(rows),
            "copies": sum(row["copies"] for row in rows),
            "numbers": {number: count for (_, number), count in numbers.items()},
            "invoices": rows,
        }

    def _messages(self, body: object, query: Mapping[str, str]) -> Json:
        return self._network.store.messages(**query)

    def _raw(self, parts: list[str]) -> Wire:
        """``/control/messages/ID/request`` or ``/answer``: exactly the bytes of the body."""
        if len(parts) != 2 or not parts[0].isdecimal() or parts[1] not in {"request", "answer"}:
            return _json(404, {"error": "use /control/messages/ID/request or /control/messages/ID/answer"})
        data = self._network.store.raw(int(parts[0]), parts[1])
        if data is None:
            return _json(404, {"error": f"no message {parts[0]}"})
        return Wire(200, data, len(data), {"Content-Type": "application/octet-stream"})

    # What is to happen -----------------------------------------------------------------------------------------

    def _reset(self, body: object, query: Mapping[str, str]) -> Json:
        self._network.reset()
        return self._time()

    def _add_behaviours(self, body: object, query: Mapping[str, str]) -> Json:
        many = body if isinstance(body, dict) and "behaviour" in body else {"behaviour": [body]}
        self._network.script.add(from_json(many, Behaviours, "behaviours").behaviour)
        return self._network.script.waiting()

    def _clear_behaviours(self, body: object, query: Mapping[str, str]) -> Json:
        self._network.script.clear()
        return []

    def _time(self) -> dict[str, object]:
        return {"now": self._clock.now().isoformat(), "ahead_seconds": str(self._clock.offset.total_seconds())}

    def _advance(self, body: object, query: Mapping[str, str]) -> Json:
        by = from_json(body, Advance, "clock")
        fired = self._clock.advance(float((by.seconds or 0) + (by.hours or 0) * 3600))
        return {**self._time(), "fired": fired}

    def _push(self, body: object, query: Mapping[str, str]) -> Json:
        """Queues a status and fires what is due: with hours 0 it is pushed, or can be polled, on return."""
        wanted = from_json(body, PushStatus, "status")
        found = self._network.store.row(
            "select * from invoice where payload_id = ? or number = ? order by id desc", wanted.of, wanted.of
        )
        if found is None and wanted.of:
            raise ConfigError(
                f"no invoice {wanted.of!r} was received", where="of", fix="leave it out for an unknown one"
            )
        at = self._clock.now()
        row = self._network.statuses.queue(wanted, self._subject(found), at)
        self._clock.advance(0)
        return self._network.store.row("select * from status where id = ?", row)

    def _subject(self, row: Row | None) -> Subject:
        if row is None:
            options = self._network.options
            return Subject(options.own[0], options.to[0], "unknown@sandbox.example", "UNKNOWN", "2020-01-01", "EUR")
        return Subject(
            row["supplier"], row["buyer"], row["payload_id"], row["number"], row["invoice_date"], row["currency"]
        )

    def _rotate(self, body: object, query: Mapping[str, str]) -> Json:
        return {"secret": self._network.rotate_secret(from_json(body, NewSecret, "secret").secret)}

    def _set_rules(self, body: object, query: Mapping[str, str]) -> Json:
        self._network.rules = from_json(body, NetworkRules, "rules")
        return self._network.rules.model_dump(mode="json")

    def _callback(self, body: object, query: Mapping[str, str]) -> Json:
        callback = self._network.statuses.callback
        return {} if callback is None else {"url": callback.url}

    def _set_callback(self, body: object, query: Mapping[str, str]) -> Json:
        self._network.statuses.callback = from_json(body, Callback, "callback")
        return self._callback(body, query)

    def _clear_callback(self, body: object, query: Mapping[str, str]) -> Json:
        self._network.statuses.callback = None
        return {}


def _json(http: int, value: Json) -> Wire:
    data = json.dumps(value, default=str).encode() + b"\n"
    return Wire(http, data, len(data), {"Content-Type": "application/json"})
