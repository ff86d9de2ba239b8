"""The connections and the pace of a library's e-mails, whoever sends them: kept in PostgreSQL's locks alone."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from loan_reminders.domain.errors import LedgerUnavailable
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.email.pace import PostgresMailPace
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import a_run, dead_sender, opened

E = Channel.EMAIL


class TestConnections:
    def test_all_senders_together_take_no_more_than_the_library_may(self, ledger: PostgresLedger) -> None:
        first, _ = a_run(ledger, E)
        other = opened(ledger, dag_run_id="another").run_id
        with ledger.sender(first, E) as one, ledger.sender(first, E) as two, ledger.sender(other, E) as three:
            assert one.take_mail_connections(of=5, wanted=3) == 3
            assert two.take_mail_connections(of=5, wanted=3) == 2
            assert three.take_mail_connections(of=5, wanted=1) == 0

    def test_another_library_has_its_own(self, ledger: PostgresLedger, ledger_url: str) -> None:
        run_id, _ = a_run(ledger, E)
        with connect(ledger_url, library="other") as theirs:
            their_run = opened(theirs).run_id
            with ledger.sender(run_id, E) as one, theirs.sender(their_run, E) as two:
                assert one.take_mail_connections(of=2, wanted=2) == 2
                assert two.take_mail_connections(of=2, wanted=2) == 2

    def test_they_are_free_again_when_a_sender_ends_however_it_ends(self, ledger: PostgresLedger) -> None:
        run_id, _ = a_run(ledger, E)
        with dead_sender(ledger, ledger.run(run_id), E) as dying:
            assert dying.take_mail_connections(of=4, wanted=4) == 4
        for _ in range(2):
            with ledger.sender(run_id, E) as sender:
                assert sender.take_mail_connections(of=4, wanted=4) == 4


class TestPace:
    def test_two_processes_together_are_no_faster_than_the_library_may(
        self, ledger: PostgresLedger, ledger_url: str
    ) -> None:
        """600 a minute: each message 0.1 s after the one before, whichever of two senders it is from."""
        left: list[float] = []

        def send(engine) -> None:
            with closing(PostgresMailPace(engine, library="demo", per_minute=600)) as pace:
                for _ in range(6):
                    pace.wait()
                    left.append(time.monotonic())

        with connect(ledger_url, library="demo") as second:
            senders = [threading.Thread(target=send, args=(one.engine,)) for one in (ledger, second)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join(30)
        assert len(left) == 12
        assert left[-1] - left[0] >= 11 * 0.1 * 0.98

    def test_a_fast_pace_is_that_of_several_messages_at_once(self, ledger: PostgresLedger) -> None:
        slept: list[float] = []
        with closing(PostgresMailPace(ledger.engine, library="demo", per_minute=60_000, sleep=slept.append)) as pace:
            for _ in range(120):
                pace.wait()
        assert slept == [pytest.approx(0.05)] * 3

    def test_a_slow_pace_is_one_message_a_turn(self, ledger: PostgresLedger) -> None:
        slept: list[float] = []
        with closing(PostgresMailPace(ledger.engine, library="demo", per_minute=1, sleep=slept.append)) as pace:
            pace.wait()
            pace.wait()
        assert slept == [60, 60]

    def test_a_ledger_that_is_gone_lets_nothing_leave(self) -> None:
        with (
            connect("postgresql://nobody@127.0.0.1:1/none", library="demo") as gone,
            closing(PostgresMailPace(gone.engine, library="demo", per_minute=60, sleep=lambda _: None)) as pace,
            pytest.raises(LedgerUnavailable),
        ):
            pace.wait()
