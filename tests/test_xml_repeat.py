"""A line whose markup was learned is read as the table reads it, or the table reads it."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from bench import content
from bench.read import write_cii
from bench.render import write_cxml, write_ubl
from einvoice import formats
from einvoice.errors import EInvoiceError
from einvoice.formats import _xml_repeat, cii, cxml, ubl
from einvoice.model import Group, Invoice, built

FIXTURES = Path(__file__).parent.parent / "fixtures"
DOCUMENTS = [path.read_bytes() for name in ("ubl", "cxml") for path in sorted((FIXTURES / name).glob("*.xml"))]
WRITTEN = {
    "ubl": write_ubl(content.invoice(3)),
    "cii": write_cii(content.invoice(3)),
    "cxml": write_cxml(content.invoice(3, network=True)),
}
LINES = ("InvoiceLine", "CreditNoteLine", "IncludedSupplyChainTradeLineItem", "InvoiceDetailItem")
#: Texts that a line may hold by mistake, or that mean something to a row.
ODD = (
    *("", "  ", " x ", "NaN", "1E3", "-0", "-3.50", "12.345", ".5", "+5", "１２", "\n 5 \n", "9" * 40, "true", "0"),
    *("2026-13-01", "2026-01-01Z", "2026-01-02", "NA", "VAT", "S", "EUR", "USD", "C62", "130"),
    "'); raise SystemExit ('",
)


@pytest.fixture(autouse=True)
def _learns_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every markup is learned when first met, by readers that have met none."""
    monkeypatch.setattr(_xml_repeat, "ENOUGH", 0)
    _forget()
    yield
    _forget()


def _forget() -> None:
    for made in (ubl._reader, cii._reader, cxml._table):
        made.cache_clear()


def state(model: Any) -> Any:
    """A model with everything pydantic keeps of it, types and order included."""
    if isinstance(model, Group):
        values = [(name, state(value)) for name, value in model.__dict__.items()]
        return type(model), values, model.model_fields_set, model.__pydantic_extra__, model.__pydantic_private__
    return [state(one) for one in model] if isinstance(model, tuple) else (type(model), model)


def outcome(data: bytes) -> Any:
    try:
        return [(state(one.invoice), one.findings, one.locate("$.lines[1].item.name")) for one in formats.read(data)]
    except EInvoiceError as error:
        return str(error), error.findings


