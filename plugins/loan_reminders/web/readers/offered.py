"""The column « Faire » of a reader's page: what can be done, what is held, and what comes next for each loan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from loan_reminders.domain.dispute.loan_file import Dispute
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.readers.reader import ReaderLoan
from loan_reminders.domain.readers.resend import LastSent
from loan_reminders.domain.runs.holds import LONGEST, Hold
from loan_reminders.domain.runs.planning import key
from loan_reminders.domain.stages import Channel, Policy, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.domain.suppressions.suppression import Suppressed
from loan_reminders.french.days import day_words, when_words
from loan_reminders.french.pages.next_step import hold_words, next_step_words, not_listed_words
from loan_reminders.french.words import ONE_STATE, STAGES
from loan_reminders.ledger.dispute.reader_page import ReaderPageParts
from loan_reminders.services.readers.next_step import next_steps
from loan_reminders.web.readers.loan_lines import LineEntry, LoanLine
from loan_reminders.web.readers.ways import Ways

_AGAIN = {Channel.EMAIL: "Renvoyer le dernier e-mail", Channel.SMS: "Renvoyer le dernier SMS"}
SPENT = "Renvoyé aujourd'hui : pas plus d'un par jour."
_OVER = frozenset({Reason.RETURNED, Reason.RENEWED, Reason.NOT_TOLD})
_SKIPPED_OVER = frozenset({SkipReason.RETURNED, SkipReason.RENEWED, SkipReason.NOT_TOLD})
_PLACES = {Channel.EMAIL: "mail-at", Channel.SMS: "sms-at", Channel.LETTER: "letter-at"}
_FORGOTTEN = timedelta(days=60)
"""How long after its due date a loan is still said to have nothing more planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A channel by which the last message can be sent again, or `why` it cannot."""

    channel: str
    words: str
    last: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """One hold, in words."""

    hold_id: int
    about: str
    until: str
    reason: str
    placed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoansOut:
    """The loans that are still `out`, and those `gone`: since which day the ILS did not give them any more."""

    out: Mapping[LoanKey, Loan]
    gone: Mapping[LoanKey, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faire:
    """The column. `loans` are the loans that can be held, with their titles; `has_letters`: some message was paper."""

    patron_id: str
    again: tuple[Again, ...]
    holds: tuple[HoldRow, ...]
    loans: tuple[tuple[str, str], ...]
    has_letters: bool
    first_day: str
    last_day: str


def acts_offered(
    patron_id: str,
    disputes: Sequence[Dispute],
    *,
    loans: LoansOut,
    known: Sequence[ReaderLoan],
    holds: Sequence[Hold],
    ways: Ways,
    now: datetime,
    zone: tzinfo,
) -> Faire:
    """The column « Faire » for one reader; `holds` are those in force today, `known` all of the reader's loans.

    `disputes` and `loans` are of the page that is shown. Of the others' loans those are offered too whose stages are
    not over by their day.
    """
    today = now.astimezone(zone).date()
    again = tuple(
        Again(
            channel=last.channel.value,
            words=_AGAIN[last.channel],
            last=f"{STAGES[last.stage]}, {when_words(last.sent_at, now=now, zone=zone)}",
            why="Le lecteur s'y oppose : voir « Droits du lecteur »."
            if last.channel in ways.refuses
            else _why_not(last, holds, suppressed=ways.suppressed),
        )
        for last in ways.lasts
    )
    paper = (Channel.LETTER, Channel.REGISTERED_LETTER)
    return Faire(
        patron_id=patron_id,
        again=again,
        holds=tuple(hold_row(one, now=now, zone=zone) for one in holds),
        loans=tuple(
            (one.loan_id, one.title or "document sans titre") for one in _to_hold(disputes, loans, known, today=today)
        ),
        has_letters=any(one.channel in paper for dispute in disputes for one in dispute.deliveries),
        first_day=today.isoformat(),
        last_day=(today + LONGEST).isoformat(),
    )


def _to_hold(
    disputes: Sequence[Dispute], loans: LoansOut, known: Sequence[ReaderLoan], *, today: date
) -> Iterable[Loan | ReaderLoan]:
    yield from loans.out.values()
    shown = {one.loan_id for one in disputes}
    for one in known:
        goes_on = one.due_date is not None and today <= one.due_date + _FORGOTTEN
        if goes_on and one.is_loan and one.loan_id not in shown:
            yield one


def _why_not(last: LastSent, holds: Sequence[Hold], *, suppressed: Suppressed) -> str:
    """Why the last message is not to be sent again, as far as the ledger knows; the ILS is asked on the click."""
    if last.resent_today:
        return SPENT
    held = {hold.loan_id for hold in holds}
    if "" in held or (last.loan_ids and last.loan_ids <= held):
        return "Ne pas écrire : une suspension est en vigueur."
    if last.state not in (DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.IN_DOUBT):
        return f"Le dernier est {ONE_STATE[last.state]} : corriger d'abord les coordonnées dans le SIGB."
    if last.recipient is None:
        return "Le SIGB ne donne plus de coordonnées utilisables."
    if last.recipient in suppressed:
        return "Rien ne part plus à ces coordonnées : voir « Désinscriptions »."
    return ""


def hold_row(hold: Hold, *, now: datetime, zone: tzinfo) -> HoldRow:
    """One hold in words."""
    last_day = hold.until == now.astimezone(zone).date()
    return HoldRow(
        hold_id=hold.hold_id,
        about=hold_words(hold),
        until="aujourd'hui encore" if last_day else f"jusqu'au {day_words(hold.until)}",
        reason=hold.reason,
        placed=f"par {hold.who}, {when_words(hold.at, now=now, zone=zone)}",
    )


def loans_out(ledger: ReaderPageParts, disputes: Sequence[Dispute], *, policy: Policy) -> LoansOut:
    """Which loans are still out, as far as runs know. Raises LedgerUnavailable."""
    found = _open(disputes)
    heard = {}
    for dispute in disputes:
        if dispute.cycles and (one := key(dispute.cycles[-1].loan)) in found:
            # A row that could not be read was in its run all the same.
            heard[one] = max(dispute.cycles[-1].last_seen, *(skip.day for skip in dispute.skips), date.min)
    offsets = [rule.offset_days for rule in policy.rules]
    gone = ledger.holds.not_listed(heard, first=min(offsets), last=max(offsets)) if heard else {}
    return LoansOut(out={one: loan for one, loan in found.items() if one not in gone}, gone=gone)


def _open(disputes: Iterable[Dispute]) -> dict[LoanKey, Loan]:
    """The loans of which nothing that was written down says that their last cycle is over."""
    found = {}
    for dispute in disputes:
        if not dispute.cycles or not (loan := dispute.cycles[-1].loan).is_loan:
            continue
        over = any(
            one.due_date == loan.due_date and (one.dropped in _OVER or one.reason in _OVER)
            for one in dispute.deliveries
        )
        gone = any(skip.due_date == loan.due_date and skip.reason in _SKIPPED_OVER for skip in dispute.skips)
        if not (over or gone):
            found[key(loan)] = loan
    return found


def _tried(dispute: Dispute) -> frozenset[Stage]:
    """The stages that decided about the last cycle of a loan: a run left it out, and not because it was held."""
    due = dispute.cycles[-1].loan.due_date
    again = (SkipReason.HELD, SkipReason.NOT_YET_DUE)
    return frozenset(
        skip.stage for skip in dispute.skips if skip.due_date == due and skip.slot is None and skip.reason not in again
    )


def with_next(
    ledger: ReaderPageParts,
    lines: Sequence[LoanLine],
    disputes: Sequence[Dispute],
    *,
    loans: LoansOut,
    holds: Sequence[Hold],
    ways: Ways,
    policy: Policy,
    today: date,
) -> list[LoanLine]:
    """The loans' lines of time, each that is still out with what is planned next at its end.

    `holds` are the reader's in force today.
    """
    tried = {key(one.cycles[-1].loan): _tried(one) for one in disputes if one.cycles}
    steps = next_steps(
        ledger.holds,
        list(loans.out.values()),
        holds=holds,
        suppressed=ways.suppressed,
        objections={ways.patron_id: ways.refuses},
        policy=policy,
        today=today,
        tried=tried,
    )
    entries = {one.loan_id: _nothing_more(not_listed_words(day)) for one, day in loans.gone.items()}
    for step in steps.values():
        if step.stage is None and today > step.loan.due_date + _FORGOTTEN:
            continue
        what, pill, said = next_step_words(step, today=today)
        entries[step.loan.loan_id] = LineEntry(
            title=what,
            pill=pill,
            tone="wait" if step.channels else "off",
            place=_PLACES.get(step.channels[0], "registered-at") if step.channels else "not",
            when=said,
            became="",
        )
    return [
        replace(line, entries=(*line.entries, entries[line.loan_id])) if line.loan_id in entries else line
        for line in lines
    ]


def _nothing_more(words: tuple[str, str, str]) -> LineEntry:
    what, pill, said = words
    return LineEntry(title=what, pill=pill, tone="off", place="not", when=said, became="")
