"""The counters as they are kept, and the same counted here from the plain rows, loan by loan, by other means."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import rows

PAID = {"accepted", "delivered", "bounced", "in_doubt", "claimed"}
UNREACHABLE = {"invalid_recipient", "no_recipient", "dead_address"}
FIGURES = ("told", "failed", "in_doubt", "waiting", "not_reached", "segments", "unpriced")
RETURNS = ("loans", "known_1", "known_3", "known_7", "returned_1", "returned_3", "returned_7", "renewed_7")

Counts = dict[tuple[Any, ...], dict[str, int]]


def kept_messages(ledger: PostgresLedger, table: str = "message_counters") -> Counts:
    """What is kept of messages: by run, channel, branch and category."""
    return _sums(rows(ledger, f"SELECT * FROM {table}"), FIGURES)


def kept_returns(ledger: PostgresLedger, table: str = "return_counters") -> Counts:
    return _sums(rows(ledger, f"SELECT * FROM {table}"), RETURNS)


def kept_overdue(ledger: PostgresLedger, table: str = "overdue_counters") -> dict[tuple[Any, ...], tuple[int, int]]:
    return {(row.day, row.branch, row.category): (row.overdue, row.long_overdue)
            for row in rows(ledger, f"SELECT * FROM {table}")}  # fmt: skip


def _sums(found: Iterable[Any], figures: tuple[str, ...]) -> Counts:
    sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for row in found:
        for figure in figures:
            sums[row.run_id, row.channel, row.branch, row.category][figure] += getattr(row, figure)
    return _without_zeros(sums)


def _without_zeros(sums: Mapping[tuple[Any, ...], Counter[str]]) -> Counts:
    return {key: found for key, counts in sums.items() if (found := {name: n for name, n in counts.items() if n})}


class Recount:
    """The ledger's rows, read whole."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self.ledger = ledger
        self.runs = {row.run_id: row for row in rows(ledger, "SELECT * FROM runs") if not row.dry_run}
        self.deliveries = rows(ledger, "SELECT * FROM deliveries")
        self.notices = {row.notice_id: row for row in rows(ledger, "SELECT * FROM notices")}
        self.seen = {
            (row.run_id, row.loan_id, row.due_date): (row.record["branch"], row.record["patron"]["category"])
            for row in rows(ledger, "SELECT * FROM loans_seen")
        }
        self.skips = rows(ledger, "SELECT * FROM skips")
        printed = "SELECT delivery_id FROM letters JOIN letter_batches USING (batch_id) WHERE state = 'printed'"
        self.printed = {row.delivery_id for row in rows(ledger, printed)}
        self.posted = {row.delivery_id: row for row in rows(ledger, "SELECT * FROM registered_letters")}
        back = "SELECT delivery_id FROM letter_events WHERE act = 'returned'"
        self.back = {row.delivery_id for row in rows(ledger, back)}

    def outcome(self, delivery: Any) -> str:
        if self.runs[delivery.run_id].kind != "daily":
            return ""
        if delivery.state in ("refused", "bounced", "failed"):
            return "failed"
        if delivery.state in ("in_doubt", "claimed"):
            return "in_doubt"
        if (delivery.state, delivery.reason) == ("cancelled", "dead_address"):
            return "failed"
        if delivery.state not in ("accepted", "delivered"):
            return ""
        if delivery.channel == "letter":
            if delivery.delivery_id not in self.printed:
                return "waiting"
            return "failed" if delivery.delivery_id in self.back else "told"
        if delivery.channel == "registered_letter":
            life = self.posted.get(delivery.delivery_id)
            if life is None or life.posted_on is None:
                return "waiting"
            return "failed" if life.return_reason == "returned_undeliverable" else "told"
        return "told"

    def messages(self) -> Counts:
        sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for delivery in self.deliveries:
            if delivery.run_id not in self.runs:
                continue
            notice = self.notices[delivery.notice_id]
            branch, category = notice.branch, notice.category  # of a first loan that is removed
            if branch is None:
                branch, category = self.seen[notice.run_id, notice.loan_ids[0], notice.due_date]
            counts = sums[delivery.run_id, delivery.channel, branch, category]
            if outcome := self.outcome(delivery):
                counts[outcome] += 1
                if delivery.channel == "sms" and delivery.state in PAID:
                    counts["segments"] += delivery.segments
                    counts["unpriced"] += 0 if delivery.cost else delivery.segments
        for run_id, reader in self.not_reached():
            sums[run_id, "", *reader]["not_reached"] += 1
        return _without_zeros(sums)

    def not_reached(self) -> Iterable[tuple[int, tuple[str, str]]]:
        """Readers and due dates of a stage whom no run reached, in the last run that says so."""
        told = {(n.stage, n.patron_id, n.due_date, n.run_id) for n in self.notices.values() if n.run_id in self.runs}
        missed: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
        for skip in self.skips:
            run = self.runs.get(skip.run_id)
            if run and skip.reason in UNREACHABLE and skip.slot in (None, "written"):
                missed[run.stage, skip.patron_id, skip.due_date].append(skip)
        for (stage, patron_id, due_date), found in missed.items():
            by_run = defaultdict(list)
            for skip in found:
                by_run[skip.run_id].append(skip)
            for run_id, of_run in by_run.items():
                first = min(of_run, key=lambda skip: skip.loan_id)
                later = any(other > run_id for other in by_run)
                reached = (stage, patron_id, due_date)
                reached_in = max((told_in for *whom, told_in in told if tuple(whom) == reached), default=0)
                if not later and reached_in < run_id:
                    yield run_id, self.seen.get((run_id, first.loan_id, due_date), ("", "other"))

    def returns(self) -> Counts:
        ends = {(row.loan_id, row.due_date): row for row in rows(self.ledger, "SELECT * FROM loan_ends WHERE is_loan")}
        by_id = {delivery.delivery_id: delivery for delivery in self.deliveries}
        told: dict[tuple[Any, ...], str] = {}
        for claim in rows(self.ledger, "SELECT * FROM delivery_loans WHERE dropped IS NULL"):
            delivery = by_id[claim.delivery_id]
            if delivery.run_id in self.runs and self.outcome(delivery) == "told":
                key = (delivery.run_id, claim.loan_id, claim.due_date)
                told[key] = max(told.get(key, ""), delivery.channel)
        sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for (run_id, loan_id, due_date), channel in told.items():
            end, day = ends.get((loan_id, due_date)), self.runs[run_id].today
            if end is None:
                continue
            counts = sums[run_id, channel, end.branch, end.category]
            counts["loans"] += 1
            for days in (1, 3, 7):
                until = day + timedelta(days=days)
                ended = end.ended_on is not None and end.ended_on <= until
                counts[f"known_{days}"] += ended or end.open_on >= until
                counts[f"returned_{days}"] += ended and end.how == "returned"
            counts["renewed_7"] += bool(
                end.ended_on and end.ended_on <= day + timedelta(days=7) and end.how == "renewed"
            )
        return _without_zeros(sums)

    def overdue(self) -> dict[tuple[Any, ...], tuple[int, int]]:
        days: list[date] = [row.day for row in rows(self.ledger, "SELECT day FROM loan_looks")]
        counts: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
        for end in rows(self.ledger, "SELECT * FROM loan_ends WHERE is_loan"):
            for day in days:
                if end.due_date < day and (end.ended_on is None or end.ended_on > day):
                    counts[day, end.branch, end.category][0] += 1
                    counts[day, end.branch, end.category][1] += (day - end.due_date).days >= 15
        return {key: (overdue, late) for key, (overdue, late) in counts.items()}

    def letters(self) -> Counts:
        """Letters printed and posted, by run, channel and pages."""
        pages = "SELECT delivery_id, last_page, first_page FROM letters WHERE left_out IS NULL"
        lengths = {row.delivery_id: row.last_page - row.first_page + 1 for row in rows(self.ledger, pages)}
        sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for delivery in self.deliveries:
            one = delivery.delivery_id
            if delivery.run_id in self.runs and one in lengths and one in self.printed:
                posted = self.posted.get(one)
                counts = sums[delivery.run_id, delivery.channel, lengths[one]]
                counts["printed"] += 1
                counts["posted"] += delivery.channel == "letter" or bool(posted and posted.posted_on)
        return _without_zeros(sums)

    def spared(self) -> Counts:
        """SMS that did not leave for a STOP or a dead number: a reader and due date, in the last run that says so."""
        why = {"opted_out", "dead_number"}
        skipped = {
            (run.stage, skip.patron_id, skip.due_date, skip.run_id, skip.reason)
            for skip in self.skips
            if (run := self.runs.get(skip.run_id))
            and skip.reason in why
            and (skip.slot == "sms" or (skip.slot is None and "sms" in skip.detail))
        }
        cancelled = {
            (run.stage, notice.patron_id, notice.due_date, one.run_id, one.reason)
            for one in self.deliveries
            if (run := self.runs.get(one.run_id)) and (notice := self.notices[one.notice_id])
            and (one.channel, one.state) == ("sms", "cancelled") and one.reason in why
        }  # fmt: skip
        sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for stage, patron_id, due_date, run_id, reason in skipped | cancelled:
            day = self.runs[run_id].due_date
            last = day if Stage(stage).is_about_loans else day + timedelta(days=30)  # a notice reads some days again
            later = any(
                (stage, patron_id, due_date) == one[:3]
                and one[3] > run_id
                and day <= self.runs[one[3]].due_date <= last
                for one in skipped
            )
            if not later:
                sums[run_id, reason]["sms"] += 1
        return _without_zeros(sums)


