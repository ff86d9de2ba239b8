"""What waits for a person, in a librarian's words: a title, what to know about it, and what its button says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from loan_reminders.domain.runs.to_do import ToDoItem, ToDoKind
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.days import long_day_words, when_words
from loan_reminders.french.plurals import many, one_or_many
from loan_reminders.french.readings import codes_words
from loan_reminders.french.words import STAGES, no_stage, the_stage

BUTTONS = {
    ToDoKind.LEDGER_BEHIND: "Voir l'installation",
    ToDoKind.LEDGER_GAP: "Relire et répondre",
    ToDoKind.VOLUME: "Relire et répondre",
    ToDoKind.READING: "Relire et répondre",
    ToDoKind.APPROVAL: "Relire et valider",
    ToDoKind.PRINT: "Imprimer",
    ToDoKind.NUMBER: "Donner les numéros",
    ToDoKind.POST: "Noter le dépôt",
    ToDoKind.ACKNOWLEDGEMENT: "Voir",
    ToDoKind.IN_DOUBT: "Voir",
    ToDoKind.NOT_ARRIVED: "Voir",
    ToDoKind.BOUNCES: "Décider",
    ToDoKind.REPLIES: "Lire",
    ToDoKind.MISSED_DAY: "Rattraper ce jour",
    ToDoKind.BOOKS_WRONG: "Voir la tournée",
    ToDoKind.STANDS_STILL: "Voir la tournée",
    ToDoKind.NO_CREDIT: "Voir le crédit",
    ToDoKind.NEW_CODES: "Voir la tournée",
}
SEVERAL = {
    ToDoKind.MISSED_DAY: "Voir et rattraper",
    ToDoKind.BOOKS_WRONG: "Voir les tournées",
    ToDoKind.STANDS_STILL: "Voir les tournées",
}
"""What the button says where one line is about several days."""

MOST_PIECES = 3
"""Days, or rows of days, that a line names; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDoWords:
    """One line of the list."""

    title: str
    more: str
    button: str


def to_do_words(item: ToDoItem, *, zone: tzinfo, now: datetime) -> ToDoWords:
    """The line of one thing that waits, at `now`."""
    several = item.kind in SEVERAL and len(item.days) > 1
    return ToDoWords(
        title=f"{_TITLES[item.kind](item)}{' (essai, à ne pas envoyer)' if item.trial else ''}",
        more=" · ".join(part for part in (_since(item, zone=zone, now=now), _more(item)) if part),
        button=SEVERAL[item.kind] if several else BUTTONS[item.kind],
    )


def days_in_words(days: Sequence[date]) -> str:
    """`le samedi 28 novembre 2026`; `du lundi 23 au mercredi 25 novembre 2026 et le samedi 28 novembre 2026`.

    « Du … au … » is said of days that follow each other alone. Of many days, the last are counted.
    """
    rows = _in_a_row(sorted(days))
    named, others = rows[:MOST_PIECES], sum(map(len, rows[MOST_PIECES:]))
    pieces = [_row_words(row) for row in named]
    if others:
        pieces.append(many(others, "autre jour", "autres jours"))
    return pieces[0] if len(pieces) == 1 else f"{', '.join(pieces[:-1])} et {pieces[-1]}"


def _in_a_row(days: Sequence[date]) -> list[list[date]]:
    """Days in rows that have no gap."""
    rows: list[list[date]] = []
    for day in days:
        if rows and (day - rows[-1][-1]).days <= 1:
            rows[-1].append(day)
        else:
            rows.append([day])
    return rows


def _row_words(row: Sequence[date]) -> str:
    first, last = row[0], row[-1]
    if first == last:
        return f"le {long_day_words(first)}"
    return f"du {long_day_words(first, year=first.year != last.year)} au {long_day_words(last)}"


def _counted(item: ToDoItem, one: str, several: str) -> str:
    return f"plus de {item.number} {several}" if item.many else many(item.number, one, several)


def _approval(item: ToDoItem) -> str:
    verb = one_or_many(item.number, "attend", "attendent")
    return f"{_counted(item, 'lettre recommandée', 'lettres recommandées')} {verb} votre accord"


def _print(item: ToDoItem) -> str:
    if item.channel is Channel.REGISTERED_LETTER:
        return f"{_counted(item, 'lettre recommandée', 'lettres recommandées')} à imprimer"
    return f"{_counted(item, 'lettre', 'lettres')} à imprimer"


def _missed(item: ToDoItem) -> str:
    stage = no_stage(_stage(item))
    if len(item.days) == 1:
        return f"Le {long_day_words(item.days[0])} n'a pas eu {stage}"
    return f"{len(item.days)} jours n'ont pas eu {stage}"


def _stage(item: ToDoItem) -> Stage:
    return item.stage if item.stage is not None else Stage.COURTESY_NOTICE


def _of_stage(item: ToDoItem) -> str:
    name = STAGES[_stage(item)]
    return f"{name}, {days_in_words(item.days)}" if len(item.days) == 1 else f"{name}, {len(item.days)} jours"


