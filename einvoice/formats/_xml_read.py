"""A table compiled to closures that read an lxml tree by dispatch on tags.

Whatever no row touches becomes a finding: nothing is lost in silence. Values come out as nested dicts in the shape of
the model; :func:`read` validates them into an Invoice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import Any

from lxml import etree
from pydantic import ValidationError

from ..errors import Finding, Severity, UnreadableDocument
from ..exchange import Read
from ..mapping import Const, Drop, Group, Leaf, Map, Node, Row, plan
from ..model import Invoice, Line
from ..terms import GROUPS
from ._xml_context import Context as Context
from ._xml_context import (
    about,
    empty,
    known,
    left_out,
    local,
    otherwise,
    place,
    stray,
    text_of,
    unread,
    unread_attribute,
)
from ._xml_empty import Raw as Raw
from ._xml_empty import always, common, filled, placed
from ._xml_leaves import currency_check, leaf_reader
from ._xml_repeat import Repeats

#: The group that repeats in its hundreds: BG-25.
_LINES = "lines"
#: Lines within lines.
DEEP = 200
#: Attributes of one element.
ATTRIBUTES = 1000
_XML_NS = "http://www.w3.org/XML/1998/namespace"
#: xs:boolean has two spellings.
_BOOLEAN = {"0": "false", "1": "true"}

Reader = Callable[[etree._Element, Raw, Context], None]
Handler = Callable[[etree._Element, str, Raw, Context], None]


class Spec:
    """How one element of the plan is recognised and read. ``plain``: its name is enough, and it is read.

    bit  of an element that is read once: which one it is among those that may stand beside it; 0 of one that repeats
    """

    __slots__ = ("bit", "choose", "dropped", "name", "plain", "read", "selects", "single")

    def __init__(self, name: str, node: Node, read: Reader, selects: list[tuple[str, str, str]], choose: Any) -> None:
        self.name, self.read, self.selects, self.choose = name, read, selects, choose
        self.single = not node.many and not node.drop
        self.dropped = node.drop
        self.plain = not (selects or choose or node.drop)
        self.bit = 0

    def fits(self, element: etree._Element, context: Context) -> bool:
        if self.choose is not None:
            context.beyond = True
            if not self.choose(element, context):
                return False
        for path, attribute, value in self.selects:
            found = element if path == "." else element.find(path)
            if found is None:
                return False
            if context.places is not None:
                context.compared.add((found, attribute))
            stated = found.get(attribute) if attribute else (found.text or "").strip()
            if stated != value and _BOOLEAN.get(stated or "") != value:
                return False
        return True


class TreeReader:
    """Reads trees by one table. ``read`` gives the Read of one document."""

    def __init__(self, table: Map, format: str, begin: Callable[[Context], None]) -> None:
        self.table, self.format, self._begin = table, format, begin
        self.tag, self._read = _Compiler(table, follow=lambda: self._tracking[0]).root()

    def read(self, root: etree._Element, again: Callable[[], etree._Element]) -> Read:
        """The invoice of *root*. *again* parses the source once more when someone asks where a value stands."""
        try:
            context = self.values(root)
            invoice = _validate(context)
        except RecursionError as error:
            raise UnreadableDocument("elements are nested too deeply", where=place(root), fix="send it flat") from error

        @cache
        def tracked() -> Context:
            return self._walk(Context(again(), track=True), self._tracking[1])

        def locate(path: str) -> str:
            return _locate(tracked(), path)

        return Read(invoice, context.summed(), locate, self.format)

    def values(self, root: etree._Element) -> Context:
        """Raw values, transmission values and findings of *root*."""
        return self._walk(Context(root), self._read)

    @cached_property
    def _tracking(self) -> tuple[list[Reader], Reader]:
        """What reads the same and keeps the element of each value: each repeated line, and the root."""
        compiler = _Compiler(self.table)
        read = compiler.root()[1]
        return compiler.lines, read

    def _walk(self, context: Context, read: Reader) -> Context:
        self._begin(context)
        read(context.element, context.root, context)
        after = self.table.hooks.get("after")
        if after:
            after(context)
        return context


class _Compiler:
    """Makes the closures of one table: one for each element and attribute of its plan.

    follow  gives the readers of ``lines`` that track, for those that do not; without it these readers track themselves
    """

    def __init__(self, table: Map, follow: Callable[[], list[Reader]] | None = None) -> None:
        self.table, self.follow, self.track = table, follow, follow is None
        self.lines: list[Reader] = []
        self._named: dict[str, Node] = {}
        self._cache: dict[int, Spec] = {}

    def root(self) -> tuple[str, Reader]:
        """The tag of the root element and what reads it."""
        node = plan(self.table)
        self._collect(node)
        return self._tag(node.name), self._build(node).read

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

            def deeper(element: etree._Element, into: Raw, context: Context) -> None:
                context.depth += 1
                if context.depth > DEEP:
                    raise RecursionError
                shared.read(element, into, context)
                context.depth -= 1

            spec.read = self._opening(node, deeper)
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
                context.beyond = True

            return back
        steps, many, absolute, states = node.steps, group.many, node.absolute, group.states
        path, last = steps[:-1], steps[-1]
        term, track = group.term if group.term in GROUPS else "", self.track
        repeats = self._repeats(inside) if many and last == _LINES else None

        def opened(element: etree._Element, into: Raw, context: Context) -> None:
            part = repeats.read(element, context) if repeats is not None and context.flat else None
            if part is None:
                part = {}
                inside(element, part, context)
            target = context.root if absolute else into
            if not part:
                empty(element, context, term, about=(part, ()))
            if context.empties is not None:
                context.empties.opened(part, target, steps, many)
            if not part:
                return
            if states:
                part[states[0]] = states[1]
            for step in path:
                target = target.setdefault(step, {})
            if many:
                found = target.get(last)
                if found is None:
                    target[last] = [part]
                else:
                    found.append(part)
            else:
                target[last] = {**target[last], **part} if last in target else part
            if track and context.places is not None:
                context.places[id(part), ""] = element
                context.held.append(part)

        return opened

    def _repeats(self, inside: Reader) -> Repeats | None:
        """What knows the markups of a repeated line; none where places are kept, which only the table knows."""
        at, follow = len(self.lines), self.follow
        self.lines.append(inside)
        return None if follow is None else Repeats(lambda: follow()[at], Line if self.table.whole else None)

    def _inside(self, node: Node) -> Reader:
        """Reads what stands in an element, once it is said which attributes are missing that the format writes."""
        read, usual = self._content(node), always(node, self._tag)
        if not usual or (isinstance(node.text, Leaf) and node.text.row.raw):
            return read

        def checked(element: etree._Element, into: Raw, context: Context) -> None:
            left_out(element, usual, into, context)
            read(element, into, context)

        return checked

    def _content(self, node: Node) -> Reader:
        leaf = node.text if isinstance(node.text, Leaf) else None
        if leaf and leaf.row.raw:
            take = leaf_reader(leaf, self.track)
            return lambda element, into, context: take(element, element, into, context)
        attributes = {self._tag(name) if ":" in name else name: self._attribute(s) for name, s in node.attrs.items()}
        for name, clause in self.table.drops.items():
            attributes.setdefault(name, self._attribute(Drop("", clause)))
        if leaf:
            return self._leaf(node, leaf, attributes)
        constant = node.text if isinstance(node.text, Const) else None
        holds = bool(node.children) and not node.opens
        frame = bool(node.group and node.group.always) and not filled(node)  # the format may write it empty
        where = common(node) if holds else None
        find = self._kids(node).get

        def read(element: etree._Element, into: Raw, context: Context) -> None:
            names = element.keys()
            if names:
                _attributes(element, names, attributes, into, context)
            written = element.text
            if written and (stated := written.strip()):
                _stated(element, stated, constant, context)
            seen, child = 0, None
            for child in element:
                found = find(child.tag)
                if found is None:
                    _nowhere(child, element, context)
                    continue
                plain, bit, first, choice = found
                if plain and not seen & bit:
                    seen |= bit
                    first(child, into, context)
                else:
                    seen |= _chosen(child, choice, seen, into, context)
            if child is None and holds and not names and not (frame and into is context.root):
                empty(element, context, about=about(into, where, context))

        return read

    def _leaf(self, node: Node, leaf: Leaf, attributes: dict[str, Handler]) -> Reader:
        """Reads an element that holds a value, alone or beside elements of its own."""
        money = self.table.money if leaf.kind in ("amount", "price") and leaf.row.money else ""
        taxed = leaf.row.money == "tax_currency"
        if money:
            currency = attributes[money] = currency_check(leaf)
        take = leaf_reader(leaf, self.track)
        filler, mixed = leaf.row.filler, bool(node.children)
        whole = bool(leaf.row.lens and leaf.row.lens.whole)
        kids, where = self._kids(node), placed(leaf)

        def amount(element: etree._Element, into: Raw, context: Context) -> None:
            names = element.keys()
            stated = element.get(money)
            if stated is None:
                currency(element, "", into, context)
            elif len(names) == 1 and stated == (context.tax_currency if taxed else context.currency):
                names = ()  # nearly always: an amount in the right currency, and no other attribute
            rest(element, names, into, context)

        def value(element: etree._Element, into: Raw, context: Context) -> None:
            rest(element, element.keys(), into, context)

        def rest(element: etree._Element, names: Any, into: Raw, context: Context) -> None:
            if names:
                _attributes(element, names, attributes, into, context)
            written = element.text
            stripped = written.strip() if written else ""
            if stripped:
                take(element, written if whole else stripped, into, context)
            if len(element):
                _within(element, kids, into, context)
            elif not stripped and not mixed and filler != "":
                empty(element, context, leaf.id, about=about(into, where, context))

        return amount if money else value

    def _attribute(self, source: Leaf | Const | Drop) -> Handler:
        if isinstance(source, Leaf):
            name, where = source.row.path.rpartition("@")[2], placed(source)
            take = leaf_reader(source, self.track, self._tag(name) if ":" in name else name)

            def handle(element: etree._Element, value: str, into: Raw, context: Context) -> None:
                stated = value.strip()
                if stated:
                    take(element, stated, into, context)
                else:
                    empty(element, context, attribute=name, about=about(into, where, context))

            return handle
        if isinstance(source, Drop):
            clause = source.clause
            return lambda element, value, into, context: known(element, value, clause, context)
        if source.select:
            return lambda element, value, into, context: None
        name, constant = self._tag(source.path.rpartition("@")[2]), source

        def compare(element: etree._Element, value: str, into: Raw, context: Context) -> None:
            if value != constant.value:
                otherwise(element, name, value, constant, context)

        return compare

    def _kids(self, node: Node) -> dict[str, Any]:
        """The rows of each element below, by its tag: whether the first is plain, its bit, its reader; and all."""
        named: dict[str, list[Spec]] = {}
        for position, child in enumerate(node.children):
            spec = self._build(child)
            spec.bit = 1 << position if spec.single else 0
            named.setdefault(spec.name, []).append(spec)
        return {name: (specs[0].plain, specs[0].bit, specs[0].read, Choice(specs)) for name, specs in named.items()}


class Choice:
    """The rows for elements of one name, and where an attribute tells them apart, those that its value leaves."""

    __slots__ = ("attribute", "by_value", "rest", "specs")

    def __init__(self, specs: list[Spec]) -> None:
        self.specs = self.rest = specs
        self.attribute, self.by_value = "", dict[str, list[Spec]]()
        told = {one: one.selects[0] for one in specs if one.selects and one.selects[0][0] == "."}
        names, values = {attribute for _, attribute, _ in told.values()}, {value for _, _, value in told.values()}
        if len(names) == 1 and len(values) > 1 and not values & set(_BOOLEAN.values()):
            (self.attribute,) = names
            self.rest = [one for one in specs if one not in told]
            self.by_value = {value: [one for one in specs if one not in told or told[one][2] == value]
                             for value in values}  # fmt: skip

    def among(self, element: etree._Element) -> list[Spec]:
        """The rows that *element* may fit, in the order of the table."""
        return self.by_value.get(element.get(self.attribute, ""), self.rest) if self.attribute else self.specs


def _within(element: etree._Element, kids: dict[str, Any], into: Raw, context: Context) -> None:
    """Reads the elements that stand in one that holds a text."""
    seen = 0
    for child in element:
        found = kids.get(child.tag)  # type: ignore[call-overload,unused-ignore]
        if found is None:
            _nowhere(child, element, context)
        else:
            seen |= _chosen(child, found[3], seen, into, context)


def _nowhere(element: etree._Element, parent: etree._Element, context: Context) -> None:
    """No row has a place for *element*, which is no element at all where the parser left a reference standing."""
    if not isinstance(element.tag, str):
        raise UnreadableDocument("an entity reference", where=place(parent), fix="write the text out")
    unread(element, context)


def _chosen(element: etree._Element, choice: Choice, seen: int, into: Raw, context: Context) -> int:
    """Reads *element* by the first row of *choice* that it fits and that was not *seen*; the bit of that one."""
    specs = choice.specs
    for spec in specs if context.places is not None else choice.among(element):
        if seen & spec.bit or not (spec.plain or spec.fits(element, context)):
            continue
        if spec.dropped:
            known(element, (element.text or "").strip(), spec.dropped, context)
        else:
            spec.read(element, into, context)
        return spec.bit
    if any(seen & spec.bit for spec in specs):
        message = f"{local(element)} stands more than once where one is expected"
        said = f"{text_of(element)} {element.get('currencyID', '')}".strip()
        context.say("EINV-READ-02", message, element, found=said, fix="keep one")
    else:
        unread(element, context)
    return 0


def _attributes(
    element: etree._Element, names: Any, handlers: dict[str, Handler], into: Raw, context: Context
) -> None:  # fmt: skip
    """Each attribute to its row. Refused in masses, since each look-up of a value walks all of them."""
    if len(names) > ATTRIBUTES:
        message = f"an element has {len(names)} attributes, {ATTRIBUTES} are the limit"
        raise UnreadableDocument(message, where=place(element), fix="export the file again")
    for name in names:
        handler = handlers.get(name)
        if handler is None:
            unread_attribute(element, name, element.get(name, ""), context)
        else:
            handler(element, element.get(name, ""), into, context)


def _stated(element: etree._Element, text: str, constant: Const | None, context: Context) -> None:
    """The text of an element that has no term for it."""
    if constant is None:
        stray(element, text, context)
    elif not constant.select and text != constant.value:
        otherwise(element, "", text, constant, context)
    elif text != constant.value:  # a boolean in its other spelling
        context.say("EINV-READ-09", f"read as {constant.value}", element, Severity.INFO, found=text)


def _selecting(rows: tuple[Row, ...], under: str = "") -> Iterator[tuple[str, str]]:
    """The constants that tell one group from another, also those in an element that is always there."""
    paths = [row.path for row in rows]
    for row in rows:
        if isinstance(row, Const) and row.select:
            yield under + row.path, row.value
        elif isinstance(row, Group) and row.always and not row.term and paths.count(row.path) == 1:
            yield from _selecting(row.rows, f"{under}{row.path}/")


def _nothing(element: etree._Element, into: Raw, context: Context) -> None:
    raise AssertionError("a table was read before it was built")


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
