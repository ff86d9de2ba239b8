"""The monthly counts of what SMS do, made of the plain rows while these are there; what was concluded each night.

A month is counted anew each night as long as it still changes, with what loans counted for that are removed by then;
afterwards it stays as it is. A reader is counted in one of 64 buckets, by the first byte of SHA-256 (FIPS 180-4) of
the key that `retention.fingerprints` keeps and his number.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.stages import PatronCategory, Stage
from loan_reminders.domain.statistics.effect import (
    AGES_FROM,
    BUCKETS,
    LONG_FROM,
    MEDIUM_FROM,
    Age,
    AgeCount,
    Counts,
    Findings,
    Length,
    OverdueCount,
    ReturnCount,
    ToldBy,
    ToldCount,
    month_of,
)
from loan_reminders.domain.statistics.loan_ends import LONG_OVERDUE_DAYS, WITHIN_DAYS
from loan_reminders.ledger.retention.fingerprints import make_fingerprints
from loan_reminders.ledger.statistics.holdbacks import all_holdbacks, end_others
from loan_reminders.ledger.statistics.reached import OF_LETTERS, OUTCOME
from loan_reminders.ledger.statistics.recounts import recount
from loan_reminders.ledger.tables.columns import STAGES_OF_LOANS
from loan_reminders.ledger.tables.effect import effect_overdues, effect_returns

STILL_CHANGES = timedelta(days=25)
"""How long after its end a month is counted anew: 15 days until an overdue is long, and some nights more."""

_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('reminders effect ' || :library, 0))")
_LAST = text("SELECT max(day) FROM effect_findings WHERE library = :library AND day < :today")
_REMOVED_UNTIL = text("SELECT ended_until FROM retention_state WHERE library = :library")
_BUCKET = f"get_byte(sha256(state.key || convert_to('bucket ' || {{reader}}, 'UTF8')), 0) % {BUCKETS}"

_FORGET = tuple(
    text(f"DELETE FROM {table} WHERE library = :library AND month >= :since")  # noqa: S608 - our own tables
    for table in ("effect_overdues", "effect_returns")
)
# A loan was overdue when it was open on the day after its due date; it became a long one when it was open on the 15th.
# One of which nobody knows what it was on that day counts in neither.
OVERDUES = f"""
    SELECT CAST(:library AS text), CAST(date_trunc('month', CAST(late.due_date AS timestamp)) AS date), late.category,
           {_BUCKET.format(reader="reader.patron_id")},
           count(*), count(*) FILTER (WHERE late.open_until >= late.due_date + {LONG_OVERDUE_DAYS})
    FROM ({{loans}}) AS late
    JOIN retention_state state ON state.library = :library
    CROSS JOIN LATERAL (
        SELECT patron_id FROM loans_seen
        WHERE library = :library AND loan_id = late.loan_id AND due_date = late.due_date LIMIT 1
    ) AS reader
    WHERE late.open_until >= late.due_date + 1
      AND (late.open_until >= late.due_date + {LONG_OVERDUE_DAYS}
           OR late.ended_on <= late.due_date + {LONG_OVERDUE_DAYS})
    GROUP BY 2, 3, 4
"""  # noqa: S608 - the pieces are this module's own
_LOANS = """
    SELECT loan_id, due_date, category, open_on AS open_until, ended_on FROM loan_ends
    WHERE library = :library AND is_loan AND ended_on IS NULL AND due_date >= :since
    UNION ALL
    SELECT loan_id, due_date, category, open_on, ended_on FROM loan_ends
    WHERE library = :library AND is_loan AND ended_on > :since AND due_date >= :since
