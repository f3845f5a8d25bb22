"""What the rows of ebInterface cannot say: how it is paid, when it is delivered, what comments of taxes mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from ..errors import Finding
from ..model import AllowanceCharge, Invoice, Line, Party, Tax
from ..totals import line_subtotal
from ._xml_read import Context, Raw

_NAMED = {"title": "DocumentTitle", "header": "HeaderDescription", "footer": "FooterDescription",
          "payment_comment": "PaymentMethod.Comment"}  # fmt: skip
#: Categories whose comment says why no tax is charged (BT-120); of others it describes the tax.
_UNTAXED = ("E", "AE", "O", "K", "G", "Z")
_CHARGED = (None, "charged")
_DEBITS = ("49", "59")
#: Characters of AccountingArea.
_AREA = 20
_FURTHER = ("0088", "0060")


# --- going out --------------------------------------------------------------------------------------------------------


class Shaped:
    """One invoice made ready: what the rows take, the ``@name`` values, the findings."""

    def __init__(self, invoice: Invoice, system: str) -> None:
        self.findings: list[Finding] = []
        names = {name: key for key, name in _NAMED.items()}
        stated = [one for one in invoice.extensions if one.name in names]
        self.meta = {"system": system, **{names[one.name or ""]: one.value or "" for one in stated}}
        if notes := "\n\n".join(note.text for note in invoice.notes if note.text):
            self.meta["comment"] = notes
        self.invoice = invoice
        means = invoice.payment.means if invoice.payment else ()
        if invoice.accounting_reference and len(invoice.accounting_reference) > _AREA:
            self.findings.append(Finding(
                "EINV-EBINTERFACE-02", f"{len(invoice.accounting_reference)} characters, {_AREA} are the limit",
                term="BT-19", path="$.accounting_reference", fix="shorten it in the source",
                found=invoice.accounting_reference[:80]))  # fmt: skip
        self.body = SimpleNamespace(**(invoice.__dict__ | {
            "extensions": [one for one in invoice.extensions if one.name not in names],
            **{role: _party(getattr(invoice, role)) for role in ("seller", "buyer", "sold_to")},
            "allowances": [_reduced(one, None, None) for one in invoice.allowances],
            "charges": [_reduced(one, None, None) for one in invoice.charges],
            "tax_breakdown": [_tax(tax, None) for tax in invoice.tax_breakdown if tax.effect in _CHARGED],
            "delivery": _delivery(invoice),
            "lines": [self._line(line, index) for index, line in enumerate(invoice.lines)],
            "payment": self._payment(),
            "method": _method(means) or ("other" if "payment_comment" in self.meta else ""),
        }))  # fmt: skip

    def _line(self, line: Line, index: int) -> Any:
        subtotal = line_subtotal(line) if line.allowances or line.charges else None
        price = line.price.net if line.price else None
        self._digits(f"lines[{index}].price.net", price, 4)
        self._digits(f"lines[{index}].quantity", line.quantity, 4)
        self._digits(f"lines[{index}].net_amount", line.net_amount, 2)
        taxes = [_tax(tax, line.net_amount) for tax in line.taxes if tax.effect in _CHARGED and _is_vat(tax, None)][:1]
        if not taxes:
            self.findings.append(Finding(
                "EINV-WRITE-01", "the format cannot do without the VAT of each line", term="BT-151",
                path=f"$.lines[{index}].taxes", fix="state it in the source"))  # fmt: skip
        update: dict[str, Any] = {
            "taxes": taxes,
            "allowances": [_reduced(one, subtotal, line) for one in line.allowances],
            "charges": [_reduced(one, subtotal, line) for one in line.charges],
        }
        order = line.order
        if order and order.line and not order.id and self.invoice.purchase_order:
            update["order"] = SimpleNamespace(**(order.__dict__ | {"id": self.invoice.purchase_order.id}))
        return SimpleNamespace(**(line.__dict__ | update))

    def _digits(self, path: str, value: Decimal | None, limit: int) -> None:
        if value is not None and -int(value.normalize().as_tuple().exponent) > limit:
            self.findings.append(Finding(
                "EINV-EBINTERFACE-01", f"{value:f} has more than {limit} decimals", path=f"$.{path}",
                found=f"{value:f}", fix="round it in the source"))  # fmt: skip

    def _payment(self) -> Any:
        """Discounts have a last day: that of so many days from the issue."""
        payment, issued = self.invoice.payment, self.invoice.issue_date
        if payment is None:
            return None
        rows = []
        for one in payment.discounts:
            until = one.until
            if until is None and one.days is not None and issued is not None and one.days == one.days.to_integral():
                until = issued + timedelta(days=min(int(one.days), 9999))
            rows.append(SimpleNamespace(**(one.__dict__ | {"until": until})))
        return SimpleNamespace(**(payment.__dict__ | {"discounts": rows}))


def _tax(tax: Tax, base: Decimal | None) -> Any:
    update: dict[str, Any] = {"description": tax.exemption_reason or tax.description}
    if tax.base is None:
        update["base"] = base
    if tax.rate is None and tax.category in _UNTAXED:
        update["rate"] = Decimal(0)
    return SimpleNamespace(**(tax.__dict__ | update))


def _reduced(one: AllowanceCharge, base: Decimal | None, line: Line | None) -> Any:
    """An allowance or charge on its base; where none is stated on a line, on what the line comes to before it."""
    update: dict[str, Any] = {
        "taxes": [_tax(tax, one.amount) for tax in one.taxes],
        "role": one.role or ("UNCL" if one.reason_code else None),
    }
    if one.base is None:
        update["base"] = base if line is not None else one.amount
    return SimpleNamespace(**(one.__dict__ | update))


def _party(party: Party | None) -> Any:
    if party is None:
        return None
    update: dict[str, Any] = {"address": _address(party.address) if party.address else None}
    return SimpleNamespace(**(party.__dict__ | update))


def _address(address: Any) -> Any:
    lines = [line for line in (address.line_1, address.line_2, address.line_3) if line]
    name = address.country_name or address.country
    return SimpleNamespace(**(address.__dict__ | {"line_1": "\n".join(lines) or None, "country_name": name}))


def _delivery(invoice: Invoice) -> Any:
    to = invoice.delivery
    if to is None:
        return None
    address = _address(to.address) if to.address else None
    return SimpleNamespace(**(to.__dict__ | {"address": address}))


def _method(means: Any) -> str:
    """transfer, debit or card: what the first means with anything to state is."""
    for one in means:
        if one.code in _DEBITS or (one.debit and not one.account):
            return "debit"
        if one.account and one.account.id:
            return "transfer"
        if one.card and one.card.number:
            return "card"
    return ""


# --- coming in --------------------------------------------------------------------------------------------------------


def _after(context: Context) -> None:
    root, meta = context.root, context.meta
    for key, name in _NAMED.items():
        if meta.get(key):
            root.setdefault("extensions", []).append({"name": name, "value": meta[key]})
    if meta.get("comment"):
        root["notes"] = [{"text": meta["comment"]}]
    for rate in root.get("exchange_rates", []):
        rate["source"] = root.get("currency")
    for role in ("seller", "buyer", "sold_to", "delivery"):
        _address_back(root.get(role, {}).get("address"))
    location = root.get("delivery", {}).get("location")
    if location and re.fullmatch(r"\d{13}", location["value"]) and _is_gln(context):
        location["scheme"] = "0088"
    for tax in _taxes(root):
        tax.setdefault("scheme", "VAT")
        if tax.get("category") in _UNTAXED and "description" in tax:
            tax["exemption_reason"] = tax.pop("description")
    for one in [*root.get("allowances", []), *root.get("charges", [])]:
        _reason_back(one)
    for line in root.get("lines", []):
        for one in [*line.get("allowances", []), *line.get("charges", [])]:
            _reason_back(one)
        item = line.get("item", {})
        if "standard_id" in item:
            item["standard_id"]["scheme"] = "0160"


def _is_gln(context: Context) -> bool:
    ns = "{http://www.ebinterface.at/schema/6p1/}"
    at = context.element.find(f"{ns}Delivery/{ns}Address/{ns}AddressIdentifier")
    return at is not None and at.get("AddressIdentifierType") == "GLN"


def _reason_back(one: Raw) -> None:
    if one.get("role") == "UNCL":
        del one["role"]


def _address_back(address: Raw | None) -> None:
    if not address:
        return
    if "\n" in address.get("line_1", ""):
        address |= dict(zip(("line_1", "line_2", "line_3"), address["line_1"].split("\n", 2), strict=False))
    if address.get("country_name") == address.get("country"):
        address.pop("country_name", None)


def _taxes(root: Raw) -> Iterator[Raw]:
    yield from root.get("tax_breakdown", [])
    for one in [*root.get("allowances", []), *root.get("charges", []), *root.get("lines", [])]:
        yield from one.get("taxes", [])


# --- hooks ------------------------------------------------------------------------------------------------------------


def _scheme(scheme: str) -> Callable[[Any, Any], bool]:
    return lambda one, body: one.scheme == scheme


def _located(name: str) -> Callable[[Any, Any], bool]:
    def located(view: Any, body: Any) -> bool:
        at = body.delivery.location if body.delivery else None
        return at is not None and (at.scheme == "0088") is (name == "GLN")

    return located


def _is_vat(tax: Any, body: Any) -> bool:
    return tax.scheme in (None, "VAT")


def _iban(means: Any, body: Any) -> bool:
    return bool(means.account and re.match(r"[A-Z]{2}\d{2}[A-Z0-9 ]{8,}$", means.account.id or ""))


def _on_day(body: Any) -> bool:
    return bool(body.delivery and body.delivery.date)


def _goes_somewhere(body: Any) -> bool:
    to = body.delivery
    return to is not None and any((to.name, to.address, to.location))


HOOKS: Mapping[str, Callable[..., Any]] = {
    "after": _after,
    "is_GLN": _scheme("0088"),
    "is_DUNS": _scheme("0060"),
    "is_further": lambda one, body: one.scheme not in _FURTHER,
    "is_named": lambda party, body: bool(party.name or party.address),
    "has_gtin": lambda line, body: bool(
        line.item and line.item.standard_id and line.item.standard_id.scheme in (None, "0160")),
    "is_vat": _is_vat,
    "is_other_tax": lambda tax, body: tax.scheme not in (None, "VAT"),
    "cancelled": lambda one, body: one.method == "cancelled" and one.issue_date is not None,
    "related": lambda one, body: one.method != "cancelled" or one.issue_date is None,
    "first_rate": lambda one, body: one is body.exchange_rates[0],
    "is_delivered": lambda view, body: bool(
        body.period or body.despatch_advice_reference or _on_day(body) or _goes_somewhere(body)),
    "on_day": lambda view, body: _on_day(body) or body.period is None,
    "over_period": lambda view, body: not _on_day(body) and body.period is not None,
    "delivered_to": lambda view, body: _goes_somewhere(body),
    "located_GLN": _located("GLN"),
    "located_ProprietaryAddressID": _located("ProprietaryAddressID"),
    "by_period": lambda line, body: line.period is not None and line.delivery_date is None,
    "is_paid": lambda view, body: bool(body.method),
    "transfers": lambda view, body: body.method == "transfer",
    "by_transfer": lambda one, body: body.method == "transfer" and bool(one.account and one.account.id),
    "by_debit": lambda one, body: body.method == "debit" and one is next(
        m for m in body.payment.means if m.code in _DEBITS or (m.debit and not m.account)),
    "by_card": lambda one, body: body.method == "card" and one is next(
        m for m in body.payment.means if m.card and m.card.number),
    "by_other": lambda view, body: body.method == "other",
    "is_iban": _iban,
    "is_number": lambda means, body: not _iban(means, body),
}  # fmt: skip
