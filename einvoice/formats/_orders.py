"""An order out of what a table read: the same terms as an invoice's reference to it, kept as an Order.

What a table has no row for is no finding here: an order is kept beside its bytes, and only what invoices are held
against is taken out of it. What is there and cannot be read refuses the order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from ..errors import Finding, UnreadableDocument, fatal
from ..exchange import Environment
from ..model import Identifier, Party
from ..orders import Order, OrderedLine, identifiers
from ._xml_read import Context, Raw

_FIX = "ask the buyer to send the order again"


def order_of(
    context: Context, *, operation: str, environment: Environment | None, issued_at: datetime | None, place: str,
    payload_id: str | None = None, version: int | None = None, buyer: Identifier | None = None,
    seller: Identifier | None = None,
) -> Order:  # fmt: skip
    """The order that *context* holds.

    buyer, seller  how the envelope names them, where the order itself states no identifier

    UnreadableDocument with a finding and its place for each value that cannot be read, and where there is no number.
    """
    root = context.root
    stated = root.get("purchase_order", {})
    wrong = fatal(context.summed())
    if not stated.get("id"):
        told = "the order states no number; without it no invoice can be held against it"
        wrong.append(Finding("EINV-ORDER-11", told, term="BT-13", place=place, fix=_FIX))
    if wrong:
        raise unreadable(place, wrong)
    sides = {name: Party.model_validate(_party(root.get(name, {}))) for name in ("buyer", "seller")}
    spare = {"buyer": buyer, "seller": seller}
    found: dict[str, Any] = {
        "number": stated["id"], "release": stated.get("release"), "operation": operation, "date": stated.get("date"),
        "issued_at": issued_at, "version": version, "payload_id": payload_id,
        "currency": root.get("currency") or context.currency, "environment": environment,
        "lines": tuple(map(_line, root.get("lines", []))),
    }  # fmt: skip
    for name, party in sides.items():
        other = spare[name]
        found[name] = identifiers(party) or ((other,) if other else ())
        found[f"{name}_name"] = party.name
    try:
        return Order.model_validate(found)
    except ValidationError as error:
        problems = [Finding("EINV-READ-10", str(one["msg"]), place=place, found=str(one["input"])[:80], fix=_FIX)
                    for one in error.errors()]  # fmt: skip
        raise unreadable(place, problems) from error


def unreadable(place: str, findings: list[Finding]) -> UnreadableDocument:
    """The refusal of an order, the first of *findings* in its words."""
    first = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    where = ", ".join(part for part in dict.fromkeys((place, first.place)) if part)
    return UnreadableDocument(f"the order cannot be read: {first.message}{more}", where=where, fix=_FIX,
                              findings=findings)  # fmt: skip


def _party(raw: Raw) -> Raw:
    return {name: raw[name] for name in ("name", "vat_id", "network_ids", "identifiers", "legal_id") if name in raw}


def _line(raw: Raw) -> OrderedLine:
    item, price = raw.get("item", {}), raw.get("price", {})
    return OrderedLine(
        number=raw.get("order", {}).get("line"), name=item.get("name"), seller_id=item.get("seller_id"),
        buyer_id=item.get("buyer_id"), standard_id=item.get("standard_id", {}).get("value"),
        manufacturer_id=item.get("manufacturer_id"), quantity=raw.get("quantity"), unit=raw.get("unit"),
        price=price.get("net"), base_quantity=price.get("base_quantity"), base_unit=price.get("base_unit"),
        withdrawn=True if raw.get("kind") == "delete" else None,
    )  # fmt: skip


def instant(text: str) -> datetime | None:
    """*text* as an instant in UTC; None when it is none. What states no zone is taken as UTC: it only orders messages.

    >>> instant("2026-11-24T10:00:00-05:00"), instant("202611241000")
    (datetime.datetime(2026, 11, 24, 15, 0, tzinfo=datetime.timezone.utc), \
datetime.datetime(2026, 11, 24, 10, 0, tzinfo=datetime.timezone.utc))
    """
    digits = text.strip()
    try:
        if digits.isascii() and digits.isdigit():
            form = {12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 10: "%y%m%d%H%M"}[len(digits)]
            return datetime.strptime(digits, form).replace(tzinfo=UTC)
        found = datetime.fromisoformat(digits)
    except (ValueError, KeyError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
