"""The kinds of columns that the tables of the ledger share."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Integer, MetaData, Text, text

from loan_reminders.domain.stages import Stage

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)
"""Every table of the ledger."""


def one_of(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    """A check that the column holds one of these values."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


STAGES_OF_LOANS = ", ".join(f"'{stage.value}'" for stage in Stage)
"""In SQL, the stages of the procedure: what a library tells of besides is about no loan."""

OFFERED_IN_DOUBT = """(
    delivery.reason = 'interrupted'
    OR NOT delivery.resent_in_doubt AND coalesce(delivery.reason, '') NOT IN ('ledger_incomplete', 'opted_out')
)"""
"""In SQL, whether a row `delivery` in doubt is offered to a sender: once more, and again when its sender was killed.

Not when it was stopped: a person said that nothing is to leave, or its reader refuses e-mails by now."""


def stage_name() -> CheckConstraint:
    """A check that the column `stage` is named like a stage: a library may have notices of its own beside the five."""
    return CheckConstraint("stage ~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$'", name="stage")


def library_code() -> Column[str]:
    """The code of the library whose row it is."""
    return Column("library", Text, nullable=False)


def moment(name: str, *, default: bool = False) -> Column[object]:
    """An instant; with `default`, that of the row's transaction."""
    now = text("now()") if default else None
    return Column(name, DateTime(timezone=True), nullable=not default, server_default=now)


def dated(column: str, now: str = "now()") -> str:
    """In SQL, the moment of a column when it can be true: from 1980 on, and a day after `now` at most; else NULL.

    Whoever sends us a receipt may write any date in it. One before our era cannot even be read back.
    """
    return f"CASE WHEN {column} BETWEEN '1980-01-01' AND {now} + interval '1 day' THEN {column} END"


def words(name: str) -> Column[str]:
    """Text that may be empty."""
    return Column(name, Text, nullable=False, server_default="")


def count(name: str) -> Column[int]:
    """A number that begins at zero."""
    return Column(name, Integer, nullable=False, server_default="0")


def of_run() -> Column[int]:
    """The run it belongs to."""
    return Column("run_id", BigInteger, ForeignKey("runs.run_id"), nullable=False)
