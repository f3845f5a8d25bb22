"""A table walked into an lxml tree: slow, plain, and no code shared with the generated writer it is compared with."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from einvoice import terms
from einvoice.mapping import Const, Leaf, Map, Node, plan
from einvoice.model import Invoice

_XML = "http://www.w3.org/XML/1998/namespace"


class TreeWriter:
    """Writes by *table*. ``write`` gives the root element."""

    def __init__(self, table: Map) -> None:
        self.table, self.root = table, plan(table)
        self.named: dict[str, Node] = {}
        self._name(self.root)

    def _name(self, node: Node) -> None:
        if node.group and node.group.name:
            self.named[node.group.name] = node
        for child in node.children:
            self._name(child)

    def write(self, invoice: Invoice, meta: Mapping[str, str], negate: bool = False) -> etree._Element:
        before = self.table.hooks.get("before")
        self.invoice, self.meta, self.negate = before(invoice) if before else invoice, meta, negate
        spaces = {prefix or None: uri for prefix, uri in self.table.prefixes.items()}
        root = etree.Element(self._tag(self.root.name), nsmap=spaces)
        self._fill(self.root, root, self.invoice)
        return root

    # -- values

    def _value(self, leaf: Leaf, at: Any) -> Any:
        """What the leaf states, its lens applied; a tuple where it repeats."""
        if leaf.kind == "meta":
            return self.meta.get(leaf.steps[0])
        value = _follow(self.invoice if leaf.absolute else at, leaf.steps)
        if value is None and leaf.row.fallback:
            value = _follow(self.invoice, terms.term(leaf.row.fallback).path.split("."))
        lens = leaf.row.lens
        if leaf.many:
            return tuple(lens.to(one) if lens else one for one in value or ())
        if lens is None:
            return value
        if leaf.also:
            second = _follow(self.invoice if leaf.absolute else at, (*leaf.steps[:-1], *leaf.also))
            return None if value is None and second is None else lens.to(value, second)
        return None if value is None else lens.to(value)

    def _text(self, leaf: Leaf, value: Any) -> str:
        if isinstance(value, Decimal):
            flip = self.negate and leaf.row.signed and value
            return format(-value if flip else value, "f")
        if isinstance(value, bytes):
            return b64encode(value).decode()
        return value.isoformat() if isinstance(value, date) else str(value)

    def _stated(self, node: Node, at: Any) -> bool:
        """True when any term below *node* that belongs to *at* is there."""
        for source in (node.text, *node.attrs.values()):
            if isinstance(source, Leaf) and self._value(source, at) not in (None, ()):
                return True
        return any(
            bool(self._objects(child, at)) if child.opens else self._stated(child, at) for child in node.children
        )

    def _objects(self, node: Node, at: Any) -> list[Any]:
        """The model objects that the group *node* is written for."""
        group = node.group
        assert group is not None
        if group.each:
            return list(self.table.hooks[group.each](self.invoice))
        found = _follow(self.invoice if node.absolute else at, node.steps)
        many = list(found or ()) if group.many else [found]
        kept = [one for one in many if not group.when or self.table.hooks[group.when](one, self.invoice)]
        return [one for one in kept if one is not None]

    # -- elements

    def _child(self, node: Node, parent: etree._Element, at: Any) -> None:
        group = node.group
        if node.drop:
            return
        if node.opens and group is not None:
            objects = self._objects(node, at) or ([_Nothing()] if group.always and not group.many else [])
            for one in objects:
                shared = bool(group.like or group.name)
                if shared or group.always or self._stated(node, one) or not self._terms(node):
                    rows = self.named[group.like] if group.like else node
                    self._fill(rows, etree.SubElement(parent, self._tag(node.name)), one)
        elif isinstance(node.text, Leaf) and node.text.many:
            for text in self._value(node.text, at):
                if text is not None:
                    element = etree.SubElement(parent, self._tag(node.name))
                    self._attributes(node, element, at)
                    element.text = str(text)
        elif self._wanted(node, at):
            self._fill(node, etree.SubElement(parent, self._tag(node.name)), at)

    def _terms(self, node: Node) -> bool:
        sources = (node.text, *node.attrs.values())
        return any(isinstance(source, Leaf) for source in sources) or any(
            child.opens or self._terms(child) for child in node.children
        )

    def _wanted(self, node: Node, at: Any) -> bool:
        if _always(node) or (isinstance(node.text, Leaf) and _filling(node.text) is not None):
            return True
        if node.group and node.group.when:
            if not self.table.hooks[node.group.when](at, self.invoice):
                return False
            return node.group.always or self._stated(node, at) or not self._terms(node)
        return self._stated(node, at) or not self._terms(node)

    def _fill(self, node: Node, element: etree._Element, at: Any) -> None:
        self._attributes(node, element, at)
        if isinstance(node.text, Const):
            element.text = node.text.value
        elif isinstance(node.text, Leaf):
            self._content(node.text, element, self._value(node.text, at))
        for child in node.children:
            self._child(child, element, at)

    def _content(self, leaf: Leaf, element: etree._Element, value: Any) -> None:
        if leaf.kind in ("amount", "price") and self.table.money and leaf.row.money:
            currency = getattr(self.invoice, leaf.row.money)
            if currency:
                element.set(self.table.money, currency)
        if value is not None and leaf.row.raw:
            inside = etree.fromstring(f"<x>{value}</x>")
            element.text = inside.text
            element.extend(inside)
        elif value is not None:
            element.text = self._text(leaf, value)
        elif not leaf.row.required:
            element.text = _filling(leaf)

    def _attributes(self, node: Node, element: etree._Element, at: Any) -> None:
        for name, source in node.attrs.items():
            value: str | None = None
            if isinstance(source, Const):
                value = source.value
            elif isinstance(source, Leaf):
                stated = self._value(source, at)
                value = "" if source.row.required else _filling(source)
                value = value if stated is None else self._text(source, stated)
            if value is not None:
                element.set(self._tag(name), value)

    def _tag(self, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        uri = _XML if prefix == "xml" else self.table.prefixes.get(prefix, "")
        return f"{{{uri}}}{local}" if uri and (prefix or name[:1].isupper()) else local


class _Nothing:
    """Stands for a model object that is not there."""

    def __getattr__(self, name: str) -> None:
        return None


def _follow(at: Any, steps: Any) -> Any:
    for step in steps:
        at = None if at is None else getattr(at, step)
    return at


def _filling(leaf: Leaf) -> str | None:
    return leaf.row.default if leaf.row.default is not None else leaf.row.filler


def _always(node: Node) -> bool:
    """True when the syntax wants the element whatever is stated."""
    if node.group and (node.group.always or node.group.when):
        return not node.group.when
    sources = (node.text, *node.attrs.values())
    if any(isinstance(source, Leaf) and source.row.required for source in sources):
        return True
    return any(_always(child) for child in node.children if not child.opens)
