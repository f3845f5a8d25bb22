"""Which official rules there are and which of them a document asks for: ``sets.toml``, typed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

from lxml import etree
from pydantic import Field

from ..config import Strict, load
from ..errors import ConfigError, Severity

#: Where a document names the specification it follows: UBL's CustomizationID, CII's guideline (BT-24).
_STATED = (
    "string(/*/*[local-name() = 'CustomizationID'])",
    "string(/*/*/*[local-name() = 'GuidelineSpecifiedDocumentContextParameter']/*[local-name() = 'ID'])",
)


class Release(Strict):
    """One publication of a set.

    rules  ids of schemas/sources.toml, alternatives in an inner list
    packs  the native rule packs for the same rules, each with its release
    """

    id: str
    since: date
    rules: Annotated[tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...], Field(min_length=1)]
    packs: tuple[str, ...] = ()


class RuleSet(Strict):
    """Official rules for one syntax.

    schema       the id of the schema that documents must follow, where it is not the one for their root element
    ids_in_text  rules go by the id in front of the text, not by that of the assertion
    """

    name: str
    syntax: str
    ids_in_text: bool = False
    schema_id: Annotated[str, Field(alias="schema")] = ""
    releases: Annotated[tuple[Release, ...], Field(min_length=1)]
    codes: Mapping[str, str] = Field(default_factory=dict)

    def release(self, on: date | None, id: str = "") -> Release:
        """The release called *id*, else the one in force *on* that day, else the newest; ConfigError for another."""
        if id:
            for one in self.releases:
                if one.id == id:
                    return one
            known = ", ".join(f"{self.name}:{one.id}" for one in self.releases)
            raise ConfigError(f"the rules {self.name} have no release {id!r}", fix=f"choose one of {known}")
        if on is None:
            return self.releases[-1]
        return next((one for one in reversed(self.releases) if one.since <= on), self.releases[0])


class Applies(Strict):
    """Documents that name this specification; ``relaxed`` are severities by rule id that differ for them. Those that
    are no invoices by EN 16931 have no ``native`` rules."""

    customization: str
    sets: tuple[str, ...]
    native: bool = True
    relaxed: Mapping[str, Severity] = Field(default_factory=dict)

    def fits(self, stated: str) -> bool:
        if self.customization.endswith("*"):
            return stated.startswith(self.customization[:-1])
        return stated == self.customization


class Sets(Strict):
    syntaxes: dict[str, tuple[str, ...]]
    native: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    sets: tuple[RuleSet, ...]
    applies: tuple[Applies, ...]


@cache
def known() -> Sets:
    """The list, read once."""
    return load(Path(__file__).parent / "sets.toml", Sets)


def customization(root: etree._Element) -> str:
    """The specification that a document says it follows (BT-24); empty where it names none."""
    return next((found for path in _STATED if (found := str(root.xpath(path)).strip())), "")


def row_of(root: etree._Element) -> Applies | None:
    """What is known of the specification that a document says it follows; None where nothing is."""
    stated = customization(root)
    return next((row for row in known().applies if row.fits(stated)), None)


def asked_for(root: etree._Element) -> tuple[str, ...]:
    """Names of the sets that a document's CustomizationID asks for; empty where none is known for it."""
    row = row_of(root)
    return row.sets if row else ()


def chosen(tag: str, names: Sequence[str], on: date | None) -> list[tuple[RuleSet, Release]]:
    """The sets called *names* (``name`` or ``name:release``) for documents with root *tag*, and the release of each.

    ConfigError where a name or release is unknown, naming the nearest, and where a set is not for such documents.
    """
    syntax = next((name for name, roots in known().syntaxes.items() if tag in roots), "")
    return [_one(syntax, tag, name, on) for name in names]


def _one(syntax: str, tag: str, name: str, on: date | None) -> tuple[RuleSet, Release]:
    plain, _, id = name.partition(":")
    named = [one for one in known().sets if one.name == plain]
    if not named:
        names = sorted({one.name for one in known().sets})
        near = difflib.get_close_matches(plain, names, 1)
        fix = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(names)}"
        raise ConfigError(f"there is no official rule set {plain!r}", fix=fix)
    for one in named:
        if one.syntax == syntax:
            return one, one.release(on, id)
    syntaxes = ", ".join(one.syntax for one in named)
    raise ConfigError(f"the rules {plain} are for {syntaxes}, not for documents with root {etree.QName(tag).localname}",
                      fix="name rules for this kind of document")  # fmt: skip


def native_packs(syntax: str, stated: str, on: date | None) -> tuple[str, ...]:
    """The native rule packs for a document in *syntax* that follows the specification *stated* (BT-24).

    Documents of a specification that nothing is known of are judged by EN 16931 alone; a syntax that no rule files are
    published for has the packs listed for it, if any; a document that is no invoice by EN 16931 (Factur-X MINIMUM and
    BASIC WL) has none.
    """
    if syntax not in known().syntaxes:
        return known().native.get(syntax, ())
    row = next((row for row in known().applies if row.fits(stated)), None)
    if row and not row.native:
        return ()
    sets = [one for one in known().sets if one.syntax == syntax and one.name in (row.sets if row else ())]
    found = dict.fromkeys(pack for one in sets for pack in one.release(on).packs)
    return tuple(found) or ("en16931",)
