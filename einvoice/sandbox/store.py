"""What the network remembers: every byte in and out, the invoices it took, the statuses it owes. SQLite."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from .cxml import without_secret

Row = dict[str, Any]

_TABLES = """
create table if not exists message (
  id integer primary key, at text not null, direction text not null, path text not null, kind text not null default '',
  payload_id text not null default '', invoice_number text not null default '', headers text not null,
  request blob not null, sha256 text not null, sha256_without_secret text not null,
  behaviour text not null default '', code integer, http integer, answer blob);
create index if not exists message_payload on message(payload_id);
create table if not exists invoice (
  id integer primary key, at text not null, message_id integer not null references message(id),
  payload_id text not null unique, number text not null, number_key text not null, supplier text not null,
  buyer text not null, invoice_date text not null, purpose text not null, operation text not null,
  currency text not null, net text not null, sha256_without_secret text not null, state text not null);
create index if not exists invoice_number on invoice(supplier, number_key);
create table if not exists status (
  id integer primary key, payload_id text not null unique, supplier text not null, buyer text not null,
  document text not null, number text not null, invoice_date text not null, by_number integer not null,
  type text not null, code integer not null, text text not null, comment text not null, partial_amount text not null,
  currency text not null, copies integer not null, due_at text not null, stamped_at text,
  pushes integer not null default 0, push_at text, push_result text not null default '', acknowledged_at text);
create table if not exists meta (key text primary key, value text not null);
"""
_MESSAGE = (
    "id, at, direction, path, kind, payload_id, invoice_number, sha256, sha256_without_secret, "
    "length(request) as request_bytes, length(answer) as answer_bytes, behaviour, code, http"
)


class Store:
    """One SQLite database; *path* None keeps it in memory. Rows come out as dictionaries ready for JSON."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        if path is not None:
            # Received requests hold the shared secret: for the owner's eyes only.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("pragma journal_mode=wal; pragma synchronous=normal;" + _TABLES)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def reset(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._db.executescript(
                "begin; delete from status; delete from invoice; delete from message; delete from meta; commit;"
            )

    def rows(self, query: str, *values: object) -> list[Row]:
        with self._lock:
            return [dict(row) for row in self._db.execute(query, values)]

    def row(self, query: str, *values: object) -> Row | None:
        return next(iter(self.rows(query, *values)), None)

    def add(self, table: str, **values: object) -> int:
        """A new row; its id. Table and column names are ours, never a client's."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        with self._lock:
            cursor = self._db.execute(f"insert into {table} ({columns}) values ({marks})", tuple(values.values()))  # noqa: S608
            return int(cursor.lastrowid or 0)

    def change(self, table: str, row_id: int, **values: object) -> None:
        changes = ", ".join(f"{column} = ?" for column in values)
        with self._lock:
            self._db.execute(f"update {table} set {changes} where id = ?", (*values.values(), row_id))  # noqa: S608

    def take_in(self, *, at: datetime, direction: str, path: str, headers: Mapping[str, str], data: bytes) -> int:
        """Stores a message as it came, before anyone looks at it; its id."""
        return self.add(
            "message",
            at=at.isoformat(),
            direction=direction,
            path=path,
            headers=json.dumps(dict(headers)),
            request=data,
            sha256=digest(data),
            sha256_without_secret=digest(without_secret(data)),
        )

    def messages(self, **wanted: str) -> list[Row]:
        """Messages in order, without their bytes, filtered by ``kind``, ``payload_id``, ``invoice_number``, ..."""
        known = {"kind", "payload_id", "invoice_number", "direction", "behaviour"}
        where = " and ".join(f"{column} = ?" for column in wanted if column in known) or "1"
        values = [value for column, value in wanted.items() if column in known]
        return self.rows(f"select {_MESSAGE} from message where {where} order by id", *values)  # noqa: S608

    def raw(self, message_id: int, side: str) -> bytes | None:
        """The exact bytes of the ``request`` or the ``answer``; None when there is no such message."""
        column = {"request": "request", "answer": "answer"}[side]
        found = self.row(f"select {column} as data from message where id = ?", message_id)  # noqa: S608
        return None if found is None else bytes(found["data"] or b"")

    def copies(self, payload_id: str) -> int:
        """How many requests bearing *payload_id* have come in."""
        found = self.row("select count(*) as n from message where direction = 'in' and payload_id = ?", payload_id)
        return int(found["n"]) if found else 0

    def invoices(self, **wanted: str) -> list[Row]:
        """Invoices with ``copies`` (requests bearing the payloadID) and ``contents`` (different ones among them)."""
        known = ("payload_id", "number", "supplier", "buyer", "state", "purpose", "operation")
        given = {column: wanted[column] for column in known if column in wanted}
        where = " and ".join(f"i.{column} = ?" for column in given) or "1"
        return self.rows(
            "select i.*, count(m.id) as copies, count(distinct m.sha256) as distinct_bytes, "  # noqa: S608
            "count(distinct m.sha256_without_secret) as contents from invoice i join message m "
            f"on m.payload_id = i.payload_id and m.direction = 'in' where {where} group by i.id order by i.id",
            *given.values(),
        )

    def totals(self) -> Row:
        """Counts over everything: what a run of any size is compared with."""
        doubled = self.rows(
            "select supplier, number, count(*) as invoices from invoice where operation = 'new' "
            "and state not in ('rejected', 'canceled', 'invalid') group by supplier, number_key having count(*) > 1"
        )
        changed = self.rows(
            "select payload_id from message where direction = 'in' and kind = 'InvoiceDetailRequest' "
            "group by payload_id having count(distinct sha256_without_secret) > 1"
        )
        counts = self.row(
            "select (select count(*) from invoice where operation = 'new') as invoices, "
            "(select count(*) from message where direction = 'in' and kind = 'InvoiceDetailRequest') as requests"
        )
        return {**(counts or {}), "doubled": doubled, "changed": [row["payload_id"] for row in changed]}

    def meta(self, key: str, default: str = "") -> str:
        found = self.row("select value from meta where key = ?", key)
        return str(found["value"]) if found else default

    def set_meta(self, key: str, value: str) -> None:
        with self._lock:
            self._db.execute("insert or replace into meta values (?, ?)", (key, value))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
