"""One table between a syntax and the business terms, walked both ways.

A table is a tuple of rows in document order. Planning resolves each row's term to a place in the model and each
path to steps of the syntax; the syntax (``formats._xml``) compiles the plan into a writer and a reader. A row that
reads is a row that writes: there is no second program to keep in step.

    Field("BT-1", "cbc:ID")                                a leaf
    Field("BT-130", "cbc:InvoicedQuantity/@unitCode")      an attribute of the element before it
    Const("cbc:ChargeIndicator", "false")                  written going out, selects the group coming in
    Group("cac:Item", (...), "BG-31")                      a group of terms; many=True when it repeats
    Drop("cbc:UBLVersionID", "EN 16931-3-2")               known to have no term, with the clause that says so

A term is an id of :mod:`einvoice.terms`, or a path relative to the group it stands in, or ``@name`` for a value
that belongs to the transmission and not to the invoice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import terms
from .money import plain


@dataclass(frozen=True, slots=True)
class Lens:
    """A pair of functions between a value and its text. ``also`` names a second leaf that shares the text.

    to    value (and the second one) to text; None writes nothing
    back  text to value, or to (value, second); ValueError when it is no such text
    whole the text comes with the white space around it, which readers otherwise leave out
    exact False when ``back(to(v))`` may differ from ``v``
    """

    to: Callable[..., str | None]
    back: Callable[[str], Any]
    also: str = ""
    exact: bool = True
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A leaf.

    default   written where the term is absent and its element is written
    filler    written where the syntax wants a text and the term is absent; read back as absent
    raw       the lens makes and takes the inside of the element, not its text
    fallback  another term, taken from the invoice where this one is absent
    required  the syntax cannot do without: written empty when absent, and said
    money     whose currency an amount is in
    signed    the document's sign convention may flip it
    """

    term: str
    path: str = "."
    lens: Lens | None = None
    default: str | None = None
    required: bool = False
    fallback: str = ""
    filler: str | None = None
    raw: bool = False
    money: str = "currency"
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Const:
    """A value the syntax wants. ``select=False``: written; another value coming in is reported, and where ``clause``
    says why it has no term, only as information."""

    path: str
    value: str
    select: bool = True
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """An element or attribute that is known and has no term; ``clause`` says why."""

    path: str
    clause: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one element.

    term    the model group, opened here; empty for mere nesting
    each    name of a hook that gives, going out, the objects to write the rows for, and takes them back coming in
    name    lets another group say ``like=name`` and share these rows (sub-lines)
    when    name of a hook on (object, invoice): the group is written only where it is true
    choose  name of a hook on the source element: the group is read only where it is true
    always  the syntax wants the element even when nothing stands in it
    states  a leaf of the group and the code that the element's own name says, such as ("kind", "service")
    """

    path: str
    rows: tuple[Row, ...] = ()
    term: str = ""
    many: bool = False
    each: str = ""
    name: str = ""
    like: str = ""
    when: str = ""
    choose: str = ""
    always: bool = False
    states: tuple[str, str] | None = None


Row = Field | Const | Drop | Group


@dataclass(frozen=True, slots=True)
class Map:
    """A whole table: the root element, its prefixes, its rows, its hooks.

    hooks   by name, see :class:`Group`; ``before`` invoice to what is written, ``after`` raw values to raw values,
            ``text`` (element, whether a number) to what makes its values text in place of the usual, or None
    whole   a line is whole when its element has been read: ``after`` does not look into it
    money   the attribute that names the currency of an amount
    number  how amounts, prices, quantities and percentages are written
    drops   attributes known on any element that have no term, with the clause that says so
    """

    root: str
    rows: tuple[Row, ...]
    prefixes: Mapping[str, str] = field(default_factory=dict)
    money: str = "currencyID"
    number: Callable[[Decimal], str] = plain
    drops: Mapping[str, str] = field(default_factory=dict)
    hooks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    whole: bool = False


# --- the plan ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaf:
    """A term seen from where it is used: ``steps`` from the object at hand, or from the invoice when ``absolute``."""

    id: str
    steps: tuple[str, ...]
    kind: str
    many: bool
    absolute: bool
    row: Field
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class Node:
    """One element of the syntax: its text, its attributes, its children, the model object it opens."""

    name: str
    text: Leaf | Const | None = None
    attrs: dict[str, Leaf | Const | Drop] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    group: Group | None = None
    steps: tuple[str, ...] = ()
    drop: str = ""
    absolute: bool = False

    @property
    def opens(self) -> bool:
        """True when the rows below speak of another model object than the rows above."""
        return bool(self.group and (self.group.term or self.group.each))

    @property
    def many(self) -> bool:
        return bool(self.group and self.group.many) or (isinstance(self.text, Leaf) and self.text.many)


def plan(table: Map) -> Node:
    """The root node of *table*; ValueError names the row whose term or path does not exist."""
    root = Node(table.root)
    _place(table.rows, root, "")
    return root


def _place(rows: Sequence[Row], parent: Node, scope: str) -> None:
    for row in rows:
        *steps, last = row.path.split("/")
        at = parent
        for step in steps:
            at = _descend(at, step)
        if isinstance(row, Group):
            at.children.append(_group(row, last, scope))
        elif last.startswith("@"):
            at.attrs[last[1:]] = _source(row, scope)
        elif last == ".":
            at.text = _text(row, scope)
        else:
            at.children.append(_element(row, last, scope))


def _descend(at: Node, step: str) -> Node:
    """The child of this name if it is the latest one and not a group of its own, else a new one."""
    latest = at.children[-1] if at.children else None
    if latest is not None and latest.name == step and latest.group is None:
        return latest
    node = Node(step)
    at.children.append(node)
    return node


def _element(row: Field | Const | Drop, name: str, scope: str) -> Node:
    return Node(name, drop=row.clause) if isinstance(row, Drop) else Node(name, text=_text(row, scope))


def _text(row: Field | Const | Drop, scope: str) -> Leaf | Const | None:
    source = _source(row, scope)
    return None if isinstance(source, Drop) else source


def _source(row: Field | Const | Drop, scope: str) -> Leaf | Const | Drop:
    return _leaf(row, scope) if isinstance(row, Field) else row


def _group(row: Group, name: str, scope: str) -> Node:
    node = Node(name, group=row)
    inner = scope
    if row.term:
        path = terms.GROUPS.get(row.term, row.term)
        relative, node.absolute = _relative(path, scope, True) if row.term in terms.GROUPS else (path, False)
        node.steps = tuple(relative.replace("[]", "").split("."))
        inner = path if node.absolute or row.term in terms.GROUPS else f"{scope}.{row.term}" if scope else row.term
        if path.endswith("[]") != row.many:
            raise ValueError(f"{row.path}: {row.term} {'repeats' if path.endswith('[]') else 'does not repeat'}")
    elif row.each:
        inner = ""
    _place(row.rows, node, inner)
    return node


def _leaf(row: Field, scope: str) -> Leaf:
    if row.term.startswith("@"):
        return Leaf(row.term, (row.term[1:],), "meta", many=False, absolute=True, row=row)
    path = terms.term(row.term).path if row.term in terms.TERMS else f"{scope}.{row.term}" if scope else row.term
    if path.endswith("[]") and path in terms.GROUPS.values():
        return Leaf(path, (path.rsplit(".", 1)[-1][:-2],), "group", many=True, absolute=False, row=row)
    try:
        term = terms.at(path.replace(".sub_lines[]", ""))
    except KeyError:
        raise ValueError(f"{row.path}: no term at {path}") from None
    relative, absolute = _relative(path, scope, row.term in terms.TERMS)
    also = tuple(row.lens.also.split(".")) if row.lens and row.lens.also else ()
    steps = tuple(relative.removesuffix("[]").split("."))
    return Leaf(term.id, steps, term.kind, relative.endswith("[]"), absolute, row, also)


def _relative(path: str, scope: str, by_id: bool) -> tuple[str, bool]:
    """*path* from the object at *scope*, and whether it had to be taken from the invoice instead."""
    if not scope and "[]" not in path.removesuffix("[]"):
        return path, False
    if scope and path.startswith(f"{scope}."):
        relative = path[len(scope) + 1 :]
        if "[]" not in relative.removesuffix("[]"):
            return relative, False
    if by_id and "[]" not in path.removesuffix("[]"):
        return path, True
    raise ValueError(f"{path} cannot be reached from {scope or 'the invoice'}")


def placed(table: Map) -> set[str]:
    """Ids of the terms that *table* has a place for."""
    found: set[str] = set()

    def walk(node: Node) -> None:
        for source in (node.text, *node.attrs.values()):
            if isinstance(source, Leaf) and source.kind == "group":
                found.update(t.id for t in terms.TERMS.values() if t.path.startswith(source.id))
            elif isinstance(source, Leaf) and source.kind != "meta":
                found.update({source.id, source.row.fallback or source.id})
                if source.also:
                    found.add(terms.at(".".join([*terms.term(source.id).path.split(".")[:-1], *source.also])).id)
        for child in node.children:
            walk(child)

    walk(plan(table))
    return found
