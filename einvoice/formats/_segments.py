"""The segment syntaxes, EDIFACT and X12: a tree of segments in and out, by the same tables as the XML formats.

In a table a segment is an element and a data element is an attribute: ``NAD/@3.1`` is the first component of the
third data element of NAD. A segment group is an element named after its trigger: ``SG-NAD``. How groups nest is data, a
:class:`Grammar`; what a message holds beyond its table is found and said like anything else that no row touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

#: How a segment is called that has no tag.
NAMELESS = "(without a tag)"
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
        """``segment 12 NAD, element 3 component 1``, counted from 1 within the message; of the whole its first one."""
        name = self.tag.removeprefix("SG-").rpartition("}")[2].removeprefix("+") or NAMELESS
        if not self.position:
            return f"segment 1 {'ST' if name.isdigit() else 'UNH'}, the whole {name}"
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


# --- what both ways know --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """What a data element holds: ``size`` characters, ``parts`` times where it repeats as components."""

    size: int
    parts: int = 1


def rejoined(pieces: Sequence[str], size: int, separator: str) -> str:
    """The text that was spread over *pieces*: a full one runs on into the next, another ends with *separator*.

    >>> rejoined(["Beispiel Instr", "umente", "Halle 4"], 14, " ")
    'Beispiel Instrumente Halle 4'
    """
    text = "".join(piece if len(piece) == size else f"{piece}{separator}" for piece in pieces[:-1])
    return text + pieces[-1]


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
