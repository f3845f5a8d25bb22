"""Segments out: a table compiled to Python that writes their text, and prepared segments as text.

Text is put together with three separators of our own between the data, which hold no such sign: a Python text can
carry a lone surrogate, no text that was decoded or validated can. So nothing is released value by value; the whole is
searched once for each service character, and then the separators become those of the interchange.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple, Protocol

from ..mapping import Const, Leaf, Map, Node
from ..money import plain
from ._segments import NEVER, STAND_INS, Data, Delimiters, Limit
from ._xml_write import _Code, _literal, _Scope, _stands_for

#: Between components, between elements, at the end of a segment.
_C, _E, _T = "\udc81\udc82\udc83"
#: The same as they stand in generated code, which has to be encodable.
_c, _e, _t = "\\udc81", "\\udc82", "\\udc83"

#: Segments that are finished at once.
_PORTION = 512


@cache
def finishing(delimiters: Delimiters) -> Callable[[str], str]:
    """A function from text between our separators to text between *delimiters*, every service character released.

    Where there is no release character each becomes its ``STAND_INS``, which no character set holds: the check of
    characters finds it.
    """
    d, by = delimiters, delimiters.release
    marks = [mark for mark in (d.element, d.component, d.segment, d.repetition) if mark]
    written = [(mark, by + mark) for mark in (by, *marks)] if by else list(zip(marks, STAND_INS, strict=False))
    ours = ((_C, d.component), (_E, d.element), (_T, d.segment))

    def finish(text: str) -> str:
        for mark, released in written:
            if mark in text:
                text = text.replace(mark, released)
        for separator, mark in ours:
            text = text.replace(separator, mark)
        return text

    return finish


def serialised(segments: Sequence[Data], delimiters: Delimiters) -> str:
    """*segments* with their terminators, each its tag and data elements as they are read: lists of components.

    >>> serialised([[["UNT"], ["5"], ["1"]], [["COM"], ["+49 221 1", "TE"]]], Delimiters())
    "UNT+5+1'COM+?+49 221 1:TE'"
    """
    finish, whole, element = finishing(delimiters), _E.join, _C.join
    rows = [whole(map(element, segment)) for segment in segments]
    return "".join([finish(text) for text in _portions(rows, _T)])


def segment(delimiters: Delimiters, tag: str, *elements: str | Sequence[str]) -> str:
    """One segment with its terminator; trailing empty elements and components are left out."""
    parts = [one if isinstance(one, str) else _C.join(one).rstrip(_C) for one in elements]
    return finishing(delimiters)(_E.join((tag, *parts)).rstrip(_C + _E) + _T)


def _portions(pieces: list[str], end: str = "") -> Iterator[str]:
    """*pieces* joined in texts of some ten thousand letters: a large one is new memory each time it is changed."""
    for at in range(0, len(pieces), _PORTION):
        yield end.join(pieces[at : at + _PORTION]) + end


# --- what a data element holds ----------------------------------------------------------------------------------------


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


def _limited(text: str, limit: Limit, term: str, cut: Cut) -> str:
    """*text* as the components of one data element. A line break ends a component where there are several."""
    size = limit.size
    if limit.parts > 1 and size < len(text) <= 2 * size and "\n" not in text:
        return text[:size] + _C + text[size:]
    pieces = _pieces(text, size, limit.parts > 1)
    if len(pieces) > limit.parts:
        cut(Over(term, text, size * limit.parts))
    return _C.join(pieces[: limit.parts]).rstrip(_C)


def _pieces(text: str, size: int, lines: bool) -> list[str]:
    """*text* in pieces of *size*. A row that fills its last piece ends with an empty one, for a full one runs on."""
    rows = text.split("\n") if lines else [text.replace("\n", " ")]
    pieces: list[str] = []
    for row in rows:
        if pieces and len(pieces[-1]) == size:
            pieces.append("")
        pieces += [row[at : at + size] for at in range(0, len(row) or 1, size)]
    return pieces


def _decimal(mark: str) -> Callable[[Any], str]:
    return plain if mark == "." else lambda value: plain(value).replace(".", mark)


def _whole(number: Callable[[Any], str]) -> Callable[[Any, Limit, str, Cut], str]:
    """A number, and word of one that is longer than its data element."""

    def whole(value: Any, limit: Limit, term: str, cut: Cut) -> str:
        text = number(value)
        if len(text) > limit.size:
            cut(Over(term, text, limit.size, whole=True))
        return text

    return whole


# --- the compiled writer ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pairs:
    """A segment that ends with pairs of elements, which a table writes apart as ``+TAG``.

    fixed   how many elements come before them
    most    how many pairs it holds
    again   whether more of them begin another such segment; else they find no room
    """

    fixed: int
    most: int
    again: bool = False


class Written(NamedTuple):
    """Segments joined and how many they are; the ids of absent required terms; the pairs that found no room."""

    text: str
    segments: int
    missing: list[str]
    left: list[str]


class SegmentWriter(Protocol):
    def __call__(self, invoice: Any, meta: Mapping[str, str], cut: Cut = ..., /) -> Written: ...


def compile_segments(
    table: Map, delimiters: Delimiters, limits: Mapping[str, Limit] | None = None,
    pairs: Mapping[str, Pairs] | None = None,
) -> SegmentWriter:  # fmt: skip
    """A function (invoice, transmission values, cut) to what was written.

    limits  by place, ``NAD/4.1`` or ``FTX+ACF/4.1`` for one qualifier: a longer text is spread over the components
            there, and cut when it fills them all; ``cut`` is then called
    pairs   by tag, the segments that end with pairs
    """
    code = _SegmentCode(table, delimiters, limits or {}, pairs or {})
    number, finish = _decimal(delimiters.decimal), finishing(delimiters)
    names: dict[str, Any] = {
        "N": number, "H": table.hooks, "L": _limited, "W": _whole(number), "X": _over, "C": _C, "CD": _C + _E,
        "T": _T, "NL": "\n", "ABSENT": code.absent, **code.constants,
    }  # fmt: skip
    exec(compile(code.text(), f"<table {table.root}>", "exec"), names)  # noqa: S102  our own table, no input
    inner, before = names["write"], table.hooks.get("before")

    def write(invoice: Any, meta: Mapping[str, str], cut: Cut = lambda over: None, /) -> Written:
        out: list[str] = []
        missing: list[str] = []
        left: list[str] = []
        inner(before(invoice) if before else invoice, meta, out, missing.append, cut, left)
        texts, count = [], 0
        for text in _portions(out):
            count += text.count(_T)
            texts.append(finish(text))
        return Written("".join(texts), count, missing, [finish(pair) for pair in left])

    return write


def _over(out: list[str], start: int, pairs: Pairs, left: list[str]) -> None:
    """*out* from *start* on are more pairs than their segment holds, which is the text before them."""
    if pairs.again:
        for at in range(start + pairs.most, len(out), pairs.most):
            out[at] = _T + out[start - 1] + out[at]
    else:
        left.extend(out[start + pairs.most :])
        del out[start + pairs.most :]


#: Leaves of one segment that may be absent, up to which every combination is written out as code of its own.
_VARIANTS = 3
_Elements = dict[int, dict[int, Leaf | Const]]


class _SegmentCode(_Code):
    """Writes segments where its base writes elements; scopes and conditions are the same.

    Values are taken from the ``__dict__`` of their object, which costs half as much as its attribute; ``absent`` stands
    for that of an object that is not there.
    """

    ARGUMENTS = "inv, m, out, miss, cut, left"

    def __init__(
        self, table: Map, delimiters: Delimiters, limits: Mapping[str, Limit], pairs: Mapping[str, Pairs]
    ) -> None:
        self.delimiters, self.limits, self.pairs, self._qualified = delimiters, limits, pairs, ""
        self.absent: dict[str, None] = {}
        self._open: Pairs | None = None
        self._loops = 0
        super().__init__(table)

    def _root(self, root: Node) -> None:
        _prune(root)
        self._triggers = set(_triggers(root))
        self._line(0, f"def write({self.ARGUMENTS}):")
        self._line(1, "a = out.append")
        scope = _Scope("inv")
        self._loads(root, scope, 1)
        self._content(root, scope, 1, frozenset())

    def _node(self, node: Node, scope: _Scope, indent: int, known: frozenset[str]) -> None:
        """The trigger of a group is written with its group, even where it states nothing itself."""
        if id(node) in self._triggers:
            self._element(node, scope, indent, "", known)
        else:
            super()._node(node, scope, indent, known)

    # -- loading

    def _load(self, leaf: Leaf, scope: _Scope, indent: int) -> None:
        """Several values of one data element are written as their lens makes one text of them."""
        super()._load(leaf, scope, indent)
        if leaf.many and leaf.row.lens:
            name = scope.leaf[id(leaf)]
            self._line(indent, f"{name} = {self._constant(leaf.row.lens.to)}({name}) if {name} else None")

    def _lens(self, leaf: Leaf) -> str:
        """Codes are few and repeat on every line."""
        assert leaf.row.lens is not None
        to = leaf.row.lens.to
        return self._constant(lru_cache(256)(to) if leaf.kind == "code" or leaf.also == ("scheme",) else to)

    def _attribute(self, base: str, steps: tuple[str, ...], scope: _Scope, indent: int) -> str:
        at = self._object_at((base, ()), base, scope, indent)
        for depth in range(1, len(steps)):
            at = self._object_at((base, steps[:depth]), f"{at}[{steps[depth - 1]!r}]", scope, indent)
        self.absent[steps[-1]] = None
        return f"{at}[{steps[-1]!r}]"

    def _object_at(self, key: tuple[str, tuple[str, ...]], shown: str, scope: _Scope, indent: int) -> str:
        """The local that holds the values of the object *shown*."""
        if key not in scope.objects:
            name = scope.objects[key] = self._new("o")
            if key[1]:
                self.absent[key[1][-1]] = None
                self._line(indent, f"{name} = {shown}")
                self._line(indent, f"{name} = ABSENT if {name} is None else {name}.__dict__")
            else:
                self._line(indent, f"{name} = {shown}.__dict__")
        return scope.objects[key]

    def _opened(self, node: Node, scope: _Scope, indent: int) -> None:
        """Rows for each of several objects are a function: a large one makes the interpreter take its slow paths."""
        group, name = node.group, scope.leaf[id(node)]
        if group is None or not group.many:
            super()._opened(node, scope, indent)
            return
        self._loops += 1
        call = f"f{self._loops}({name}, {self.ARGUMENTS})"
        outer, self._lines = self._lines, []
        self._line(0, f"def f{self._loops}(g, {self.ARGUMENTS}):")
        self._line(1, "a = out.append")
        self._line(1, "for x in g:")
        self._inside(node, _Scope("x"), 2, bool(group.always))
        self._functions += self._lines
        self._lines = outer
        self._line(indent, f"if {name}: {call}")

    # -- segments

    def _content(self, node: Node, scope: _Scope, indent: int, known: frozenset[str]) -> None:
        """The rows of a group in order; ``+TAG`` that follow TAG go on in its segment."""
        start = len(self._lines)
        for child, after in zip(node.children, [*node.children[1:], None], strict=True):
            if not child.name.startswith("+") and after is not None and after.name == f"+{child.name}":
                self._open = self.pairs[child.name]
                self._node(child, scope, indent, known)
                self._line(indent, f"n{child.name} = len(out)")
                continue
            self._node(child, scope, indent, known)
            if child.name.startswith("+") and (after is None or after.name != child.name):
                self._close(child.name[1:], indent)
        if len(self._lines) == start and indent == 1:
            self._line(indent, "pass")

    def _close(self, tag: str, indent: int) -> None:
        pairs = self.pairs[tag]
        self._line(indent, f"if len(out) == n{tag}: out[-1] = out[-1].rstrip(CD)")
        self._line(indent, f"elif len(out) > n{tag} + {pairs.most}: X(out, n{tag}, {self._constant(pairs)}, left)")
        self._put(indent, _t)

    def _element(self, node: Node, scope: _Scope, indent: int, head: str, known: frozenset[str] = frozenset()) -> None:
        if not node.attrs:
            start = len(self._lines)
            self._content(node, scope, indent, known)
            if len(self._lines) == start:
                self._line(indent, "pass")
            return
        elements: _Elements = {}
        for name, source in node.attrs.items():
            element, _, component = name.partition(".")
            if isinstance(source, (Leaf, Const)):
                elements.setdefault(int(element), {})[int(component or 1)] = source
        first = elements.get(1, {}).get(1)
        self._qualified = f"{node.name}+{first.value}" if isinstance(first, Const) else node.name
        sources = [one for row in elements.values() for one in row.values()]
        doubtful = [
            one for one in sources
            if isinstance(one, Leaf) and not self._certain(one, scope, known) and _stands_for(one) is None
        ]  # fmt: skip
        pairs, self._open = self._open, None
        if pairs:
            self._head(node.name, elements, scope, indent, pairs)
        elif len(doubtful) > _VARIANTS:
            self._line(indent, f"a(f'{self._joined(node.name, elements, scope)}'.rstrip(CD) + T)")
        else:
            self._variants(node.name, elements, doubtful, scope, indent)
        for one in sources:
            if isinstance(one, Leaf) and one.row.required:
                self._line(indent, f"if {scope.leaf[id(one)]} is None: miss({one.id!r})")

    def _head(self, tag: str, elements: _Elements, scope: _Scope, indent: int, pairs: Pairs) -> None:
        """The fixed elements of a segment that stays open for its pairs, empty ones at the end too."""
        self._line(indent, f"a('' + f'{self._joined(tag, elements, scope)}{_e * (pairs.fixed - max(elements))}')")

    def _variants(
        self, tag: str, elements: _Elements, doubtful: list[Leaf], scope: _Scope, indent: int
    ) -> None:  # fmt: skip
        """One text for each way the leaves in doubt may be there or not: joining at run time costs more."""
        if not doubtful:
            text = self._plain(tag, elements, scope)
            if tag.startswith("+"):  # each stands for itself, so that they can be counted
                self._line(indent, f"a(f'{text.removeprefix(tag)}')")
            else:
                self._put(indent, f"{text}{_t}")
            return
        leaf, rest = doubtful[0], doubtful[1:]
        without = {e: {c: one for c, one in row.items() if one is not leaf} for e, row in elements.items()}
        self._line(indent, f"if {scope.leaf[id(leaf)]} is not None:")
        self._variants(tag, elements, rest, scope, indent + 1)
        self._line(indent, "else:")
        self._variants(tag, {e: row for e, row in without.items() if row}, rest, scope, indent + 1)

    def _plain(self, tag: str, elements: _Elements, scope: _Scope) -> str:
        """The inside of an f-string: every part is known to be there."""
        text = tag
        for e in range(1, max(elements, default=0) + 1):
            text += _e
            row = elements.get(e, {})
            for c in range(1, max(row, default=0) + 1):
                text += _c if c > 1 else ""
                source = row.get(c)
                if isinstance(source, Const):
                    text += _literal(source.value)
                elif source is not None:
                    certain = _stands_for(source) is None
                    written = self._fitted if certain else self._cell
                    text += f"{{{written(tag, e, c, source, scope)}}}"
        return text

    def _joined(self, tag: str, elements: _Elements, scope: _Scope) -> str:
        """The inside of an f-string: empty parts at the end of an element are left out, empty elements are not."""
        text = tag
        for e in range(1, max(elements) + 1):
            row = elements.get(e, {})
            cells = [self._cell(tag, e, c, row.get(c), scope) for c in range(1, max(row, default=0) + 1)]
            text += _e
            if len(cells) > 1:
                text += f"{{({' + C + '.join(cells)}).rstrip(C)}}"
            elif cells and cells[0] != '""':
                text += f"{{{cells[0]}}}"
        return text

    def _cell(self, tag: str, e: int, c: int, source: Leaf | Const | None, scope: _Scope) -> str:
        """An expression without single quotes, empty where the term is absent."""
        if source is None:
            return '""'
        if isinstance(source, Const):
            return self._constant(source.value)
        shown, filling = self._fitted(tag, e, c, source, scope), _stands_for(source) or ""
        absent = self._constant(filling) if filling else '""'
        return f"({shown} if {scope.leaf[id(source)]} is not None else {absent})"

    def _fitted(self, tag: str, e: int, c: int, leaf: Leaf, scope: _Scope) -> str:
        """The text of *leaf*, no longer than its place takes, as an expression without single quotes."""
        shown, limit = self._shown(leaf, scope), self.limits.get(f"{self._qualified}/{e}.{c}")
        limit = limit or self.limits.get(f"{tag}/{e}.{c}")
        if leaf.row.raw:
            return f'{shown}.replace(":", C)'
        rest = f'{self._constant(limit)}, "{leaf.id}", cut)'
        if shown.startswith("E("):
            text = shown[2:-1]
            fits = "" if limit is None else f"len({text}) <= {limit.size} and NL not in {text}"
            return f"({text} if {fits} else L({text}, {rest})" if fits else text
        if not shown.startswith("N("):
            raise ValueError(f"{leaf.id}: a segment holds texts and numbers; give the row a lens")
        value = shown[2:-1]
        if self.delimiters.decimal != ".":
            return shown if limit is None else f"W({value}, {rest}"
        fits = "" if limit is None else f" and len(t) <= {limit.size}"
        return f'(t if "E" not in (t := str({value})){fits} else {shown if limit is None else f"W({value}, {rest}"})'

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
