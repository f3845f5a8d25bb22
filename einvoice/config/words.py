"""What pydantic found, in plain words, and which key was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ..errors import Finding
from .lines import Place, dotted


def place_of(data: Any, loc: tuple[int | str, ...]) -> Place:
    """Pydantic's location without the steps it invents (union members, tags): only keys the file has, and the last."""
    place: list[int | str] = []
    for step in loc:
        known = step in data if isinstance(data, Mapping) else isinstance(data, list) and step in range(len(data))
        if known:
            data = data[step]
        elif step is not loc[-1] or not isinstance(data, Mapping):
            continue
        place.append(step)
    return tuple(place)


def explain(where: str, root: type[BaseModel], place: Place, detail: ErrorDetails, later: Mapping[str, str]) -> Finding:
    """One of pydantic's errors as a finding; a value that may be a secret is never repeated."""
    kind, key = detail["type"], dotted(place) or "the file"
    if kind == "extra_forbidden":
        return _unknown(root, place, where, later)
    if kind == "missing":
        return Finding("EINV-CONF-03", f"{key}: required, and not there", place=where, fix=f"add {place[-1]} = ...")
    if kind == "secret_inline":
        fix = "change the secret too: a value written in a settings file is no secret any more"
        return Finding("EINV-CONF-05", f"{key}: {detail['msg']}", place=where, fix=fix)
    message, expected = _words(detail)
    return Finding(
        "EINV-CONF-06", f"{key}: {message}", place=where, found=_shown(key, detail["input"]), expected=expected
    )


def _unknown(root: type[BaseModel], place: Place, where: str, later: Mapping[str, str]) -> Finding:
    general = dotted(tuple(step for step in place if isinstance(step, str)))
    if general in later:
        message = f"{general}: not supported by this version: {later[general]}"
        return Finding("EINV-CONF-09", message, place=where, fix="take it out until then")
    name, here = str(place[-1]), sorted({key for model in _models_at(root, place[:-1]) for key in _keys(model)})
    message, table = f"{dotted(place)}: no such key", dotted(place[:-1])
    homes = [home for home, keys in _tables_of(root) if name in keys and home != re.sub(r"\[\d+\]", "", table)]
    if near := get_close_matches(name, here, n=1, cutoff=0.6 if not homes else 0.8):
        fix = f"did you mean {near[0]}?"
    elif homes:
        fix = f"{name} belongs in {' or '.join(f'[{home}]' if home else 'the top of the file' for home in homes[:3])}"
    else:
        fix = f"known here: {', '.join(here)}" if here else "take it out"
    return Finding("EINV-CONF-02", message, place=where, fix=fix)


_SENSITIVE = re.compile("secret|passw|token|credential|pin$", re.IGNORECASE)
_PLAIN = {
    "string_type": ("must be text in quotes", "text"),
    "bool_type": ("must be true or false", "true or false"),
    "bool_parsing": ("must be true or false", "true or false"),
    "int_type": ("must be a whole number", "a whole number"),
    "int_parsing": ("must be a whole number", "a whole number"),
    "date_type": ("must be a date without quotes", "2026-09-01"),
    "date_parsing": ("is not a date", "2026-09-01"),
    "date_from_datetime_parsing": ("is not a date", "2026-09-01"),
    "date_from_datetime_inexact": ("must be a date without a time", "2026-09-01"),
    "tuple_type": ("must be a list", "[...]"),
    "list_type": ("must be a list", "[...]"),
    "frozen_set_type": ("must be a list", "[...]"),
    "dict_type": ("must be a table", "[table]"),
    "model_type": ("must be a table", "[table]"),
    "model_attributes_type": ("must be a table", "[table]"),
    "decimal_type": ("must be a number in quotes", '"5.50"'),
    "decimal_parsing": ("is not a plain decimal number", '"5.50"'),
}


def _words(detail: ErrorDetails) -> tuple[str, str]:
    context = detail.get("ctx", {})
    if detail["type"] in _PLAIN:
        return _PLAIN[detail["type"]]
    if detail["type"] in ("literal_error", "enum"):
        return f"must be one of {context['expected']}", str(context["expected"])
    if detail["type"] == "string_pattern_mismatch":
        return f"does not have the form {context['pattern']}", str(context["pattern"])
    text = str(context.get("error") or detail["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return text.replace("should", "must"), ""


def _shown(key: str, value: object) -> str:
    """The value as it was written, unless the key or an address with a user name says that it may be a secret."""
    text = str(value)[:60] if isinstance(value, (str, int)) else ""
    return "" if _SENSITIVE.search(key) or ("://" in text and "@" in text) else text


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _models_at(root: type[BaseModel], place: Place) -> list[type[BaseModel]]:
    found = [root]
    for step in place:
        if isinstance(step, str):
            found = [child for model in found for name, field in model.model_fields.items()
                     if step in (name, field.alias) for child in _models_in(field.annotation)]  # fmt: skip
    return found


def _tables_of(root: type[BaseModel], at: str = "", depth: int = 0) -> Iterator[tuple[str, list[str]]]:
    yield at, _keys(root)
    for name, field in root.model_fields.items():
        for child in _models_in(field.annotation) if depth < 6 else ():
            yield from _tables_of(child, f"{at}.{field.alias or name}".removeprefix("."), depth + 1)
