"""A table compiled to closures that read an lxml tree by dispatch on tags.

Whatever no row touches becomes a finding: nothing is lost in silence. Values come out as nested dicts in the shape of
the model; :func:`read` validates them into an Invoice.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from lxml import etree
from pydantic import ValidationError

from ..errors import Finding, Severity, UnreadableDocument
from ..exchange import Read
from ..mapping import Const, Drop, Group, Leaf, Map, Node, Row, plan
from ..model import Invoice
from ..money import parse as parse_number
from ..terms import GROUPS
from ._xml import place as place_in_xml

Raw = dict[str, Any]
#: Findings of one rule that are told one by one; beyond it only their number is said.
TOLD = 1000
#: Attributes of one element.
ATTRIBUTES = 1000
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_XML_NS = "http://www.w3.org/XML/1998/namespace"
#: xs:boolean has two spellings.
_BOOLEAN = {"0": "false", "1": "true"}
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def local(named: Any) -> str:
    """The name of an element or attribute without its namespace."""
    return str(named if isinstance(named, str) else named.tag).rpartition("}")[2]


def place(element: Any, attribute: str = "") -> str:
    """Where *element* stands; trees of other syntaxes say it themselves."""
    own = getattr(element, "place", None)
    return str(own(attribute)) if own else place_in_xml(element, attribute)


class Context:
    """What one reading knows: the currencies, the sign, the findings, and on demand where each value came from."""

    def __init__(self, root: etree._Element, track: bool = False) -> None:
        self.element = root
        self.root: Raw = {}
        self.meta: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.currency: str | None = None
        self.tax_currency: str | None = None
        self.negate = False
        self.parts: list[Raw] = []
        self.said: set[tuple[str, str]] = set()
        self.counts: Counter[str] = Counter()
        self.places: dict[tuple[int, str], etree._Element] | None = {} if track else None

    def say(
        self, rule: str, message: str, at: etree._Element, severity: Severity = Severity.FATAL, attribute: str = "",
        term: str = "", found: str = "", fix: str = "", clause: str = "",
    ) -> None:  # fmt: skip
        self.counts[rule] += 1
        if self.counts[rule] > TOLD:
            return
        self.findings.append(
            Finding(rule, message, severity, term, "", place(at, attribute), found[:80], "", fix, clause)
        )

    def summed(self) -> tuple[Finding, ...]:
        """All findings, and for each rule that was broken more than ``TOLD`` times how often that was."""
        first = {finding.rule: finding for finding in reversed(self.findings)}
        more = [
            Finding(rule, f"{count - TOLD} more of this kind", first[rule].severity, place=place(self.element),
                    fix=first[rule].fix)
            for rule, count in self.counts.items() if count > TOLD
        ]  # fmt: skip
        return (*self.findings, *more)


Reader = Callable[[etree._Element, Raw, Context], None]


class Spec:
    """How one element of the plan is recognised and read. ``plain``: its name is enough, and it is read."""

    __slots__ = ("choose", "dropped", "name", "node", "plain", "read", "selects", "single")

    def __init__(self, name: str, node: Node, read: Reader, selects: list[tuple[str, str, str]], choose: Any) -> None:
        self.name, self.node, self.read, self.selects, self.choose = name, node, read, selects, choose
        self.single = not node.many and not node.drop
        self.dropped = node.drop
        self.plain = not (selects or choose or node.drop)

    def fits(self, element: etree._Element, context: Context) -> bool:
        if self.choose is not None and not self.choose(element, context):
            return False
        for path, attribute, value in self.selects:
            found = element if path == "." else element.find(path)
            if found is None:
                return False
            stated = found.get(attribute) if attribute else (found.text or "").strip()
            if stated != value and _BOOLEAN.get(stated or "") != value:
                return False
        return True


class TreeReader:
    """Reads trees by one table. ``read`` gives the Read of one document."""

    def __init__(self, table: Map, format: str, begin: Callable[[Context], None]) -> None:
        self.table, self.format, self._begin = table, format, begin
        self._named: dict[str, Node] = {}
        self._cache: dict[int, Spec] = {}
        root = plan(table)
        self._collect(root)
        self.tag = self._tag(root.name)
        self._spec = self._build(root)

    def read(self, root: etree._Element, again: Callable[[], etree._Element]) -> Read:
        """The invoice of *root*. *again* parses the source once more when someone asks where a value stands."""
        try:
            context = self._walk(root, track=False)
            invoice = _validate(context)
        except RecursionError as error:
            raise UnreadableDocument("elements are nested too deeply", where=place(root), fix="send it flat") from error

        @cache
        def tracked() -> Context:
            return self._walk(again(), track=True)

        def locate(path: str) -> str:
            return _locate(tracked(), path)

        return Read(invoice, context.summed(), locate, self.format)

    def values(self, root: etree._Element) -> Context:
        """Raw values, transmission values and findings of *root*."""
        return self._walk(root, track=False)

    def _walk(self, root: etree._Element, track: bool) -> Context:
        context = Context(root, track)
        self._begin(context)
        self._spec.read(root, context.root, context)
        after = self.table.hooks.get("after")
        if after:
            after(context)
        return context

    # -- building

    def _tag(self, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        if prefix == "xml":
            return f"{{{_XML_NS}}}{local}"
        uri = self.table.prefixes.get(prefix, "")
        return f"{{{uri}}}{local}" if uri else local

    def _path(self, path: str) -> tuple[str, str]:
        steps = path.split("/")
        attribute = steps.pop()[1:] if steps[-1].startswith("@") else ""
        return "/".join(self._tag(step) if step != "." else step for step in steps) or ".", attribute

    def _collect(self, node: Node) -> None:
        if node.group and node.group.name:
            self._named[node.group.name] = node
        for child in node.children:
            self._collect(child)

    def _build(self, node: Node) -> Spec:
        group = node.group
        selects = [(*self._path(path), value) for path, value in _selecting(group.rows if group else ())]
        choose = self.table.hooks[group.choose] if group and group.choose else None
        spec = Spec(self._tag(node.name), node, _nothing, selects, choose)
        rows = self._named[group.like] if group and group.like else node
        if group and group.like:
            if id(rows) not in self._cache:
                self._cache[id(rows)] = Spec("", rows, _nothing, [], None)
            shared = self._cache[id(rows)]
            spec.read = self._opening(node, lambda element, into, context: shared.read(element, into, context))
            return spec
        inside = self._inside(node)
        if group and group.name:
            self._cache.setdefault(id(node), Spec("", node, _nothing, [], None)).read = inside
        spec.read = self._opening(node, inside) if node.opens else inside
        return spec

    def _opening(self, node: Node, inside: Reader) -> Reader:
        """Reads into a new object and puts it where the group's term says, when there was anything in it."""
        group = node.group
        assert group is not None
        if group.each:
            hook = self.table.hooks[f"{group.each}_back"]

            def back(element: etree._Element, into: Raw, context: Context) -> None:
                part: Raw = {}
                inside(element, part, context)
                hook(part, context)

            return back
        steps, many, absolute, states = node.steps, group.many, node.absolute, group.states

        def opened(element: etree._Element, into: Raw, context: Context) -> None:
            part: Raw = {}
            inside(element, part, context)
            if not part:
                if not group.always:
                    _empty(element, context, group.term if group.term in GROUPS else "")
                return
            if states:
                part[states[0]] = states[1]
            target = context.root if absolute else into
            for step in steps[:-1]:
                target = target.setdefault(step, {})
            if many:
                target.setdefault(steps[-1], []).append(part)
            else:
                target[steps[-1]] = {**target[steps[-1]], **part} if steps[-1] in target else part
            if context.places is not None:
                context.places[id(part), ""] = element

        return opened

    def _inside(self, node: Node) -> Reader:
        attributes = {self._tag(name) if ":" in name else name: self._attribute(s) for name, s in node.attrs.items()}
        leaf = node.text if isinstance(node.text, Leaf) else None
        if leaf and leaf.row.raw:
            return _raw_reader(leaf)
        for name, clause in self.table.drops.items():
            attributes.setdefault(name, self._attribute(Drop("", clause)))
        money = self.table.money if leaf and leaf.kind in ("amount", "price") and leaf.row.money else ""
        currency = _currency(leaf) if leaf and money else _accepted
        if money:
            attributes[money] = currency
        kids: dict[str, list[Spec]] = {}
        for child in node.children:
            spec = self._build(child)
            kids.setdefault(spec.name, []).append(spec)
        text = _leaf_reader(leaf) if leaf else None
        constant = node.text if isinstance(node.text, Const) else None
        mixed = bool(leaf and kids)
        whole = bool(leaf and leaf.row.lens and leaf.row.lens.whole)
        filler = leaf.row.filler if leaf else None
        holds = bool(kids) and not leaf and not node.opens and not (node.group and node.group.always)

        def read(element: etree._Element, into: Raw, context: Context) -> None:
            if money and element.get(money) is None:
                currency(element, "", into, context)
            if element.keys():
                for name in _names(element):
                    handler = attributes.get(name)
                    if handler is None:
                        _unread_attribute(element, name, element.get(name, ""), context)
                    elif handler is not _accepted:
                        handler(element, element.get(name, ""), into, context)
            if text is not None:
                written = element.text
                stripped = written.strip() if written else ""
                if stripped:
                    text(element, written if whole and written else stripped, into, context)
                elif not mixed and not len(element):  # noqa: SIM102
                    if filler != "":
                        _empty(element, context, leaf.id if leaf else "")
            elif element.text and (stated := element.text.strip()):
                if constant is None:
                    _stray(element, stated, context)
                elif not constant.select and stated != constant.value:
                    _otherwise(element, "", stated, constant, context)
                elif stated != constant.value:  # a boolean in its other spelling
                    context.say("EINV-READ-09", f"read as {constant.value}", element, Severity.INFO, found=stated)
            if len(element):
                _children(element, kids, into, context)
            elif holds and not element.keys():
                _empty(element, context)

        return read

    def _attribute(self, source: Leaf | Const | Drop) -> Callable[[etree._Element, str, Raw, Context], None]:
        if isinstance(source, Leaf):
            reader, name = _leaf_reader(source), source.row.path.rpartition("@")[2]

            def take(element: etree._Element, value: str, into: Raw, context: Context) -> None:
                if value.strip():
                    reader(element, value.strip(), into, context)
                else:
                    _empty(element, context, attribute=name)

            return take
        if isinstance(source, Drop):
            clause = source.clause
            return lambda element, value, into, context: _known(element, value, clause, context)
        if source.select:
            return _accepted
        name, constant = self._tag(source.path.rpartition("@")[2]), source

        def compare(element: etree._Element, value: str, into: Raw, context: Context) -> None:
            if value != constant.value:
                _otherwise(element, name, value, constant, context)

        return compare


