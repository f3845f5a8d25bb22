"""Raw values of an invoice, nested as the model is, on their way from an ERP's own file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from .. import terms

Raw = dict[str, Any]
Step = str | int


def put(into: Any, steps: Sequence[Step], value: object) -> None:
    """Sets what stands at *steps* (names, and positions in lists), making what is not there on the way."""
    for step, after in pairwise(steps):
        if isinstance(step, int):
            into.extend([] if isinstance(after, int) else {} for _ in range(step + 1 - len(into)))
            into = into[step]
        else:
            into = into.setdefault(step, [] if isinstance(after, int) else {})
    if isinstance(steps[-1], int):
        into.extend(None for _ in range(steps[-1] + 1 - len(into)))
    into[steps[-1]] = value


def get(holder: Any, steps: Sequence[Step]) -> Any:
    """What stands at *steps*; None where nothing does."""
    for step in steps:
        if isinstance(step, int):
            holder = holder[step] if isinstance(holder, list) and step < len(holder) else None
        else:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if holder is None:
            return None
    return holder


#: Quantities that have no sign: of a price, of days, of a currency.
_UNSIGNED = frozenset({"base_quantity", "days", "net_days", "rate"})


def turn(holder: Any, path: str = "") -> None:
    """Turns the sign of every amount and quantity in *holder*. Prices and percentages keep theirs."""
    pairs = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for key, value in list(pairs):
        here = f"{path}[]" if isinstance(key, int) else f"{path}.{key}" if path else str(key)
        if isinstance(value, dict | list):
            turn(value, here)
        elif key not in _UNSIGNED and value and terms.at(here).kind in ("amount", "quantity"):
            holder[key] = -value


def pruned(value: Any, at: tuple[Step, ...], moved: dict[tuple[Step, ...], int]) -> Any:
    """*value* without empty parts. Members of lists close up, which *moved* tells."""
    if isinstance(value, dict):
        kept = {key: pruned(child, (*at, key), moved) for key, child in value.items()}
        return {key: child for key, child in kept.items() if child not in (None, {}, [])}
    if not isinstance(value, list):
        return value
    members: list[Any] = []
    for index, child in enumerate(value):
        child = pruned(child, (*at, index), moved)
        if child not in (None, {}, []) or at == ("lines",):
            moved[(*at, index)] = len(members)
            members.append(child)
    return members
