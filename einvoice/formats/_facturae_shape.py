"""What the rows of Facturae cannot say, going out: kinds, parties, sums that follow, instalments, centres."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from ..codes.crosswalks import crosswalk
from ..errors import Finding, Severity
from ..model import (
    CREDIT_TYPES,
    Account,
    Address,
    Attachment,
    Contact,
    Identifier,
    Instalment,
    Invoice,
    Line,
    Means,
    Note,
    Party,
    Payment,
    Preceding,
    Rate,
    RoleParty,
    Tax,
)
from ..money import plain
from ..totals import line_subtotal
from ._facturae_read import after, centre_back, instalment_back
from ._view import view

#: RegistrationData by the words that stand for its elements in BT-33.
REGISTRATION_LABELS = {
    "Libro": "Book", "Registro": "RegisterOfCompaniesLocation", "Hoja": "Sheet", "Folio": "Folio",
    "Sección": "Section", "Tomo": "Volume", "Otros": "AdditionalRegistrationData",
}  # fmt: skip
#: Notes that are legal literals, by UNCL4451.
LEGAL = "REG"
#: Types (UNCL1001) whose buyer issues them, and those that correct without crediting.
SELF_BILLED = ("389", "261")
CORRECTIVE = ("384", "383")
#: AttachmentFormat by media type.
ATTACHED = {
    "application/pdf": "pdf", "text/xml": "xml", "application/xml": "xml", "application/msword": "doc",
    "image/gif": "gif", "application/rtf": "rtf", "text/rtf": "rtf", "application/vnd.ms-excel": "xls",
    "image/jpeg": "jpg", "image/bmp": "bmp", "image/tiff": "tiff", "text/html": "html",
}  # fmt: skip
_PACKED = {"application/zip": "ZIP", "application/gzip": "GZIP"}
#: Categories of EN 16931 that Facturae states as an event without tax; a tax without rate is one of 0 %.
_EVENTS = ("E", "K", "G", "O")
_UNTAXED = (*_EVENTS, "Z", "AE")
_UNION = frozenset("AT BE BG CY CZ DE DK EE EL FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split())
_CENT = Decimal("0.01")
#: Digits after the point that a price or an amount may have (DoubleUpToEightDecimalType).
_DECIMALS = 8
_ZERO = Decimal(0)
_NO_DATE = Finding(
    "EINV-FACTURAE-03", "how to pay is left out: an instalment has a due date, which the invoice does not state",
    Severity.WARNING, "BT-9", "$.due_date", fix="state the due date in the source",
    clause="Facturaev3_2_2.xsd, InstallmentDueDate",
)  # fmt: skip


# --- what follows from other values -----------------------------------------------------------------------------------


def document_type_of(type_code: str | None) -> str:
    return "AF" if type_code in SELF_BILLED else "FC"


def issuer_type_of(type_code: str | None, by_other: bool) -> str:
    return "TE" if by_other else "RE" if type_code in SELF_BILLED else "EM"


def class_of(type_code: str | None, copy: bool) -> str:
    corrects = type_code in CREDIT_TYPES or type_code in CORRECTIVE
    return ("C" if copy else "O") + ("R" if corrects else "C" if type_code == "385" else "O")


def batch_of(tax: str, number: str, series: str) -> str:
    """BatchIdentifier: the issuer's tax number, the invoice's number, its series."""
    return f"{tax}{number}{series}"[:70]


def person_of(tax: str, spanish: bool, named: bool) -> str:
    """F for a natural person: the name is in parts, or a Spanish NIF begins with a digit, K, L, M, X, Y or Z."""
    return "F" if named or (spanish and re.match(r"(ES)?[0-9KLMXYZ]", tax)) else "J"


def residence_of(country: str | None) -> str:
    return "R" if country in (None, "ES") else "U" if country in _UNION else "E"


# --- the invoice as the rows see it -----------------------------------------------------------------------------------


class Shaped:
    """One invoice made ready: what the rows take, the ``@name`` values, the findings."""

    def __init__(self, invoice: Invoice, settings: Any) -> None:
        self.invoice, self.settings = invoice, settings
        self.credits = invoice.type_code in CREDIT_TYPES
        self.findings: list[Finding] = []
        self.extra = {one.name: one.value for one in invoice.extensions if one.name and one.value}
        self.meta: dict[str, str] = {}
        self.body = self._body()

    def say(self, rule: str, message: str, path: str, fix: str, **more: Any) -> None:
        self.findings.append(Finding(rule, message, path=f"$.{path}", fix=fix, **more))

    def sign(self, value: Decimal | None) -> str | None:
        return None if value is None else plain(-value if self.credits and value else value)

    def _body(self) -> Any:
        invoice, payment = self.invoice, self.invoice.payment
        rest = self._numbered()
        self._parties()
        self._kinds(rest)
        self._sums()
        number = {tax.rate: tax for tax in invoice.tax_breakdown if tax.exemption_reason}
        update: dict[str, Any] = {
            "series": self.meta.pop("series", None),
            "language": invoice.language or self.settings.language or None,
            "preceding": self._preceding(),
            "corrective": self.meta["class"][1] == "R",
            "tax_breakdown": tuple(self._tax(tax, None, None) for tax in invoice.tax_breakdown),
            "lines": tuple(self._line(line, index, number) for index, line in enumerate(invoice.lines)),
            "notes": self._notes(),
            "attachments": tuple(_attached(invoice.attachments)),
            "instalments": self._instalments(payment) if payment or invoice.due_date else [],
            "other_parties": self._centres(),
            **{role: _party(getattr(invoice, role)) for role in ("seller", "buyer", "issuer")},
        }
        return view(invoice, **update)

    def _numbered(self) -> str:
        """The number without its series, which must be its beginning to be told apart again."""
        number, series = self.invoice.number or "", self.invoice.series or ""
        split = bool(series) and number.startswith(series) and number != series
        rest = number[len(series) :] if split else number
        if rest:
            self.meta["number"] = rest
        if split:
            self.meta["series"] = series
        order, contract = self.invoice.purchase_order, self.invoice.contract
        self._fits("purchase_order.id", order.id if order else None, 20)
        self._fits("tender_reference", self.invoice.tender_reference, 20)
        self._fits("contract.id", contract.id if contract else None, 20)
        if len(rest) > 20:
            self.say("EINV-FACTURAE-04", f"the number has {len(rest)} characters, 20 are the limit", "number",
                     "state the leading part as series (EX-420)", term="BT-1", found=rest)  # fmt: skip
        return rest

    def _parties(self) -> None:
        invoice = self.invoice
        home = all(_spanish(party) for party in (invoice.seller, invoice.buyer))
        for role in ("seller", "buyer", "issuer"):
            party: Party | None = getattr(invoice, role)
            if party is None:
                continue
            tax = party.vat_id or party.tax_id or _registered(party)
            if home and tax.startswith("ES"):
                tax = tax[2:]
            self._named_shortly(role, party)
            named = bool(party.given_name or party.family_name)
            derived = {
                "person": person_of(tax, _spanish(party), named),
                "residence": residence_of(party.address.country if party.address else None),
                "tax": tax,
            }
            for name, value in derived.items():
                if value:
                    self.meta[f"{role}_{name}"] = self.extra.get(f"{role}.{name}") or value
            if self.meta[f"{role}_person"] == "F" and not named:
                self.say("EINV-FACTURAE-05", "a natural person is named in one piece, and written as a company",
                         f"{role}.given_name", "state given and family name", severity=Severity.WARNING)  # fmt: skip

    def _named_shortly(self, role: str, party: Party) -> None:
        address, contact = party.address or Address(), party.contact or Contact()
        lines = [line for line in (address.line_1, address.line_2, address.line_3) if line]
        phone = re.sub(r"[ ()./-]", "", contact.phone or "")
        abroad = address.country not in (None, "ES")
        town = " ".join(part for part in (address.postcode, address.city) if part) if abroad else address.city
        stated = (
            ("name", party.name, 80), ("trading_name", party.trading_name, 40), ("given_name", party.given_name, 40),
            ("family_name", party.family_name, 40), ("second_family_name", party.second_family_name, 40),
            ("address.line_1", "\n".join(lines), 80), ("address.city", town, 50),
            ("address.subdivision", address.subdivision, 20), ("contact.name", contact.name, 40),
            ("contact.phone", phone, 15), ("contact.email", contact.email, 60), ("contact.url", contact.url, 60),
            ("contact.department", contact.department, 60),
        )  # fmt: skip
        for path, text, limit in stated:
            if text is not None and len(text) > limit:
                self._fits(f"{role}.{path}", text, limit)
        if not abroad and address.postcode and not re.fullmatch(r"[0-9]{5}", address.postcode):
            self.say("EINV-FACTURAE-08", "a Spanish post code has five digits", f"{role}.address.postcode",
                     "correct it in the source", found=address.postcode)  # fmt: skip

    def _fits(self, path: str, text: str | None, limit: int) -> None:
        if text is not None and len(text) > limit:
            self.say("EINV-FACTURAE-04", f"{len(text)} characters, {limit} are the limit", path,
                     "shorten it in the source", found=text[:80])  # fmt: skip

    def _kinds(self, rest: str) -> None:
        invoice, meta, extra = self.invoice, self.meta, self.extra
        code = invoice.type_code
        meta["document_type"] = extra.get("InvoiceDocumentType") or document_type_of(code)
        meta["issuer_type"] = extra.get("InvoiceIssuerType") or issuer_type_of(code, invoice.issuer is not None)
        meta["class"] = class_of(code, bool(invoice.copy_of_original))
        made = batch_of(meta.get("seller_tax", ""), rest, meta.get("series", ""))
        meta["batch"] = extra.get("BatchIdentifier") or made
        for name, key in (("place_postcode", "PlaceOfIssue.PostCode"), ("place", "PlaceOfIssue.Description"),
                          ("description", "InvoiceDescription")):  # fmt: skip
            if key in extra:
                meta[name] = extra[key]
        others = invoice.preceding[1:] if meta["class"][1] == "R" else invoice.preceding
        if others and others[0].id:
            meta["related"] = others[0].id

    def _sums(self) -> None:
        """InvoiceTotal is the total with tax less what is withheld; what is outstanding is less what was paid."""
        totals = self.invoice.totals
        if totals is None:
            return
        due = self.sign(totals.due)
        if totals.gross is not None:
            total = totals.gross - (totals.withheld or _ZERO)
            outstanding = self.extra.get("TotalOutstandingAmount") or self.sign(total - (totals.prepaid or _ZERO))
            self.meta |= {"invoice_total": self.sign(total) or "", "outstanding": outstanding or ""}
        if due is not None:
            self.meta["executable"] = due

    def _preceding(self) -> tuple[Any, ...]:
        """What is corrected, with what the settings say of corrections where the invoice does not."""
        if self.meta["class"][1] != "R":
            return ()
        one = self.invoice.preceding[0] if self.invoice.preceding else Preceding()
        split = one.series and one.id and one.id.startswith(one.series) and one.id != one.series
        period = one.period or self.settings.period_of(one.issue_date)
        return (view(one, **{
            "id": one.id[len(one.series) :] if split and one.id and one.series else one.id,
            "series": one.series if split else None,
            "reason_code": one.reason_code or self.settings.reason_code or None,
            "method": one.method or self.settings.correction_method or None,
            "period": period,
        }),)  # fmt: skip

    # -- taxes and lines

    def _tax(self, tax: Tax, base: Decimal | None, reason: str | None) -> Any:
        update: dict[str, Any] = {"base": base} if tax.base is None and base is not None else {}
        if tax.rate is None and tax.category in _UNTAXED:
            update["rate"] = _ZERO
        if reason and tax.exemption_reason is None and tax.category in _EVENTS:
            update["exemption_reason"] = reason
        if tax.surcharge_rate is not None:
            update["surcharge_rate"] = _cents(tax.surcharge_rate)
        return view(tax, **update) if update else tax

    def _line(self, line: Line, index: int, reasons: Mapping[Decimal | None, Tax]) -> Any:
        net = line.net_amount
        taxes: list[Any] = []
        withheld: list[Any] = []
        for tax in line.taxes:
            reason = reasons[tax.rate].exemption_reason if reasons and tax.rate in reasons else None
            (withheld if tax.effect == "withheld" else taxes).append(self._tax(tax, net, reason))
        update: dict[str, Any] = {"taxes": (taxes or self._one_tax(net, index)) + withheld}
        if line.subtotal is None:
            update["subtotal"] = line_subtotal(line) if line.allowances or line.charges else net
        price = line.price
        if price is not None and price.net is not None:
            base = price.base_quantity
            if (base is not None and base != 1 and base) or len(str(price.net)) > _DECIMALS:
                update["price"] = SimpleNamespace(net=self._each(price.net / (base or 1), index))
        self._short(line, index)
        return view(line, **update)

    def _one_tax(self, net: Decimal | None, index: int) -> list[Any]:
        """The tax of a line that states none: the only one there is."""
        rows = [tax for tax in self.invoice.tax_breakdown if tax.effect != "withheld"]
        if len(rows) == 1:
            return [self._tax(Tax(scheme=rows[0].scheme, category=rows[0].category, rate=rows[0].rate), net, None)]
        self.say("EINV-WRITE-01", "the format cannot do without the tax of each line", f"lines[{index}].taxes",
                 "state it in the source", term="BT-151")  # fmt: skip
        return []

    def _each(self, price: Decimal, index: int) -> Decimal:
        """The price of one: eight decimals are the limit."""
        exact = price.normalize()
        if -int(exact.as_tuple().exponent) > _DECIMALS:
            self.say("EINV-FACTURAE-06", "the price of one does not fit eight decimals", f"lines[{index}].price.net",
                     "state the price with a base quantity of 1", term="BT-146", found=plain(price)[:40])  # fmt: skip
        return Decimal(plain(exact))

    def _short(self, line: Line, index: int) -> None:
        item, order, contract = line.item, line.order, line.contract
        if item is not None:
            if item.seller_id is not None and len(item.seller_id) > 20:
                self._fits(f"lines[{index}].item.seller_id", item.seller_id, 20)
            name, description = item.name, item.description
            if name and len(name) + (len(description) if description else 0) >= 2500:
                self._fits(f"lines[{index}].item.name", f"{name}\n{description or ''}", 2500)
        if order is not None and (order.id or order.sales_order):
            self._fits(f"lines[{index}].order.id", order.id, 20)
            self._fits(f"lines[{index}].order.sales_order", order.sales_order, 20)
        if contract is not None:
            self._fits(f"lines[{index}].contract.id", contract.id, 20)
        if line.despatch_reference or line.note:
            self._fits(f"lines[{index}].despatch_reference", line.despatch_reference, 30)
            self._fits(f"lines[{index}].note", line.note, 2500)

    # -- the rest

    def _notes(self) -> tuple[Note, ...]:
        """Legal literals each on its own; all that is left is one text."""
        notes = self.invoice.notes
        legal = [note for note in notes if note.subject_code == LEGAL]
        remarks = [note.text for note in notes if note.subject_code != LEGAL and note.text]
        return (*legal, *((Note(text="\n".join(remarks)),) if remarks else ()))

    def _instalments(self, payment: Payment | None) -> list[Any]:
        """Each instalment with what pays it: the means at its place, or the one there is."""
        stated = payment.instalments if payment else ()
        means: Sequence[Means] = payment.means if payment else ()
        if not stated:
            due = self.invoice.totals.due if self.invoice.totals else None
            if self.invoice.due_date is None:
                if means:
                    self.findings.append(_NO_DATE)
                return []
            stated = (Instalment(due_date=self.invoice.due_date, amount=due),)
        found = []
        for index, one in enumerate(stated):
            by = (means[index] if len(means) == len(stated) else means[0]) if means else None
            found.append(self._instalment(one, by, payment if index == 0 else None, index))
        return found

    def _instalment(self, one: Instalment, by: Means | None, payment: Payment | None, index: int) -> Any:
        amount = None if one.amount is None else _cents(one.amount)
        if amount is not None and amount != one.amount:
            self.say("EINV-FACTURAE-07", "an instalment has two decimals", f"payment.instalments[{index}].amount",
                     "round it in the source", found=plain(one.amount or _ZERO))  # fmt: skip
        remittance = (by.remittance if by else None) or (payment.remittance if payment else None)
        debit = Account(id=by.debit.account) if by and by.debit and by.debit.account else None
        return SimpleNamespace(
            due_date=one.due_date,
            totals=SimpleNamespace(due=amount),
            process=_paid_by(by) if by else None,
            seller=SimpleNamespace(accounts=_accounts(by.account if by else None)),
            buyer=SimpleNamespace(accounts=_accounts(debit)),
            payment=SimpleNamespace(remittance=remittance, terms=payment.terms if payment else None),
        )

    def _centres(self) -> tuple[RoleParty, ...]:
        """The centres of the invoice, or those of the settings where it names none of the buyer's."""
        stated = self.invoice.other_parties
        if any((one.role or "").startswith("buyer:") for one in stated):
            return stated
        return (*stated, *(
            RoleParty(role=f"buyer:{one.role}", party=Party(name=one.name or None,
                      identifiers=(Identifier(scheme="DIR3", value=one.code),)))
            for one in self.settings.centres))  # fmt: skip


