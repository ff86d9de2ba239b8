"""Whatever happens to runs, the counters kept on the way are those of a recount."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from loan_reminders.commands import rebuild_counters
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.errors import BooksDoNotBalance, LetterStepRefused, PermanentError, TemporaryError
from loan_reminders.domain.letters.batches import BatchState, ReturnReason
from loan_reminders.domain.reader_rights.erasure import ErasureRefused
from loan_reminders.domain.registered.steps import Numbered, Posted, Returned
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.states import Reason, Refusal
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.reader_rights.erasure import PostgresErasure
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.statistics import counting
from loan_reminders.ledger.statistics.rebuilding import PostgresCounters
from loan_reminders.services.runs.close import close_run
from loan_reminders.services.statistics.look_at_loans import look_at_loans
from tests.scenes.builders import a_mobile, an_email
from tests.scenes.counters import assert_counters_are_true, kept, kept_messages
from tests.scenes.ledger_emails import a_bounce, came_back
from tests.scenes.ledger_runs import planned, rows, some_deliveries
from tests.scenes.ledger_sms import ack, left, received
from tests.scenes.miniature import POLICY, Miniature
from tests.scenes.outside import Killed, Misfortune
from tests.scenes.several_libraries import use, write_libraries
from tests.scenes.world import DUE, SETTINGS

TROUBLE = (TemporaryError, PermanentError, RuntimeError, Killed)


class History:
    """A library to which things happen by chance. Every run is closed in the end of each day that it sends in."""

    def __init__(self, ledger: PostgresLedger, seed: int) -> None:
        self.ledger, self.chance = ledger, random.Random(seed)
        self.library = Miniature(ledger=ledger, today=DUE - timedelta(days=2))
        for number in range(5):
            has = {name: number == 0 or self.chance.random() < 2 / 3 for name in ("email", "mobile", "address")}
            self.library.enrol(self.chance.choice(list(PatronCategory)), **has)
        for number in range(8):
            self.library.lend(number % 5, DUE + timedelta(days=self.chance.choice([0, 0, 1])))

    def step(self) -> None:
        getattr(self, self.chance.choice(
            ["run"] * 6 + ["day"] * 3 + ["look"] * 3 + ["receipt", "bounce", "give_back", "renew", "borrow"]
            + ["print", "leave_out", "post", "come_back", "correct", "erase", "erase"]
        ))()  # fmt: skip

    def run(self) -> None:
        library = self.library
        dues = sorted({loan.due_date for loan in library.loans.values()})
        if not dues:
            return
        due = self.chance.choice(dues)
        right = POLICY.stage_due(due, library.today) or POLICY.rules[0].stage
        day = due + timedelta(days=POLICY.rule(right).offset_days)
        passage = library.extract(right, day, dry_run=self.chance.random() < 1 / 8)
        library.plan(passage)
        people = [one for reader in library.readers for one in (reader.email, reader.mobile)]
        contacts = [one.value for one in people if not isinstance(one, Refusal)]
        for channel in library.channels(passage):
            library.outside.misfortunes = {one: self.chance.choice([None] * 5 + [*Misfortune]) for one in contacts}
            with suppress(*TROUBLE):
                library.send(passage, channel, last_try=self.chance.random() < 0.5)
        self.close(passage.run_id)

    def close(self, run_id: int) -> None:
        with suppress(BooksDoNotBalance):
            close_run(self.ledger, run_id=run_id)

    def day(self) -> None:
        self.library.today += timedelta(days=self.chance.choice([1, 1, 2, 5]))

    def look(self) -> None:
        self.library._refresh_ils(down=False)
        look_at_loans(self.ledger.loan_ends(), self.library.ils, today=self.library.today, months=12)

    def give_back(self) -> None:
        if self.library.loans:
            del self.library.loans[self.chance.choice(sorted(self.library.loans))]

    def renew(self) -> None:
        if self.library.loans:
            self.library.renew(self.chance.choice(sorted(self.library.loans)), days=3)

    def borrow(self) -> None:
        self.library.lend(self.chance.randint(0, 4), self.library.today + timedelta(days=self.chance.randint(-1, 2)))

    def correct(self) -> None:
        new = self.chance.choice(
            [{"email": an_email(f"n{self.library.serial}@etu.example.org")}, {"mobile": a_mobile()}]
        )
        self.library.correct(self.chance.randint(0, 4), **new)

    def receipt(self) -> None:
        left = "SELECT recipient FROM deliveries WHERE channel = 'sms' AND state IN ('accepted', 'in_doubt')"
        if numbers := sorted(row[0] for row in rows(self.ledger, left)):
            number = self.chance.choice(numbers)
            campaign = f"c{self.chance.random()}"
            rows(self.ledger, "UPDATE deliveries SET campaign_id = :c WHERE recipient = :n", c=campaign, n=number)
            received(self.ledger, ack(self.chance.choice(list(AckStatus)), number, campaign=campaign), failures=5)

    def bounce(self) -> None:
        mailed = "SELECT delivery_id, recipient FROM deliveries WHERE channel = 'email' AND state <> 'planned'"
        if found := sorted(rows(self.ledger, mailed), key=str):
            delivery_id, recipient = self.chance.choice(found)
            kind = self.chance.choice([BounceKind.HARD, BounceKind.SOFT])
            came_back(self.ledger, a_bounce(delivery_id, kind, recipient=recipient), failures=5)

    def print(self) -> None:
        for batch in self.ledger.letters().batches(states=(BatchState.READY,)):
            self.ledger.letters().mark_printed(batch.batch_id, who="zoé")

    def leave_out(self) -> None:
        for batch in self.ledger.letters().batches(states=(BatchState.READY,)):
            letters = self.ledger.letters().letters_of(batch.batch_id)
            gone = {letters[0].delivery_id: self.chance.choice([Reason.TAKEN_OUT, Reason.RETURNED])}
            self.ledger.letters().leave_out(batch.batch_id, gone, who="zoé")

    def post(self) -> None:
        printed = "SELECT reference FROM letters JOIN registered_letters USING (delivery_id) WHERE state = 'printed'"
        today = datetime.now(SETTINGS.zone).date()
        for number, (reference,) in enumerate(rows(self.ledger, printed)):
            tracking = TrackingNumber.parse(f"1A{self.library.serial:04d}{number:05d}00"[:13])
            with suppress(LetterStepRefused):
                self.ledger.registered().take(Numbered(number=tracking), reference=reference, who="zoé")
                self.ledger.registered().take(
                    Posted(day=today, today=today, zone=SETTINGS.zone), reference=reference, who="zoé"
                )

    def erase(self) -> None:
        """Nothing changes by it, neither at once nor when everything is counted anew."""
        self.rebuild()
        before = kept(self.ledger)
        for reader in self.library.readers[:2]:
            with suppress(ErasureRefused):
                self.ledger.part(PostgresErasure).erase(
                    reader.patron_id, today=self.library.today, who="chloé", rehearse=False
                )
        assert kept(self.ledger) == before
        self.rebuild()
        assert kept(self.ledger) == before

    def rebuild(self) -> None:
        list(self.ledger.part(PostgresCounters).rebuild(who="zoé"))

    def come_back(self) -> None:
        now = datetime.now(SETTINGS.zone)
        for reference, channel in rows(
            self.ledger, "SELECT reference, channel FROM letters JOIN deliveries USING (delivery_id)"
        ):
            with suppress(LetterStepRefused):
                if channel == "letter":
                    self.ledger.desk().note_return(reference, since=now, who="zoé")
                elif self.chance.random() < 0.5:
                    reason = self.chance.choice(list(ReturnReason))
                    back = Returned(day=now.date(), today=now.date(), reason=reason, since=now)
                    self.ledger.registered().take(back, reference=reference, who="zoé")


@pytest.fixture
def histories(postgres_server, ledger_template) -> Iterator[object]:
    opened = []

    def of(seed: int) -> History:
        name = postgres_server.create_database(template=ledger_template)
        ledger = connect(postgres_server.url(name), library="demo")
        opened.append((ledger, name))
        return History(ledger, seed)

    yield of
    for ledger, name in opened:
        ledger.close()
        postgres_server.drop_database(name)


@pytest.mark.parametrize("seed", range(6))
def test_the_counters_kept_on_the_way_are_those_of_a_recount(histories, seed):
    history = histories(seed)
    for number in range(40):
        history.step()
        if number % 8 == 7:
            history.look()
            assert_counters_are_true(history.ledger)
    before = kept(history.ledger)
    assert any(before)
    history.rebuild()
    assert kept(history.ledger) == before
    assert_counters_are_true(history.ledger)


def test_a_receipt_and_a_closing_at_once_lose_no_count(ledger):
    """Both count the same run; whichever comes second sees what the first one knew."""
    sent = [left(ledger, f"3363998{number:04d}", campaign=f"c{number}") for number in range(8)]
    runs = [row[0] for row in rows(ledger, "SELECT run_id FROM runs ORDER BY run_id")]
    failures: list[BaseException] = []

    def doing(act) -> None:
        try:
            act()
        except BaseException as error:
            failures.append(error)

    def receipts() -> None:
        for number in range(8):
            received(ledger, ack(AckStatus.REFUSED, f"3363998{number:04d}", campaign=f"c{number}"), failures=9)

    def closings() -> None:
        for run_id in runs * 2:
            ledger.close_run(run_id)

    threads = [threading.Thread(target=doing, args=(act,)) for act in (receipts, closings, closings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(sent) == 8
    [failed] = rows(ledger, "SELECT sum(failed) FROM message_counters")
    assert failed[0] == 8
    assert_counters_are_true(ledger)


def test_who_counts_a_run_waits_for_who_is_counting_it_and_sees_what_he_knew(ledger):
    delivery_id = left(ledger)
    [[run_id]] = rows(ledger, "SELECT run_id FROM runs")
    second = threading.Thread(target=ledger.close_run, args=(run_id,))
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'bounced', reason = 'recipient_refused'")
        counting.count_again(connection, "demo", [run_id])
        second.start()
        second.join(0.5)
        assert second.is_alive()
    second.join(20)
    assert not second.is_alive()
    assert delivery_id
    assert_counters_are_true(ledger)


def test_a_dry_run_is_never_counted(ledger):
    deliveries = some_deliveries(2)
    run = planned(ledger, deliveries, dry_run=True)
    ledger.close_run(run.run_id)
    assert kept_messages(ledger) == {}
    assert rows(ledger, "SELECT * FROM counted_runs") == []


def test_the_command_makes_the_counters_again_and_tells_the_journal(ledger, ledger_url, capsys, monkeypatch, tmp_path):
    use(monkeypatch, write_libraries(tmp_path / "libraries", "demo"))
    left(ledger)
    [[run_id]] = rows(ledger, "SELECT run_id FROM runs")
    ledger.close_run(run_id)
    rows(ledger, "UPDATE message_counters SET told = 99")
    assert rebuild_counters.main(["--bibliotheque", "demo", "--qui", "zoé", "--url", ledger_url]) == 0
    assert "1 tournée comptée à nouveau" in capsys.readouterr().out
    assert [row.who for row in rows(ledger, "SELECT who FROM journal WHERE act = 'counters_rebuilt'")] == ["zoé"]
    assert_counters_are_true(ledger)
