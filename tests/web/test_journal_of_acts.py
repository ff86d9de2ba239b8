"""Every act of the journal's closed list, done where a person does it: one line, with that person's name."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.marks.high_water import Gap
from loan_reminders.domain.retention.terms import Terms
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason
from loan_reminders.hooks.marks import marks_of
from loan_reminders.ledger.removal.removal import PostgresRetention
from loan_reminders.ledger.statistics.rebuilding import PostgresCounters
from loan_reminders.services.registered import approval
from loan_reminders.services.runs import check_volume
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import a_patron
from tests.scenes.disputed_loan import a_whole_story
from tests.scenes.failing_contacts import lines, skipped
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_emails import came_back_in_a_mass, mailed
from tests.scenes.ledger_letters import drafted
from tests.scenes.ledger_registered import ONE, in_a_batch, number, ref, take
from tests.scenes.ledger_runs import opened, rows
from tests.scenes.ledger_sms import reply
from tests.web.client import browsing
from tests.web.letters import conftest as of_letters
from tests.web.reader_rights.acts import OF_READER_RIGHTS
from tests.web.readers import test_actions as of_readers
from tests.web.runs import conftest as of_runs
from tests.web.runs import test_missed_days as of_missed_days
from tests.web.sms import test_choices as of_choices

pytestmark = [pytest.mark.usefixtures("installed"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]
A = JournalAct
TODAY = datetime.now(settings().zone).date()

# What other files of the pages' tests made ready, under names of its own.
library_of_today, ils, batch = of_letters.library_of_today, of_letters.ils, of_letters.desk
library, told = of_readers.library, of_readers.desk
airflow = of_runs.airflow
missed = of_missed_days.ils


@dataclass
class Desk:
    """What an act is done with; `ready` gives what some of them need."""

    client: Any
    ledger: Any
    ready: Callable[[str], Any]

    def post(self, path: str, **form: Any) -> Any:
        answer = self.client.post(path, data=form)
        assert answer.status_code in (200, 303), answer.text
        return answer


def reader(desk):
    return f"/lecteurs/{a_reader(desk.ledger)}"


def until(days=3):
    return str(TODAY + timedelta(days=days))


def a_hold(desk):
    reader(desk)
    desk.post("/lecteurs/suspension", lecteur="P1", jusqu_au=until(), motif="conteste")
    return rows(desk.ledger, "SELECT max(hold_id) FROM holds")[0][0]


def lift_a_hold(desk):
    desk.post("/lecteurs/levee", suspension=a_hold(desk), motif="retrouvé")


def make_a_file(desk):
    a_whole_story(desk.ledger)
    desk.post("/dossier", pret="L1")


def preview(desk):
    a_whole_story(desk.ledger)
    desk.post("/messages/vrai", etape="overdue_notice", canal="email", pret="L1")


def resend(desk):
    desk.post("/lecteurs/renvoi", lecteur=desk.ready("told").patron, canal="email")


def put_on_the_list(desk):
    desk.post("/desinscriptions", numero="06 12 34 56 78")


def take_off_the_list(desk):
    put_on_the_list(desk)
    [line] = desk.ledger.feedback().suppressions()
    assert line.reason is SuppressionReason.BY_LIBRARIAN
    desk.post(f"/desinscriptions/{line.suppression_id}/levee", raison="erreur de saisie")


def a_failing_contact(desk):
    patron = a_patron(email=Refusal.MISSING, mobile=Refusal.MISSING, address=Refusal.MISSING)
    skipped(desk.ledger, patron, SkipReason.NO_RECIPIENT, "email:missing,letter:missing")
    return f"/a-corriger/{lines(desk.ledger)[0].correction_id}"


def correct(desk):
    desk.post(a_failing_contact(desk), suite="corrige")


def ignore(desk):
    desk.post(a_failing_contact(desk), suite="ignore", raison="parti à l'étranger")


def settle(desk):
    refused = mailed(desk.ledger, DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED)
    desk.post("/bureau/regle", envoi=str(refused))


def settle_aside(desk):
    [(aside,)] = rows(
        desk.ledger,
        "INSERT INTO put_aside (library, kind, fingerprint, about, said, why)"
        " VALUES (:library, 'reply', 'f', '33639980001', 'STOP', 'illisible') RETURNING put_aside_id",
        library=desk.ledger.library,
    )
    desk.post("/bureau/lu", retour=str(aside))


def settle_reply(desk):
    desk.ledger.feedback().keep_replies([reply("rendu lundi")])
    [(number,)] = rows(desk.ledger, "SELECT reply_number FROM sms_replies")
    desk.post("/bureau/reponse", reponse=str(number))


def decide(dead):
    def about_bounces(desk):
        came_back_in_a_mass(desk.ledger)
        desk.post("/bureau/retours", domaine="univ.example", mortes=dead)

    return about_bounces


def answer_volume(answer):
    """What the task keeps once somebody has answered, on our page or on Airflow's own."""

    def about_volume(desk):
        answer(desk.ledger, run_id=opened(desk.ledger).run_id, who="chloé")

    return about_volume


