"""Before the first SMS: what will the run cost, and can it be paid?"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Protocol

from loan_reminders.domain.clock import midnight
from loan_reminders.domain.errors import SmsBudgetExceeded
from loan_reminders.domain.ports.outside import SmsAccount
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.french.plurals import many
from loan_reminders.french.runs import shortfall_words

log = logging.getLogger(__name__)


class SmsCounts(Protocol):
    """What knows how many segments left, and keeps the credit for the pages."""

    def segments_since(self, since: datetime) -> int:
        """Segments of the SMS that left, or may have left, since a moment."""
        ...

    def keep_sms_credit(self, segments: int, *, at: datetime) -> None:
        """Keep how many segments the account still pays for, as it was said at a moment."""
        ...


def check_budget(ledger: SmsCounts, account: SmsAccount, budget: SmsBudget, *, forecast: int, now: datetime) -> None:
    """Raise SmsBudgetExceeded, with every figure, when a run of `forecast` segments may not leave; keep the credit.

    `now` has the library's zone: its day and its month are those counted. Raises SmsGatewayUnavailable or
    SmsAnswerUnreadable when the credit cannot be known: the run holds.
    """
    if not forecast:
        return
    day = midnight(now)
    today, month = ledger.segments_since(day), ledger.segments_since(day.replace(day=1))
    credit = account.credit()
    ledger.keep_sms_credit(credit.segments, at=now)
    log.info("SMS prévus, en segments : %d ; déjà envoyés : %d ce jour, %d ce mois", forecast, today, month)
    log.info("Crédit : %s (%g %s)", many(credit.segments, "segment", "segments"), credit.amount, credit.unit)
    problems = budget.problems(forecast=forecast, credit=credit.segments, today=today, month=month)
    if problems:
        words = " ; ".join(map(shortfall_words, problems))
        raise SmsBudgetExceeded(f"Aucun SMS n'est parti. {words}. Ensuite, relancer la tâche (Effacer).")
    left = credit.segments - forecast
    if left < budget.reserve:
        log.warning(
            "Il restera %s sur le compte, moins que la réserve de %d",
            many(left, "segment", "segments"),
            budget.reserve,
        )
