"""The segment syntaxes, EDIFACT and X12: a tree of segments in and out, by the same tables as the XML formats.

In a table a segment is an element and a data element is an attribute: ``NAD/@3.1`` is the first component of the
third data element of NAD. A segment group is an element named after its trigger: ``SG-NAD``. How groups nest is data, a
:class:`Grammar`; what a message holds beyond its table is found and said like anything else that no row touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..mapping import Const, Leaf, Map, Node
from ..money import plain
from ._xml_write import Writer, _Code, _Scope

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
        """``segment 12 NAD, element 3 component 1``, counted from 1 within the message."""
        name = self.tag.removeprefix("SG-")
        if not attribute:
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
    for word in re.findall(r"[()]|[A-Z0-9]+", text):
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


def tree(name: str, segments: Sequence[tuple[int, str, Data]], rules: Grammar) -> Seg:
    """The message tree of *segments* (position, tag, data elements). What fits nowhere stands at the root."""
    root = Seg(name, segments[0][0] if segments else 0)
    path: list[tuple[Seg, Grammar, int]] = [(root, rules, 0)]
    for position, tag, data in segments:
        segment = Seg(tag, position, attributes(data))
        placed = _fit(path, tag, segment)
        if not placed:
            root.append(segment)
    return root


def _fit(path: list[tuple[Seg, Grammar, int]], tag: str, segment: Seg) -> bool:
    """Puts *segment* into the innermost open group that takes it from where that group has come to."""
    for depth in range(len(path) - 1, -1, -1):
        at, rules, start = path[depth]
        found = _next(rules, tag, start)
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
    return {f"{e}.{c}": value for e, components in enumerate(data, 1) for c, value in enumerate(components, 1) if value}


# --- going out --------------------------------------------------------------------------------------------------------


def compile_segments(table: Map, delimiters: Delimiters) -> Writer:
    """A function (invoice, transmission values, negate) to (segments joined, ids of absent required terms).

    The number of segments is the number of segment terminators: data never hold one unreleased.
    """
    code = _SegmentCode(table, delimiters)
    escape = escaping(delimiters)
    names: dict[str, Any] = {
        "E": escape, "Q": escape, "H": table.hooks, "Z": _trimmed(delimiters), **code.constants,
    }  # fmt: skip
    exec(compile(code.text(), f"<table {table.root}>", "exec"), names)  # noqa: S102  our own table, no input
    inner, before = names["write"], table.hooks.get("before")
    decimal = _decimal(delimiters.decimal)

    def write(invoice: Any, meta: Mapping[str, str], negate: bool = False) -> tuple[str, list[str]]:
        source = before(invoice) if before else invoice
        out: list[str] = []
        missing: list[str] = []
        signed = (lambda value: decimal(-value) if value else decimal(value)) if negate else decimal
        inner(source, meta, decimal, signed, out, missing.append)
        return "".join(out), missing

    return write


def escaping(delimiters: Delimiters) -> Callable[[str], str]:
    """Text with every service character released; where there is no release character they must not occur."""
    special = f"{delimiters.element}{delimiters.component}{delimiters.segment}{delimiters.repetition}"
    if not delimiters.release:
        return lambda text: text
    found = re.compile(f"[{re.escape(special + delimiters.release)}]")
    by = delimiters.release
    return lambda text: found.sub(lambda match: by + match.group(), text) if found.search(text) else text


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


class _SegmentCode(_Code):
    """Writes segments where its base writes elements; scopes, loads and conditions are the same."""

    def __init__(self, table: Map, delimiters: Delimiters) -> None:
        self.delimiters = delimiters
        super().__init__(table)

    def _root(self, root: Node) -> None:
        self._line(0, "def write(inv, m, N, S, out, miss):")
        self._line(1, "a = out.append")
        self._line(1, "cu = ct = ''")
        scope = _Scope("inv")
        self._loads(root, scope, 1)
        self._content(root, scope, 1, frozenset())

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
        sure = all(
            isinstance(one, Const) or self._certain(one, scope, known)
            for row in by_element.values()
            for one in row.values()
        )
        self._line(
            indent, self._plain(node.name, by_element, scope) if sure else self._trim(node.name, by_element, scope)
        )
        for row in by_element.values():
            for one in row.values():
                if isinstance(one, Leaf) and one.row.required:
                    self._line(indent, f"if {scope.leaf[id(one)]} is None: miss({one.id!r})")

    def _plain(self, tag: str, elements: dict[int, dict[int, Leaf | Const]], scope: _Scope) -> str:
        """One concatenation: every part is known to be there."""
        d, pieces, text = self.delimiters, [], tag
        for e in range(1, max(elements) + 1):
            text += d.element
            row = elements.get(e, {})
            for c in range(1, max(row, default=0) + 1):
                text += d.component if c > 1 else ""
                source = row.get(c)
                if isinstance(source, Const):
                    text += escaping(d)(source.value)
                elif source is not None:
                    pieces += [repr(text), self._shown(source, scope)]
                    text = ""
        pieces.append(repr(text + d.segment))
        return f"a({' + '.join(pieces)})"

    def _trim(self, tag: str, elements: dict[int, dict[int, Leaf | Const]], scope: _Scope) -> str:
        rows = []
        for e in range(1, max(elements) + 1):
            row = elements.get(e, {})
            cells = [self._cell(row.get(c), scope) for c in range(1, max(row, default=0) + 1)]
            rows.append(f"({', '.join(cells)},)" if cells else "()")
        return f"a(Z({tag!r}, {', '.join(rows)}))"

    def _cell(self, source: Leaf | Const | None, scope: _Scope) -> str:
        if source is None:
            return "''"
        if isinstance(source, Const):
            return repr(escaping(self.delimiters)(source.value))
        local = scope.leaf[id(source)]
        filling = source.row.default if source.row.default is not None else source.row.filler
        return (
            f"({self._shown(source, scope)} if {local} is not None else {escaping(self.delimiters)(filling or '')!r})"
        )

    def _call(self, node: Node, var: str, indent: int) -> None:
        raise ValueError(f"{node.name}: segment tables share no rows by name")

    def _repeated(self, node: Node, leaf: Leaf, scope: _Scope, indent: int) -> None:
        raise ValueError(f"{node.name}: a segment has no text of its own")