"""
_ENDED_WITHIN = "ended.ended_on <= planned.day + {days}"
_KNOWN = f"count(*) FILTER (WHERE ({_ENDED_WITHIN}) IS TRUE OR ended.open_on >= planned.day + {{days}})"
_RETURNED = f"count(*) FILTER (WHERE {_ENDED_WITHIN} AND ended.how = 'returned')"
# Whoever might have been held back is counted whatever became of the message: what chance decided is what counts, and
# what happened afterwards may not change the side. Of the others only those who were told. What was redirected to a
# test address is no message to anybody: its loans are counted nowhere.
RETURNS = f"""
    WITH planned AS (
        SELECT run.stage, one.loan_id, one.due_date, min(run.today) AS day, min(one.patron_id) AS patron_id,
               min(one.seen_in) AS seen_in, bool_or(one.told) AS told, bool_or(one.told AND one.slot = 'sms') AS by_sms,
               bool_or(one.slot = 'sms') AS sms_planned, bool_or(one.channel = 'email') AS email_planned
        FROM {{messages}}
        WHERE run.library = :library AND run.today >= :since AND NOT run.dry_run AND run.kind = 'daily'
        GROUP BY run.stage, one.loan_id, one.due_date
    ), held_back AS (
        SELECT DISTINCT run.stage, skip.loan_id, skip.due_date
        FROM {{skips}}
        WHERE run.library = :library AND run.today >= :since AND NOT run.dry_run AND run.kind = 'daily'
    )
    SELECT CAST(:library AS text), CAST(date_trunc('month', CAST(planned.day AS timestamp)) AS date), planned.stage,
           ended.category,
           CASE WHEN seen.days < {MEDIUM_FROM} THEN 'short' WHEN seen.days < {LONG_FROM} THEN 'medium' ELSE 'long' END,
           {_BUCKET.format(reader="planned.patron_id")},
           CASE WHEN planned.by_sms THEN 'sms' WHEN planned.told THEN 'otherwise' ELSE 'nothing' END,
           coalesce(chance.holdback_id, 0),
           chance.holdback_id IS NOT NULL AND held_back.loan_id IS NOT NULL, count(*),
           {", ".join(_KNOWN.format(days=days) for days in WITHIN_DAYS)},
           {", ".join(_RETURNED.format(days=days) for days in WITHIN_DAYS)}
    FROM planned
    JOIN retention_state state ON state.library = :library
    JOIN LATERAL (
        SELECT * FROM loan_ends
        WHERE library = :library AND loan_id = planned.loan_id AND due_date = planned.due_date AND is_loan OFFSET 0
    ) AS ended ON true
    JOIN LATERAL (
        SELECT due_date - CAST(record ->> 'loan_date' AS date) AS days FROM loans_seen
        WHERE run_id = planned.seen_in AND loan_id = planned.loan_id AND due_date = planned.due_date OFFSET 0
    ) AS seen ON true
    LEFT JOIN held_back
      ON held_back.stage = planned.stage AND held_back.loan_id = planned.loan_id
     AND held_back.due_date = planned.due_date
    LEFT JOIN LATERAL (
        SELECT min(holdback_id) AS holdback_id FROM holdbacks
        WHERE library = :library AND planned.day BETWEEN first_day AND last_day
          AND (ended_on IS NULL OR planned.day < ended_on)
          AND planned.email_planned AND (planned.sms_planned OR held_back.loan_id IS NOT NULL)
    ) AS chance ON true
    WHERE chance.holdback_id IS NOT NULL OR (planned.told AND held_back.loan_id IS NULL)
    GROUP BY 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608 - the pieces are this module's own
MESSAGES = f"""(
    SELECT claim.loan_id, claim.due_date, delivery.run_id, delivery.channel, delivery.slot, notice.patron_id,
           notice.run_id AS seen_in, claim.dropped IS NULL AND {OUTCOME} = 'told' AS told
    FROM deliveries delivery
    JOIN notices notice ON notice.notice_id = delivery.notice_id
    JOIN delivery_loans claim ON claim.delivery_id = delivery.delivery_id
    {OF_LETTERS}
    WHERE {{which}} AND NOT delivery.redirected OFFSET 0
) AS one"""  # noqa: S608 - the pieces are this module's own
_MESSAGES = f"runs run CROSS JOIN LATERAL {MESSAGES.format(which='delivery.run_id = run.run_id')}"
_SKIPS = """runs run CROSS JOIN LATERAL (
    SELECT loan_id, due_date FROM skips WHERE run_id = run.run_id AND reason = 'control_group' OFFSET 0
) AS skip"""
_COUNTS = (
    recount(effect_overdues, OVERDUES.format(loans=_LOANS), of="library = :library AND month >= :since"),
    recount(
        effect_returns, RETURNS.format(messages=_MESSAGES, skips=_SKIPS), of="library = :library AND month >= :since"
    ),
)
_AGE = " ".join(
    f"WHEN CAST(:today AS date) - due_date >= {first} THEN '{age}'"
    for age, first in sorted(AGES_FROM.items(), key=lambda one: -one[1])
)
_THIS_MONTH = "CAST(date_trunc('month', CAST(:today AS timestamp)) AS date)"
_FORGET_AGES = text(f"DELETE FROM overdue_ages WHERE library = :library AND month = {_THIS_MONTH}")  # noqa: S608 - ours
_COUNT_AGES = text(f"""
    INSERT INTO overdue_ages (library, month, day, category, age, loans)
    SELECT :library, {_THIS_MONTH}, :today, category, CASE {_AGE} END, count(*)
    FROM loan_ends WHERE library = :library AND is_loan AND ended_on IS NULL AND due_date < :today
    GROUP BY category, CASE {_AGE} END
""")  # noqa: S608 - the pieces are this module's own

