"""One table, both ways: every row resolves, every lens undoes itself, the generated writer is what the table says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from einvoice import terms
from einvoice.formats import _cxml_table, ubl
from einvoice.formats._cxml_shape import purpose_of, shaped
from einvoice.formats._xml_write import compile_writer
from einvoice.formats._xml_write import source as generated
from einvoice.mapping import Const, Drop, Field, Group, Leaf, Lens, Map, Node, Row, placed, plan
from einvoice.model import Invoice
from tests import readable, test_cxml, test_ubl
from tests.invoices import TEXT, complete, invoices
from tests.tree_writer import TreeWriter

TABLES = {
    "ubl Invoice": ubl.table("Invoice"),
    "ubl CreditNote": ubl.table("CreditNote"),
    "cxml 1.2.037": _cxml_table.table((1, 2, 37)),
    "cxml 1.2.071": _cxml_table.table((1, 2, 71)),
}
MANY = settings(
    max_examples=10,
    derandomize=True,  # the same examples in every run: new ones are the fuzzer's work
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TABLE = pytest.mark.parametrize("name", TABLES)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def rows(found: tuple[Row, ...]) -> Iterator[Row]:
    for row in found:
        yield row
        if isinstance(row, Group):
            yield from rows(row.rows)


def lenses() -> dict[str, Lens]:
    """Every lens of every table, by the term and path that use it."""
    found = {}
    for table in TABLES.values():
        for row in rows(table.rows):
            if isinstance(row, Field) and row.lens and row.term != "@secret":
                found[f"{row.term} at {row.path}"] = row.lens
    return found


# --- the rows ---------------------------------------------------------------------------------------------------------


@TABLE
def test_every_row_resolves_to_a_leaf_of_the_model(name: str) -> None:
    for node in nodes(plan(TABLES[name])):
        for source in (node.text, *node.attrs.values()):
            if isinstance(source, Leaf) and source.kind not in ("meta", "group"):
                assert source.id in terms.TERMS
                assert source.steps


@TABLE
def test_every_prefix_of_a_table_is_declared(name: str) -> None:
    table = TABLES[name]
    for node in nodes(plan(table)):
        for step in (node.name, *node.attrs):
            prefix = step.rpartition(":")[0]
            assert not prefix or prefix in table.prefixes or prefix == "xml", step


@TABLE
def test_every_hook_a_table_names_is_there(name: str) -> None:
    table = TABLES[name]
    for row in rows(table.rows):
        if isinstance(row, Group):
            named = [row.when, row.choose, row.each, f"{row.each}_back" if row.each else ""]
            assert [hook for hook in named if hook and hook not in table.hooks] == []


@TABLE
def test_what_is_known_to_have_no_term_has_a_clause(name: str) -> None:
    table = TABLES[name]
    assert all(row.clause for row in rows(table.rows) if isinstance(row, Drop))
    assert all(table.drops.values())


@TABLE
def test_a_table_places_the_terms_that_every_invoice_has(name: str) -> None:
    basic = {"BT-1", "BT-2", "BT-27", "BT-44", "BT-106", "BT-109", "BT-112", "BT-115", "BT-129", "BT-131", "BT-153"}
    assert basic <= placed(TABLES[name])


def test_ubl_has_a_place_for_every_term_of_en_16931() -> None:
    """What the credit note has no element for, BIS Billing 3 says how to carry: BT-9 and BT-11 elsewhere."""
    standard = {id_ for id_ in terms.TERMS if id_.startswith("BT-")}
    assert standard - placed(TABLES["ubl Invoice"]) == set()
    assert standard - placed(TABLES["ubl CreditNote"]) == set()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Field("BT-9999", "a"), "BT-9999"),
        (Field("no.such.leaf", "a"), "no.such.leaf"),
        (Group("a", (Field("amount", "b"),), "BG-25", many=True), "lines[].amount"),
        (Group("a", (Field("id", "b"),), "BG-25"), "repeats"),
        (Group("a", (Field("net", "b"),), "BG-22", many=True), "does not repeat"),
        (Field("BT-131", "a"), "lines[].net_amount"),
        (Group("a", (Field("BT-136", "b"),), "BG-25", many=True), "lines[].allowances[].amount"),
    ],
)
def test_a_row_that_does_not_resolve_is_refused_by_name(row: Row, words: str) -> None:
    with pytest.raises(ValueError, match=r"a: |b: |reached") as caught:
        plan(Map("Root", (row,)))
    assert words in str(caught.value)


# --- lenses -----------------------------------------------------------------------------------------------------------

#: Values a lens is made for, by the kind of its term, where any text will not do.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "flag": st.just(True),
}


def kind_of(use: str) -> str:
    id_ = use.split(" at ")[0]
    return terms.TERMS[id_].kind if id_ in terms.TERMS else next(
        (term.kind for term in terms.TERMS.values() if term.path.rsplit(".", 1)[-1] == id_.rsplit(".", 1)[-1]), "text"
    )  # fmt: skip


def undone(lens: Lens, value: Any) -> Any:
    text = lens.to(value, None) if lens.also else lens.to(value)
    if text is None:
        return None
    back = lens.back(element(text) if lens in RAW else text)
    return back[0] if lens.also else back


RAW = [row.lens for table in TABLES.values() for row in rows(table.rows) if isinstance(row, Field) and row.raw]


def element(inside: str) -> etree._Element:
    return etree.fromstring(f"<x>{inside}</x>".encode())


@pytest.mark.parametrize("use", [use for use, lens in lenses().items() if "notes[]" not in use])
def test_a_lens_undoes_itself(use: str) -> None:
    """``back(to(v))`` is v, or nothing was written because the value has another place or is the syntax's default."""
    lens, kind = lenses()[use], kind_of(use)

    @settings(max_examples=40, deadline=None)
    @given(VALUES.get(kind, TEXT.map(lambda text: " ".join(text.split())).filter(bool)))
    def every(value: Any) -> None:
        again = undone(lens, value)
        assert again in (value, None)
        if again is None:
            assert value in DEFAULTS or lens.to(value) is None

    every()


