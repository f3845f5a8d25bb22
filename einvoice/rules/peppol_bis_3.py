"""Peppol BIS Billing 3: the rules of OpenPeppol, common and national, on top of EN 16931.

Check it together with EN 16931: ``packs=("en16931", "peppol_bis_3")``. Two releases are known: 2025-05 (3.0.19) and
2026.5 (3.0.21, in force 2026-08-17). An older document is judged by the older one.
"""

from __future__ import annotations

from datetime import date

from ..errors import Severity
from . import (
    _national_de,
    _national_dk,
    _national_gr,
    _national_is,
    _national_nl,
    _national_no_it,
    _national_se,
    _peppol,
    _peppol_codes,
    _peppol_ids,
)
from ._rule import Pack, Release

#: Rules that came with 2026.5.
NEW = frozenset({
    "PEPPOL-COMMON-R052", "PEPPOL-COMMON-R053", "PEPPOL-COMMON-R054", "PEPPOL-COMMON-R055", "PEPPOL-COMMON-R056-1",
    "PEPPOL-COMMON-R056-2", "PEPPOL-COMMON-R057", "DE-R-T02", "DK-R-017",
})  # fmt: skip
NATIONAL = (
    *_national_no_it.RULES, *_national_dk.RULES, *_national_se.RULES, *_national_gr.RULES, *_national_is.RULES,
    *_national_nl.RULES, *_national_de.RULES,
)  # fmt: skip

PACK = Pack(
    name="peppol_bis_3",
    title="Peppol BIS Billing 3",
    clause="Peppol BIS Billing 3",
    releases=(
        Release("2025-05", date(2025, 5, 29), without=NEW, severity={"DK-R-003": Severity.WARNING}),
        Release("2026.5", _peppol.MAY_2026),
    ),
    rules=(
        *_peppol.rules("billing"), *_peppol_ids.RULES, *_peppol_codes.rules("billing"), *NATIONAL,
    ),
    reader=_peppol_codes.READER,
    texts=("bis", "xrechnung", "peppol"),
)  # fmt: skip
