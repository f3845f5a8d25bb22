"""The segment syntaxes, EDIFACT and X12: a tree of segments in and out, by the same tables as the XML formats.

In a table a segment is an element and a data element is an attribute: ``NAD/@3.1`` is the first component of the
third data element of NAD. A segment group is an element named after its trigger: ``SG-NAD``. How groups nest is data, a
:class:`Grammar`; what a message holds beyond its table is found and said like anything else that no row touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..mapping import Const, Leaf, Map, Node
from ..money import plain
from ._xml_write import _Code, _Scope, _stands_for

#: The ``when`` of a group that is read and never written: another partner's way to say the same.
NEVER = "never"
#: One segment: its tag, its data elements, each a list of components, and where it stands in the interchange.
Data = list[list[str]]


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The service characters. ``release`` is empty in X12, which has none."""

    element: str = "+"
    component: str = ":"
    segment: str = "'"
    release: str = "?"
    repetition: str = ""
    decimal: str = "."


class Seg:
    """A segment or a group in a message tree. It answers what a reader asks of an XML element, and no more."""

    __slots__ = ("attrib", "children", "parent", "position", "tag", "text")

    def __init__(self, tag: str, position: int, attrib: dict[str, str] | None = None) -> None:
        self.tag, self.position = tag, position
        self.attrib: dict[str, str] = attrib or {}
        self.children: list[Seg] = []
        self.parent: Seg | None = None
        self.text = None

    def __iter__(self) -> Iterator[Seg]:
        return iter(self.children)

    def __len__(self) -> int:
        return len(self.children)

    def append(self, child: Seg) -> None:
        child.parent = self
        self.children.append(child)

    def keys(self) -> Iterable[str]:
        return self.attrib.keys()

    def items(self) -> Iterable[tuple[str, str]]:
        return self.attrib.items()

    def get(self, name: str, default: str | None = None) -> str | None:
        return self.attrib.get(name, default)

    def find(self, path: str) -> Seg | None:
        at: Seg | None = self
        for step in path.split("/"):
            at = next((child for child in at.children if child.tag == step), None) if at else None
        return at

    def itertext(self) -> Iterator[str]:
        yield "+".join(self.attrib.values())
        for child in self.children:
            yield from child.itertext()

    def place(self, attribute: str = "") -> str:
        """``segment 12 NAD, element 3 component 1``, counted from 1 within the message; or ``the whole INVOIC``."""
        name = self.tag.removeprefix("SG-").rpartition("}")[2].removeprefix("+")
        if not self.position:
            return f"the whole {name}"
        if not attribute or self.tag.startswith("+"):  # a part of a segment that is read apart: see _x12_prepare
            return f"segment {self.position} {name}"
        element, _, component = attribute.partition(".")
        return f"segment {self.position} {name}, element {element}" + (f" component {component}" if component else "")


# --- how groups nest --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Grammar:
    """A segment group: its trigger, and in order what may follow it: segments by tag, groups by their trigger.

    Written as text: ``BGM DTM (RFF DTM) (NAD LOC (CTA COM))``. Repetition is not counted: a partner who repeats a
    segment more often than the directory allows is still read.
    """

    trigger: str = ""
    items: list[str | Grammar] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"SG-{self.trigger}"


def grammar(text: str) -> Grammar:
    """The grammar written as *text*."""
    root = Grammar()
    stack = [root]
    for word in re.findall(r"[()]|[+A-Z0-9]+", text):
        if word == "(":
            group = Grammar()
            stack[-1].items.append(group)
            stack.append(group)
        elif word == ")":
            stack.pop()
        elif len(stack) > 1 and not stack[-1].trigger:
            stack[-1].trigger = word
            stack[-1].items.append(word)
        else:
            stack[-1].items.append(word)
    return root


#: The tag prefix of a segment that its message has no place for; no row of a table can touch it by mistake.
NOWHERE = "{nowhere}"


def tree(
    name: str, segments: Sequence[tuple[int, str, Data]], rules: Grammar, astray: Callable[[Seg], None] | None = None
) -> Seg:
    """The message tree of *segments* (position, tag, data elements). What fits nowhere stands at the root, marked.

    astray  called for each segment that stands after one it must precede; it is put into the innermost open group
            that knows it. Without *astray* such a segment fits nowhere.
    """
    root = Seg(name, 0)
    path: list[tuple[Seg, Grammar, int]] = [(root, rules, 0)]
    for position, tag, data in segments:
        segment = Seg(tag, position, attributes(data))
        if _fit(path, tag, segment):
            continue
        if astray is not None and _fit(path, tag, segment, anywhere=True):
            astray(segment)
        else:
            segment.tag = f"{NOWHERE}{tag}"
            root.append(segment)
    return root


