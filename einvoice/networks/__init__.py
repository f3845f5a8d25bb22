"""Presets: what a network asks of every profile on it. One TOML per network; a profile's own values win.

preset = network("ariba")
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from .. import rules
from ..config import Strict, load
from ..errors import ConfigError, Finding, Severity

HERE = Path(__file__).parent
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
TOO_OLD = timedelta(days=365)


class NetworkSource(Strict):
    id: Key
    ref: str
    confidence: Literal["primary", "secondary", "unverified"]


class IdentityRule(Strict):
    """How identifiers of a scheme look on this network. With a ``test_suffix``, test identifiers end in it, all of
    them, and production identifiers never do."""

    scheme: str
    pattern: str
    test_suffix: str = ""
    sources: tuple[str, ...] = Field(min_length=1)


class Fill(Strict):
    """A setting made from the profile's identifiers where it is absent: ``{domain, identity}`` of each."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z_]+$")]
    source: Literal["own", "partner", "sender"]
    many: bool = False


class Url(Strict):
    """A form of address seen on the network. Shown to people who fill in a profile, never used by itself."""

    form: str
    purpose: str
    environment: Literal["test", "production", "both"]
    confidence: Literal["primary", "secondary", "unverified"]
    note: str = ""


class Network(Strict):
    """``defaults`` holds tables of a profile; they are validated together with the profile they end up under.
    ``rules`` are the packs that judge what goes there, beside those that the document itself asks for."""

    version: Literal[1] = Field(alias="schema")
    network: Key
    name: str
    reviewed_on: date
    source: tuple[NetworkSource, ...]
    channel: str
    formats: tuple[str, ...] = Field(min_length=1)
    rules: tuple[str, ...] = ()
    identity: tuple[IdentityRule, ...] = ()
    fill: tuple[Fill, ...] = ()
    url: tuple[Url, ...] = ()
    delivered_by: Mapping[str, Literal["response", "status"]] = Field(default_factory=dict)
    defaults: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)


@lru_cache(maxsize=32)
def network(name: str, directory: Path = HERE) -> Network:
    """The preset of that name. Raises ConfigError that names the known ones, or with every problem of the file.

    >>> network("ariba").channel
    'https:ariba'
    """
    if name not in known(directory):
        raise ConfigError(f"no network preset {name!r}", fix=f"use one of {', '.join(known(directory))}, or none")
    return load_network(directory / f"{name}.toml")


def known(directory: Path = HERE) -> tuple[str, ...]:
    """Names of the presets, sorted.

    >>> known()
    ('ariba',)
    """
    return tuple(sorted(path.stem for path in directory.glob("*.toml")))


def load_network(path: Path) -> Network:
    """One preset. Raises ConfigError with every problem at once."""
    return load(path, Network, path.name)


def check_network(preset: Network, on: date) -> list[Finding]:
    """What is wrong with a preset beyond its schema: sources and rule packs that are not there, age."""
    sources = {row.id for row in preset.source}
    missing = [id_ for rule in preset.identity for id_ in rule.sources if id_ not in sources]
    found = [Finding("EINV-NET-01", f"{preset.network} cites {id_}, which is not a [[source]]") for id_ in missing]
    packs = {one.name for one in rules.packs()}
    found += [Finding("EINV-NET-03", f"{preset.network} names the rule pack {name}, which there is not",
                      fix=f"choose of {', '.join(sorted(packs))}")
              for name in preset.rules if name not in packs]  # fmt: skip
    if on - preset.reviewed_on > TOO_OLD:
        message = f"{preset.network} was reviewed {(on - preset.reviewed_on).days} days ago"
        found.append(Finding("EINV-NET-02", message, Severity.WARNING))
    return found
