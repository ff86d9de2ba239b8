"""Before a missed day is caught up: how many readers it would still tell. The ILS is asked, and nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from loan_reminders.domain.loans import Loan, Patron, RejectedRow
from loan_reminders.domain.notices import Delivery, LoanKey, Skip
from loan_reminders.domain.ports.outside import LoanSource, Planning, Run
from loan_reminders.domain.runs.planning import key
from loan_reminders.domain.stages import Channel, Policy
from loan_reminders.domain.states import SkipReason
from loan_reminders.services.runs.plan import plan_page

LOANS_AT_A_TIME = 1000

MOST_NAMED = 50
"""Readers whom a later stage has taken over that are named; the others are counted."""

NOT_REACHED = (SkipReason.NO_RECIPIENT, SkipReason.INVALID_RECIPIENT, SkipReason.DEAD_ADDRESS, SkipReason.OPTED_OUT)


class Foreseeing(Planning, Protocol):
    """A planning that writes nothing, and knows what it would take over from a run that was cut short."""

    left_behind: set[LoanKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What a run for a missed day would do now. All but `loans` and `unreadable` count readers, each once.

    `superseded`: a later stage has taken these loans over; `taken_over` are the first of these readers, by name.
    `expired`: it is too late to be of use. `told_already`: the message of this stage left. `not_reached`: no address.
    `others`: any other reason.
    """

    loans: int
    unreadable: int
    told: int
    by_channel: Mapping[Channel, int]
    superseded: int
    expired: int
    told_already: int
    not_reached: int
    others: int
    taken_over: Sequence[Patron] = ()


def foresee(planning: Foreseeing, source: LoanSource, *, run: Run, policy: Policy) -> Foresight:
    """Ask the ILS for the loans of the day's due date and plan them by the real rules, as `run`, which is a dry one.

    Raises IlsUnavailable, IlsRejected, LedgerUnavailable.
    """
    told: set[str] = set()
    channels: Counter[Channel] = Counter()
    left_out: dict[SkipReason, set[str]] = {}
    seen: set[LoanKey] = set()
    unreadable, named = 0, dict[str, Patron]()
    with closing(source.loans_due(run.due_date, today=run.today)) as rows:
        while chunk := list(islice(rows, LOANS_AT_A_TIME)):
            unreadable += sum(isinstance(row, RejectedRow) for row in chunk)
            loans = [row for row in chunk if isinstance(row, Loan) and key(row) not in seen]
            seen.update(map(key, loans))
            deliveries, skips = plan_page(planning, loans, run=run, policy=policy)
            channels.update(_channels(deliveries, told))
            told.update(delivery.notice.patron.patron_id for delivery in deliveries)
            _sort(skips, planning.left_behind, told=told, left_out=left_out)
            late = left_out.get(SkipReason.SUPERSEDED, set())
            named |= {one.patron.patron_id: one.patron for one in loans if one.patron.patron_id in late}
    alone = {reason: len(patrons - told) for reason, patrons in left_out.items()}
    known = (SkipReason.SUPERSEDED, SkipReason.EXPIRED, SkipReason.ALREADY_SENT, *NOT_REACHED)
    return Foresight(
        loans=len(seen),
        unreadable=unreadable,
        told=len(told),
        by_channel=dict(channels),
        superseded=alone.get(SkipReason.SUPERSEDED, 0),
        expired=alone.get(SkipReason.EXPIRED, 0),
        told_already=alone.get(SkipReason.ALREADY_SENT, 0),
        not_reached=sum(alone.get(reason, 0) for reason in NOT_REACHED),
        others=sum(number for reason, number in alone.items() if reason not in known),
        taken_over=sorted(
            (patron for patron_id, patron in named.items() if patron_id not in told), key=lambda one: one.name
        )[:MOST_NAMED],
    )


def _channels(deliveries: Sequence[Delivery], told: set[str]) -> Counter[Channel]:
    """Deliveries by channel; a reader whose loans came in two pages has one e-mail all the same."""
    return Counter(one.channel for one in deliveries if one.notice.patron.patron_id not in told)


def _sort(
    skips: Sequence[Skip], left_behind: set[LoanKey], *, told: set[str], left_out: dict[SkipReason, set[str]]
) -> None:
    """Readers of loans that lead to nothing, by the reason; what a run that was cut short left is told by this one."""
    for skip in skips:
        if skip.slot is not None:
            continue
        waits = skip.due_date is not None and LoanKey(loan_id=skip.loan_id, due_date=skip.due_date) in left_behind
        if skip.reason is SkipReason.ALREADY_SENT and waits:
            told.add(skip.patron_id)
        else:
            left_out.setdefault(skip.reason, set()).add(skip.patron_id)
