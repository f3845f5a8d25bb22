"""EN 16931-1, BR-CL (codes are of their lists) and BR-DEC (amounts have two decimals)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..model import Note
from ._checks import among, every, joined, named, text, two_decimals
from ._facts import Facts, missing
from ._rule import Check, Hit, Rule

#: Rule, list, then pairs of term and place.
_CODES = """
BR-CL-04 currencies        BT-5     currency
BR-CL-05 currencies        BT-6     tax_currency
BR-CL-06 tax_point_codes   BT-8     tax_point_code
BR-CL-07 object_schemes    BT-18-1  invoiced_object.scheme BT-128-1 lines[**].object.scheme
BR-CL-11 identifier_schemes BT-30-1 seller.legal_id.scheme BT-47-1 buyer.legal_id.scheme BT-61-1 payee.legal_id.scheme
BR-CL-13 item_classes      BT-158-1 lines[**].item.classifications[].scheme
BR-CL-14 countries         BT-40    seller.address.country BT-55 buyer.address.country BT-69 tax_representative.address.country BT-80 delivery.address.country
BR-CL-15 countries         BT-159   lines[**].item.origin_country
BR-CL-16 payment_means     BT-81    payment.means[].code
BR-CL-19 allowance_reasons BT-98    allowances[].reason_code BT-140 lines[**].allowances[].reason_code
BR-CL-20 charge_reasons    BT-105   charges[].reason_code BT-145 lines[**].charges[].reason_code
BR-CL-21 identifier_schemes BT-157-1 lines[**].item.standard_id.scheme
BR-CL-23 units             BT-130   lines[**].unit BT-150 lines[**].price.base_unit
BR-CL-24 mime_types        BT-125-1 attachments[].mime
BR-CL-25 endpoint_schemes  BT-34-1  seller.endpoint.scheme BT-49-1 buyer.endpoint.scheme
BR-CL-26 identifier_schemes BT-71-1 delivery.location.scheme
"""  # noqa: E501

_DECIMALS = """
BR-DEC-01 BT-92  allowances[].amount
BR-DEC-02 BT-93  allowances[].base
BR-DEC-05 BT-99  charges[].amount
BR-DEC-06 BT-100 charges[].base
BR-DEC-09 BT-106 totals.lines
BR-DEC-10 BT-107 totals.allowances
BR-DEC-11 BT-108 totals.charges
BR-DEC-12 BT-109 totals.net
BR-DEC-13 BT-110 totals.tax
BR-DEC-14 BT-112 totals.gross
BR-DEC-15 BT-111 totals.tax_accounting
BR-DEC-16 BT-113 totals.prepaid
BR-DEC-17 BT-114 totals.rounding
BR-DEC-18 BT-115 totals.due
BR-DEC-19 BT-116 tax_breakdown[].base
BR-DEC-20 BT-117 tax_breakdown[].amount
BR-DEC-23 BT-131 lines[].net_amount
BR-DEC-24 BT-136 lines[].allowances[].amount
BR-DEC-25 BT-137 lines[].allowances[].base
BR-DEC-27 BT-141 lines[].charges[].amount
BR-DEC-28 BT-142 lines[].charges[].base
"""

#: UBL elements that hold an amount: their currency is to be the invoice's, and a code.
AMOUNTS = frozenset({
    "Amount", "BaseAmount", "PriceAmount", "TaxAmount", "TaxableAmount", "LineExtensionAmount", "TaxExclusiveAmount",
    "TaxInclusiveAmount", "AllowanceTotalAmount", "ChargeTotalAmount", "PrepaidAmount", "PayableRoundingAmount",
    "PayableAmount",
})  # fmt: skip

_MARKED = re.compile(r"[^#]*#([^#]{3})#", re.DOTALL)
_EXEMPTIONS = tuple(
    f"{holder}.exemption_code" for holder in
    ("tax_breakdown[]", "lines[**].taxes[]", "allowances[].taxes[]", "charges[].taxes[]")
)  # fmt: skip


def document_type(facts: Facts) -> Iterable[Hit]:
    """BR-CL-01. The model does not know the root, so a type of either UBL root passes."""
    code = facts.invoice.type_code
    if code is not None and code.strip() not in facts.codes("document_types") | facts.codes("credit_note_types"):
        yield Hit("$.type_code", text(code))


def amount_currency(facts: Facts) -> Iterable[Hit]:
    """BR-CL-03: an amount's currency is of ISO 4217. In the model all amounts are in BT-5, but BT-111 in BT-6.

    Where the source says otherwise the reader has told so (EINV-READ-06), and its findings are judged instead.
    """
    invoice, known = facts.invoice, facts.codes("currencies")
    if any(one.rule == "EINV-READ-06" for one in facts.read):
        return
    if invoice.currency is not None and invoice.currency.strip() not in known and _has_amounts(facts):
        yield Hit("$.currency", text(invoice.currency), term="BT-5")
    stated = invoice.tax_currency if facts.totals.tax_accounting is not None else None
    if stated is not None and stated.strip() not in known:
        yield Hit("$.tax_currency", text(stated), term="BT-6")


def _has_amounts(facts: Facts) -> bool:
    return bool(facts.invoice.totals or facts.rows or facts.lines or facts.allowances or facts.charges)


def note_subject(facts: Facts) -> Iterable[Hit]:
    """BR-CL-08: the subject of a note is of UNCL4451. UBL writes it into the text, ``#AAI#text``."""
    for at, note in enumerate(facts.invoice.notes):
        code = _subject(note, facts.syntax)
        if code is not None and code not in facts.codes("note_subjects"):
            yield Hit(f"$.notes[{at}].subject_code", text(code))


