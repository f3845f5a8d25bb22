"""Empty elements of the source, put back for the rules.

The model holds no value without a character and no empty group: they would be written as nothing. Yet a published rule
may ask whether an element is there, such as BR-33, or of what is in it, such as BR-09. So what the reader called empty
(EINV-READ-07) is put back here, as an empty text or an empty group, in a copy that only the rules see. An empty number
or date has no value to put back; rules that ask only for the element look at the reader's finding, see ``Rule.stated``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from .. import terms
from ..errors import Finding
from ..model import Invoice

_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")
_TEXTS = frozenset({"text", "code", "id", "time"})


def restored(invoice: Invoice, read: Iterable[Finding]) -> Invoice:
    """*invoice* with an empty value at each place that the reader found empty; itself when there is none."""
    empty = [one.path for one in read if one.rule == "EINV-READ-07" and one.path]
    if not empty:
        return invoice
    raw = invoice.model_dump(exclude_defaults=True)
    for path in empty:
        _put(raw, path)
    return Invoice.model_validate(raw)


def _put(raw: dict[str, Any], path: str) -> None:
    """An empty text or group at *path*, where nothing is; a list gets the entries up to the one that is meant."""
    *outer, (last, entry) = [(name, number) for name, number in _STEP.findall(path.removeprefix("$."))]
    at = raw
    for name, number in outer:
        at = _entry(at, name, int(number)) if number else at.setdefault(name, {})
    kind = _kind(re.sub(r"\[\d+\]", "[]", path.removeprefix("$.")))
    if entry:
        _entry(at, last, int(entry))
    elif not kind:
        at.setdefault(last, {})
    elif kind in _TEXTS:
        at.setdefault(last, "")


def _entry(at: dict[str, Any], name: str, number: int) -> dict[str, Any]:
    entries = at[name] = list(at.get(name, ()))
    entries.extend({} for _ in range(number + 1 - len(entries)))
    entry: dict[str, Any] = entries[number]
    return entry


@cache
def _kind(path: str) -> str:
    """The kind of the term at *path*; empty where it is a group."""
    try:
        return terms.at(path.replace(".sub_lines[]", "")).kind
    except KeyError:
        return ""


def steps(place: str) -> str:
    """The element names of a place.

    >>> steps("/Invoice/cac:InvoiceLine[3]/cbc:ID line 41")
    'Invoice/InvoiceLine/ID'
    """
    path = place.partition(" line ")[0]
    return "/".join(step.partition(":")[2] or step for step in re.sub(r"\[\d+\]", "", path).strip("/").split("/"))
