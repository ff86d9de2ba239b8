"""On a ledger of two million rows a table, no page and no run reads a large table from end to end."""

from __future__ import annotations

import importlib
import pkgutil
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import TextClause
from sqlalchemy.dialects import postgresql

import loan_reminders.ledger as room
from loan_reminders.domain.dispute.loan_file import LoanSearch
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batch_list import BatchColumn, BatchQuery, LetterColumn, LetterQuery
from loan_reminders.domain.letters.batches import BatchState, RegisteredState
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.messages import SentWords
from loan_reminders.domain.notices import Skip
from loan_reminders.domain.ports.registered import NumberLine
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.letters.print_checks import PostgresPrintChecks
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.runs.today import PostgresToday
from loan_reminders.ledger.sms import costs as sms_costs
from tests.scenes.asked_figures import statistics
from tests.scenes.asked_of_readers import held, resent
from tests.scenes.asked_pages import contacts, journal
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_mobile, a_notice, a_patron
from tests.scenes.disputed_loan import a_whole_story
from tests.scenes.ledger_emails import a_bounce, came_back_in_a_mass
from tests.scenes.ledger_letters import a_batch, closed
from tests.scenes.ledger_registered import ONE, TWO, acknowledge, in_a_batch, note_return, number, post, ref
from tests.scenes.ledger_runs import answer, extracted, ids, keys, rows, some_deliveries
from tests.scenes.ledger_runs import planned as a_planned_run
from tests.scenes.ledger_sms import ack, blacklisted, left, reply
from tests.scenes.old_ledger import LARGE, grow_old
from tests.scenes.pages_of_runs import run_pages
from tests.scenes.query_plans import Plans, planned
from tests.scenes.reader_questions import readers
from tests.simulators.postgres import EmbeddedPostgres

S = DeliveryState

_DIALECT = postgresql.psycopg.dialect()
ZONE = "Europe/Paris"
UNHOLDABLE = "".join(uuid.uuid4().hex for _ in range(300))
"""A text that no index can hold, and that cannot be compressed."""
SHORT_WAYS = (
    "sms_acks_to_settle", "sms_replies_to_settle", "mail_bounces_to_settle", "suppressions_in_force", "one_in_force",
    "suppressions_by_age", "mail_bounces_held", "deliveries_not_arrived", "corrections_open", "journal_by_age",
    "journal_of_person", "runs_open", "letter_batches_waiting",
)  # fmt: skip
"""Indexes of what waits, is held, did not arrive or is in force: short however old the ledger is.

`suppressions_by_age`, `journal_by_age` and `journal_of_person` are read in their order, up to a limit."""
QUESTIONS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")


@pytest.fixture(scope="module")
def old(postgres_server: EmbeddedPostgres, ledger_template: str) -> Iterator[PostgresLedger]:
    name = postgres_server.create_database(template=ledger_template)
    grow_old(postgres_server, name)
    with connect(postgres_server.url(name), library="demo") as opened:
        yield opened
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def plans(old: PostgresLedger) -> Plans:
    """Everything that pages and runs ask, asked once."""
    with planned(old.engine, large=LARGE, small=SHORT_WAYS) as seen:
        for ask in (
            runs,
            sending,
            failed,
            held,
            resent,
            letters,
            drafts,
            registered,
            pages,
            run_pages,
            feedback,
            bounces,
        ):
            ask(old)
        for ask in (journal, contacts, readers, statistics):
            ask(old)
    return seen


