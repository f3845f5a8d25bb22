"""Where in the model an empty element or attribute belongs: the path of a value that is not there.

The model holds nothing for it, yet a rule may ask whether it is stated. So the reader's finding (EINV-READ-07) names
the path, and the rules see it there (``rules/_empty.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..errors import Finding
from ..mapping import Const, Leaf, Node
from ..terms import GROUPS

Raw = dict[str, Any]
Steps = tuple[str, ...]
Holder = tuple[Steps, bool]
#: The number of an entry that was left out of its list, until it is known how many were not.
_LEFT_OUT = -1


class Empties:
    """The empty elements of one reading, with the raw object that each would be a value of.

    An object is known by what it was read into, so its path can be told when the whole document has been read.
    """

    def __init__(self, root: Raw) -> None:
        self._paths: dict[int, str] = {id(root): "$"}
        self._under: dict[int, tuple[Raw, Raw, Steps, int | None]] = {}
        self._empty: list[tuple[int, Raw, Steps]] = []
        self._left_out: Counter[tuple[int, Steps]] = Counter()

    def add(self, number: int, holder: Raw, steps: Steps) -> None:
        """The finding of this *number* speaks of *steps* below *holder*."""
        self._empty.append((number, holder, steps))

    def opened(self, part: Raw, above: Raw, steps: Steps, many: bool) -> None:
        """*part* was read, and comes next at *steps* below *above*, where *many* may stand.

        An entry that is left out, since nothing is in it, counts after those that are there.
        """
        at = (_entries(above, steps) if part else _LEFT_OUT) if many else None
        self._under[id(part)] = part, above, steps, at

    def told(self, findings: list[Finding]) -> tuple[Finding, ...]:
        """*findings* with the paths of what is empty."""
        paths = {number: f"{above}.{'.'.join(steps)}" if steps else above
                 for number, holder, steps in self._empty if (above := self._path(holder))}  # fmt: skip
        return tuple(replace(one, path=paths.get(at, one.path)) for at, one in enumerate(findings))

    def _path(self, holder: Raw) -> str:
        path = self._paths.get(id(holder))
        if path is None:
            known = self._under.get(id(holder))
            path = self._paths[id(holder)] = self._path_below(*known[1:]) if known else ""
        return path

    def _path_below(self, above: Raw, steps: Steps, at: int | None) -> str:
        """The path of what stands at *steps*; empty below what a hook takes apart."""
        if not (outer := self._path(above)):
            return ""
        path = f"{outer}.{'.'.join(steps)}"
        if at == _LEFT_OUT:
            at = _entries(above, steps) + self._left_out[id(above), steps]
            self._left_out[id(above), steps] += 1
        return path if at is None else f"{path}[{at}]"


def _entries(above: Raw, steps: Steps) -> int:
    """How many entries the list at *steps* below *above* has by now."""
    found: Any = above
    for step in steps:
        found = found.get(step, {})
    return len(found)


def always(node: Node, tag: Callable[[str], str]) -> dict[str, tuple[str, Holder | None]]:
    """The attributes that the format writes whatever the invoice says: name to value and where it is read to."""
    found: dict[str, tuple[str, Holder | None]] = {}
    for name, source in node.attrs.items():
        if isinstance(source, Const) and not source.select:
            found[tag(name) if ":" in name else name] = source.value, None
        elif isinstance(source, Leaf) and source.row.default:
            found[tag(name) if ":" in name else name] = source.row.default, placed(source)
    return found


def filled(node: Node) -> bool:
    """True when the format writes something in the element whatever the invoice says, so it is never empty."""
    sources = [node.text, *node.attrs.values()]
    if any(isinstance(one, Leaf) and (one.row.required or one.row.default) for one in sources):
        return True
    return any(filled(one) if one.group is None else one.group.always and not one.group.when for one in node.children)


def placed(leaf: Leaf) -> Holder | None:
    """The steps to the value of *leaf*, and whether they start at the invoice; None where they depend on the text."""
    return None if leaf.many or leaf.kind == "meta" else (leaf.steps, leaf.absolute)


def common(node: Node) -> Holder | None:
    """The object that the values below *node* are in, as steps; None where they are in several.

    A single value that stands beside it, such as BT-8 in a period of UBL, is passed over.
    """
    values, objects = set(), set()
    for one in _below(node):
        if isinstance(one, Leaf):
            values.add((one.steps[:-1], one.absolute))
        else:
            alone = one.many or (one.group and one.group.term in GROUPS)  # what is in it is not what is beside it
            objects.add((one.steps[:-1] if alone else one.steps, one.absolute))
    found = {holder for holder in values if holder[0]} | objects
    if len({absolute for _, absolute in found}) != 1:
        return None
    shared: list[str] = []
    for step in zip(*(steps for steps, _ in found), strict=False):
        if len(set(step)) > 1:
            break
        shared.append(step[0])
    return (tuple(shared), next(iter(found))[1]) if shared else None


def _below(node: Node) -> Iterator[Leaf | Node]:
    """The values below *node*, and the objects opened there."""
    sources = [node.text, *node.attrs.values()]
    yield from (one for one in sources if isinstance(one, Leaf) and one.kind != "meta")
    for child in node.children:
        if not child.opens:
            yield from _below(child)
        elif child.group and not child.group.each:
            yield child
