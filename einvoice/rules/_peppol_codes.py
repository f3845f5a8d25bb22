"""Peppol BIS Billing 3, PEPPOL-EN16931-CL, -P and -F: code lists, types of documents, how dates are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import partial

from ._checks import among, joined, named, text
from ._empty import steps
from ._facts import Facts
from ._national import both_german, is_credit_note
from ._peppol import MAY_2026, in_ubl, process_number
from ._rule import Hit, ReaderRule, Rule

INVOICES = frozenset([
    "71", "80", "82", "84", "102", "218", "219", "326", "331", "380", "382", "383", "384", "386", "388", "393", "395",
    "553", "575", "623", "780", "817", "870", "875", "876", "877",
])  # fmt: skip
CREDIT_NOTES = frozenset({"381", "396", "81", "83", "532"})
SELF_INVOICES, SELF_CREDIT_NOTES = frozenset({"389", "527"}), frozenset({"261"})
#: Types that only parties in Germany use between them: partial and corrected invoice.
GERMAN = frozenset({"326", "384"})
#: Reason for exemption (VATEX) and the category that goes with it, by rule.
EXEMPTIONS = {
    "P0104": ("VATEX-EU-G", "G"), "P0105": ("VATEX-EU-O", "O"), "P0106": ("VATEX-EU-IC", "K"),
    "P0107": ("VATEX-EU-AE", "AE"), "P0108": ("VATEX-EU-D", "E"), "P0109": ("VATEX-EU-F", "E"),
    "P0110": ("VATEX-EU-I", "E"), "P0111": ("VATEX-EU-J", "E"),
}  # fmt: skip
_TAXES = ("tax_breakdown[]", "allowances[].taxes[]", "charges[].taxes[]")
_DATES = ("IssueDate", "DueDate", "TaxPointDate", "StartDate", "EndDate", "ActualDeliveryDate")
_CII_DATE, _CII_DAY = "DateTimeString", re.compile(r"20[0-9]{6}")
#: Attributes where the model has no place for the element, with the list they are of.
_ATTRIBUTES = (
    ("EmbeddedDocumentBinaryObject/@mimeCode", "CL001", "mime_types"),
    ("AttachmentBinaryObject/@mimeCode", "CL001", "mime_types"),
    ("Amount/@currencyID", "CL007", "peppol_currencies"),
    ("TaxTotalAmount/@currencyID", "CL007", "peppol_currencies"),
    ("EndpointID/@schemeID", "CL008", "peppol_endpoint_schemes"),
)


def document_type(kind: str, credit: bool, facts: Facts) -> Iterable[Hit]:
    """P0100, P0101: the type is one of the process."""
    invoices, credits = (INVOICES, CREDIT_NOTES) if kind == "billing" else (SELF_INVOICES, SELF_CREDIT_NOTES)
    known = credits if credit else invoices
    code = (facts.invoice.type_code or "").strip()
    stated = code or any(
        one.rule == "EINV-READ-07" and steps(one.place).endswith(("/InvoiceTypeCode", "/CreditNoteTypeCode"))
        for one in facts.read
    )
    if not stated or process_number(kind, facts) not in _judged(kind, facts):
        return
    if is_credit_note(facts) is credit and code not in known:
        yield Hit("$.type_code", text(code), " ".join(sorted(known, key=int)))


def _judged(kind: str, facts: Facts) -> tuple[str, ...]:
    """The processes whose types are judged: since 2026.5 also billing with a response."""
    return ("01", "02") if kind == "billing" and facts.on >= MAY_2026 else ("01",)


def german_type(facts: Facts) -> Iterable[Hit]:
    """P0112."""
    code = (facts.invoice.type_code or "").strip()
    if code in GERMAN and not both_german(facts) and not is_credit_note(facts):
        yield Hit("$.type_code", text(code))


def exemption(reason: str, category: str, facts: Facts) -> Iterable[Hit]:
    """P0104 to P0111: this reason for exemption belongs to this category."""
    for path in _TAXES:
        for place, tax in facts.places(path) if facts.values(f"{path}.exemption_code") else ():
            if (tax.exemption_code or "").upper() == reason and (tax.category or "").strip() != category:
                yield Hit(f"{place}.category", text(tax.category), category, "BT-118" if "breakdown" in path else "")


def amount_currencies(facts: Facts) -> Iterable[Hit]:
    """CL007: the currency of an amount is of ISO 4217."""
    invoice, known = facts.invoice, facts.codes("peppol_currencies")
    amounts = bool(invoice.totals or facts.rows or facts.lines or facts.allowances or facts.charges)
    own = any(one.rule == "EINV-READ-06" for one in facts.read)  # then amounts name theirs, and the reader tells
    if invoice.currency is not None and invoice.currency.strip() not in known and amounts and not own:
        yield Hit("$.currency", text(invoice.currency), term="BT-5")
    second = invoice.tax_currency if facts.totals.tax_accounting is not None else None
    if second is not None and second.strip() not in known:
        yield Hit("$.tax_currency", text(second), term="BT-6")


def endpoint_schemes(facts: Facts) -> Iterable[Hit]:
    """CL008: the scheme of an electronic address is one that Peppol routes by."""
    known = facts.codes("peppol_endpoint_schemes")
    for role, term in (("seller", "BT-34-1"), ("buyer", "BT-49-1")):
        for place, scheme in facts.places(f"{role}.endpoint.scheme"):
            if scheme not in known:
                yield Hit(place, text(scheme), term=term)


def unread_dates(facts: Facts) -> Iterable[Hit]:
    """F001, where the reader passed over a date because nothing in the model is there for it."""
    for one in facts.read:
        name = steps(one.place).rpartition("/")[2]
        wrong = (name in _DATES and not _is_day(one.found)) or (name == _CII_DATE and not _CII_DAY.fullmatch(one.found))
        if one.rule == "EINV-READ-01" and wrong:
            yield Hit(one.path, one.found, term=one.term, place=one.place)


def _is_day(value: str) -> bool:
    try:
        return len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


READER: tuple[ReaderRule, ...] = (
    *(ReaderRule(read, element, "PEPPOL-EN16931-F001")
      for read in ("EINV-READ-04", "EINV-READ-07", "EINV-READ-09") for element in _DATES),
    *(ReaderRule(read, _CII_DATE, "PEPPOL-EN16931-F001") for read in ("EINV-READ-04", "EINV-READ-07")),
    ReaderRule("EINV-READ-01", f"{_CII_DATE}/@format", "PEPPOL-EN16931-F001", holds=r"^(?!102$)"),
    ReaderRule("EINV-READ-07", "InvoicePeriod/DescriptionCode", "PEPPOL-EN16931-CL006"),
    *(ReaderRule("EINV-READ-07", term, "PEPPOL-EN16931-CL002") for term in ("BT-98", "BT-140")),
    *(ReaderRule("EINV-READ-07", term, "PEPPOL-EN16931-CL003") for term in ("BT-105", "BT-145")),
    ReaderRule("EINV-READ-06", "", "PEPPOL-EN16931-CL007", unless="peppol_currencies"),
    *(ReaderRule("EINV-READ-01", attribute, f"PEPPOL-EN16931-{number}", unless=codes)
      for attribute, number, codes in _ATTRIBUTES),
)  # fmt: skip


def rules(kind: str) -> tuple[Rule, ...]:
    """The rules for *kind*, ``billing`` or ``selfbilling``."""
    id_ = "PEPPOL-EN16931-{}".format
    reasons = {
        "CL002": ("BT-98", "allowances", "BT-140"),
        "CL003": ("BT-105", "charges", "BT-145"),
    }
    # The CII binding asks P0100 of an element that no CII invoice has.
    found = [
        Rule(id_("CL001"), "BT-125-1", among("attachments[].mime", "mime_types"), text="CODE", codes="mime_types"),
        *(Rule(id_(number), term, joined(named(among(f"{name}[].reason_code", f"{name[:-1]}_reasons"), term),
                                         named(among(f"lines[**].{name}[].reason_code", f"{name[:-1]}_reasons"), line)),
               text="CODE", codes=f"{name[:-1]}_reasons") for number, (term, name, line) in reasons.items()),
        Rule(id_("CL006"), "BT-8", in_ubl(among("tax_point_code", "tax_point_codes")), text="CODE",
             codes="tax_point_codes"),
        Rule(id_("CL007"), "BT-5", amount_currencies, text="CODE", codes="peppol_currencies"),
        Rule(id_("CL008"), "BT-34-1", endpoint_schemes, text="CODE", codes="peppol_endpoint_schemes"),
        Rule(id_("F001"), "", unread_dates),
        Rule(id_("P0100"), "BT-3", in_ubl(partial(document_type, kind, False)), text="TYPE"),
        Rule(id_("P0101"), "BT-3", in_ubl(partial(document_type, kind, True)), text="TYPE"),
        *(Rule(id_(number), "BT-118", in_ubl(partial(exemption, *pair)), text="EXEMPTION", codes=pair[0])
          for number, pair in EXEMPTIONS.items()),
    ]  # fmt: skip
    if kind == "billing":
        found.append(Rule(id_("P0112"), "BT-3", in_ubl(german_type)))
    return tuple(found)
