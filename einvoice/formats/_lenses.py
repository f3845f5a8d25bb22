"""Lenses that several formats share."""

from __future__ import annotations

import re

from ..mapping import Lens


def _terms(text: str) -> str:
    r"""BT-20 without the white space around it; a structured last line keeps its line break (XRechnung, BR-DE-18).

    >>> _terms("\n  30 days\n "), _terms("#SKONTO#TAGE=14#PROZENT=2.00#\n")
    ('30 days', '#SKONTO#TAGE=14#PROZENT=2.00#\n')
    """
    terms = text.strip()
    broken = terms.endswith("#") and re.match(r"[ \t]*\r?\n", text[len(text.rstrip()) :])
    return terms + "\n" if broken else terms


TERMS = Lens(lambda text: text, _terms, whole=True)