def kept_letters(ledger: PostgresLedger, table: str = "letter_counters") -> Counts:
    sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for row in rows(ledger, f"SELECT * FROM {table}"):
        sums[row.run_id, row.channel, row.pages].update(printed=row.printed, posted=row.posted)
    return _without_zeros(sums)


def kept_spared(ledger: PostgresLedger, table: str = "spared_counters") -> Counts:
    found = rows(ledger, f"SELECT * FROM {table} WHERE sms <> 0")
    return {(row.run_id, row.reason): {"sms": row.sms} for row in found}


def kept(ledger: PostgresLedger) -> tuple[Any, ...]:
    """All counters but those of months."""
    return (
        kept_messages(ledger), kept_returns(ledger), kept_overdue(ledger), kept_letters(ledger), kept_spared(ledger),
    )  # fmt: skip


def _together(counted: Mapping[Any, Any], removed: Mapping[Any, Any]) -> dict[Any, Any]:
    """What the rows say, and what those counted for that are removed."""
    sums: dict[Any, Any] = {}
    for key in counted.keys() | removed.keys():
        one, other = counted.get(key), removed.get(key)
        if isinstance(one or other, tuple):
            total = tuple(map(sum, zip(one or (0, 0), other or (0, 0), strict=True)))
        else:
            names = {*(one or {}), *(other or {})}
            total = {name: n for name in names if (n := (one or {}).get(name, 0) + (other or {}).get(name, 0))}
        if total:
            sums[key] = total
    return sums


def assert_counters_are_true(ledger: PostgresLedger) -> None:
    """All runs being closed, what is kept is what the rows say, and what those counted for that are removed."""
    recount = Recount(ledger)
    for kept_, counted, removed in (
        (kept_messages(ledger), recount.messages(), kept_messages(ledger, "removed_messages")),
        (kept_returns(ledger), recount.returns(), kept_returns(ledger, "removed_returns")),
        (kept_overdue(ledger), recount.overdue(), kept_overdue(ledger, "removed_overdue")),
        (kept_letters(ledger), recount.letters(), kept_letters(ledger, "removed_letters")),
        (kept_spared(ledger), recount.spared(), kept_spared(ledger, "removed_spared")),
    ):
        wanted = _together(counted, removed)
        wrong = {key: (kept_.get(key), wanted.get(key)) for key in kept_ | wanted if kept_.get(key) != wanted.get(key)}
        assert wrong == {}, wrong