def answer_letters(agreed, *, out=False):
    def about_a_draft(desk):
        run_id, _, letters = drafted(desk.ledger)
        references = "REF-PL1" if out else ""
        assert letters[1].notice.patron.patron_id == "PL1"
        if agreed:
            approval.approve(desk.ledger, run_id=run_id, who="chloé", references=references, detail="litige")
        else:
            approval.refuse(desk.ledger, run_id=run_id, who="chloé", detail="doublon")

    return about_a_draft


def catch_up(desk):
    desk.ready("missed")
    desk.post(of_missed_days.PAGE)


def of_batch(*steps, **form):
    """The steps of a batch one after the other: `impression`, `copie`, `retrait`, and of one of its letters."""

    def about_a_batch(desk):
        found = desk.ready("batch")
        for step in steps:
            path = step.format(letter=found.deliveries[0].delivery_id)
            values = {name: value.format(letter=found.deliveries[0].delivery_id) for name, value in form.items()}
            desk.post(f"{found.path}/{path}", **values)

    return about_a_batch


def list_of_batch(desk):
    found = desk.ready("batch")
    (found.folder / "lot" / "destinataires.csv").write_text("reference\n", encoding="utf-8")
    assert desk.client.get(f"{found.path}/destinataires.csv").status_code == 200


def note(*suites):
    """A printed registered letter with its number, and what became of it."""

    def about_a_registered_letter(desk):
        batch_id, _ = in_a_batch(desk.ledger)
        at = datetime.now(settings().zone) - timedelta(days=60)
        rows(desk.ledger, "UPDATE letter_batches SET printed_at = :at WHERE batch_id = :id", at=at, id=batch_id)
        desk.post("/recommandes/numero", reference=ref(0), numero=ONE)
        for days, suite in enumerate(suites):
            desk.post("/recommandes/suivi", numero=ONE, suite=suite, jour=str(TODAY - timedelta(days=9 - days)))

    return about_a_registered_letter


def undo(desk):
    _, [letter] = in_a_batch(desk.ledger, 1)
    take(desk.ledger, ref(0), number(ONE))
    where = f"/recommandes/{letter.delivery_id}"
    step = desk.client.get(where).text.split('name="etape" value="')[1].split('"')[0]
    desk.post(f"{where}/annuler", etape=step)


def bring_back(desk):
    in_a_batch(desk.ledger, 1, channel=Channel.LETTER, prefix="S")
    desk.post("/bureau/npai", reference=ref(0, "S"))


def rebuild(desk):
    for _ in desk.ledger.part(PostgresCounters).rebuild(who="chloé"):
        pass


def answer_gap(reply):
    found = Gap(mark_id=uuid.uuid4())
    return lambda desk: (marks_of(desk.ledger).find(found), desk.post("/registre", reponse=reply))


