"""Ask the ILS again, a few times, when what went wrong passes by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from loan_reminders.domain.errors import IlsUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often the ILS is asked again, and after how long.

    Only an IlsUnavailable is tried again, never an IlsRejected: a wrong password tried often locks the account.
    The pauses, in seconds, double from `first_pause` up to `longest_pause`; no try begins later than `give_up_after`
    seconds after the first. Only what has handed nothing on yet may be tried again here: a stream of loans that fails
    in the middle is begun afresh by the task that reads it.
    """

    tries: int = 4
    first_pause: float = 2.0
    longest_pause: float = 30.0
    give_up_after: float = 120.0
    sleep: Callable[[float], None] = time.sleep

    def until_it_answers(self, ask: Callable[[], T]) -> T:
        """What `ask` returns, as soon as it does. Raises its last IlsUnavailable, and anything else at once."""
        from tenacity import (
            RetryCallState,
            Retrying,
            retry_if_exception_type,
            stop_after_attempt,
            stop_before_delay,
            wait_exponential,
        )

        def say(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            log.warning(
                "Essai %d sur %d : %s. Nouvel essai dans %g s.",
                state.attempt_number,
                self.tries,
                getattr(error, "cause", "") or "le SIGB ne répond pas",
                state.upcoming_sleep,
            )

        return Retrying(
            sleep=self.sleep,
            stop=stop_after_attempt(self.tries) | stop_before_delay(self.give_up_after),
            wait=wait_exponential(multiplier=self.first_pause, max=self.longest_pause),
            retry=retry_if_exception_type(IlsUnavailable),
            before_sleep=say,
            reraise=True,
        )(ask)


AT_ONCE = Patience(tries=1)
"""For pages: a person who waits tries again when it suits."""
