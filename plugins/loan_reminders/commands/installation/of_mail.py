"""The servers that take e-mails to readers and alerts, and the mailbox where e-mails come back: each asked for real."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from loan_reminders.commands.installation.findings import Asked, Finding, failure, fine, warning
from loan_reminders.domain.messages import RenderedEmail
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french.plurals import many
from loan_reminders.french.typography import spaced

_PATIENCE_S = 20.0
_NO_EMAIL = "Aucun e-mail ne partira : les tâches « Envoyer les e-mails » seront rouges."
_NO_ALERT = "Personne ne sera prévenu d'une tournée rouge ou en retard."


def smtp_check(asked: Asked) -> Iterator[Finding]:
    """Connect, log in and ask for nothing; with `--to`, send one message to that address."""
    ours = asked.ours.email
    envelope = ours.bounce_address or ours.sender_address
    yield _of_server(asked, ours.connection, sender=ours.sender_address, envelope=envelope, means=_NO_EMAIL)


def alerts_check(asked: Asked) -> Iterator[Finding]:
    """Who is told of a red or late run; and by which server, which is asked like the readers' where it is another."""
    ours = asked.ours.alerts
    if not ours.recipients:
        yield warning(
            "Personne n'est prévenu d'une tournée rouge ou en retard",
            means="Une panne ne se voit que dans Airflow, par qui y regarde.",
            remedy="nommer des destinataires dans [alerts] de library.toml",
        )
    elif ours.connection == asked.ours.email.connection:
        yield fine("Alertes : par le même serveur que les e-mails aux lecteurs (s'il est en panne, elles se taisent)")
    else:
        sender = ours.sender or asked.ours.email.sender_address
        yield _of_server(asked, ours.connection, sender=sender, envelope=sender, means=_NO_ALERT)


def _of_server(asked: Asked, conn_id: str, *, sender: str, envelope: str, means: str) -> Finding:
    from loan_reminders.hooks.mail_relay import mail_relay

    with closing(mail_relay(conn_id, envelope_sender=envelope, patience_s=_PATIENCE_S)()) as relay:
        if not asked.to:
            relay.check()
            return fine("Serveur de messagerie joint, identifiant accepté (--to ADRESSE envoie un message d'essai)")
        receipt = relay.send(_message_of_test(asked, sender))
    if receipt.state is DeliveryState.ACCEPTED:
        return fine("Message d'essai accepté par le serveur de messagerie : le chercher dans la boîte donnée par --to")
    return failure(
        f"Message d'essai non accepté ({receipt.state})",
        means=means,
        remedy="lire le journal du serveur de messagerie, vérifier l'adresse d'expéditeur et celle de --to",
    )


def _message_of_test(asked: Asked, sender: str) -> RenderedEmail:
    number = uuid.uuid4()
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, asked.to
    message["Subject"] = f"[Relances] Message d'essai de {asked.ours.library.short_name}"
    message["Date"] = format_datetime(asked.now())
    message["Message-ID"] = message_id = f"<{number}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(spaced("Ce message a été demandé par « loan-reminders doctor --to ». Rien n'est à faire.\n"))
    return RenderedEmail(
        delivery_id=number,
        recipient=EmailAddress(value=asked.to),
        message_id=message_id,
        content=message.as_bytes(),
    )


def mailbox_check(asked: Asked) -> Iterator[Finding]:
    """The mailbox where e-mails come back: opened, and nothing of it read."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from loan_reminders.hooks.bounce_mailbox import bounce_mailbox

    ours = asked.ours
    try:
        mailbox = bounce_mailbox(
            ours.bounces.connection, folder=ours.bounces.folder, done_folder=ours.bounces.done_folder
        )
    except AirflowNotFoundException:
        yield warning(
            f"Pas de boîte des retours : la connexion « {ours.bounces.connection} » n'existe pas",
            means="Une adresse morte n'est pas reconnue comme telle, et la lettre qui la remplacerait ne part pas.",
            remedy="créer cette connexion dans Airflow, ou accepter que les retours soient lus à la main",
        )
        return
    with closing(mailbox):
        yield fine(f"Boîte des retours ouverte : {many(mailbox.waiting(), 'message', 'messages')} à lire")
