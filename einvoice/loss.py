"""What a rendered document does not carry: the invoice compared with what reading the rendering gives back."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from decimal import Decimal

from . import terms
from .errors import Finding, Severity
from .exchange import Document, Format
from .model import Invoice, leaves


def losses(invoice: Invoice, document: Document, format: Format) -> list[Finding]:
    """A finding for every term that *document* lost, changed or carries in another place.

    EINV-LOSS-01 dropped, -02 changed (warnings); -03 moved (information): the value is there under another term.
    """
    again = next(iter(format.read(io.BytesIO(document.data)))).invoice
    before, after = dict(leaves(invoice)), dict(leaves(again))
    gained = {path: value for path, value in after.items() if path not in before}
    return list(_compared(before, after, gained, document.format))


def _compared(
    before: dict[str, object], after: dict[str, object], gained: dict[str, object], name: str
) -> Iterator[Finding]:
    for path, value in before.items():
        id_, label = _term(path)
        if path in after:
            if after[path] != value:
                yield Finding(
                    "EINV-LOSS-02", f"{label} is changed by {name}", Severity.WARNING, id_, f"$.{path}",
                    found=_shown(after[path]), expected=_shown(value), fix="see whether the receiver needs it exact",
                )  # fmt: skip
            continue
        place = next((other for other, found in gained.items() if found == value and _alike(other, path)), "")
        if place:
            yield Finding("EINV-LOSS-03", f"{label} stands under {place} in {name}", Severity.INFO, id_, f"$.{path}",
                          found=_shown(value))  # fmt: skip
        else:
            yield Finding(
                "EINV-LOSS-01", f"{label} has no place in {name}", Severity.WARNING, id_, f"$.{path}",
                expected=_shown(value), fix="name the term under must_carry if it may not be lost",
            )  # fmt: skip


def _alike(one: str, other: str) -> bool:
    """True when two places end in the same field: ``remit_to.name`` and ``payee.name``."""
    return one.rsplit(".", 1)[-1] == other.rsplit(".", 1)[-1]


def _term(path: str) -> tuple[str, str]:
    plain = re.sub(r"\[\d+\]", "[]", path).replace("sub_lines[].", "")
    try:
        term = terms.at(plain)
    except KeyError:
        return "", path
    return term.id, term.name


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return format(value, "f") if isinstance(value, Decimal) else str(value)[:80]


def values_of(invoice: Invoice, id_: str) -> list[str]:
    """What *invoice* states for a term or a group, as text; for a group one entry per occurrence."""
    wanted = terms.TERMS[id_].path if id_ in terms.TERMS else terms.GROUPS[id_]
    stated = ((re.sub(r"\[\d+\]", "[]", path), value) for path, value in leaves(invoice))
    if id_ in terms.TERMS:
        return [_text(value) for path, value in stated if path == wanted]
    return ["stated" for path, _ in stated if path == wanted or path.startswith((f"{wanted}.", f"{wanted}["))][:1]


def _text(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
