"""The JSON Schema of the canonical invoice, with the business terms of every leaf; kept in ``schemas/``.

``python -m einvoice.schema > schemas/invoice.schema.json`` writes it anew.
"""

from __future__ import annotations

import json
from collections import defaultdict
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from . import terms
from .model import SCHEMA_VERSION, Invoice

ADDRESS = "https://json-schema.org/draft/2020-12/schema"
#: What pydantic adds that tells a reader nothing.
_NOISE = ("title", "default")

Place = tuple[str, str]


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of one invoice.

    Every leaf has ``x-terms``: the ids of :mod:`einvoice.terms` by their place in the invoice, since a group such as
    an address stands in several places; its description names them. Groups of EN 16931 have ``x-groups`` likewise.
    """
    made = Invoice.model_json_schema()
    objects = {**made["$defs"], "Invoice": {name: made[name] for name in ("properties", "additionalProperties")}}
    for one in objects.values():
        one.pop("title", None)
        for shape in one["properties"].values():
            for name in _NOISE:
                shape.pop(name, None)
    _annotate(objects)
    root = objects.pop("Invoice")
    return {
        "$schema": ADDRESS,
        "title": f"einvoice invoice, version {SCHEMA_VERSION}",
        "description": "One invoice, credit note or correction as its issuer stated it. Numbers are text.",
        "type": "object",
        **root,
        "$defs": objects,
    }


def json_schema_text() -> str:
    """The schema as ``schemas/invoice.schema.json`` keeps it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _annotate(objects: dict[str, Any]) -> None:
    leaves: dict[Place, list[terms.Term]] = defaultdict(list)
    for term in terms.TERMS.values():
        leaves[_place(term.path)].append(term)
    for (owner, name), found in leaves.items():
        shape = objects[owner]["properties"][name]
        shape["description"] = "; ".join(f"{term.id} {term.name}" for term in found)
        shape["x-terms"] = {term.path: term.id for term in found}
    for id_, path in terms.GROUPS.items():
        owner, name = _place(path)
        objects[owner]["properties"][name].setdefault("x-groups", {})[path] = id_


def _place(path: str) -> Place:
    """The model class and its field that stand at *path* of the register."""
    at: type[BaseModel] = Invoice
    *steps, last = path.replace("[]", "").split(".")
    for step in steps:
        at = _inner(at.model_fields[step].annotation)
    return at.__name__, last


def _inner(annotation: Any) -> Any:
    """The class of one value: ``Line`` of ``tuple[Line, ...]``, ``Party`` of ``Party | None``."""
    if get_origin(annotation) in (Union, UnionType, tuple, Annotated):
        return _inner(next(one for one in get_args(annotation) if one is not type(None)))
    return annotation


if __name__ == "__main__":
    print(json_schema_text(), end="")
