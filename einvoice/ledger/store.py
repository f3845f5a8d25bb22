"""The database behind the ledger: opened, brought up to date, and written to in turns.

SQLite writes take the write lock when they begin (BEGIN IMMEDIATE), so no transaction fails half-way
for a lock. SQLite's own busy handler backs off to 100 ms and lets a back-to-back writer starve the
others (facts/dispatch.md); here a waiter asks every millisecond or two, and a writer that has held the
lock for most of 20 ms steps aside once.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from ..errors import Finding, LedgerError, Severity
from . import crash, schema

Clock = Callable[[], datetime]
P = ParamSpec("P")
R = TypeVar("R")

#: A row and a query whose columns mypy need not know; neither leaves the ledger.
AnyRow = sa.Row[*tuple[Any, ...]]
AnySelect = sa.Select[*tuple[Any, ...]]

#: How long a writer waits for its turn before it gives up: far more than any transaction here lasts.
TURN_SECONDS = 60.0
#: How often a transaction that lost a race is done again before its error is shown.
RACES = 4
_STEP_ASIDE_AFTER, _STEP_ASIDE = 0.020, 0.004


class _now(FunctionElement[datetime]):
    """The database's clock, to the microsecond: leases of many hosts are compared on one clock."""

    type = schema.Utc()
    inherit_cache = True
    name = "now"


@compiles(_now, "sqlite")
def _now_sqlite(element: _now, compiler: SQLCompiler, **kw: object) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"


@compiles(_now)
def _now_default(element: _now, compiler: SQLCompiler, **kw: object) -> str:
    return "clock_timestamp()"


class Store:
    """A connection pool with two ways in: ``read`` and ``write``. The parts of the ledger build on it."""

    def __init__(self, engine: Engine, clock: Clock | None) -> None:
        self._engine, self._clock = engine, clock
        self._writer = engine.execution_options(einvoice_write=True)
        self._streak, self._last = 0.0, 0.0

    @classmethod
    def open(cls, url: str | Path, *, clock: Clock | None = None) -> Self:
        """The ledger at *url*: a SQLAlchemy URL, or the path of a SQLite file, which is made when absent.

        clock  replaces the database's clock for leases; tests give one. Raises LedgerError.
        """
        engine = _engine(_as_url(url))
        try:
            store = cls(engine, clock)
            store._bring_up_to_date()
        except (sa.exc.DBAPIError, sqlite3.Error, OSError) as cause:
            engine.dispose()
            raise LedgerError(
                f"the ledger cannot be opened: {getattr(cause, 'orig', None) or cause}",
                where=_as_url(url).render_as_string(hide_password=True),
                fix="check that the place exists, may be written, has room, and holds an einvoice ledger",
            ) from cause
        except LedgerError:
            engine.dispose()
            raise
        return store

    def close(self) -> None:
        """Lets go of every connection. Nothing is pending: every method commits before it returns."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def id(self) -> str:
        """What names this ledger for ever; identities made from it are unique over space and time."""
        with self.read() as conn:
            return str(conn.scalar(sa.select(schema.meta.c.value).where(schema.meta.c.key == "ledger-id")))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; waits for nobody."""
        with _plain_errors(), self._engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def write(self, name: str) -> Iterator[Connection]:
        """One transaction, all or nothing; *name* names its crash points."""
        crash.point(f"{name}.before")
        self._step_aside()
        started = time.monotonic()
        with _plain_errors(), self._writer.connect() as conn, conn.begin():
            yield conn
            crash.point(f"{name}.in")
        self._last = time.monotonic()
        self._streak += self._last - started
        crash.point(f"{name}.after")

    def _step_aside(self) -> None:
        if time.monotonic() - self._last > _STEP_ASIDE:
            self._streak = 0.0
        elif self._streak > _STEP_ASIDE_AFTER:
            time.sleep(_STEP_ASIDE)
            self._streak = 0.0

    def lease_now(self, conn: Connection) -> datetime:
        """The instant that leases are measured by."""
        if self._clock is not None:
            return self._clock()
        return conn.execute(sa.select(_now())).scalar_one()

    def _bring_up_to_date(self) -> None:
        with self._engine.connect() as conn:
            tables = set(sa.inspect(conn).get_table_names())
            known = "alembic_version" in tables
            if tables and not known:
                raise LedgerError(
                    "the database holds other tables and no ledger",
                    where=self._engine.url.render_as_string(hide_password=True),
                    fix="name the ledger's own database, or an empty one",
                )
            version = conn.scalar(sa.text("select version_num from alembic_version")) if known else None
        if version == schema.HEAD:
            return
        from .migrations import upgrade  # imports Alembic, which only an outdated ledger needs

        with self.write("migrate") as conn:
            upgrade(conn)
            identity = sa.select(schema.meta.c.value).where(schema.meta.c.key == "ledger-id")
            if conn.scalar(identity) is None:
                conn.execute(schema.meta.insert(), {"key": "ledger-id", "value": uuid4().hex})


