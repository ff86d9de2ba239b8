"""No code of ours, no name of an error is among the words that librarians read: every closed list is walked."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import product

from loan_reminders.domain.desk import AsideKind, StuckDelivery
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.journal import JournalAct, JournalEntry, JournalLine
from loan_reminders.domain.letters.batches import BatchState, LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.readers.corrections import ContactFault
from loan_reminders.domain.readers.told import outcome
from loan_reminders.domain.runs.reading.cells import RowFault
from loan_reminders.domain.runs.routing import OBJECTION
from loan_reminders.domain.sms.feedback import AckStatus, SmsAck
from loan_reminders.domain.stages import Channel, PatronCategory, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.french.desk import not_reached_words, receipt_words, stuck_words
from loan_reminders.french.letters import step_detail_words
from loan_reminders.french.pages.journal import KINDS, sentence_of
from loan_reminders.french.pages.not_said import because, nothing_words, skip_pill_words
from loan_reminders.french.pages.readers import MessageWords, pill_words
from loan_reminders.ledger.put_aside import ROW_ERRORS, each_alone
from loan_reminders.rendering.dispute import words
from tests.scenes.loan_records import a_letter, a_record, a_skip, an_answer, registered_facts

MOMENT = datetime(2026, 11, 27, 9, 3, tzinfo=UTC)
LISTS = (
    AsideKind, BounceKind, JournalAct, BatchState, LetterAct, RegisteredState, ReturnReason, ContactFault, RowFault,
    AckStatus, Channel, PatronCategory, Slot, Stage, DeliveryState, Reason, Refusal, SkipReason, SuppressionReason,
    SuppressionSource,
)  # fmt: skip
CODES = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted({one.value for names in LISTS for one in names}))})(?![\w-])")
OURS = re.compile("[a-z]Error|[a-z]Timeout|Disconnected|[_{]")
DETAILS = (
    "", "pigeon:lost", *(f"{fault}:due_date" for fault in RowFault),
    *(f"{channel}:{why}" for channel in Channel for why in (*Refusal, "suppressed", "refused_before", "control")),
    *(f"{OBJECTION}:{channel}" for channel in Channel), "email:missing,letter:homeless",
)  # fmt: skip


def of_skips() -> Iterator[str]:
    for reason, detail in product(SkipReason, DETAILS):
        yield not_reached_words(reason, detail)
    for reason, slot in product(SkipReason, (None, *Slot)):
        skip = a_skip(reason, slot=slot, detail="sms:missing")
        yield from (because(skip), nothing_words(skip), skip_pill_words(skip))


def of_messages() -> Iterator[str]:
    said = MessageWords(now=MOMENT, zone=UTC)
    for channel, state, reason in product(Channel, DeliveryState, (None, *Reason)):
        yield words.state_words(channel, state, reason)
        yield stuck_words(
            StuckDelivery(
                delivery_id=uuid.uuid4(), patron_id="P1", patron_name="", patron_barcode="", reader_number=None,
                stage=Stage.OVERDUE_NOTICE, channel=channel, state=state, reason=reason, day=MOMENT.date(), at=None,
            )
        )  # fmt: skip
        one = a_record(channel, state, reason=reason, answers=(an_answer(state, reason=reason),))
        yield from (pill_words(one, outcome(one)), said.became(one, outcome(one)))
        yield from (what for _, what in said.answers(one))


def of_paper() -> Iterator[str]:
    said = MessageWords(now=MOMENT, zone=UTC)
    for state, why in product(RegisteredState, (None, *ReturnReason)):
        facts = registered_facts(state, return_reason=why, returned_on=date(2026, 12, 1))
        one = a_record(Channel.REGISTERED_LETTER, letter=a_letter(), registered=facts)
        yield from (pill_words(one, outcome(one)), said.became(one, outcome(one)))
    yield from map(step_detail_words, ReturnReason)
    changed = [{"state": state} for state in (*BatchState, *RegisteredState, *DeliveryState)]
    changed += [{"reason": reason, "left_out": reason} for reason in Reason]
    changed += [{"return_reason": why, "suppression_id": 12, "to_provider": True} for why in ReturnReason]
    for after in changed:
        yield from words.step_changes({}, after)


def of_what_came_back() -> Iterator[str]:
    for status in AckStatus:
        yield receipt_words(SmsAck(phone_number="33639980001", status=status, comment="absent", received_at=MOMENT))
    for error in ROW_ERRORS[1:]:

        def refuse(_items: object, error: type[Exception] = error) -> None:
            raise error("a value")

        yield from (why for _, why in each_alone(refuse, [1])[1])
    yield from map(words.raw_words, ("ReadTimeout", "ConnectionResetError", "KeyError", "SMTPServerDisconnected"))


def of_the_journal() -> Iterator[str]:
    facts = [{"channel": one} for one in Channel]
    facts += [{"stage": one} for one in Stage]
    facts += [{"reason": one} for one in SuppressionReason]
    facts += [{"why": one} for one in ReturnReason]
    facts += [{"fault": one} for one in ContactFault]
    facts += [{"kind": one} for one in AsideKind]
    for act, known in product(JournalAct, facts):
        entry = JournalEntry(at=MOMENT, who="zoé", act=act, facts=known)
        yield "".join(piece.words for piece in sentence_of(JournalLine(entry_id=1, entry=entry)))
    yield from KINDS.values()


def test_no_words_hold_a_code_or_the_name_of_an_error() -> None:
    said = {one for of in (of_skips, of_messages, of_paper, of_what_came_back, of_the_journal) for one in of()}
    assert len(said) > 200
    assert {one for one in said if CODES.search(one) or OURS.search(one)} == set()


def test_a_servers_own_answer_stays_as_it_came() -> None:
    for answer in ("250 2.0.0 OK queued as 4XyZ", '{"status": 100}', "OK", "Refused"):
        assert words.raw_words(answer) == answer
