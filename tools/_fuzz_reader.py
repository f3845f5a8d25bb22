"""One reader under atheris: a process of its own, started by ``tools.fuzz``.

    python -m tools._fuzz_reader READER FAILURES [libFuzzer options]

A fault is any exception but EInvoiceError; each kind is kept once, in FAILURES, and the search goes on. Hangs and
memory are libFuzzer's to see, which then ends.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import sys
import traceback
from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import atheris
from lxml import etree

Take = Callable[[bytes], None]
#: Where an interchange can be cut into segments, and a segment into elements, delimiters kept.
_PIECES, _ELEMENTS = re.compile(rb"(?<=[~'\n])"), re.compile(rb"([*+:>^~'])")
#: Values that numbers, dates, codes and texts are not, or only just.
ODD = (
    "", " ", "0", "-0", "-1", "00", "1.", ".5", "1,5", "1E3", "1E400", "-1E-400", "NaN", "sNaN", "Infinity", "-inf",
    "+1", "9" * 40, "0." + "0" * 40 + "1", "1_000", "\u0661\u0662", "\u00b2", "2026-02-30", "20261332", "0000-00-00",
    "9999-12-31", "10000-01-01", "2026-01-01+99:99", "261332", "24:00", "\u00e9", "\ufeff", "\U0001f600", "x" * 5000,
    "?", "?'", "'", "~", "&", "<", "true", "null", "XX", "ZZZ", "380", "381", "C", "A", "EUR", "JPY", "XXX", "102",
    "203", "718",
)  # fmt: skip


def take(reader: str) -> Take:
    """What *reader* does with bytes: ``ubl`` reads invoices, ``x12.answers`` acknowledgements.

    ``module:function`` is one of your own.

    >>> take("json")(b"{}")
    Traceback (most recent call last):
    einvoice.errors.UnreadableDocument: ...
    """
    if ":" in reader:
        name, _, function = reader.partition(":")
        return getattr(import_module(name), function)  # type: ignore[no-any-return]
    from einvoice import formats

    name, _, part = reader.partition(".")
    if part == "answers":
        told = formats.module(name).answers
        return lambda data: [str(one) for one in told(data)] and None
    if name == "detect":
        return lambda data: formats.detect(data) and None
    format = formats.get(name)

    def read(data: bytes) -> None:
        for one in format.read(io.BytesIO(data)):
            for finding in one.findings:
                str(finding)
            if one.problem is None:
                one.locate("$.number")

    return read


def signature(error: BaseException) -> str:
    """A name for this kind of failure: its type, and where in the code it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "_fuzz_reader" not in frame.filename] or frames
    last = own[-1]
    place = f"{Path(last.filename).name}-{last.lineno}"
    return re.sub(r"[^A-Za-z0-9_.-]", "_", f"{type(error).__name__}-{place}")


def guarded(what: Take, failures: Path) -> Take:
    """*what*, with each kind of fault kept once in *failures*."""
    from einvoice.errors import EInvoiceError  # not above: nothing of einvoice is to be imported uninstrumented

    seen: set[str] = set()

    def one(data: bytes) -> None:
        try:
            what(data)
        except EInvoiceError as error:
            str(error)
        except (Exception, RecursionError) as error:
            name = signature(error)
            if name not in seen:
                seen.add(name)
                digest = hashlib.sha256(data).hexdigest()[:8]
                (failures / f"fault-{name}-{digest}").write_bytes(data)

    return one


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Half of the time libFuzzer's own way, else changed as what it is: a tree, an object, or segments."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return atheris.Mutate(data, most)  # type: ignore[no-any-return]
    start = data.lstrip()[:1]
    changed = {b"<": _tree, b"{": _object}.get(start, _pieces)(data, chance)
    return (changed or atheris.Mutate(data, most))[:most]


def _tree(data: bytes, chance: random.Random) -> bytes:
    """An element dropped, doubled, moved, or given an odd value; nothing for what is no tree."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return b""
    elements = [one for one in root.iter("*") if one is not root]
    if not elements:
        return b""
    one, other = chance.choice(elements), chance.choice(elements)
    parent = one.getparent()
    assert parent is not None
    match chance.randrange(5):
        case 0:
            parent.remove(one)
        case 1:
            parent.insert(parent.index(one), deepcopy(one))
        case 2 if other not in one.iter():
            other.append(one)
        case 3 if one.attrib:
            one.set(chance.choice(list(one.attrib)), chance.choice(ODD))
        case _:
            one.text = chance.choice(ODD)
    return etree.tostring(root.getroottree())


def _object(data: bytes, chance: random.Random) -> bytes:
    """A member dropped, or another value in its place; nothing for what is no JSON."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        return b""
    places: list[tuple[Any, Any]] = []
    waiting = [whole]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            keys = list(one) if isinstance(one, dict) else list(range(len(one)))
            places += ((one, key) for key in keys)
            waiting += (one[key] for key in keys)
    if not places:
        return b""
    (holder, key), (there, other) = chance.choice(places), chance.choice(places)
    if chance.random() < 0.2:
        del holder[key]
    else:
        odd = [*ODD, "\ud800", None, True, 0, -1, 1e300, [], {}, [None], deepcopy(there[other])]
        holder[key] = chance.choice(odd)
    return json.dumps(whole).encode()


def _pieces(data: bytes, chance: random.Random) -> bytes:
    """A segment dropped, doubled, moved, cut, or one element of it given an odd value."""
    pieces = _PIECES.split(data)
    at, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    match chance.randrange(6):
        case 0:
            del pieces[at]
        case 1:
            pieces.insert(at, pieces[at])
        case 2:
            pieces.insert(other, pieces.pop(at))
        case 3:
            pieces[at] = pieces[at][: chance.randrange(len(pieces[at]) + 1)]
        case _:
            elements = _ELEMENTS.split(pieces[at])
            elements[chance.randrange(len(elements))] = chance.choice(ODD).encode(
                chance.choice(("utf-8", "iso8859-1")), "replace"
            )
            pieces[at] = b"".join(elements)
    return b"".join(pieces)


def main(arguments: list[str]) -> None:
    reader, failures, *options = arguments
    packages = ["einvoice", *([reader.partition(":")[0]] if ":" in reader else [])]
    with atheris.instrument_imports(include=packages):
        what = take(reader)
        what = guarded(what, Path(failures))
        what(b"")  # what is imported on first use is imported under instrumentation
    atheris.Setup([sys.argv[0], *options], what, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
