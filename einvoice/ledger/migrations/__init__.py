"""Brings a ledger's tables up to date, from an installed package, without a configuration file."""

from __future__ import annotations

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from ...errors import LedgerError
from ..schema import HEAD

SCRIPTS = Path(__file__).parent


def upgrade(conn: Connection) -> None:
    """Runs every migration that *conn*'s ledger lacks, inside the transaction that is open on it.

    Raises LedgerError when a newer einvoice wrote this ledger.
    """
    scripts = ScriptDirectory(SCRIPTS)
    context = MigrationContext.configure(conn)
    current = context.get_current_revision()
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise LedgerError(
            f"the ledger is at version {current}, this einvoice knows up to {HEAD}",
            fix="use the einvoice that wrote it, or a newer one",
        )
    with Operations.context(context):
        for script in reversed(list(scripts.iterate_revisions(HEAD, current or "base"))):
            script.module.upgrade()
            context.stamp(scripts, script.revision)
