"""Invoices made by hypothesis from the model and the register of terms: what a table has a place for, filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from einvoice import terms
from einvoice.model import Group, Invoice

Strategy = st.SearchStrategy[Any]
Special = Mapping[str, Strategy | None]


def fields(model: type[BaseModel]) -> Iterator[tuple[str, Any, bool]]:
    """Each field of *model*: its name, the type of one value, whether it repeats."""
    for name, field in model.model_fields.items():
        annotation, repeats = field.annotation, False
        if get_origin(annotation) in (Union, UnionType):
            annotation = next(one for one in get_args(annotation) if one is not type(None))
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        if get_origin(annotation) is tuple:
            annotation, repeats = get_args(annotation)[0], True
        yield name, annotation, repeats


def leaf_paths(model: type[BaseModel] = Invoice, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of the model as the register writes it (``lines[].item.name``) with its Python type."""
    for name, kind, repeats in fields(model):
        path = f"{prefix}{name}{'[]' if repeats else ''}"
        if kind is model:
            continue
        if isinstance(kind, type) and issubclass(kind, Group):
            yield from leaf_paths(kind, f"{path}.")
        else:
            yield path, kind


#: Text that survives XML and no trimming touches: letters of many scripts, markup, quotes, breaks, emoji.
_SIGNS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
_MIDDLE = st.one_of(_SIGNS, st.sampled_from(list("<&>\"'\t\r\n{}%\u202f\U0001f600]")))
_EDGE = _SIGNS.filter(lambda sign: not sign.isspace())
TEXT = st.one_of(
    st.text(alphabet="abcXYZ019-/", min_size=1, max_size=8),
    st.tuples(_EDGE, st.text(_MIDDLE, max_size=12), _EDGE).map("".join),
)
WORD = st.text(alphabet="ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=1, max_size=6)
NUMBER = st.decimals(min_value=Decimal("-999999"), max_value=Decimal("999999"), places=2, allow_nan=False).filter(
    lambda number: not (number == 0 and number.is_signed())
)
BY_KIND: Mapping[str, Strategy] = {
    "text": TEXT,
    "code": WORD,
    "id": TEXT,
    "date": st.dates(date(1990, 1, 1), date(2099, 12, 31)),
    "time": st.sampled_from(["10:11:12", "23:59:59Z", "01:02:03+02:00"]),
    "amount": NUMBER,
    "price": NUMBER,
    "quantity": NUMBER,
    "percent": NUMBER,
    "binary": st.binary(min_size=1, max_size=40),
    "flag": st.just(True),
}


def values(ids: set[str], special: Special, dense: bool, model: type[BaseModel] = Invoice, path: str = "") -> Strategy:
    """Nested dicts of values for the terms in *ids*, for *model* standing at *path*; *dense*: none left out."""
    parts: dict[str, Strategy] = {}
    for name, kind, repeats in fields(model):
        here = f"{path}{name}{'[]' if repeats else ''}"
        one = special[here] if here in special else _one(ids, special, dense, kind, here)
        if one is not None:
            parts[name] = st.lists(one, min_size=dense, max_size=1 + (not dense)) if repeats else one
    given = st.fixed_dictionaries(parts) if dense else st.fixed_dictionaries({}, optional=parts)
    return given.map(lambda made: {name: value for name, value in made.items() if value not in ({}, [])})


def _one(ids: set[str], special: Special, dense: bool, kind: Any, here: str) -> Strategy | None:
    if isinstance(kind, type) and issubclass(kind, Group):
        if not any(term.path.startswith(f"{here}.") and term.id in ids for term in terms.TERMS.values()):
            return None
        return values(ids, special, dense, kind, f"{here}.").filter(bool)
    term = terms.at(here)
    return BY_KIND[term.kind] if term.id in ids else None


Settle = Callable[[dict[str, Any]], None]


def invoices(ids: set[str], special: Special, settle: Settle) -> st.SearchStrategy[Invoice]:
    """Invoices with some or all of the terms in *ids*.

    special  by path as the register writes it: another strategy, or None to leave the field out
    settle   makes a raw invoice one that the syntax can hold
    """
    some = values(ids, special, dense=False).map(lambda raw: _built(raw, settle))
    return st.one_of(some, complete(ids, special, settle))


def complete(ids: set[str], special: Special, settle: Settle) -> st.SearchStrategy[Invoice]:
    """Invoices that state every term in *ids*."""
    return values(ids, special, dense=True).map(lambda raw: _built(raw, settle))


def _built(raw: dict[str, Any], settle: Settle) -> Invoice:
    settle(raw)
    return Invoice.model_validate(raw)
