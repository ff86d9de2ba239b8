"""What is said of a whole run: its books, and the limits that its SMS would pass."""

from __future__ import annotations

from loan_reminders.domain.runs.books import Books, BooksProblem, Imbalance
from loan_reminders.domain.sms.budget import BudgetProblem, Shortfall
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french.words import CHANNELS, STATES, skip_words

UNDONE = {
    DeliveryState.PLANNED: "encore en attente",
    DeliveryState.CLAIMED: "commencés, sans réponse enregistrée",
}
"""Deliveries that a run may not end with."""


def books_words(books: Books) -> list[str]:
    """The books, a line each, without personal data."""
    lines = [
        f"Prêts extraits : {books.loans_extracted}",
        f"Prêts dans un avis : {books.loans_in_notices}",
        f"Avis : {books.notices}",
    ]
    lines += [f"Prêts écartés, {skip_words(reason)} : {count}" for reason, count in sorted(books.skipped.items())]
    lines += [
        f"Prêts sans l'un des envois, {skip_words(reason)} : {count}"
        for reason, count in sorted(books.slots_skipped.items())
    ]
    for channel, states in sorted(books.deliveries.items()):
        lines += [f"Envois, {CHANNELS[channel]} {STATES[state]} : {count}" for state, count in sorted(states.items())]
    if books.taken_over_by_letter:
        lines.append(f"E-mails relayés par une lettre (taken_over_by_letter) : {books.taken_over_by_letter}")
    if books.segments:
        lines.append(f"SMS : {books.segments} segments, coût {books.cost:g}")
    return lines


def imbalance_words(problem: BooksProblem) -> str:
    """One thing that is wrong with the books: `envois prévus : 4, mais retrouvés : 3`."""
    if problem.what is Imbalance.LOANS:
        in_notices, skipped = problem.found
        return f"prêts extraits : {problem.expected}, mais dans un avis : {in_notices} et écartés : {skipped}"
    [number] = problem.found
    if problem.channel is None or problem.state is None:
        return f"envois prévus : {problem.expected}, mais retrouvés : {number}"
    undone = UNDONE[problem.state]
    return f"{CHANNELS[problem.channel]}, envois {undone} ({problem.state}) : {number}, relancer leur tâche"


def shortfall_words(problem: BudgetProblem) -> str:
    """One limit that the SMS of a run would pass: `plafond du jour : 90 envoyés + 20 prévus > 100`."""
    if problem.what is Shortfall.CREDIT:
        return (
            f"il faut {problem.forecast} segments et en garder {problem.limit}, le compte en a {problem.so_far} :"
            " acheter des SMS"
        )
    return f"{CAPS[problem.what]} : {problem.so_far} envoyés + {problem.forecast} prévus > {problem.limit}"


CAPS = {Shortfall.DAY: "plafond du jour", Shortfall.MONTH: "plafond du mois"}