def _selecting(rows: tuple[Row, ...], under: str = "") -> Iterator[tuple[str, str]]:
    """The constants that tell one group from another, also those in an element that is always there."""
    paths = [row.path for row in rows]
    for row in rows:
        if isinstance(row, Const) and row.select:
            yield under + row.path, row.value
        elif isinstance(row, Group) and row.always and not row.term and paths.count(row.path) == 1:
            yield from _selecting(row.rows, f"{under}{row.path}/")


def _names(element: etree._Element) -> list[str]:
    """Names of the attributes; refused in masses, since each look-up of a value walks all of them."""
    names = element.keys()
    if len(names) > ATTRIBUTES:
        message = f"an element has {len(names)} attributes, {ATTRIBUTES} are the limit"
        raise UnreadableDocument(message, where=place(element), fix="export the file again")
    return names  # type: ignore[return-value,unused-ignore]


def _nothing(element: etree._Element, into: Raw, context: Context) -> None:
    raise AssertionError("a table was read before it was built")


def _accepted(element: etree._Element, value: str, into: Raw, context: Context) -> None:
    return None


def _children(element: etree._Element, kids: dict[str, list[Spec]], into: Raw, context: Context) -> None:
    seen: set[Spec] = set()
    for child in element:
        specs = kids.get(child.tag)  # type: ignore[call-overload,unused-ignore]
        if specs is None:
            if not isinstance(child.tag, str):
                raise UnreadableDocument("an entity reference", where=place(element), fix="write the text out")
            _unread(child, context)
            continue
        first = specs[0]
        if first.plain and first not in seen:
            if first.single:
                seen.add(first)
            first.read(child, into, context)
            continue
        for spec in specs:
            if (spec.single and spec in seen) or not (spec.plain or spec.fits(child, context)):
                continue
            seen.add(spec)
            if spec.dropped:
                _known(child, (child.text or "").strip(), spec.dropped, context)
            else:
                spec.read(child, into, context)
            break
        else:
            if any(spec in seen for spec in specs if spec.single):
                message = f"{local(child)} stands more than once where one is expected"
                context.say("EINV-READ-02", message, child, found=_text_of(child), fix="keep one")
            else:
                _unread(child, context)


