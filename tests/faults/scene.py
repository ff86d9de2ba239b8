"""One scene: a run ready to be sent, its own servers, what happens to it, and what reached each reader after all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from loan_reminders.domain.stages import Channel
from tests.faults.bed import (
    CONNECTIONS,
    MANY_TRIES,
    OPERATORS,
    SMS_BATCH,
    STAGES,
    Bed,
    mail_environment,
    sms_environment,
)
from tests.faults.servers import MailServer, SmsServer
from tests.faults.steps import Strike
from tests.faults.tasks import Ended, Task
from tests.simulators.allmysms_server import AllMySmsServer

IN_DOUBT_AT_MOST = {Channel.EMAIL: 2 * CONNECTIONS, Channel.SMS: SMS_BATCH}
BETWEEN_TRIES_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What reached the readers: counts of messages.

    `lost`: to be told, not told, and not in doubt. `doubled`: copies beyond the first. `unmarked`: those of them that
    the ledger does not know as sent again in doubt, or any at all but an e-mail. `in_doubt`: deliveries that were in
    doubt at any moment. `too_many_in_doubt`: those beyond what may be in flight.
    """

    lost: int
    doubled: int
    unmarked: int
    in_doubt: int
    too_many_in_doubt: int

    @property
    def right(self) -> bool:
        return not (self.lost or self.unmarked or self.too_many_in_doubt)


class Scene:
    """A context manager. `timeout_s` is the patience of the mail relay or of the SMS gateway, 0 for their own."""

    def __init__(self, bed: Bed, channel: Channel, *, timeout_s: float = 0, empty: bool = False) -> None:
        self.bed, self.channel, self.stage = bed, channel, STAGES[channel]
        self.ready = bed.ready(channel)
        self.run_id = 0 if empty else self.ready.run_id
        self.expected = self.ready.expected
        self._empty, self._timeout_s = empty, timeout_s
        self._tries = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self.database = self.bed.new_ledger("" if self._empty else self.ready.database)
            self._stack.callback(self.bed.postgres.drop_database, self.database)
            self.folder = self.bed.folder / self.database
            self.letters = self.folder / "letters"
            (self.folder / "tmp").mkdir(parents=True)
            self.env = self.bed.ledger_environment(self.database) | {
                "REMINDERS_STORAGE": str(self.letters),
                "TMPDIR": str(self.folder / "tmp"),
            }
            if self.channel in (Channel.EMAIL, Channel.LETTER):
                self.mail = self._stack.enter_context(MailServer())
                self.env |= mail_environment(self.mail.port, timeout_s=self._timeout_s)
            elif self.channel is Channel.SMS:
                self.sms = SmsServer()
                self.sms_server = self._stack.enter_context(AllMySmsServer(self.sms))
                port = urlsplit(self.sms_server.base_url).port or 0
                self.env |= sms_environment(port, timeout_s=self._timeout_s)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        return self.bed.postgres.execute(statement, database=self.database)

    def send(self, strike: Strike | None = None, *, share: Mapping[str, int] | None = None, **env: str) -> Task:
        """Start this channel's task, or one of those that share its e-mails."""
        self._tries += 1
        of_share = {"share": dict(share)} if share else {}
        return self.bed.start(
            OPERATORS[self.channel], stage=self.stage, env=self.env | env, strike=strike, run_id=self.run_id,
            try_number=self._tries, **of_share,
        )  # fmt: skip

    def held(self, strike: Strike, **env: str) -> tuple[Task, Callable[[], None]]:
        """Start the task and wait until the strike holds it, or it has ended; the function lets it go on."""
        folder = self.folder / f"held-{self._tries}"
        folder.mkdir()
        task = self.send(replace(strike, hold=str(folder)), **env)
        while not (folder / "reached").exists() and not task.ended.done():
            time.sleep(0.01)
        return task, (folder / "go").touch

    def begin_anew(self) -> None:
        """Trigger the day anew: another run reads, plans and takes over what the dead one left."""
        self.let_the_dead_go()
        asked = {"stage": self.stage, "env": self.env}
        self.run_id = self.bed.run("ExtractLoans", **asked).result
        self.bed.run("PlanNotices", run_id=self.run_id, **asked)

    def finish(self) -> None:
        """Run the task again, at least once, until it ends well, as Airflow's retries would; then close the run."""
        ended = Ended(killed=True)
        while not ended.well:
            if self._tries >= MANY_TRIES:
                raise RuntimeError(f"still not done after {self._tries} tries: {ended}")
            self.let_the_dead_go()
            ended = self.send().wait()
            if ended.well:
                break
            if not ended.temporary:
                raise RuntimeError(f"the task fails for good: {ended}")
            time.sleep(BETWEEN_TRIES_S)
        self.bed.run("CloseRun", stage=self.stage, env=self.env, run_id=self.run_id)

    def let_the_dead_go(self) -> None:
        """Wait until the server has seen that a killed task is gone: a moment, where Airflow waits minutes."""
        theirs = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.database}'"
        deadline = time.monotonic() + 10
        while self.bed.postgres.execute(theirs) != [(0,)] and time.monotonic() < deadline:
            time.sleep(0.01)

    def outcome(self) -> Outcome:
        """Count at the servers and in the letters stored, and hold it against the ledger."""
        marked = {str(one) for (one,) in self.sql("SELECT delivery_id FROM deliveries WHERE resent_in_doubt")}
        left = Counter(who for (who,) in self.sql("SELECT recipient FROM deliveries WHERE state = 'in_doubt'"))
        (in_doubt,) = self.sql("SELECT count(DISTINCT delivery_id) FROM receipts WHERE state = 'in_doubt'")[0]
        if self.channel is Channel.EMAIL:
            told = Counter(recipient for _, recipient in set(self.mail.taken))
            copies = Counter(delivery_id for delivery_id, _ in self.mail.taken)
            again = {delivery_id: count - 1 for delivery_id, count in copies.items() if count > 1}
            beyond = (told - self.expected).total()
            doubled = sum(again.values()) + beyond
            unmarked = sum(count for delivery_id, count in again.items() if delivery_id not in marked) + beyond
        else:
            told = self.sms.texted() if self.channel is Channel.SMS else self.letters_stored()
            doubled = unmarked = (told - self.expected).total()
        lost = (self.expected - told - (left if self.channel is Channel.SMS else Counter())).total()
        allowed = IN_DOUBT_AT_MOST.get(self.channel, in_doubt)
        return Outcome(
            lost=lost,
            doubled=doubled,
            unmarked=unmarked,
            in_doubt=in_doubt,
            too_many_in_doubt=max(0, in_doubt - allowed),
        )

    def letters_stored(self) -> Counter[str]:
        """Recipients by the batches that the ledger records; a file that is not the one recorded holds nobody."""
        by_address = {_address(recipient): recipient for recipient in self.expected}
        told: Counter[str] = Counter()
        closed = "SELECT pdf, csv, sha256 FROM letter_batches WHERE state = 'ready' ORDER BY batch_id"
        for pdf, recipients, digest in self.sql(closed):
            stored = self.letters / pdf
            if not stored.exists() or _digest(stored) != digest:
                continue
            for row in _rows(self.letters / recipients):
                lines = (
                    *(row[f"ligne{number}"] for number in range(1, 7)),
                    "" if row["pays"] == "FRANCE" else row["pays"],
                )
                address = "\n".join(line for line in lines if line)
                told[by_address.get(address, address)] += 1
        return told


def _address(recipient: str) -> str:
    return "\n".join(json.loads(recipient)["lines"])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), delimiter=";"))
