"""Check the way to the loans, step by step, before a library relies on it or after its ILS was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from loan_reminders.domain.errors import RETRIED, TO_MEND, IlsError, ReminderError
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.ports.ils_check import IlsInspection, WholeRead
from loan_reminders.domain.ports.outside import LoanSource
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
from loan_reminders.domain.runs.extraction import COLUMNS
from loan_reminders.domain.runs.reading.consent import BIRTH_DATE
from loan_reminders.domain.runs.reading.tally import Reading, Tally
from loan_reminders.french.plurals import many
from loan_reminders.french.readings import KEYS, code_words
from loan_reminders.french.words import CATEGORIES

T = TypeVar("T")

BIG_TABLE = 100_000
"""Rows that nobody should read whole for the loans of one day."""
EXPIRES_SOON = timedelta(days=30)
SHOWN = 10
"""Loans, codes and tables that are shown of many."""

_DBA = "demander à l'administrateur de la base"
_SELECT_ONLY = f"{_DBA} un compte qui n'a que SELECT (scripts grants de sql/, ou sql/README.md, section Rights)"


class Outcome(StrEnum):
    """How one check ends."""

    FINE = "fine"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """What one check found, in French: `remedy` says what to ask whom; `details` are further lines of it."""

    outcome: Outcome
    words: str
    seconds: float
    remedy: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDay:
    """The day whose loans are read, and the day of the check."""

    due_date: date
    today: date


class IlsCheck:
    """The checks of one installation, in their order.

    `inspect` gives what asks the database about itself, and raises when no connection leads to it; `stopwatch` gives
    seconds that only ever grow; `asked` are the optional columns that the settings ask for; `then` gives what is
    checked after the loans, once the database answers.
    """

    _inspection: IlsInspection

    def __init__(
        self,
        inspect: Callable[[], IlsInspection],
        source: LoanSource,
        *,
        day: CheckedDay,
        stopwatch: Callable[[], float],
        asked: Sequence[str] = (),
        then: Callable[[], Iterable[CheckLine]] = tuple,
    ) -> None:
        self._inspect = inspect
        self._source = source
        self._day = day
        self._stopwatch = stopwatch
        self._asked = tuple(asked)
        self._then = then
        self._since = stopwatch()

    def lines(self) -> Iterator[CheckLine]:
        """Each check as soon as it is made; those that a failure leaves without an object are not made."""
        try:
            self._inspection = self._inspect()
            version = self._inspection.version()
        except ReminderError as error:
            yield self._failed("Pas de connexion", error, f"{_DBA} l'adresse, le port et le compte de lecture")
            return
        yield self._line(Outcome.FINE, f"Serveur joint, compte accepté : {version}")
        yield self._account()
        yield self._writing()
        columns, loan_now = self._columns(), self._loan_now()
        yield self._tables(understood=Outcome.FAILURE not in (columns.outcome, loan_now.outcome))
        yield columns
        yield loan_now
        yield self._plan()
        if columns.outcome is not Outcome.FAILURE:
            yield from self._loans()
        yield from self._then()

    def _account(self) -> CheckLine:
        try:
            account = self._inspection.account()
        except ReminderError as error:
            return self._unknown("Compte", error)
        if account.expires is None:
            return self._line(Outcome.FINE, f"Compte {account.name}")
        words = f"Compte {account.name} : son mot de passe expire le {account.expires:%d/%m/%Y}"
        if account.expires - self._day.today > EXPIRES_SOON:
            return self._line(Outcome.FINE, words)
        return self._line(Outcome.WARNING, words, f"{_DBA} un mot de passe sans expiration pour ce compte")

    def _writing(self) -> CheckLine:
        try:
            found = self._inspection.could_write()
        except ReminderError as error:
            return self._unknown("Droits d'écriture", error)
        if not found:
            return self._line(Outcome.FINE, "Le compte ne peut que lire")
        words = f"Le compte pourrait écrire ({many(len(found), 'droit de trop', 'droits de trop')})"
        return self._line(Outcome.WARNING, words, _SELECT_ONLY, _first(found))

    def _tables(self, *, understood: bool) -> CheckLine:
        """Statements that are understood may read all they name; else each table is asked for, to name the faulty."""
        read = many(len(self._inspection.tables()), "table ou vue", "tables ou vues")
        try:
            refused: Mapping[str, IlsError] = {} if understood else self._inspection.refused_tables()
        except ReminderError as error:
            return self._failed("Droits", error, f"{_DBA} ce qui arrête cette requête")
        if not refused:
            return self._line(Outcome.FINE, f"Droits suffisants : {read} à lire")
        remedy = f"{_DBA} le droit SELECT sur ces tables, et un synonyme si elles sont dans un autre schéma"
        details = tuple(f"{table} : {_cause(error)}" for table, error in refused.items())
        return self._line(Outcome.FAILURE, f"Droits insuffisants : {len(refused)} sur {read}", remedy, details)

    def _columns(self) -> CheckLine:
        remedy = "corriger loans_due.sql (dossier sql/), ou les réglages [ils] de library.toml"
        try:
            columns = self._inspection.columns()
        except ReminderError as error:
            return self._failed("loans_due.sql", error, remedy)
        missing = [name for name in (*COLUMNS, *self._asked) if name not in columns]
        if missing:
            return self._line(Outcome.FAILURE, f"loans_due.sql ne rend pas : {', '.join(missing)}", remedy)
        words = f"loans_due.sql est comprise et rend les {len(COLUMNS)} colonnes du contrat"
        further = f", et {', '.join(self._asked)}, que demande [sms.consent]" if self._asked else ""
        return self._line(Outcome.FINE, words + further)

    def _loan_now(self) -> CheckLine:
        try:
            self._inspection.ask_about_no_loan()
        except ReminderError as error:
            return self._failed("loan_now.sql", error, "corriger loan_now.sql (dossier sql/)")
        return self._line(Outcome.FINE, "loan_now.sql est comprise")

    def _plan(self) -> CheckLine:
        try:
            found = self._inspection.whole_reads(self._day.due_date, today=self._day.today)
        except ReminderError as error:
            return self._unknown("Plan de loans_due.sql", error)
        large = [read for read in found if read.rows is not None and read.rows >= BIG_TABLE]
        told = tuple(_whole_read(read) for read in found)
        if large:
            words = f"Plan : {many(len(large), 'grande table lue', 'grandes tables lues')} en entier"
            remedy = f"{_DBA} un index sur la clé de ces tables, et des statistiques à jour"
            return self._line(Outcome.WARNING, words, remedy, told)
        return self._line(Outcome.FINE, "Plan : aucune grande table lue en entier", details=told)

    def _loans(self) -> Iterator[CheckLine]:
        day, loans, rejected = f"{self._day.due_date:%d/%m/%Y}", [], Counter[tuple[str, str]]()
        tally = Tally()
        try:
            with closing(self._source.loans_due(self._day.due_date, today=self._day.today)) as rows:
                for row in rows:
                    tally.count(row)
                    if isinstance(row, RejectedRow):
                        rejected[row.code, row.column] += 1
                    else:
                        loans.append(row)
        except ReminderError as error:
            yield self._failed(f"Prêts à échéance du {day}", error, f"{_DBA} ce qui arrête cette requête")
            return
        found = many(len(loans), "prêt", "prêts")
        words = f"{found} à échéance du {day}"
        if loans:
            yield self._line(Outcome.FINE, words)
        else:
            remedy = "donner par --day un jour d'échéance où il y en a ; sinon comparer avec l'écran du SIGB"
            yield self._line(Outcome.WARNING, f"Aucun prêt à échéance du {day}", remedy)
        if rejected:
            yield self._rejected(rejected)
        if loans:
            yield self._codes(tally.reading())
            yield self._reach(loans)
            yield self._examples(loans)

    def _rejected(self, rejected: Mapping[tuple[str, str], int]) -> CheckLine:
        words = many(sum(rejected.values()), "ligne illisible, écartée", "lignes illisibles, écartées")
        remedy = "corriger la colonne dans loans_due.sql, ou la fiche dans le SIGB"
        details = tuple(f"{column} ({code}) : {count}" for (code, column), count in sorted(rejected.items()))
        return self._line(Outcome.WARNING, words, remedy, details)

    def _codes(self, reading: Reading) -> CheckLine:
        """Counted as a run counts them: what may be a reader's own name or number is not told."""
        if not reading.unknown:
            return self._line(Outcome.FINE, "Codes : tous connus des réglages")
        words = many(len(reading.unknown), "code inconnu des réglages", "codes inconnus des réglages")
        told = [f"{code_words(one)} → {KEYS[one.kind]}" for one in sorted(reading.unknown, key=lambda one: -one.loans)]
        return self._line(Outcome.WARNING, words, "les ajouter à library.toml", _first(told))

    def _reach(self, loans: Sequence[Loan]) -> CheckLine:
        readers = {loan.patron.patron_id: loan.patron for loan in loans}
        reached = {
            "e-mail": sum(isinstance(one.email, EmailAddress) for one in readers.values()),
            "mobile": sum(isinstance(one.mobile, MobileNumber) for one in readers.values()),
            "adresse": sum(isinstance(one.address, PostalAddress) for one in readers.values()),
        }
        shares = ", ".join(f"{name} {100 * count / len(readers):.0f} %" for name, count in reached.items())
        words = f"{many(len(readers), 'lecteur', 'lecteurs')} : {shares}"
        if BIRTH_DATE in self._asked:
            minors = sum(one.minor for one in readers.values())
            words += f" ; {many(minors, 'mineur', 'mineurs')}"
        nobody = [name for name, count in reached.items() if not count]
        if nobody:
            remedy = f"vérifier les colonnes de loans_due.sql ({', '.join(nobody)}), puis les fiches du SIGB"
            return self._line(Outcome.WARNING, words, remedy)
        return self._line(Outcome.FINE, words)

    def _examples(self, loans: Sequence[Loan]) -> CheckLine:
        details = tuple(_example(loan) for loan in loans[:SHOWN])
        return self._line(Outcome.FINE, "À comparer avec l'écran du SIGB :", details=details)

    def _failed(self, what: str, error: ReminderError, otherwise: str) -> CheckLine:
        return self._line(Outcome.FAILURE, f"{what} : {_cause(error)}", _remedy(error) or otherwise)

    def _unknown(self, what: str, error: ReminderError) -> CheckLine:
        return self._line(Outcome.WARNING, f"{what} : inconnu ({_cause(error)})", _remedy(error) or _SELECT_ONLY)

    def _line(self, outcome: Outcome, words: str, remedy: str = "", details: tuple[str, ...] = ()) -> CheckLine:
        now = self._stopwatch()
        seconds, self._since = now - self._since, now
        return CheckLine(outcome=outcome, words=words, seconds=seconds, remedy=remedy, details=details)


