"""Formats by name. A format is one module here that exposes ``FORMAT`` and ``SETTINGS``; others by entry point.

Names are imported when asked for, so that a command pays only for the formats it uses.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, UnreadableDocument
from ..exchange import Answer, Format, Read

if TYPE_CHECKING:
    from ..artefacts import Verdict

#: Formats of this package: name, module, file name ending, what its first bytes hold.
_KNOWN = {
    "json": "json_",
    "ubl": "ubl",
    "cxml": "cxml",
}
_UBL = b"urn:oasis:names:specification:ubl:schema:xsd:"


def names() -> list[str]:
    """All format names, those of other packages included."""
    return sorted({*_KNOWN, *(entry.name for entry in entry_points(group="einvoice.formats"))})


def module(name: str) -> Any:
    """The module of the format called *name*; ConfigError names the known ones."""
    if name in _KNOWN:
        return import_module(f".{_KNOWN[name]}", __name__)
    for entry in entry_points(group="einvoice.formats", name=name):
        return entry.load()
    raise ConfigError(f"there is no format {name!r}", fix=f"choose one of {', '.join(names())}")


def get(name: str, **settings: Any) -> Format:
    """The format called *name* (``ubl`` or ``ubl:variant``) with *settings*."""
    plain, _, variant = name.partition(":")
    found = module(plain)
    if variant:
        settings = {**found.variant(variant), **settings}
    return found.FORMAT(found.SETTINGS(**settings))  # type: ignore[no-any-return]


def detect(data: bytes) -> str:
    """The format name of *data* by what stands at its beginning; UnreadableDocument when nothing fits."""
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] == b"{":
        return "json"
    if head[:1] == b"<" or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        if b"<cXML" in head or b"cXML SYSTEM" in head:
            return "cxml"
        return "ubl"
    raise UnreadableDocument(
        "the file is none of the readable formats", where="first bytes", fix="send canonical JSON, UBL 2.1 or cXML"
    )


def schema_verdict(data: bytes) -> Verdict:
    """What the official schema for the root element of *data* says; "not run" where there is none to ask."""
    from .. import artefacts
    from ._xml import parse

    root = parse(data, doctype=True)
    ids = artefacts.for_root(str(root.tag))
    return artefacts.validate(ids[0], root) if ids else artefacts.Verdict("not run")


def answers(data: bytes) -> list[Answer]:
    """What a partner's message states about our documents; UnreadableDocument when no format reads such messages."""
    reader = getattr(module(detect(data)), "answers", None)
    if reader is None:
        raise UnreadableDocument("no acknowledgement in a readable format", fix="see the message in the inbox")
    return list(reader(data))


def read(data: bytes, name: str = "") -> Iterator[Read]:
    """Every invoice in *data*, in the format named or detected."""
    yield from get(name or detect(data)).read(io.BytesIO(data))


def read_file(path: Path, name: str = "") -> Iterator[Read]:
    """Every invoice in the file at *path*. JSON Lines are read one line at a time."""
    with path.open("rb") as stream:
        head = stream.read(4096)
        stream.seek(0)
        if not head:
            raise UnreadableDocument("the file is empty", where=str(path), fix="send the file again")
        yield from get(name or detect(head)).read(stream)
