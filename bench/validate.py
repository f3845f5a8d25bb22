"""Our EN 16931 rules against the official Schematron in a warm Saxon, the same findings on both sides."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from lxml import etree

from einvoice import artefacts, formats, rules
from einvoice.errors import ConfigError, Finding
from einvoice.formats._xml import parse
from einvoice.formats.ubl import UblFormat
from einvoice.official import known, svrl
from einvoice.official.engine import Engine
from einvoice.official.sheets import rule_files
from einvoice.pipeline import OWN

from . import content
from .measure import Case
from .render import write_ubl

SIZES = (20, 1000)
#: How much faster ours must be: on what each side holds ready, and from the bytes of the document.
_HELD, _BYTES = "0.04", "0.10"
_PACK, _XSD = "en16931", "ubl-2.1-invoice"
#: What our own checks may add to those of EN 16931, where there are lines enough for the parties not to count.
_ADDED, _MANY = "1.20", 1000


class Saxon:
    """The official rules compiled once, and a processor that has run them."""

    def __init__(self) -> None:
        one = next(each for each in known().sets if (each.name, each.syntax) == (_PACK, "ubl"))
        (file,) = rule_files(one, one.release(content.ISSUED))
        engine = Engine()
        self._parse = engine.processor.parse_xml
        self._sheet = engine.compiler.compile_stylesheet(stylesheet_text=file.sheet())

    def hold(self, text: str) -> Any:
        return self._parse(xml_text=text)

    def judge(self, held: Any) -> str:
        """The findings as SVRL."""
        return str(self._sheet.transform_to_string(xdm_node=held))

    def judge_text(self, text: str) -> str:
        return self.judge(self.hold(text))


def cases(sizes: Sequence[int] = SIZES) -> Iterator[Case]:
    """Both measures at each size: the rules alone, and from bytes to findings."""
    saxon, why = _saxon()
    for lines in sizes:
        for name, limit, held in (("rules", _HELD, True), ("bytes", _BYTES, False)):
            case = f"EN 16931 {name} / Saxon, {lines} lines"
            yield Case(case, limit, why=why) if saxon is None else _case(case, limit, saxon, lines, held)
        if lines >= _MANY:
            yield _added(lines)


def _added(lines: int) -> Case:
    """The published rules with our own checks beside them, against the published rules alone."""
    check = partial(rules.check, content.invoice(lines), on=content.ISSUED, today=content.ISSUED, syntax="ubl")
    return Case(f"with our checks / without, {lines} lines", _ADDED, partial(check, (_PACK, OWN)),
                partial(check, (_PACK,)))  # fmt: skip


def _case(name: str, limit: str, saxon: Saxon, lines: int, held: bool) -> Case:
    data = write_ubl(content.invoice(lines))
    text = etree.tostring(etree.fromstring(data), encoding="unicode")
    theirs = {one.rule for one in svrl.read(saxon.judge_text(text), etree.fromstring(data), "").findings}
    if theirs != {one.rule for one in ours_from_bytes(data)}:
        return Case(name, limit, why="the two do not find the same")
    if held:
        (read,) = formats.get("ubl").read(io.BytesIO(data))
        return Case(name, limit, partial(ours, read.invoice, read.findings), partial(saxon.judge, saxon.hold(text)))
    return Case(name, limit, partial(ours_from_bytes, data), partial(saxon.judge_text, text))


def ours(invoice: Any, read_findings: Sequence[Finding]) -> list[Finding]:
    return rules.check(invoice, (_PACK,), on=content.ISSUED, read_findings=read_findings, syntax="ubl")


def ours_from_bytes(data: bytes) -> list[Finding]:
    """Parsed once, judged by the official schema, read and judged by the rules."""
    root = parse(data)
    if artefacts.validate(_XSD, root).status != "valid":
        raise ConfigError("the invoice to measure is not valid by its schema", fix="mend bench/content.py")
    read = UblFormat().read_root(root, lambda: parse(data))
    return ours(read.invoice, read.findings)


def _saxon() -> tuple[Saxon | None, str]:
    if find_spec("saxonche") is None:
        return None, "saxonche is not installed: it comes with the extra official"
    try:
        artefacts.validate(_XSD, write_ubl(content.invoice(1)))
        return Saxon(), ""
    except ConfigError as error:
        return None, error.message
