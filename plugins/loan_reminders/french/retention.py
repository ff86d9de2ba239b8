"""How what was removed is told: in logs, at a terminal, as the note of a run."""

from __future__ import annotations

from loan_reminders.domain.retention.terms import Removed
from loan_reminders.french.plurals import many

_WORDS = {
    "loans": ("prêt", "prêts"),
    "messages": ("message", "messages"),
    "readers": ("lecteur", "lecteurs"),
    "batches": ("lot de lettres avec ses fichiers", "lots de lettres avec leurs fichiers"),
    "folders": ("dossier de lettres sans lot", "dossiers de lettres sans lot"),
    "contacts": ("coordonnée réduite à son empreinte", "coordonnées réduites à leur empreinte"),
    "others": ("autre ligne", "autres lignes"),
}

ERASED = "Effacé : "
"""What the note of a run begins with that removed something."""

WOULD_BE_ERASED = "Rien n'est effacé, seulement compté. À effacer : "

NOT_YET = (
    "`erase` de la partie [retention] de library.toml est faux, ou n'y est pas : rien n'est effacé, seulement compté."
    " Lire ces chiffres, puis y écrire `erase = true`."
)


def removed_words(removed: Removed) -> str:
    """How much, in words: `12 prêts, 20 messages, 1 lecteur`."""
    parts = [many(number, *_WORDS[name]) for name, number in removed.counts().items() if number]
    return ", ".join(parts) or "rien"


def note_words(counts: dict[str, int], *, dry_run: bool) -> str:
    """The note of a run, out of what its task gave back."""
    removed = Removed(**{name: counts.get(name, 0) for name in Removed().counts()})
    return f"{WOULD_BE_ERASED if dry_run else ERASED}{removed_words(removed)}"
