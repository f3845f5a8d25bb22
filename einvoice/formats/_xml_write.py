"""A table compiled to Python that writes escaped text.

An lxml tree costs about fifteen times a string template; straight-line code with one local per term stays near the
template. The code is made once per table and can be read: ``source(table)``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from .. import terms
from ..errors import Finding
from ..mapping import Const, Leaf, Map, Node, plan
from ..model import Invoice
from ..money import plain
from ._xml import escape, quote

#: Going out: how a value of each kind becomes text. ``N`` is a number, ``S`` a number whose sign the document flips.
_FORMAT = {
    "text": "E({})", "code": "E({})", "id": "E({})", "time": "E({})", "meta": "E({})", "group": "E({})",
    "date": "{}.isoformat()", "amount": "N({})", "price": "N({})", "quantity": "N({})", "percent": "N({})",
    "binary": "B({})", "flag": "E({})",
}  # fmt: skip
_MONEY = ("amount", "price")

Writer = Callable[[Any, Mapping[str, str], bool], tuple[str, list[str]]]


def absent(ids: Iterable[str]) -> tuple[Finding, ...]:
    """Findings for terms that a format cannot do without and that the invoice does not state."""
    told = "the format cannot do without {}, which the invoice does not state"
    return tuple(Finding("EINV-WRITE-01", told.format(id_), term=id_, fix="state it in the source") for id_ in ids)


def negated(value: Decimal) -> str:
    """*value* with its sign flipped, zero staying zero.

    >>> negated(Decimal("12.50")), negated(Decimal("0.00"))
    ('-12.50', '0.00')
    """
    return plain(-value) if value else plain(value)


def compile_writer(table: Map) -> Writer:
    """A function (invoice, transmission values, negate) to (XML without declaration, ids of absent required terms)."""
    code = _Code(table)
    names: dict[str, Any] = {
        "E": escape, "Q": quote, "plain": plain, "negated": negated, "B": lambda value: b64encode(value).decode(),
        **code.constants,
    }  # fmt: skip
    exec(compile(code.text(), f"<table {table.root}>", "exec"), names)  # noqa: S102  our own table, no input
    inner = names["write"]
    before = table.hooks.get("before")

    def write(invoice: Invoice, meta: Mapping[str, str], negate: bool = False) -> tuple[str, list[str]]:
        source = before(invoice) if before else invoice
        out: list[str] = []
        missing: list[str] = []
        inner(source, meta, table.number, negated if negate else table.number, out, missing.append)
        return "".join(out), missing

    return write


def source(table: Map) -> str:
    """The generated code, for people."""
    return _Code(table).text()


class _Code:
    """Walks the plan once and keeps lines of Python."""

    ARGUMENTS = "inv, m, N, S, out, miss, cu, ct"

    def __init__(self, table: Map) -> None:
        self.table = table
        self.constants: dict[str, Any] = {}
        self._hooks: dict[str, str] = {}
        self._names = 0
        self._functions: list[str] = []
        self._named: set[str] = set()
        self._lines: list[str] = []
        root = plan(table)
        self._root(root)

    def text(self) -> str:
        return "\n".join([*self._functions, *self._lines]) + "\n"

    # -- pieces

    def _line(self, indent: int, text: str) -> None:
        self._lines.append("    " * indent + text)

    def _put(self, indent: int, text: str) -> None:
        """One append of *text*, the inside of an f-string; joined to the append before it where nothing is between."""
        head = "    " * indent + "a(f'"
        if self._lines and self._lines[-1].startswith(head):
            self._lines[-1] = f"{self._lines[-1][:-2]}{text}')"
        else:
            self._lines.append(f"{head}{text}')")

    def _new(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def _root(self, root: Node) -> None:
        spaces = "".join(f' xmlns{":" + p if p else ""}="{uri}"' for p, uri in self.table.prefixes.items())
        money = self.table.money
        self._line(0, "def write(inv, m, N, S, out, miss):")
        self._line(1, "a = out.append")
        self._line(1, f"cu = f' {money}=\"{{Q(inv.currency)}}\"' if inv.currency else ''")
        self._line(1, f"ct = f' {money}=\"{{Q(inv.tax_currency)}}\"' if inv.tax_currency else ''")
        scope = _Scope("inv")
        self._loads(root, scope, 1)
        self._element(root, scope, 1, f"<{root.name}{spaces}")

    # -- loading: every leaf of a scope becomes a local before anything is written

    def _loads(self, node: Node, scope: _Scope, indent: int) -> None:
        for source in (node.text, *node.attrs.values()):
            if isinstance(source, Leaf):
                self._load(source, scope, indent)
        for child in node.children:
            if child.opens:
                self._load_object(child, scope, indent)
            else:
                self._loads(child, scope, indent)

    def _load(self, leaf: Leaf, scope: _Scope, indent: int) -> None:
        name = self._new("v")
        scope.leaf[id(leaf)] = name
        if leaf.kind == "meta":
            self._line(indent, f"{name} = m.get({leaf.steps[0]!r})")
            return
        base = "inv" if leaf.absolute else scope.var
        self._line(indent, f"{name} = {self._attribute(base, leaf.steps, scope, indent)}")
        if leaf.row.fallback:
            steps = tuple(terms.term(leaf.row.fallback).path.split("."))
            self._line(indent, f"if {name} is None: {name} = {self._attribute('inv', steps, scope, indent)}")
        if leaf.row.lens and not leaf.many:
            lens = self._lens(leaf)
            also = self._attribute(base, (*leaf.steps[:-1], *leaf.also), scope, indent) if leaf.also else ""
            if also:
                second = self._new("v")
                self._line(indent, f"{second} = {also}")
                self._line(indent, f"if {name} is not None or {second} is not None: {name} = {lens}({name}, {second})")
            else:
                self._line(indent, f"if {name} is not None: {name} = {lens}({name})")

    def _lens(self, leaf: Leaf) -> str:
        assert leaf.row.lens is not None
        return self._constant(leaf.row.lens.to)

    def _attribute(self, base: str, steps: tuple[str, ...], scope: _Scope, indent: int) -> str:
        at = base
        for depth in range(1, len(steps)):
            key = (base, steps[:depth])
            if key not in scope.objects:
                scope.objects[key] = self._new("o")
                test = "" if at == base else f" if {at} is not None else None"
                self._line(indent, f"{scope.objects[key]} = {at}.{steps[depth - 1]}{test}")
            at = scope.objects[key]
        return f"{at}.{steps[-1]}" if at == base else f"{at}.{steps[-1]} if {at} is not None else None"

    def _load_object(self, node: Node, scope: _Scope, indent: int) -> None:
        group = node.group
        assert group is not None
        name = self._new("g")
        scope.leaf[id(node)] = name
        if group.each:
            self._line(indent, f"{name} = {self._hook(group.each)}(inv)")
        else:
            base = "inv" if node.absolute else scope.var
            self._line(indent, f"{name} = {self._attribute(base, node.steps, scope, indent)}")
        if group.when and not group.many:
            self._line(indent, f"if not {self._hook(group.when)}({name}, inv): {name} = None")
        elif group.when:
            when = self._hook(group.when)
            one = f"{name} if {when}({name}[0], inv) else ()"  # the usual case, without a frame of its own
            several = f"[x for x in {name} if {when}(x, inv)]"
            self._line(indent, f"{name} = ({several} if len({name}) > 1 else {one}) if {name} else ()")

    def _hook(self, name: str) -> str:
        """The name of a constant that holds the hook: looked up once."""
        if name not in self._hooks:
            self._hooks[name] = self._constant(self.table.hooks[name])
        return self._hooks[name]

    def _constant(self, value: Any) -> str:
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        return name

    # -- conditions: an element is written when some term below it is present

    def _conditions(self, node: Node, scope: _Scope) -> Iterator[str]:
        for source in (node.text, *node.attrs.values()):
            if isinstance(source, Leaf):
                name = scope.leaf[id(source)]
                yield name if source.many else f"{name} is not None"
        for child in node.children:
            if child.opens:
                name = scope.leaf[id(child)]
                yield name if child.many else f"{name} is not None"
            else:
                yield from self._conditions(child, scope)

    def _node(self, node: Node, scope: _Scope, indent: int, known: frozenset[str]) -> None:
        if node.drop:
            return
        if node.opens:
            self._object(node, scope, indent)
            return
        if isinstance(node.text, Leaf) and node.text.many:
            self._repeated(node, node.text, scope, indent)
            return
        conditions = frozenset(self._conditions(node, scope))
        when = node.group.when if node.group else ""
        if _always(node) or _filled(node):
            conditions = frozenset()
        elif when:
            always = bool(node.group and node.group.always)
            stated = f"({' or '.join(sorted(conditions))}) and " if conditions and not always else ""
            self._line(indent, f"if {stated}{self._hook(when)}({scope.var}, inv):")
            conditions = frozenset() if always else conditions
            indent += 1
        elif conditions and conditions != known:
            self._line(indent, f"if {' or '.join(sorted(conditions))}:")
            indent += 1
        self._element(node, scope, indent, f"<{node.name}", conditions)

    def _object(self, node: Node, scope: _Scope, indent: int) -> None:
        """One object or each of several. Its locals end with it: past 256 of them in one function all get slower."""
        names = self._names
        self._opened(node, scope, indent)
        self._names = names

    def _opened(self, node: Node, scope: _Scope, indent: int) -> None:
        group, name = node.group, scope.leaf[id(node)]
        assert group is not None
        if group.many:
            self._line(indent, f"for x{name} in {name} or ():")
        elif group.always:
            self._line(indent, f"x{name} = {name} or K_empty")
            self.constants["K_empty"] = _Empty()
            indent -= 1
        else:
            self._line(indent, f"x{name} = {name}")
            self._line(indent, f"if x{name} is not None:")
        if group.like or group.name:
            self._call(node, f"x{name}", indent + 1)
            return
        inner = _Scope(f"x{name}")
        if group.each:
            inner.objects = {}
        self._inside(node, inner, indent + 1, bool(group.always))

    def _inside(self, node: Node, inner: _Scope, indent: int, always: bool) -> None:
        self._loads(node, inner, indent)
        conditions = frozenset(self._conditions(node, inner))
        if always or not conditions:
            self._element(node, inner, indent, f"<{node.name}")
            return
        self._line(indent, f"if {' or '.join(sorted(conditions))}:")
        self._element(node, inner, indent + 1, f"<{node.name}", conditions)

    def _call(self, node: Node, var: str, indent: int) -> None:
        """Rows shared by name live in a function of their own, so that sub-lines may call it again."""
        assert node.group is not None
        name = node.group.like or node.group.name
        self._put(indent, f"<{node.name}>")
        self._line(indent, f"f_{name}({var}, {self.ARGUMENTS})")
        self._put(indent, f"</{node.name}>")
        if node.group.name and name not in self._named:
            self._named.add(name)
            outer, self._lines = self._lines, []
            self._line(0, f"def f_{name}(obj, {self.ARGUMENTS}):")
            self._line(1, "a = out.append")
            inner = _Scope("obj")
            self._loads(node, inner, 1)
            self._content(node, inner, 1, frozenset())
            self._functions.extend(self._lines)
            self._lines = outer

    def _repeated(self, node: Node, leaf: Leaf, scope: _Scope, indent: int) -> None:
        self._line(indent, f"for t in {scope.leaf[id(leaf)]} or ():")
        if leaf.row.lens:
            self._line(indent + 1, f"t = {self._constant(leaf.row.lens.to)}(t)")
            self._line(indent + 1, "if t is None: continue")
        shown = "E(t)" if leaf.row.lens else _FORMAT[leaf.kind].format("t")
        shown = self._own(shown, node.name)
        self._put(indent + 1, f"<{node.name}{_constants(node)}>{{{shown}}}</{node.name}>")

    # -- text

    def _element(self, node: Node, scope: _Scope, indent: int, head: str, known: frozenset[str] = frozenset()) -> None:
        money = self._money(node.text if isinstance(node.text, Leaf) else None)
        self._put(indent, f"{head}{self._attributes(node, scope, known)}{money}>")
        self._content(node, scope, indent, known)
        self._put(indent, f"</{node.name}>")

    def _money(self, leaf: Leaf | None) -> str:
        if leaf is None or leaf.kind not in _MONEY or not self.table.money or not leaf.row.money:
            return ""
        return "{ct}" if leaf.row.money == "tax_currency" else "{cu}"

    def _attributes(self, node: Node, scope: _Scope, known: frozenset[str]) -> str:
        """The attributes of an element, the inside of an f-string."""
        parts = []
        for name, source in node.attrs.items():
            if isinstance(source, Const):
                parts.append(_fixed(name, source))
            elif isinstance(source, Leaf):
                local, shown = scope.leaf[id(source)], self._shown(source, scope, attribute=True)
                if self._certain(source, scope, known):
                    parts.append(f' {name}="{{{shown}}}"')
                elif source.row.required or _stands_for(source) is not None:
                    parts.append(f' {name}="{{{self._absent(source, quote)} if {local} is None else {shown}}}"')
                else:
                    start, end = self._constant(f' {name}="'), self._constant('"')
                    parts.append(f'{{"" if {local} is None else {start} + {shown} + {end}}}')
        return "".join(parts)

    def _absent(self, leaf: Leaf, escaped: Callable[[str], str]) -> str:
        """What is written where the term of *leaf* is absent and its element is written, as an expression."""
        if leaf.row.required:
            return f'(miss({self._constant(leaf.id)}) or "")'
        filling = _stands_for(leaf)
        return '""' if filling is None else self._constant(escaped(filling))

    def _content(self, node: Node, scope: _Scope, indent: int, known: frozenset[str]) -> None:
        start = len(self._lines)
        if isinstance(node.text, Const):
            self._put(indent, _literal(escape(node.text.value)))
        elif isinstance(node.text, Leaf):
            self._text(node, node.text, scope, indent, known)
        for child in node.children:
            self._node(child, scope, indent, known)
        if len(self._lines) == start and indent == 1:
            self._line(indent, "pass")

    def _text(self, node: Node, leaf: Leaf, scope: _Scope, indent: int, known: frozenset[str]) -> None:
        local, shown = scope.leaf[id(leaf)], self._own(self._shown(leaf, scope), node.name)
        certain = self._certain(leaf, scope, known)
        self._put(
            indent, f"{{{shown if certain else f'{self._absent(leaf, escape)} if {local} is None else {shown}'}}}"
        )

    def _shown(self, leaf: Leaf, scope: _Scope, attribute: bool = False) -> str:
        local = scope.leaf[id(leaf)]
        text = local if leaf.row.raw else f"E({local})" if leaf.row.lens else _FORMAT[leaf.kind].format(local)
        if leaf.row.signed:
            text = text.replace("N(", "S(", 1)
        return "Q(" + text[2:] if attribute and text.startswith("E(") else text

    def _own(self, shown: str, element: str) -> str:
        """*shown* by what the table's hook ``text`` makes of the values of *element*, where it makes anything."""
        make = self.table.hooks.get("text") if shown[:2] in ("E(", "N(") else None
        own = make(element, shown[0] == "N") if make else None
        return f"{self._constant(own)}({shown[2:]}" if own else shown

    def _certain(self, leaf: Leaf, scope: _Scope, known: frozenset[str]) -> bool:
        """True when the condition that led here says that this very leaf is present."""
        return known == {f"{scope.leaf[id(leaf)]} is not None"}


