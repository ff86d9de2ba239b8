"""How librarians call contacts that fail, and what is wrong with each."""

from __future__ import annotations

import json

from loan_reminders.domain.readers.corrections import ContactFault, Correction
from loan_reminders.domain.states import Refusal
from loan_reminders.french.words import REFUSALS

F = ContactFault
FAULTS = {
    F.NO_CONTACT: "aucune coordonnée",
    F.UNUSABLE_ADDRESS: "adresse postale inutilisable",
    F.RETURNED_LETTER: "courrier revenu NPAI",
    F.BOUNCED_EMAIL: "e-mail qui revient",
    F.UNUSABLE_EMAIL: "e-mail mal écrit",
    F.DEAD_NUMBER: "mobile qui ne répond plus",
    F.STOP: "a répondu STOP",
}
"""In the order in which they keep a reader from being told."""


def contact_words(line: Correction) -> str:
    """The number or address that fails, or what is wrong with it: `06 39 98 00 01`, `sans code postal`."""
    match line.fault:
        case F.STOP | F.DEAD_NUMBER:
            return number_words(line.contact)
        case F.BOUNCED_EMAIL:
            return line.contact
        case F.RETURNED_LETTER:
            return address_words(line.contact)
        case F.NO_CONTACT:
            return "ni e-mail, ni mobile, ni adresse"
    return REFUSALS[Refusal(line.contact)] if line.contact in set(Refusal) else line.contact


def number_words(number: str) -> str:
    """A number as it is written in France, `06 39 98 00 01`; one from elsewhere with its country code."""
    if number.startswith("33") and len(number) == 11:
        national = f"0{number[2:]}"
        return " ".join(national[start : start + 2] for start in range(0, 10, 2))
    return f"+{number}" if number.isdigit() else number


def address_words(recipient: str) -> str:
    """The lines of a postal address as the ledger keeps it: `MME MARTIN, 12 RUE DES LILAS, 06000 NICE`."""
    try:
        return ", ".join(json.loads(recipient)["lines"])
    except (ValueError, KeyError, TypeError):
        return recipient