def _fit(path: list[tuple[Seg, Grammar, int]], tag: str, segment: Seg, anywhere: bool = False) -> bool:
    """Puts *segment* into the innermost open group that takes it from where that group has come to, or *anywhere*."""
    for depth in range(len(path) - 1, -1, -1):
        at, rules, start = path[depth]
        found = _next(rules, tag, 0 if anywhere else start)
        if found is None:
            continue
        item = rules.items[found]
        path[depth] = (at, rules, found)
        del path[depth + 1 :]
        if isinstance(item, Grammar):
            group = Seg(item.name, segment.position)
            at.append(group)
            group.append(segment)
            path.append((group, item, 0))
        else:
            at.append(segment)
        return True
    return False


def _next(rules: Grammar, tag: str, start: int) -> int | None:
    for index in range(start, len(rules.items)):
        item = rules.items[index]
        if (item.trigger if isinstance(item, Grammar) else item) == tag:
            again = index == 0 and rules.trigger == tag  # a trigger seen again opens the next group, one level up
            return None if again else index
    return None


def attributes(data: Data) -> dict[str, str]:
    """Non-empty components by ``element.component``; a simple element's only component is ``element.1``."""
    found: dict[str, str] = {}
    for e, components in enumerate(data, 1):
        if len(components) == 1:
            if components[0]:
                found[_key(e, 1)] = components[0]
            continue
        for c, value in enumerate(components, 1):
            if value:
                found[_key(e, c)] = value
    return found


def _key(e: int, c: int) -> str:
    """``e.c``, made once: a message has thousands of them."""
    return _KEYS[e][c] if e < 40 and c < 20 else f"{e}.{c}"


_KEYS = tuple(tuple(f"{e}.{c}" for c in range(20)) for e in range(40))


# --- going out --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """What a data element holds: ``size`` characters, ``parts`` times where it repeats as components."""

    size: int
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Over:
    """A text that its data element could not hold whole; it was cut to ``room`` characters.

    whole  a number: it was written as it is, for a number cut is another number
    """

    term: str
    text: str
    room: int
    whole: bool = False


#: Called with what was cut.
Cut = Callable[[Over], None]


class SegmentWriter(Protocol):
    def __call__(
        self, invoice: Any, meta: Mapping[str, str], negate: bool = False, cut: Cut = ..., /
    ) -> tuple[str, list[str]]: ...


def compile_segments(table: Map, delimiters: Delimiters, limits: Mapping[str, Limit] | None = None) -> SegmentWriter:
    """A function (invoice, transmission values, negate, cut) to (segments joined, ids of absent required terms).

    The number of segments is the number of segment terminators: data never hold one unreleased.

    limits  by place, ``NAD/4.1`` or ``FTX+ACF/4.1`` for one qualifier: a longer text is spread over the components
            there, and cut when it fills them all; ``cut`` is then called
    """
    code = _SegmentCode(table, delimiters, limits or {})
    escape = escaping(delimiters)
    names: dict[str, Any] = {
        "E": escape, "Q": escape, "H": table.hooks, "Z": _trimmed(delimiters), "L": limiting(delimiters), "W": _whole,
        **code.constants,
    }  # fmt: skip
    exec(compile(code.text(), f"<table {table.root}>", "exec"), names)  # noqa: S102  our own table, no input
    inner, before = names["write"], table.hooks.get("before")
    decimal = _decimal(delimiters.decimal)

    def write(
        invoice: Any, meta: Mapping[str, str], negate: bool = False, cut: Cut = lambda over: None, /
    ) -> tuple[str, list[str]]:
        source = before(invoice) if before else invoice
        out: list[str] = []
        missing: list[str] = []
        signed = (lambda value: decimal(-value) if value else decimal(value)) if negate else decimal
        inner(source, meta, decimal, signed, out, missing.append, cut)
        return "".join(out), missing

    return write


#: Of the private use area: element, component, segment, repetition.
STAND_INS = "\ue000\ue001\ue002\ue003"


def escaping(delimiters: Delimiters) -> Callable[[str], str]:
    """Text with every service character released.

    Where there is no release character each becomes its ``STAND_INS``, which no character set holds: the check of
    characters finds it.
    """
    special = f"{delimiters.element}{delimiters.component}{delimiters.segment}{delimiters.repetition}"
    if not delimiters.release:
        found = re.compile(f"[{re.escape(special)}]")
        table = {ord(mark): STAND_INS[index] for index, mark in enumerate(special)}
        return lambda text: text.translate(table) if found.search(text) else text
    found = re.compile(f"[{re.escape(special + delimiters.release)}]")
    search, substitute, by = found.search, found.sub, delimiters.release
    return lambda text: substitute(lambda match: by + match.group(), text) if search(text) else text


