"""Lines look alike: what reading one has shown is used for the next with the same markup.

A line is flattened in one pass to its markup (tags, how many elements stand in each, names of attributes) and its
values (texts and attributes, in document order). Once a markup has been met often enough, one line of it is read by the
table while each value that is taken is noted, and the notes become a function from values to what the table made of
them. It gives no answer, and the table reads the line, wherever the table might say or do anything else: a text
that is empty or not of its kind, a value that was looked at and not taken and is now another, a finding of any sort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from lxml import etree

from ..mapping import Leaf
from ..model import Group, built, kind_of
from ._xml_context import Context
from ._xml_empty import Raw
from ._xml_leaves import NUMBERS, converter

Reader = Callable[[etree._Element, Raw, Context], None]
Program = Callable[[list[Any], Context, etree._Element], Raw | None]
Place = tuple[etree._Element, str]
#: Times a markup is met before it is learned: making a function costs as much as reading some dozens of lines.
ENOUGH = 16
#: Markups that are kept, values that a line may have, and elements within elements of one that is learned.
KEPT, LARGE, DEEP = 200, 500, 30


class _Listener(Context):
    """What a program converts values with: nothing is told, only that there would be something to tell."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.element)
        self.numbers, self.negate = context.numbers, context.negate

    def say(self, rule: str, *_: Any, **__: Any) -> None:
        self.counts[rule] += 1


class Repeats:
    """The markups of one repeated element, and for each that is known the function that reads it.

    follow  gives what reads the element by the table and notes what it takes; asked only when there is one to learn
    kind    the model to make of the element at once; without it, and where a value might be of another type than the
            model's, values come as they do from the table
    """

    def __init__(self, follow: Callable[[], Reader], kind: type[Group] | None = None) -> None:
        self._follow, self._kind = follow, kind
        self._met: dict[tuple[Any, ...], int | Program | None] = {}
        self._last: tuple[list[Any], Program] | None = None

    def read(self, element: etree._Element, context: Context) -> Raw | None:
        """What the table would read from *element*; None where the table has to be asked."""
        markup: list[Any] = [context.currency, context.tax_currency, context.negate]
        values = _flat(element, markup)
        if values is None:
            return None
        if context.listener is None:
            context.listener = _Listener(context)
        last = self._last
        if last is not None and last[0] == markup:
            return last[1](values, context, element)
        key = tuple(markup)
        program = self._met.get(key, 0)
        if isinstance(program, int):
            program = self._count(key, program, element, context)
        if program is None:
            return None
        self._last = markup, program
        return program(values, context, element)

    def _count(self, key: tuple[Any, ...], times: int, element: etree._Element, context: Context) -> Program | None:
        """What reads the markup *key*, which was met *times* before; None while it is not known, or cannot be."""
        if times < ENOUGH:
            if len(self._met) >= KEPT:
                self._met.clear()
            self._met[key] = times + 1
            return None
        program = self._met[key] = _learned(element, context, self._follow(), self._kind)
        return program


def _flat(element: etree._Element, markup: list[Any]) -> list[Any] | None:
    """The values of *element*, its markup added to *markup*; None when it is larger than any line."""
    values: list[Any] = []
    add, note = values.append, markup.append
    for one in element.iter():
        text, inner, names = one.text, len(one), one.keys()
        note(one.tag)
        if inner:
            note(inner)
            if len(values) > LARGE:
                return None
            if text and text.isspace():
                text = None
        add(text)
        if names:
            if len(names) > 9:  # looking up a value walks all of them
                return None
            note(-len(names))
            for name in names:
                note(name)
                add(one.get(name))
    return values


def _learned(element: etree._Element, context: Context, read: Reader, kind: type[Group] | None) -> Program | None:
    """A function that reads what has the markup of *element*; None when the table does more than take values."""
    alone = Context(context.element, track=True)
    alone.currency, alone.tax_currency, alone.negate = context.currency, context.tax_currency, context.negate
    elements = list(element.iter())  # held, so that each stays the same object while it is looked up below
    depth = sum(1 for _ in element.iterancestors()) + DEEP
    if any(sum(1 for _ in one.iterancestors()) > depth for one in elements):
        return None
    part: Raw = {}
    read(element, part, alone)
    if not part or alone.counts or alone.meta or alone.parts or alone.root or alone.beyond:
        return None
    where = {place: at for at, place in enumerate(_places(elements))}
    values = _flat(element, [])
    if values is None or len(values) != len(where):
        return None
    source = _Source(values)
    for one, name, leaf, *places in alone.taken:
        if leaf.row.raw:
            tag, same = str(one.tag), list(element.iter(one.tag))
            inside = {where[place] for place in _places(list(one.iter()))}
            value = source.lens_on(tag, same.index(one), leaf, inside)
        else:
            value = source.text(where[one, name], leaf)
        if not source.put(value, leaf, [(id(place[0]), place[1]) if place else None for place in places]):
            return None
    return source.program(part, {where[place] for place in alone.compared if place in where}, kind)


def _places(elements: list[etree._Element]) -> Iterator[Place]:
    """Element and attribute of each value, in the order of ``_flat``; no attribute for a text."""
    for one in elements:
        yield one, ""
        for name in one.keys():  # noqa: SIM118  an element is no mapping
            yield one, str(name)