_OVERDUES = text("SELECT * FROM effect_overdues WHERE library = :library ORDER BY month, category, bucket")
_RETURNS = text("SELECT * FROM effect_returns WHERE library = :library AND (month >= :since OR holdback_id > 0)")
_TOLD = text("""
    SELECT month, stage, category, sum(loans) AS loans, coalesce(sum(loans) FILTER (WHERE told_by = 'sms'), 0) AS by_sms
    FROM effect_returns WHERE library = :library AND told_by <> 'nothing'
    GROUP BY month, stage, category ORDER BY month, stage, category
""")
_AGES = text("SELECT * FROM overdue_ages WHERE library = :library ORDER BY month, category, age")
_FIRST_SMS = text(f"""
    SELECT CAST(timezone(:zone, moment) AS date) FROM message_counters
    WHERE library = :library AND channel = 'sms' AND told > 0 AND stage IN ({STAGES_OF_LOANS})
    ORDER BY moment LIMIT 1
""")  # noqa: S608 - the list is a module's own
_KEEP_FINDINGS = text("""
    INSERT INTO effect_findings (library, day, findings) VALUES (:library, :day, :findings)
    ON CONFLICT (library, day) DO UPDATE SET at = now(), findings = excluded.findings
""").bindparams(bindparam("findings", type_=JSONB))
# One a month stays, as it was on the last night.
_FORGET_FINDINGS = text("DELETE FROM effect_findings WHERE library = :library AND day >= :first AND day < :day")
_NEWEST = text("SELECT findings FROM effect_findings WHERE library = :library ORDER BY day DESC LIMIT 1")
_FINDINGS = TypeAdapter(Findings)


class PostgresEffect:
    """The counts of what SMS do, of one library. Fulfils `EffectCounts`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def count(self, *, today: date, current: Holdback | None) -> None:
        """Count anew the months that still change, and what is overdue on this day; one count at a time.

        `current` is the period of holding back that the settings say now.
        """
        ours: dict[str, Any] = {"library": self._library}
        with self._transaction() as connection:
            connection.execute(_ALONE, ours)
            make_fingerprints(connection, self._library)
            end_others(connection, self._library, current, today)
            asked = {**ours, "today": today, "since": self._since(connection, today)}
            for statement in (*_FORGET, *_COUNTS, _FORGET_AGES, _COUNT_AGES):
                connection.execute(statement, asked)

    def _since(self, connection: Connection, today: date) -> date:
        """The first month to count anew: those of nights without a count too, but none of which loans were removed
        before it was kept what they counted for."""
        asked = {"library": self._library, "today": today}
        last = connection.execute(_LAST, asked).scalar()
        since = date.min if last is None else month_of(min(last, today) - STILL_CHANGES)
        removed = connection.execute(_REMOVED_UNTIL, asked).scalar()
        if removed is not None:
            whole = month_of(month_of(removed) + timedelta(days=31))
            since = max(since, min(whole, month_of(today - STILL_CHANGES)))
        return since

    def counts(self, *, since: date, zone: str) -> Counts:
        """All months' overdues, ages and loans told of, returns of trials, and of others from the month of a day on."""
        ours = {"library": self._library}
        with self._transaction() as connection:
            returns = connection.execute(_RETURNS, {**ours, "since": month_of(since)})
            return Counts(
                overdues=tuple(_overdue(row) for row in connection.execute(_OVERDUES, ours)),
                returns=tuple(map(_return, returns)),
                told=tuple(map(_told, connection.execute(_TOLD, ours))),
                ages=tuple(_age(row) for row in connection.execute(_AGES, ours)),
                holdbacks=all_holdbacks(connection, self._library),
                first_sms=connection.execute(_FIRST_SMS, {**ours, "zone": zone}).scalar(),
            )

    def keep(self, findings: Findings) -> None:
        """Keep what was concluded; it takes the place of that of earlier days of the month."""
        asked = {
            "library": self._library,
            "day": findings.day,
            "findings": _FINDINGS.dump_python(findings, mode="json"),
        }
        with self._transaction() as connection:
            connection.execute(_KEEP_FINDINGS, asked)
            connection.execute(_FORGET_FINDINGS, {**asked, "first": month_of(findings.day)})

    def newest(self) -> Findings | None:
        """What was concluded last; None before the first night, or when it is of a form that is no longer read."""
        with self._transaction() as connection:
            found = connection.execute(_NEWEST, {"library": self._library}).scalar()
        if found is None:
            return None
        try:
            return _FINDINGS.validate_python(found)
        except ValueError:
            return None


def _overdue(row: Row[Any]) -> OverdueCount:
    return OverdueCount(
        month=row.month,
        category=PatronCategory(row.category),
        bucket=row.bucket,
        overdue=row.overdue,
        long_overdue=row.long_overdue,
    )


def _return(row: Row[Any]) -> ReturnCount:
    return ReturnCount(
        month=row.month,
        stage=Stage(row.stage),
        category=PatronCategory(row.category),
        length=Length(row.length),
        bucket=row.bucket,
        told_by=ToldBy(row.told_by),
        holdback_id=row.holdback_id,
        control=row.control,
        loans=row.loans,
        known={days: getattr(row, f"known_{days}") for days in WITHIN_DAYS},
        returned={days: getattr(row, f"returned_{days}") for days in WITHIN_DAYS},
    )


def _told(row: Row[Any]) -> ToldCount:
    return ToldCount(
        month=row.month,
        stage=Stage(row.stage),
        category=PatronCategory(row.category),
        loans=int(row.loans),
        by_sms=int(row.by_sms),
    )


def _age(row: Row[Any]) -> AgeCount:
    return AgeCount(
        month=row.month, day=row.day, category=PatronCategory(row.category), age=Age(row.age), loans=row.loans
    )
