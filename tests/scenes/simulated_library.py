"""Libraries in which the effect of an SMS is known, since chance made them: loan by loan, as rows of a ledger.

Readers differ in how soon they return, and each has several loans: loans are not independent. Months differ too. An SMS
adds `points` to the probability that a loan is returned in time (or takes them from that of a long overdue), for
everyone alike. `tally` counts these loans as the ledger does, and `write` puts them into a ledger as they are.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.stages import PatronCategory, Stage
from loan_reminders.domain.statistics.effect import (
    BUCKETS,
    Counts,
    Kept,
    Length,
    OverdueCount,
    ReturnCount,
    ToldBy,
    ToldCount,
    month_of,
)
from loan_reminders.ledger.json_codecs import encode_loan
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_loan, a_patron
from tests.scenes.ledger_runs import rows

STUDENT, STAFF = PatronCategory.STUDENT, PatronCategory.STAFF
KEY = b"the key of a library that is simulated"
FIRST = date(2025, 1, 1)
TRIAL = Holdback(share=0.5, first=date(2025, 3, 3), last=date(2025, 8, 30), seed="graine d'essai")
READ_ON = TRIAL.last + timedelta(days=60)


@dataclass(frozen=True, slots=True)
class SimulatedLoan:
    """A loan told of on the day after its due date. It was open until `delay` days after that date, exclusively."""

    loan_id: str
    patron_id: str
    category: PatronCategory
    due: date
    length: int
    by_sms: bool
    control: bool
    delay: int

    @property
    def told_on(self) -> date:
        return self.due + timedelta(days=1)

    @property
    def open_on(self) -> date:
        return self.due + timedelta(days=self.delay - 1)

    @property
    def ended_on(self) -> date:
        return self.due + timedelta(days=self.delay)

    def returned_within(self, days: int) -> bool:
        return self.ended_on <= self.told_on + timedelta(days=days)


def library_of_arms(
    seed: int, points: float, *, trial: bool, readers: int = 500, months: int = 6, apart: float = 0.0
) -> list[SimulatedLoan]:
    """Students with several overdue loans each, half of them told of by SMS: by chance, or as they gave their number.

    `points` is what the SMS adds to the share returned within seven days, `apart` what those who gave a number have
    more without it.
    """
    rng = np.random.default_rng(seed)
    by_month = rng.normal(0, 0.03, months).clip(-0.08, 0.08)
    loans: list[SimulatedLoan] = []
    for reader in range(readers):
        patron_id = f"S{seed}-{reader}"
        soon = rng.uniform(0.25, 0.65)
        control = TRIAL.is_control(patron_id)
        with_sms = not control if trial else bool(rng.random() < 0.5)
        category = STUDENT if rng.random() < 0.8 else PatronCategory.EXTERNAL
        for number in range(1 + rng.poisson(2)):
            month = int(rng.integers(months))
            due = date(FIRST.year, 3 + month, 3) + timedelta(days=int(rng.integers(25)))
            share = soon + by_month[month] + with_sms * points / 100 + (with_sms and not trial) * apart / 100
            delay = int(rng.integers(2, 9)) if rng.random() < share else int(rng.integers(9, 40))
            loans.append(
                SimulatedLoan(
                    loan_id=f"{patron_id}-{number}", patron_id=patron_id, category=category, due=due,
                    length=(14, 28)[int(rng.integers(2))], by_sms=with_sms, control=trial and control, delay=delay,
                )
            )  # fmt: skip
    return loans


def library_of_months(
    seed: int,
    points: float,
    *,
    months: int = 24,
    since: int = 12,
    each: int = 70,
    readers: int = 250,
    drift: float = 0,
    staff_told: float = 0,
) -> list[SimulatedLoan]:
    """Overdue loans of students and staff over months; from the month `since` on, students have `points` fewer long.

    `drift`: the points by which students move away from staff each month anyway; `staff_told`: the share of staff's
    loans that are told of by SMS from that month on.
    """
    rng = np.random.default_rng(seed)
    texted = random.Random(seed)
    loans: list[SimulatedLoan] = []
    for category, level in ((STUDENT, 0.5), (STAFF, 0.45)):
        slow = rng.uniform(level - 0.2, level + 0.2, readers)
        by_month = rng.normal(0, 0.03, months).clip(-0.08, 0.08)
        for month in range(months):
            begins = date(FIRST.year + month // 12, 1 + month % 12, 1)
            share = by_month[month]
            if category is STUDENT:
                share += month * drift / 100 - (month >= since) * points / 100
            whose = rng.integers(readers, size=int(rng.poisson(each)) + 1)
            is_long = rng.random(whose.size) < slow[whose] + share
            delays = np.where(is_long, rng.integers(16, 60, whose.size), rng.integers(2, 16, whose.size)).tolist()
            days = rng.integers(28, size=whose.size).tolist()
            loans += [
                SimulatedLoan(
                    loan_id=f"M{seed}-{category}-{month}-{number}", patron_id=f"M{seed}-{category}-{reader}",
                    category=category, due=begins + timedelta(days=day), length=28, control=False, delay=delay,
                    by_sms=category is STAFF and month >= since and texted.random() < staff_told,
                )
                for number, (reader, delay, day) in enumerate(zip(whose.tolist(), delays, days, strict=True))
            ]  # fmt: skip
    return loans


def bucket(patron_id: str, key: bytes = KEY) -> int:
    """The group of readers that the ledger puts a reader into."""
    return hashlib.sha256(key + f"bucket {patron_id}".encode()).digest()[0] % BUCKETS


def tally(loans: Sequence[SimulatedLoan], *, holdback: Holdback | None = None, key: bytes = KEY) -> Counts:
    """The counts of these loans, all of them known to the end; made here by other means than in the ledger."""
    overdues: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    returns: dict[tuple[Any, ...], Counter[Any]] = defaultdict(Counter)
    told: dict[tuple[date, PatronCategory], Counter[bool]] = defaultdict(Counter)
    for loan in loans:
        group = bucket(loan.patron_id, key)
        here = overdues[month_of(loan.due), loan.category, group]
        here["overdue"] += loan.delay > 1
        here["long"] += loan.delay > 15
        length = Length.SHORT if loan.length < 14 else Length.MEDIUM if loan.length < 28 else Length.LONG
        drawn = 1 if holdback and holdback.runs_on(loan.told_on) and (loan.by_sms or loan.control) else 0
        told_by = ToldBy.SMS if loan.by_sms else ToldBy.OTHERWISE
        side = bool(drawn) and loan.control
        told[month_of(loan.told_on), loan.category][loan.by_sms] += 1
        there = returns[month_of(loan.told_on), loan.category, length, group, told_by, drawn, side]
        there["loans"] += 1
        for days in (1, 3, 7):
            there[days] += loan.returned_within(days)
    return Counts(
        overdues=tuple(
            OverdueCount(month=m, category=c, bucket=b, overdue=n["overdue"], long_overdue=n["long"])
            for (m, c, b), n in overdues.items()
        ),
        returns=tuple(
            ReturnCount(
                month=m, stage=Stage.OVERDUE_NOTICE, category=c, length=length, bucket=b, told_by=told_by,
                holdback_id=drawn, control=control, loans=n["loans"],
                known=dict.fromkeys((1, 3, 7), n["loans"]), returned={days: n[days] for days in (1, 3, 7)},
            )
            for (m, c, length, b, told_by, drawn, control), n in returns.items()
        ),
        told=tuple(
            ToldCount(month=m, stage=Stage.OVERDUE_NOTICE, category=c, loans=n[True] + n[False], by_sms=n[True])
            for (m, c), n in sorted(told.items())
        ),
        holdbacks=(Kept(holdback_id=1, holdback=holdback),) if holdback else (),
    )  # fmt: skip


def write(ledger: PostgresLedger, loans: Sequence[SimulatedLoan], *, key: bytes = KEY) -> None:
    """Put these loans into an empty ledger: their runs, e-mails, SMS and ends, and the key that `tally` knows."""
    rows(ledger, "INSERT INTO retention_state (library, key) VALUES (:library, :key)", library=ledger.library, key=key)
    days = sorted({loan.told_on for loan in loans})
    by_day = {day: number for number, day in enumerate(days, start=1)}
    with ledger.engine.begin() as connection, connection.connection.cursor() as cursor:
        _copy(cursor, "runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run, state,"
              " loans_extracted)", ((ledger.library, "overdue_notice", day, day - timedelta(days=1), day, f"run {day}",
              1, False, "closed", 0) for day in days))  # fmt: skip
        found = cursor.execute("SELECT today, run_id FROM runs").fetchall()
        run_of = {day: run_id for day, run_id in found if day in by_day}
        _copy(cursor, "loans_seen (run_id, loan_id, due_date, library, patron_id, seq, record)",
              ((run_of[one.told_on], one.loan_id, one.due, ledger.library, one.patron_id, place, _record(one))
               for place, one in enumerate(loans)))  # fmt: skip
        _copy(cursor, "loan_ends (library, loan_id, due_date, branch, category, open_on, ended_on, how)",
              ((ledger.library, one.loan_id, one.due, "SJA", one.category.value, one.open_on, one.ended_on, "returned")
               for one in loans))  # fmt: skip
        ids = {one.loan_id: (uuid.uuid4(), uuid.uuid4(), uuid.uuid4()) for one in loans}
        _copy(cursor, "notices (notice_id, library, run_id, stage, patron_id, due_date, language, loan_ids)",
              ((ids[one.loan_id][0], ledger.library, run_of[one.told_on], "overdue_notice", one.patron_id, one.due,
                "fr", [one.loan_id]) for one in loans))  # fmt: skip
        messages = [(one, channel) for one in loans for channel in ("email", "sms") if channel == "email" or one.by_sms]
        _copy(cursor, "deliveries (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient, state)",
              ((ids[one.loan_id][1 + (channel == "sms")], ledger.library, run_of[one.told_on], ids[one.loan_id][0],
                "overdue_notice", channel, "sms" if channel == "sms" else "written", one.patron_id, "accepted")
               for one, channel in messages))  # fmt: skip
        _copy(cursor, "delivery_loans (delivery_id, loan_id, due_date, library, stage, slot, live)",
              ((ids[one.loan_id][1 + (channel == "sms")], one.loan_id, one.due, ledger.library, "overdue_notice",
                "sms" if channel == "sms" else "written", True) for one, channel in messages))  # fmt: skip
        _copy(cursor, "skips (library, run_id, loan_id, due_date, patron_id, slot, reason)",
              ((ledger.library, run_of[one.told_on], one.loan_id, one.due, one.patron_id, "sms", "control_group")
               for one in loans if one.control))  # fmt: skip


def keep_trial(ledger: PostgresLedger, holdback: Holdback = TRIAL) -> None:
    rows(ledger, "INSERT INTO holdbacks (library, first_day, last_day, share, seed)"
                 " VALUES (:library, :first, :last, :share, :seed)", library=ledger.library,
         first=holdback.first, last=holdback.last, share=holdback.share, seed=holdback.seed)  # fmt: skip


def _record(one: SimulatedLoan) -> str:
    patron = a_patron(patron_id=one.patron_id, category=one.category)
    loan = a_loan(loan_id=one.loan_id, due_date=one.due, loan_date=one.due - timedelta(days=one.length), patron=patron)
    return json.dumps(json.loads(encode_loan(loan)))


def _copy(cursor: Any, into: str, values: Any) -> None:
    with cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)
