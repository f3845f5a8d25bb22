"""One directory that holds everything: the ledger, house policies, overrides. Opened by each command as it needs."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.exc import ArgumentError

from .. import formats
from ..config import resolve
from ..countries import laws, load_overrides
from ..errors import ConfigError, LedgerError
from ..exchange import Read
from ..ledger import Ledger, ProfileRef, ProfileVersion
from ..partners import Book, Entry, House, Profile, load_houses, load_profile
from ..pipeline import Pipeline, Settings, kept_orders
from ._output import CannotStart


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


def invoices_of(path: Path, args: Namespace) -> Iterator[Read]:
    """The invoices of the file at *path*, read as the command line says: by which columns, with which lines."""
    columns, lines = (Path(one) if one else None for one in (args.columns, args.lines))
    yield from formats.read_file(path, columns=columns, lines=lines)


class Home:
    """The directory given by --home."""

    def __init__(self, args: Namespace) -> None:
        self.path = Path(args.home)

    def has_ledger(self) -> bool:
        """Whether a ledger was made here, or is named by EINVOICE_LEDGER."""
        return bool(os.environ.get("EINVOICE_LEDGER")) or (self.path / "ledger.sqlite").is_file()

    def ledger(self, *, make: bool = False) -> Ledger:
        """The ledger. CannotStart when it cannot be opened, and when it is absent unless *make* says to make it.

        A mistyped --home is then an error, not an empty ledger whose run balances.
        """
        url, file = os.environ.get("EINVOICE_LEDGER"), self.path / "ledger.sqlite"
        if not url and not make and not file.is_file():
            raise CannotStart("there is no ledger here yet", where=str(file),
                              fix="name the right directory with --home; submit and profile add make one")  # fmt: skip
        try:
            if not url:
                self.path.mkdir(parents=True, exist_ok=True)
            return Ledger.open(url or file)
        except OSError as error:
            raise CannotStart(f"the directory cannot be made: {error.strerror}", where=str(self.path)) from error
        except LedgerError as error:
            raise CannotStart(error.message, where=error.where, fix=error.fix) from error
        except ImportError as error:
            raise CannotStart(f"the database of EINVOICE_LEDGER needs a package that is not here: {error.name}",
                              fix='pip install "einvoice-engine[postgres]"') from error  # fmt: skip
        except ArgumentError as error:
            fix = "a path, sqlite:///PATH, or postgresql+psycopg://USER@HOST/NAME"
            raise CannotStart("EINVOICE_LEDGER is no address of a database that can be used", fix=fix) from error

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
            orders_of=lambda invoice, one: kept_orders(ledger, invoice, one.environment, one.document_id),
        )


def known(ledger: Ledger, profile_id: str) -> Sequence[ProfileVersion]:
    """Every version of a profile; ConfigError names the profiles there are when it is none of them."""
    found = ledger.profile_history(profile_id)
    if not found:
        there = ", ".join(sorted({one.id for one in ledger.profiles()}))
        raise ConfigError(f"there is no profile {profile_id}", fix=f"there are: {there}" if there else "add one first")
    return found


def entries(ledger: Ledger) -> tuple[Entry, ...]:
    """The newest and the live version of every stored profile."""
    return tuple(Entry(stored(version), version.version, version.state) for version in ledger.profiles())  # type: ignore[arg-type]


def stored(version: ProfileVersion) -> Profile:
    return load_profile(version.toml, f"{version.id} version {version.version}")


def profile_at(ledger: Ledger, ref: ProfileRef) -> Profile:
    """The profile a delivery is pinned to."""
    return stored(ledger.profile_version(ref.id, ref.version))