def runs(ledger: PostgresLedger) -> None:
    loans = [a_loan(loan_id=f"N{place}", patron=a_patron(patron_id=f"N{place}")) for place in range(3)]
    bad = RejectedRow(loan_id="N9", patron_id="N9", code="missing", column="due_date", raw={})
    run = extracted(ledger, [*loans, bad], dag_run_id="run n")
    ledger.missed_days(run.run_id, within_days=30)
    now = datetime.now(UTC)
    ledger.loans_of_failed_emails(run.run_id, since=now - timedelta(days=14))
    deliveries = [a_delivery(notice=a_notice(loans=(loan,))) for loan in loans[:2]]
    skips = [Skip(loan_id="N2", due_date=DUE_DATE, patron_id="N2", reason=SkipReason.NO_RECIPIENT)]
    with ledger.planning(run.run_id) as planning:
        for page in planning.patrons():
            asked = keys(deliveries)
            planning.history(asked)
            planning.refused(asked)
            planning.suppressed([loan.patron.mobile for patron in page for loan in patron])
        planning.record(deliveries, skips)
    again = extracted(ledger, loans, dag_run_id="run o", reference_date=DUE_DATE + timedelta(days=2))
    with ledger.planning(again.run_id) as planning:
        planning.history(keys(deliveries))
        planning.adopt(keys(deliveries))
        planning.record([], skips)
    ledger.planned_volume(again.run_id)
    ledger.past_volumes(again.run_id, runs=20)
    ledger.sample(again.run_id, Channel.EMAIL, size=5)
    ledger.planned_count(again.run_id, Channel.EMAIL)
    ledger.close_run(run.run_id)
    # What a run adopted and a third one took from it is in the notice of neither.
    rows(ledger, "UPDATE runs SET loans_extracted = loans_extracted + 1 WHERE run_id = :id", id=again.run_id)
    ledger.close_run(again.run_id)
    ledger.cancel_waiting(again.run_id, Reason.NOT_APPROVED, [Channel.EMAIL])
    ledger.close_run(again.run_id)
    ledger.segments_since(now)
    ledger.sms_costs(first=date(2026, 11, 1), last=date(2026, 11, 30), zone=ZONE)


def sending(ledger: PostgresLedger) -> None:
    for channel in (Channel.EMAIL, Channel.SMS, Channel.LETTER):
        deliveries = some_deliveries(3, channel=channel, prefix=f"S{channel}")
        run = a_planned_run(ledger, deliveries, dag_run_id=f"run {channel}", stage=deliveries[0].notice.stage)
        with ledger.sender(run.run_id, channel) as sender:
            sender.waiting_loans()
            sender.numbers_texted_since(datetime.now(UTC) - timedelta(hours=10))
            list(sender.waiting())
            sender.earlier_reminders(deliveries, zone=ZONE)
            sender.drop({keys(deliveries)[0]: Reason.RETURNED})
            words = [SentWords(delivery_id=one.delivery_id, subject="", body="x") for one in deliveries]
            sender.claim(ids(deliveries), words)
            sender.record([answer(deliveries[1], S.PLANNED, Reason.RECIPIENT_DEFERRED)])
            sender.fail_deferred()
            sender.cancel_waiting(Reason.EXPIRED)


def failed(ledger: PostgresLedger) -> None:
    """E-mails that failed: remembered, held when too many, taken over by letters; and runs that stand still."""
    came_back_in_a_mass(ledger)
    ledger.mail_feedback().held()
    ledger.mail_feedback().decide("univ.example", dead=True, who="zoé", failures=3)
    ledger.remember_refused_addresses()
    email = some_deliveries(1, prefix="over")
    run = a_planned_run(ledger, email, dag_run_id="run over", stage=email[0].notice.stage)
    ledger.unfinished_runs(run.run_id)
    with ledger.taking_over(run.run_id) as planning:
        list(planning.patrons())
    ledger.days_to_watch(since=date(2026, 11, 1), until=date(2026, 11, 30))


def letters(ledger: PostgresLedger) -> None:
    books = ledger.letters()
    _, batch_id, (one, two, _) = closed(ledger, channel=Channel.LETTER, prefix="B")
    books.batches()
    books.batches(states=(BatchState.READY,))
    books.batch(batch_id)
    books.letters_of(batch_id)
    books.places_of(batch_id)
    for column in LetterColumn:
        books.some_letters_of(batch_id, LetterQuery(column=column, staying=True, descending=True))
    for batch_column in BatchColumn:
        books.listed(BatchQuery(column=batch_column))
    books.listed(BatchQuery(stage=Stage.FIRST_REMINDER, branch="", state=BatchState.READY, day=date(2026, 11, 1)))
    checks = ledger.part(PostgresPrintChecks)
    key = checks.start(batch_id, who="zoé", loans=3)
    assert key is not None
    checks.progress(key, asked=1)
    checks.answered(key, returned=1, renewed=0, partly=["R"])
    checks.failed(key, problem="")
    checks.check(batch_id)
    assert books.letter("REF-PB0") is not None
    books.leave_out(batch_id, {one.delivery_id: Reason.RETURNED}, who="zoé")
    books.mark_printed(batch_id, who="zoé")
    books.went_to_provider(batch_id)
    books.note_given_again(batch_id, who="zoé")
    books.note_download(batch_id, "liste", who="zoé")
    books.note_copy(batch_id, two.delivery_id, who="zoé")
    ledger.desk().note_return("REF-PB1", since=datetime.now(UTC), who="zoé")


