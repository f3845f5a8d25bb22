"""The official second verdict: XML schema and Schematron as their publishers issue them, run by Saxon.

    from einvoice import official
    found = official.verdict(data)
    found.status       # "valid", "invalid", or "not validated" where a part could not be had: never valid then
    found.release      # "peppol-cen 2026.5, peppol 2026.5"

It stands beside the native rules and shares nothing with them. Rule files are found and compared by
``einvoice.artefacts``; which of them judge a document stands in ``sets.toml``. Needs the extra ``official``.
"""

from .judge import Status as Status
from .judge import Used as Used
from .judge import Verdict as Verdict
from .judge import verdict as verdict
from .sets import asked_for as asked_for
from .sets import known as known
from .sets import native_packs as native_packs
from .worker import stop as stop
