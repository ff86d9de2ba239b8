"""What *Test* answers: green or red, and one sentence that a person can act on."""

from __future__ import annotations

from abc import abstractmethod

from airflow.sdk import BaseHook

from loan_reminders.domain.errors import RETRIED, TO_MEND, ReminderError, unexpected
from loan_reminders.french.refusals import sentence

_OF_A_TASK = (RETRIED, TO_MEND, ", puis relancer la tâche")
"""What a sentence says about tasks: here no task runs."""


class TestedConnection(BaseHook):
    """A type of connection of ours. It is looked up by its id, under which Airflow also puts one not yet saved."""

    conn_name_attr = "conn_id"
    conn_type: str
    hook_name: str
    default_conn_name: str

    def __init__(self, conn_id: str = "") -> None:
        super().__init__()
        self.conn_id = conn_id or self.default_conn_name

    @abstractmethod
    def try_out(self) -> str:
        """Use the connection without changing anything, and say what was found. Raises ReminderError."""

    def test_connection(self) -> tuple[bool, str]:
        """Airflow's *Test*: whether it works, and the sentence shown; never with a password or a reader's data."""
        try:
            return True, self.try_out()
        except ReminderError as error:
            return False, self._said(sentence(error))
        except Exception as error:
            return False, f"Erreur inattendue : {unexpected(error)}"

    def _said(self, words: str) -> str:
        """Without what a task would do, and without the id by which Airflow keeps what is not saved yet."""
        for of_a_task in _OF_A_TASK:
            words = words.replace(of_a_task, "")
        if self.conn_id != self.default_conn_name:
            words = words.replace(self.conn_id, f"« {self.hook_name} »")
        return words.strip()
