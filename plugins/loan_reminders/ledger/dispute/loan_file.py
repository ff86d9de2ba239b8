"""Everything the ledger knows of a loan, or of some loans of a reader, read in one transaction.

Trial runs are left out: nothing left in them.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, TextClause

from loan_reminders.domain.dispute.loan_file import (
    Answer,
    BounceSeen,
    DeliveryRecord,
    Dispute,
    LetterFacts,
    LetterStep,
    LoanCycle,
    LoanFound,
    LoanSearch,
    RegisteredFacts,
    SkipRecord,
)
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.errors import TrackingNumberError
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.letters.batches import BatchState, LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger import sent_words
from loan_reminders.ledger.dispute import queries as sql
from loan_reminders.ledger.dispute.replied import replies_of
from loan_reminders.ledger.dispute.suppressed import suppressions_of
from loan_reminders.ledger.journal import keep
from loan_reminders.ledger.json_codecs import decode_loan, decode_recipient, storable

Item = TypeVar("Item")
_ON_PAPER = (Channel.LETTER, Channel.REGISTERED_LETTER)


class PostgresLoanFiles:
    """The part of the ledger that tells everything about a loan. Fulfils `LoanFiles`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def find(self, search: LoanSearch, *, limit: int = 50) -> Sequence[LoanFound]:
        """The loans that a search names, the most recently seen first; each way goes by an index."""
        asked = {
            "library": self._library,
            "loan_id": storable(search.loan_id.strip()),
            "item_barcode": storable(search.item_barcode.strip()),
            "reference": storable(search.reference.strip()),
            "tracking_number": storable(_number(search.tracking_number)),
            "limit": limit,
        }
        with self._transaction() as connection:
            return tuple(
                LoanFound(loan_id=row.loan_id, loan=None if row.record is None else decode_loan(row.record))
                for row in connection.execute(sql.FIND, asked)
            )

    def file(self, loan_id: str) -> Dispute | None:
        """Everything about a loan, None when the ledger never heard of it."""
        loan_id = storable(loan_id)
        with self._transaction() as connection:
            found = self._files(connection, [loan_id])[loan_id]
        return found if found.cycles or found.deliveries or found.skips else None

    def files(self, loan_ids: Sequence[str], *, patron_id: str) -> Sequence[Dispute]:
        """Everything about some loans that one reader has or had, in this order."""
        asked = [storable(loan_id) for loan_id in loan_ids]
        with self._transaction() as connection:
            found = self._files(connection, asked, patron_id=storable(patron_id))
        return tuple(found[loan_id] for loan_id in asked)

    def _files(self, connection: Connection, loan_ids: list[str], *, patron_id: str = "") -> dict[str, Dispute]:
        scope: dict[str, Any] = {"library": self._library, "loan_ids": loan_ids}
        cycles = _of_loans(connection.execute(sql.CYCLES, scope), _cycle)
        deliveries = self._deliveries(connection, scope)
        readers = {cycle.loan.patron.patron_id for some in cycles.values() for cycle in some} | {patron_id}
        if patron_id:
            skipped = connection.execute(sql.SKIPS_OF_READERS, {**scope, "patron_ids": sorted(readers)})
        else:
            skipped = connection.execute(sql.SKIPS, scope)
        skips = _of_loans(skipped, _skip)
        recipients = {
            loan_id: {one.recipient for one in deliveries[loan_id]} | _reachable(cycles[loan_id])
            for loan_id in loan_ids
        }
        suppressions = suppressions_of(connection, self._library, set().union(*recipients.values()))
        replies = replies_of(connection, self._library, set().union(*recipients.values()), patron_ids=readers)
        return {
            loan_id: Dispute(
                loan_id=loan_id,
                cycles=tuple(cycles[loan_id]),
                deliveries=tuple(deliveries[loan_id]),
                skips=tuple(skips[loan_id]),
                suppressions=tuple(one for one in suppressions if one.recipient in recipients[loan_id]),
                replies=tuple(one for one in replies if one.number in recipients[loan_id]),
            )
            for loan_id in loan_ids
        }

    def note_made(self, dispute: Dispute, *, who: str) -> None:
        """Keep in the journal who made the file of a loan."""
        patron = dispute.cycles[-1].loan.patron.patron_id if dispute.cycles else ""
        delivery = dispute.deliveries[0].delivery_id if dispute.deliveries else None
        with self._transaction() as connection:
            act = JournalAct.DISPUTE_FILE_MADE
            keep(connection, self._library, who=who, act=act, patron_id=patron, delivery_id=delivery)

    def _deliveries(self, connection: Connection, scope: Mapping[str, Any]) -> dict[str, list[DeliveryRecord]]:
        rows = connection.execute(sql.DELIVERIES, scope).all()
        channel_of = {row.delivery_id: Channel(row.channel) for row in rows}
        ids = list(channel_of)

        def of(
            statement: TextClause, read: Callable[[Row[Any]], Item], *channels: Channel
        ) -> dict[uuid.UUID, list[Item]]:
            # Most readers never get a letter: what is about paper is asked for those who do.
            some = [one for one in ids if not channels or channel_of[one] in channels]
            asked = {"library": self._library, "delivery_id": some}
            return _gathered(connection.execute(statement, asked) if some else (), read)

        words = sent_words.of(connection, self._library, ids) if ids else {}
        answers = of(sql.ANSWERS, _answer)
        bounces = of(sql.BOUNCES, _bounce, Channel.EMAIL)
        letters = of(sql.LETTERS, _letter, *_ON_PAPER)
        registered = of(sql.REGISTERED, _registered, Channel.REGISTERED_LETTER)
        steps = of(sql.STEPS, _step, *_ON_PAPER)
        return _of_loans(
            rows,
            lambda row: DeliveryRecord(
                delivery_id=row.delivery_id,
                stage=Stage(row.stage),
                channel=Channel(row.channel),
                due_date=row.due_date,
                day=row.today,
                recipient=decode_recipient(Channel(row.channel), row.recipient),
                documents=row.documents,
                dropped=_reason(row.dropped),
                state=DeliveryState(row.state),
                reason=_reason(row.reason),
                attempts=row.attempts,
                resent_in_doubt=row.resent_in_doubt,
                resent_by=row.resent_by,
                redirected=row.redirected,
                claimed_at=row.claimed_at,
                provider_id=row.provider_id,
                campaign_id=row.campaign_id,
                segments=row.segments,
                words=words.get(row.delivery_id),
                answers=tuple(answers[row.delivery_id]),
                bounces=tuple(bounces[row.delivery_id]),
                letter=next(iter(letters[row.delivery_id]), None),
                registered=next(iter(registered[row.delivery_id]), None),
                steps=tuple(steps[row.delivery_id]),
            ),
        )