def drafts(ledger: PostgresLedger) -> None:
    for prefix in ("D", "E"):
        deliveries = some_deliveries(3, channel=Channel.REGISTERED_LETTER, prefix=prefix)
        run = a_planned_run(ledger, deliveries, stage=Stage.REGISTERED_LETTER, dag_run_id=f"run {prefix}").run_id
        with ledger.sender(run, Channel.REGISTERED_LETTER) as sender:
            sender.record_batch(a_batch(deliveries, f"a-valider/{prefix}", draft=True))
        ledger.letters().batches_recorded(run)
        ours = ledger.drafts()
        ours.drafts_recorded(run)
        ours.drafts(run)
        ours.letters(run)
        if prefix == "D":
            ours.approve(run, taken_out=[deliveries[0].delivery_id], who="zoé")
            ours.approved(run)
            ours.abandon(run)
        else:
            ours.refuse(run, who="zoé")
        ours.abandoned(run)


def registered(ledger: PostgresLedger) -> None:
    books = ledger.registered()
    batch_id, (one, two, *_) = in_a_batch(ledger, 4, prefix="R")
    books.take(number(ONE), reference=ref(0, "R"), who="zoé")
    with pytest.raises(LetterStepRefused):
        books.take(number(TWO), reference="REF-UNKNOWN", who="zoé")
    line = NumberLine(line=2, reference=ref(1, "R"), number=TrackingNumber.parse(TWO))
    books.attach_all(
        [line, NumberLine(line=3, reference="NOBODY", number=TrackingNumber.parse("1A00000099999"))], who="z"
    )
    books.batches_to_post()
    books.post_batch(batch_id, post(), who="zoé")
    books.take(acknowledge(), number=ONE, who="zoé")
    books.take(note_return(), number=TWO, who="zoé")
    books.undo(two.delivery_id, who="zoé")
    books.letter(one.delivery_id)
    books.counts()
    books.overdue(posted_before=date(2026, 12, 30))
    for state in RegisteredState:
        books.in_state(state)
        books.in_state(state, oldest_first=True, offset=50)
    books.find(reference=ref(2, "R"))
    books.find(number=TWO)
    assert books.search(["21000R2"])
    assert books.search([ONE, ref(1, "R"), "PR3"])


def feedback(ledger: PostgresLedger) -> None:
    ours = ledger.feedback()
    left(ledger, "33612345601", campaign="new", sms_id="new-1")
    left(ledger, "33612345602", S.REFUSED, Reason.INVALID_RECIPIENT, campaign="new")
    ours.campaigns_to_ask(datetime.now(UTC) - timedelta(days=7))
    ours.keep_acks([ack(AckStatus.NOT_DELIVERED, "33612345601", campaign="new", sms_id="new-1")])
    ours.keep_replies([reply("STOP", "33612345603", reply_id="new")])
    ours.settle(failures=1, again=True)
    ours.keep_blacklist([blacklisted("33612345604")])
    ours.keep_acks([ack(AckStatus.DELIVERED, "3" * 15, sms_id="x")])
    rows(ledger, "INSERT INTO sms_replies (library, reply_id, phone_number, text) VALUES ('demo', 'huge', :n, 'STOP')",
         n=UNHOLDABLE)  # fmt: skip
    rows(ledger, "INSERT INTO sms_acks (library, fingerprint, phone_number, status, sms_id, campaign_id)"
         " VALUES ('demo', 'huge', '33612345605', 'delivered', :n, 'huge')",
         n=UNHOLDABLE)  # fmt: skip
    left(ledger, "33612345605", campaign="huge")
    ours.settle(failures=1)
    assert ours.put_aside() == 2
    ours.suppress(a_mobile("33612345606"), who="zoé")
    [line] = [one for one in ours.suppressions(recipient="33612345606") if one.in_force]
    ours.lift(line.suppression_id, who="zoé")
    ours.suppressions()
    ours.summary()


