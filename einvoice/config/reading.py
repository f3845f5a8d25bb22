"""TOML to settings: ``load(path or text, Model) = validate(read(path or text), Model)``, every problem at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import ConfigError, Finding
from .lines import Place, dotted, line_of, lines
from .words import explain, place_of

MAX_BYTES = 4 * 1024 * 1024
S = TypeVar("S", bound=BaseModel)


class _Float(float):
    """A float as it was written, so that the finding can show the text to quote."""

    text: str


def _float(text: str) -> float:
    value = _Float(text)
    value.text = text
    return value


@dataclass(frozen=True)
class Source:
    """Parsed TOML with the name it is known by and, on demand, the line of each key."""

    name: str
    text: str
    data: Mapping[str, Any]

    @cached_property
    def lines(self) -> Mapping[Place, int]:
        return lines(self.text)

    def place(self, at: Place) -> str:
        """``file:line:key`` of a key, or of the nearest table that holds it."""
        line, key = line_of(self.lines, at), dotted(at)
        return ":".join(str(part) for part in (self.name, line, key) if part)

    def over(self, defaults: Mapping[str, Any]) -> Source:
        """The same source with *defaults* under it: tables are merged, values of this source win."""
        return Source(self.name, self.text, _merged(defaults, self.data))


def _merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(low[key], value) for key, value in high.items() if _tables(low.get(key), value)}
    return {**low, **high, **both}


def _tables(*values: object) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def read(source: Path | str, name: str = "") -> Source:
    """The TOML of a file (Path) or of text (str). Raises ConfigError with line:column when it is not TOML."""
    name = name or (str(source) if isinstance(source, Path) else "settings")
    text = _file(source, name) if isinstance(source, Path) else source
    try:
        return Source(name, text, tomllib.loads(text, parse_float=_float))
    except tomllib.TOMLDecodeError as error:
        spot = re.search(r"line (\d+), column (\d+)", str(error))
        where = f"{name}:{spot[1]}:{spot[2]}" if spot else f"{name}:{text.count(chr(10)) + 1}"
        message = str(error).split(" (at ")[0]
        raise ConfigError(f"not valid TOML: {message}", where=where, fix=_syntax_fix(message)) from error


def _syntax_fix(message: str) -> str:
    if "overwrite" in message or "twice" in message or "declare" in message:
        return "each key and each [table] stands once; join the two"
    return 'text needs quotes ("NO", "0106"), a date is bare (2026-09-01), a table is [name]'


def _file(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"larger than {MAX_BYTES} bytes", where=name, fix="a settings file is a few kilobytes")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=name, fix="check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8 at byte {error.start}", where=name, fix="save the file as UTF-8") from error


def load(source: Path | str, model: type[S], name: str = "", later: Mapping[str, str] | None = None) -> S:
    """The settings in a file (Path) or text (str). Raises ConfigError with every problem at once."""
    return validate(read(source, name), model, later)


def validate(source: Source, model: type[S], later: Mapping[str, str] | None = None) -> S:
    """*source* as a *model*. *later*: keys known but not supported yet, and why; they are refused by name."""
    floats = {place: _float_finding(source, place, value) for place, value in _floats(source.data)}
    settings, details = _checked(source, model)
    findings = dict(floats)
    for detail in details:
        place = place_of(source.data, detail["loc"])
        findings.setdefault(place, explain(source.place(place), model, place, detail, later or {}))
    if settings is None or findings:
        _refuse(source, list(findings.values()))
    return settings


def _checked(source: Source, model: type[S]) -> tuple[S | None, list[ErrorDetails]]:
    """The model or what is wrong. Pydantic's exception ends here: it quotes the input, secrets included."""
    try:
        return model.model_validate(_quoted(source.data)), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _refuse(source: Source, findings: list[Finding]) -> NoReturn:
    findings.sort(key=lambda finding: [int(part) if part.isdigit() else 0 for part in finding.place.split(":")[1:2]])
    count = f"{len(findings)} problem{'s' if len(findings) > 1 else ''}"
    raise ConfigError(f"{count} in the settings", where=source.name, findings=findings)


def _floats(value: object, at: Place = ()) -> Iterator[tuple[Place, float]]:
    if isinstance(value, float):
        yield at, value
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _floats(child, (*at, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _floats(child, (*at, index))


def _quoted(value: Any) -> Any:
    """*value* with its floats as the text they were written in, so that one float hides no other problem."""
    if isinstance(value, Mapping):
        return {key: _quoted(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_quoted(child) for child in value]
    return getattr(value, "text", str(value)) if isinstance(value, float) else value


def _float_finding(source: Source, place: Place, value: float) -> Finding:
    text = getattr(value, "text", str(value))
    message = f"{dotted(place)}: a number with a fraction is written as text, because a float changes digits"
    return Finding("EINV-CONF-04", message, place=source.place(place), found=text, fix=f'write "{text}" in quotes')
