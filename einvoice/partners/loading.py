"""A profile from TOML: the network's preset under it, [format] and [transport] checked by their own settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, create_model

from .. import formats, networks, transport
from ..config import Source, Strict, read, validate
from ..errors import ConfigError, Finding
from ..networks import Fill, Network
from .profile import LATER, FormatTable, Profile, TransportTable

Area = Literal["format", "transport"]
AREAS: tuple[Area, ...] = ("format", "transport")
_MODULE: Mapping[Area, Callable[[str], Any]] = {"format": formats.writing, "transport": transport.get}
_NAMES: Mapping[Area, Callable[[], Sequence[str]]] = {"format": formats.writable, "transport": transport.known}
_TABLES: Mapping[str, type[Strict]] = {"format": FormatTable, "transport": TransportTable}


def settings_of(area: Area, kind: str) -> type[BaseModel]:
    """The settings model of a format or transport. Raises ConfigError that names what this version has."""
    return cast(type[BaseModel], _MODULE[area](kind).SETTINGS)


def kinds_of(area: Area) -> tuple[str, ...]:
    """The formats or transports that a profile may name, sorted."""
    return tuple(sorted(_NAMES[area]()))


@lru_cache(maxsize=64)
def table_of(area: Area, kind: str) -> type[BaseModel]:
    """The whole table: the settings of *kind* and the keys that every kind has. Raises ConfigError."""
    bases = (settings_of(area, kind), _TABLES[area])
    fields: dict[str, Any] = {"kind": (Literal[kind], kind)}
    return cast(type[BaseModel], create_model(f"{kind.title()}Table", __base__=bases, **fields))


@lru_cache(maxsize=64)
def _model(format: type[BaseModel], transport: type[BaseModel]) -> type[Profile]:
    fields: dict[str, Any] = {"format": (format, ...), "transport": (transport, ...)}
    return create_model("Profile", __base__=Profile, **fields)


class _AnyTable(BaseModel):
    """Stands in for a table whose kind is not known, so that the rest of the file is still checked."""

    model_config = ConfigDict(extra="ignore")
    kind: str = ""


def load_profile(source: Path | str, name: str = "") -> Profile:
    """The profile in a file (Path) or text (str). Raises ConfigError with every problem at once."""
    text = read(source, name)
    preset, findings = _preset(text)
    merged = _filled(_under(text, preset), preset)
    tables: dict[str, type[BaseModel]] = {}
    for area in AREAS:
        table, problem = _table(merged, area)
        tables[area] = table
        findings += problem
    try:
        loaded = validate(merged, _model(**tables), LATER)
    except ConfigError as error:
        findings = [*findings, *(item for item in error.findings if item.place not in {one.place for one in findings})]
    if findings:
        count = f"{len(findings)} problem{'s' if len(findings) > 1 else ''}"
        raise ConfigError(f"{count} in the profile", where=text.name, findings=findings)
    return loaded


def preset_of(profile: Profile) -> Network | None:
    """The network preset a profile names."""
    return networks.network(profile.profile.network) if profile.profile.network else None


def _preset(text: Source) -> tuple[Network | None, list[Finding]]:
    name = _get(text.data, "profile", "network")
    if not isinstance(name, str) or not name:
        return None, []
    try:
        return networks.network(name), []
    except ConfigError as error:
        place = text.place(("profile", "network"))
        return None, [Finding("EINV-PROF-01", error.message, place=place, fix=error.fix)]


def _under(text: Source, preset: Network | None) -> Source:
    """The profile over the preset's defaults; defaults made for another kind of format or transport do not apply."""
    if preset is None:
        return text
    kept = {
        area: table
        for area, table in preset.defaults.items()
        if _get(text.data, area, "kind") in (None, table.get("kind"))
    }
    return text.over(kept)


def _filled(text: Source, preset: Network | None) -> Source:
    """Credentials of [format] and [transport] from [identifiers], where the preset says so and they are absent."""
    for fill in preset.fill if preset else ():
        area, key = fill.key.split(".")
        ids = _ids(text.data, fill)
        if ids and _get(text.data, area, "kind") == _get(preset.defaults if preset else {}, area, "kind"):
            text = text.over({area: {key: ids if fill.many else ids[0]}})
    return text


def _ids(data: Mapping[str, Any], fill: Fill) -> list[dict[str, str]]:
    found = _get(data, "identifiers", fill.source)
    if fill.source == "sender" and not found:
        found = _get(data, "identifiers", "own")
    rows = found if isinstance(found, list) and all(isinstance(row, dict) for row in found) else []
    return [{"domain": row["scheme"], "identity": row["value"]} for row in rows if {"scheme", "value"} <= row.keys()]


def _table(source: Source, area: Area) -> tuple[type[BaseModel], list[Finding]]:
    kind = _get(source.data, area, "kind")
    if not isinstance(kind, str):
        return _TABLES[area], []
    try:
        return table_of(area, kind), []
    except ConfigError:
        message = f"this version has no {area} {kind!r}"
        fix = f"it has {', '.join(kinds_of(area))}"
        return _AnyTable, [Finding("EINV-PROF-02", message, place=source.place((area, "kind")), fix=fix)]


def _get(data: Mapping[str, Any], *path: str) -> Any:
    value: Any = data
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def load_profiles(paths: Sequence[Path]) -> list[Profile]:
    """All profiles of *paths*. Raises one ConfigError with the problems of every bad file."""
    loaded: list[Profile] = []
    findings: list[Finding] = []
    for path in paths:
        try:
            loaded.append(load_profile(path))
        except ConfigError as error:
            findings += error.findings or (Finding("EINV-PROF-03", error.message, place=error.where, fix=error.fix),)
    if findings:
        raise ConfigError(f"{len(findings)} problems in the profiles", findings=findings)
    return loaded
