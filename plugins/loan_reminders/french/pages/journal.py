"""What the journal says: a sentence for each act of a person, with the way to the reader or batch it was about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from loan_reminders.domain.journal import JournalAct, JournalLine
from loan_reminders.domain.letters.batches import ReturnReason
from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.suppressions.suppression import SuppressionReason
from loan_reminders.french.days import day_words
from loan_reminders.french.letters import RETURNS
from loan_reminders.french.words import CONTACTS, ONE_CHANNEL, SMS_CHOICES, STAGES, SUPPRESSIONS

A = JournalAct
ACTS: dict[str, str] = {
    A.READER_SEEN: "a ouvert la page de {reader}",
    A.CONTACTS_SHOWN: "a fait afficher les coordonnées de {reader}",
    A.DISPUTE_FILE_MADE: "a fait le dossier de litige d'un prêt de {reader}",
    A.REAL_LOAN_PREVIEWED: "a affiché un message avec le vrai prêt de {reader}",
    A.LIST_DOWNLOADED: "a téléchargé une liste",
    A.MESSAGE_RESENT: "a renvoyé un message à {reader}",
    A.HELD: "a demandé de ne pas écrire à {reader}",
    A.HOLD_LIFTED: "a permis d'écrire de nouveau à {reader}",
    A.SUPPRESSED: "a désinscrit le mobile de {reader}",
    A.SUPPRESSION_LIFTED: "a réinscrit {contact} de {reader}",
    A.CONTACT_CORRECTED: "a corrigé les coordonnées de {reader}",
    A.CONTACT_IGNORED: "a mis de côté les coordonnées de {reader}",
    "aside_settled": "a traité un retour mis de côté",
    A.REPLY_SETTLED: "a réglé la réponse de {reader} à un SMS",
    A.DELIVERY_SETTLED: "a réglé un envoi qui n'avait pas abouti, pour {reader}",
    A.BOUNCES_BELIEVED: "a tenu pour mortes les adresses revenues en masse",
    A.BOUNCES_NOT_BELIEVED: "a tenu les retours en masse pour une panne de notre côté",
    A.VOLUME_APPROVED: "a validé une tournée inhabituelle",
    A.VOLUME_REFUSED: "a refusé une tournée inhabituelle",
    A.DAY_CAUGHT_UP: "a rattrapé un jour manqué",
    A.GAP_ACCEPTED: "a permis d'envoyer avec un registre peut-être incomplet",
    A.GAP_REFUSED: "a demandé de ne rien envoyer avec un registre peut-être incomplet",
    A.LETTERS_APPROVED: "a validé {batch}",
    A.LETTERS_REFUSED: "a refusé {batch}",
    A.LETTER_TAKEN_OUT: "a retiré de {batch} la lettre de {reader}",
    A.BATCH_PRINTED: "a imprimé {batch}",
    A.BATCH_EXPORTED: "a exporté {batch}",
    "batch_given_again": "a repris le fichier de {batch}",
    A.BATCH_COPIED: "a fait une copie de {batch}",
    A.LETTER_COPIED: "a fait une copie de la lettre de {reader}",
    A.LETTER_RETURNED: "a noté le retour de la lettre de {reader}",
    A.LETTER_NUMBERED: "a donné un numéro au recommandé de {reader}",
    A.LETTER_POSTED: "a noté le dépôt à La Poste du recommandé de {reader}",
    A.LETTER_ACKNOWLEDGED: "a noté l'avis de réception du recommandé de {reader}",
    A.STEP_UNDONE: "a annulé la dernière étape de la lettre de {reader}",
    A.COUNTERS_REBUILT: "a recompté les statistiques",
    A.DISPUTE_NOTED: "a noté un litige avec {reader}",
    A.DISPUTE_CLOSED: "a clos un litige avec {reader}",
    A.DATA_ERASED: "a effacé ce qui a été conservé assez longtemps",
    A.READER_DATA_GIVEN: "a réuni tout ce qui est gardé de {reader}",
    A.READER_ERASED: "a effacé à sa demande ce qui pouvait l'être de {reader}",
    A.OBJECTED: "a noté l'opposition de {reader}",
    A.OBJECTION_LIFTED: "a levé l'opposition de {reader}",
    A.AMENDED: "a rectifié ce que le SIGB dit de {reader}",
    A.AMENDMENT_ENDED: "a mis fin à une rectification pour {reader}",
    A.SMS_CHOICE_NOTED: "a noté ce que {reader} dit des SMS",
    A.SMS_CHOICE_REMOVED: "a retiré ce que {reader} avait dit des SMS",
    A.SMS_CHOICES_IMPORTED: "a importé une liste d'accords pour les SMS",
}
"""What somebody did, after the name: `chloé a imprimé le lot n° 7`."""

KINDS: dict[str, str] = {
    A.READER_SEEN: "page d'un lecteur ouverte",
    A.CONTACTS_SHOWN: "coordonnées affichées",
    A.DISPUTE_FILE_MADE: "dossier de litige fait",
    A.REAL_LOAN_PREVIEWED: "message vu avec un vrai prêt",
    A.LIST_DOWNLOADED: "liste téléchargée",
    A.MESSAGE_RESENT: "message renvoyé",
    A.HELD: "ne pas écrire",
    A.HOLD_LIFTED: "écrire de nouveau",
    A.SUPPRESSED: "désinscription",
    A.SUPPRESSION_LIFTED: "réinscription",
    A.CONTACT_CORRECTED: "coordonnées corrigées",
    A.CONTACT_IGNORED: "coordonnées mises de côté",
    "aside_settled": "retour mis de côté traité",
    A.REPLY_SETTLED: "réponse à un SMS réglée",
    A.DELIVERY_SETTLED: "envoi réglé",
    A.BOUNCES_BELIEVED: "retours en masse : adresses mortes",
    A.BOUNCES_NOT_BELIEVED: "retours en masse : panne",
    A.VOLUME_APPROVED: "tournée inhabituelle validée",
    A.VOLUME_REFUSED: "tournée inhabituelle refusée",
    A.DAY_CAUGHT_UP: "jour rattrapé",
    A.GAP_ACCEPTED: "registre incomplet : envoyer",
    A.GAP_REFUSED: "registre incomplet : ne rien envoyer",
    A.LETTERS_APPROVED: "lot validé",
    A.LETTERS_REFUSED: "lot refusé",
    A.LETTER_TAKEN_OUT: "lettre retirée d'un lot",
    A.BATCH_PRINTED: "lot imprimé",
    A.BATCH_EXPORTED: "lot exporté",
    "batch_given_again": "fichier d'un lot repris",
    A.BATCH_COPIED: "copie d'un lot",
    A.LETTER_COPIED: "copie d'une lettre",
    A.LETTER_RETURNED: "retour d'une lettre",
    A.LETTER_NUMBERED: "recommandé numéroté",
    A.LETTER_POSTED: "recommandé déposé",
    A.LETTER_ACKNOWLEDGED: "avis de réception",
    A.STEP_UNDONE: "étape annulée",
    A.COUNTERS_REBUILT: "statistiques recomptées",
    A.DISPUTE_NOTED: "litige noté",
    A.DISPUTE_CLOSED: "litige clos",
    A.DATA_ERASED: "données effacées",
    A.READER_DATA_GIVEN: "données d'un lecteur réunies",
    A.READER_ERASED: "lecteur effacé à sa demande",
    A.OBJECTED: "opposition",
    A.OBJECTION_LIFTED: "opposition levée",
    A.AMENDED: "rectification",
    A.AMENDMENT_ENDED: "rectification terminée",
    A.SMS_CHOICE_NOTED: "accord pour les SMS noté",
    A.SMS_CHOICE_REMOVED: "accord pour les SMS retiré",
    A.SMS_CHOICES_IMPORTED: "accords pour les SMS importés",
}
"""The name of each kind of act, where one is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A piece of a sentence; `path` is the page that it leads to, empty when to none."""

    words: str
    path: str = ""


def sentence_of(line: JournalLine) -> Sequence[Words]:
    """What was done, in pieces that follow the name of whoever did it; the last one is what explains it."""
    said = ACTS[line.entry.act]
    contact = CONTACTS.get(Channel(str(line.entry.facts["channel"])), "") if _one_of(line, "channel", Channel) else ""
    said = said.replace("{contact}", {"mobile": "le mobile", "e-mail": "l'e-mail"}.get(contact, "l'adresse"))
    if line.reader_number is None:
        said = said.replace(" de {reader}", " d'un lecteur").replace("{reader}", "un lecteur")
    if line.entry.batch_id is None:
        said = said.replace("{batch}", "un lot de lettres")
    elif "{batch}" not in said and line.entry.act in _OF_LETTERS:
        said += ", {batch}"
    more = "".join(f", {one}" for one in _more(line))
    detail = line.entry.detail.strip()
    return (*_pieces(said, line), Words(words=f"{more} : « {detail} »" if detail else more))


_OF_LETTERS = (A.LETTER_COPIED, A.LETTER_RETURNED, A.LETTER_NUMBERED, A.LETTER_POSTED, A.LETTER_ACKNOWLEDGED)
_OF_CHANNELS = (A.DELIVERY_SETTLED, A.MESSAGE_RESENT, A.OBJECTED, A.OBJECTION_LIFTED)
_COUNTED = (
    ("letters", "lettre", "lettres"),
    ("lines", "ligne", "lignes"),
    ("bounces", "retour", "retours"),
    ("changed", "changement", "changements"),
)
_ERASED = (
    ("loans", "prêt", "prêts"),
    ("messages", "message", "messages"),
    ("readers", "lecteur", "lecteurs"),
    ("batches", "lot de lettres", "lots de lettres"),
)


def reader_words(line: JournalLine) -> str:
    """The reader's name, or his card where he has none."""
    return line.reader_name or (f"le lecteur {line.reader_card}" if line.reader_card else "un lecteur sans nom")


