"""What is said of what a run read of the ILS: codes nobody knows, texts mended, and what is not as usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.runs.reading.doubts import UNANSWERED, Doubt, DoubtKind
from loan_reminders.domain.runs.reading.tally import UNKNOWN, Reading, UnknownCode
from loan_reminders.domain.stages import Stage
from loan_reminders.french.plurals import many

KINDS = {
    CodeKind.STATUS: "statut",
    CodeKind.TYPE: "type de lecteur",
    CodeKind.BRANCH: "bibliothèque",
    CodeKind.LANGUAGE: "langue",
    CodeKind.SMS_CONSENT: "accord pour les SMS",
}
KEYS = {
    CodeKind.STATUS: "ils.patron_categories",
    CodeKind.TYPE: "ils.patron_types",
    CodeKind.BRANCH: "library.branches",
    CodeKind.LANGUAGE: "ils.languages",
    CodeKind.SMS_CONSENT: "sms.consent",
}
"""Where `library.toml` gives each kind of code a meaning."""

NAMED = 6
"""Codes that one sentence names; the others are counted."""


def code_words(one: UnknownCode) -> str:
    """`statut « 99 » (12 prêts)`."""
    loans = many(one.loans, "prêt", "prêts")
    if one.code is None:
        return f"{KINDS[one.kind]}, codes divers ({loans})"
    if not one.code:
        return f"{KINDS[one.kind]} vide ({loans})"
    return f"{KINDS[one.kind]} « {one.code} » ({loans})"


def codes_words(unknown: Sequence[UnknownCode]) -> str:
    """`Codes inconnus du SIGB : statut « 99 » (12 prêts), langue « OCI » (1 prêt)`; empty without any."""
    if not unknown:
        return ""
    named = [code_words(one) for one in unknown[:NAMED]]
    others = len(unknown) - NAMED
    more = f" et {many(others, 'autre code', 'autres codes')}" if others > 0 else ""
    return f"Codes inconnus du SIGB : {', '.join(named)}{more}"


def codes_advice(unknown: Iterable[UnknownCode]) -> str:
    """What to do about unknown codes: under which key of `library.toml` each kind belongs."""
    unknown = tuple(unknown)
    kinds = [kind for kind in CodeKind if any(one.kind is kind and one.code for one in unknown)]
    said = []
    if kinds:
        keys = ", ".join(f"{KEYS[kind]} ({KINDS[kind]})" for kind in kinds)
        said.append(f"À ajouter dans library.toml : {keys}")
    if any(one.code == "" for one in unknown):
        said.append("Un code vide est à compléter dans le SIGB")
    if any(one.code is None for one in unknown):
        said.append("Des codes divers : la colonne contient sans doute autre chose que des codes (make check-ils)")
    return ". ".join(said)


def reading_words(reading: Reading) -> list[str]:
    """What is to be told of a reading, a line each; nothing when all is well."""
    lines = []
    if reading.rejected:
        words = many(reading.rejected, "ligne illisible, écartée", "lignes illisibles, écartées chacune")
        lines.append(f"{words} avec son motif")
    if reading.unknown:
        lines.append(f"{codes_words(reading.unknown)}. {codes_advice(reading.unknown)}.")
    if reading.repaired:
        lines.append(f"{repaired_words(reading)} (accents mal encodés dans le SIGB)")
    if reading.lost:
        lines.append(
            f"{many(reading.lost, 'texte a', 'textes ont')} des signes perdus (\ufffd) : à corriger dans le SIGB"
        )
    return lines


def repaired_words(reading: Reading) -> str:
    """`12 textes réparés`."""
    return many(reading.repaired, "texte réparé", "textes réparés")


def figures_words(figures: Mapping[str, int]) -> str:
    """The unknown codes that the figures of a run hold, for its note; empty without any."""
    found = []
    for name, loans in figures.items():
        begin, _, rest = name.partition(" ")
        kind, told_apart, code = rest.partition(" ")
        if begin == UNKNOWN and kind in set(CodeKind):
            found.append(UnknownCode(kind=CodeKind(kind), code=code if told_apart else None, loans=loans))
    return codes_words(found)


SHARES = {
    DoubtKind.FEW_EMAILS: "avec un e-mail utilisable",
    DoubtKind.FEW_MOBILES: "avec un mobile utilisable",
}
_OF_LOANS = frozenset({DoubtKind.EMPTY_DAY, DoubtKind.FEW_LOANS})
"""Doubts about the number of loans; the others are about shares of them."""

CHECKED = (
    "En parler à l'administrateur : « make check-ils » dit ce que le SIGB donne aujourd'hui (droits, synonymes,"
    " colonnes, parts des e-mails et des mobiles)."
)


def doubt_words(doubt: Doubt, stage: Stage) -> tuple[str, str, str]:
    """What is unusual in a reading for this stage, how it is today, how it usually is.

    Such as `Prêts à cette échéance`, `aucun`, `143 (médiane des mêmes jours de semaine, 8 lectures comparées)`.
    """
    what = "Prêts" if stage.is_about_loans else "Demandes"
    compared = many(doubt.compared, "lecture comparée", "lectures comparées")
    if doubt.kind in _OF_LOANS:
        none = "aucun" if stage.is_about_loans else "aucune"
        return (
            f"{what} à cette échéance" if stage.is_about_loans else f"{what} de ce jour",
            _number(doubt.found) if doubt.found else none,
            f"{_number(doubt.usual)} (médiane des mêmes jours de semaine, {compared})",
        )
    return f"{what} {SHARES[doubt.kind]}", share_words(doubt.found), f"{share_words(doubt.usual)} (médiane, {compared})"


def doubt_causes(doubts: Iterable[Doubt], rejected: int, stage: Stage) -> list[str]:
    """What may have happened in a reading for this stage, and how to know, a sentence each."""
    kinds = {doubt.kind for doubt in doubts}
    about_loans = stage.is_about_loans
    what = "prêts" if about_loans else "demandes"
    said = []
    if rejected:
        words = many(rejected, "ligne a été lue mais est illisible", "lignes ont été lues mais sont illisibles")
        said.append(f"{words} : une colonne a sans doute changé de forme.")
    if DoubtKind.EMPTY_DAY in kinds:
        nothing = "rien ne devait être rendu" if about_loans else "personne n'était à prévenir"
        said.append(
            f"Si la bibliothèque était fermée ce jour-là, ou si {nothing}, c'est juste. Sinon, le SIGB"
            f" ne donne plus ses {what} : table ou vue refaite, synonyme ou droit perdu, base de secours vide. Une"
            " journée vide acceptée vaut pour les journées vides qui la suivent, quatre semaines au plus."
        )
    if DoubtKind.FEW_LOANS in kinds:
        when = "quand ces documents devaient être prêtés ou rendus" if about_loans else "ou tournait au ralenti"
        said.append(
            f"Si la bibliothèque était fermée {when}, c'est juste. Sinon, le"
            f" SIGB ne donne qu'une partie de ses {what} : vue ou base de secours en cours de chargement, statut"
            f"{' de prêt' if about_loans else ''} ou bibliothèque que la requête ne connaît plus. Un jour de peu de"
            f" {what} accepté vaut pour ceux qui le suivent, quatre semaines au plus, jusqu'à un jour habituel. Sans"
            f" réponse {many(UNANSWERED, 'jour', 'jours')} de suite, la question n'est plus posée pendant ce temps,"
            " et ce qui est lu part."
        )
    if kinds - _OF_LOANS:
        whose = "cette échéance" if about_loans else "ce jour"
        said.append(
            "Une colonne a pu être renommée, vidée ou déplacée dans le SIGB : regarder la fiche de quelques lecteurs de"
            f" {whose}. S'ils n'ont vraiment plus de coordonnées, c'est juste."
        )
    return [*said, CHECKED]


def share_words(share: float) -> str:
    """`62 %`."""
    return f"{share:.0%}".replace("%", "\u00a0%")


def _number(value: float) -> str:
    return f"{value:g}".replace(".", ",")
