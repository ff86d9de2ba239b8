"""The words of a message are kept with its claim, and only with it."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from loan_reminders.domain.messages import SentWords
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger import sent_words
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import S, a_run, answer, ids, planned, rows, some_deliveries


def words_of(delivery: Delivery, body: str = "Bonjour Camille", subject: str = "Avis") -> SentWords:
    return SentWords(delivery_id=delivery.delivery_id, subject=subject, body=body)


def kept(ledger: PostgresLedger, deliveries: list[uuid.UUID]) -> dict[uuid.UUID, SentWords]:
    with ledger.engine.begin() as connection:
        return sent_words.of(connection, ledger.library, deliveries)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("Bonjour\r\n\r\nÀ rendre : « L'Étranger » — 中文 עברית", None),
        ("", None),
        ("x" * 200_000, None),
        ("avant\x00après", "avant\x00après"),
        ("moitié \ud83d de paire", "moitié ? de paire"),
    ],
)
def test_words_come_back_as_they_were_said(ledger: PostgresLedger, body: str, read: str | None) -> None:
    run_id, deliveries = a_run(ledger, Channel.EMAIL, 1)
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        sender.claim(ids(deliveries), [words_of(deliveries[0], body, subject="Objet\x00 nu")])
    found = kept(ledger, ids(deliveries))[deliveries[0].delivery_id]
    assert (found.subject, found.body) == ("Objet nu", body if read is None else read)


def test_words_are_kept_compressed_and_with_their_library(ledger: PostgresLedger) -> None:
    run_id, deliveries = a_run(ledger, Channel.SMS, 1)
    with ledger.sender(run_id, Channel.SMS) as sender:
        sender.claim(ids(deliveries), [words_of(deliveries[0], "Bonjour " * 1000, subject="")])
    [(library, size)] = rows(ledger, "SELECT library, octet_length(body) FROM sent_words")
    assert library == "demo"
    assert size < 200


def test_words_of_a_delivery_that_another_sender_holds_are_not_kept(ledger: PostgresLedger) -> None:
    run_id, deliveries = a_run(ledger, Channel.EMAIL, 2)
    first, second = deliveries
    with ledger.sender(run_id, Channel.EMAIL) as one, ledger.sender(run_id, Channel.EMAIL) as other:
        one.claim([first.delivery_id], [words_of(first, "du premier")])
        other.claim(ids(deliveries), [words_of(first, "du second"), words_of(second, "du second")])
    found = kept(ledger, ids(deliveries))
    assert found[first.delivery_id].body == "du premier"
    assert found[second.delivery_id].body == "du second"


def test_a_dry_run_keeps_no_words(ledger: PostgresLedger) -> None:
    deliveries = some_deliveries(1)
    run = planned(ledger, deliveries, dry_run=True)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        assert sender.claim(ids(deliveries), [words_of(deliveries[0])]) == frozenset()
    assert kept(ledger, ids(deliveries)) == {}


def test_what_is_said_again_replaces_what_was_said(ledger: PostgresLedger) -> None:
    run_id, [delivery] = a_run(ledger, Channel.EMAIL, 1)
    for body in ("la première fois", "la seconde"):
        with ledger.sender(run_id, Channel.EMAIL) as sender:
            sender.claim([delivery.delivery_id], [words_of(delivery, body)])
            sender.record([answer(delivery, S.PLANNED)])
    assert kept(ledger, [delivery.delivery_id])[delivery.delivery_id].body == "la seconde"


def test_a_claim_without_words_leaves_none(ledger: PostgresLedger) -> None:
    run_id, deliveries = a_run(ledger, Channel.EMAIL, 1)
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        assert sender.claim(ids(deliveries)) == set(ids(deliveries))
    assert kept(ledger, ids(deliveries)) == {}


def test_words_without_their_delivery_undo_the_claim(ledger: PostgresLedger) -> None:
    """Words and claim are one transaction: whoever cannot keep the words has claimed nothing."""
    stranger = SentWords(delivery_id=uuid.uuid4(), subject="", body="à personne")
    with pytest.raises(IntegrityError), ledger.engine.begin() as connection:
        sent_words.keep(connection, ledger.library, [stranger])
    assert rows(ledger, "SELECT * FROM sent_words") == []


def test_another_library_reads_nothing(ledger: PostgresLedger) -> None:
    run_id, deliveries = a_run(ledger, Channel.EMAIL, 1)
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        sender.claim(ids(deliveries), [words_of(deliveries[0])])
    with ledger.engine.begin() as connection:
        assert sent_words.of(connection, "autre", ids(deliveries)) == {}


def test_a_thousand_messages_are_kept_at_once(ledger: PostgresLedger) -> None:
    run_id, deliveries = a_run(ledger, Channel.EMAIL, 1000)
    said = [words_of(one, f"Bonjour,\n\nLe document n° {place}\n" * 60) for place, one in enumerate(deliveries)]
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        sender.claim(ids(deliveries))
    with ledger.engine.begin() as connection:
        sent_words.keep(connection, ledger.library, said)
    assert len(kept(ledger, ids(deliveries))) == 1000
