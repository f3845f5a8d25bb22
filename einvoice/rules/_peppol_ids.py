"""Peppol BIS Billing 3, PEPPOL-COMMON: identifiers have the form and the check digits of their scheme."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from weakref import WeakKeyDictionary

from ..codes.checkdigits import (
    au_abn,
    be_enterprise,
    gs1,
    is_digits,
    it_fiscal_code,
    it_ipa,
    it_vat,
    no_org,
    se_org,
)
from ..errors import Severity
from ..model import Identifier
from ._checks import text
from ._facts import Facts
from ._rule import Hit, Rule

_W, _F = Severity.WARNING, Severity.FATAL
Test = Callable[[str], bool]
#: (path, term, identifier) by scheme.
Identifiers = dict[str, list[tuple[str, str, str]]]


def gln(value: str) -> bool:
    """A GS1 location number: digits with the check digit of GS1.

    >>> gln("4000001123452"), gln("4000001123453"), gln("GLN")
    (True, False, False)
    """
    return value.isascii() and value.isdigit() and gs1(value)


def cvr(value: str) -> bool:
    """A Danish CVR number: eight digits, with or without DK.

    >>> cvr("DK12345674"), cvr("12345674"), cvr("1234567")
    (True, True, False)
    """
    return is_digits(value.removeprefix("DK"), 8)


def danish(value: str) -> bool:
    """A Danish SE number: DK and eight digits."""
    return value.startswith("DK") and is_digits(value[2:], 8)


def dutch_vat(value: str) -> bool:
    """A Dutch VAT number.

    >>> dutch_vat("NL123456789B12"), dutch_vat("NL123456789")
    (True, False)
    """
    return re.fullmatch(r"NL[0-9]{9}B[0-9]{2}", value) is not None


def _of_length(length: int) -> Test:
    return lambda value: is_digits(value, length)


#: Rule, scheme, test, severity, whether it speaks of electronic addresses alone, key of the text.
SCHEMES: tuple[tuple[str, str, Test, Severity, bool, str], ...] = (
    ("R040", "0088", gln, _F, False, "ID-CHECK"),
    ("R041", "0192", no_org, _F, False, "ID-CHECK"),
    ("R042", "0184", cvr, _F, False, "ID-FORM"),
    ("R043", "0208", be_enterprise, _F, False, "ID-CHECK"),
    ("R044", "0201", it_ipa, _W, False, "ID-FORM"),
    ("R045", "0210", it_fiscal_code, _W, False, "ID-FORM"),
    ("R046", "9907", it_fiscal_code, _W, True, "ID-FORM"),
    ("R047", "0211", it_vat, _W, False, "ID-CHECK"),
    ("R048", "9906", it_vat, _W, True, "ID-CHECK"),
    ("R049", "0007", lambda value: len(value) == 10 and se_org(value), _F, False, "ID-CHECK"),
    ("R050", "0151", au_abn, _F, False, "ID-CHECK"),
    ("R052", "0096", _of_length(10), _F, False, "ID-FORM"),
    ("R053", "0198", danish, _F, False, "ID-FORM"),
    ("R054", "0106", _of_length(8), _W, False, "ID-FORM"),
    ("R055", "0190", _of_length(20), _W, False, "ID-FORM"),
    ("R056-1", "9944", dutch_vat, _W, False, "ID-FORM"),
    ("R057", "0217", _of_length(12), _W, False, "ID-FORM"),
)
#: What an identifier of the scheme looks like, as the finding shows it.
FORMS = {
    "0088": "4000001123452", "0192": "987654325", "0184": "DK12345674", "0208": "0202239951", "0201": "UFF123",
    "0210": "RSSMRA85T10A562S", "9907": "RSSMRA85T10A562S", "0211": "IT12345678903", "9906": "IT12345678903",
    "0007": "2120000787", "0151": "51824753556", "0096": "1234567890", "0198": "DK12345678", "0106": "12345678",
    "0190": "12345678901234567890", "9944": "NL123456789B12", "0217": "123456789012",
}  # fmt: skip
_PLACES = (
    ("seller", "BT-34", "BT-29", "BT-30"),
    ("buyer", "BT-49", "BT-46", "BT-47"),
    ("payee", "", "BT-60", "BT-61"),
)
_KNOWN: WeakKeyDictionary[Facts, Identifiers] = WeakKeyDictionary()


def identifiers(facts: Facts) -> Identifiers:
    """The identifiers of seller, buyer and payee by scheme, gathered once."""
    found = _KNOWN.get(facts)
    if found is None:
        found = _KNOWN[facts] = {}
        for path, term, one in _stated(facts):
            if one is not None and one.scheme is not None:
                found.setdefault(one.scheme, []).append((path, term, (one.value or "").strip()))
    return found


def _stated(facts: Facts) -> Iterator[tuple[str, str, Identifier | None]]:
    for role, address, other, registration in _PLACES:
        party = getattr(facts.invoice, role)
        if party is None:
            continue
        yield f"$.{role}.endpoint", address, party.endpoint
        yield from ((f"$.{role}.identifiers[{at}]", other, one) for at, one in enumerate(party.identifiers))
        yield f"$.{role}.legal_id", registration, party.legal_id


def formed(scheme: str, passes: Test, addresses_only: bool, facts: Facts) -> Iterable[Hit]:
    """Each identifier of *scheme* passes."""
    for path, term, value in identifiers(facts).get(scheme, ()):
        if not passes(value) and not (addresses_only and not path.endswith(".endpoint")):
            yield Hit(f"{path}.value", text(value), FORMS[scheme], term)


def vat_number(facts: Facts) -> Iterable[Hit]:
    """R056-2: a VAT identifier that begins with NL is a Dutch one."""
    for role, term in (("seller", "BT-31"), ("buyer", "BT-48"), ("tax_representative", "BT-63")):
        for path, value in facts.vat_ids(role):
            if value.startswith("NL") and not dutch_vat(value.strip()):
                yield Hit(path, text(value), FORMS["9944"], term)


RULES: tuple[Rule, ...] = (
    *(
        Rule(f"PEPPOL-COMMON-{number}", "BT-34", partial(formed, scheme, passes, alone), severity, text=key,
             codes=scheme, syntax="cii" if number == "R048" else "")
        for number, scheme, passes, severity, alone, key in SCHEMES
    ),
    Rule("PEPPOL-COMMON-R056-2", "BT-31", vat_number, _W, text="ID-FORM", codes="9944"),
)  # fmt: skip
