"""Stylesheets of rule files: made once, kept by the hash of what they were made from.

The cache is EINVOICE_CACHE, else the user's cache directory (XDG_CACHE_HOME); where neither can be used, nothing is
kept. It never lies in the repository, and a directory that another user could write to is not used.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..artefacts import files as artefacts
from ..artefacts.register import Publication
from ..artefacts.register import entry as entry_of
from ..errors import ConfigError
from .compile import VERSION, stylesheet
from .sets import Release, RuleSet


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule file that is at hand, its hash compared: what to run, and what to say of it.

    id, release, sha256   of the register; the release in words; the digest of the first file
    """

    id: str
    release: str
    sha256: str
    main: str
    kind: str
    files: dict[str, bytes]
    codes: dict[str, bytes]
    ids_in_text: bool

    def sheet(self, guarded: bool = False) -> str:
        """The XSLT that runs these rules, guarded or not (see ``compile``). ConfigError where it cannot be made."""
        if self.kind == "xslt":
            return self.files[self.main].decode()
        return _kept(self, guarded)


def rule_files(chosen: RuleSet, release: Release) -> list[RuleFile]:
    """The files of *release*, compared with the register; ConfigError where one is missing or not as published."""
    codes = {name: _bytes(id) for name, id in chosen.codes.items()}
    return [_first(alternatives, codes, chosen.ids_in_text) for alternatives in release.rules]


def _first(alternatives: tuple[str, ...], codes: dict[str, bytes], in_text: bool) -> RuleFile:
    missing: Publication | None = None
    for id in alternatives:
        publication, entry = entry_of(id)
        base = artefacts.base_of(publication, entry)
        if base is None:
            missing = missing or publication
            continue
        return _rule_file(id, base, tuple(sorted(codes.items())), in_text)
    assert missing is not None
    raise ConfigError(f"{missing.title} {missing.version} are not installed", where=alternatives[0],
                      fix=artefacts.how_to_get(missing))  # fmt: skip


@cache
def _rule_file(id: str, base: str, codes: tuple[tuple[str, bytes], ...], in_text: bool) -> RuleFile:
    publication, entry = entry_of(id)
    edition, data = artefacts.read(publication, entry, base)
    said = artefacts.release(publication, entry, edition)
    digest = artefacts.digest(data[entry.main])
    return RuleFile(id, said, digest, entry.main, publication.kind, data, dict(codes), in_text)


def _bytes(id: str) -> bytes:
    publication, entry = entry_of(id)
    base = artefacts.base_of(publication, entry)
    if base is None:
        raise ConfigError(f"{publication.title} {publication.version} are not installed", where=id,
                          fix=artefacts.how_to_get(publication))  # fmt: skip
    return artefacts.read(publication, entry, base)[1][entry.main]


# --- the cache --------------------------------------------------------------------------------------------------------


def directory() -> Path | None:
    """Where stylesheets are kept, made where it is not there; None where no safe place can be had."""
    home = os.environ.get("XDG_CACHE_HOME") or (Path.home() / ".cache" if os.environ.get("HOME") else "")
    named = os.environ.get("EINVOICE_CACHE") or (Path(home) / "einvoice" if home else "")
    if not named:
        return None
    place = Path(named) / "rules"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = place.stat()
    except OSError:
        return None  # a read-only home: every process makes its own
    others = stat.S_IWGRP | stat.S_IWOTH
    mine = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & others)
    return place if mine and os.access(place, os.W_OK) else None


def _key(rules: RuleFile, guarded: bool) -> str:
    digest = hashlib.sha256(f"{VERSION} {guarded} {rules.ids_in_text}\n".encode())
    for name, data in [*sorted(rules.files.items()), *sorted(rules.codes.items())]:
        digest.update(f"{len(name)} {name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _kept(rules: RuleFile, guarded: bool) -> str:
    place = directory()
    path = place / f"{_key(rules, guarded)}.xsl" if place else None
    if path is not None and path.is_file():
        return path.read_text(encoding="utf-8")
    made = stylesheet(rules.main, rules.files, data=rules.codes, ids_in_text=rules.ids_in_text, guarded=guarded)
    if place is not None and path is not None:
        with tempfile.NamedTemporaryFile(dir=place, suffix=".part", delete=False) as part:
            part.write(made)
        os.replace(part.name, path)  # whole or not at all, whoever else is writing it
    return made.decode()
