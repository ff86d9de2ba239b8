"""Ask the ILS about a batch before its printing, as work that goes on while the librarian is elsewhere.

Only the question to the ILS takes long, and nobody knows how long: the PDF of a thousand letters is cut in half a
second. So that is the work which runs by itself; the batch is called printed in the request that gives its file, never
before. A process that dies in between leaves nothing but an answer that nobody heard: the question is asked again.
"""

from __future__ import annotations

import logging
import uuid

from loan_reminders.domain.errors import ReminderError, unexpected
from loan_reminders.domain.letters.print_checks import PrintCheck
from loan_reminders.domain.ports.letters import PrintChecks
from loan_reminders.french.refusals import sentence
from loan_reminders.services.letters.batch_desk import BatchDesk
from loan_reminders.services.letters.recheck import Recheck, loans_of

log = logging.getLogger(__name__)

UNEXPECTED = (
    "Erreur inattendue en interrogeant le SIGB : rien n'a été imprimé, le lot attend. Réessayer ; si cela dure,"
    " prévenir l'administrateur, qui en trouvera le lieu dans le journal du serveur web."
)


def begin(desk: BatchDesk, checks: PrintChecks, batch_id: int, *, who: str) -> uuid.UUID | None:
    """Say that the ILS is being asked about a batch; returns the key of the work, None when somebody does it already.

    Raises LetterStepRefused for a batch that is not to be printed.
    """
    letters = desk.letters_to_print(batch_id)
    return checks.start(batch_id, who=who, loans=len(loans_of(letters)))


def ask(desk: BatchDesk, checks: PrintChecks, key: uuid.UUID, batch_id: int, *, who: str) -> None:
    """Ask, telling how far it is, and keep the answer or what went wrong. Raises nothing but what the ledger does."""
    try:
        said = desk.check(batch_id, who=who, progress=lambda loans: checks.progress(key, asked=loans))
    except ReminderError as error:
        checks.failed(key, problem=sentence(error))
    except Exception as error:
        log.error("SIGB interrogé avant impression, lot %s : %s", batch_id, unexpected(error))
        checks.failed(key, problem=UNEXPECTED)
        raise
    else:
        checks.answered(
            key,
            returned=said.returned,
            renewed=said.renewed,
            partly=said.partly,
            held=said.held,
            held_with_others=said.held_with_others,
            superseded=said.superseded,
            dead_address=said.dead_address,
        )


def answer(check: PrintCheck) -> Recheck:
    """What was found, of a check that was answered."""
    return Recheck(
        returned=check.returned,
        renewed=check.renewed,
        partly=check.partly,
        held=check.held,
        held_with_others=check.held_with_others,
        superseded=check.superseded,
        dead_address=check.dead_address,
    )
