"""What the page of readers who said yes or no to SMS says."""

from __future__ import annotations

from loan_reminders.domain.sms.choices import MOST_LINES, ChoiceSource, FileFault, ImportDone, LineFault
from loan_reminders.domain.stages import Basis, PatronCategory, SmsRules
from loan_reminders.french.pages.statistics import READERS
from loan_reminders.french.plurals import many, number_words

SOURCES = {ChoiceSource.LIBRARIAN: "noté", ChoiceSource.IMPORT: "importé"}
FILE_FAULTS = {
    FileFault.EMPTY: "Le fichier est vide.",
    FileFault.NOT_TEXT: "Ce n'est pas un fichier CSV : l'enregistrer comme « CSV (séparateur : point-virgule) ».",
    FileFault.NO_HEADER: "La première ligne doit nommer les colonnes : « carte » ou « lecteur », et « sms ».",
    FileFault.TOO_MANY_LINES: f"Le fichier a plus de {number_words(MOST_LINES)} lignes : le partager en plusieurs.",
}
_FAULTS = {
    LineFault.NOBODY: "il manque le lecteur",
    LineFault.NOT_YES_OR_NO: "la colonne « sms » ne dit ni oui ni non",
    LineFault.TOO_LONG: "le lecteur est trop long, ou a des signes illisibles",
    LineFault.UNKNOWN_CARD: "aucune tournée n'a encore vu cette carte ni ce numéro de lecteur",
    LineFault.SHARED_CARD: "plusieurs lecteurs ont cette carte",
    LineFault.CONTRADICTION: "une autre ligne dit le contraire du même lecteur",
}
_BASES = {
    Basis.OPT_OUT: "reçoivent des SMS, sauf ceux qui disent non",
    Basis.OPT_IN: "n'en reçoivent que s'ils disent oui",
    Basis.NEVER: "n'en reçoivent pas",
}


def fault_words(fault: LineFault) -> str:
    """Why a line, or what was typed, is left out."""
    return _FAULTS[fault]


def import_words(done: ImportDone) -> str:
    """What importing a file changed: `12 lignes prises, 3 déjà ainsi, 2 laissées de côté.`"""
    said = [many(done.changed, "ligne prise", "lignes prises")]
    if done.same:
        said.append(f"{number_words(done.same)} déjà ainsi")
    if done.faults:
        said.append(many(len(done.faults), "laissée de côté", "laissées de côté"))
    return f"{', '.join(said)}."


def basis_words(rules: SmsRules) -> list[str]:
    """The library's rule for each population, and for minors where there is one, a sentence each."""
    said = [f"Les {READERS[one]} {_BASES[rules.basis(one)]}." for one in PatronCategory]
    if rules.minors is not None:
        said.append(f"Les mineurs, quel que soit leur public, {_BASES[rules.minors]}.")
    return said