def _spanish(party: Party | None) -> bool:
    country = party.address.country if party and party.address else None
    return country == "ES" or (country is None and bool(party and (party.vat_id or "").startswith("ES")))


def _registered(party: Party) -> str:
    """The number that a party abroad is known by where it has no VAT identifier."""
    if _spanish(party):
        return ""
    ids = (*(one.id for one in party.tax_registrations), party.legal_id.value if party.legal_id else None)
    return next((id_ for id_ in ids if id_), "")


def _party(party: Party | None) -> Any:
    """*party* with its address in the lines there are, and one number of its own at most."""
    if party is None:
        return None
    update: dict[str, Any] = {}
    plain_ids = [one for one in party.identifiers if is_numbered(one)]
    if len(plain_ids) > 1:
        update["identifiers"] = [one for one in party.identifiers if one is plain_ids[0] or not is_numbered(one)]
    if party.address:
        update["address"] = _address(party.address)
    return view(party, **update) if update else party


def _address(address: Address) -> Any:
    """*address* on one line; in Spain the post code says the province."""
    lines = [line for line in (address.line_1, address.line_2, address.line_3) if line]
    update: dict[str, Any] = {"line_1": "\n".join(lines)} if len(lines) > 1 else {}
    if address.subdivision is None and address.country == "ES" and address.postcode:
        update["subdivision"] = crosswalk("es_provinces").to(address.postcode[:2])
    return view(address, **update) if update else address


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT)


