"""The page of contacts to correct: which fail, for whom, how many notices they cost, and what was done about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from fastapi import Path as InPath

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.readers.corrections import ContactFault, Correction, CorrectionOrder, CorrectionOutcome
from loan_reminders.french.days import day_words, when_words
from loan_reminders.french.pages.corrections import FAULTS, contact_words
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.lists import LINES, Number, Order, Pages, asked_at, number_asked, spreadsheet
from loan_reminders.web.page import At, Page, Place, Typed

PAGE = "a-corriger"
MOST_LINES = 100_000
"""Lines of a downloaded list at most."""
SHORTEST_REASON = 3
COLUMNS = {
    "avis": CorrectionOrder.NOTICES,
    "depuis": CorrectionOrder.SINCE,
    "lecteur": CorrectionOrder.READER,
    "motif": CorrectionOrder.FAULT,
    "lieu": CorrectionOrder.BRANCH,
}
DONE = {
    CorrectionOutcome.CORRECTED: "C'est noté : cette ligne reviendra d'elle-même si le contact échoue encore.",
    CorrectionOutcome.IGNORED: "C'est noté : cette ligne est mise de côté jusqu'à ce que le contact change ou échoue"
    " encore.",
}

router = APIRouter(route_class=ActRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRow:
    """One contact that fails, in words. `again` tells what was said of it before it failed once more."""

    correction_id: int
    reader: int | None
    name: str
    card: str
    fault: str
    contact: str
    branch: str
    since: str
    notices: int
    suppression_id: int | None
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What of the list is asked for, as the address or a form says it."""

    motif: str
    lieu: str
    tri: str
    sens: str
    page: int = 1

    @classmethod
    def at_place(cls, place: str) -> _Asked:
        """What the list was asked for where a form was sent from."""
        said = asked_at(place)
        words = {name: said.get(name, "") for name in ("motif", "lieu", "tri", "sens")}
        return cls(**words, page=number_asked(said))

    @property
    def filters(self) -> dict[str, str]:
        return {"motif": self.motif, "lieu": self.lieu}

    @property
    def fault(self) -> ContactFault | None:
        return ContactFault(self.motif) if self.motif in set(ContactFault) else None

    @property
    def order(self) -> CorrectionOrder:
        return COLUMNS.get(self.tri, CorrectionOrder.NOTICES)

    @property
    def descending(self) -> bool:
        return self.sens == "desc" or not self.tri


Word = Annotated[Typed, Query(max_length=40)]
Field = Annotated[Typed, Form(max_length=40)]


@router.get("/a-corriger")
def page(at: At, motif: Word = "", lieu: Word = "", tri: Word = "", sens: Word = "", page: Number = 0) -> Response:
    """The lines that wait, those that cost most notices first unless another order is asked for."""
    return _page(at, _Asked(motif=motif, lieu=lieu, tri=tri, sens=sens, page=page))


@router.post("/a-corriger/liste")
def download(
    at: At, who: Librarian, motif: Field = "", lieu: Field = "", tri: Field = "", sens: Field = ""
) -> Response:
    """All the lines asked for as a file for a spreadsheet; the journal keeps who has it."""
    asked = _Asked(motif=motif, lieu=lieu, tri=tri, sens=sens)
    try:
        lines = ledger_access.corrections().lines(
            fault=asked.fault, branch=lieu, order=asked.order, descending=asked.descending, limit=MOST_LINES
        )
        # The file exists only with its line in the journal.
        ledger_access.journal().keep(who=who, act=JournalAct.LIST_DOWNLOADED, detail="coordonnées à corriger")
    except ReminderError as error:
        return at.unavailable(error)
    header = ("carte", "lecteur", "motif", "contact", "bibliotheque", "depuis", "avis_manques")
    zone, library = settings().zone, settings().identity()
    return spreadsheet("coordonnees-a-corriger", header, (_cells(line, zone, library) for line in lines))


