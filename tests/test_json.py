"""Canonical JSON and JSON Lines, and the schema that describes them."""

from __future__ import annotations

import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from einvoice import formats
from einvoice.errors import UnreadableDocument
from einvoice.exchange import Read
from einvoice.formats.json_ import JsonFormat
from einvoice.model import Invoice, to_json
from einvoice.schema import json_schema, json_schema_text
from tests import readable

SCHEMA = Path(__file__).resolve().parent.parent / "schemas" / "invoice.schema.json"


def read(text: str | bytes) -> list[Read]:
    return list(JsonFormat().read(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def refused(text: str | bytes) -> UnreadableDocument:
    """Why *text* is no invoice: raised, or beside the other lines where each line is an invoice of its own."""
    try:
        (one,) = read(text)
    except UnreadableDocument as error:
        return error
    assert one.problem is not None
    assert one.findings == one.problem.findings
    return one.problem


@pytest.mark.parametrize("name", readable.names())
def test_a_written_invoice_is_read_as_it_was(name: str) -> None:
    invoice = readable.invoice(name)
    document = JsonFormat().write(invoice, readable.IDS)
    (one,) = formats.read(document.data)
    assert (one.invoice, one.findings, one.format) == (invoice, (), "json")


def test_nulls_and_empty_parts_state_nothing() -> None:
    (one,) = read('{"number": "1", "buyer": {}, "lines": [], "due_date": null, "notes": [{}]}')
    assert one.invoice == Invoice(number="1")


def test_a_whole_number_may_stand_without_quotes() -> None:
    (one,) = read('{"totals": {"net": 12}}')
    assert one.invoice.totals is not None
    assert one.invoice.totals.net == Decimal(12)


@pytest.mark.parametrize("number", ["1.5", "1e3", "NaN", "Infinity", "-Infinity", "true", '"1E3"', '"NaN"', '"1,50"'])
def test_a_number_that_changes_digits_is_refused_with_its_path(number: str) -> None:
    (finding,) = refused(f'{{"lines": [{{"price": {{"net": {number}}}}}]}}').findings
    assert (finding.rule, finding.path) == ("EINV-READ-10", "$.lines[0].price.net")
    assert finding.message


def test_a_fault_is_the_same_on_one_line_and_on_many() -> None:
    data = {"lines": [{"price": {"net": 1.5}}]}
    one, many = refused(json.dumps(data)), refused(json.dumps(data, indent=1))
    assert [(f.rule, f.path, f.message) for f in one.findings] == [(f.rule, f.path, f.message) for f in many.findings]
    assert (one.where, many.where) == ("line 1", "")


def test_all_faults_come_at_once_each_with_its_path() -> None:
    error = refused('{"nummer": "1", "issue_date": "soon", "totals": {"net": 1.5}, "lines": [{"quantity": "x"}]}')
    assert [finding.path for finding in error.findings] == [
        "$.issue_date", "$.totals.net", "$.lines[0].quantity", "$.nummer",
    ]  # fmt: skip
    assert error.fix


def test_a_key_that_stands_twice_is_refused() -> None:
    assert "'number' stands twice" in str(refused('{"number": "1", "number": "2"}'))


@pytest.mark.parametrize("text", ['{"number": ', '{"number": "1"]', "{", '{"a" 1}', '{"number": "1"} trailing'])
def test_broken_json_is_refused_with_line_and_column(text: str) -> None:
    assert re.search(r"line \d+, column \d+", refused(text).where)


@pytest.mark.parametrize("text", ["[]", '"text"', "12", "null"])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    assert "object" in refused(text).message


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"lines":[' * 3000 + "]}" * 3000])
def test_deep_nesting_is_refused(text: str) -> None:
    assert refused(text)


def test_text_in_another_encoding_is_refused() -> None:
    assert "UTF-8" in str(refused('{"number": "é"}'.encode("latin-1")))


# --- one invoice a line -----------------------------------------------------------------------------------------------


def test_json_lines_are_read_one_by_one_with_their_line() -> None:
    reads = read('{"number": "1"}\n\n{"number": "2"}\n')
    assert [one.invoice.number for one in reads] == ["1", "2"]
    assert reads[1].locate("$.number") == "line 3 $.number"


@pytest.mark.parametrize("bad", ["{", '{"nummer": "2"}', '{"totals": {"net": 1.5}}', "[]", "\ufeff"])
def test_a_bad_line_is_one_problem_and_the_others_are_read(bad: str) -> None:
    reads = read(f'{{"number": "1"}}\n{bad}\n{{"number": "3"}}\n')
    assert [one.invoice.number for one in reads if one.problem is None] == ["1", "3"]
    (problem,) = [one.problem for one in reads if one.problem]
    assert "line 2" in problem.where


def test_a_bad_first_line_does_not_hide_the_others() -> None:
    reads = read('{"totals": {"net": 1.5}}\n{"number": "2"}\n')
    assert [one.problem is None for one in reads] == [False, True]


def test_a_million_lines_are_not_held_at_once() -> None:
    class Endless(io.RawIOBase):
        """Gives lines for ever; whoever reads all of them never comes back."""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            line = b'{"number": "1"}\n'
            buffer[: len(line)] = line
            return len(line)

    reads = JsonFormat().read(io.BufferedReader(Endless()))
    assert [next(reads).invoice.number for _ in range(5)] == ["1"] * 5


# --- the schema -------------------------------------------------------------------------------------------------------


def test_the_schema_file_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == json_schema_text(), "run: python -m einvoice.schema > " + str(SCHEMA)


WHOLE = json_schema()


def faults(value: Any, shape: dict[str, Any] = WHOLE, path: str = "$") -> list[str]:
    """What of *value* the schema forbids; the part of JSON Schema that ours uses."""
    if "$ref" in shape:
        shape = WHOLE["$defs"][shape["$ref"].rpartition("/")[2]]
    if "anyOf" in shape:
        tried = [faults(value, one, path) for one in shape["anyOf"]]
        return [] if [] in tried else tried[0]
    kinds = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}
    if not isinstance(value, kinds[shape["type"]]):
        return [f"{path}: not a {shape['type']}"]
    if isinstance(value, str):
        return [] if re.search(shape.get("pattern", ""), value) else [f"{path}: not {shape['pattern']}"]
    if isinstance(value, list):
        return [fault for at, one in enumerate(value) for fault in faults(one, shape["items"], f"{path}[{at}]")]
    if isinstance(value, dict):
        unknown = [f"{path}.{name}: unknown" for name in value.keys() - shape["properties"].keys()]
        assert shape["additionalProperties"] is False
        known = ((name, one) for name, one in value.items() if name in shape["properties"])
        return [*unknown, *(fault for name, one in known for fault in faults(one, shape["properties"][name], name))]
    return []


@pytest.mark.parametrize("name", readable.names())
def test_the_schema_takes_what_is_written(name: str) -> None:
    assert faults(json.loads(to_json(readable.invoice(name)))) == []


@pytest.mark.parametrize("text", ['{"nummer": "1"}', '{"totals": {"net": 1.5}}', '{"totals": {"net": "1E3"}}'])
def test_the_schema_refuses_what_the_reader_refuses(text: str) -> None:
    assert refused(text)
    assert faults(json.loads(text))