def _paid_by(means: Means) -> str | None:
    if means.code is None:
        return None
    walk = crosswalk("facturae_payment")
    return walk.to(f"{means.code}/{means.key}") or walk.to(means.code) or "13"


def _accounts(account: Account | None) -> list[Any]:
    if account is None or not account.id or not (_iban(account.id) or 5 <= len(account.id) <= 34):
        return []  # AccountNumber has 5 to 34 characters: another is left out, and reported with all that is lost
    bic = (account.bic or "").replace(" ", "")
    bic = f"{bic}XXX" if len(bic) == 8 else bic if len(bic) == 11 else ""  # ISO 9362: XXX is the main office
    return [SimpleNamespace(id=account.id, routing=account.routing, bic=bic or None)]


def _attached(attachments: Sequence[Attachment]) -> Iterator[Any]:
    """Attachments of the kinds that Facturae has: format and compression stand in ``type_code`` and ``content_id``."""
    for one in attachments:
        packed = _PACKED.get(one.mime or "", "NONE")
        inner = re.search(r"\.(\w+)\.\w+$", one.filename or "") if packed != "NONE" else None
        kind = inner[1] if inner else ATTACHED.get(one.mime or "")
        if one.content is not None and kind in ATTACHED.values():
            yield SimpleNamespace(content_id=packed, type_code=kind, description=one.description or one.filename,
                                  content=one.content)  # fmt: skip