def by_table(data: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patched:
        patched.setattr(_xml_repeat.Repeats, "read", lambda self, element, context: None)
        return outcome(data)


def with_many_lines(data: bytes, seed: int) -> bytes:
    """The document with a dozen copies of its first line, some with texts and attributes that are out of order."""
    chance, root = random.Random(seed), etree.fromstring(data)
    first: Any = next((one for one in root.iter() if etree.QName(one).localname in LINES), None)
    for _ in range(12 if first is not None else 0):
        line = deepcopy(first)
        for _ in range(chance.choice((0, 0, 1, 2))):
            one = chance.choice(list(line.iter()))
            if one.attrib and chance.random() < 0.3:
                one.set(chance.choice(list(one.attrib)), chance.choice(ODD))
            elif not len(one) or chance.random() < 0.1:
                one.text = chance.choice(ODD)
        first.addnext(line)
    return etree.tostring(root.getroottree())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("data", [*DOCUMENTS, *WRITTEN.values()])
def test_what_was_learned_reads_as_the_table_reads(data: bytes, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    document = with_many_lines(data, seed)
    assert outcome(document) == by_table(document, monkeypatch)


@pytest.mark.parametrize("name", WRITTEN)
def test_lines_that_look_alike_are_read_by_what_was_learned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    read = _xml_repeat.Repeats.read

    def counted(self: Any, element: Any, context: Any) -> Any:
        told.append(read(self, element, context))
        return told[-1]

    monkeypatch.setattr(_xml_repeat.Repeats, "read", counted)
    list(formats.get(name).read(io.BytesIO(WRITTEN[name])))
    assert len(told) == 3
    assert None not in told


def test_a_markup_is_learned_only_when_it_was_met_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_xml_repeat, "ENOUGH", 2)
    learned = []
    make = _xml_repeat._learned
    monkeypatch.setattr(_xml_repeat, "_learned", lambda *given: learned.append(given[0]) or make(*given))
    outcome(WRITTEN["ubl"])
    outcome(WRITTEN["ubl"])
    assert [line[0].text for line in learned] == ["3"]


def test_another_currency_is_another_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome(WRITTEN["ubl"])
    euros = WRITTEN["ubl"].replace(b"<cbc:DocumentCurrencyCode>EUR", b"<cbc:DocumentCurrencyCode>USD")
    assert outcome(euros) == by_table(euros, monkeypatch)
    assert sum(one.rule == "EINV-READ-06" for one in outcome(euros)[0][1]) > 6


def test_what_a_line_leaves_out_is_told_of_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    event = b"<ram:ActualDeliverySupplyChainEvent><ram:OccurrenceDateTime><udt:DateTimeString%s>20260102"
    event += b"</udt:DateTimeString></ram:OccurrenceDateTime></ram:ActualDeliverySupplyChainEvent>"
    end = b"</ram:SpecifiedLineTradeDelivery>"
    stated, left_out = (
        write_cii(content.invoice(9)).replace(end, event % form + end) for form in (b' format="102"', b"")
    )
    said = outcome(left_out)[0][1]
    assert [one.message for one in said] == ["format is left out and taken to be 102"] * 9
    assert (said, outcome(stated)[0][1]) == (by_table(left_out, monkeypatch)[0][1], ())


def test_an_empty_value_is_told_with_the_number_of_its_line_after_lines_that_were_learned() -> None:
    *before, last = write_ubl(content.invoice(9)).rpartition(b"<cac:InvoiceLine>")
    document = b"".join(before) + re.sub(rb"(<cbc:Name>)[^<]+", rb"\1", last, count=1)
    (read,) = formats.read(document)
    assert [(one.rule, one.path) for one in read.findings] == [("EINV-READ-07", "$.lines[8].item.name")]
    middle = write_ubl(content.invoice(9)).replace(b"<cbc:ID>4</cbc:ID>", b"<cbc:ID/>", 1)
    assert [one.path for one in next(formats.read(middle)).findings] == ["$.lines[3].id"]


@pytest.mark.parametrize("depth", [3, 25, 40, 120])
def test_lines_within_lines_are_read_the_same(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = b"<cac:SubInvoiceLine><cbc:ID>1</cbc:ID>" * depth + b"</cac:SubInvoiceLine>" * depth
    document = WRITTEN["ubl"].replace(b"</cac:InvoiceLine>", inside + b"</cac:InvoiceLine>")
    assert outcome(document) == by_table(document, monkeypatch)


def test_the_place_of_a_value_is_in_its_own_line() -> None:
    document = write_cxml(content.invoice(9, network=True))
    (read,) = formats.read(document)
    for line in range(9):
        assert f"InvoiceDetailItem[{line + 1}]" in read.locate(f"$.lines[{line}].taxes[0].rate")


GROUPS = [kind for kind in Group.__subclasses__() if kind.__module__ == Group.__module__]


@pytest.mark.parametrize("kind", GROUPS)
def test_a_model_that_is_built_is_as_if_validated(kind: type[Group]) -> None:
    validated = kind.model_validate({})
    made = built(kind, {name: field.default for name, field in kind.model_fields.items()}, set())
    assert state(made) == state(validated)
    assert made == validated
    assert made.model_copy(update={}) == validated
    assert kind.model_validate_json(made.model_dump_json()) == validated
    with pytest.raises(ValueError, match="frozen"):
        setattr(made, next(iter(kind.model_fields)), None)


def test_an_invoice_with_lines_that_were_built_is_a_model_like_any_other() -> None:
    (read,) = formats.read(WRITTEN["ubl"])
    assert state(read.invoice) == state(Invoice.model_validate(read.invoice.model_dump(exclude_unset=True)))
    assert (
        read.invoice.model_dump_json() == Invoice.model_validate_json(read.invoice.model_dump_json()).model_dump_json()
    )
