"""The type of connection `ils`: the database of the library system, on any engine that can be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from itertools import islice

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.hooks.connection_types.tested import TestedConnection
from loan_reminders.hooks.ils import OUR_TYPE, ils_inspection, loan_source
from loan_reminders.services.runs.check_ils import CheckedDay, CheckLine, IlsCheck, Outcome

FIRST_STEPS = 3
"""The server and the account, the account's expiry, what it could write: without a statement of the settings."""


class IlsConnection(TestedConnection):
    """*Test* makes the first steps of `check-ils`: the server is reached, the account only reads."""

    conn_type = OUR_TYPE
    hook_name = "SIGB (base de données)"
    default_conn_name = "ils_oracle"

    def __init__(self, conn_id: str = "", *, now: Callable[[tzinfo], datetime] = datetime.now) -> None:
        super().__init__(conn_id)
        self._now = now

    def try_out(self) -> str:
        """What the first steps found, one after the other."""
        ours = self.settings_of(lambda ours: ours.ils.connection)
        today, codes = self._now(ours.zone).date(), ours.codes()
        asked = codes.consent.columns
        check = IlsCheck(
            lambda: ils_inspection(ours.ils, zone=ours.zone, conn_id=self.conn_id, asked=asked),
            loan_source(ours.ils, codes=codes, for_pages=True),
            day=CheckedDay(due_date=today - timedelta(days=1), today=today),
            stopwatch=time.perf_counter,
            asked=asked,
        )
        lines = list(islice(check.lines(), FIRST_STEPS))
        told = " ".join(map(_told, lines))
        if any(line.outcome is Outcome.FAILURE for line in lines):
            raise IlsRejected(told)
        return f"{told} La suite : loan-reminders check-ils."


def _told(line: CheckLine) -> str:
    remedy = f" ({line.remedy})" if line.remedy else ""
    return f"{line.words}{remedy}."