def _literal(text: str) -> str:
    """*text* as it stands inside an f-string between single quotes."""
    for character, written in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r"), ("{", "{{"), ("}", "}}")):
        text = text.replace(character, written)
    return text


def _fixed(name: str, value: Const) -> str:
    return _literal(f' {name}="{quote(value.value)}"')


def _constants(node: Node) -> str:
    """The attributes of *node* that are the same in every document."""
    return "".join(_fixed(name, value) for name, value in node.attrs.items() if isinstance(value, Const))


def _always(node: Node) -> bool:
    """True when the syntax wants the element, or one below it, whatever the invoice states."""
    if node.group and (node.group.always or node.group.when):
        return not node.group.when
    sources = (node.text, *node.attrs.values())
    required = any(isinstance(source, Leaf) and source.row.required for source in sources)
    return required or any(_always(child) for child in node.children if not child.opens)


def _filled(node: Node) -> bool:
    """True when the element has a text even where its term is absent."""
    return isinstance(node.text, Leaf) and _stands_for(node.text) is not None


def _stands_for(leaf: Leaf) -> str | None:
    return leaf.row.default if leaf.row.default is not None else leaf.row.filler


class _Scope:
    """The locals of one model object: which variable holds which leaf, which intermediate object."""

    def __init__(self, var: str) -> None:
        self.var = var
        self.leaf: dict[int, str] = {}
        self.objects: dict[tuple[str, tuple[str, ...]], str] = {}


class _Empty:
    """Stands for an object that is not there: every attribute is absent."""

    def __getattr__(self, name: str) -> None:
        return None
