"""Three months of the fictional library, day by day, up to yesterday evening.

Ordinary days, and those that a library has too: three days of strike caught up afterwards, a morning when the ILS did
not answer, a day when the SMS provider said nothing, and a day of first reminders that nobody has caught up yet.
"""

from __future__ import annotations

import gc
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from datetime import time as hour
from enum import StrEnum
from pathlib import Path
from unittest import mock

from sqlalchemy import text

from loan_reminders.domain.ports.letters import LetterPrinter
from loan_reminders.domain.stages import Stage
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.statistics import counting
from loan_reminders.ledger.statistics.looks import PostgresLoanEnds
from loan_reminders.services.email.read_bounces import read_bounces
from loan_reminders.services.sms.feedback import ASKED_FOR, read_blacklist, read_credit, read_receipts, read_replies
from loan_reminders.services.statistics.look_at_loans import look_at_loans
from loan_reminders.settings.library_toml import ROOT, TEMPLATES, Settings, read_settings
from tests.scenes.lived.catalogue import Catalogue, catalogue
from tests.scenes.lived.clock import LedgerClock, another_day
from tests.scenes.lived.desk import LibrariansDay
from tests.scenes.lived.kept_connections import kept_connections
from tests.scenes.lived.morning import Morning
from tests.scenes.lived.outside import LivedOutside, Mailbox, Provider
from tests.scenes.lived.paper import CheckedOnce, PlainPages, one_page_engine
from tests.scenes.lived.runs_read_once import RunsReadOnce
from tests.scenes.lived.side_by_side import Meet, side_by_side
from tests.scenes.world import ALWAYS_OPEN

DAYS = 91
SIZES = {"patrons": 4_000, "loans": 2_500}
"""The library that lives its months: a third of the usual, so that they pass in a minute."""
AT_FIRST = 0.3
"""What was lent when the months begin, as a share of today."""
STRIKE = range(45, 42, -1)
SMS_SILENT, ILS_SILENT, MISSED = 12, 20, 3
"""How many days ago each of these was."""
PAGES_KEPT = 10
"""Letters of so many days are laid out by the page engine, those before on plain pages."""
SUNDAY = 6
COUNT_AGAIN = counting.count_again
_COUNTS = text("""
    SELECT channel, count(*) AS number FROM deliveries
    WHERE library = :library AND state IN ('accepted', 'delivered') GROUP BY channel
""")
_NAMES = {"email": "e-mails", "sms": "SMS", "letter": "lettres", "registered_letter": "recommandés"}


def live(ledger_url: str, letters: Path, *, today: date, days: int = DAYS, say: Callable[[str], None] = print) -> float:
    """Live the `days` before today in a ledger that is migrated and empty; returns the seconds it took.

    Letters are stored below `letters`, `say` is told a line a week.
    """
    started = time.monotonic()
    ours = read_settings(ROOT / "library.toml")
    with tempfile.TemporaryDirectory(prefix="lr-") as folder:
        ils = catalogue(Path(folder), today=today, days=days + 24, codes=ours.codes(), busy=AT_FIRST, **SIZES)
    say(f"Bibliothèque des {days} derniers jours : {len(ils.lives)} prêts ({time.monotonic() - started:.0f} s)")
    gc.freeze()  # tens of thousands of loans that stay: not to be looked through again and again
    with (
        _quiet(),
        _nothing_counted(),
        another_day(ledger_url) as believing,
    ):

        def half(hand: Hand, tell: Callable[[str], None]) -> Callable[[Meet], None]:
            def lived(meet: Meet) -> None:
                with (
                    connect(believing, library=ours.library.code) as connected,
                    kept_connections(connected.engine),
                ):
                    ledger = RunsReadOnce(connected.engine, library=connected.library)
                    clock = LedgerClock()
                    clock.rule(ledger.engine)
                    # Its server stays: asking before each transaction whether it is there would be a tenth of all.
                    ledger.engine.pool._pre_ping = False
                    half = _Half(
                        ledger=ledger, clock=clock, ils=ils, settings=ours, letters=letters, today=today, hand=hand
                    )
                    half.live(days, tell, meet)

            return lived

        side_by_side(half(Hand.MAIL, say), half(Hand.PAPER, lambda _: None))
        gc.unfreeze()
        return time.monotonic() - started


@contextmanager
def _nothing_counted() -> Iterator[None]:
    """Nobody looks at the figures meanwhile: each run is counted once, on the last evening, and not as it changes."""
    ours = [one for name, one in sys.modules.items() if name.startswith("loan_reminders.ledger.")]
    with ExitStack() as patched:
        for module in ours:
            if vars(module).get("count_again") is COUNT_AGAIN:
                patched.enter_context(mock.patch.object(module, "count_again", return_value=0))
        yield


class Hand(StrEnum):
    """Who lives a day in which process: stages run side by side in Airflow, too, each on its own loans."""

    MAIL = "mail"
    PAPER = "paper"


STAGES = {
    Hand.MAIL: (Stage.COURTESY_NOTICE,),
    Hand.PAPER: (Stage.FIRST_REMINDER, Stage.SECOND_REMINDER, Stage.REGISTERED_LETTER),
}
"""What each does in the morning. The overdue notices, the SMS and the night are MAIL's, the desk is PAPER's."""


