"""What the first page asks of the ledger: the runs of a day, whom they told, and the last days in figures.

No reader's name is in any answer. Figures of a day are those of all its runs together: a run that is begun again tells
nobody twice, so the sum is what the day told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.runs.day_state import LedgerRun
from loan_reminders.domain.runs.forecast import KNOWN_DAYS, PastRun
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.sms.pace import PACE_DAYS, KnownCredit
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.runs.waiting import ASKS
from loan_reminders.ledger.sms import credits as sms_credits
from loan_reminders.ledger.statistics.reached import OF_LETTERS, OUTCOME, Reached, readers_reached
from loan_reminders.ledger.tables import RunKind

SHOWN_DAYS = 7
WAITS_AT_MOST = timedelta(days=5)
"""How long before it leaves a message may have been planned: SMS that wait for a long closed weekend."""
CREDIT_SHOWN = timedelta(days=183)

_RUNS = text("""
    SELECT run_id, stage, reference_date, due_date, today, dag_run_id, loans_extracted, rows_read, balanced, books,
           started_at, closed_at, kind, CAST(reading ->> 'unknown_loans' AS integer) AS unknown_loans,
           closed_at IS NOT NULL AND EXISTS (SELECT FROM counted_runs WHERE run_id = runs.run_id) AS counted
    FROM runs WHERE library = :library AND reference_date BETWEEN :first AND :last AND NOT dry_run
    ORDER BY run_id
""")
_ANY_RUN = text("SELECT EXISTS (SELECT FROM runs WHERE library = :library AND NOT dry_run) AS any")
_VOLUMES = text("""
    SELECT DISTINCT ON (run_id) run_id, answer FROM volume_answers
    WHERE run_id = ANY(CAST(:runs AS bigint[])) ORDER BY run_id, answer_id DESC
""")
_BATCHES = text(f"""
    SELECT run_id, state, sum(letters - left_out) AS letters FROM letter_batches batch
    WHERE run_id = ANY(CAST(:runs AS bigint[])) AND (state = 'ready' OR {ASKS}) GROUP BY run_id, state
""")  # noqa: S608 - the piece is this project's own
_DELIVERIES = text(f"""
    SELECT run_id, channel, state, outcome, count(*) AS number FROM (
        SELECT delivery.run_id, delivery.channel, delivery.state, {OUTCOME} AS outcome
        FROM deliveries delivery {OF_LETTERS} WHERE delivery.run_id = ANY(CAST(:runs AS bigint[]))
    ) AS message GROUP BY run_id, channel, state, outcome
""")  # noqa: S608 - the pieces are this project's own
# A run that was closed is in the counters, and they follow what is learnt of its messages; others are counted here.
# A message sent once more has left too, and no counter tells of it.
_SENT = text("""
    SELECT CAST(timezone(:zone, moment) AS date) AS day, channel, sum(number) AS number FROM (
        SELECT moment, channel, told AS number FROM message_counters
        WHERE run_id = ANY(CAST(:counted AS bigint[])) AND channel IN ('email', 'sms') AND moment >= :since
        UNION ALL
        SELECT claimed_at, channel, 1 FROM deliveries
        WHERE run_id = ANY(CAST(:others AS bigint[])) AND channel IN ('email', 'sms')
          AND state IN ('accepted', 'delivered') AND NOT redirected AND claimed_at >= :since
    ) AS sent WHERE number > 0 GROUP BY 1, 2