def limiting(delimiters: Delimiters) -> Callable[[str, Limit, str, Cut], str]:
    """Text as the components of one data element. A line break ends a component where there are several."""
    escape, join = escaping(delimiters), delimiters.component.join

    def limited(text: str, limit: Limit, term: str, cut: Cut) -> str:
        if len(text) <= limit.size and "\n" not in text:
            return escape(text)
        pieces = _pieces(text, limit.size, limit.parts > 1)
        if len(pieces) > limit.parts:
            cut(Over(term, text, limit.size * limit.parts))
        del pieces[limit.parts :]
        while pieces and not pieces[-1]:
            pieces.pop()
        return join(map(escape, pieces))

    return limited


def _whole(text: str, limit: Limit, term: str, cut: Cut) -> str:
    """A number, and word of one that is longer than its data element."""
    if len(text) > limit.size:
        cut(Over(term, text, limit.size, whole=True))
    return text


def _pieces(text: str, size: int, lines: bool) -> list[str]:
    """*text* in pieces of *size*. A row that fills its last piece ends with an empty one, for a full one runs on."""
    rows = text.split("\n") if lines else [text.replace("\n", " ")]
    pieces: list[str] = []
    for row in rows:
        if pieces and len(pieces[-1]) == size:
            pieces.append("")
        pieces += [row[at : at + size] for at in range(0, len(row) or 1, size)]
    return pieces


def rejoined(pieces: Sequence[str], size: int, separator: str) -> str:
    """The text that was spread over *pieces*: a full one runs on into the next, another ends with *separator*.

    >>> rejoined(["Beispiel Instr", "umente", "Halle 4"], 14, " ")
    'Beispiel Instrumente Halle 4'
    """
    text = "".join(piece if len(piece) == size else f"{piece}{separator}" for piece in pieces[:-1])
    return text + pieces[-1]


def _decimal(mark: str) -> Callable[[Any], str]:
    return plain if mark == "." else lambda value: plain(value).replace(".", mark)


def _trimmed(delimiters: Delimiters) -> Callable[..., str]:
    """Joins a segment, leaving out trailing empty components and elements."""
    c, e, t = delimiters.component, delimiters.element, delimiters.segment

    def join(tag: str, *elements: tuple[str, ...]) -> str:
        parts = [tag]
        for element in elements:
            last = len(element)
            while last and not element[last - 1]:
                last -= 1
            parts.append(c.join(element[:last]))
        while not parts[-1]:
            parts.pop()
        return e.join(parts) + t

    return join


#: Leaves of one segment that may be absent, up to which every combination is written out as code of its own.
_VARIANTS = 3


