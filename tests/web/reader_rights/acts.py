"""How a person does what readers ask about themselves, and notes disputes: for the test of every act of the journal."""

from __future__ import annotations

from datetime import datetime, timedelta

from loan_reminders.domain.journal import JournalAct
from loan_reminders.settings.library_toml import settings
from tests.scenes.disputed_loan import a_whole_story
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_runs import rows

A = JournalAct


def note_a_dispute(desk):
    a_reader(desk.ledger)
    until = datetime.now(settings().zone).date() + timedelta(days=3)
    desk.post("/lecteurs/litige", lecteur="P1", jusqu_au=str(until), motif="conteste")
    return rows(desk.ledger, "SELECT max(dispute_id) FROM disputes")[0][0]


def close_a_dispute(desk):
    desk.post("/lecteurs/litige-clos", lecteur="P1", litige=note_a_dispute(desk))


def object_to(desk):
    a_reader(desk.ledger)
    desk.post("/lecteurs/opposition", lecteur="P1", canal="sms", motif="trop de SMS")
    return rows(desk.ledger, "SELECT max(objection_id) FROM objections")[0][0]


def lift_an_objection(desk):
    desk.post("/lecteurs/opposition-levee", lecteur="P1", opposition=object_to(desk), motif="les veut")


def amend(desk):
    a_whole_story(desk.ledger)
    desk.post("/lecteurs/rectification", lecteur="P1", quoi="name", valeur="Camille Durand", motif="a changé de nom")
    return rows(desk.ledger, "SELECT max(amendment_id) FROM amendments")[0][0]


def end_an_amendment(desk):
    desk.post("/lecteurs/rectification-terminee", lecteur="P1", rectification=amend(desk))


def give_data(desk):
    a_reader(desk.ledger)
    desk.post("/lecteurs/donnees", lecteur="P1", forme="json")


def erase_a_reader(desk):
    a_reader(desk.ledger)
    desk.post("/lecteurs/effacement", lecteur="P1")


OF_READER_RIGHTS = (
    (A.DISPUTE_NOTED, note_a_dispute),
    (A.DISPUTE_CLOSED, close_a_dispute),
    (A.READER_DATA_GIVEN, give_data),
    (A.READER_ERASED, erase_a_reader),
    (A.OBJECTED, object_to),
    (A.OBJECTION_LIFTED, lift_an_objection),
    (A.AMENDED, amend),
    (A.AMENDMENT_ENDED, end_an_amendment),
)
