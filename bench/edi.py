"""EDIFACT against pydifact, X12 against a bare string template, at 20 and 1,000 lines."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from einvoice.exchange import Identity
from einvoice.formats._edifact_stream import Source, splitter
from einvoice.formats._edifact_write import advice
from einvoice.formats._segments import Data, Delimiters
from einvoice.formats._segments_write import serialised
from einvoice.formats.edifact import Address as EdifactAddress
from einvoice.formats.edifact import Edifact, EdifactFormat
from einvoice.formats.x12 import X12, X12Format
from einvoice.formats.x12 import Address as X12Address
from einvoice.model import Invoice

from . import content, edifact_segments, x12_template
from .measure import Case

SIZES = (20, 1000)
SENDER, RECIPIENT = "4000001000005", "4000001000012"
NUMBERS = {"interchange": "000000263", "group": "263", "message": "0001"}
IDS = Identity(content.IDS.payload_id, content.IDS.at, numbers=NUMBERS)
EDIFACT = EdifactFormat(Edifact(
    sender=EdifactAddress(id=SENDER, qualifier="14"), recipient=EdifactAddress(id=RECIPIENT, qualifier="14"),
))  # fmt: skip
#: ``>`` stands in the texts, so that another sign parts components.
X12_810 = X12Format(X12(
    component="^", sender=X12Address(id="123456789", qualifier="01"),
    recipient=X12Address(id="987654321", qualifier="01"), payment={"58": "BT"},
))  # fmt: skip


def cases(sizes: Sequence[int] = SIZES) -> Iterator[Case]:
    """Every case; sides that do not make the same are not measured."""
    peer, why = pydifact()
    for lines in sizes:
        for name, limit, ours, theirs in pairs(lines, peer):
            title = f"{name}, {lines} {'line' if lines == 1 else 'lines'}"
            if theirs is None:
                yield Case(title, limit, why=why)
            elif seen(ours()) != seen(theirs()):
                yield Case(title, limit, why="the two sides do not make the same")
            else:
                yield Case(title, limit, ours, theirs)


def pairs(lines: int, peer: Pydifact | None) -> Iterator[tuple[str, str, Callable[[], Any], Callable[[], Any] | None]]:
    """Name, limit, our side, the other side; None where pydifact is missing."""
    invoice = content.invoice(lines)
    data, text = write_edifact(invoice), write_edifact(invoice).decode("iso8859-1")
    rows = prepared(invoice)
    yield "EDIFACT serialise / pydifact", "0.25", partial(serialise, as_read(rows)), peer and peer.serialising(rows)
    yield "EDIFACT write / pydifact", "0.25", partial(write_edifact, invoice), peer and partial(peer.write, invoice)
    yield "EDIFACT parse / pydifact", "0.15", partial(parse, data), peer and partial(peer.parse, text)
    invoice = in_x12(lines)
    yield "X12 write / string template", "3", partial(write_x12, invoice), partial(template_x12, invoice)


def seen(made: Any) -> Any:
    """What is compared: text and bytes as they are, segments as lists of elements, each a list of components."""
    if isinstance(made, (str, bytes)):
        return made
    if made and isinstance(made[0], list):
        return made
    return [[[one.tag], *([e] if isinstance(e, str) else e for e in one.elements)] for one in made if one.tag != "UNA"]


# --- our side ---------------------------------------------------------------------------------------------------------


def write_edifact(invoice: Invoice) -> bytes:
    return EDIFACT.write(invoice, IDS).data


def prepared(invoice: Any) -> list[edifact_segments.Row]:
    return edifact_segments.rows(invoice, IDS, SENDER, RECIPIENT, (NUMBERS["interchange"], NUMBERS["message"]))


def as_read(rows: list[edifact_segments.Row]) -> list[Data]:
    """The segments in the shape that our parser gives and our serialiser takes."""
    return [[[one] if isinstance(one, str) else one for one in row] for row in rows]


def serialise(segments: list[Data]) -> str:
    return advice(Delimiters()) + serialised(segments, Delimiters())


def parse(data: bytes) -> list[Data]:
    """Bytes to segments: service characters, character set, release, each segment cut into components."""
    source = Source(io.BytesIO(data), "")
    source.begin()
    split = splitter(source.delimiters)
    return [split(text) for text in source.texts()]


def in_x12(lines: int) -> Invoice:
    """The invoice without the letter that the extended character set does not have."""
    invoice = content.invoice(lines)
    assert invoice.seller is not None
    assert invoice.seller.address is not None
    address = invoice.seller.address.model_copy(update={"line_1": "Werkstrasse 1"})
    return invoice.model_copy(update={"seller": invoice.seller.model_copy(update={"address": address})})


def write_x12(invoice: Invoice) -> bytes:
    return X12_810.write(invoice, IDS).data


def template_x12(invoice: Invoice) -> bytes:
    control = (NUMBERS["interchange"], NUMBERS["group"], NUMBERS["message"])
    return x12_template.render(invoice, IDS, "123456789", "987654321", control)


# --- pydifact ---------------------------------------------------------------------------------------------------------


class Pydifact:
    """Its serializer and its parser. It looks for no rules of its own about the segments, which would cost it more."""

    def __init__(self) -> None:
        segments = import_module("pydifact.segments")  # untyped
        characters = import_module("pydifact.control.characters").Characters.from_str(advice(Delimiters()))
        self._parser = import_module("pydifact.parser").Parser
        self._serialize = import_module("pydifact.serializer").Serializer(characters).serialize
        self._segment = segments.Segment

        class Factory(segments.SegmentFactory):  # type: ignore[misc,name-defined]
            @staticmethod
            def create_segment(name: str, *elements: Any, **settings: Any) -> Any:
                return segments.SegmentFactory.create_segment(name, *elements, **{**settings, "validate": False})

        self._factory = Factory

    def serialising(self, rows: list[edifact_segments.Row]) -> Callable[[], str]:
        return partial(self._serialize, [self._segment(*row) for row in rows])

    def write(self, invoice: Invoice) -> bytes:
        text: str = self._serialize([self._segment(*row) for row in prepared(invoice)])
        return text.encode("iso8859-1")

    def parse(self, text: str) -> list[Any]:
        return list(self._parser(factory=self._factory()).parse(text))


def pydifact() -> tuple[Pydifact | None, str]:
    """The peer, or None and why not."""
    try:
        version("pydifact")
        return Pydifact(), ""
    except (PackageNotFoundError, ImportError):
        return None, "pydifact is not installed (extra dev)"
