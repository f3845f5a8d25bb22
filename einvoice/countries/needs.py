"""What a document must state, as data: business terms with conditions, and the check of one document against them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from .. import terms
from ..config import Count, Strict
from ..errors import Finding

Kind = Literal["invoice", "credit_note"]
#: The values a document states for a term, as text; for a group (BG), anything non-empty when it is there.
Values = Callable[[str], Sequence[str]]


def known_term(id_: str) -> bool:
    """True when *id_* is a term (BT, EX) or a group (BG) of the register."""
    return id_ in terms.TERMS or id_ in terms.GROUPS


def _term(value: object) -> object:
    if isinstance(value, str) and known_term(value):
        return value
    raise ValueError("not a term of the register: BT-nn, BG-nn or EX-nn of einvoice/terms.py")


TermId = Annotated[str, BeforeValidator(_term)]


class Unless(Strict):
    """The need falls away when *term* has one of *values* (any value when none is named)."""

    term: TermId
    values: tuple[str, ...] = ()

    def holds(self, values: Values) -> bool:
        return any(not self.values or value in self.values for value in values(self.term))


class Need(Strict):
    """At least one of ``any_of`` is stated, with a value that satisfies the rest.

    In a file, the text ``"BT-13"`` stands for ``{ any_of = ["BT-13"] }``.
    """

    any_of: tuple[TermId, ...] = Field(min_length=1)
    kinds: tuple[Kind, ...] = ()
    families: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    pattern: str = ""
    max_length: Count = 0
    unless: Unless | None = None
    if_stated: TermId | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"any_of": [value]} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _pattern_compiles(self) -> Self:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is not a regular expression: {error}") from error
        return self

    def concerns(self, kind: str, family: str = "") -> bool:
        """True for documents of this kind written in a format of this family."""
        return (not self.kinds or kind in self.kinds) and (not self.families or family in self.families)

    def fits(self, value: str) -> bool:
        return (
            bool(value)
            and (not self.values or value in self.values)
            and (not self.pattern or re.fullmatch(self.pattern, value) is not None)
            and (not self.max_length or len(value) <= self.max_length)
        )

    def expected(self) -> str:
        parts = [
            f"one of {', '.join(self.values)}" if self.values else "",
            f"form {self.pattern}" if self.pattern else "",
            f"at most {self.max_length} characters" if self.max_length else "",
        ]
        return "; ".join(part for part in parts if part) or "stated"


def unmet(needs: Iterable[Need], values: Values, kind: str, family: str = "", clause: str = "") -> list[Finding]:
    """A finding for every need that the document does not meet.

    >>> unmet([Need(any_of=("BT-13", "BT-12"))], {"BT-13": ["4500001"]}.__getitem__, "invoice")
    []
    >>> print(unmet([Need(any_of=("BT-10",))], lambda term: [], "invoice")[0])
    EINV-NEED-01 BT-10: Buyer reference is not stated. Fix: state it in the source document.
    """
    live = [need for need in needs if need.concerns(kind, family) and not _excused(need, values)]
    return [_finding(need, values, clause) for need in live if not _met(need, values)]


def _met(need: Need, values: Values) -> bool:
    return any(need.fits(value) for id_ in need.any_of for value in values(id_))


def _excused(need: Need, values: Values) -> bool:
    if need.if_stated and not values(need.if_stated):
        return True
    return need.unless is not None and need.unless.holds(values)


def _finding(need: Need, values: Values, clause: str) -> Finding:
    stated = [value for id_ in need.any_of for value in values(id_) if value]
    names = " or ".join(_name(id_) for id_ in need.any_of)
    if stated:
        message, fix = f"{names} does not have the demanded value", f"it must be {need.expected()}"
        rule = "EINV-NEED-02"
    else:
        message, fix, rule = f"{names} is not stated", "state it in the source document", "EINV-NEED-01"
    found = ", ".join(stated)[:80]
    return Finding(rule, message, term=need.any_of[0], found=found, expected=need.expected(), fix=fix, clause=clause)


def _name(id_: str) -> str:
    row = terms.TERMS.get(id_)
    return row.name if row else terms.GROUPS[id_].replace("[]", "").replace("_", " ").replace(".", " ")