def _number(text: str) -> str:
    """A registered number however it was typed or scanned; what is none is looked for as it is."""
    try:
        return TrackingNumber.parse(text).value
    except TrackingNumberError:
        return "".join(text.split())


def _of_loans(rows: Any, read: Callable[[Row[Any]], Item]) -> dict[str, list[Item]]:
    """Rows by their loan, in their order."""
    gathered: dict[str, list[Item]] = defaultdict(list)
    for row in rows:
        gathered[row.loan_id].append(read(row))
    return gathered


def _gathered(rows: Any, read: Callable[[Row[Any]], Item]) -> dict[uuid.UUID, list[Item]]:
    """Rows by their delivery, in their order."""
    gathered: dict[uuid.UUID, list[Item]] = defaultdict(list)
    for row in rows:
        gathered[row.delivery_id].append(read(row))
    return gathered


def _reason(code: str | None) -> Reason | None:
    return None if code is None else Reason(code)


def _reachable(cycles: Sequence[LoanCycle]) -> set[Recipient]:
    """The recipients that the ILS gave for the reader."""
    patrons = [cycle.loan.patron for cycle in cycles]
    found = [contact for patron in patrons for contact in (patron.email, patron.mobile, patron.address)]
    return {one for one in found if isinstance(one, EmailAddress | MobileNumber | PostalAddress)}


def _cycle(row: Row[Any]) -> LoanCycle:
    return LoanCycle(
        due_date=row.due_date, loan=decode_loan(row.record), first_seen=row.first_seen, last_seen=row.last_seen
    )


def _skip(row: Row[Any]) -> SkipRecord:
    return SkipRecord(
        day=row.today,
        stage=Stage(row.stage),
        due_date=row.due_date,
        slot=None if row.slot is None else Slot(row.slot),
        reason=SkipReason(row.reason),
        detail=row.detail,
    )


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        at=row.at,
        state=DeliveryState(row.state),
        reason=_reason(row.reason),
        provider_id=row.provider_id,
        raw=row.raw,
        applied=row.applied,
    )


def _bounce(row: Row[Any]) -> BounceSeen:
    return BounceSeen(
        at=row.moment,
        kind=BounceKind(row.kind),
        recipient=row.recipient,
        status=row.status,
        diagnostic=row.diagnostic,
    )


def _letter(row: Row[Any]) -> LetterFacts:
    volumes = (row.pdf, *row.more_pdfs)
    return LetterFacts(
        batch_id=row.batch_id,
        batch=row.name,
        batch_state=BatchState(row.state),
        location=volumes[row.volume - 1] if 0 < row.volume <= len(volumes) else "",
        reference=row.reference,
        first_page=row.first_page,
        last_page=row.last_page,
        left_out=_reason(row.left_out),
        printed_at=row.printed_at,
        printed_by=row.printed_by,
    )


def _registered(row: Row[Any]) -> RegisteredFacts:
    return RegisteredFacts(
        state=RegisteredState(row.state),
        tracking_number=row.tracking_number or "",
        posted_on=row.posted_on,
        acknowledged_on=row.acknowledged_on,
        returned_on=row.returned_on,
        return_reason=None if row.return_reason is None else ReturnReason(row.return_reason),
    )


def _step(row: Row[Any]) -> LetterStep:
    return LetterStep(
        at=row.at,
        who=row.who,
        act=LetterAct(row.act),
        detail=row.detail,
        before=row.before if isinstance(row.before, dict) else {},
        after=row.after if isinstance(row.after, dict) else {},
        whole_batch=row.whole_batch,
    )