def _as_url(url: str | Path) -> URL:
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(url))
    return sa.make_url(url)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True)
    if not url.database or url.database == ":memory:":
        raise LedgerError("a ledger in memory forgets what it sent", where=str(url), fix="name a file")
    engine = sa.create_engine(url, connect_args={"timeout": TURN_SECONDS, "check_same_thread": False})
    sa_event.listen(engine, "connect", _prepare_sqlite)
    sa_event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None  # transactions begin and end only where we say so
    if raw.execute("pragma journal_mode").fetchone()[0] != "wal":
        _in_turn(lambda: raw.execute("pragma journal_mode = wal"))
    for setting in ("synchronous = full", "foreign_keys = on"):
        raw.execute(f"pragma {setting}")


def _begin_sqlite(conn: Connection) -> None:
    raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    if not conn.get_execution_options().get("einvoice_write"):
        raw.execute("begin")
        return
    raw.execute("pragma busy_timeout = 1")
    try:
        _in_turn(lambda: raw.execute("begin immediate"))
    finally:
        raw.execute(f"pragma busy_timeout = {int(TURN_SECONDS * 1000)}")


def _in_turn(act: Callable[[], object]) -> None:
    """Does *act* as soon as no other process holds the lock."""
    deadline = time.monotonic() + TURN_SECONDS
    while True:
        try:
            act()
        except sqlite3.OperationalError as refusal:
            if refusal.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.0005, 0.002))  # noqa: S311 - spreads waiters, guards nothing
        else:
            return


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turns what the database says into a LedgerError. Not its statement, whose values are people's data."""
    try:
        yield
    except sa.exc.StatementError as cause:
        if isinstance(cause.orig, LedgerError):
            raise cause.orig from None
        if _lost_a_race(cause):
            raise  # ``raced`` does it again
        raise LedgerError(
            f"the ledger could not be used, nothing of this step was stored: {cause.orig}",
            fix="see that its disk has room and its database answers, then do it again",
        ) from cause


def _lost_a_race(cause: sa.exc.StatementError) -> bool:
    """A unique key that another process took first, or PostgreSQL's deadlock and serialization failures."""
    return isinstance(cause, sa.exc.IntegrityError) or getattr(cause.orig, "sqlstate", "") in ("40P01", "40001")


def raced(method: Callable[P, R]) -> Callable[P, R]:
    """Repeats a transaction that lost a race; it then finds what the winner stored."""

    @wraps(method)
    def again(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(RACES):
            try:
                return method(*args, **kwargs)
            except sa.exc.StatementError as cause:
                if not _lost_a_race(cause):
                    raise
        return method(*args, **kwargs)

    return again


def dumps(value: object) -> str:
    """*value* as JSON text for one column: the same value is always the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def dump_findings(findings: Sequence[Finding]) -> str:
    """*findings* as JSON; ``load_findings`` is the way back."""
    return dumps([finding.as_dict() for finding in findings])


def load_findings(text: str) -> tuple[Finding, ...]:
    names = {item.name for item in fields(Finding)}
    return tuple(
        Finding(
            **{"message": "", **{k: v for k, v in raw.items() if k in names}, "severity": Severity(raw["severity"])}
        )
        for raw in json.loads(text)
    )


def record(
    conn: Connection,
    kind: str,
    text: str,
    at: datetime,
    *,
    document_id: int | None = None,
    delivery_id: int | None = None,
    transmission_id: int | None = None,
    actor: str = "einvoice",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Appends one event to the timeline, in the transaction that makes it true."""
    insert(conn, schema.event, {
        "at": at, "kind": kind, "text": text, "actor": actor, "detail": dumps(dict(detail or {})),
        "document_id": document_id, "delivery_id": delivery_id, "transmission_id": transmission_id,
    })  # fmt: skip


def insert(conn: Connection, table: sa.Table, row: Mapping[str, Any]) -> int:
    """The id of *row* in *table*."""
    key = conn.execute(table.insert(), dict(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


_BY_ID = {table: table.update().where(table.c.id == sa.bindparam("key")) for table in schema.WITH_ID}


def change(conn: Connection, table: sa.Table, key: int, values: Mapping[str, Any]) -> None:
    """Sets columns of one row. Built once for each table: building an update costs more than running it."""
    conn.execute(_BY_ID[table], {**values, "key": key})