# --- leaves: text to a value of the term's kind -----------------------------------------------------------------------


def _raw_reader(leaf: Leaf) -> Reader:
    """The lens takes the whole element, whatever stands in it."""
    take = _leaf_reader(leaf)
    return lambda element, into, context: take(element, element, into, context)  # type: ignore[arg-type]


def _leaf_reader(leaf: Leaf) -> Callable[[etree._Element, str, Raw, Context], None]:
    convert, steps, absolute, many = _converter(leaf), leaf.steps, leaf.absolute, leaf.many
    if leaf.kind == "meta":
        lens = leaf.row.lens
        return lambda element, text, into, context: context.meta.__setitem__(
            steps[0], lens.back(text) if lens else text
        )
    filler = leaf.row.filler
    last, path, also = steps[-1], steps[:-1], leaf.also
    here = not (path or also or many or absolute)
    also_last = also[-1] if also else ""

    def take(element: etree._Element, text: str, into: Raw, context: Context) -> None:
        if text == filler:
            return
        value: Any = convert(element, text, context) if convert else text
        if value is None:
            return
        if here and last not in into and context.places is None:  # nearly always
            into[last] = value
            return
        target = context.root if absolute else into
        for step in path:
            target = target.setdefault(step, {})
        if also:
            value, second = value
            if second is not None:
                for step in also[:-1]:
                    target = target.setdefault(step, {})
                target[also_last] = second
            if value is None:
                return
        if many:
            target.setdefault(last, []).append(value)
        elif last in target and target[last] != value:
            context.say("EINV-READ-02", f"{leaf.id} is stated twice with different values", element,
                        Severity.WARNING, term=leaf.id, found=text, fix="state it once")  # fmt: skip
        else:
            target[last] = value
        if context.places is not None:
            context.places[id(target), last] = element

    return take


