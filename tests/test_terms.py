"""The register of business terms and the model say the same, both ways."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from einvoice import terms
from einvoice.model import Line
from einvoice.schema import json_schema
from tests.invoices import fields, leaf_paths

#: The Python type of a leaf of each kind.
TYPES = {
    **dict.fromkeys(("text", "code", "id", "time"), str),
    **dict.fromkeys(("amount", "price", "quantity", "percent"), Decimal),
    "date": date,
    "binary": bytes,
    "flag": bool,
}
LEAVES = dict(leaf_paths())


def test_every_leaf_of_the_model_has_a_term() -> None:
    assert sorted(set(LEAVES) - {term.path for term in terms.TERMS.values()}) == []


def test_every_term_has_a_leaf_of_the_model() -> None:
    assert sorted({term.path for term in terms.TERMS.values()} - set(LEAVES)) == []


def test_no_two_terms_share_a_place() -> None:
    paths = [term.path for term in terms.TERMS.values()]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_kind_fits_the_type_of_its_fields(kind: str) -> None:
    found = [term for term in terms.TERMS.values() if term.kind == kind]
    assert found
    assert {term.id: LEAVES[term.path] for term in found if LEAVES[term.path] is not TYPES[kind]} == {}


def test_there_is_no_other_kind() -> None:
    assert {term.kind for term in terms.TERMS.values()} == set(TYPES)


def test_all_terms_of_en_16931_are_registered() -> None:
    """EN 16931-1 numbers BT-1 to BT-165 and leaves out BT-4."""
    stated = {int(match[1]) for id_ in terms.TERMS if (match := re.fullmatch(r"BT-(\d+)", id_))}
    assert sorted(set(range(1, 166)) - stated) == [4]


def test_all_groups_of_en_16931_are_registered_and_stand_in_the_model() -> None:
    numbers = {int(id_[3:]) for id_ in terms.GROUPS}
    assert numbers == set(range(1, 33)) - {2}, "BG-2 (process control) is two leaves of the invoice"
    for path in terms.GROUPS.values():
        assert any(leaf.startswith(f"{path}.") for leaf in LEAVES), path


def test_own_ids_never_collide_with_those_of_the_standard() -> None:
    assert all(re.fullmatch(r"(BT-\d+(-\d)?|EX-\d+)", id_) for id_ in terms.TERMS)
    assert all(term.name and term.name[0] != "-" for term in terms.TERMS.values())


def test_at_and_term_find_the_same_row() -> None:
    for term in terms.TERMS.values():
        assert terms.at(term.path) is terms.term(term.id)


def test_a_sub_line_has_the_fields_of_a_line() -> None:
    (kind,) = [kind for name, kind, _ in fields(Line) if name == "sub_lines"]
    assert kind is Line


def test_every_leaf_of_the_json_schema_names_its_terms() -> None:
    schema = json_schema()
    found: dict[str, str] = {}
    for one in (schema, *schema["$defs"].values()):
        for shape in one["properties"].values():
            found |= shape.get("x-terms", {})
    assert found == {term.path: term.id for term in terms.TERMS.values()}
