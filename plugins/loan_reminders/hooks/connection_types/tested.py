"""What *Test* answers: green or red, and one sentence that a person can act on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from loan_reminders.domain.errors import RETRIED, TO_MEND, ReminderError, SettingsError, unexpected
from loan_reminders.french.refusals import sentence

if TYPE_CHECKING:
    from loan_reminders.settings.library_toml import Settings

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

    def settings_of(self, connection: Callable[[Settings], str]) -> Settings:
        """The settings of a library that uses this connection, by what names it; else the first library's.

        A connection that is not saved yet has no library. Raises SettingsError when no file can be read.
        """
        from loan_reminders.settings.all_libraries import all_settings

        found = [one for _, one in all_settings()]
        readable = [one for one in found if not isinstance(one, SettingsError)]
        if not readable:
            raise next(one for one in found if isinstance(one, SettingsError))
        return next((one for one in readable if connection(one) == self.conn_id), readable[0])

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
