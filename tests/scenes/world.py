"""The use cases on a real ledger, a real mail server and a real SMS server; only the ILS is a list."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from loan_reminders.domain.email.share import WHOLE, Share
from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.letters.batches import LetterLayout
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.ports.letters import LetterPrinter
from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.domain.sms.sending_window import SendingWindow
from loan_reminders.domain.sms.text import TextRules
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.gateways.email.mail_relay import Backoff, Security, SmtpAccount, SmtpRelay
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.gateways.sms.allmysms import AllMySmsAccount, AllMySmsGateway
from loan_reminders.gateways.sms.allmysms_client import AllMySmsClient
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.rendering.letters.renderer import LetterRenderer
from loan_reminders.services.compose import email_composer, text_composer
from loan_reminders.services.email.send import SendingPlan, send_emails
from loan_reminders.services.letters.batches import LetterSetup
from loan_reminders.services.letters.printing import print_letters
from loan_reminders.services.letters.take_over import take_over_by_letter
from loan_reminders.services.registered.approval import prepare_letters
from loan_reminders.services.runs.close import close_run
from loan_reminders.services.runs.extract import FAILED_WITHIN, RunRequest, extract_loans
from loan_reminders.services.runs.plan import plan_run
from loan_reminders.services.runs.still_due import StillDue
from loan_reminders.services.sms.send import SmsSendingPlan, send_sms
from loan_reminders.settings.library_toml import ROOT, TEMPLATES, read_settings
from tests.scenes.builders import a_loan, a_mobile, a_patron, an_email
from tests.simulators.allmysms_server import AllMySmsServer
from tests.simulators.smtp_sink import SmtpSink

SETTINGS = read_settings(ROOT / "library.toml")
DUE = date(2026, 11, 26)
LATER = datetime(2999, 1, 1, 10, tzinfo=SETTINGS.zone)
"""A day on which nothing was sent yet: the ledger dates claims by the server's own clock."""
BUDGET = SmsBudget(daily=10_000, monthly=10_000, reserve=0, floor=0)
ALWAYS_OPEN = SendingWindow(opens=time.min, closes=None, weekdays=frozenset(range(1, 8)), is_holiday=lambda _: False)


@dataclass
class ListedLoans:
    """An ILS that is a list; `fails_after` rows it falls silent. Of its rows those of `lost` are not reminded of."""

    rows: list[Loan | RejectedRow] = field(default_factory=list)
    fails_after: int | None = None
    down: bool = False
    lost: set[str] = field(default_factory=set)

    def loans_due(self, due_date: date, *, today: date) -> Generator[Loan | RejectedRow]:
        if self.down:
            raise IlsUnavailable("the ILS does not answer")
        for number, row in enumerate(self.rows):
            if self.fails_after is not None and number >= self.fails_after:
                raise IlsUnavailable("the ILS stopped answering")
            if row.loan_id not in self.lost and (isinstance(row, RejectedRow) or row.due_date == due_date):
                yield row

    def loan_ids_due(self, due_date: date, *, today: date) -> Generator[str]:
        for row in self.loans_due(due_date, today=today):
            yield row.loan_id

    def due_dates_now(self, loan_ids: Sequence[str]) -> dict[str, date]:
        return {loan_id: due for loan_id, due in self.on_loan_now(loan_ids).items() if loan_id not in self.lost}

    def on_loan_now(self, loan_ids: Sequence[str]) -> dict[str, date]:
        if self.down:
            raise IlsUnavailable("the ILS does not answer")
        return {row.loan_id: row.due_date for row in self.rows if isinstance(row, Loan) and row.loan_id in loan_ids}