def _pieces(said: str, line: JournalLine) -> Iterator[Words]:
    links = {"reader": (reader_words(line), f"lecteurs/{line.reader_number}")}
    links["batch"] = (f"le lot n° {line.entry.batch_id}", f"lots/{line.entry.batch_id}")
    while "{" in said:
        before, _, rest = said.partition("{")
        name, _, said = rest.partition("}")
        words, path = links[name]
        if name == "batch" and before.endswith(", "):
            words = words.removeprefix("le ")
        if name == "batch" and before.endswith(" de "):
            before, words = f"{before.removesuffix(' de ')} du ", words.removeprefix("le ")
        yield Words(words=before)
        yield Words(words=words, path=path)
    if said:
        yield Words(words=said)


def _more(line: JournalLine) -> Iterator[str]:
    """What figures and codes say more; one that nobody knows says nothing."""
    facts: Mapping[str, object] = line.entry.facts
    if line.letter:
        yield f"lettre {line.letter}"
    if line.entry.act in _OF_CHANNELS and _one_of(line, "channel", Channel):
        yield ONE_CHANNEL[Channel(str(facts["channel"]))]
    if _one_of(line, "stage", Stage):
        yield STAGES[Stage(str(facts["stage"]))]
    if facts.get("loan"):
        yield "pour un prêt"
    if facts.get("not_sent"):
        yield "rien n'est parti"
    if facts.get("choice") in SMS_CHOICES:
        yield SMS_CHOICES[SmsChoice(str(facts["choice"]))]
    for name, before in (("day", "journée du"), ("until", "jusqu'au")):
        day = _day(facts.get(name))
        if day:
            yield f"{before} {day}"
    if facts.get("number"):
        yield f"n° {facts['number']}"
    if _one_of(line, "reason", SuppressionReason):
        yield SUPPRESSIONS[SuppressionReason(str(facts["reason"]))]
    if facts.get("why") in set(ReturnReason):
        yield RETURNS[ReturnReason(str(facts["why"]))]
    for name, one, several in _ERASED if line.entry.act in (A.DATA_ERASED, A.READER_ERASED) else _COUNTED:
        number = facts.get(name)
        if isinstance(number, int):
            yield f"{number} {one if number < 2 else several}"


def _one_of(line: JournalLine, name: str, known: type[Channel] | type[Stage] | type[SuppressionReason]) -> bool:
    return line.entry.facts.get(name) in set(known)


def _day(value: object) -> str:
    try:
        return day_words(date.fromisoformat(str(value))) if value else ""
    except ValueError:
        return ""
