"""What the rows of ebInterface cannot say: how it is paid, when it is delivered, what comments of taxes mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import count
from typing import Any

from ..errors import Finding, Severity
from ..model import AllowanceCharge, Delivery, Invoice, Line, Means, Party, Tax
from ..money import plain
from ..totals import line_subtotal
from ._view import View, view
from ._xml_read import Context, Raw

_NAMED = {"title": "DocumentTitle", "header": "HeaderDescription", "footer": "FooterDescription",
          "payment_comment": "PaymentMethod.Comment"}  # fmt: skip
_KEYS = {name: key for key, name in _NAMED.items()}
#: Categories whose comment says why no tax is charged (BT-120); of others it describes the tax.
_UNTAXED = ("E", "AE", "O", "K", "G", "Z")
_CHARGED = (None, "charged")
_VAT = (None, "VAT")
_DEBITS = ("49", "59")
_FURTHER = ("0088", "0060")
_ZERO, _CENT, _FOURTH = Decimal(0), Decimal("0.01"), Decimal("0.0001")
#: Characters that an element takes at most. Numbers and references are never cut.
_LONGEST = (
    ("BT-1", "number", 255), ("BT-14", "sales_order_reference", 255),
    ("BT-16", "despatch_advice_reference", 255), ("BT-19", "accounting_reference", 20), ("EX-2", "language", 2),
    ("BT-5", "currency", 3),
)  # fmt: skip
_TAXED = {"allowances": "BT-95", "charges": "BT-102"}
_COUNTRY = {"seller": "BT-40", "buyer": "BT-55"}


# --- going out --------------------------------------------------------------------------------------------------------


class Shaped:
    """One invoice made ready: what the rows take, the ``@name`` values, the findings.

    Lines are made ready one by one while they are written, so that a thousand of them do not wait in memory; their
    findings are there once the document is written.
    """

    def __init__(self, invoice: Invoice, settings: Any) -> None:
        self.findings: list[Finding] = []
        self.settings = settings
        self.meta = {"system": settings.generating_system}
        for one in invoice.extensions:
            if one.name in _KEYS:
                self.meta[_KEYS[one.name]] = one.value or ""
        if notes := "\n\n".join(note.text for note in invoice.notes if note.text):
            self.meta["comment"] = notes
        self.invoice = invoice
        self._order = invoice.purchase_order.id if invoice.purchase_order else None
        means = invoice.payment.means if invoice.payment else ()
        method = _method(means) or ("other" if "payment_comment" in self.meta else "")
        self.body = view(
            invoice,
            extensions=[one for one in invoice.extensions if one.name not in _KEYS],
            **{role: self._party(role, getattr(invoice, role)) for role in ("seller", "buyer", "sold_to")},
            allowances=[self._reduced(one, f"allowances[{at}]") for at, one in enumerate(invoice.allowances)],
            charges=[self._reduced(one, f"charges[{at}]") for at, one in enumerate(invoice.charges)],
            tax_breakdown=[
                self._tax(tax, None, f"tax_breakdown[{at}]")
                for at, tax in enumerate(invoice.tax_breakdown) if tax.effect in _CHARGED
            ],
            cancelled=next((one for one in invoice.preceding if one.method == "cancelled" and one.issue_date), None),
            delivery=self._delivery(),
            lines=map(self._line, invoice.lines, count()) if invoice.lines else (),
            payment=self._payment(method),
            method=method,
        )  # fmt: skip
        totals = invoice.totals
        if totals is not None:
            for name in ("gross", "prepaid", "rounding", "due"):
                self._digits(f"totals.{name}", getattr(totals, name), _CENT)
        for term, name, most in _LONGEST:
            text = getattr(invoice, name)
            if text is not None and len(text) > most:
                self._long(name, term, text, most)
        self._long("purchase_order.id", "BT-13", self._order, 255)

    # -- what does not fit

    def _digits(self, path: str, value: Decimal | None, unit: Decimal) -> None:
        if value is not None and _finer(value, unit):
            digits = -int(unit.as_tuple().exponent)
            self.findings.append(Finding(
                "EINV-EBINTERFACE-01", f"{value:f} has more than {digits} decimals", path=f"$.{path}",
                found=f"{value:f}", fix="round it in the source"))  # fmt: skip

    def _long(self, path: str, term: str, text: str | None, most: int, least: int = 0) -> None:
        if text is not None and not least <= len(text) <= most:
            said = f"{len(text)} characters, {most} are {'wanted' if least == most else 'the limit'}"
            self.findings.append(Finding(
                "EINV-EBINTERFACE-02", said, term=term, path=f"$.{path}", fix="correct it in the source",
                found=text[:80]))  # fmt: skip

    def _cut(self, path: str, text: str | None, most: int) -> str | None:
        """*text*, its end left out where the settings allow that; what was changed is in the loss report."""
        if text is not None and len(text) > most and self.settings.long_text == "cut":
            return text[:most]
        self._long(path, "", text, most)
        return text

    # -- lines

    def _line(self, line: Line, index: int) -> Any:
        changed: dict[str, Any] = line.__dict__.copy()
        if line.allowances or line.charges:
            subtotal = line_subtotal(line)
            for name in ("allowances", "charges"):
                rows = getattr(line, name)
                changed[name] = [
                    self._reduced(one, f"lines[{index}].{name}[{at}]", line, subtotal) for at, one in enumerate(rows)
                ]
        for tax in line.taxes:
            if tax.scheme in _VAT and tax.effect in _CHARGED:
                changed["taxes"] = (self._tax(tax, line.net_amount, "lines[].taxes[0]", index),)
                break
        else:
            changed["taxes"] = ()
            self.findings.append(_untaxed(f"lines[{index}]", "each line", "BT-151"))
        self._figures(line, index, changed)
        if line.despatch_reference is not None and line.delivery_date is None and line.period is None:
            changed["delivery_date"] = self._day(f"lines[{index}].delivery_date", "EX-91")
        order = line.order
        if order is not None and order.line and not order.id and self._order:
            changed["order"] = _Order(self._order, order.line, order.date, order.sales_order)
        return View(changed)

    def _figures(self, line: Line, index: int, changed: dict[str, Any]) -> None:
        """Numbers that fit; a finer price is that of more items (BT-149): 40.123456 is 4012.3456 for a hundred."""
        quantity, net, price = line.quantity, line.net_amount, line.price
        if quantity is not None and _finer(quantity, _FOURTH):
            self._digits(f"lines[{index}].quantity", quantity, _FOURTH)
        if net is not None and _finer(net, _CENT):
            self._digits(f"lines[{index}].net_amount", net, _CENT)
        if price is None or price.net is None:
            return
        if _finer(price.net, _FOURTH):
            shift = -int(price.net.as_tuple().exponent) - 4
            base = (price.base_quantity or Decimal(1)).scaleb(shift)
            changed["price"] = view(price, net=price.net.scaleb(shift), base_quantity=Decimal(plain(base)))
        elif price.base_quantity is not None:
            self._digits(f"lines[{index}].price.base_quantity", price.base_quantity, _FOURTH)

    # -- taxes, allowances and charges

    def _tax(self, tax: Tax, base: Decimal | None, at: str, index: int | None = None) -> Any:
        """What a TaxItem states; *at* is where the tax stands, ``lines[]`` that of line *index*."""
        rate, amount, own = tax.rate, tax.amount, tax.base
        if rate is None and tax.category in _UNTAXED:
            rate = _ZERO
        if (
            (own is not None and _finer(own, _CENT))
            or (amount is not None and _finer(amount, _CENT))
            or (rate is not None and _finer(rate, _CENT))
        ):
            place = at if index is None else at.replace("[]", f"[{index}]")
            figures = {"base": own, "amount": amount, **({"rate": rate} if tax.scheme in _VAT else {})}
            for name, value in figures.items():
                self._digits(f"{place}.{name}", value, _CENT)
        return _Vat(
            base if own is None else own,
            rate,
            tax.category,
            amount,
            tax.exemption_reason or tax.description,
            tax.scheme,
        )

    def _reduced(self, one: AllowanceCharge, path: str, line: Line | None = None, base: Decimal | None = None) -> Any:
        """An allowance or charge on its base; where none is stated on a line, on what the line comes to before it."""
        taxes = [tax for tax in one.taxes if tax.effect in _CHARGED and tax.scheme in _VAT][:1]
        if line is None and not taxes:
            self.findings.append(_untaxed(path, "allowances and charges", _TAXED[path.partition("[")[0]]))
        changed = {
            "taxes": [self._tax(tax, one.amount, f"{path}.taxes[0]") for tax in taxes],
            "role": one.role or ("UNCL" if one.reason_code else None),
            "base": one.base if one.base is not None else base if line is not None else one.amount,
            "percent": None if one.percent is None or _finer(one.percent, _CENT) else one.percent,
        }
        self._digits(f"{path}.amount", one.amount, _CENT)
        self._digits(f"{path}.base", one.base, _CENT)
        return view(one, **changed)

    # -- parties, delivery, payment

    def _party(self, role: str, party: Party | None) -> Any:
        if party is None:
            return None
        if party.address is None:
            return party
        self._long(f"{role}.address.country", _COUNTRY.get(role, ""), party.address.country, 2, 2)
        return view(party, address=_address(party.address))

    def _day(self, path: str, term: str) -> date | None:
        """The day of a delivery that states none, which the schema wants: that of the issue where settings say so."""
        day = self.invoice.issue_date
        if self.settings.absent_day == "refuse" or day is None:
            self.findings.append(Finding(
                "EINV-WRITE-01", f"the format cannot do without {term}, which the invoice does not state", term=term,
                path=f"$.{path}", fix="state it in the source, or set absent_day in the profile"))  # fmt: skip
            return None
        self.findings.append(Finding(
            "EINV-WRITE-02", f"{term} is not stated and follows from the issue", Severity.INFO, term, f"$.{path}",
            found=day.isoformat()))  # fmt: skip
        return day

    def _delivery(self) -> Any:
        to, invoice = self.invoice.delivery, self.invoice
        asked = invoice.despatch_advice_reference or _goes_somewhere(invoice)
        if asked and invoice.period is None and not (to and to.date):
            to = (to or Delivery()).model_copy(update={"date": self._day("delivery.date", "BT-72")})
        if to is None or to.address is None:
            return to
        self._long("delivery.address.country", "BT-80", to.address.country, 2, 2)
        return view(to, address=_address(to.address))

    def _payment(self, method: str) -> Any:
        """Discounts have a last day: that of so many days from the issue."""
        payment, issued = self.invoice.payment, self.invoice.issue_date
        if payment is None:
            return None
        rows = []
        for at, one in enumerate(payment.discounts):
            until = one.until
            if until is None and one.days is not None and issued is not None and one.days == one.days.to_integral():
                until = issued + timedelta(days=min(int(one.days), 9999))
            for name in ("percent", "base", "amount"):
                self._digits(f"payment.discounts[{at}].{name}", getattr(one, name), _CENT)
            rows.append(view(one, until=until))
        if method == "transfer":
            self._long("payment.remittance", "BT-83", payment.remittance, 35)
        if method == "debit":
            self._long("payment.creditor_id", "BT-90", payment.creditor_id, 35)
        means = [self._means(one, at, method) for at, one in enumerate(payment.means)]
        return view(payment, discounts=rows, means=means)

    def _means(self, one: Means, index: int, method: str) -> Any:
        at, account = f"payment.means[{index}]", one.account
        if method == "debit" and one.debit:
            self._long(f"{at}.debit.mandate", "BT-89", one.debit.mandate, 35)
            self._long(f"{at}.debit.account", "BT-91", one.debit.account, 34)
        if method not in ("transfer", "debit") or account is None:
            return one
        if _iban(one, None):
            self._long(f"{at}.account.id", "BT-84", account.id, 34)
        named = {"name": self._cut(f"{at}.account.name", account.name, 70),
                 "bank": self._cut(f"{at}.account.bank", account.bank, 255)}  # fmt: skip
        return view(one, account=view(account, **named))


class _Vat:
    """What a TaxItem states."""

    __slots__ = ("amount", "base", "category", "description", "rate", "scheme")

    def __init__(self, base: Decimal | None, rate: Decimal | None, category: str | None, amount: Decimal | None,
                 description: str | None, scheme: str | None) -> None:  # fmt: skip
        self.base, self.rate, self.category = base, rate, category
        self.amount, self.description, self.scheme = amount, description, scheme


class _Order:
    """The order of a line that states only its line there."""

    __slots__ = ("date", "id", "line", "sales_order")

    def __init__(self, id: str, line: str | None, date: date | None, sales_order: str | None) -> None:
        self.id, self.line, self.date, self.sales_order = id, line, date, sales_order


def _finer(value: Decimal, unit: Decimal) -> bool:
    """True when *value* has more decimals than *unit*; numbers of the model have fifty digits at most."""
    try:
        return bool(value % unit)
    except InvalidOperation:  # more digits before the point than the context divides
        return -int(value.as_tuple().exponent) > -int(unit.as_tuple().exponent)


def _untaxed(path: str, what: str, term: str) -> Finding:
    return Finding(
        "EINV-WRITE-01", f"the format cannot do without the VAT of {what}", term=term, path=f"$.{path}.taxes",
        fix="state it in the source, or set absent_rates or absent_tax in the profile",
    )  # fmt: skip


def _address(address: Any) -> Any:
    lines = [line for line in (address.line_1, address.line_2, address.line_3) if line]
    name = address.country_name or address.country
    return view(address, line_1="\n".join(lines) or None, country_name=name)


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
    return tax.scheme in _VAT


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
    "is_other_tax": lambda tax, body: tax.scheme not in _VAT,
    "cancelled": lambda one, body: one is body.cancelled,
    "related": lambda one, body: one is not body.cancelled,
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
