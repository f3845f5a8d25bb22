"""Profiles as they were added: immutable versions, of which at most one is live."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import LedgerError
from ..exchange import Environment
from . import schema
from .store import AnyRow, AnySelect, Store, raced, record
from .values import ProfileVersion

P, W = schema.profile, schema.profile_version

#: From which states a version may come into a state. A retired version may go live again: a roll-back.
MOVES = {
    "live": ("draft", "suspended", "retired"),
    "suspended": ("live",),
    "retired": ("draft", "live", "suspended"),
}


class Profiles(Store):
    @raced
    def add_profile(
        self, profile_id: str, environment: Environment, toml_text: str, digest: str, *, at: datetime, actor: str
    ) -> int:
        """The version of a profile that has this text: a new draft, or the newest one when the text is its own.

        Raises LedgerError when the profile belongs to the other environment.
        """
        with self.write("profile-add") as conn:
            owner = conn.scalar(sa.select(P.c.environment).where(P.c.id == profile_id).with_for_update())
            if owner is None:
                conn.execute(P.insert(), {"id": profile_id, "environment": environment, "created_at": at})
            elif owner != environment:
                raise LedgerError(
                    f"profile {profile_id} belongs to {owner}, not to {environment}",
                    fix=f"give the {environment} profile an id of its own, such as {profile_id}-{environment}",
                )
            newest = sa.select(W).where(W.c.profile_id == profile_id).order_by(W.c.version.desc()).limit(1)
            last = conn.execute(newest).one_or_none()
            if last is not None and last.digest == digest:
                return int(last.version)
            version = 1 + (last.version if last is not None else 0)
            values = {"profile_id": profile_id, "version": version, "toml": toml_text, "digest": digest}
            conn.execute(W.insert(), {**values, "state": "draft", "created_at": at, "actor": actor})
            record(conn, "profile-added", f"{profile_id} version {version} added", at, actor=actor)
            return version

    @raced
    def set_profile_state(
        self, profile_id: str, version: int, state: str, *, at: datetime, actor: str, reason: str = ""
    ) -> None:
        """Puts a version into force (``live``), suspends or retires it; the version that was live retires.

        Raises LedgerError when there is no such version or it cannot come into *state*.
        """
        with self.write("profile-state") as conn:
            row = conn.execute(_versions(profile_id, version).with_for_update(of=W)).one_or_none()
            if row is None:
                raise LedgerError(
                    f"there is no version {version} of profile {profile_id}", fix="profile list names them"
                )
            if row.state == state:
                return
            if row.state not in MOVES.get(state, ()):
                raise LedgerError(f"{profile_id} version {version} is {row.state} and cannot become {state}")
            if state == "live":
                for other in conn.execute(_versions(profile_id).where(W.c.state == "live")).all():
                    _set(conn, other, "retired", at, actor, f"version {version} took its place")
            _set(conn, row, state, at, actor, reason)

    def live_profiles(self, environment: Environment, *, at: datetime) -> list[ProfileVersion]:
        """The versions in force in *environment* at *at*, by id. A version added later than *at* is not."""
        query = _versions().where(P.c.environment == environment, W.c.state == "live", W.c.created_at <= at)
        with self.read() as conn:
            return [_version(row) for row in conn.execute(query)]

    def profile_version(self, profile_id: str, version: int) -> ProfileVersion:
        """One version, whatever its state. Raises LedgerError when there is none."""
        with self.read() as conn:
            row = conn.execute(_versions(profile_id, version)).one_or_none()
        if row is None:
            raise LedgerError(f"there is no version {version} of profile {profile_id}", fix="profile list names them")
        return _version(row)

    def profile_history(self, profile_id: str) -> list[ProfileVersion]:
        """Every version of a profile, oldest first; none when the profile is unknown."""
        with self.read() as conn:
            return [_version(row) for row in conn.execute(_versions(profile_id))]

    def profiles(self) -> list[ProfileVersion]:
        """The newest and the live version of every profile, by id and version."""
        newest = sa.select(W.c.profile_id, sa.func.max(W.c.version)).group_by(W.c.profile_id)
        with self.read() as conn:
            last = dict(conn.execute(newest).all())
            rows = conn.execute(_versions())
            return [_version(row) for row in rows if row.state == "live" or last[row.profile_id] == row.version]


def _versions(profile_id: str | None = None, version: int | None = None) -> AnySelect:
    query = sa.select(W, P.c.environment).join(P, P.c.id == W.c.profile_id).order_by(W.c.profile_id, W.c.version)
    query = query.where(W.c.profile_id == profile_id) if profile_id is not None else query
    return query.where(W.c.version == version) if version is not None else query


def _version(row: AnyRow) -> ProfileVersion:
    environment = Environment(row.environment)
    return ProfileVersion(
        row.profile_id, row.version, environment, row.toml, row.digest, row.state, row.created_at, row.actor
    )


def _set(conn: Connection, row: AnyRow, state: str, at: datetime, actor: str, reason: str) -> None:
    same = (W.c.profile_id == row.profile_id) & (W.c.version == row.version)
    conn.execute(W.update().where(same).values(state=state))
    text = f"{row.profile_id} version {row.version}: {row.state} -> {state}" + (f" ({reason})" if reason else "")
    record(conn, f"profile-{state}", text, at, actor=actor)