@dataclass
class World:
    """Everything a run needs, and what came of it."""

    ledger: PostgresLedger
    ils: ListedLoans
    mail: SmtpSink
    sms: AllMySmsServer
    stage: Stage = Stage.OVERDUE_NOTICE
    today: date = DUE + timedelta(days=1)
    runs: int = 0
    redirect: Redirect | None = None
    budget: SmsBudget = BUDGET
    now: datetime | None = None
    window: SendingWindow = ALWAYS_OPEN
    own_clock: Callable[[], datetime] | None = None
    layout: LetterLayout = field(default_factory=lambda: LetterLayout(recto_start=False))
    printer: LetterPrinter | None = None
    split_by_branch: bool = False
    gateway: type[AllMySmsClient] = AllMySmsGateway

    def extract(self, *loans: Loan | RejectedRow, dry_run: bool = False, dag_run_id: str = "") -> int:
        """The run about the loans that are due on `DUE`, on its own day."""
        if loans:
            self.ils.rows = list(loans)
        reference_date = DUE + timedelta(days=SETTINGS.policy().rule(self.stage).offset_days)
        return self._extract(reference_date, dry_run=dry_run, dag_run_id=dag_run_id)

    def extract_day(self, due: date, *rows: Loan) -> int:
        """The run of one due date, on its own day."""
        self.ils.rows = list(rows)
        return self._extract(due + timedelta(days=SETTINGS.policy().rule(self.stage).offset_days))

    def begin_daily(self, *, dry_run: bool = False) -> tuple[int, dict[str, int]]:
        """Today's run as the stage's DAG begins it, with what other days left untold; and what was planned."""
        since = datetime.now(UTC) - FAILED_WITHIN
        run_id = self._extract(self.today, dry_run=dry_run, policy=SETTINGS.policy(), since=since)
        return run_id, self.plan(run_id)

    def _extract(self, reference_date: date, *, dry_run: bool = False, dag_run_id: str = "", **more: Any) -> int:
        self.runs += 1
        run = extract_loans(
            self.ledger,
            self.ils,
            RunRequest(
                rule=SETTINGS.policy().rule(self.stage),
                reference_date=reference_date,
                today=self.today,
                dag_run_id=dag_run_id or f"run {self.runs}",
                dry_run=dry_run,
            ),
            **more,
        )
        return run.run_id

    def plan(self, run_id: int) -> dict[str, int]:
        return plan_run(self.ledger, run_id=run_id, policy=SETTINGS.policy())

    def begin(self, *loans: Loan | RejectedRow, dry_run: bool = False) -> int:
        run_id = self.extract(*loans, dry_run=dry_run)
        self.plan(run_id)
        return run_id

    def clock(self) -> datetime:
        """Ten in the morning of the world's day, unless a test has a clock of its own."""
        if self.own_clock is not None:
            return self.own_clock()
        return datetime.combine(self.today, datetime.min.time(), SETTINGS.zone).replace(hour=10)

    def write_email(self):
        return email_composer(
            TEMPLATES, SETTINGS.email_identity(), stage=self.stage, clock=self.clock, redirect=self.redirect
        )

    def write_text(self):
        return text_composer(
            TEMPLATES,
            TextRules(max_segments=1, opt_out_mention=SETTINGS.sms.opt_out_mention),
            stage=self.stage,
            library=SETTINGS.identity(),
            clock=self.clock,
            redirect=self.redirect,
        )

    def send_emails(
        self,
        run_id: int,
        *,
        last_try: bool = False,
        first_try: bool = False,
        connections: int = 2,
        bounce_address: str = "",
        backoff: Backoff | None = None,
        share: Share = WHOLE,
    ) -> dict[str, int]:
        account = SmtpAccount(
            host="127.0.0.1",
            port=self.mail.port,
            envelope_sender=SETTINGS.email.sender_address,
            timeout_s=5,
            answer_timeout_s=5,
            security=Security.PLAIN,
        )
        return send_emails(
            self.ledger,
            lambda: SmtpRelay(account, backoff=backoff),
            self.write_email(),
            SendingPlan(
                run_id=run_id,
                connections=connections,
                share=share,
                last_try=last_try,
                first_try=first_try,
                bounce_address=bounce_address,
            ),
            still_due=self.still_due(run_id),
        )

    def send_sms(self, run_id: int, *, api_key: str = "", base_url: str = "", at_once: int = 100) -> dict[str, int]:
        account = AllMySmsAccount(
            base_url=base_url or self.sms.base_url,
            login=self.sms.provider.login,
            api_key=api_key or self.sms.provider.api_key,
            login_in_clear=True,
        )
        gateway = self.gateway(account, sender="BU Montclar", campaign="test", read_timeout_s=2)
        return send_sms(
            self.ledger,
            gateway,
            self.write_text(),
            SmsSendingPlan(run_id=run_id, recipients_per_request=at_once, budget=self.budget, window=self.window),
            still_due=replace(self.still_due(run_id), expires_after_days=SETTINGS.sms.expires_after_days),
            clock=self.own_clock or (lambda: self.now or LATER),
        )

    def still_due(self, run_id: int) -> StillDue:
        run = self.ledger.run(run_id)
        return StillDue(source=self.ils, policy=SETTINGS.policy(), run=run, clock=self.clock)

    def letter_setup(self) -> LetterSetup:
        templates, library = TEMPLATES, SETTINGS.identity()
        return LetterSetup(
            printer=self.printer or LetterRenderer(templates, library=library, workers=1, layout=self.layout),
            templates=templates,
            library=library,
            today=self.today,
            zone="Europe/Paris",
            split_by_branch=self.split_by_branch,
            trial=self.redirect is not None,
        )

    def print_letters(
        self, run_id: int, folder: Path, *, approved_only: bool = False, store: Any = None
    ) -> dict[str, int]:
        """The letters' task: first the readers whose e-mail of this run did not arrive."""
        take_over_by_letter(self.ledger, run_id=run_id, policy=SETTINGS.policy())
        return print_letters(
            self.ledger,
            store or FolderLetterStore(folder),
            self.letter_setup(),
            run_id=run_id,
            kind=Channel.REGISTERED_LETTER if self.stage is Stage.REGISTERED_LETTER else Channel.LETTER,
            still_due=self.still_due(run_id),
            approved_only=approved_only,
        )

    def prepare_letters(self, run_id: int, folder: Path, *, store: Any = None) -> dict[str, int]:
        return prepare_letters(
            self.ledger,
            store or FolderLetterStore(folder),
            self.letter_setup(),
            run_id=run_id,
            still_due=self.still_due(run_id),
        )

    def close(self, run_id: int) -> Books:
        return close_run(self.ledger, run_id=run_id)

    def whole_run(self, *loans: Loan | RejectedRow) -> Books:
        run_id = self.begin(*loans)
        self.send_emails(run_id)
        self.send_sms(run_id)
        return self.close(run_id)

    def mailed_to(self) -> list[str]:
        return sorted(str(message["To"].addresses[0].addr_spec) for message in self.mail.messages())

    def texted_to(self) -> list[str]:
        return sorted(sms.phone_number for sms in self.sms.provider.accepted)


def reader(number: int, **changes):
    return a_patron(
        **{
            "patron_id": f"P{number}",
            "email": an_email(f"lecteur{number}@etu.example.org"),
            "mobile": a_mobile(f"336399800{number:02d}"),
            **changes,
        }
    )


def loan(number: int, **changes):
    return a_loan(**{"loan_id": f"L{number}", "due_date": DUE, "patron": reader(number), **changes})


def loans(count: int):
    return [loan(number) for number in range(1, count + 1)]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
