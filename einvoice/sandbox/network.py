"""The network: one request in, one planned answer out. First the network's checks, then what the request asks for."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ..config import load
from . import desk
from .behaviours import UNREAD, Script, Wire, page, plan
from .checks import KINDS, Gate, Post, open_post, refusal
from .clock import Clock
from .cxml import Message, Status, new_payload_id, response
from .options import Behaviour, NetworkRules, Options, read_scenario, shared_secret
from .statuses import Statuses
from .store import Store
from .validity import Judge


@dataclass(frozen=True, slots=True)
class _Settings:
    """What a reset returns to."""

    secret: str
    rules: NetworkRules


class Network:
    """All state of the network. Requests are judged one at a time, so that a count is never a race."""

    def __init__(self, options: Options, store: Store, clock: Clock) -> None:
        self.options, self.store, self.clock = options, store, clock
        self.judge = Judge(options.dtd)
        rules = load(options.rules, NetworkRules) if options.rules else NetworkRules()
        self._first = _Settings(shared_secret(options.secret_ref), rules)
        self._scenario = read_scenario(options.scenario)
        self._lock = threading.RLock()
        self.statuses = Statuses(store, options.environment)
        self._begin()
        clock.next_due, clock.fire = self.statuses.next_due, self.statuses.fire

    def _begin(self) -> None:
        self.secret, self.rules, self.moved = self._first.secret, self._first.rules, 0
        self.statuses.callback = None
        self.script = Script(self._scenario)
        self._last_payload_id = new_payload_id(self.clock.now())

    def reset(self) -> None:
        """As started: nothing received, first secret and rules, scenario from its beginning, real time."""
        self.clock.reset(self._forget)

    def _forget(self) -> None:
        with self._lock:
            self.store.reset()
            self._begin()

    def rotate_secret(self, secret: str = "") -> str:
        """Makes *secret*, or a new random one, the only one that is accepted."""
        self.secret = secret or secrets.token_urlsafe(24)
        return self.secret

    def receive(self, post: Post) -> Wire:
        """The answer as it is to go over the wire. The request is stored first, the answer before it leaves."""
        with self._lock:
            at = self.clock.now()
            row = self.store.take_in(at=at, direction="in", path=post.path, headers=post.headers, data=post.body)
            message = open_post(post, self.options)
            behaviour = None
            if isinstance(message, Message):
                behaviour = self.script.next(KINDS.get(message.kind, "any"), self._facts(row, message))
            wire = self._answer(post, message, behaviour, row, at)
            self.store.change(
                "message",
                row,
                behaviour=behaviour.do if behaviour else "",
                http=wire.http,
                answer=wire.body,
                code=wire.code,
            )
            return wire

    def _facts(self, row: int, message: Message) -> Mapping[str, str]:
        """What a scenario can match, noted on the stored message as well."""
        header = message.root.find("Request/InvoiceDetailRequest/InvoiceDetailRequestHeader")
        number = "" if header is None else header.get("invoiceID", "")
        self.store.change("message", row, kind=message.kind, payload_id=message.payload_id, invoice_number=number)
        return {
            "invoice_number": number,
            "payload_id": message.payload_id,
            "purpose": "" if header is None else header.get("purpose", "standard"),
            "supplier": message.supplier.network_id,
            "buyer": message.buyer.network_id,
            "copy": str(self.store.copies(message.payload_id)),
        }

    def _answer(
        self, post: Post, message: Message | Status, behaviour: Behaviour | None, row: int, at: datetime
    ) -> Wire:
        if behaviour and behaviour.do == "rotate_secret":
            self.rotate_secret(behaviour.text)
        if behaviour and behaviour.do in UNREAD:
            code = behaviour.code or 401
            verdict = desk.Verdict(
                Status(code, behaviour.text or "Unauthorized", "Invalid or unrecognized sender credentials")
            )
        elif self._is_elsewhere(post, message):
            return page(404, "Not Found")
        else:
            verdict = self._verdict(post, message, behaviour, row, at)
        status = _dressed(verdict.status, behaviour)
        return plan(self._write(status, verdict.content, behaviour, at), status.code, behaviour)

    def _is_elsewhere(self, post: Post, message: Message | Status) -> bool:
        """Whether invoices are taken at another URL by now, which a ProfileRequest would tell."""
        invoice = isinstance(message, Message) and message.kind == "InvoiceDetailRequest"
        return invoice and self.moved > 0 and post.path != desk.invoice_path(self.moved)

    def _verdict(
        self, post: Post, message: Message | Status, behaviour: Behaviour | None, row: int, at: datetime
    ) -> desk.Verdict:
        if isinstance(message, Status):
            return desk.Verdict(message)
        refused = refusal(message, Gate(self.options, self.judge, self.secret))
        if refused is not None:
            return desk.Verdict(refused)
        if behaviour and behaviour.do == "moved_url":
            self.moved += 1
        counter = desk.Desk(self.store, self.statuses, self.rules, at)
        if message.kind == "ProfileRequest":
            foreign = behaviour.url if behaviour and behaviour.do == "foreign_host" else ""
            return counter.profile(post.base, self.moved, foreign)
        if message.kind == "GetPendingRequest":
            self.statuses.release(at)
            return counter.pending(message)
        return counter.invoice(message, row, behaviour.later if behaviour else ())

    def _write(self, status: Status, content: str, behaviour: Behaviour | None, at: datetime) -> bytes:
        payload_id = new_payload_id(at)
        if behaviour and behaviour.do == "reuse_payload_id":
            payload_id = self._last_payload_id
        self._last_payload_id = payload_id
        return response(status, content, payload_id=payload_id, at=at)


def _dressed(status: Status, behaviour: Behaviour | None) -> Status:
    """The status a behaviour puts in place of a good one."""
    if behaviour and status.good and behaviour.do == "duplicate":
        return Status(behaviour.code or 409, behaviour.text or "Conflict", "INVOICE_DUPLICATE: already received")
    if behaviour and status.good and behaviour.do == "answer":
        return replace(status, code=behaviour.code or status.code, text=behaviour.text or status.text)
    return status
