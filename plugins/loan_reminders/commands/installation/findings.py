"""What a check finds, and how checks are run: each within its time, each whatever became of the others."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from loan_reminders.domain.errors import RETRIED, TO_MEND, IlsError, ReminderError, unexpected
from loan_reminders.french.refusals import missing_connection, sentence
from loan_reminders.services.runs.check_ils import Outcome
from loan_reminders.settings.library_toml import Settings

_OF_A_TASK = (RETRIED, TO_MEND, ", puis relancer la tâche", " La compléter, puis relancer la tâche.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is so, in French: `words` say what, `means` what comes of it, `remedy` what to do.

    What is fine has no need of the last two. Nothing here is about a reader, and nothing is secret.
    """

    outcome: Outcome
    words: str
    means: str = ""
    remedy: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is checked: the settings of one library, an address for a message of test (or none), and the clock."""

    ours: Settings
    now: Callable[[], datetime]
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: its name for monitoring, its French title, how many seconds it may take.

    What is `common` to all libraries of an installation is checked once.
    """

    name: str
    title: str
    seconds: float
    run: Callable[[Asked], Iterable[Finding]]
    common: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one check found and how long it took, in seconds."""

    check: Check
    findings: Sequence[Finding]
    seconds: float

    @property
    def outcome(self) -> Outcome:
        """The worst of its findings."""
        return worst(one.outcome for one in self.findings)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of several; of none, fine."""
    order = list(Outcome)
    return max(outcomes, key=order.index, default=Outcome.FINE)


def fine(words: str, *details: str) -> Finding:
    """All is well."""
    return Finding(outcome=Outcome.FINE, words=words, details=details)


def warning(words: str, *, means: str, remedy: str, details: Sequence[str] = ()) -> Finding:
    """The reminders work, and something should be looked at."""
    return Finding(outcome=Outcome.WARNING, words=words, means=means, remedy=remedy, details=tuple(details))


def failure(words: str, *, means: str, remedy: str, details: Sequence[str] = ()) -> Finding:
    """The reminders, or a part of them, cannot work."""
    return Finding(outcome=Outcome.FAILURE, words=words, means=means, remedy=remedy, details=tuple(details))


def cause(error: ReminderError) -> str:
    """What an error says, without what a task would do about it."""
    words = (error.cause if isinstance(error, IlsError) else "") or sentence(error)
    for what_next in _OF_A_TASK:
        words = words.replace(what_next, "")
    return words.strip().rstrip(".")


def run_check(check: Check, asked: Asked, *, stopwatch: Callable[[], float]) -> Checked:
    """Run one check in a thread of its own, and wait for it as long as it may take; whatever it raises is a finding.

    What is still at work then is left behind: it ends with the process.
    """
    answers: queue.SimpleQueue[Sequence[Finding]] = queue.SimpleQueue()
    began = stopwatch()
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: answers.put(context.run(_found, check, asked)), daemon=True)
    thread.start()
    try:
        findings = answers.get(timeout=check.seconds)
    except queue.Empty:
        findings = (
            failure(
                f"Pas de réponse en {check.seconds:g} s",
                means="Cette vérification n'est pas finie : ce qu'elle interroge ne répond pas, ou très lentement.",
                remedy="voir si le serveur répond, et si un pare-feu ne retient pas la connexion",
            ),
        )
    return Checked(check=check, findings=findings, seconds=stopwatch() - began)


def _found(check: Check, asked: Asked) -> Sequence[Finding]:
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return tuple(check.run(asked))
    except ReminderError as error:
        remedy = error.remedy if isinstance(error, IlsError) and error.remedy else _REMEDY
        return (failure(cause(error), means=f"« {check.title} » ne peut pas servir ainsi.", remedy=remedy),)
    except AirflowNotFoundException as error:
        return (
            failure(
                missing_connection(str(error)),
                means=f"« {check.title} » ne peut pas servir.",
                remedy="la créer (Administration, Connexions, ou une variable AIRFLOW_CONN_…) ; ses champs sont dans"
                " docs/install.md. Si elle y est, c'est la base d'Airflow ou le coffre des secrets qui ne répond pas",
            ),
        )
    except Exception as error:
        return (
            failure(
                f"Erreur inattendue : {unexpected(error)}",
                means="Cette vérification s'est arrêtée ; les autres ont été faites.",
                remedy="lire docs/runbook.md, sinon signaler cette ligne à qui développe le programme",
            ),
        )


_REMEDY = "corriger ce que dit cette phrase, puis relancer loan-reminders doctor"
