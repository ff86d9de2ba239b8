"""One loan through a bounced e-mail, a letter and a registered letter, for the tests of its file."""

from __future__ import annotations

import json
import uuid
from datetime import date, timedelta
from typing import Any

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.messages import SentWords
from loan_reminders.domain.notices import Delivery, Skip
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, OFFSETS, a_delivery, a_loan, a_notice, some_loans
from tests.scenes.ledger_runs import answer, planned, rows

S = DeliveryState
TRACKING = "1A23456789012"


def sent(
    ledger: PostgresLedger,
    channel: Channel,
    stage: Stage,
    state: DeliveryState = S.ACCEPTED,
    reason: Reason | None = None,
    *,
    loans: tuple[Loan, ...] | None = None,
    words: tuple[str, str] | None = None,
    skips: tuple[Skip, ...] = (),
    dry_run: bool = False,
    **more: Any,
) -> Delivery:
    """One delivery about these loans (the loan L1 unless said), attempted, with its answer."""
    loans = loans or (a_loan(),)
    delivery = a_delivery(channel=channel, notice=a_notice(stage=stage, loans=loans))
    day = loans[0].due_date + timedelta(days=OFFSETS[stage])
    run = planned(
        ledger, [delivery], skips, dag_run_id=f"run {uuid.uuid4()}", stage=stage, reference_date=day, today=day,
        due_date=loans[0].due_date, dry_run=dry_run,
    )  # fmt: skip
    said = [] if words is None else [SentWords(delivery_id=delivery.delivery_id, subject=words[0], body=words[1])]
    with ledger.sender(run.run_id, channel) as sender:
        sender.claim([delivery.delivery_id], said)
        if not dry_run:
            sender.record([answer(delivery, state, reason, **more)])
    return delivery


def in_batch(
    ledger: PostgresLedger, delivery: Delivery, reference: str, pdf: str, first: int = 1, last: int = 1, volume: int = 1
) -> int:
    """Put a letter into a batch of its own, printed by `chloé`."""
    [[batch_id]] = rows(
        ledger,
        "INSERT INTO letter_batches (library, run_id, name, state, pdf, more_pdfs, csv, letters, pages, sha256,"
        " printed_at, printed_by) SELECT library, run_id, :name, 'printed', :pdf, '{seconde.pdf}', '', 1, 2, '',"
        " timestamptz '2026-12-05 09:00Z', 'chloé' FROM deliveries WHERE delivery_id = :id RETURNING batch_id",
        name=f"lot {reference}", pdf=pdf, id=delivery.delivery_id,
    )  # fmt: skip
    rows(
        ledger,
        "INSERT INTO letters (delivery_id, library, batch_id, position, volume, first_page, last_page, reference)"
        " VALUES (:id, :library, :batch, 1, :volume, :first, :last, :reference)",
        id=delivery.delivery_id, batch=batch_id, volume=volume, first=first, last=last, reference=reference,
        library=ledger.library,
    )  # fmt: skip
    event(ledger, batch_id, None, "printed")
    return int(batch_id)


def event(
    ledger: PostgresLedger,
    batch_id: int,
    delivery: Delivery | None,
    act: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    detail: str = "",
) -> None:
    rows(
        ledger,
        "INSERT INTO letter_events (library, batch_id, delivery_id, who, act, detail, before, after)"
        " VALUES (:library, :batch, :id, 'chloé', :act, :detail, CAST(:before AS jsonb), CAST(:after AS jsonb))",
        library=ledger.library, batch=batch_id, id=delivery.delivery_id if delivery else None, act=act, detail=detail,
        before=json.dumps(before), after=json.dumps(after),
    )  # fmt: skip


def a_whole_story(ledger: PostgresLedger, *, pdf: str = "lettres.pdf", **changes: Any) -> tuple[Delivery, ...]:
    """The loan L1: an e-mail that bounced, an SMS in doubt, a letter, a registered letter that came back."""
    loan = a_loan(**changes)
    skip = Skip(
        loan_id="L1", due_date=loan.due_date, patron_id="P1", reason=SkipReason.NO_RECIPIENT, slot=Slot.SMS,
        detail="sms:missing",
    )  # fmt: skip
    mail = sent(
        ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(loan,), skips=(skip,),
        words=("Document à rendre", "Bonjour,\n\n  - L'Étranger\n\nLa bibliothèque"), raw="250 2.0.0 OK queued as 4XyZ",
    )  # fmt: skip
    rows(
        ledger,
        "INSERT INTO mail_bounces (library, fingerprint, kind, delivery_id, recipient, status, diagnostic, received_at)"
        " VALUES (:library, 'f1', 'hard', :id, :to, '5.1.1', '550 5.1.1 user unknown', now())",
        library=ledger.library, id=mail.delivery_id, to="camille.martin@etu.example.fr",
    )  # fmt: skip
    rows(
        ledger,
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since, detail)"
        " VALUES (:library, 'email', :to, 'hard_bounce', 'bounces', now(), '5.1.1')",
        library=ledger.library, to="camille.martin@etu.example.fr",
    )  # fmt: skip
    sms = sent(
        ledger, Channel.SMS, Stage.OVERDUE_NOTICE, S.IN_DOUBT, Reason.NO_ANSWER, loans=(loan,),
        words=("", "BU: rendre"), raw="ReadTimeout", segments=1,
    )  # fmt: skip
    letter = sent(ledger, Channel.LETTER, Stage.FIRST_REMINDER, loans=(loan, *some_loans(3)[1:]))
    in_batch(ledger, letter, "R1-7ZK3QD4M", pdf, 2, 3)
    registered = sent(ledger, Channel.REGISTERED_LETTER, Stage.REGISTERED_LETTER, loans=(loan,))
    batch = in_batch(ledger, registered, "MD-0000AAAA", pdf)
    rows(
        ledger,
        "INSERT INTO registered_letters (delivery_id, library, state, tracking_number, posted_on, returned_on,"
        " return_reason) VALUES (:id, :library, 'returned', :number, '2026-12-18', '2027-01-08', 'unclaimed')",
        id=registered.delivery_id, library=ledger.library, number=TRACKING,
    )  # fmt: skip
    numbered = {"state": "numbered", "tracking_number": TRACKING, "posted_on": None}
    event(ledger, batch, registered, "numbered", {"state": "printed", "tracking_number": None}, numbered)
    posted = {"state": "posted", "tracking_number": TRACKING, "posted_on": "2026-12-17"}
    event(ledger, batch, registered, "posted", numbered, posted)
    event(ledger, batch, registered, "undone", posted, numbered, detail="dépôt à La Poste noté par erreur")
    return mail, sms, letter, registered


def two_loans(ledger: PostgresLedger) -> None:
    """The same document, lent twice; its title is HTML."""
    for loan_id, due in (("L-old", date(2026, 3, 2)), ("L-new", DUE_DATE)):
        loan = a_loan(loan_id=loan_id, due_date=due, title="<b>Gras</b>")
        sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(loan,))
