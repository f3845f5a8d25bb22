"""Canonical JSON: one object, or one object a line (JSON Lines). The schema is ``schemas/invoice.schema.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from pydantic import ValidationError

from ..config import Strict
from ..errors import Finding, UnreadableDocument
from ..exchange import Document, Identity, Read
from ..model import Invoice, to_json

#: One invoice in JSON; a line or file above it is refused before it is parsed.
LIMIT = 50 * 1024 * 1024


class Json(Strict):
    """Settings of canonical JSON: none."""


class JsonFormat:
    """Reads and writes canonical JSON. A number with a fraction that is not text is refused, with its path."""

    name = "json"

    def __init__(self, settings: Json | None = None) -> None:
        self.settings = settings or Json()

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        data = (to_json(invoice, indent=2) + "\n").encode()
        return Document(data, "json", "application/json", f"{ids.payload_id}.json")

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        first = _line(stream, 1)
        if _whole(first):
            yield from _lines(first, stream)
        else:
            yield _one(first + _rest(stream, LIMIT - len(first)), 0)


def _lines(line: bytes, stream: BinaryIO) -> Iterator[Read]:
    """A bad line is one bad invoice; the others are read."""
    number = 1
    while line:
        if line.strip():
            try:
                yield _one(line, number)
            except UnreadableDocument as error:
                yield Read(Invoice(), error.findings, lambda path: path, "json", error)
        number += 1
        line = _line(stream, number)


def _line(stream: BinaryIO, number: int) -> bytes:
    line = stream.readline(LIMIT + 1)
    if len(line) > LIMIT:
        raise _too_large(f"line {number}")
    return line


def _rest(stream: BinaryIO, room: int) -> bytes:
    data = stream.read(max(room, 0) + 1)
    if len(data) > max(room, 0):
        raise _too_large("")
    return data


def _too_large(where: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"the invoice is larger than {LIMIT // 1048576} MiB, the limit for one invoice", where=where,
        fix="send attachments by reference (BT-124)",
    )  # fmt: skip


def _whole(line: bytes) -> bool:
    """True when the first line is a JSON object of its own, as in JSON Lines."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _one(text: bytes, line: int) -> Read:
    where = f"line {line}" if line else ""
    data = _object(text, where)
    try:
        invoice = Invoice.model_validate_json(json.dumps(_pruned(data)))
    except ValidationError as error:
        findings = tuple(_finding(problem, where) for problem in error.errors(include_url=False))
        raise UnreadableDocument(
            f"{len(findings)} value{'s do' if len(findings) > 1 else ' does'} not fit the invoice model", where=where,
            fix="correct the values named", findings=findings,
        ) from error  # fmt: skip
    return Read(invoice, (), lambda path: f"{where} {path}".strip(), "json")


class _Fraction(float):
    """A JSON number with a fraction: kept apart from text, so that the model can refuse it with its path."""


def _object(text: bytes, where: str) -> dict[str, Any]:
    try:
        data = json.loads(text, parse_float=_Fraction, parse_constant=_Fraction, object_pairs_hook=_no_repeats)
    except json.JSONDecodeError as error:
        at = where or f"line {error.lineno}"
        raise UnreadableDocument(f"not JSON: {error.msg}", where=f"{at}, column {error.colno}",
                                 fix="export the file again") from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise UnreadableDocument("the text is not UTF-8", where=where, fix="write the file as UTF-8") from error
    except RecursionError as error:
        raise UnreadableDocument("the JSON is nested too deeply", where=where, fix="send one invoice a file") from error
    if not isinstance(data, dict):
        raise UnreadableDocument("the JSON is not an object", where=where, fix="send one invoice as an object")
    return data


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableDocument(f"the key {twice!r} stands twice in one object", fix="keep one")
    return data


def _pruned(value: Any) -> Any:
    """Without nulls and without empty objects and lists: they state nothing."""
    if isinstance(value, dict):
        kept = {key: _pruned(child) for key, child in value.items()}
        return {key: child for key, child in kept.items() if child not in (None, {}, [])}
    if isinstance(value, list):
        return [child for child in map(_pruned, value) if child not in (None, {}, [])]
    return value


def _finding(problem: Any, where: str) -> Finding:
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
    message = re.sub(r"^Value error, ", "", problem["msg"])
    if problem["type"] == "extra_forbidden":
        message = "there is no such field in the invoice model"
    return Finding("EINV-READ-10", message, path=path, place=where, found=str(problem["input"])[:80])


FORMAT, SETTINGS = JsonFormat, Json