def _subject(note: Note, syntax: str) -> str | None:
    if note.subject_code is not None or syntax != "ubl":
        return note.subject_code
    match = _MARKED.match(note.text or "")
    return match.group(1) if match else None


def party_schemes(facts: Facts) -> Iterable[Hit]:
    """BR-CL-10: the scheme of a party identifier is an ICD; SEPA, too, for seller and payee."""
    known = facts.codes("identifier_schemes")
    for role, term in (("seller", "BT-29-1"), ("buyer", "BT-46-1"), ("payee", "BT-60-1")):
        for place, one in facts.places(f"{role}.identifiers[]"):
            scheme = one.scheme
            if scheme is not None and scheme not in known and (scheme != "SEPA" or role == "buyer"):
                yield Hit(f"{place}.scheme", text(scheme), term=term)


_ENTRIES = (("BT-95", "allowances[].taxes[].category"), ("BT-102", "charges[].taxes[].category"))
_ROW, _LINE = ("BT-118", "tax_breakdown[].category"), ("BT-151", "lines[**].taxes[].category")


def by_syntax(cii: Check, other: Check) -> Check:
    """BR-CL-17 and -18: UBL judges the breakdown with allowances and charges, CII with the lines."""
    return lambda facts: (cii if facts.syntax == "cii" else other)(facts)


def _among(codes: str, pairs: Iterable[tuple[str, str]]) -> Check:
    checks = [named(among(path, codes), term) for term, path in pairs]
    return checks[0] if len(checks) == 1 else joined(*checks)


def _vat(*pairs: tuple[str, str]) -> Check:
    return _among("vat_categories", pairs)


def _code_rules() -> Iterable[Rule]:
    for line in _CODES.strip().splitlines():
        id_, codes, *rest = line.split()
        pairs = list(zip(rest[::2], rest[1::2], strict=True))
        within = pairs[0][1].rpartition(".")[0] if len(pairs) == 1 else ""
        yield Rule(id_, pairs[0][0], _among(codes, pairs), text="CODE", codes=codes, within=within)


def _decimal_rules() -> Iterable[Rule]:
    for line in _DECIMALS.strip().splitlines():
        id_, term, path = line.split()
        yield Rule(id_, term, two_decimals(path), text="DECIMALS", within=path.rpartition(".")[0])


def capitals(code: str) -> str:
    """BR-CL-22 takes a reason code in capitals or not."""
    return code.strip().upper()


def unnamed(leaf: str) -> Check:
    """UBL-DT-06, -07: an attached file has a media type and a file name."""
    return every("attachments[]", lambda one: one.content is None or not missing(getattr(one, leaf)), leaf)


RULES: tuple[Rule, ...] = (
    Rule("BR-CL-01", "BT-3", document_type, text="CODE", codes="document_types"),
    Rule("BR-CL-03", "BT-5", amount_currency, text="CODE", codes="currencies"),
    Rule("BR-CL-08", "BT-21", note_subject, text="CODE", codes="note_subjects"),
    Rule("BR-CL-10", "BT-29-1", party_schemes, text="CODE", codes="identifier_schemes"),
    Rule(
        "BR-CL-22",
        "BT-121",
        joined(*(among(path, "exemption_reasons", capitals) for path in _EXEMPTIONS)),
        text="CODE",
        codes="exemption_reasons",
    ),
    Rule("UBL-DT-06", "BT-125-1", unnamed("mime"), syntax="ubl", within="attachments[]", there=("ubl",)),
    Rule("UBL-DT-07", "BT-125-2", unnamed("filename"), syntax="ubl", within="attachments[]", there=("ubl",)),
    Rule("BR-CL-17", "BT-118", by_syntax(_vat(*_ENTRIES), _vat(_ROW, *_ENTRIES)), text="CODE", codes="vat_categories"),
    Rule("BR-CL-18", "BT-151", by_syntax(_vat(_ROW, _LINE), _vat(_LINE)), text="CODE", codes="vat_categories"),
    *_code_rules(),
    *_decimal_rules(),
)