def _converter(leaf: Leaf) -> Callable[[etree._Element, str, Context], Any] | None:
    """From text to a value of the term's kind, None when the text is the value; what is wrong is said, and no value."""
    id_, lens = leaf.id, leaf.row.lens
    if lens:

        def by_lens(element: etree._Element, text: str, context: Context) -> Any:
            try:
                value = lens.back(text)
                if not lens.exact and value is not None and lens.to(value) != text:
                    context.say("EINV-READ-09", f"kept as {value}", element, Severity.INFO, term=id_, found=str(text))
                return value
            except ValueError as error:
                context.say("EINV-READ-04", str(error) or "not readable", element, term=id_, found=text,
                            fix="correct the value in the source")  # fmt: skip
                return None

        return by_lens
    if leaf.kind in ("amount", "price", "quantity", "percent"):
        signed = leaf.row.signed

        def number(element: etree._Element, text: str, context: Context) -> Decimal | None:
            value = parse_number(text)
            if value is None:
                context.say("EINV-READ-03", f"{text[:40]!r} is not a plain decimal number", element, term=id_,
                            found=text, fix="write digits and a point, such as 1234.50")  # fmt: skip
            elif signed and context.negate and value:
                return -value
            return value

        return number
    if leaf.kind == "date":
        return lambda element, text, context: _day(element, text, context, id_)
    if leaf.kind == "binary":
        return lambda element, text, context: _content(element, text, context, id_)
    if leaf.kind == "flag":
        return lambda element, text, context: _FLAGS.get(text.lower())
    return None


def _day(element: etree._Element, text: str, context: Context, term: str) -> date | None:
    match = _DAY.fullmatch(text)
    try:
        value = date.fromisoformat(match.group(1)) if match else None
    except ValueError:
        value = None
    if value is None:
        context.say("EINV-READ-04", f"{text[:40]!r} is not a calendar date", element, term=term, found=text,
                    fix="write it as YYYY-MM-DD")  # fmt: skip
    elif match and match.group(2):
        context.say(
            "EINV-READ-09", "the time zone of a date is not kept", element, Severity.INFO, term=term, found=text
        )
    return value


def _content(element: etree._Element, text: str, context: Context, term: str) -> bytes | None:
    try:
        return a2b_base64("".join(text.split()), strict_mode=True)
    except (Base64Error, ValueError):
        context.say("EINV-READ-05", "the attachment is not valid base64", element, term=term, fix="attach it again")
        return None


