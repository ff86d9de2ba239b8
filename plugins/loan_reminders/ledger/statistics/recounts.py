"""How a counter is made again: what the rows say that are still there, and what removed loans counted for.

Both are read by one statement, so that a removal at the same moment is in one of them and never in both.
"""

from __future__ import annotations

from sqlalchemy import Table, TextClause, text

from loan_reminders.ledger.tables import effect, retention, statistics


def _measures(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.server_default is not None]


def _keys(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.server_default is None]


REMOVED = {
    statistics.message_counters: retention.removed_messages,
    statistics.return_counters: retention.removed_returns,
    statistics.letter_counters: retention.removed_letters,
    statistics.spared_counters: retention.removed_spared,
    statistics.overdue_counters: retention.removed_overdue,
    effect.effect_overdues: retention.removed_effect_overdues,
    effect.effect_returns: retention.removed_effect_returns,
}
"""The table of what removed loans counted for, by the counters it belongs to."""


def recount(counters: Table, *counts: str, of: str) -> TextClause:
    """Fill counters that are empty: `counts` are queries with its columns in order, `of` says which removed ones."""
    keys, measures = ", ".join(_keys(counters)), _measures(counters)
    columns = f"{keys}, {', '.join(measures)}"
    gone = f"SELECT {columns} FROM {REMOVED[counters].name} WHERE {of}"  # noqa: S608 - this program's own names
    everything = " UNION ALL ".join(f"({query})" for query in (*counts, gone))
    sums = ", ".join(f"sum({name})" for name in measures)
    return text(f"""
        INSERT INTO {counters.name} ({columns})
        SELECT {keys}, {sums} FROM ({everything}) AS counted ({columns}) GROUP BY {keys}
    """)  # noqa: S608 - this program's own names and queries


def keep(counters: Table, query: str, *more: str) -> TextClause:
    """Add what a query counts, times `:sign`, to what removed loans counted for; `more` names columns kept besides."""
    table, measures = REMOVED[counters], [*_measures(counters), *more]
    keys = ", ".join(_keys(counters))
    columns = f"{keys}, {', '.join(measures)}"
    signed = ", ".join(f"CAST(:sign AS integer) * {name}" for name in measures)
    sums = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in measures)
    key = ", ".join(column.name for column in table.primary_key)
    return text(f"""
        INSERT INTO {table.name} AS kept ({columns})
        SELECT {keys}, {signed} FROM ({query}) AS counted ({columns})
        ON CONFLICT ({key}) DO UPDATE SET {sums}
    """)  # noqa: S608 - this program's own names and queries


def drop_nothings(counters: Table) -> TextClause:
    """Remove what came to nothing of what removed loans of these `:runs` counted for."""
    table = REMOVED[counters]
    nothing = " AND ".join(f"{name} = 0" for name in _measures(table))
    return text(f"DELETE FROM {table.name} WHERE run_id = ANY(CAST(:runs AS bigint[])) AND {nothing}")  # noqa: S608 - this program's own names
