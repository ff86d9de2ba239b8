"""After a long outage: every missed day caught up, in any order, and each reader told the one thing that is true.

In order, over real sockets and with real letters; in the other orders, in memory at the ports, which is faster.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from functools import cache

import pytest
from pypdf import PdfReader

from loan_reminders.domain.messages import RenderedEmail
from loan_reminders.domain.stages import STAGE_CHANNELS, Channel, Slot, Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.ledger.connect import connect
from loan_reminders.services.runs.close import close_run
from tests.sample_sizes import sample
from tests.scenes.builders import a_loan, a_mobile, a_patron, an_address, an_email
from tests.scenes.miniature import LETTERS, POLICY, Miniature
from tests.scenes.world import DUE, ListedLoans, World
from tests.simulators.allmysms_server import AllMySmsServer
from tests.simulators.smtp_sink import SmtpSink

TODAY = DUE
DOWN_SINCE = TODAY - timedelta(days=9)
MISSED = [DOWN_SINCE + timedelta(days=days) for days in range(10)]
UP_FOR_A_MOMENT = TODAY - timedelta(days=4)
"""During the outage one DAG, the first reminder, ran once, on its day."""

DUE_DATES = [TODAY + timedelta(days=days) for days in range(2, -38, -1)]
MISSED_RUNS = [(stage, day) for day in MISSED for stage in Stage]
NO_LETTER = {Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE}


def a_reader(number):
    """Every third one without an e-mail address: letters reach them, where the stage has letters."""
    return a_patron(
        patron_id=f"P{number:02d}",
        email=an_email(f"p{number:02d}@etu.example.org") if number % 3 else Refusal.MISSING,
        mobile=a_mobile(f"336399900{number:02d}"),
        address=an_address(f"LECTEUR P{number:02d}", "12 RUE DES LILAS", "34999 MONTCLAR", postcode="34999"),
    )


READERS = {due: a_reader(number) for number, due in enumerate(DUE_DATES, start=1)}
LOANS = [a_loan(loan_id=f"L{due}", due_date=due, patron=reader) for due, reader in READERS.items()]


def right_stage(due):
    return POLICY.stage_due(due, TODAY)


def day_of(stage, due):
    return due + timedelta(days=POLICY.rule(stage).offset_days)


def told_before(due):
    """Whether what is right today was told while the library was up."""
    stage = right_stage(due)
    day = day_of(stage, due)
    return day < DOWN_SINCE or (stage is Stage.FIRST_REMINDER and day == UP_FOR_A_MOMENT)


def slots_reached(due):
    """How today's stage reaches this reader."""
    stage = right_stage(due)
    written = not isinstance(READERS[due].email, Refusal) or stage not in NO_LETTER
    texts = [one.expires_after_days for one in POLICY.rule(stage).channels if one.channel is Channel.SMS]
    texted = any(days is None or due + timedelta(days=days) >= TODAY for days in texts)
    return [*[Slot.WRITTEN] * written, *[Slot.SMS] * texted]


def day_by_day(library, runs, *, in_words=False):
    """Run these stages and days, all the way and green; returns their books."""
    books = []
    for stage, day in runs:
        passage = library.extract(stage, day)
        library.plan(passage)
        for channel in library.channels(passage):
            library.send(passage, channel, write=writer(stage, channel) if in_words else None)
        books.append(close_run(library.ledger, run_id=passage.run_id))
    return books


@cache
def writer(stage, channel):
    """The real words of a stage, as of today."""
    world = World(ledger=None, ils=None, mail=None, sms=None, stage=stage, today=TODAY)
    if channel in LETTERS:
        return None
    return world.write_text() if channel is Channel.SMS else world.write_email()


def open_library(ledger):
    return Miniature(ledger=ledger, today=TODAY, loans={loan.loan_id: loan for loan in LOANS})


@pytest.fixture(scope="module")
def down_for_ten_days(postgres_server, ledger_template):
    """The ledger on the morning of the return: all was told on its day before the outage."""
    name = postgres_server.create_database(template=ledger_template)
    with connect(postgres_server.url(name), library="demo") as ledger:
        library = open_library(ledger)
        for library.today, stage in sorted((day_of(stage, due), stage) for due in DUE_DATES for stage in Stage):
            if library.today < DOWN_SINCE or (library.today, stage) == (UP_FOR_A_MOMENT, Stage.FIRST_REMINDER):
                day_by_day(library, [(stage, library.today)])
        assert library.untrue == []
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def morning(postgres_server, down_for_ten_days):
    """That ledger, for one test."""
    name = postgres_server.create_database(template=down_for_ten_days)
    with connect(postgres_server.url(name), library="demo") as ledger:
        yield ledger
    postgres_server.drop_database(name)


