"""What we check beyond any published set: check digits, accounts, cards, dates, references.

Always judged, whatever the document follows, beside the published rules; where one of those says the same of the
same place, only that one speaks. These are warnings, for no law refuses such a document, but for a currency that does
not exist.
"""

from __future__ import annotations

from datetime import date

from . import _own_dates, _own_ids
from ._rule import Pack, Release

PACK = Pack(
    name="einvoice",
    title="Checks of our own",
    clause="checks of einvoice",
    releases=(Release("1", date(2026, 11, 24)),),
    rules=(*_own_dates.RULES, *_own_ids.RULES),
    beside=_own_dates.BESIDE | _own_ids.BESIDE,
    texts=("einvoice",),
)
