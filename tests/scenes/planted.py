"""Readers whom one would know again anywhere, told by every channel, in every table and file; and a search for them.

All that is written of reader 7 says `Z…7Z`: name, card, address, loan, title, barcode, number, words, reasons. `found`
reads every row of a ledger, compressed words too, and every file, and says which readers are still there.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.loans import Loan, Patron, RejectedRow
from loan_reminders.domain.messages import SentWords
from loan_reminders.domain.notices import Skip
from loan_reminders.domain.readers.amendments import AmendedField
from loan_reminders.domain.retention.terms import Terms
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.ledger.journal import PostgresJournal
from loan_reminders.ledger.readers.amendments import PostgresAmendments
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.removal.removal import PostgresRetention
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.retention.disputes import PostgresDisputes
from loan_reminders.ledger.suppressions.objections import PostgresObjections
from loan_reminders.services.retention.erase import WHO_WE_ARE, erase_expired
from tests.scenes.builders import (
    DUE_DATE,
    OFFSETS,
    a_delivery,
    a_loan,
    a_mobile,
    a_notice,
    a_patron,
    an_address,
    an_email,
)
from tests.scenes.ledger_emails import a_bounce
from tests.scenes.ledger_letters import a_batch
from tests.scenes.ledger_runs import answer, extracted, planned, rows
from tests.scenes.ledger_sms import ack

LONG_AFTER = date(2030, 6, 15)
"""The day of the removal: all that a test writes now is old by then."""
TERMS = Terms.on(LONG_AFTER, loan_months=4, reader_months=12)
OLD, YOUNG = TERMS.readers_until - timedelta(days=1), LONG_AFTER - timedelta(days=3)
MARK = re.compile(r"Z[A-Z]*?(\d+)Z", re.IGNORECASE)
TITLE, NUMBER = "ZTITRE{0}Z", "33640000{0:03d}"
CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.REGISTERED_LETTER)
STAGE_OF = {
    Channel.EMAIL: Stage.OVERDUE_NOTICE,
    Channel.SMS: Stage.OVERDUE_NOTICE,
    Channel.LETTER: Stage.FIRST_REMINDER,
    Channel.REGISTERED_LETTER: Stage.REGISTERED_LETTER,
}


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What is told of one reader: the channels, when the loan ended (None: it did not) and the reader was last seen."""

    number: int
    channels: tuple[Channel, ...] = CHANNELS
    ended_on: date | None = OLD
    seen_on: date = OLD
    disputed: bool = False
    suppressed: bool = True

    @property
    def patron(self) -> Patron:
        one = self.number
        return a_patron(
            patron_id=f"ZLECTEUR{one}Z",
            barcode=f"ZCARTE{one}Z",
            name=f"Zoé ZNOM{one}Z",
            email=an_email(f"zmail{one}z@etu.example.org"),
            mobile=a_mobile(NUMBER.format(one)),
            address=an_address(f"MME ZNOM{one}Z", f"{one} RUE ZRUE{one}Z", "06000 NICE"),
        )

    @property
    def loan(self) -> Loan:
        one = self.number
        return a_loan(
            loan_id=f"ZPRET{one}Z", patron=self.patron, title=TITLE.format(one), item_barcode=f"ZCODE{one}Z",
            author=f"ZAUTEUR{one}Z", call_number=f"ZCOTE{one}Z",
        )  # fmt: skip

    @property
    def goes(self) -> bool:
        """Whether nothing of the reader may be left."""
        over = self.ended_on is not None and self.ended_on <= TERMS.loans_until
        return over and self.seen_on <= TERMS.readers_until and not self.disputed


def plant(ledger: PostgresLedger, store: Path, readers: Sequence[Planted]) -> None:
    """Tell all of them, a run and for letters a batch for each channel; then let the loans end."""
    files = FolderLetterStore(store)
    for channel in CHANNELS:
        told = [one for one in readers if channel in one.channels]
        if told:
            _tell(ledger, files, channel, told)
    for one in readers:
        _around(ledger, one)
    for one in readers:
        rows(ledger, "UPDATE readers SET last_seen_on = :day WHERE patron_id = :id", day=one.seen_on,
             id=one.patron.patron_id)  # fmt: skip
        rows(
            ledger,
            "UPDATE loan_ends SET open_on = least(open_on, coalesce(:day, open_on)), ended_on = :day,"
            " how = CASE WHEN CAST(:day AS date) IS NULL THEN NULL ELSE 'returned' END WHERE loan_id = :id",
            day=one.ended_on, id=one.loan.loan_id,
        )  # fmt: skip
        if one.ended_on is None:
            rows(ledger, "UPDATE loan_ends SET open_on = :day WHERE loan_id = :id", day=YOUNG, id=one.loan.loan_id)


