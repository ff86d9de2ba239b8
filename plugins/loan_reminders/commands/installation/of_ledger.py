"""The ledger: reachable, migrated, writable by an account that can do no more than it should; and the first day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from loan_reminders.commands.installation.findings import Asked, Finding, failure, fine, warning
from loan_reminders.ledger.installation.inspection import LedgerInspection

_DBA = "demander à l'administrateur de PostgreSQL"


@contextmanager
def inspected(asked: Asked) -> Iterator[LedgerInspection]:
    """The ledger of the library, to be asked about itself."""
    from loan_reminders.hooks.ledger import ledger

    code = asked.ours.library.code
    with ledger(library=code) as opened:
        yield LedgerInspection(opened.engine, library=code)


def ledger_check(asked: Asked) -> Iterator[Finding]:
    """Whether the database is ours and takes what is written."""
    with inspected(asked) as ledger:
        look = ledger.look()
    if look.replica:
        yield failure(
            f"Registre joint (PostgreSQL {look.version}), mais c'est une copie en lecture seule",
            means="Rien ne peut y être écrit : aucune tournée ne commencera.",
            remedy="donner à la connexion « reminders_ledger » le serveur principal",
        )
    elif look.missing_rights:
        yield failure(
            "Il manque au compte du registre des droits sur ses tables",
            means="Des tâches seront rouges au moment d'écrire.",
            remedy=f"{_DBA} de donner ces droits à ce compte, ou de lui donner les tables",
            details=look.missing_rights,
        )
    else:
        yield fine(f"Registre joint (PostgreSQL {look.version}), tables à jour, écriture et lecture essayées")
    if look.superuser:
        yield warning(
            "Le compte du registre est superutilisateur de PostgreSQL",
            means="Qui vole son mot de passe a tout le serveur, et le journal ne le retient pas.",
            remedy=f"{_DBA} un compte propriétaire de cette seule base",
        )
    if look.journal_guarded:
        yield fine("Journal des actes : la base refuse d'y changer une ligne")
    else:
        yield failure(
            "Le journal des actes peut être changé : son déclencheur manque ou est désactivé",
            means="Le journal ne prouve plus qui a fait quoi.",
            remedy=f"{_DBA} de le remettre : ALTER TABLE journal ENABLE TRIGGER USER ; s'il manque,"
            " restaurer la base ou relancer les migrations sur une base vide",
        )


def start_check(asked: Asked) -> Iterator[Finding]:
    """Whether the first switch-on may tell what another system told."""
    starts_on = asked.ours.library.starts_on
    with inspected(asked) as ledger:
        began = ledger.any_run_in_earnest()
    if began:
        yield fine("Mise en service : des lecteurs ont déjà été prévenus")
    elif starts_on is None:
        yield warning(
            "Première mise en marche sans date : library.starts_on est vide",
            means="La mise en marche d'un DAG fait aussitôt la tournée de sa dernière heure : un lecteur que l'ancien"
            " système a prévenu ce matin le serait deux fois.",
            remedy="écrire starts_on dans [library], le premier jour que les relances disent (docs/mise_en_service.md)",
        )
    else:
        yield fine(f"Mise en service le {starts_on:%d/%m/%Y} : aucune étape d'un jour d'avant n'est dite")
