"""EN 16931: the business rules of CEN/TC 434 over the model, by published id.

Two releases are known: 1.3.14.1 and 1.3.16. They differ in three rules (BR-66, BR-67 and BR-CO-25 are gone) and in
code lists, whose dates stand in ``einvoice/codes``. An older document is judged by the oldest release.
"""

from __future__ import annotations

from datetime import date

from ..errors import Severity
from . import _en_codes, _en_conditions, _en_periods, _en_presence, _en_vat
from ._rule import Pack, ReaderRule, Release

_SYNTAX = "about the syntax binding: {0}. The reader reports what the model cannot hold"

PACK = Pack(
    name="en16931",
    title="EN 16931-1 business rules",
    clause="EN 16931-1",
    releases=(
        Release("1.3.14.1", date(2025, 4, 22)),
        Release("1.3.16", date(2026, 4, 10), without=frozenset({"BR-66", "BR-67", "BR-CO-25"})),
    ),
    rules=(*_en_presence.RULES, *_en_periods.RULES, *_en_conditions.RULES, *_en_codes.RULES, *_en_vat.RULES),
    by_syntax={("cii", "BR-51"): Severity.FATAL},
    # Portugal states its own codes of exemption, M01 to M99 (DT-CIUS-PT-108, -176).
    relaxed={"urn:cen.eu:en16931:2017#compliant#urn:feap.gov.pt:CIUS-PT:2.1.1": {"BR-CL-22": Severity.INFO}},
    reader=(
        *(ReaderRule("EINV-READ-06", element, "BR-CL-03", unless="currencies") for element in _en_codes.AMOUNTS),
        # CII: the tax total alone, where it states a currency; the reader says so of the document.
        ReaderRule("EINV-READ-06", "CrossIndustryInvoice", "BR-CL-03", unless="currencies", holds="."),
        ReaderRule("EINV-READ-07", "TaxTotalAmount/@currencyID", "BR-CL-03"),
        # CII: the price of a unit, gross and net, may be stated per different units, of which the model holds one.
        ReaderRule("EINV-READ-02", "BT-150", "BR-CL-23", unless="units"),
        ReaderRule("EINV-READ-07", "BasisQuantity/@unitCode", "BR-CL-23"),
        # CII: the issue date is one of format 102.
        *(
            ReaderRule(read, "ExchangedDocument/IssueDateTime/DateTimeString/@format", "BR-03")
            for read in ("EINV-READ-01", "EINV-READ-07", "EINV-READ-09")
        ),
        # The root says invoice, the type code credit note, or the reverse; 81 may stand in either root of UBL.
        ReaderRule("EINV-READ-11", "BT-3", "BR-CL-01", holds=r"^(?!81$)."),
        # CII: a second total in the invoice currency.
        ReaderRule("EINV-READ-02", "TaxTotalAmount", "BR-CO-15"),
        # UBL: a second tax total with a breakdown is in the invoice currency; one without may be in another.
        ReaderRule("EINV-READ-02", "TaxTotal", "BR-CO-15", holds=r"\S \S"),
        # A second tax total has a second row of the category, where exactly one is due.
        *(
            ReaderRule("EINV-READ-02", "TaxTotal", f"BR-{family.name}-01", holds=rf"(?:^|\s){family.code}(?:\s|$)")
            for family in _en_vat.FAMILIES
            if not family.many
        ),
    ),
    not_native={
        "UBL-CR-*": _SYNTAX.format("UBL elements that EN 16931 has no term for (EINV-READ-01, -08)"),
        "UBL-SR-*": _SYNTAX.format("UBL elements that may stand only once (EINV-READ-02)"),
        "UBL-DT-*": _SYNTAX.format("attributes of UBL data types (EINV-READ-01, BR-DEC-*)"),
        "CII-SR-*": _SYNTAX.format("CII elements that EN 16931 has no term for or that may stand only once"),
        "CII-DT-*": _SYNTAX.format("attributes of CII data types"),
    },
)
