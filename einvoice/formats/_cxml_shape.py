"""What the cXML table cannot say: lines grouped by order, line numbers, memo kinds. Both directions, side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from ..errors import Severity
from ..model import (
    ContractReference,
    Delivery,
    Identifier,
    Invoice,
    Line,
    Named,
    Party,
    Reference,
    is_credit,
)
from ..money import parse, plain
from ..totals import line_subtotal
from ._view import View
from ._xml_read import Context, Raw

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{8,}$").match
#: How often each number stands where all differ.
_ONCE: Counter[str | None] = Counter()
_MEMOS = {"creditMemo": "381", "lineLevelCreditMemo": "381", "debitMemo": "383", "lineLevelDebitMemo": "383"}


class OrderView(NamedTuple):
    """The lines that charge one order, as the table sees them: an invoice of that order alone."""

    purchase_order: Reference | None
    contract: ContractReference | None
    sales_order_reference: str | None
    lines: tuple[Line, ...]


# --- going out --------------------------------------------------------------------------------------------------------


def purpose_of(invoice: Invoice, style: str) -> str:
    """``purpose`` of the request: a memo at line level where it names its invoice and its lines have quantities."""
    kind = "CreditMemo" if is_credit(invoice) else "DebitMemo" if invoice.type_code == "383" else ""
    if not kind:
        return "standard"
    by_line = bool(invoice.preceding) and all(line.quantity is not None for line in invoice.lines)
    by_line = by_line and not invoice.header_invoice and bool(invoice.lines)
    line = style == "line" or (style == "auto" and (invoice.line_level_credit or by_line))
    return f"lineLevel{kind}" if line else kind[0].lower() + kind[1:]


def shaped(invoice: Invoice, purpose: str, from_: Sequence[Identifier], to: Sequence[Identifier]) -> Any:
    """*invoice* as cXML states it: network ids, header layout, both ends of a shipment, numeric line numbers."""
    header = invoice.header_invoice or purpose in ("creditMemo", "debitMemo") or None
    update: dict[str, Any] = {"header_invoice": header}
    for side, ids in (("seller", from_), ("buyer", to)):
        if ids:
            party = getattr(invoice, side) or Party()
            update[side] = party.model_copy(update={"network_ids": tuple(ids)})
    for side in ("seller", "buyer"):
        party = update.get(side, getattr(invoice, side))
        if party is not None and party.tax_registrations:
            update[side] = _registered(party)
    if invoice.remit_to is None and invoice.payee is not None:
        update["remit_to"] = invoice.payee
    if _somewhere(invoice.delivery) and invoice.ship_from is None and invoice.seller:
        update["ship_from"] = Party(name=invoice.seller.name, address=invoice.seller.address)
    numbers = [line.id for line in invoice.lines]
    times = _ONCE if len(set(numbers)) == len(numbers) else Counter(numbers)
    update["lines"] = tuple(_line_out(line, at, times) for at, line in enumerate(invoice.lines, 1))
    return View(invoice.__dict__ | update)


def _registered(party: Party) -> Party:
    """*party* with its further tax registrations where cXML has room: the first as its tax id where it states none
    (a network may refuse a supplier without, INV-98), the others among its identifiers, under their scheme."""
    first, *others = party.tax_registrations
    update: dict[str, Any] = {"tax_registrations": ()}
    if party.vat_id is None and party.tax_id is None and first.id:
        update |= {"tax_id": first.id, "tax_id_scheme": first.scheme}
    else:
        others = [first, *others]
    update["identifiers"] = (*party.identifiers, *(Identifier(value=one.id, scheme=one.scheme) for one in others))
    return party.model_copy(update=update)


def _somewhere(delivery: Delivery | None) -> bool:
    return delivery is not None and any((delivery.name, delivery.location, delivery.address, delivery.contact))


def _line_out(line: Line, position: int, times: Mapping[str | None, int]) -> Any:
    """*line* as the table sees it: the line itself, or its values with what cXML wants changed, which is no model."""
    update: dict[str, Any] = {}
    extra: list[Named] = []
    if not (line.id or "").isascii() or not (line.id or "").isdigit() or times[line.id] > 1:
        update["id"] = str(position)
        extra += [Named(name="lineId", value=line.id)] if line.id else []
    if line.allowances or line.charges:
        update["subtotal"] = line.subtotal if line.subtotal is not None else line_subtotal(line)
    elif line.subtotal is None:
        update |= {"subtotal": line.net_amount, "net_amount": None}
    if len(line.taxes) == 1 and line.taxes[0].amount is None:
        tax = line.taxes[0]
        extra += _tax_words(tax.category, None if tax.rate is None else plain(tax.rate), tax.scheme)
        update["taxes"] = ()
    if line.price and line.price.base_quantity is not None and line.price.base_unit is None and line.unit:
        extra.append(Named(name="priceBasisUnit", value="-"))
        update["price"] = line.price.model_copy(update={"base_unit": line.unit})
    if line.item and (line.item.manufacturer_id is None) != (line.item.manufacturer is None):
        pair = {"manufacturer_id": line.item.manufacturer_id or "", "manufacturer": line.item.manufacturer or ""}
        update["item"] = line.item.model_copy(update=pair)
    if extra:
        update["extensions"] = (*line.extensions, *extra)
    return View(line.__dict__ | update) if update else line


@lru_cache(256)
def _tax_words(category: str | None, rate: str | None, scheme: str | None) -> tuple[Named, ...]:
    """The same objects for the same tax: the lines of an invoice share a handful. The rate is text, since 6 and 6.00
    are one number and not one statement."""
    words = (("taxCategory", category), ("taxRate", rate), ("taxScheme", scheme))
    return tuple(Named(name=name, value=value) for name, value in words if value)


def _orders(invoice: Invoice) -> list[OrderView]:
    """Consecutive lines of one order together, each group with the order and contract that stand behind it.

    A group holds its items before its services: where an item follows a service another begins, so that lines keep
    their order.
    """

    def behind(line: Line) -> tuple[Reference | None, ContractReference | None, str | None]:
        own = line.order
        order = invoice.purchase_order
        if own is not None and (own.id or own.payload_id):
            same = order if order is not None and order.id == own.id else Reference()
            order = Reference(id=own.id, date=own.date or same.date, payload_id=own.payload_id or same.payload_id)
        sales = (own.sales_order if own else None) or invoice.sales_order_reference
        return order, line.contract or invoice.contract, sales

    return [OrderView(*key, run) for key, lines in groupby(invoice.lines, key=behind) for run in _runs(lines)]


def _runs(lines: Iterable[Line]) -> Iterator[tuple[Line, ...]]:
    run: list[Line] = []
    for line in lines:
        if run and run[-1].kind == "service" != line.kind:
            yield tuple(run)
            run = []
        run.append(line)
    yield tuple(run)


def _one_line_each(invoice: Invoice) -> list[OrderView]:
    views = _orders(invoice)
    return [
        OrderView(v.purchase_order, v.contract, v.sales_order_reference, (line,)) for v in views for line in v.lines
    ]


# --- coming in --------------------------------------------------------------------------------------------------------


def _order_back(part: Raw, context: Context) -> None:
    context.parts.append(part)


def _after(context: Context) -> None:
    root, meta = context.root, context.meta
    if context.currency:
        root["currency"] = context.currency
    purpose = meta.get("purpose", "standard")
    root["type_code"] = meta.get("type_code") or _MEMOS.get(purpose, "380")
    if purpose.startswith("lineLevel"):
        root["line_level_credit"] = True
    if comments := meta.get("comments"):
        root["notes"] = [{"text": comments}]
    _merge_preceding(root)
    _due_date(root)
    lines = _gather(root, context.parts)
    for line in lines:
        _line_back(line)
    if lines:
        root["lines"] = lines
    _indicators(context, lines)


def _indicators(context: Context, lines: list[Raw]) -> None:
    """An indicator is written where lines state what it speaks of; one that says so without them is reported."""
    stated = {"isTaxInLine": ("taxes", "tax_amount"), "isAccountingInLine": ("distributions",)}
    for element in context.element.iterfind(".//InvoiceDetailLineIndicator"):
        for name, keys in stated.items():
            if element.get(name) == "yes" and not any(key in line for line in lines for key in keys):
                context.say("EINV-READ-08", f"{name} is set, though no line states what it speaks of", element,
                            Severity.INFO, name, found="yes", clause="cXML: follows from the lines")  # fmt: skip


def _merge_preceding(root: Raw) -> None:
    """DocumentReference and InvoiceIDInfo speak of the same invoice."""
    found = root.get("preceding", [])
    if len(found) == 2 and "payload_id" in found[0] and "payload_id" not in found[1]:
        root["preceding"] = [found[0] | found[1]]


def _due_date(root: Raw) -> None:
    """Documents of versions without PaymentInformation state BT-9 as an Extrinsic; what is no day stays one."""
    kept = []
    for named in root.get("extensions", []):
        due = _day(named.get("value", "")) if named.get("name") == "dueDate" and "due_date" not in root else None
        if due:
            root["due_date"] = due
        else:
            kept.append(named)
    root.pop("extensions", None)
    if kept:
        root["extensions"] = kept


def _day(text: str) -> date | None:
    match = re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
    try:
        return date.fromisoformat(match.group()) if match else None
    except ValueError:  # a thirteenth month
        return None


def _gather(root: Raw, parts: list[Raw]) -> list[Raw]:
    """The lines of all parts. What every part says of its order and contract is said once, by the document."""
    keys = ("purchase_order", "contract", "sales_order_reference")
    shared = {key for key in keys if parts and all(part.get(key) == parts[0].get(key) for part in parts)}
    for key in shared:
        if key in parts[0]:
            root[key] = parts[0][key]
    lines = []
    for part in parts:
        for line in part.get("lines", []):
            order = part.get("purchase_order") if "purchase_order" not in shared else None
            if order:
                line["order"] = {**line.get("order", {}), **order}
            if "sales_order_reference" in part and "sales_order_reference" not in shared:
                line.setdefault("order", {})["sales_order"] = part["sales_order_reference"]
            if "contract" in part and "contract" not in shared:
                line["contract"] = part["contract"]
            lines.append(line)
    return lines


def _line_back(line: Raw) -> None:
    if "net_amount" not in line and "subtotal" in line:
        line["net_amount"] = line.pop("subtotal")
    words = {named.get("name"): named.get("value") for named in line.get("extensions", [])}
    if "lineId" in words:
        line["id"] = words["lineId"]
    if "priceBasisUnit" in words and "price" in line:
        line["price"].pop("base_unit", None)
    tax = {key: words[name] for name, key in (("taxCategory", "category"), ("taxScheme", "scheme")) if name in words}
    rate = parse(words.get("taxRate") or "")
    if rate is not None:
        tax["rate"] = rate
    if tax and "taxes" not in line:
        line["taxes"] = [tax]
    ours = ("lineId", "priceBasisUnit", *(("taxCategory", "taxRate", "taxScheme") if tax else ()))
    kept = [named for named in line.pop("extensions", []) if named.get("name") not in ours]
    if kept:
        line["extensions"] = kept


# --- conditions of the table ------------------------------------------------------------------------------------------


def _is_iban(means: Any) -> bool:
    account = means.account
    return bool(account and account.id and _IBAN(account.id.replace(" ", "")))


def _ships(view: Any, invoice: Invoice) -> bool:
    return _somewhere(invoice.delivery) or invoice.ship_from is not None


HOOKS: dict[str, Callable[..., Any]] = {
    "orders": lambda invoice: [] if invoice.header_invoice else _orders(invoice),
    "orders_back": _order_back,
    "header_orders": lambda invoice: _one_line_each(invoice) if invoice.header_invoice else [],
    "header_orders_back": _order_back,
    "after": _after,
    "is_iban": lambda means, invoice: _is_iban(means),
    "is_account": lambda means, invoice: not _is_iban(means),
    "ships": _ships,
    "is_item": lambda line, invoice: line.kind != "service",
    "is_service": lambda line, invoice: line.kind == "service",
    "taxed_in_line": lambda line, invoice: (
        line.tax_amount is not None or bool(line.taxes and any(t.amount is not None for t in line.taxes))
    ),
    "first_payload": lambda one, invoice: one is invoice.preceding[0],
    "first_number": lambda one, invoice: one is invoice.preceding[0] and one.id is not None,
    "order_by_payload": lambda view, invoice: bool(view.purchase_order and view.purchase_order.payload_id),
    "order_by_number": lambda view, invoice: bool(view.purchase_order and not view.purchase_order.payload_id),
    "order_of_supplier": lambda view, invoice: bool(
        view.sales_order_reference or not (view.purchase_order or view.contract)
    ),
    "contract_by_payload": lambda view, invoice: bool(view.contract and view.contract.payload_id),
    "contract_by_number": lambda view, invoice: bool(view.contract and not view.contract.payload_id),
    "by_percent_or_amount": lambda one, invoice: one.percent is not None or one.amount is not None,
    "has_segments": lambda distribution, invoice: bool(distribution.segments),
    "discounted": lambda line, invoice: (
        line.price is not None and (line.price.gross is not None or line.price.discount is not None)
    ),
    "without_percent": lambda one, invoice: one.percent is None,
    "whole_period": lambda view, invoice: bool(invoice.period and invoice.period.start and invoice.period.end),
    "by_reference": lambda one, invoice: bool(one.uri),
    "deducts": lambda element, context: element.find("AdditionalDeduction") is not None,
    "costs": lambda element, context: element.find("AdditionalCost") is not None,
    "net_term": lambda element, context: element.find("Discount") is None,
}