# --- hooks ------------------------------------------------------------------------------------------------------------


def is_numbered(one: Identifier) -> bool:
    """True for an identifier that PartyIdentification can hold: digits, ten at most."""
    return one.scheme is None and bool(re.fullmatch(r"[0-9]{1,10}", one.value or ""))


def _centres(side: str) -> Callable[[Any], list[Any]]:
    def of(body: Any) -> list[Any]:
        role = f"{side}:"
        parent = getattr(body, side)
        return [_centre(one, parent) for one in body.other_parties if (one.role or "").startswith(role)]

    return of


def _centre(one: RoleParty, parent: Any) -> Any:
    party = one.party or Party()
    by_scheme = {identifier.scheme: identifier.value for identifier in party.identifiers}
    address = party.address or (parent.address if parent else None)
    view = party.__dict__ | {
        "address": _address(address) if isinstance(address, Address) else address,
        "endpoint": SimpleNamespace(value=by_scheme.get("0088")),
    }
    role = (one.role or "").partition(":")[2]
    return SimpleNamespace(series=by_scheme.get("DIR3"), operation=role or None, seller=SimpleNamespace(**view))


def _abroad(party: Any) -> bool:
    return bool(party and party.address and party.address.country not in (None, "ES"))


@lru_cache(1024)
def _iban(id: str | None) -> bool:
    return bool(re.match(r"[A-Z]{2}\d{2}[A-Z0-9 ]{8,}$", id or ""))