_TITLES: Mapping[ToDoKind, Callable[[ToDoItem], str]] = {
    ToDoKind.LEDGER_BEHIND: lambda _: "Le registre attend sa mise à jour : plus rien ne part",
    ToDoKind.LEDGER_GAP: lambda _: "Le registre ne sait peut-être pas tout ce qui est parti : rien ne part",
    ToDoKind.VOLUME: lambda item: f"Volume inhabituel pour {the_stage(_stage(item))} : faut-il envoyer ?",
    ToDoKind.READING: lambda item: f"Lecture du SIGB inhabituelle pour {the_stage(_stage(item))} : faut-il continuer ?",
    ToDoKind.APPROVAL: _approval,
    ToDoKind.PRINT: _print,
    ToDoKind.NUMBER: lambda item: f"{_counted(item, 'recommandé imprimé', 'recommandés imprimés')} sans numéro",
    ToDoKind.POST: lambda item: f"{_counted(item, 'recommandé', 'recommandés')} à poster",
    ToDoKind.ACKNOWLEDGEMENT: lambda item: f"{_counted(item, 'avis de réception', 'avis de réception')} en retard",
    ToDoKind.IN_DOUBT: lambda item: f"{_counted(item, 'envoi', 'envois')} sans réponse certaine",
    ToDoKind.NOT_ARRIVED: lambda item: _counted(item, "envoi qui n'a pas abouti", "envois qui n'ont pas abouti"),
    ToDoKind.BOUNCES: lambda item: f"E-mails revenus en masse : {_counted(item, 'adresse', 'adresses')}",
    ToDoKind.REPLIES: lambda item: _counted(item, "réponse à un SMS à lire", "réponses à des SMS à lire"),
    ToDoKind.MISSED_DAY: _missed,
    ToDoKind.BOOKS_WRONG: lambda item: f"Les comptes ne sont pas justes : {_of_stage(item)}",
    ToDoKind.STANDS_STILL: lambda item: (
        ("Tournée qui n'avance" if len(item.days) < 2 else "Tournées qui n'avancent") + f" plus : {_of_stage(item)}"
    ),
    ToDoKind.NEW_CODES: lambda item: codes_words(item.codes),
    ToDoKind.NO_CREDIT: lambda item: f"Plus assez de SMS : il en reste {item.number}",
}


def _more(item: ToDoItem) -> str:
    kind = item.kind
    if kind is ToDoKind.PRINT:
        pages = many(item.pages, "page", "pages")
        if item.batch_id is None:
            return f"{item.detail} lots, {pages}"
        return f"lot n° {item.batch_id}, {STAGES[_stage(item)]}, {pages}"
    if kind is ToDoKind.VOLUME:
        return f"{_counted(item, 'envoi', 'envois')} en attente ; sans réponse en 24 heures, rien ne part"
    if kind is ToDoKind.READING:
        waiting = f"{_counted(item, 'envoi', 'envois')} en attente ; " if item.number else ""
        return f"{waiting}sans réponse en 24 heures, la tournée s'arrête et ce jour reste à faire"
    if kind is ToDoKind.NEW_CODES:
        return "à faire par l'administrateur : leur donner un sens dans library.toml ; la tournée dit sous quelle clé"
    several = days_in_words(item.days) if kind in SEVERAL and len(item.days) > 1 else ""
    words = {
        ToDoKind.LEDGER_GAP: item.detail or "a-t-il été restauré d'une sauvegarde ? faut-il envoyer ?",
        ToDoKind.LEDGER_BEHIND: f"à faire par l'administrateur : {item.detail}",
        ToDoKind.IN_DOUBT: one_or_many(
            item.number, "il ne repartira pas tout seul", "ils ne repartiront pas tout seuls"
        ),
        ToDoKind.NOT_ARRIVED: one_or_many(
            item.number,
            "prévenir ce lecteur, ou corriger ses coordonnées",
            "prévenir ces lecteurs, ou corriger leurs coordonnées",
        ),
        ToDoKind.BOUNCES: f"{item.detail} ; rien n'est changé tant que personne ne répond",
        ToDoKind.REPLIES: "autre chose qu'un STOP ; rien n'en est fait tant que personne ne lit",
        ToDoKind.BOOKS_WRONG: "réparer, puis effacer les tâches rouges dans Airflow",
        ToDoKind.STANDS_STILL: "répondre à la question posée, ou marquer la tournée en échec dans Airflow",
        ToDoKind.NO_CREDIT: "les SMS attendent : en acheter chez le prestataire",
    }.get(kind, "")
    return " ; ".join(filter(None, (several, words)))


def _since(item: ToDoItem, *, zone: tzinfo, now: datetime) -> str:
    if item.since is None or item.kind in (ToDoKind.MISSED_DAY, ToDoKind.BOOKS_WRONG, ToDoKind.STANDS_STILL):
        return ""
    if item.kind is ToDoKind.ACKNOWLEDGEMENT:
        return f"le plus ancien posté le {long_day_words(item.since.astimezone(zone).date())}"
    return f"depuis {when_words(item.since, zone=zone, now=now)}"
