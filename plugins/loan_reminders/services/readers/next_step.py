"""What is planned next for the open loans of one reader, as the ledger and the settings know it today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Protocol

from loan_reminders.domain.loans import Loan, SmsChoice
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.readers.next_step import NextStep, next_step
from loan_reminders.domain.runs.holds import Hold
from loan_reminders.domain.runs.planning import key
from loan_reminders.domain.sms.consent import Consent
from loan_reminders.domain.stages import Policy, Stage
from loan_reminders.domain.suppressions.objections import Objections
from loan_reminders.domain.suppressions.suppression import Suppressed
from loan_reminders.services.runs.plan import patrons


class Outlook(Protocol):
    """What the ledger knows of some loans that decides what comes next. Raises LedgerUnavailable."""

    def decided(self, keys: Sequence[LoanKey]) -> Mapping[LoanKey, Collection[Stage]]:
        """The stages that were told of each loan in this cycle, or are on their way."""
        ...

    def sms_choices(self, patron_ids: Sequence[str]) -> Mapping[str, SmsChoice]:
        """What those of these readers who are on the librarians' list said about SMS."""
        ...


def next_steps(
    outlook: Outlook,
    loans: Sequence[Loan],
    *,
    holds: Collection[Hold],
    suppressed: Suppressed,
    objections: Objections,
    policy: Policy,
    today: date,
    tried: Mapping[LoanKey, Collection[Stage]] = MappingProxyType({}),
) -> Mapping[LoanKey, NextStep]:
    """What is planned next for each of these loans, which are one reader's and still open as far as is known.

    `holds` are the reader's in force today, `suppressed` and `objections` what is not written to. `tried` are stages
    whose run left a loan out, with its reason: they do not come again by themselves.
    """
    if not loans:
        return {}
    decided = outlook.decided([key(loan) for loan in loans])
    consent = Consent(rules=policy.sms, said=outlook.sms_choices(patrons(loans)))
    return {
        key(loan): next_step(
            loan,
            policy=policy,
            today=today,
            decided={*decided.get(key(loan), ()), *tried.get(key(loan), ())},
            held=_longest(hold for hold in holds if hold.loan_id in ("", loan.loan_id)),
            suppressed=suppressed,
            objections=objections,
            consent=consent,
        )
        for loan in loans
    }


def _longest(holds: Iterable[Hold]) -> Hold | None:
    return max(holds, key=lambda hold: hold.until, default=None)
