"""One directory that holds everything: the ledger, house policies, overrides. Opened by each command as it needs."""

from __future__ import annotations

import os
from argparse import Namespace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from ..config import resolve
from ..countries import laws, load_overrides
from ..errors import ConfigError
from ..ledger import Ledger, ProfileRef, ProfileVersion
from ..partners import Book, Entry, House, Profile, load_houses, load_profile
from ..pipeline import Pipeline, Settings


def now() -> datetime:
    return datetime.now(UTC)


def actor() -> str:
    """Who is asking, for the audit trail."""
    return os.environ.get("EINVOICE_ACTOR") or os.environ.get("USER") or "operator"


def day(text: str | None, otherwise: date) -> date:
    """A day as typed; ConfigError when it is none."""
    if not text:
        return otherwise
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is not a date", fix="write it as YYYY-MM-DD") from None


class Home:
    """The directory given by --home."""

    def __init__(self, args: Namespace) -> None:
        self.path = Path(args.home)

    def ledger(self) -> Ledger:
        """The ledger, made when absent."""
        url = os.environ.get("EINVOICE_LEDGER")
        if url:
            return Ledger.open(url)
        self.path.mkdir(parents=True, exist_ok=True)
        return Ledger.open(self.path / "ledger.sqlite")

    def houses(self) -> dict[str, House]:
        found = self.path / "house"
        return load_houses(found) if found.is_dir() else {}

    def settings(self, ledger: Ledger | None = None) -> Settings:
        """Law, houses, overrides, and the profiles of *ledger*."""
        override = self.path / "house" / "law-override.toml"
        return Settings(
            laws(),
            self.houses(),
            load_overrides(override) if override.is_file() else (),
            Book(entries(ledger) if ledger else ()),
        )

    def pipeline(self, ledger: Ledger) -> Pipeline:
        return Pipeline(
            self.settings(ledger),
            resolve=partial(resolve, base=self.path),
            profile_at=lambda ref: profile_at(ledger, ref),
        )


def entries(ledger: Ledger) -> tuple[Entry, ...]:
    """The newest and the live version of every stored profile."""
    return tuple(Entry(stored(version), version.version, version.state) for version in ledger.profiles())  # type: ignore[arg-type]


def stored(version: ProfileVersion) -> Profile:
    return load_profile(version.toml, f"{version.id} version {version.version}")


def profile_at(ledger: Ledger, ref: ProfileRef) -> Profile:
    """The profile a delivery is pinned to."""
    return stored(ledger.profile_version(ref.id, ref.version))
