"""PINT A-NZ, rules that mirror another set: EN 16931 with GST for VAT, and what Peppol BIS asks too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from . import _bis, _en_codes, _en_conditions, _en_periods, _en_presence, _en_vat, peppol_bis_3
from ._pint_gst import of_gst
from ._rule import Rule

#: Id here, id in EN 16931.
_MIRRORS = """
ibr-001 BR-01
ibr-002 BR-02
ibr-003 BR-03
ibr-004 BR-04
ibr-005 BR-05
ibr-006 BR-06
ibr-007 BR-07
ibr-008 BR-08
ibr-009 BR-09
ibr-010 BR-10
ibr-011 BR-11
ibr-012 BR-12
ibr-013 BR-13
ibr-014 BR-14
ibr-015 BR-15
ibr-016 BR-16
ibr-017 BR-17
ibr-018 BR-18
ibr-019 BR-19
ibr-020 BR-20
ibr-021 BR-21
ibr-022 BR-22
ibr-023 BR-23
ibr-024 BR-24
ibr-025 BR-25
ibr-026 BR-26
ibr-027 BR-27
ibr-028 BR-28
ibr-029 BR-29
ibr-030 BR-30
ibr-031 BR-31
ibr-033 BR-33
ibr-036 BR-36
ibr-038 BR-38
ibr-041 BR-41
ibr-042 BR-42
ibr-043 BR-43
ibr-052 BR-52
ibr-053 BR-53
ibr-054 BR-54
ibr-055 BR-55
ibr-057 BR-57
ibr-062 BR-62
ibr-063 BR-63
ibr-064 BR-64
ibr-065 BR-65
ibr-066 BR-66
ibr-067 BR-67
ibr-074 UBL-DT-06
ibr-075 UBL-DT-07
ibr-co-10 BR-CO-10
ibr-co-11 BR-CO-11
ibr-co-12 BR-CO-12
ibr-co-13 BR-CO-13
ibr-co-19 BR-CO-19
ibr-co-20 BR-CO-20
ibr-091 BR-DEC-18
ibr-121 BR-DEC-10
ibr-122 BR-DEC-11
ibr-123 BR-DEC-12
ibr-125 BR-DEC-14
ibr-cl-07 BR-CL-07
ibr-cl-10 BR-CL-10
ibr-cl-11 BR-CL-11
ibr-cl-13 BR-CL-13
ibr-cl-14 BR-CL-14
ibr-cl-15 BR-CL-15
ibr-cl-19 BR-CL-19
ibr-cl-20 BR-CL-20
ibr-cl-21 BR-CL-21
ibr-cl-23 BR-CL-23
ibr-cl-26 BR-CL-26
ibr-sr-07 BR-55
aligned-ibrp-006 BR-CO-03
aligned-ibrp-016 BR-50
aligned-ibrp-032-aunz BR-32
aligned-ibrp-037-aunz BR-37
aligned-ibrp-045 BR-45
aligned-ibrp-046 BR-46
aligned-ibrp-048-aunz BR-48
aligned-ibrp-cl-02 BR-CL-06
aligned-ibrp-cl-04 BR-CL-24
aligned-ibrp-s-01-aunz BR-S-01
aligned-ibrp-s-05-aunz BR-S-05
aligned-ibrp-s-06-aunz BR-S-06
aligned-ibrp-s-07-aunz BR-S-07
aligned-ibrp-s-10-aunz BR-S-10
aligned-ibrp-z-10-aunz BR-Z-10
aligned-ibrp-o-11-aunz BR-O-11
aligned-ibrp-o-12-aunz BR-O-12
aligned-ibrp-o-13-aunz BR-O-13
aligned-ibrp-o-14-aunz BR-O-14
"""
#: Of each untaxed category of GST: rows 01, rates 05 to 07, taxable amount 08, tax 09.
_UNTAXED = tuple(
    (f"aligned-ibrp-{code.lower()}-{number}-aunz", f"BR-{code}-{number}")
    for code in "ZEGO" for number in ("01", "05", "06", "07", "08", "09")
)  # fmt: skip

#: Id here, number in Peppol BIS.
_SHARED = {
    "ibr-076": "R001", "ibr-077": "R005", "ibr-080": "R010", "ibr-081": "R020", "ibr-082": "R043", "ibr-083": "R044",
    "ibr-084": "R055", "ibr-085": "R110", "ibr-086": "R111", "ibr-087": "R121", "ibr-088": "R130",
    "aligned-ibrp-021": "R053", "aligned-ibrp-022": "R054", "aligned-ibrp-060": "R101",
}  # fmt: skip


def _shared() -> Iterator[Rule]:
    for own, number in _SHARED.items():
        one = peppol_bis_3.PACK.rule(f"PEPPOL-EN16931-{number}")
        yield replace(one, id=own, text=one.text or one.id)
    yield from _bis.named({"aligned-ibrp-004": "R046"}, {})


def _mirrors() -> Iterator[Rule]:
    packs = (_en_presence.RULES, _en_periods.RULES, _en_conditions.RULES, _en_codes.RULES, _en_vat.RULES)
    known = {rule.id: rule for rules in packs for rule in rules}
    for own, published in (*(line.split() for line in _MIRRORS.strip().splitlines()), *_UNTAXED):
        one = known[published]
        check = of_gst(one.check, one.category)
        yield replace(one, id=own, text=one.text or one.id, check=check)


RULES: tuple[Rule, ...] = (*_mirrors(), *_shared())
