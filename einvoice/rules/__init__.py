"""Business rules over the model, by published id: EN 16931 and what stands on it.

    from einvoice import rules
    findings = rules.check(invoice, ("en16931",), on=invoice.issue_date)

A pack is a module here that exposes ``PACK``. It has dated releases; ``on`` chooses the one in force, and
``"en16931:1.3.16"`` names one. Packs know the model and code lists, no bytes and no clock.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, localcontext
from functools import cache
from importlib import import_module

from ..errors import ConfigError, Finding
from ..model import Invoice
from ._empty import restored
from ._facts import Facts
from ._judge import judged
from ._orders import against_orders
from ._rule import Pack, Release, Rule
from ._texts import languages, texts

#: Sums of thirty-digit amounts stay exact; the default context would round at 28 digits.
_EXACT = Context(prec=120)


@dataclass(frozen=True, slots=True)
class Known:
    """A pack, and its releases with the day each came into force."""

    name: str
    title: str
    releases: tuple[tuple[str, date], ...]


def packs() -> list[Known]:
    """All packs with their dated releases, by name."""
    found = [_pack(name) for name in _names()]
    return [Known(pack.name, pack.title, tuple((r.id, r.since) for r in pack.releases)) for pack in found]


def pack(name: str) -> Pack:
    """The pack called *name*; ConfigError names the known ones."""
    if name not in _names():
        raise ConfigError(f"there is no rule pack {name!r}", fix=f"choose one of {', '.join(_names())}")
    return _pack(name)


def release(chosen: Pack, on: date, id_: str = "") -> Release:
    """The release of *chosen* called *id_*, else the one in force *on* that day (the oldest, for days before it).

    ConfigError names the known releases.
    """
    for one in chosen.releases:
        if one.id == id_:
            return one
    if id_:
        known = ", ".join(f"{chosen.name}:{one.id}" for one in chosen.releases)
        raise ConfigError(f"the rule pack {chosen.name} has no release {id_!r}", fix=f"choose one of {known}")
    return next((one for one in reversed(chosen.releases) if one.since <= on), chosen.releases[0])


def check(
    invoice: Invoice,
    packs: Sequence[str] = ("en16931",),
    *,
    on: date,
    today: date | None = None,
    locate: Callable[[str], str] | None = None,
    read_findings: Iterable[Finding] = (),
    language: str = "en",
    syntax: str = "",
    outgoing: bool = False,
) -> list[Finding]:
    """Every breach of the rules of *packs* in *invoice*, pack by pack, in the order of the rules.

    on             the document's date; it chooses release and code lists
    today          the day on which it is judged, or on which it leaves; without it no date is in the future
    locate         from a model path to its place in the source, as ``Read.locate``
    read_findings  what the reader said; those that are a published rule come back under its id
    language       of the texts: de, en, fr, it
    syntax         the format it came in or is bound for (``ubl``, ``cii``), where the bindings differ
    outgoing       it has yet to be written in *syntax*, which writes VAT for a tax that names no scheme

    ConfigError names the known packs, releases or languages when one is unknown.
    """
    texts(language)
    read = tuple(read_findings)
    chosen = [_chosen(name, on) for name in packs]
    relaxed = {id_: severity for one, _ in chosen
               for id_, severity in one.relaxed.get((invoice.specification or "").strip(), {}).items()}  # fmt: skip
    where = cache(locate) if locate else None
    with localcontext(_EXACT):
        facts = Facts(restored(invoice, read) if read else invoice, on, syntax, read, today, outgoing)
        found = [
            [*judged(one, version, facts.dated(version.since), relaxed, language, where)] for one, version in chosen
        ]
    return [finding for at, (one, _) in enumerate(chosen)
            for finding in _told_once(one, found[at], [*found[:at], *found[at + 1 :]])]  # fmt: skip


def _told_once(chosen: Pack, found: list[Finding], others: Sequence[list[Finding]]) -> list[Finding]:
    """*found* without what other packs say of the same place under an id of their own."""
    if not found or not chosen.beside:
        return found
    said = [(other.path, other.rule) for one in others for other in one]
    return [finding for finding in found
            if not any(path == finding.path and rule.startswith(chosen.beside.get(finding.rule, ()))
                       for path, rule in said)]  # fmt: skip


def _chosen(name: str, on: date) -> tuple[Pack, Release]:
    plain, _, id_ = name.partition(":")
    return pack(plain), release(pack(plain), on, id_)


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_")))


@cache
def _pack(name: str) -> Pack:
    found: Pack = import_module(f".{name}", __name__).PACK
    return found


__all__ = ["Known", "Pack", "Release", "Rule", "against_orders", "check", "languages", "pack", "packs", "release"]
