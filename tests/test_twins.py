"""One invoice in two syntaxes is one model: UBL and CII twins of the XRechnung suite and of the ZUGFeRD corpus.

Where the twins themselves say different things, the term and the reason stand here; nothing else may differ.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from einvoice import formats
from einvoice.model import leaves
from tests import readable

#: The UBL twin says so because UBL wants an element that CII does not.
_UBL_WANTS = "the UBL twin fills what UBL wants with a word of its own"
_ZERO = "the CII twin states a zero, the UBL twin leaves it out"
_SWAPPED = "the twins state the two names in the other's place"
_OTHER = "the twins state different values"
_GROSS = "the CII twin repeats the net price as gross price, the UBL twin has one price"
_MORE = "the CII twin states more"
#: XRechnung test suite, by file: model path and why the twins differ.
SUITE = {
    "01.02a": {"purchase_order.id": _UBL_WANTS},
    "01.09a": {"purchase_order.id": _UBL_WANTS},
    "01.12a": {"purchase_order.id": _UBL_WANTS},
    "01.21a": {
        "buyer.tax_id_scheme": _UBL_WANTS,
        "seller.tax_id_scheme": _UBL_WANTS,
        "lines[0].taxes[0].exemption_reason": _MORE,
        "payment.means[0].text": _OTHER,
        "seller.vat_id": _OTHER,
        "tax_breakdown[0].exemption_reason": _OTHER,
        "totals.allowances": _ZERO,
    },
    "02.01a": {"totals.rounding": _ZERO},
    "02.03a": {"totals.rounding": _ZERO},
    "03.01a": {"buyer.trading_name": "only the UBL twin has it"},
    "03.02a": {"payment.means[0].card.network": _UBL_WANTS},
    "03.03a": {"payment.means[0].card.network": _UBL_WANTS},
    "03.06a": {
        "buyer.address.city": _SWAPPED,
        "buyer.address.postcode": _SWAPPED,
        "seller.address.city": _SWAPPED,
        "seller.address.postcode": _SWAPPED,
        "seller.tax_id_scheme": _UBL_WANTS,
    },
}
_COMPREHENSIVE = {
    "buyer.name": _SWAPPED,
    "buyer.trading_name": _SWAPPED,
    "lines[1].price.base_quantity": "the UBL twin states a base quantity of 1",
    "lines[1].price.base_unit": "the UBL twin states a base quantity of 1",
    "payee.legal_id.scheme": _MORE,
    "payee.legal_id.value": _MORE,
}
_DEPARTMENT = "the CII twin names a department, which EN 16931-3-3 allows for BT-41; UBL has one element for both"
SUITE |= {
    "01.01_": _COMPREHENSIVE
    | dict.fromkeys(("preceding[1].id", "preceding[1].issue_date"), "CII D16B has room for one preceding invoice")
    | {"seller.identifiers": _OTHER, "totals.rounding": _ZERO},
    "01.02_": _COMPREHENSIVE
    | {
        "payment.means[0].account.scheme": "the CII twin states an IBAN as if it were none",
        "tax_point_code": "UNTDID 2005 in UBL, 2475 in CII: each syntax has its own codes (BT-8)",
        "totals.rounding": _ZERO,
    },
    "01.03_": _COMPREHENSIVE
    | dict.fromkeys(
        ("buyer.contact.department", "buyer.contact.name", "seller.contact.department", "seller.contact.name"),
        _DEPARTMENT,
    )
    | {"payment.means[0].card.network": _UBL_WANTS, "totals.rounding": _ZERO},
    "01.04_": _COMPREHENSIVE
    | dict.fromkeys(
        ("buyer.contact.department", "buyer.contact.name", "seller.contact.department", "seller.contact.name"),
        _DEPARTMENT,
    )
    | {"totals.rounding": _ZERO},
}
#: ZUGFeRD corpus: the UBL twins were made from the CII ones in one way, so one list holds for all.
CORPUS = {
    r"specification|process": "the UBL twin follows Peppol, the CII twin EN 16931",
    r"(buyer|seller)\.trading_name": "the UBL twin repeats the name as trading name",
    r"seller\.identifiers": "the CII twin has the seller's own number beside the GLN",
    r"lines\[\d+\]\.price\.gross": _GROSS,
    r"seller\.contact\.department": _DEPARTMENT,
}


def differing(ubl: Path, cii: Path) -> set[str]:
    """Model paths that differ, list positions of identifiers left out."""
    one, other = (dict(leaves(next(formats.read(path.read_bytes())).invoice)) for path in (ubl, cii))
    paths = {path for path in {*one, *other} if one.get(path) != other.get(path)}
    return {re.sub(r"(identifiers)\[\d+\]\.\w+", r"\1", path) for path in paths}


def test_the_twins_of_the_xrechnung_suite_are_one_invoice(reference: Path) -> None:
    pairs = {
        path: path.with_name(path.name.replace("_ubl", "_uncefact"))
        for path in sorted((reference / "xrechnung/testsuite").rglob("*_ubl.xml"))
    }
    pairs = {ubl: cii for ubl, cii in pairs.items() if cii.is_file()}
    if not pairs:
        pytest.skip("the XRechnung test suite is not there")
    assert len(pairs) == 23
    for ubl, cii in pairs.items():
        expected = next((set(known) for name, known in SUITE.items() if ubl.name.startswith(name)), set())
        assert differing(ubl, cii) == expected, ubl.name


def test_the_twins_of_the_corpus_are_one_invoice(reference: Path) -> None:
    base = reference / "zugferd-corpus/XML-Rechnung"
    pairs = {path: base / "CII" / path.name.replace(".ubl.", ".cii.") for path in sorted((base / "UBL").glob("*.xml"))}
    if not pairs:
        pytest.skip("the ZUGFeRD corpus is not there")
    assert len(pairs) == 14
    for ubl, cii in pairs.items():
        unknown = {path for path in differing(ubl, cii) if not any(re.fullmatch(known, path) for known in CORPUS)}
        assert unknown == set(), ubl.name


def test_a_contact_that_is_a_department_keeps_its_name_in_ubl() -> None:
    """BT-41 may be a person or a department in CII (EN 16931-3-3); UBL has one element for both (BR-DE-5)."""
    stated = readable.invoice("de-invoice")
    assert stated.seller
    assert stated.seller.contact
    contact = stated.seller.contact.model_copy(update={"name": None, "department": "Accounts"})
    invoice = stated.model_copy(update={"seller": stated.seller.model_copy(update={"contact": contact})})
    document = formats.get("ubl").write(invoice, readable.IDS)
    again = next(formats.read(document.data)).invoice
    assert again.seller
    assert again.seller.contact
    assert again.seller.contact.name == "Accounts"
