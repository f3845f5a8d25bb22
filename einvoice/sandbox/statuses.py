"""StatusUpdateRequests: queued, due by the virtual clock, pushed or polled, until the supplier acknowledges them."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from lxml import etree

from .cxml import attributes, credential, document, escape, new_payload_id
from .options import Callback, Later
from .store import Row, Store

#: Seconds between one push and the next, by how many there have been; after the last the message waits for a poll.
PAUSES = (60, 300, 900, 3600, 4 * 3600, 12 * 3600)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a status is about. It need not exist."""

    supplier: str
    buyer: str
    payload_id: str
    number: str
    date: str
    currency: str


class Statuses:
    """The queue. ``callback`` None: messages wait to be polled; otherwise they are pushed, and can still be polled."""

    def __init__(self, store: Store, environment: str) -> None:
        self._store = store
        self._environment = environment
        self._releasing = threading.Lock()
        self.callback: Callback | None = None

    def queue(self, later: Later, subject: Subject, at: datetime) -> int:
        """Queues *later*, due its hours after *at*; the row's id."""
        return self._store.add(
            "status",
            payload_id=new_payload_id(at),
            supplier=subject.supplier,
            buyer=subject.buyer,
            document=later.payload_id or subject.payload_id,
            number=later.invoice_number or subject.number,
            invoice_date=subject.date,
            by_number=int(later.by_number),
            type=later.type or "",
            code=later.code,
            text=later.text or ("OK" if later.code < 300 else "Error"),
            comment=later.comment,
            partial_amount=later.partial_amount,
            currency=subject.currency,
            copies=later.copies,
            due_at=_text(at + timedelta(hours=float(later.hours))),
        )

    def next_due(self) -> datetime | None:
        """When something is next to be released or pushed again."""
        query = "select min(due_at) as due from status where stamped_at is null"
        found = [self._store.row(query)]
        if self.callback is not None:
            found.append(self._store.row(f"select min(push_at) as due from status where {_WAITING}"))  # noqa: S608
        dates = [datetime.fromisoformat(row["due"]) for row in found if row and row["due"]]
        return min(dates, default=None)

    def fire(self, at: datetime) -> int:
        """Releases what is due at *at* and pushes what waits for a push; the number of both."""
        return self.release(at) + (self._push_all(at) if self.callback else 0)

    def release(self, at: datetime) -> int:
        """Makes visible what is due at *at*: stamped, its invoice changed; the number of messages."""
        with self._releasing:
            due = self._store.rows(
                "select * from status where stamped_at is null and due_at <= ? order by due_at, id", _text(at)
            )
            for row in due:
                self._release(row, at)
            return len(due)

    def _release(self, row: Row, at: datetime) -> None:
        """Stamps a message: stamps only grow, because a poller acknowledges everything up to one of them."""
        last = self._store.row("select max(stamped_at) as at from status")
        stamped = at.replace(microsecond=at.microsecond // 1000 * 1000)
        if last and last["at"]:
            stamped = max(stamped, datetime.fromisoformat(last["at"]) + timedelta(milliseconds=1))
        self._store.change("status", row["id"], stamped_at=_text(stamped), push_at=_text(at))
        state = "rejected" if row["code"] >= 400 else row["type"]
        invoice = self._store.row("select id from invoice where payload_id = ?", row["document"])
        if state and invoice:
            self._store.change("invoice", invoice["id"], state=state)

    # Polling ---------------------------------------------------------------------------------------------------

    def acknowledge(self, supplier: str, until: datetime, at: datetime) -> None:
        """Marks everything stamped up to *until* as received (GetPendingRequest/@lastReceivedTimestamp)."""
        for row in self._store.rows(
            "select id, stamped_at from status "
            "where supplier = ? and stamped_at is not null and acknowledged_at is null",
            supplier,
        ):
            if datetime.fromisoformat(row["stamped_at"]) <= until:
                self._store.change("status", row["id"], acknowledged_at=_text(at))

    def pending(self, supplier: str, limit: int | None) -> list[bytes]:
        """The waiting messages of *supplier*, oldest first, each as an inner cXML document."""
        rows = self._store.rows(
            "select * from status where supplier = ? and stamped_at is not null and acknowledged_at is null "
            "order by stamped_at",
            supplier,
        )
        return [self.write(row, inner=True) for row in rows for _ in range(row["copies"])][:limit]

    # Pushing ---------------------------------------------------------------------------------------------------

    def _push_all(self, at: datetime) -> int:
        rows = self._store.rows(
            f"select * from status where {_WAITING} and push_at <= ? order by stamped_at",  # noqa: S608
            _text(at),
        )
        for row in rows:
            results = [self._push(row, at) for _ in range(row["copies"])]
            done = all(result == "200" for result in results)
            pause = PAUSES[row["pushes"]] if row["pushes"] < len(PAUSES) else None
            self._store.change(
                "status",
                row["id"],
                pushes=row["pushes"] + 1,
                push_result=results[-1],
                acknowledged_at=_text(at) if done else None,
                push_at=None if done or pause is None else _text(at + timedelta(seconds=pause)),
            )
        return len(rows)

    def _push(self, row: Row, at: datetime) -> str:
        """One POST; ``200`` when the supplier acknowledged it, otherwise what went wrong."""
        callback = self.callback
        if callback is None:
            return "no callback"
        data = self.write(row, secret=callback.secret)
        message = self._store.take_in(at=at, direction="out", path=callback.url, headers={}, data=data)
        self._store.change(
            "message",
            message,
            kind="StatusUpdateRequest",
            payload_id=row["payload_id"],
            invoice_number=row["number"],
        )
        try:
            code, answer = _post(callback, data)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._store.change("message", message, behaviour=f"not delivered: {type(error).__name__}")
            return f"{type(error).__name__}: {error}"
        self._store.change("message", message, http=code, answer=answer)
        return _verdict(code, answer)

    def write(self, row: Row, *, inner: bool = False, secret: str | None = None) -> bytes:
        """The StatusUpdateRequest of *row*; the same bytes each time but for the secret of a push."""
        reference = "" if row["by_number"] else f"<DocumentReference{attributes(payloadID=row['document'])}/>"
        header = (
            f"<Header><From>{credential(row['buyer'])}</From><To>{credential(row['supplier'])}</To><Sender>"
            f"{credential('network@sandbox.example', 'AribaNetworkUserId', secret)}"
            f"<UserAgent>einvoice sandbox</UserAgent></Sender></Header>"
        )
        body = (
            f'{header}<Request deploymentMode="{self._environment}"><StatusUpdateRequest>'
            f'{reference}<Status{attributes(code=row["code"], text=row["text"])} xml:lang="en">'
            f"{escape(row['comment'])}</Status>{_invoice_status(row)}</StatusUpdateRequest></Request>"
        )
        at = datetime.fromisoformat(row["stamped_at"])
        return document(body, payload_id=row["payload_id"], at=at, inner=inner)


def _text(at: datetime) -> str:
    """*at* in one width, so that text compares as time does."""
    return at.isoformat(timespec="microseconds")


_WAITING = "stamped_at is not null and acknowledged_at is null and push_at is not null"


def _invoice_status(row: Row) -> str:
    if not row["type"]:
        return ""
    known = f"<InvoiceIDInfo{attributes(invoiceID=row['number'], invoiceDate=row['invoice_date'])}/>"
    partial = comment = ""
    if row["partial_amount"]:
        money = f"<Money{attributes(currency=row['currency'])}>{escape(row['partial_amount'])}</Money>"
        partial = f"<PartialAmount>{money}</PartialAmount>"
    if row["comment"]:
        comment = f'<Comments xml:lang="en">{escape(row["comment"])}</Comments>'
    return f"<InvoiceStatus{attributes(type=row['type'])}>{known}{partial}{comment}</InvoiceStatus>"


def _post(callback: Callback, data: bytes) -> tuple[int, bytes]:
    """HTTP status and body of a POST to the supplier. Raises OSError, HTTPException, ValueError (not a URL or CA)."""
    url = urlsplit(callback.url)
    host, path = url.hostname or "", url.path or "/"
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        context = ssl.create_default_context(cadata=callback.ca or None)
        connection = http.client.HTTPSConnection(host, url.port, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(host, url.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("POST", path, data, {"Content-Type": "text/xml; charset=UTF-8"})
        answer = connection.getresponse()
        return answer.status, answer.read(1_000_000)


def _verdict(code: int, answer: bytes) -> str:
    """``200`` for a good cXML Status in the body, whatever the HTTP code says; otherwise both."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        status = etree.fromstring(answer, parser).find("Response/Status")
    except etree.XMLSyntaxError:
        status = None
    said = "" if status is None else status.get("code", "")
    return "200" if said.startswith("2") and code < 300 else f"HTTP {code}, Status {said or 'none'}"
