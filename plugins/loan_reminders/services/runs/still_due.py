"""Just before sending: ask the ILS again, and take out what is no longer true."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from loan_reminders.domain.clock import Clock
from loan_reminders.domain.ports.outside import LoanSource, Run, Sender
from loan_reminders.domain.runs.planning import out_of_time
from loan_reminders.domain.stages import Policy
from loan_reminders.domain.states import Reason, SkipReason
from loan_reminders.french.plurals import many
from loan_reminders.services.runs.gone_loans import gone_loans

log = logging.getLogger(__name__)

_DOUBT = (
    "Le SIGB ne connaît plus {left} des {count} prêts à relancer : rien ne part. "
    "Vérifier la base du SIGB ; la tâche sera essayée à nouveau."
)
_TOO_LATE = {SkipReason.SUPERSEDED: Reason.SUPERSEDED, SkipReason.EXPIRED: Reason.EXPIRED}


@dataclass(slots=True, kw_only=True)
class StillDue:
    """Keeps the deliveries of one run true while they wait; asks its clock each time.

    `expires_after_days` is how many days after the due date the message is of no use any more. `max_age` is how long
    an answer of the ILS is believed.
    """

    source: LoanSource
    policy: Policy
    run: Run
    clock: Clock
    expires_after_days: int | None = None
    max_age: timedelta = timedelta(minutes=10)
    asked_at: datetime | None = None

    def settle(self, sender: Sender) -> None:
        """Cancel what is no longer true among what waits; the ILS is not asked when it was a moment ago.

        What a librarian said not to write about is taken out each time.

        Loans returned, renewed or lost since leave their delivery; a delivery without any left is cancelled. When the
        stage itself is over for these loans, everything that waits is cancelled. Raises IlsUnavailable when the ILS
        cannot be asked: the run holds, it does not send blind.
        """
        if self.cancel_when_over(sender):
            return
        now = self.clock()
        if held := sender.drop_held(now.date()):
            log.info("Prêts écartés, dont on n'écrit pas pour le moment : %d", held)
        if self.asked_at is not None and timedelta(0) <= now - self.asked_at < self.max_age:
            return
        waiting = sender.waiting_loans()
        since = self.run.today if self.asked_at is None else self.asked_at.date()
        gone = gone_loans(self.source, waiting, since=since, today=now.date(), doubt=_DOUBT) if waiting else {}
        if gone:
            cancelled = sender.drop(gone)
            log.info("Prêts rendus, prolongés ou perdus depuis : %d ; envois annulés : %d", len(gone), cancelled)
        self.asked_at = self.clock()

    def cancel_when_over(self, sender: Sender) -> bool:
        """Cancel everything that waits when nothing of it is to be said today any more; whether that is so.

        Asks nobody but the clock: may be called before every message.
        """
        late = self._late(self.clock().date())
        if late is None:
            return False
        cancelled = sender.cancel_waiting(_TOO_LATE.get(late, Reason.EXPIRED))
        if cancelled:
            log.warning("%s, plus d'actualité (%s)", many(cancelled, "envoi annulé", "envois annulés"), late)
        return True

    def _late(self, today: date) -> SkipReason | None:
        """Why nothing of this run is to be said any more, or None."""
        late = out_of_time(self.run.due_date, stage=self.run.stage, policy=self.policy, today=today)
        days = self.expires_after_days
        if late is None and days is not None and today > self.run.due_date + timedelta(days=days):
            return SkipReason.EXPIRED
        return late