def masked(name: str) -> str:
    """A name of which nobody can be told: `J… D…`, and `…` for a word of one letter."""
    return " ".join(f"{word[0]}…" if len(word) > 1 else "…" for word in name.split()) or "(sans nom)"


def _example(loan: Loan) -> str:
    patron = loan.patron
    ways = {"e-mail": patron.email, "mobile": patron.mobile, "adresse": patron.address}
    usable = [name for name, way in ways.items() if isinstance(way, (EmailAddress, MobileNumber, PostalAddress))]
    return (
        f"{loan.loan_id}  {masked(patron.name)}  {CATEGORIES[patron.category]}  {loan.branch or '(sans bibliothèque)'}"
        f"  {loan.loan_date:%d/%m/%Y} → {loan.due_date:%d/%m/%Y}  {', '.join(usable) or 'injoignable'}"
    )


def _whole_read(read: WholeRead) -> str:
    size = "taille inconnue" if read.rows is None else f"environ {many(read.rows, 'ligne', 'lignes')}"
    return f"{read.table} lue en entier, {size}"


def _first(told: Sequence[str]) -> tuple[str, ...]:
    more = len(told) - SHOWN
    return (*told[:SHOWN], f"… et {more} de plus") if more > 0 else tuple(told)


def _cause(error: ReminderError) -> str:
    """What an error says without what a task would do about it."""
    words = (error.cause if isinstance(error, IlsError) else "") or str(error)
    for what_next in (RETRIED, TO_MEND, ", puis relancer la tâche"):
        words = words.replace(what_next, "")
    return words.strip().rstrip(".")


def _remedy(error: ReminderError) -> str:
    return error.remedy if isinstance(error, IlsError) else ""