def _currency(leaf: Leaf) -> Callable[[etree._Element, str, Raw, Context], None]:
    which = leaf.row.money

    def check(element: etree._Element, value: str, into: Raw, context: Context) -> None:
        expected = context.tax_currency if which == "tax_currency" else context.currency
        if value != expected:
            stated = f"the amount is in {value!r}" if value else "the amount states no currency"
            message = f"{stated}, the document is in {expected!r}"
            context.say("EINV-READ-06", message, element, term=leaf.id, found=value, fix="state it in one currency")

    return check


# --- what no row touched ----------------------------------------------------------------------------------------------


def _text_of(element: etree._Element) -> str:
    return " ".join(" ".join(map(str, element.itertext())).split())[:80]


def _unread(element: etree._Element, context: Context) -> None:
    for part in _leaf_elements(element):
        name = local(part).removeprefix("SG-") or "a segment without a tag"
        context.say("EINV-READ-01", f"{name} has no place in the model and is not carried", part, Severity.WARNING,
                    found=_text_of(part), fix="see whether the receiver needs it")  # fmt: skip
        if hasattr(part, "place"):  # a segment: all it holds has been found
            continue
        for key in part.keys():  # noqa: SIM118  an element is no mapping
            _unread_attribute(part, str(key), part.get(key, ""), context)


def _stray(element: etree._Element, text: str, context: Context) -> None:
    name = local(element)
    context.say("EINV-READ-01", f"{name} holds a text of its own, which has no place in the model", element,
                Severity.WARNING, found=text, fix="see whether the receiver needs it")  # fmt: skip


def _leaf_elements(element: etree._Element) -> Iterator[etree._Element]:
    kids = list(element)
    if not kids or (element.text and element.text.strip()):
        yield element
    for child in kids:
        yield from _leaf_elements(child)


def _unread_attribute(element: etree._Element, name: str, value: str, context: Context) -> None:
    if name == "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation":
        return
    context.say("EINV-READ-01", f"the attribute {local(name)} is not carried", element,
                Severity.WARNING, name, found=value, fix="see whether the receiver needs it")  # fmt: skip


def _known(element: etree._Element, value: str, clause: str, context: Context) -> None:
    name = local(element)
    context.say("EINV-READ-08", f"{name} has no business term", element, Severity.INFO, found=value, clause=clause)


def _otherwise(element: etree._Element, attribute: str, value: str, constant: Const, context: Context) -> None:
    """Another value stands where the syntax has one constant. What has a clause is said once for each value."""
    name = local(attribute or element)
    if not constant.clause:
        message = f"{name} is {value[:40]!r}, only {constant.value!r} is understood, and it is not carried"
        context.say("EINV-READ-01", message, element, Severity.WARNING, attribute, found=value,
                    fix="see whether the receiver needs it")  # fmt: skip
    elif (name, value) not in context.said:
        context.said.add((name, value))
        context.say("EINV-READ-08", f"{name} {value[:40]!r} has no business term", element, Severity.INFO, attribute,
                    found=value, clause=constant.clause)  # fmt: skip


def _empty(element: etree._Element, context: Context, term: str = "", attribute: str = "") -> None:
    name = f"the attribute {attribute}" if attribute else local(element)
    context.say("EINV-READ-07", f"{name} is empty", element, Severity.WARNING, attribute, term,
                fix="leave the element out or fill it")  # fmt: skip


# --- raw values to an invoice, and back to places ---------------------------------------------------------------------


def _validate(context: Context) -> Invoice:
    try:
        return Invoice.model_validate(context.root)
    except ValidationError as error:
        findings = tuple(
            Finding(
                "EINV-READ-10", str(problem["msg"]), path=_path_of(problem["loc"]), found=str(problem["input"])[:80]
            )
            for problem in error.errors()
        )
        raise UnreadableDocument("the values do not form an invoice", findings=findings) from error


def _path_of(steps: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _locate(context: Context, path: str) -> str:
    """The place of the deepest known value on *path*; the root where nothing of it was stated."""
    assert context.places is not None
    at: Any = context.root
    best = context.element
    for step in re.findall(r"[^.\[\]$]+", path):
        if isinstance(at, dict):
            best = context.places.get((id(at), step), best)
            at = at.get(step)
        elif isinstance(at, list):
            at = at[int(step)] if step.isdigit() and int(step) < len(at) else None
        if isinstance(at, dict):
            best = context.places.get((id(at), ""), best)
        if at is None:
            break
    return place(best)
