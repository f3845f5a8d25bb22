"""How every schema of the register stands on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import ConfigError, Finding
from .files import base_of, how_to_get, read, release
from .register import Entry, Publication, sources


@dataclass(frozen=True, slots=True)
class Source:
    """One schema of the list and how it stands on this machine.

    state  "verified": every file is as published · "missing": nowhere · "wrong": found, but not as published
    """

    id: str
    publication: Publication
    state: Literal["verified", "missing", "wrong"]
    path: Path | None = None
    release: str = ""
    findings: tuple[Finding, ...] = ()


def list_sources() -> list[Source]:
    """Every schema of the list, its files read and compared now."""
    return [_source(publication, entry) for publication in sources().publications for entry in publication.entries]


def _source(publication: Publication, entry: Entry) -> Source:
    base = base_of(publication, entry)
    if base is None:
        finding = Finding("EINV-SCHEMA-05", "the files are not installed", place=entry.id, fix=how_to_get(publication))
        return Source(entry.id, publication, "missing", findings=(finding,))
    path = Path(base + entry.main)
    try:
        edition, _ = read(publication, entry, base)
    except ConfigError as error:
        first = Finding("EINV-SCHEMA-03", error.message, place=error.where, fix=error.fix)
        return Source(entry.id, publication, "wrong", path, findings=error.findings or (first,))
    return Source(entry.id, publication, "verified", path, release(publication, entry, edition))
