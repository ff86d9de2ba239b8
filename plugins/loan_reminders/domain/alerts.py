"""A red or late run as people are told of it: one sentence to act on, and what makes two of them the same trouble."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_NUMBERS = re.compile(r"\d+")
LONGEST = 2000
"""Characters of a sentence; what follows is in the task's log."""


class AlertKind(StrEnum):
    """What is told: a run that failed, or one that should have ended long ago."""

    FAILED = "failed"
    LATE = "late"


class AlertOutcome(StrEnum):
    """What became of an alert.

    `NOBODY`: the settings name no recipient. `TOLD_ALREADY`: the run or its cause was told that day. `NOT_SENT`: the
    server of the alerts did not take it.
    """

    SENT = "sent"
    NOBODY = "nobody"
    TOLD_ALREADY = "told_already"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One run of a DAG that people should look at.

    `sentence` is what the failed task said: it names what to do and nobody's data. `task` is the task's French name,
    empty when the run failed as a whole. `link` leads to the run in Airflow.
    """

    kind: AlertKind
    library: str
    dag_id: str
    dag_name: str
    run_id: str
    sentence: str
    task: str = ""
    link: str = ""
    hours: int = 0

    def of_run(self, day: date) -> str:
        """The same for every task and every try of this run, on one day."""
        return f"run {day} {self.kind} {self.library} {self.dag_id} {self.run_id}"

    def of_cause(self, day: date) -> str:
        """The same for every run that says the same but for its numbers, on one day: one server is down for all.

        What is late has each its own cause.
        """
        said = _NUMBERS.sub("", self.sentence) if self.kind is AlertKind.FAILED else f"{self.dag_id} {self.run_id}"
        return f"cause {day} {self.kind} {self.library} {said}"
