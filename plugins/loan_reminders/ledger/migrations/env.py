"""Alembic's entry: runs the migrations on the connection that `loan_reminders.commands.migrate` hands over."""

from __future__ import annotations

from alembic import context

from loan_reminders.ledger.schema import VERSION_TABLE
from loan_reminders.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    compare_server_default=True,
    # Some migrations make indexes while the ledger is in use, which no transaction may hold.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
