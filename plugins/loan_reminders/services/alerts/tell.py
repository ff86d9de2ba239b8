"""Tell people of a red or late run by e-mail, once; whatever goes wrong on the way is logged and stops nothing."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from loan_reminders.domain.alerts import Alert, AlertOutcome
from loan_reminders.domain.errors import ReminderError, unexpected
from loan_reminders.domain.messages import RenderedEmail
from loan_reminders.domain.ports.alerts import ToldAlerts
from loan_reminders.domain.ports.outside import MailRelay
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french.alerts import body, subject
from loan_reminders.french.plurals import many
from loan_reminders.french.refusals import sentence
from loan_reminders.french.typography import spaced

log = logging.getLogger(__name__)

REMEMBERED = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Who is told, in whose name, about which library."""

    addresses: Sequence[str]
    sender: str
    library: str


def tell(
    alert: Alert, *, to: Recipients, told: ToldAlerts, relay: Callable[[], MailRelay], now: datetime
) -> AlertOutcome:
    """Send the alert unless its cause was told today. Raises nothing: the run is none the worse.

    One that only follows from another is sent when nothing was told of its run. `now` is aware and in the library's
    zone.
    """
    if not to.addresses:
        log.warning("Alerte sans destinataire (library.toml, [alerts]) : %s : %s", alert.dag_name, alert.sentence)
        return AlertOutcome.NOBODY
    _sweep(told, now)
    day = now.date()
    asked = [alert.of_run(day)] if alert.follows else [alert.of_cause(day), *alert.told_with_it(day)]
    new = [key for key in asked if _first(told, key)]  # of a cause that was told the run is noted: what follows is not
    if asked[0] not in new:
        log.info("Alerte déjà envoyée aujourd'hui pour cette cause : %s", alert.dag_name)
        return AlertOutcome.TOLD_ALREADY
    taken = _send(alert, to, relay, now)
    if taken:
        log.info("Alerte envoyée à %s : %s", many(taken, "destinataire", "destinataires"), alert.dag_name)
        return AlertOutcome.SENT
    for key in new:
        _forget(told, key)
    return AlertOutcome.NOT_SENT


def _send(alert: Alert, to: Recipients, relay: Callable[[], MailRelay], now: datetime) -> int:
    """How many recipients' messages the server took."""
    taken = 0
    try:
        with closing(relay()) as opened:
            for address in to.addresses:
                receipt = opened.send(_message(alert, to, address, now))
                if receipt.state in (DeliveryState.ACCEPTED, DeliveryState.IN_DOUBT):
                    taken += 1
                else:
                    log.error("Alerte refusée par le serveur de messagerie pour un destinataire (%s)", receipt.state)
    except ReminderError as error:
        log.error("Alerte non envoyée : %s", sentence(error))
    except Exception as error:  # whatever it is, the run is none the worse
        log.error("Alerte non envoyée : %s", unexpected(error))
    return taken


def _message(alert: Alert, to: Recipients, address: str, now: datetime) -> RenderedEmail:
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{alert.of_cause(now.date())} {address}")
    message = EmailMessage(policy=SMTP)
    message["From"] = to.sender
    message["To"] = address
    message["Subject"] = spaced(" ".join(subject(alert, to.library).split()))
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id = f"<{number}@{to.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(spaced(body(alert, to.library)))
    return RenderedEmail(
        delivery_id=number,
        recipient=EmailAddress(value=address),
        message_id=message_id,
        content=message.as_bytes(),
        envelope_sender=to.sender,
    )


def _sweep(told: ToldAlerts, now: datetime) -> None:
    try:
        told.sweep(before=now - REMEMBERED)
    except ReminderError as error:
        log.warning("Anciennes alertes non oubliées (%s)", sentence(error))


def _first(told: ToldAlerts, key: str) -> bool:
    """Whether nobody was told; where it cannot be known, rather twice than never."""
    try:
        return told.first(key)
    except ReminderError as error:
        log.warning("Alertes déjà envoyées : inconnues (%s)", sentence(error))
        return True


def _forget(told: ToldAlerts, key: str) -> None:
    try:
        told.forget(key)
    except ReminderError as error:
        log.warning("Alerte non envoyée, et notée comme envoyée (%s)", sentence(error))