class _SegmentCode(_Code):
    """Writes segments where its base writes elements; scopes, loads and conditions are the same."""

    def __init__(self, table: Map, delimiters: Delimiters, limits: Mapping[str, Limit]) -> None:
        self.delimiters, self.limits, self._qualified = delimiters, limits, ""
        super().__init__(table)

    def _root(self, root: Node) -> None:
        _prune(root)
        self._triggers = set(_triggers(root))
        self._line(0, "def write(inv, m, N, S, out, miss, cut):")
        self._line(1, "a = out.append")
        self._line(1, "cu = ct = ''")
        scope = _Scope("inv")
        self._loads(root, scope, 1)
        self._content(root, scope, 1, frozenset())

    def _node(self, node: Node, scope: _Scope, indent: int, known: frozenset[str]) -> None:
        """The trigger of a group is written with its group, even where it states nothing itself."""
        if id(node) in self._triggers:
            self._element(node, scope, indent, "", known)
        else:
            super()._node(node, scope, indent, known)

    def _load(self, leaf: Leaf, scope: _Scope, indent: int) -> None:
        """Several values of one data element are written as their lens makes one text of them."""
        super()._load(leaf, scope, indent)
        if leaf.many and leaf.row.lens:
            name = scope.leaf[id(leaf)]
            self._line(indent, f"{name} = {self._constant(leaf.row.lens.to)}({name}) if {name} else None")

    def _element(self, node: Node, scope: _Scope, indent: int, head: str, known: frozenset[str] = frozenset()) -> None:
        if not node.attrs:
            start = len(self._lines)
            self._content(node, scope, indent, known)
            if len(self._lines) == start:
                self._line(indent, "pass")
            return
        by_element: dict[int, dict[int, Leaf | Const]] = {}
        for name, source in node.attrs.items():
            element, _, component = name.partition(".")
            if isinstance(source, (Leaf, Const)):
                by_element.setdefault(int(element), {})[int(component or 1)] = source
        first = by_element.get(1, {}).get(1)
        self._qualified = f"{node.name}+{first.value}" if isinstance(first, Const) else node.name
        sources = [one for row in by_element.values() for one in row.values()]
        doubtful = [
            one for one in sources
            if isinstance(one, Leaf) and not self._certain(one, scope, known) and _stands_for(one) is None
        ]  # fmt: skip
        if len(doubtful) > _VARIANTS:
            self._line(indent, self._trim(node.name, by_element, scope))
        else:
            self._variants(node.name, by_element, doubtful, scope, indent)
        for row in by_element.values():
            for one in row.values():
                if isinstance(one, Leaf) and one.row.required:
                    self._line(indent, f"if {scope.leaf[id(one)]} is None: miss({one.id!r})")

    def _variants(
        self, tag: str, elements: dict[int, dict[int, Leaf | Const]], doubtful: list[Leaf], scope: _Scope, indent: int
    ) -> None:
        """One concatenation for each way the leaves in doubt may be there or not: joining at run time costs more."""
        if not doubtful:
            self._line(indent, self._plain(tag, elements, scope))
            return
        leaf, rest = doubtful[0], doubtful[1:]
        without = {e: {c: one for c, one in row.items() if one is not leaf} for e, row in elements.items()}
        self._line(indent, f"if {scope.leaf[id(leaf)]} is not None:")
        self._variants(tag, elements, rest, scope, indent + 1)
        self._line(indent, "else:")
        self._variants(tag, {e: row for e, row in without.items() if row}, rest, scope, indent + 1)

    def _plain(self, tag: str, elements: dict[int, dict[int, Leaf | Const]], scope: _Scope) -> str:
        """One concatenation: every part is known to be there."""
        d, pieces, text = self.delimiters, [], tag
        for e in range(1, max(elements, default=0) + 1):
            text += d.element
            row = elements.get(e, {})
            for c in range(1, max(row, default=0) + 1):
                text += d.component if c > 1 else ""
                source = row.get(c)
                if isinstance(source, Const):
                    text += escaping(d)(source.value)
                elif source is not None:
                    written = self._cell if _stands_for(source) is not None else self._fitted
                    pieces += [repr(text), written(tag, e, c, source, scope)]
                    text = ""
        pieces.append(repr(text + d.segment))
        return f"a({' + '.join(pieces)})"

    def _trim(self, tag: str, elements: dict[int, dict[int, Leaf | Const]], scope: _Scope) -> str:
        rows, flat, single = [], [], True
        for e in range(1, max(elements) + 1):
            row = elements.get(e, {})
            cells = [self._cell(tag, e, c, row.get(c), scope) for c in range(1, max(row, default=0) + 1)]
            rows.append(f"({', '.join(cells)},)" if cells else "()")
            flat.append(cells[0] if cells else "''")
            single = single and len(cells) < 2
        d = self.delimiters
        if single and not d.release:  # data cannot end with a separator, so the empty end can be stripped off
            return f"a({d.element!r}.join(({tag!r}, {', '.join(flat)})).rstrip({d.element!r}) + {d.segment!r})"
        return f"a(Z({tag!r}, {', '.join(rows)}))"

    def _fitted(self, tag: str, e: int, c: int, leaf: Leaf, scope: _Scope) -> str:
        """The text of *leaf*, no longer than its place takes."""
        shown, limit = self._shown(leaf, scope), self.limits.get(f"{self._qualified}/{e}.{c}")
        limit = limit or self.limits.get(f"{tag}/{e}.{c}")
        if leaf.row.raw and self.delimiters.component != ":":
            return f"{shown}.replace(':', {self.delimiters.component!r})"
        if limit is None or leaf.row.raw:
            return shown
        rest = f"{self._constant(limit)}, {leaf.id!r}, cut)"
        if not shown.startswith("E("):
            return f"W({shown}, {rest}"
        text = shown[2:-1]
        return f"({shown} if len({text}) <= {limit.size} and '\\n' not in {text} else L({text}, {rest})"

    def _cell(self, tag: str, e: int, c: int, source: Leaf | Const | None, scope: _Scope) -> str:
        if source is None:
            return "''"
        if isinstance(source, Const):
            return repr(escaping(self.delimiters)(source.value))
        local = scope.leaf[id(source)]
        filling = _stands_for(source)
        shown = self._fitted(tag, e, c, source, scope)
        return f"({shown} if {local} is not None else {escaping(self.delimiters)(filling or '')!r})"

    def _call(self, node: Node, var: str, indent: int) -> None:
        raise ValueError(f"{node.name}: segment tables share no rows by name")

    def _repeated(self, node: Node, leaf: Leaf, scope: _Scope, indent: int) -> None:
        raise ValueError(f"{node.name}: a segment has no text of its own")


def _triggers(node: Node) -> Iterator[int]:
    first = node.children[0] if node.children else None
    if first is not None and node.name == f"SG-{first.name}" and not first.opens:
        yield id(first)
    for child in node.children:
        yield from _triggers(child)


def _prune(node: Node) -> None:
    """Without the groups that are only read: ``when="never"``."""
    node.children = [child for child in node.children if child.group is None or child.group.when != NEVER]
    for child in node.children:
        _prune(child)
