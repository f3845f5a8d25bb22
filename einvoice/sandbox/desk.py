"""What is done with a request that passed the checks: a profile told, statuses handed out, an invoice taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .business import Case, faults
from .cxml import Message, Status, attributes, escape, moment, stamp
from .invoice import Bill, number_key, read
from .options import BuyerRules, Later, NetworkRules
from .statuses import Statuses, Subject
from .store import Row, Store

#: States of an invoice whose number may be used again.
_GONE = {"rejected", "canceled", "invalid"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the network makes of a request: its status, and the element that goes beside it."""

    status: Status
    content: str = ""


def invoice_path(moved: int) -> str:
    """Where invoices are taken, after the URL has *moved* so many times."""
    return f"/cxml/invoice-{moved}" if moved else "/cxml/invoice"


@dataclass(frozen=True, slots=True)
class Desk:
    store: Store
    statuses: Statuses
    rules: NetworkRules
    at: datetime

    # ProfileRequest --------------------------------------------------------------------------------------------

    def profile(self, base: str, moved: int, foreign: str) -> Verdict:
        """The URL of each request type; *foreign*, where given, is the one told for invoices."""
        urls = {
            "ProfileRequest": f"{base}/cxml",
            "InvoiceDetailRequest": foreign or base + invoice_path(moved),
            "GetPendingRequest": f"{base}/cxml/pending",
        }
        transactions = "".join(
            f"<Transaction{attributes(requestName=name)}><URL>{escape(url)}</URL></Transaction>"
            for name, url in urls.items()
        )
        head = attributes(effectiveDate=stamp(self.at), lastRefresh=stamp(self.at))
        options = '<Option name="attachments">yes</Option><Option name="changes">no</Option>'
        return Verdict(Status(200, "OK"), f"<ProfileResponse{head}>{options}{transactions}</ProfileResponse>")

    # GetPendingRequest -----------------------------------------------------------------------------------------

    def pending(self, message: Message) -> Verdict:
        """Waiting StatusUpdateRequests; 204 when none waits. What was received before is acknowledged first."""
        request, supplier = message.root.find("Request/GetPendingRequest"), message.supplier.network_id
        if request is None:
            raise AssertionError("dispatched by kind")
        received, limit = request.get("lastReceivedTimestamp", ""), request.get("maxMessages", "")
        until = moment(received)
        if received and until is None:
            return Verdict(Status(400, "Bad Request", f"lastReceivedTimestamp {received!r} is not a date and time"))
        if limit and not limit.isdecimal():
            return Verdict(Status(400, "Bad Request", f"maxMessages {limit!r} is not a number"))
        if until is not None:
            self.statuses.acknowledge(supplier, until, self.at)
        types = {(each.text or "").strip() for each in request.iterfind("MessageType")}
        waiting = (
            self.statuses.pending(supplier, int(limit) if limit else None) if "StatusUpdateRequest" in types else []
        )
        if not waiting:
            return Verdict(Status(204, "No Content", "nothing is pending"))
        return Verdict(Status(200, "OK"), f"<GetPendingResponse>{b''.join(waiting).decode()}</GetPendingResponse>")

    # InvoiceDetailRequest --------------------------------------------------------------------------------------

    def invoice(self, message: Message, row: int, later: Sequence[Later]) -> Verdict:
        """Takes an invoice once. *later* follows a newly accepted one, else what the buyer's rules say."""
        element = message.request
        if element is None:
            raise AssertionError("dispatched by kind")
        earlier = self.store.row("select * from invoice where payload_id = ?", message.payload_id)
        received = self.store.row("select sha256_without_secret as sha from message where id = ?", row)
        sha = str(received["sha"]) if received else ""
        if earlier:
            return self._repeat(earlier, sha)
        bill, rules = read(element), self.rules.of(message.buyer.network_id)
        if bill.operation == "delete":
            return self._cancel(message, bill, row, sha)
        found = [*self._twins(message, bill, rules), *faults(self._case(message, bill, rules))]
        if not found:
            return self._accept(message, bill, row, sha, later or rules.follow_up)
        if rules.verdict == "status":
            return self._reject_later(message, bill, row, sha, found)
        duplicate = found[0].startswith("INVOICE_DUPLICATE")
        return Verdict(Status(409 if duplicate else 400, "Conflict" if duplicate else "Bad Request", "; ".join(found)))

    def _case(self, message: Message, bill: Bill, rules: BuyerRules) -> Case:
        return Case(bill, rules, self.at, _Known(self.store, message.supplier.network_id), dict(message.attachments))

    def _accept(self, message: Message, bill: Bill, row: int, sha: str, later: Sequence[Later]) -> Verdict:
        subject = self._take(message, bill, row, sha, "received")
        for each in later:
            self.statuses.queue(each, subject, self.at)
        return Verdict(Status(self.rules.accepted_code, "OK"))

    def _reject_later(self, message: Message, bill: Bill, row: int, sha: str, found: Sequence[str]) -> Verdict:
        """Taken for now and refused afterwards, as buyers do whose rules run behind the network."""
        hours = self.rules.of(message.buyer.network_id).verdict_hours
        rejection = Later(type="rejected", hours=hours, code=400, text="Rejected", comment="; ".join(found))
        self.statuses.queue(rejection, self._take(message, bill, row, sha, "invalid"), self.at)
        return Verdict(Status(201, "Accepted"))

    def _repeat(self, earlier: Row, sha: str) -> Verdict:
        if earlier["sha256_without_secret"] != sha:
            text = f"payloadID was used at {earlier['at']} for other content (invoice {earlier['number']})"
            return Verdict(Status(409, "Conflict", text))
        text = f"Duplicate: this payloadID was received at {earlier['at']} and is not processed again"
        return Verdict(Status(self.rules.repeat_code, "OK" if self.rules.repeat_code == 200 else "Conflict", text))

    def _twins(self, message: Message, bill: Bill, rules: BuyerRules) -> list[str]:
        """The fault of a number that a living invoice bears already, whatever its case and spaces; else nothing."""
        rows = self.store.rows(
            "select * from invoice where supplier = ? and number_key = ? and operation = 'new'",
            message.supplier.network_id,
            bill.key,
        )
        any_year = rules.duplicates == "number"
        alive = (row for row in rows if row["state"] not in _GONE and rules.duplicates != "off")
        same = [row for row in alive if any_year or row["invoice_date"][:4] == bill.date[:4]]
        return [f"INVOICE_DUPLICATE: invoice {row['number']} was received at {row['at']}" for row in same[:1]]

    def _take(self, message: Message, bill: Bill, row: int, sha: str, state: str) -> Subject:
        supplier, buyer = message.supplier.network_id, message.buyer.network_id
        self.store.add(
            "invoice",
            at=stamp(self.at),
            message_id=row,
            payload_id=message.payload_id,
            number=bill.number,
            number_key=bill.key,
            supplier=supplier,
            buyer=buyer,
            invoice_date=bill.date,
            purpose=bill.purpose,
            operation=bill.operation,
            currency=bill.currency,
            net=str(bill.amount("NetAmount") or ""),
            sha256_without_secret=sha,
            state=state,
        )
        return Subject(supplier, buyer, message.payload_id, bill.number, bill.date, bill.currency)

    def _cancel(self, message: Message, bill: Bill, row: int, sha: str) -> Verdict:
        """operation="delete": the invoice it names is canceled, as long as nobody has begun to pay it."""
        target = _Known(self.store, message.supplier.network_id).find(*bill.refers_to)
        if target is None or target["state"] in _GONE:
            return Verdict(Status(400, "Bad Request", "the invoice to cancel is not known, or no longer alive"))
        if target["state"] in {"paying", "paid"}:
            return Verdict(
                Status(409, "Conflict", f"invoice {target['number']} is {target['state']}: send a credit memo")
            )
        self._take(message, bill, row, sha, "cancellation")
        self.store.change("invoice", target["id"], state="canceled")
        subject = Subject(
            target["supplier"],
            target["buyer"],
            target["payload_id"],
            target["number"],
            target["invoice_date"],
            target["currency"],
        )
        self.statuses.queue(Later(type="canceled"), subject, self.at)
        return Verdict(Status(200, "OK", f"invoice {target['number']} is canceled"))


@dataclass(frozen=True, slots=True)
class _Known:
    """Documents taken from one supplier, looked up by payloadID or by number."""

    store: Store
    supplier: str

    def __call__(self, payload_id: str, number: str) -> bool:
        return self.find(payload_id, number) is not None

    def find(self, payload_id: str, number: str) -> Row | None:
        return self.store.row(
            "select * from invoice where supplier = ? and operation = 'new' and (payload_id = ? or number_key = ?) "
            "order by id desc",
            self.supplier,
            payload_id,
            number_key(number) or "-",
        )
