"""XRechnung 3.0.2: the rules of KoSIT on top of EN 16931, with the extension and the variant for clean vehicles.

Check it together with EN 16931: ``packs=("en16931", "xrechnung")``. KoSIT's validator takes some rules of EN 16931
less gravely, by specification identifier; in an extension document BR-DEX-09 decides instead of BR-CO-16, BR-DEX-01
and -04 to -08 instead of the code lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from ..errors import Severity
from . import _bis, _peppol_source, _xr, _xr_extension, peppol_bis_3
from ._checks import text
from ._cius import near, when
from ._facts import ZERO, Facts, nearest
from ._rule import Hit, Pack, ReaderRule, Release, Rule

_W, _I = Severity.WARNING, Severity.INFO

#: KoSIT's validator configuration 2026-01-31, scenarios.xml: severities of EN 16931 rules.
_CIUS = {"BR-CL-21": _W, "BR-CL-23": _W}
RELAXED: Mapping[str, Mapping[str, Severity]] = {
    _xr.CIUS: _CIUS,
    _xr.EXTENSION: {
        **_CIUS,
        **dict.fromkeys(["BR-CL-10", "BR-CL-11", "BR-CL-21", "BR-CL-24", "BR-CL-25", "BR-CL-26", "BR-CO-16"], _I),
    },
    _xr.CVD: {**_CIUS, "BR-CL-13": _I},
}

#: From this release on an order without a number (BT-13), which UBL demands beside BT-14, is not held empty.
_ORDERS_SPARED = date(2026, 8, 31)


def empty(facts: Facts) -> Iterable[Hit]:
    """R008, as KoSIT has it."""
    for element, finding in _bis.empties(facts):
        if facts.on < _ORDERS_SPARED or not element.endswith("OrderReference/ID"):
            yield Hit(finding.path, element.rpartition("/")[2], term=finding.term, place=finding.place)


def line_amounts(facts: Facts) -> Iterable[Hit]:
    """R120, as KoSIT has it: with a wider margin for forint."""
    for at, line in enumerate(facts.lines):
        expected = _bis.line_amount(line)
        if not near(line.net_amount or ZERO, expected, _bis.slack(facts)):
            yield Hit(f"$.lines[{at}].net_amount", text(line.net_amount), text(nearest(expected)))


def tax_told(facts: Facts) -> bool:
    """CII may leave the tax total out: KoSIT's binding of R053 and R055 asks nothing then."""
    return facts.syntax != "cii" or _peppol_source.tax_totals(facts)[0] > 0


def _shared() -> Iterator[Rule]:
    """Rules of Peppol BIS Billing 3 that KoSIT publishes among its own; some of them otherwise than Peppol."""
    for number in _AS_PEPPOL:
        one = peppol_bis_3.PACK.rule(f"PEPPOL-EN16931-{number}")
        yield replace(one, check=when(tax_told, one.check)) if number in ("R053", "R055") else one
    yield from _bis.named({f"PEPPOL-EN16931-{number}": number for number in ("R040", "R046")}, {})
    yield Rule("PEPPOL-EN16931-R008", "", empty, text="R008")
    yield Rule("PEPPOL-EN16931-R044", "BT-147", _peppol_source.charge_on_price, text="R044")
    yield Rule("PEPPOL-EN16931-R120", "BT-131", line_amounts, _W, text="R120")


_AS_PEPPOL = (
    "R001", "R005", "R010", "R020", "R041", "R042", "R043", "R053", "R054", "R055", "R061", "R101", "R110",
    "R111", "R121", "R130",
)  # fmt: skip
_DATES = ("IssueDate", "DueDate", "PaymentDueDate", "TaxPointDate", "ActualDeliveryDate", "StartDate", "EndDate")
_ONE_SYNTAX = "CII only: {0}"

PACK = Pack(
    name="xrechnung",
    title="XRechnung 3.0.2",
    clause="XRechnung 3.0.2",
    # The ids are those of KoSIT's Schematron; the specification is 3.0.2 in both.
    releases=(
        Release("2.5.0", date(2026, 1, 31), without=frozenset({"BR-TMP-6"})),
        Release("2.6.0", _ORDERS_SPARED, severity={"BR-TMP-2": Severity.FATAL}),
    ),
    rules=(
        *_xr.RULES,
        Rule("BR-TMP-6", "", _bis.never, _W, syntax="ubl"),
        *_xr_extension.RULES,
        *_shared(),
    ),
    reader=(*(ReaderRule(read, step, "BR-TMP-6") for step in _DATES for read in ("EINV-READ-04", "EINV-READ-09")),),
    not_native={
        "BR-TMP-3": _ONE_SYNTAX.format("a line has one price base quantity in the model; the reader reports a second"),
        "BR-TMP-4": _ONE_SYNTAX.format("an attachment has one description in the model; the reader reports a second"),
        "BR-TMP-5": _ONE_SYNTAX.format("an attachment has one content in the model; the reader reports a second"),
        "BR-TMP-7": _ONE_SYNTAX.format("how a date is written; the reader reports what is no date"),
        "PEPPOL-EN16931-R043-1": _ONE_SYNTAX.format("an allowance is no charge in the model; see R043"),
        "PEPPOL-EN16931-R043-2": _ONE_SYNTAX.format("an allowance is no charge in the model; see R043"),
    },
    relaxed=RELAXED,
    texts=("bis", "peppol", "xrechnung"),
)