class _Source:
    """The text of one function, written value by value."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self.names: dict[str, Any] = {"islice": islice}
        self.lines: list[str] = []
        self.made: dict[tuple[int, str], tuple[str, Leaf]] = {}
        self.read: set[int] = set()
        self.listens = False

    def text(self, at: int, leaf: Leaf) -> str:
        """The name of what *leaf* makes of the text that is value *at*."""
        text = f"t{at}"
        self.read.add(at)
        filler = "" if leaf.row.filler is None else f" or {text} == {leaf.row.filler!r}"
        self.lines += [f"{text} = v[{at}]", f"{text} = {text}.strip() if {text} else ''"]
        self.lines.append(f"if not {text}{filler}: return None")
        convert = converter(leaf)
        if convert is None:
            return text
        value, asked = f"x{at}", f"{self._known(convert)}(None, {text}, context.listener)"
        if leaf.kind in NUMBERS and not leaf.row.lens and not leaf.row.signed:
            self.lines += [f"{value} = known({text})", f"if {value} is None: {value} = {asked}"]
        else:
            self.lines.append(f"{value} = {asked}")
        self.lines.append(f"if {value} is None: return None")
        self.listens = True
        return value

    def lens_on(self, tag: str, number: int, leaf: Leaf, inside: set[int]) -> str:
        """The name of what the lens of *leaf* makes of an element, whatever the values *inside* it say."""
        value = f"e{len(self.lines)}"
        self.read |= inside
        self.lines.append(f"{value} = next(islice(element.iter({self._known(tag)}), {number}, None))")
        self.lines.append(f"{value} = {self._known(converter(leaf))}({value}, {value}, context.listener)")
        self.lines.append(f"if {value} is None: return None")
        self.listens = True
        return value

    def put(self, value: str, leaf: Leaf, places: list[tuple[int, str] | None]) -> bool:
        """*value* stands at the first of *places*, what came beside it at the second; False when another does too."""
        names = [f"{value}a", f"{value}b"] if leaf.also else [value]
        if leaf.also:
            self.lines.append(f"{names[0]}, {names[1]} = {value}")
        for name, place in zip(names, places, strict=False):
            if place in self.made:
                return False
            if place is not None:
                self.made[place] = name, leaf
            if leaf.also:  # what is there, and what is not, is as it was
                self.lines.append(f"if {name} is {'not ' if place is None else ''}None: return None")
        return True

    def program(self, part: Raw, compared: set[int], kind: type[Group] | None) -> Program | None:
        """The function that makes *part* of the values; None when a value was taken that does not stand in it."""
        objects = _Objects(self.made, self._known)
        made = objects.model(part, kind) if kind else None
        if made is None:
            objects = _Objects(self.made, self._known)
            made = objects.values(part)
        if len(objects.placed) != len(self.made):
            return None
        fixed = [at for at in range(len(self.values)) if at in compared or at not in self.read]
        checks = [f"if v[{at}] != {self._known(self.values[at])}: return None" for at in fixed]
        tail = ["if context.listener.counts: return context.listener.counts.clear()"] if self.listens else []
        lines = [*checks, "known = context.numbers.get", *self.lines, *tail, *objects.lines, f"return {made}"]
        body = "".join(f"    {line}\n" for line in lines)
        exec(compile(f"def program(v, context, element):\n{body}", "<line>", "exec"), self.names)  # noqa: S102  no input
        return self.names["program"]  # type: ignore[no-any-return]

    def _known(self, value: Any) -> str:
        """The name under which the function finds *value*: what a document says never becomes code."""
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name


class _Objects:
    """Expressions that make what was read, of named values. What no leaf put there follows from values that stay."""

    def __init__(self, made: dict[tuple[int, str], tuple[str, Leaf]], known: Callable[[Any], str]) -> None:
        self.made, self.known = made, known
        self.placed: set[tuple[int, str]] = set()
        self.lines: list[str] = []

    def values(self, part: Any, place: tuple[int, str] = (0, "")) -> str:
        """Values as they come from the table: nested dicts and lists."""
        if isinstance(part, dict):
            pairs = [f"{key!r}: {self.values(value, (id(part), key))}" for key, value in part.items()]
            return f"{{{', '.join(pairs)}}}"
        if isinstance(part, list):
            return f"[{', '.join(map(self.values, part))}]"
        self.placed.add(place)
        return self.made[place][0] if place in self.made else self.known(part)

    def model(self, part: Raw, kind: type[Group]) -> str | None:
        """The model *kind* of *part*, as validation would make it; None where only validation can tell."""
        defaults = {name: field.default for name, field in kind.model_fields.items()}
        if not defaults.keys() >= part.keys() or any(value not in (None, ()) for value in defaults.values()):
            return None
        fields = {}
        for key, value in part.items():
            made = self._field(value, kind_of(kind, key), defaults[key] == (), (id(part), key))
            if made is None:
                return None
            fields[key] = made
        name = f"d{len(self.lines)}"
        self.lines.append(f"{name} = {self.known(defaults.copy)}()")
        self.lines += [f"{name}[{key!r}] = {made}" for key, made in fields.items()]
        return f"{self.known(built)}({self.known(kind)}, {name}, {{{', '.join(map(repr, fields))}}})"

    def _field(self, value: Any, wanted: type[Any], many: bool, place: tuple[int, str]) -> str | None:
        if many:
            models = [self.model(one, wanted) for one in value if isinstance(one, dict)]
            return f"({', '.join(map(str, models))},)" if len(models) == len(value) and all(models) else None
        if isinstance(value, dict):
            return self.model(value, wanted) if issubclass(wanted, Group) else None
        if type(value) is not wanted:
            return None
        self.placed.add(place)
        if place not in self.made:
            return self.known(value)
        name, leaf = self.made[place]
        if leaf.row.lens:  # a lens may give anything
            if wanted is Decimal:
                return None
            self.lines.append(f"if type({name}) is not {self.known(wanted)}: return None")
        return name
