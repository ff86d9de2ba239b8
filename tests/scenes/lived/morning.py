"""A day's runs, each as its DAG does them: extract, plan, check the volume, send, print, close."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from loan_reminders.domain.clock import midnight
from loan_reminders.domain.errors import DeliveriesDeferred, IlsUnavailable, SendingWindowClosed, SmsGatewayUnavailable
from loan_reminders.domain.messages import RenderedEmail, RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.letters import LetterPrinter
from loan_reminders.domain.runs.tries import TRIES_AFTER
from loan_reminders.domain.sms.sending_window import SendingWindow
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.services.compose import email_composer, text_composer
from loan_reminders.services.email.send import SendingPlan, send_emails
from loan_reminders.services.letters.batches import LetterSetup
from loan_reminders.services.letters.printing import print_letters
from loan_reminders.services.letters.take_over import take_over_by_letter
from loan_reminders.services.registered.approval import prepare_letters
from loan_reminders.services.runs import check_volume
from loan_reminders.services.runs.close import close_run
from loan_reminders.services.runs.extract import FAILED_WITHIN, RunRequest, extract_loans
from loan_reminders.services.runs.plan import plan_run
from loan_reminders.services.runs.still_due import StillDue
from loan_reminders.services.sms.send import SmsSendingPlan, send_sms
from loan_reminders.settings.library_toml import TEMPLATES, Settings
from tests.scenes.lived.catalogue import Catalogue
from tests.scenes.lived.clock import LedgerClock
from tests.scenes.lived.outside import LivedOutside, Provider, Relay

MOST_CONNECTIONS = 40
LIBRARIAN = "biblio"


@dataclass
class Morning:
    """The library at work. `unsent` are runs whose SMS wait for the window, `unapproved` those whose letters wait."""

    ledger: PostgresLedger
    clock: LedgerClock
    ils: Catalogue
    outside: LivedOutside
    settings: Settings
    store: FolderLetterStore
    printer: LetterPrinter
    now: datetime = field(init=False)
    unsent: list[tuple[int, Stage]] = field(default_factory=list)
    unapproved: list[int] = field(default_factory=list)
    written: dict[Stage, Callable[[Delivery], RenderedEmail]] = field(default_factory=dict)
    texted: dict[Stage, Callable[[Delivery], RenderedText]] = field(default_factory=dict)

    def at(self, day: date, hour: time) -> None:
        """It is this hour of this day, for everybody."""
        self.now = datetime.combine(day, hour, self.settings.zone)
        self.ils.today, self.outside.now = day, self.now
        self.clock.show(self.now)

    def later(self, **passed: float) -> None:
        """Some time passes."""
        moment = self.now + timedelta(**passed)
        self.at(moment.date(), moment.time())

    def run(self, stage: Stage, *, reference_date: date | None = None, window: SendingWindow | None = None) -> None:
        """One run; of another day than today when it is caught up."""
        if reference_date is None:
            self.at(self.now.date(), self.settings.stages.of(stage).starts_at)
        day = reference_date or self.now.date()
        dag_run_id = f"{'manual' if reference_date else 'scheduled'}__{self.now.isoformat()}"
        request = RunRequest(
            rule=self.settings.policy().rule(stage),
            reference_date=day,
            today=self.now.date(),
            dag_run_id=dag_run_id,
            dry_run=False,
        )
        run_id = self._extracted(request)
        plan_run(self.ledger, run_id=run_id, policy=self.settings.policy())
        self._volume(run_id)
        if stage is Stage.REGISTERED_LETTER:
            if self.ledger.planned_count(run_id, Channel.REGISTERED_LETTER):
                prepare_letters(
                    self.ledger, self.store, self._setup(), run_id=run_id, still_due=self._still_due(run_id)
                )
                self.unapproved.append(run_id)
                return
        else:
            self._emails(run_id, stage)
        if stage is Stage.OVERDUE_NOTICE and not self.texts(run_id, stage, window):
            self.unsent.append((run_id, stage))
            return
        if stage in (Stage.FIRST_REMINDER, Stage.SECOND_REMINDER):
            self.letters(run_id, Channel.LETTER)
        close_run(self.ledger, run_id=run_id)

    def _extracted(self, request: RunRequest) -> int:
        """Begin the run; when the ILS does not answer, Airflow's next try is half an hour later."""
        while True:
            try:
                run = extract_loans(
                    self.ledger,
                    self.ils,
                    replace(request, today=self.now.date()),
                    policy=self.settings.policy(),
                    since=midnight(self.now) - FAILED_WITHIN,
                )
            except IlsUnavailable:
                self.later(minutes=30)
                self.ils.down = False
            else:
                return run.run_id

    def _volume(self, run_id: int) -> None:
        """The question about an unusual volume, which a librarian answers within the hour."""
        question = check_volume.volume_question(
            self.ledger,
            run_id=run_id,
            guard=self.settings.guard(),
            past_runs=self.settings.volume_guard.runs,
            library=self.settings.identity(),
        )
        if question is not None:
            self.later(minutes=35)
            check_volume.approve(self.ledger, run_id=run_id, who=LIBRARIAN)

    def _emails(self, run_id: int, stage: Stage) -> None:
        compose = self._email_composer(stage)
        waiting = self.ledger.planned_count(run_id, Channel.EMAIL)
        connections = min(max(waiting // 2, 1), MOST_CONNECTIONS)  # all of them under way at once
        for first in (True, False):
            with suppress(DeliveriesDeferred):
                send_emails(
                    self.ledger,
                    lambda: Relay(self.outside),
                    compose,
                    SendingPlan(run_id=run_id, connections=connections, first_try=first, last_try=not first),
                    still_due=self._still_due(run_id),
                )
                return
            self.later(minutes=5)

    def texts(self, run_id: int, stage: Stage, window: SendingWindow | None = None) -> bool:
        """The SMS of a run; False while the window is closed and they wait, or while the provider answers nothing."""
        compose = self._text_composer(stage)
        plan = SmsSendingPlan(
            run_id=run_id,
            recipients_per_request=self.settings.sms.batch_size,
            budget=self.settings.sms_budget(),
            window=window or self.settings.sms_window(),
        )
        still_due = replace(self._still_due(run_id), expires_after_days=self.settings.sms.expires_after_days)
        campaign = f"{stage}-{self.now:%Y%m%d}-{run_id}"
        for _ in range(1 + TRIES_AFTER):
            try:
                send_sms(
                    self.ledger,
                    Provider(self.outside, campaign),
                    compose,
                    plan,
                    still_due=still_due,
                    clock=lambda: self.now,
                )
            except SendingWindowClosed:
                return False
            except SmsGatewayUnavailable:
                self.later(minutes=5)
            else:
                return True
        return False

    def letters(self, run_id: int, kind: Channel) -> None:
        """The letters of a run, those that take the place of e-mails that did not arrive among them."""
        take_over_by_letter(self.ledger, run_id=run_id, policy=self.settings.policy())
        if not self.ledger.planned_count(run_id, kind):
            return
        print_letters(
            self.ledger,
            self.store,
            self._setup(),
            run_id=run_id,
            kind=kind,
            still_due=self._still_due(run_id),
            approved_only=kind is Channel.REGISTERED_LETTER,
        )

    def what_waited(self, window: SendingWindow | None = None) -> None:
        """The SMS of the days when the window was closed leave, and these runs are closed."""
        waiting, self.unsent = self.unsent, []
        for run_id, stage in waiting:
            if self.texts(run_id, stage, window):
                close_run(self.ledger, run_id=run_id)
            else:
                self.unsent.append((run_id, stage))

    def _email_composer(self, stage: Stage) -> Callable[[Delivery], RenderedEmail]:
        """What writes the e-mails of a stage; the templates are read once for all the months."""
        if stage not in self.written:
            self.written[stage] = email_composer(
                TEMPLATES, self.settings.email_identity(), stage=stage, clock=lambda: self.now
            )
        return self.written[stage]

    def _text_composer(self, stage: Stage) -> Callable[[Delivery], RenderedText]:
        if stage not in self.texted:
            self.texted[stage] = text_composer(
                TEMPLATES,
                self.settings.text_rules(),
                stage=stage,
                library=self.settings.identity(),
                clock=lambda: self.now,
            )
        return self.texted[stage]

    def _still_due(self, run_id: int) -> StillDue:
        run = self.ledger.run(run_id)
        return StillDue(source=self.ils, policy=self.settings.policy(), run=run, clock=lambda: self.now)

    def _setup(self) -> LetterSetup:
        return LetterSetup(
            printer=self.printer,
            templates=Path(TEMPLATES),
            library=self.settings.identity(),
            today=self.now.date(),
            zone=self.settings.library.time_zone,
            level=self.settings.letters.guarantee_level,
        )
