"""Peppol BIS Self-Billing 3: the rules of OpenPeppol for invoices that the buyer issues, on top of EN 16931.

Check it together with EN 16931: ``packs=("en16931", "peppol_bis_3_selfbilling")``. They are the common rules of Peppol
BIS Billing 3 with another specification, process and document types, and no national ones.
"""

from __future__ import annotations

from . import _peppol, _peppol_codes, _peppol_ids
from ._rule import Pack, Release

PACK = Pack(
    name="peppol_bis_3_selfbilling",
    title="Peppol BIS Self-Billing 3",
    clause="Peppol BIS Self-Billing 3",
    releases=(Release("2026.5", _peppol.MAY_2026),),
    rules=(*_peppol.rules("selfbilling"), *_peppol_ids.RULES, *_peppol_codes.rules("selfbilling")),
    reader=_peppol_codes.READER,
    texts=("bis", "peppol"),
)