def _tell(ledger: PostgresLedger, files: FolderLetterStore, channel: Channel, told: Sequence[Planted]) -> None:
    stage = STAGE_OF[channel]
    deliveries = [a_delivery(channel=channel, notice=a_notice(stage=stage, loans=(one.loan,))) for one in told]
    skips = [
        Skip(loan_id=one.loan.loan_id, due_date=DUE_DATE, patron_id=one.patron.patron_id, slot=Slot.SMS,
             reason=SkipReason.NO_RECIPIENT, detail="sms:missing") for one in told
    ]  # fmt: skip
    day = DUE_DATE + timedelta(days=OFFSETS[stage])
    run = planned(ledger, deliveries, skips if channel is Channel.EMAIL else (), dag_run_id=f"planted {channel}",
                  stage=stage, reference_date=day, today=day)  # fmt: skip
    said = [
        SentWords(delivery_id=delivery.delivery_id, subject=f"Objet {one.loan.title}", body=f"Rendre {one.loan.title}")
        for delivery, one in zip(deliveries, told, strict=True)
    ]
    raws = {one.delivery_id: f"250 ok {at.patron.name}" for one, at in zip(deliveries, told, strict=True)}
    with ledger.sender(run.run_id, channel) as sender:
        sender.claim([one.delivery_id for one in deliveries], said)
        receipts = [
            answer(one, DeliveryState.ACCEPTED, raw=raws[one.delivery_id], campaign_id=f"c{channel}",
                   segments=1 if channel is Channel.SMS else 0)
            for one in deliveries
        ]  # fmt: skip
        if channel in (Channel.LETTER, Channel.REGISTERED_LETTER):
            name = f"{stage}-{day}-{run.run_id}-1"
            written = "\n".join(f"{one.patron.name};{one.loan.title}" for one in told).encode()
            files.store(name, [("lettres.pdf", written), ("destinataires.csv", written)], replace=True)
            references = [f"REF{one.number}" for one in told]
            sender.record_batch(a_batch(deliveries, name, references=references), receipts)
        else:
            sender.record(receipts)
    if channel is Channel.EMAIL:
        ledger.mail_feedback().keep(
            [a_bounce(one.delivery_id, recipient=at.patron.email.value, raw=f"To: {at.patron.name}")  # type: ignore[union-attr]
             for one, at in zip(deliveries, told, strict=True)]
        )  # fmt: skip
    if channel is Channel.SMS:
        feedback = ledger.feedback()
        feedback.keep_acks([ack(AckStatus.DELIVERED, NUMBER.format(one.number), campaign="csms") for one in told])
        feedback.settle(failures=9)
    ledger.close_run(run.run_id)
    rows(ledger, "UPDATE runs SET state = 'closed' WHERE run_id = :run", run=run.run_id)


def _around(ledger: PostgresLedger, one: Planted) -> None:
    """What people do about a reader, and what comes from outside without a message of ours."""
    patron = one.patron
    PostgresJournal(ledger._transaction, library=ledger.library).keep(
        who="zoé", act=JournalAct.READER_SEEN, patron_id=patron.patron_id, detail=f"vu {patron.name}"
    )
    if not one.channels:
        run = extracted(ledger, [one.loan], dag_run_id=f"seen {one.number}")
        skip = Skip(loan_id=one.loan.loan_id, due_date=DUE_DATE, patron_id=patron.patron_id, reason=SkipReason.HELD)
        with ledger.planning(run.run_id) as planning:
            planning.record([], [skip])
        ledger.close_run(run.run_id)
    holds = ledger.part(PostgresHolds)
    today = datetime.now(UTC).date()
    hold = holds.place(patron_id=patron.patron_id, loan_id=one.loan.loan_id, until=today, who="zoé", today=today,
                       reason=f"attendre {patron.name}")  # fmt: skip
    holds.lift(hold.hold_id, reason=f"rendu par {patron.name}", who="zoé", today=today)
    if one.disputed:
        ledger.part(PostgresDisputes).note(
            patron_id=patron.patron_id, loan_id=one.loan.loan_id, until=LONG_AFTER, who="zoé", today=today,
            reason=f"conteste {patron.name}",
        )  # fmt: skip
    ledger.part(PostgresObjections).note(
        patron_id=patron.patron_id, channel=Channel.SMS, reason=f"dit {patron.name}", who="zoé"
    )
    ledger.part(PostgresAmendments).note(
        patron_id=patron.patron_id, field=AmendedField.NAME, value=f"Zoé ZAUTRE{one.number}Z", who="zoé",
        reason=f"écrit {patron.name}",
    )  # fmt: skip
    if one.suppressed:
        rows(
            ledger,
            "INSERT INTO suppressions (library, channel, recipient, reason, source, since, detail)"
            " VALUES (:library, 'sms', :number, 'stop', 'reply', now(), :said)",
            library=ledger.library, number=NUMBER.format(one.number), said=f"STOP {patron.name}",
        )  # fmt: skip


