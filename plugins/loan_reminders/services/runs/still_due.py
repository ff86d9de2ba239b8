"""Just before sending: ask the ILS again, and take out what is no longer true."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from loan_reminders.domain.ports.outside import LoanSource, Run, Sender
from loan_reminders.domain.runs.planning import out_of_time
from loan_reminders.domain.stages import Policy
from loan_reminders.domain.states import Reason, SkipReason
from loan_reminders.services.runs.gone_loans import gone_loans

log = logging.getLogger(__name__)

_DOUBT = (
    "Le SIGB ne connaît plus aucun des {count} prêts à relancer : rien ne part. "
    "Vérifier la base du SIGB ; la tâche sera essayée à nouveau."
)
_TOO_LATE = {SkipReason.SUPERSEDED: Reason.SUPERSEDED, SkipReason.EXPIRED: Reason.EXPIRED}


@dataclass(slots=True, kw_only=True)
class StillDue:
    """Keeps the deliveries of one run true while they wait.

    `expires_after_days` is how many days after the due date the message is of no use any more. `max_age_s` is how
    long, in seconds, an answer of the ILS is believed.
    """

    source: LoanSource
    policy: Policy
    run: Run
    today: date
    expires_after_days: int | None = None
    max_age_s: float = 600
    clock: Callable[[], float] = time.monotonic
    asked_at: float | None = None

    def settle(self, sender: Sender) -> None:
        """Cancel what is no longer true among what waits, unless the ILS was asked less than `max_age_s` ago.

        Loans returned or renewed since leave their delivery; a delivery without any left is cancelled. When the
        stage itself is over for these loans, everything that waits is cancelled. Raises IlsUnavailable when the ILS
        cannot be asked: the run holds, it does not send blind.
        """
        if self.asked_at is not None and self.clock() - self.asked_at < self.max_age_s:
            return
        late = out_of_time(self.run.due_date, stage=self.run.stage, policy=self.policy, today=self.today)
        if late is None and self._expired():
            late = SkipReason.EXPIRED
        if late is not None:
            cancelled = sender.cancel_waiting(_TOO_LATE.get(late, Reason.EXPIRED))
            log.warning("%d envois annulés : ils ne sont plus d'actualité (%s)", cancelled, late)
            return
        waiting = sender.waiting_loans()
        gone = gone_loans(self.source, waiting, today=self.today, doubt=_DOUBT)
        if gone:
            cancelled = sender.drop(gone)
            log.info("%d prêts rendus ou prolongés depuis : %d envois annulés", len(gone), cancelled)
        self.asked_at = self.clock()

    def _expired(self) -> bool:
        days = self.expires_after_days
        return days is not None and self.today > self.run.due_date + timedelta(days=days)