#: Codes that say what the absence of a value says.
DEFAULTS = ("new", "tax")


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from([None, "01:02:03Z", "10:00:00+02:00"]))
def test_an_instant_gives_back_its_day_and_its_time(day: date, time: str | None) -> None:
    lens = _cxml_table.INSTANT
    assert lens.back(lens.to(day, time) or "") == (day, time)


@given(st.one_of(st.none(), TEXT), st.one_of(st.none(), TEXT))
def test_a_description_gives_back_name_and_description(name: str | None, text: str | None) -> None:
    name, text = (value and " ".join(value.split()) for value in (name, text))
    lens = _cxml_table.DESCRIPTION
    written = lens.to(name or None, text or None)
    back = lens.back(element(written or ""))
    assert back == ((name or None), (text or None)) or (name or None) is None, "a text alone is the name"


@given(st.sampled_from(["AAI", "REG", None]), TEXT)
def test_a_note_gives_back_its_subject_code(code: str | None, text: str) -> None:
    if code is None and text.startswith("#"):
        return
    raw = {"text": text, **({"subject_code": code} if code else {})}
    note = Invoice.model_validate({"notes": [raw]}).notes[0]
    assert ubl.NOTE.back(ubl.NOTE.to(note) or "") == raw


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "2026-01-01T25", "20260101"])
def test_a_text_that_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"instant|calendar"):
        _cxml_table.INSTANT.back(text)


# --- the generated writer ---------------------------------------------------------------------------------------------


def same(table: Map, invoice: Invoice, meta: dict[str, str], negate: bool = False) -> None:
    """The generated text is, in canonical XML, the tree that walking the table builds."""
    text, _ = compile_writer(table)(invoice, meta, negate)
    tree = TreeWriter(table).write(invoice, meta, negate)
    assert etree.tostring(etree.fromstring(text.encode()), method="c14n") == etree.tostring(tree, method="c14n")


@pytest.mark.parametrize("root", ["Invoice", "CreditNote"])
@pytest.mark.parametrize("name", readable.names())
def test_generated_ubl_is_the_tree_of_the_table(name: str, root: str) -> None:
    same(ubl.table(root), readable.invoice(name), {})


@pytest.mark.parametrize("version", [(1, 2, 37), (1, 2, 71)])
@pytest.mark.parametrize("name", readable.names())
def test_generated_cxml_is_the_tree_of_the_table(name: str, version: tuple[int, ...]) -> None:
    invoice = readable.invoice(name)
    purpose = purpose_of(invoice, "auto")
    body = shaped(invoice, purpose, (), ())
    meta = {"payload_id": 'a"b<c', "purpose": purpose, "comments": "two\r\nlines"}
    same(_cxml_table.table(version), body, meta, "credit" in purpose.lower())


@MANY
@given(invoices(placed(TABLES["ubl Invoice"]), test_ubl.SPECIAL, test_ubl.settled("380")))
def test_generated_ubl_is_the_tree_of_the_table_for_any_invoice(invoice: Invoice) -> None:
    same(TABLES["ubl Invoice"], invoice, {})


@MANY
@given(complete(placed(TABLES["cxml 1.2.071"]), test_cxml.SPECIAL, test_cxml.settle), st.booleans())
def test_generated_cxml_is_the_tree_of_the_table_for_any_invoice(invoice: Invoice, negate: bool) -> None:
    same(TABLES["cxml 1.2.071"], invoice, {}, negate)


@TABLE
def test_an_empty_invoice_is_written_as_well_formed_xml(name: str) -> None:
    same(TABLES[name], Invoice(), {})


@TABLE
def test_the_generated_code_can_be_read(name: str) -> None:
    code = generated(TABLES[name])
    compile(code, name, "exec")
    assert code.startswith("def ")


# --- a small table, whole ---------------------------------------------------------------------------------------------

SMALL = Map(
    "Doc",
    (
        Field("BT-1", "Head/@no", required=True),
        Field("BT-10", "Head/Ref", default="none"),
        Const("Head/Kind", "bill"),
        Group("Row", (Field("BT-131", "Sum", signed=True), Field("BT-153", "Text", filler="-")), "BG-25", many=True),
    ),
    money="cur",
)


def test_a_table_says_what_is_written() -> None:
    invoice = Invoice.model_validate({"currency": "EUR", "lines": [{"net_amount": "1.50"}, {"item": {"name": "A&B"}}]})
    text, missing = compile_writer(SMALL)(invoice, {}, True)
    assert missing == ["BT-1"]
    assert text == (
        '<Doc><Head no=""><Ref>none</Ref><Kind>bill</Kind></Head>'
        '<Row><Sum cur="EUR">-1.50</Sum><Text>-</Text></Row><Row><Text>A&amp;B</Text></Row></Doc>'
    )