@router.post("/a-corriger/{correction_id}")
def settle(
    at: At,
    correction_id: Annotated[int, InPath(ge=1, lt=2**63)],
    who: Librarian,
    suite: Field = "",
    raison: Annotated[Typed, Form(max_length=200)] = "",
    ici: Place = "",
) -> Response:
    """A line was put right in the ILS (`suite` is « corrige »), or is ignored (« ignore ») for a reason."""
    asked = _Asked.at_place(at.returning(ici))
    if suite not in ("corrige", "ignore"):
        return _page(at, asked, problem="Il manque ce qui a été fait de cette ligne.", status=400)
    if suite == "ignore" and len(raison.strip()) < SHORTEST_REASON:
        return _page(at, asked, problem="Pour ignorer une ligne, il faut dire pourquoi.", status=400)
    outcome = CorrectionOutcome.CORRECTED if suite == "corrige" else CorrectionOutcome.IGNORED
    try:
        settled = ledger_access.corrections().settle(correction_id, outcome, who=who, because=raison.strip())
    except ReminderError as error:
        return at.unavailable(error)
    if not settled:
        return _page(at, asked, problem="Cette ligne n'attend plus rien : rien n'a été changé.", status=404)
    return at.back(PAGE, ici, said=DONE[outcome])


def refused(at: Page, place: str, problem: str, status: int) -> Response:
    """The list again, as it was at the place of a form that was refused, with what is wrong."""
    return _page(at, _Asked.at_place(at.returning(place)), problem=problem, status=status)


def _page(at: Page, asked: _Asked, *, problem: str = "", status: int = 200) -> Response:
    try:
        ledger = ledger_access.corrections()
        counts = ledger.counts()
        pages = Pages(
            number=max(1, asked.page),
            lines=sum(many for (fault, branch), many in counts.items() if _is_asked(asked, fault, branch)),
            asked={**asked.filters, "tri": asked.tri, "sens": asked.sens},
        )
        # The last line of the last page was settled: the page before is the last one now.
        pages = replace(pages, number=min(pages.number, pages.last))
        lines = ledger.lines(
            fault=asked.fault,
            branch=asked.lieu,
            order=asked.order,
            descending=asked.descending,
            limit=LINES,
            offset=pages.offset,
        )
    except ReminderError as error:
        return at.unavailable(error)
    zone, library = settings().zone, settings().identity()
    now = datetime.now(zone)
    return at.html(
        "a_corriger.html.j2",
        status,
        rows=[_row(line, now, zone, library) for line in lines],
        pages=pages,
        order=Order(column=asked.tri or "avis", descending=asked.descending, asked=asked.filters),
        faults=_choices({fault.value: words for fault, words in FAULTS.items()}, counts, place=0),
        branches=_choices(_branches(counts), counts, place=1),
        asked=asked,
        total=sum(counts.values()),
        problem=problem,
    )


def _is_asked(asked: _Asked, fault: ContactFault, branch: str) -> bool:
    return asked.fault in (None, fault) and asked.lieu in ("", branch)


def _choices(
    names: Mapping[str, str], counts: Mapping[tuple[ContactFault, str], int], *, place: int
) -> list[tuple[str, str, int]]:
    """What one may choose of, with the number of lines of each; what has none is no choice."""
    numbers = {name: sum(many for key, many in counts.items() if key[place] == name) for name in names}
    return [(str(name), words, numbers[name]) for name, words in names.items() if numbers[name]]


def _branches(counts: Mapping[tuple[ContactFault, str], int]) -> dict[str, str]:
    library = settings().identity()
    found = {branch: library.branch(branch).name for _, branch in counts if branch}
    return dict(sorted(found.items(), key=lambda one: one[1]))


def _row(line: Correction, now: datetime, zone: tzinfo, library: LibraryIdentity) -> CorrectionRow:
    again = ""
    if line.settled_at is not None and line.outcome is not None:
        said = "noté comme corrigé" if line.outcome is CorrectionOutcome.CORRECTED else "ignoré"
        why = f" : « {line.because} »" if line.because else ""
        again = f"A échoué encore ; {said} par {line.settled_by} {when_words(line.settled_at, now=now, zone=zone)}{why}"
    return CorrectionRow(
        correction_id=line.correction_id,
        reader=line.reader_number,
        name=line.reader_name or "Lecteur sans nom",
        card=line.reader_card,
        fault=FAULTS[line.fault],
        contact=contact_words(line),
        branch=library.branch(line.branch).name if line.branch else "",
        since=day_words(line.since.astimezone(zone).date()),
        notices=line.notices,
        suppression_id=line.suppression_id,
        again=again,
    )


def _cells(line: Correction, zone: tzinfo, library: LibraryIdentity) -> tuple[object, ...]:
    return (
        line.reader_card,
        line.reader_name,
        FAULTS[line.fault],
        contact_words(line),
        library.branch(line.branch).name if line.branch else "",
        day_words(line.since.astimezone(zone).date()),
        line.notices,
    )