class _Half:
    """The days, one after the other, as one of the two hands lives them."""

    def __init__(
        self,
        *,
        ledger: PostgresLedger,
        clock: LedgerClock,
        ils: Catalogue,
        settings: Settings,
        letters: Path,
        today: date,
        hand: Hand,
    ) -> None:
        self.today, self.ledger, self.settings, self.hand = today, ledger, settings, hand
        layout = settings.letter_layout()
        self.engine: LetterPrinter = CheckedOnce(TEMPLATES, library=settings.identity(), workers=1, layout=layout)
        plain = PlainPages(TEMPLATES, library=settings.identity(), workers=1)
        outside = LivedOutside(now=datetime.combine(today, hour(), settings.zone))
        self.work = Morning(
            ledger=ledger,
            clock=clock,
            ils=ils,
            outside=outside,
            settings=settings,
            store=FolderLetterStore(letters),
            printer=plain,
        )
        self.librarians = LibrariansDay(morning=self.work)
        self.missed: list[date] = []
        self.told: dict[str, int] = {}

    def live(self, days: int, say: Callable[[str], None], meet: Meet) -> None:
        """All of them. In the evening one waits for the other, and for the night's look at all loans."""
        with one_page_engine():
            for ago in range(days, 0, -1):
                day = self.today - timedelta(days=ago)
                if ago <= PAGES_KEPT:
                    self.work.printer = self.engine
                if ago in STRIKE:
                    self.missed.append(day)
                    continue
                self.day(day, ago)
                meet()
                if self.hand is Hand.MAIL:
                    self.night(day, ago)
                if day.weekday() == SUNDAY or ago == 1:
                    say(self._week(day) if self.hand is Hand.MAIL else "")
                meet()

    def day(self, day: date, ago: int) -> None:
        """One day: what was missed, the day's runs, the desk, the evening."""
        self.work.at(day, hour(6, 30))
        last = ago == 1
        self.work.outside.sms_server_down = ago == SMS_SILENT
        self.work.outside.all_known = ago <= ASKED_FOR.days + 1
        for stage in STAGES[self.hand]:
            for missed in self.missed:
                self.work.run(stage, reference_date=missed)
            self.work.ils.down = ago == ILS_SILENT and stage is Stage.SECOND_REMINDER
            if not (stage is Stage.FIRST_REMINDER and ago == MISSED):
                self.work.run(stage)
        if self.hand is Hand.PAPER:
            self.desk(day, last=last)
        else:
            self.work.at(day, hour(10))
            window = ALWAYS_OPEN if last else None
            self.work.what_waited(window)
            for missed in self.missed:
                self.work.run(Stage.OVERDUE_NOTICE, reference_date=missed)
            self.work.run(Stage.OVERDUE_NOTICE, window=window)
        self.missed = []
        self.evening(day, ago)

    def desk(self, day: date, *, last: bool) -> None:
        """What librarians do at the desk, but on Sundays, and who comes to it."""
        if day.weekday() != SUNDAY or last:
            self.work.at(day, hour(9, 20 + day.day % 30))
            self.librarians.approve()
            self.work.later(minutes=15)
            self.librarians.note_returns()
            self.librarians.post()
            self.librarians.number()
            if not last:
                self.librarians.print_batches()
        if day.weekday() != SUNDAY:
            self.work.at(day, hour(14, 5 + day.day))
            self.librarians.look_at_readers()
            self.librarians.letters_came_back()
            self.librarians.hold_some()
            if day.weekday() in (0, 3):
                self.librarians.settle_some()
                self.librarians.correct_some()

    def evening(self, day: date, ago: int) -> None:
        """What came back during the day."""
        work, ours = self.work, self.settings
        work.at(day, hour(18, 12))
        read_bounces(self.ledger.mail_feedback(), Mailbox(work.outside), failures=ours.bounces.soft_failures)
        if self.hand is Hand.PAPER:
            return
        feedback, dead = self.ledger.feedback(), ours.sms.dead_after_failures
        read_receipts(feedback, Provider(work.outside), now=work.now, failures=dead)
        read_replies(feedback, Provider(work.outside), now=work.now, failures=dead)
        if ago % 7 == 0:
            read_blacklist(feedback, Provider(work.outside))
        read_credit(self.ledger, Provider(work.outside), now=work.now)

    def night(self, day: date, ago: int) -> None:
        """The look at all loans; on the last evening, all figures are counted."""
        self.work.at(day, hour(23, 15))
        ends = self.ledger.part(_CountedAtTheEnd)
        ends.count_from = day - timedelta(days=DAYS) if ago == 1 else None
        look_at_loans(ends, self.work.ils, today=day, months=self.settings.statistics.follow_months)

    def _week(self, day: date) -> str:
        with self.ledger.engine.begin() as connection:
            told = {row.channel: row.number for row in connection.execute(_COUNTS, {"library": self.ledger.library})}
            connection.execute(text("ANALYZE"))
        new = {name: number - self.told.get(name, 0) for name, number in told.items()}
        self.told = told
        figures = ", ".join(f"{number} {_NAMES[name]}" for name, number in sorted(new.items()))
        return f"  semaine jusqu'au {day:%d/%m/%Y} : {figures} ; crédit SMS {self.work.outside.credit_left()}"


class _CountedAtTheEnd(PostgresLoanEnds):
    """Each night's look as it is made, but what it changes in the figures is counted once, on the last evening."""

    count_from: date | None = None

    def learn(self) -> int:
        """No run is without its figures for long: all get them on the last evening."""
        return 0

    def looked(self, *, today: date, since: date, asked: int, ended: int) -> None:
        """Keep that all loans were asked about."""
        with ExitStack() as really:
            if self.count_from is not None:
                really.enter_context(mock.patch.object(counting, "count_again", COUNT_AGAIN))
            super().looked(today=today, since=self.count_from or today + timedelta(days=1), asked=asked, ended=ended)


@contextmanager
def _quiet() -> Iterator[None]:
    """The log of three months of runs is nobody's."""
    log = logging.getLogger("loan_reminders")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
