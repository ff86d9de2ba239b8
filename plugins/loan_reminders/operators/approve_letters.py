"""Valider les lettres recommandées: nothing is printed before a librarian says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param

from loan_reminders.domain.errors import PermanentError
from loan_reminders.operators.base import Installed, known_run_id, only_temporary_errors_are_retried
from loan_reminders.operators.links import pages_of
from loan_reminders.services.registered.approval import APPROVE, REASONS, REFUSE, approval_question, approve, refuse

if TYPE_CHECKING:
    from airflow.sdk import Context


def _form() -> dict[str, Param]:
    """The fields beside the answer: which letters to take out, and why; both are optional.

    Airflow keeps what is typed here in its own tables, and may log it: so the reason is chosen from a list. The page of
    the batch, which takes a letter out as well, lets a librarian write a reason.
    """
    words: dict[str, Any] = {"type": ["null", "string"], "source": "task"}
    references = "Références des lettres à ne pas envoyer, séparées par des espaces ou des virgules."
    return {
        "retirer": Param(None, title="Retirer", description=references, **words),
        "motif": Param(None, title="Motif", description="Pourquoi.", enum=[None, *REASONS], **words),
    }


class ApproveLetters(Installed, HITLOperator):
    """Goes on when no registered letter waits for approval; otherwise asks in the UI, for as long as it takes.

    The answer may take letters out, with a reason. A reference that is none, or a missing reason, fails the task:
    nothing is printed, and the task can be cleared to ask again.
    """

    usual_id = "approve_letters"

    template_fields: Sequence[str] = (*HITLOperator.template_fields, "run_id")

    def __init__(self, *, run_id: Any, **kwargs: Any) -> None:
        super().__init__(
            subject="Lettres recommandées : faut-il imprimer ce lot ?",
            options=[APPROVE, REFUSE],
            **{**kwargs, "params": _form()},
        )
        self.run_id = run_id

    def execute(self, context: Context) -> int:
        """Ask, or return 0 at once: nothing to approve."""
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            asks = self.config.letters.approve_registered
            pages = f"{pages_of(self.dag_id)}/lots"  # relative, as in `links`
            self.body = approval_question(ledger, run_id=known_run_id(self.run_id), pages=pages) if asks else None
        return super().execute(context) if self.body else 0

    def execute_complete(self, context: Context, event: dict[str, Any]) -> int:
        """Act on the answer; returns the number of deliveries cancelled."""
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            answer = self._read(context, event)
            form, person = answer["params_input"], answer["responded_by_user"] or {}
            who, detail = person.get("name") or person.get("id") or "inconnu", form.get("motif") or ""
            if APPROVE in answer["chosen_options"]:
                references = form.get("retirer") or ""
                return approve(ledger, run_id=self.run_id, who=who, references=references, detail=detail)
            return refuse(ledger, run_id=self.run_id, who=who, detail=detail)

    def _read(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """The answer; one that the form does not allow is refused without the words that somebody wrote."""
        try:
            return dict(super().execute_complete(context, event))
        except Exception:  # whatever Airflow says of it, it quotes what was typed
            raise PermanentError(
                "Rien n'est validé : la réponse n'est pas de celles que la question permet."
                " Effacer cette tâche (« Clear ») pour que la question soit posée à nouveau."
            ) from None