def orders():
    yield pytest.param(MISSED_RUNS[::-1], id="backwards")
    for _ in range(sample(0, full=1)):
        yield pytest.param([(stage, day) for stage in Stage for day in MISSED], id="stage by stage")
    for seed in range(sample(1, full=6)):
        yield pytest.param(random.Random(seed).sample(MISSED_RUNS, len(MISSED_RUNS)), id=f"shuffled {seed}")


def check_words(said, due):
    """The date, rather than a "yesterday" that is not true."""
    assert ("hier" in said) == (due == TODAY - timedelta(days=1)), said
    assert "hier" in said or f"{due:%d/%m}" in said or f"{due.day} {'octobre' if due.month == 10 else 'novem'}" in said


def text_of(message):
    if not isinstance(message, RenderedEmail):
        return message.text
    return message_from_bytes(message.content, policy=default).get_body(("plain",)).get_content()


def test_the_outage_meets_every_stage_and_some_loans_told_before_it():
    missed = Counter(right_stage(due) for due in DUE_DATES if not told_before(due))
    assert min(missed[stage] for stage in Stage) >= 3
    before = Counter(right_stage(due) for due in DUE_DATES if told_before(due))
    assert before == {Stage.FIRST_REMINDER: 1, Stage.REGISTERED_LETTER: 7}


@pytest.mark.parametrize("runs", list(orders()))
def test_each_reader_is_told_once_what_is_true_today_in_whatever_order_the_days_are_caught_up(morning, runs):
    library = open_library(morning)
    day_by_day(library, runs, in_words=True)
    assert library.untrue == []
    for due, reader in READERS.items():
        mine = [one for one in library.outside.told if one.delivery.notice.patron.patron_id == reader.patron_id]
        expected = [] if told_before(due) else [(right_stage(due), slot) for slot in slots_reached(due)]
        assert Counter((one.delivery.notice.stage, one.slot) for one in mine) == Counter(expected)
        for one in mine:
            if one.message is not None:
                check_words(text_of(one.message), due)

    told = len(library.outside.told)
    again = day_by_day(library, runs, in_words=True)
    assert len(library.outside.told) == told
    assert sum(books.deliveries_planned for books in again) == 0
    known = [due for due in DUE_DATES if slots_reached(due) and day_of(right_stage(due), due) in MISSED]
    assert sum(books.skipped.get("already_sent", 0) for books in again) == len(known)


def test_in_order_over_real_sockets_and_with_real_letters(morning, tmp_path):
    (tmp_path / "mail").mkdir()
    with SmtpSink(tmp_path / "mail") as mail, AllMySmsServer() as sms:
        world = World(ledger=morning, ils=ListedLoans(), mail=mail, sms=sms, today=TODAY)
        for stage, day in MISSED_RUNS:
            world.stage = stage
            run_id = world.extract_day(day - timedelta(days=POLICY.rule(stage).offset_days), *LOANS)
            world.plan(run_id)
            channels = STAGE_CHANNELS[stage]
            if Channel.EMAIL in channels:
                world.send_emails(run_id)
            if Channel.SMS in channels:
                world.send_sms(run_id)
            if channels.intersection(LETTERS):
                world.print_letters(run_id, tmp_path / "letters")
            assert world.close(run_id).problems() == ()
        mails, texts = mail.messages(), list(sms.provider.accepted)
    missed = [due for due in DUE_DATES if not told_before(due)]
    written = [due for due in missed if Slot.WRITTEN in slots_reached(due)]
    by_letter = [
        due for due in written
        if right_stage(due) is Stage.REGISTERED_LETTER or isinstance(READERS[due].email, Refusal)
    ]  # fmt: skip
    mailed = {READERS[due].email.value: due for due in written if due not in by_letter}
    assert sorted(message["To"].addresses[0].addr_spec for message in mails) == sorted(mailed)
    for message in mails:
        check_words(message.get_body(("plain",)).get_content(), mailed[message["To"].addresses[0].addr_spec])
    texted = {READERS[due].mobile.value: due for due in missed if Slot.SMS in slots_reached(due)}
    assert sorted(one.phone_number for one in texts) == sorted(texted)
    for one in texts:
        check_words(one.text, texted[one.phone_number])
    pages = [
        page.extract_text() for pdf in (tmp_path / "letters").glob("*/lettres.pdf") for page in PdfReader(pdf).pages
    ]
    printed = [due for due in DUE_DATES for page in pages if f"LECTEUR {READERS[due].patron_id}" in page]
    assert sorted(printed) == sorted(by_letter)


def test_the_books_of_a_run_meet_when_what_it_took_over_was_taken_over_again(morning):
    """Planned by one run, taken over by a second that could not send, sent by a third."""
    library = open_library(morning)
    passages = []
    for _ in range(3):
        passages.append(library.extract(Stage.OVERDUE_NOTICE, TODAY))
        library.plan(passages[-1])
    for channel in library.channels(passages[-1]):
        library.send(passages[-1], channel)
    assert len(library.outside.told) == 2
    for passage in passages:
        assert close_run(morning, run_id=passage.run_id).problems() == ()