""")
_BATCHED = text("""
    SELECT CAST(timezone(:zone, batch.at) AS date) AS day, batch.kind AS channel,
           sum(batch.letters - batch.left_out) AS number
    FROM letter_batches batch JOIN runs run USING (run_id)
    WHERE batch.library = :library AND batch.state IN ('ready', 'printed') AND NOT batch.trial AND batch.at >= :since
      AND NOT run.dry_run
    GROUP BY 1, 2
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBooks:
    """The books of a stage's day: loans read, those in a notice or left out with a reason, messages left undone."""

    loans: int
    explained: int
    undone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What a stage's day told, and whom it did not reach: loans, readers, and messages by channel.

    `paper` counts letters of batches that nobody printed, and registered ones that nobody posted: they told nobody yet;
    `paper_run` is the newest run that has some. `redirected` counts what went to a test address: it told nobody, and is
    in no other figure but the books. `unknown_codes` counts the loans of the newest run with codes that the
    settings do not know.
    """

    run: LedgerRun
    loans: int
    told: int
    not_reached: int
    sent: Mapping[Channel, int]
    in_doubt: int
    books: DayBooks | None
    unknown_codes: int = 0
    paper: Mapping[Channel, int] = field(default_factory=dict)
    paper_run: int | None = None
    redirected: Mapping[Channel, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """All that the first page shows of the ledger; `began` is False while no run ever began."""

    began: bool
    stages: Mapping[Stage, DayFigures]
    last_days: Mapping[date, Mapping[Channel, int]]
    past: Sequence[PastRun]
    credit: KnownCredit | None
    credit_by_day: Mapping[date, int]
    spent_by_day: Mapping[date, int]


@dataclass(slots=True, kw_only=True)
class _Counted:
    sent: dict[Channel, int] = field(default_factory=dict)
    paper: dict[Channel, int] = field(default_factory=dict)
    redirected: dict[Channel, int] = field(default_factory=dict)
    sms_waiting: int = 0
    in_doubt: int = 0


class PostgresToday:
    """The part of one library's ledger that the first page shows."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def today(self, now: datetime, *, zone: str) -> Today:
        """What is known at `now`, a moment of the library's own clock; `zone` is its IANA name."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight - timedelta(days=SHOWN_DAYS - 1)
        asked = {"library": self._library, "zone": zone, "since": first}
        days = {"first": now.date() - timedelta(days=KNOWN_DAYS), "last": now.date()}
        spent_since = min(midnight.replace(day=1), midnight - timedelta(days=PACE_DAYS))
        with self._transaction() as connection:
            runs = connection.execute(_RUNS, {**asked, **days}).all()
            began = bool(runs) or bool(connection.execute(_ANY_RUN, asked).scalar_one())
            daily = [run for run in runs if run.kind == RunKind.DAILY.value]
            ours = [run for run in daily if run.reference_date == now.date()]
            lately = [run for run in runs if run.today >= (first - WAITS_AT_MOST).date()]
            counted = [run.run_id for run in lately if run.counted and run.kind == RunKind.DAILY.value]
            others = [run.run_id for run in lately if run.run_id not in counted]
            return Today(
                began=began,
                stages=_figures(connection, ours),
                last_days=_last_days(connection, {**asked, "counted": counted, "others": others}),
                past=tuple(_past(run) for run in daily if run.balanced and run.books is not None),
                credit=sms_credits.newest(connection, self._library),
                credit_by_day=sms_credits.by_day(connection, self._library, midnight - CREDIT_SHOWN, zone),
                spent_by_day=sms_credits.spent_by_day(connection, self._library, spent_since, zone),
            )


def _figures(connection: Connection, runs: Sequence[Row[Any]]) -> Mapping[Stage, DayFigures]:
    if not runs:
        return {}
    asked = {"runs": [run.run_id for run in runs]}
    volumes = {row.run_id: VolumeAnswer(row.answer) for row in connection.execute(_VOLUMES, asked)}
    letters = {(row.run_id, row.state): int(row.letters) for row in connection.execute(_BATCHES, asked)}
    readers = readers_reached(connection, asked["runs"])
    counted: dict[int, _Counted] = {run.run_id: _Counted() for run in runs}
    for row in connection.execute(_DELIVERIES, asked):
        _count(counted[row.run_id], Channel(row.channel), row.state, row.outcome, row.number)
    found: dict[Stage, DayFigures] = {}
    for name in dict.fromkeys(run.stage for run in runs):
        of_day = [run for run in runs if run.stage == name]
        newest = of_day[-1]
        sums = [counted[run.run_id] for run in of_day]
        found[Stage(name)] = DayFigures(
            run=LedgerRun(
                run_id=newest.run_id,
                dag_run_id=newest.dag_run_id,
                started_at=newest.started_at,
                closed_at=newest.closed_at,
                balanced=newest.balanced,
                volume=volumes.get(newest.run_id),
                drafts=sum(letters.get((run.run_id, "draft"), 0) for run in of_day),
                to_print=sum(letters.get((run.run_id, "ready"), 0) for run in of_day),
                sms_waiting=counted[newest.run_id].sms_waiting,
            ),
            loans=max((run.rows_read if run.loans_extracted is None else run.loans_extracted) for run in of_day),
            told=readers.get(name, Reached()).told,
            not_reached=readers.get(name, Reached()).not_reached,
            sent={channel: sum(one.sent.get(channel, 0) for one in sums) for channel in Channel},
            in_doubt=sum(one.in_doubt for one in sums),
            books=_books(newest.books),
            unknown_codes=newest.unknown_loans or 0,
            paper={channel: sum(one.paper.get(channel, 0) for one in sums) for channel in Channel},
            redirected={channel: sum(one.redirected.get(channel, 0) for one in sums) for channel in Channel},
            paper_run=next((run.run_id for run in reversed(of_day) if counted[run.run_id].paper), None),
        )
    return found


def _count(into: _Counted, channel: Channel, state: str, outcome: str, number: int) -> None:
    if outcome == "told":
        into.sent[channel] = into.sent.get(channel, 0) + number
    elif outcome == "redirected" and state in ("accepted", "delivered"):
        into.redirected[channel] = into.redirected.get(channel, 0) + number
    elif outcome == "waiting":
        into.paper[channel] = into.paper.get(channel, 0) + number
    elif state == "in_doubt":
        into.in_doubt += number
    elif state == "planned" and channel is Channel.SMS:
        into.sms_waiting += number


def _books(kept: Mapping[str, Any] | None) -> DayBooks | None:
    if kept is None:
        return None
    states = kept["deliveries"].values()
    return DayBooks(
        loans=kept["loans_extracted"],
        explained=kept["loans_in_notices"] + sum(kept["skipped"].values()),
        undone=sum(one.get("planned", 0) + one.get("claimed", 0) for one in states),
    )


def _last_days(connection: Connection, asked: Mapping[str, Any]) -> Mapping[date, Mapping[Channel, int]]:
    found: dict[date, dict[Channel, int]] = {}
    for query in (_SENT, _BATCHED):
        for row in connection.execute(query, asked):
            day = found.setdefault(row.day, {})
            day[Channel(row.channel)] = day.get(Channel(row.channel), 0) + int(row.number)
    return found


def _past(run: Row[Any]) -> PastRun:
    of_channels = {
        Channel(channel): sum(number for state, number in states.items() if state != DeliveryState.CANCELLED)
        for channel, states in run.books["deliveries"].items()
    }
    return PastRun(
        stage=Stage(run.stage),
        day=run.reference_date,
        due_date=run.due_date,
        notices=run.books["notices"],
        by_channel=of_channels,
    )