def _converts(rate: Rate, body: Any) -> bool:
    """True for the rate from the invoice's currency to that of the tax."""
    return bool(rate.source and rate.source == body.currency and rate.target == (body.tax_currency or "EUR"))


def _named(party: Any) -> bool:
    return bool(party.given_name or party.family_name)


HOOKS: Mapping[str, Callable[..., Any]] = {
    "after": after,
    "seller_centres": _centres("seller"),
    "seller_centres_back": centre_back("seller"),
    "buyer_centres": _centres("buyer"),
    "buyer_centres_back": centre_back("buyer"),
    "instalments": lambda body: body.instalments,
    "instalments_back": instalment_back,
    "in_spain": lambda party, body: not _abroad(party),
    "in_overseas": lambda party, body: _abroad(party),
    "seller_in_spain": lambda view, body: not _abroad(view.seller),
    "seller_in_overseas": lambda view, body: _abroad(view.seller),
    "is_entity": lambda party, body: not _named(party),
    "is_person": lambda party, body: _named(party),
    "is_numbered": lambda one, body: is_numbered(one),
    "is_cnae": lambda one, body: one.scheme == "CNAE",
    "is_ine": lambda one, body: one.scheme == "INE",
    "is_iban": lambda account, body: _iban(account.id),
    "is_number": lambda account, body: not _iban(account.id),
    "corrected": lambda one, body: body.corrective,
    "to_tax_currency": _converts,
    "has_period": lambda part, body: part.period is not None,
    "charged": lambda tax, body: tax.effect != "withheld",
    "withheld": lambda tax, body: tax.effect == "withheld",
    "untaxed": lambda tax, body: tax.category in _EVENTS and tax.effect != "withheld",
    "legal": lambda note, body: note.subject_code == LEGAL,
    "remark": lambda note, body: note.subject_code != LEGAL,
}