def bounces(ledger: PostgresLedger) -> None:
    ours = ledger.mail_feedback()
    for kind in (BounceKind.HARD, BounceKind.SOFT):
        delivery = some_deliveries(1, prefix=f"M{kind}")[0]
        run = a_planned_run(ledger, [delivery], dag_run_id=f"run m {kind}")
        with ledger.sender(run.run_id, Channel.EMAIL) as sender:
            sender.claim(ids([delivery]))
            sender.record([answer(delivery, S.ACCEPTED)])
        ours.keep([a_bounce(delivery.delivery_id, kind)])
        ours.settle(failures=1)
    strange = some_deliveries(1, prefix="strange")[0]
    run = a_planned_run(ledger, [strange], dag_run_id="run strange")
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([strange]))
        sender.record([answer(strange, S.ACCEPTED)])
    ours.keep([a_bounce(strange.delivery_id)])
    # An address that the index of the list cannot hold.
    rows(ledger, "UPDATE deliveries SET recipient = :to WHERE delivery_id = :id", id=strange.delivery_id, to=UNHOLDABLE)
    ours.settle(failures=1)
    assert ours.put_aside() == 1


def pages(ledger: PostgresLedger) -> None:
    now = datetime.now(UTC)
    desk = ledger.desk()
    desk.work(since=now - timedelta(days=30), doubtful_before=now, sent_since=now - timedelta(days=366))
    desk.is_returned("REF-UNKNOWN")
    desk.settle(uuid.uuid4(), who="zoé")
    a_whole_story(ledger, item_barcode="NEW1")
    ledger.keep_sms_credit(900, at=now)
    # The day of the old ledger's last runs, and one so far away that no run is near it.
    for moment in (datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(2036, 11, 1, 12, tzinfo=UTC)):
        ledger.part(PostgresToday).today(moment, zone=ZONE)
    dispute = ledger.dispute()
    for search in ({"loan_id": "L1"}, {"item_barcode": "NEW1"}, {"reference": "R1-7ZK3QD4M"}, {"tracking_number": ONE}):
        assert dispute.find(LoanSearch(**search))
    assert dispute.file("L1") is not None


def test_no_large_table_is_read_from_end_to_end(plans: Plans) -> None:
    assert len(plans.statements) > 80
    assert not plans.scans, "\n".join(f"{what}: {statement}" for what, statement in plans.scans.items())


def test_every_question_of_the_ledger_was_asked(plans: Plans) -> None:
    asked = {_bare(statement) for statement in plans.statements}
    missing = []
    for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        found = {} if module.ispkg else vars(importlib.import_module(module.name))
        missing += [
            f"{module.name.rpartition('.')[2]}.{name}"
            for name, value in found.items()
            if isinstance(value, TextClause)
            and str(value).lstrip().startswith(QUESTIONS)
            and "_lock(" not in str(value)
            and _bare(str(value.compile(dialect=_DIALECT))) not in asked
        ]
    assert not missing, " ".join(missing)


def _bare(statement: str) -> str:
    return " ".join(statement.split())


def test_a_missing_index_is_seen(old: PostgresLedger) -> None:
    with old.engine.connect() as connection, planned(old.engine, large=LARGE, small=SHORT_WAYS) as seen:
        connection.exec_driver_sql("DROP INDEX sms_by_moment, loans_seen_of_barcode")
        old_way = {"library": "demo", "since": datetime.now(UTC)}
        connection.execute(sms_costs._NUMBERS_SINCE, old_way)
        connection.rollback()
    assert "deliveries" in " ".join(seen.scans)