def strays(ledger: PostgresLedger, store: Path, number: int) -> None:
    """What belongs to no loan of a run that sent: rows refused, dry runs, answers nobody waited for, lost files."""
    one = Planted(number=number)
    refused = RejectedRow(loan_id=f"ZPRET{number}Z", patron_id=f"ZLECTEUR{number}Z", code="missing", column="due_date",
                          raw={"NAME": one.patron.name})  # fmt: skip
    run = extracted(ledger, [refused], dag_run_id="refused")
    with ledger.planning(run.run_id):
        pass
    ledger.close_run(run.run_id)
    delivery = a_delivery(notice=a_notice(loans=(one.loan,)))
    rehearsal = planned(ledger, [delivery], dag_run_id="rehearsal", dry_run=True)
    rows(ledger, "UPDATE runs SET state = 'closed' WHERE run_id = :run", run=rehearsal.run_id)
    ledger.mail_feedback().keep([a_bounce(None, recipient=f"zmail{number}z@etu.example.org")])
    for table, columns, values in (
        ("put_aside", "kind, fingerprint, about, said", "'reply', 'f', :number, :name"),
        ("sms_replies", "reply_id, phone_number, text", "'r', :number, :name"),
        ("sms_acks", "fingerprint, phone_number, status, raw", "'a', :number, 'unknown', :name"),
        ("journal", "who, act, detail", "'zoé', 'aside_settled', :name"),
    ):
        statement = f"INSERT INTO {table} (library, {columns}) VALUES (:library, {values})"
        rows(ledger, statement, library=ledger.library, number=NUMBER.format(number), name=one.patron.name)
    lost = f"{run.stage}-{run.reference_date}-{run.run_id}-9"
    FolderLetterStore(store).store(lost, [("lettres.pdf", one.patron.name.encode())])
    FolderLetterStore(store).store(f"a-valider/{lost}", [("lettres.pdf", one.patron.name.encode())])


def remove(
    ledger: PostgresLedger, store: Path, *, rehearse: bool = False, terms: Terms = TERMS, who: str = WHO_WE_ARE
) -> Any:
    """One night's passage."""
    return erase_expired(
        ledger.part(PostgresRetention), ledger.loan_ends(), FolderLetterStore(store), terms=terms,
        now=datetime(2030, 6, 15, 1, 30, tzinfo=UTC), rehearse=rehearse, who=who,
    )  # fmt: skip


def table_names(ledger: PostgresLedger) -> list[str]:
    found = rows(ledger, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [row[0] for row in found]


def every_row(ledger: PostgresLedger) -> list[tuple[str, str]]:
    """Each row of each table as text, compressed words opened."""
    said = []
    for table in table_names(ledger):
        for (row,) in rows(ledger, f"SELECT to_jsonb(t) FROM {table} t"):
            if table == "sent_words":
                row["body"] = zlib.decompress(bytes.fromhex(row["body"].removeprefix("\\x"))).decode()
            said.append((table, json.dumps(row, ensure_ascii=False, sort_keys=True)))
    return said


def files_below(store: Path) -> list[tuple[str, str]]:
    """Each file, hidden ones too, with its name."""
    return [
        (str(path.relative_to(store)), f"{path.name} {path.read_bytes().decode('latin-1')}")
        for path in sorted(store.rglob("*")) if path.is_file()
    ]  # fmt: skip


def found(texts: Iterable[tuple[str, str]]) -> dict[int, set[str]]:
    """Which readers are in these texts, and where."""
    readers: dict[int, set[str]] = {}
    for place, text in texts:
        numbers = {int(one) for one in MARK.findall(text)} | {int(one) for one in re.findall(r"33640000(\d{3})", text)}
        for number in numbers:
            readers.setdefault(number, set()).add(place)
    return readers