def erase(desk):
    removal = desk.ledger.part(PostgresRetention)
    removal.count_folder(Terms.on(TODAY, loan_months=4, reader_months=12), who="chloé")
    removal.tell()


TAKEN_OUT = {"lettre": "{letter}", "motif": "litige"}
DONE = [
    (A.READER_SEEN, lambda desk: desk.client.get(reader(desk))),
    (A.CONTACTS_SHOWN, lambda desk: desk.post(f"{reader(desk)}/coordonnees")),
    (A.DISPUTE_FILE_MADE, make_a_file),
    (A.REAL_LOAN_PREVIEWED, preview),
    *((A.LIST_DOWNLOADED, do) for do in (lambda desk: desk.post("/a-corriger/liste"), list_of_batch)),
    (A.MESSAGE_RESENT, resend),
    (A.HELD, a_hold),
    (A.HOLD_LIFTED, lift_a_hold),
    (A.SUPPRESSED, put_on_the_list),
    (A.SUPPRESSION_LIFTED, take_off_the_list),
    (A.CONTACT_CORRECTED, correct),
    (A.CONTACT_IGNORED, ignore),
    (A.DELIVERY_SETTLED, settle),
    (A.ASIDE_SETTLED, settle_aside),
    (A.REPLY_SETTLED, settle_reply),
    *((act, decide(dead)) for act, dead in ((A.BOUNCES_BELIEVED, "oui"), (A.BOUNCES_NOT_BELIEVED, "non"))),
    (A.VOLUME_APPROVED, answer_volume(check_volume.approve)),
    (A.VOLUME_REFUSED, answer_volume(check_volume.refuse)),
    (A.DAY_CAUGHT_UP, catch_up),
    *((act, answer_gap(reply)) for act, reply in ((A.GAP_ACCEPTED, "oui"), (A.GAP_REFUSED, "non"))),
    (A.LETTERS_APPROVED, answer_letters(agreed=True)),
    (A.LETTERS_REFUSED, answer_letters(agreed=False)),
    (A.LETTER_TAKEN_OUT, answer_letters(agreed=True, out=True)),
    (A.LETTER_TAKEN_OUT, of_batch("retrait", **TAKEN_OUT)),
    (A.BATCH_PRINTED, of_batch("impression")),
    (A.BATCH_EXPORTED, of_batch("impression", pour="prestataire")),
    (A.BATCH_GIVEN_AGAIN, of_batch("impression", "impression")),
    (A.BATCH_COPIED, of_batch("impression", "copie")),
    (A.LETTER_COPIED, of_batch("impression", "lettres/{letter}/copie")),
    (A.LETTER_RETURNED, bring_back),
    (A.LETTER_RETURNED, note("poste", "unclaimed")),
    (A.LETTER_NUMBERED, note()),
    (A.LETTER_POSTED, note("poste")),
    (A.LETTER_ACKNOWLEDGED, note("poste", "recu")),
    (A.STEP_UNDONE, undo),
    (A.COUNTERS_REBUILT, rebuild),
    *OF_READER_RIGHTS,
    (A.DATA_ERASED, erase),
    *of_choices.ACTS,
]
"""Each act, and how a person does it; the act is done once, whatever comes before it."""


def test_no_act_of_the_list_is_forgotten():
    assert {act for act, _ in DONE} == set(JournalAct)


@pytest.mark.parametrize(("act", "do"), DONE, ids=[f"{act}-{place}" for place, (act, _) in enumerate(DONE)])
def test_each_act_is_one_line_with_who_did_it_and_a_sentence_on_the_page(act, do, ledger, request):
    with browsing("chloé") as client:
        do(Desk(client=client, ledger=ledger, ready=request.getfixturevalue))
        shown = client.get("/journal", params={"acte": act.value}).text
    assert [row.who for row in rows(ledger, "SELECT who FROM journal WHERE act = :act", act=act.value)] == ["chloé"]
    assert len(re.findall(r"<td><strong>chloé</strong> a ", shown)) == 1
