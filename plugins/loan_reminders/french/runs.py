"""What is said of a whole run: its books, the limits that its SMS would pass; and of a trial, which tells nobody."""

from __future__ import annotations

from collections.abc import Mapping

from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.runs.books import Books, BooksProblem, Imbalance
from loan_reminders.domain.sms.budget import BudgetProblem, Shortfall
from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french.letters import TRIAL_LINE
from loan_reminders.french.money import sms_cost_words
from loan_reminders.french.plurals import many
from loan_reminders.french.readings import figures_words
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
    if books.redirected:
        lines.append(f"Envois détournés vers une adresse d'essai, qui n'ont prévenu personne : {books.redirected}")
    if books.segments:
        told = sms_cost_words(SmsPrice(), told=books.cost, unpriced=books.unpriced) if books.cost else ""
        segments = many(books.segments, "segment", "segments")
        lines.append(f"SMS : {segments}" + (f", coût dit par le prestataire : {told}" if told else ""))
    return lines


READING_REFUSED = (
    "la lecture du SIGB n'était pas comme d'habitude et n'a pas été acceptée : rien n'est parti. Vérifier le SIGB"
    " (make check-ils), puis effacer (« Clear ») « Extraire les prêts » et les tâches suivantes"
)
"""Why a run that was stopped is red, and what to do."""

NOTE = "Comptes"
"""How the sentence about a run's books begins: by it the sentence of an earlier end is known, and replaced."""


def books_sentence(figures: Mapping[str, int]) -> str:
    """The books of a run in one sentence, out of their `figures`, for whoever looks at the run in Airflow."""
    judged = "justes" if figures.get("balanced") else "à vérifier"
    sent = [many(figures[channel], *ONE_AND_MANY[channel]) for channel in Channel if figures.get(channel)]
    left = [
        many(figures.get(name, 0), *words)
        for name, words in (
            ("skipped", ("prêt écarté", "prêts écartés")),
            ("cancelled", ("envoi annulé", "envois annulés")),
            ("not_sent", ("envoi qui n'a pas abouti", "envois qui n'ont pas abouti")),
        )
        if figures.get(name) and not (name == "cancelled" and figures.get("dry_run"))
    ]
    redirected = figures.get("redirected", 0)
    told = [
        f"{many(figures.get('loans', 0), 'prêt', 'prêts')} à échéance,"
        f" {many(figures.get('notices', 0), 'avis', 'avis')}",
        "essai à blanc, rien n'est parti" if figures.get("dry_run") else ", ".join(sent) or "rien n'est parti",
        f"essai, {many(redirected, 'envoi détourné', 'envois détournés')} vers une adresse de la bibliothèque"
        if redirected
        else "",
        ", ".join(left),
    ]
    codes = figures_words(figures)
    return f"{NOTE} {judged} : {' ; '.join(part for part in told if part)}." + (f" {codes}." if codes else "")


ONE_AND_MANY = {
    Channel.EMAIL: ("e-mail", "e-mails"),
    Channel.SMS: ("SMS", "SMS"),
    Channel.LETTER: ("lettre", "lettres"),
    Channel.REGISTERED_LETTER: ("lettre recommandée", "lettres recommandées"),
}


def imbalance_words(problem: BooksProblem) -> str:
    """One thing that is wrong with the books: `envois prévus : 4, mais retrouvés : 3`."""
    if problem.what is Imbalance.LOANS:
        in_notices, skipped = problem.found
        return f"prêts extraits : {problem.expected}, mais dans un avis : {in_notices} et écartés : {skipped}"
    if problem.what is Imbalance.READING:
        return READING_REFUSED
    [number] = problem.found
    if problem.channel is None or problem.state is None:
        return f"envois prévus : {problem.expected}, mais retrouvés : {number}"
    undone = UNDONE[problem.state]
    return f"{CHANNELS[problem.channel]}, envois {undone} ({problem.state}) : {number}, relancer leur tâche"


def shortfall_words(problem: BudgetProblem) -> str:
    """One limit that the SMS of a run would pass: `plafond du jour : 90 envoyés + 20 prévus > 100`."""
    if problem.what is Shortfall.CREDIT:
        return (
            f"il faut {many(problem.forecast, 'segment', 'segments')} et en garder {problem.limit},"
            f" le compte en a {problem.so_far} : acheter des SMS"
        )
    sent, more = many(problem.so_far, "envoyé", "envoyés"), many(problem.forecast, "prévu", "prévus")
    return f"{CAPS[problem.what]} : {sent} + {more} > {problem.limit}"


CAPS = {Shortfall.DAY: "plafond du jour", Shortfall.MONTH: "plafond du mois"}

_REDIRECTED = {
    Channel.EMAIL: ("e-mail détourné", "e-mails détournés"),
    Channel.SMS: ("SMS détourné", "SMS détournés"),
    Channel.LETTER: ("lettre d'essai", "lettres d'essai"),
    Channel.REGISTERED_LETTER: ("recommandé d'essai", "recommandés d'essai"),
}


def banner_words(library: str, redirect: Redirect) -> str:
    """What stands above every page: whose library it is, where everything goes, and that nobody is told."""
    letters = f"les lettres portent « {TRIAL_LINE} » et ne sont pas à poster"
    words = (
        f"{library} n'écrit pas à ses lecteurs. Les e-mails vont à {redirect.email.value},"
        f" les SMS au +{redirect.mobile.value}, et {letters} : personne n'est vraiment prévenu"
    )
    if not redirect.allow:
        return f"{words}."
    named = many(
        len(redirect.allow),
        "adresse ou numéro nommé dans les réglages, qui reçoit ses propres messages",
        "adresses ou numéros nommés dans les réglages, qui reçoivent leurs propres messages",
    )
    return f"{words}, sauf {named}."


def redirected_words(channel: Channel, number: int) -> str:
    """What went to a test address, beside its number: `e-mails détournés`."""
    return _REDIRECTED[channel][0 if number < 2 else 1]


def sent_words(number: int) -> str:
    """All that went to test addresses, beside its number: `envois détournés, personne n'est prévenu`."""
    return f"{'envoi détourné' if number < 2 else 'envois détournés'}, personne n'est prévenu"


def trial_verdict(redirect: Redirect) -> str:
    """How the sentence about a day of a trial begins."""
    told = "seuls les destinataires nommés sont prévenus" if redirect.allow else "aucun lecteur n'est prévenu"
    return f"Essai, {told}."
