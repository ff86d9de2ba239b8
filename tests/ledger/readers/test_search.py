"""Readers found by anything that a librarian may have of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from loan_reminders.domain.readers.names import trigrams
from loan_reminders.domain.readers.search import FoundBy, ReaderSearch, ReadersFound
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_loan, a_mobile, a_patron, an_email
from tests.scenes.disputed_loan import TRACKING, a_whole_story, sent
from tests.scenes.ledger_runs import extracted, rows
from tests.simulators.postgres import EmbeddedPostgres

B = FoundBy


@pytest.fixture(scope="module")
def filled(postgres_server: EmbeddedPostgres, ledger_template: str) -> Iterator[PostgresLedger]:
    """A ledger that the tests that only read share: a whole story, and some names."""
    name = postgres_server.create_database(template=ledger_template)
    with connect(postgres_server.url(name), library="demo") as opened:
        a_whole_story(opened, patron=a_patron(mobile=a_mobile("33612345678")))
        with_names(
            opened, "DUPUIS, Élise", "Dupuis-Moreau, Zoé", "O'Brien, Seán", "Sorensen, Ole", "Li, Wei", "李 小龙"
        )
        yield opened
    postgres_server.drop_database(name)


def search(ledger: PostgresLedger, text: str, limit: int = 50) -> ReadersFound:
    return ledger.part(PostgresReaders).find(ReaderSearch.parse(text), limit=limit)


def found(ledger: PostgresLedger, text: str) -> dict[str, FoundBy]:
    return {one.reader.patron_id: one.by[0] for one in search(ledger, text).readers}


def with_names(ledger: PostgresLedger, *names: str) -> None:
    patrons = [
        a_patron(patron_id=f"N{place}", barcode=f"C{place}", email=an_email(f"n{place}@example.fr"), name=name)
        for place, name in enumerate(names)
    ]
    extracted(ledger, [a_loan(loan_id=f"L{one.patron_id}", item_barcode="", patron=one) for one in patrons])


def test_an_empty_ledger_finds_nobody(ledger: PostgresLedger) -> None:
    for text in ("", "   ", "'", "%", "_", "@", "a@", "\x00", "0", "*" * 5000, "1A00000000000", "DUPONT"):
        assert search(ledger, text) == ReadersFound(readers=())


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("P1", B.PATRON_ID),
        (" P1\n", B.PATRON_ID),
        ("2100000000017", B.CARD),
        ("Camille.MARTIN@etu.example.fr", B.EMAIL),
        ("<camille.martin@etu.example.fr>", B.EMAIL),
        ("06 12 34 56 78", B.MOBILE),
        ("+33 (0)6-12-34-56-78", B.MOBILE),
        ("0033612345678", B.MOBILE),
        ("0935000123", B.ITEM),
        ("L1", B.LOAN),
        ("r1-7zk3qd4m", B.REFERENCE),
        (TRACKING, B.TRACKING_NUMBER),
        ("1a 234 567 8901 2", B.TRACKING_NUMBER),
        ("p1", B.PATRON_ID),
        ("2100 0000 000 17", B.CARD),
        ("0935 000 123", B.ITEM),
        ("l1", B.LOAN),
    ],
)
def test_each_kind_of_number_finds_the_one_reader(filled: PostgresLedger, text: str, by: FoundBy) -> None:
    assert found(filled, text) == {"P1": by}
    only = search(filled, text).only
    assert only is not None
    assert only.patron_id == "P1"


def test_a_former_address_and_number_still_find_the_reader(ledger: PostgresLedger) -> None:
    before = a_patron(email=an_email("avant@example.fr"), mobile=a_mobile("33612345601"))
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(a_loan(patron=before),))
    sent(ledger, Channel.SMS, Stage.OVERDUE_NOTICE, loans=(a_loan(patron=before),))
    after = a_patron(email=an_email("apres@example.fr"), mobile=a_mobile("33612345602"))
    extracted(ledger, [a_loan(loan_id="L2", patron=after)], dag_run_id="later", today=DUE_DATE + timedelta(days=30))
    assert found(ledger, "AVANT@example.fr") == {"P1": B.OLD_EMAIL}
    assert found(ledger, "06.12.34.56.01") == {"P1": B.OLD_MOBILE}
    assert found(ledger, "apres@example.fr") == {"P1": B.EMAIL}
    assert found(ledger, "0612345602") == {"P1": B.MOBILE}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("dupuis elise", {"DUPUIS, Élise"}),
        ("ÉLISE Dupuis", {"DUPUIS, Élise"}),
        ("dupuis", {"DUPUIS, Élise", "Dupuis-Moreau, Zoé"}),
        ("moreau", {"Dupuis-Moreau, Zoé"}),
        ("dupuismoreau", {"Dupuis-Moreau, Zoé"}),
        ("obrien", {"O'Brien, Seán"}),
        ("o'brien", {"O'Brien, Seán"}),
        ("puis eli", {"DUPUIS, Élise"}),
        ("sørensen", {"Sorensen, Ole"}),
        ("li", {"Li, Wei"}),
        ("小龙", {"李 小龙"}),
        ("duppuis elise", {"DUPUIS, Élise"}),
        ("dupius", {"DUPUIS, Élise", "Dupuis-Moreau, Zoé"}),
        ("dupuis eilse", {"DUPUIS, Élise"}),
        ("sorensn", {"Sorensen, Ole"}),
        ("dupuis zorro", set()),
        ("xyz", set()),
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_typed(filled: PostgresLedger, text: str, names: set[str]) -> None:
    readers = search(filled, text).readers
    whole = {one.reader.name for one in readers if one.is_exact}
    assert (whole or {one.reader.name for one in readers}) == names


def test_a_whole_name_comes_before_a_part_and_opens_at_once(ledger: PostgresLedger) -> None:
    with_names(ledger, "Martinez, Ana", "Martin, Zoé")
    answer = search(ledger, "martin")
    assert [(one.reader.name, one.by) for one in answer.readers] == [
        ("Martin, Zoé", (B.NAME,)),
        ("Martinez, Ana", (B.PART_OF_NAME,)),
    ]
    assert answer.only is not None
    assert answer.only.name == "Martin, Zoé"
    assert search(ledger, "artin").only is None
    assert search(ledger, "matrin").only is None


def test_a_name_with_a_mistake_is_found_among_thousands_that_are_not_near(ledger: PostgresLedger) -> None:
    words = ("MASSALIN", "OLE")
    rows(
        ledger,
        "INSERT INTO readers (library, patron_id, name, name_words, trigrams, last_seen_on)"
        " SELECT :library, 'T' || place, 'Massalin, Ole', CAST(:words AS text[]), CAST(:trigrams AS text[]),"
        " date '2026-11-01' FROM generate_series(1, 4000) AS place",
        library=ledger.library, words=list(words), trigrams=list(trigrams(words)),
    )  # fmt: skip
    with_names(ledger, "Martin, Zoé")
    assert [one.reader.name for one in search(ledger, "matrin").readers] == ["Martin, Zoé"]
    assert [one.reader.name for one in search(ledger, "zoe matrin").readers] == ["Martin, Zoé"]
    assert search(ledger, "ole matrin") == ReadersFound(readers=())


def test_more_than_a_list_can_hold_is_said(ledger: PostgresLedger) -> None:
    with_names(ledger, *(f"Martin, Zoé {letter}" for letter in "ABCDE"))
    answer = search(ledger, "martin", limit=3)
    assert (len(answer.readers), answer.more, answer.only) == (3, True, None)
    assert search(ledger, "martin", limit=5).more is False


def test_another_library_s_readers_are_not_found(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    rows(ledger, "UPDATE readers SET library = 'other'")
    for text in ("P1", "2100000000017", "camille", TRACKING, "06 12 34 56 78"):
        assert not search(ledger, text).readers


def test_an_erased_reader_is_not_found_and_nothing_breaks(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    rows(ledger, "DELETE FROM readers")
    for text in ("P1", "2100000000017", "camille", TRACKING, "L1", "06 12 34 56 78"):
        assert not search(ledger, text).readers


def test_the_last_message_of_each_reader(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    readers = ledger.part(PostgresReaders)
    assert readers.last_messages([]) == {}
    [(patron_id, last)] = readers.last_messages(["P1", "nobody"]).items()
    assert (patron_id, last.stage, last.channel) == ("P1", Stage.REGISTERED_LETTER, Channel.REGISTERED_LETTER)


def test_the_loans_of_a_reader_with_those_about_which_nothing_left(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    rows(
        ledger,
        "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason) SELECT 'demo', min(run_id), 'NEVER',"
        " date '2027-01-01', 'P1', 'no_recipient' FROM runs",
    )
    readers = ledger.part(PostgresReaders)
    loans = readers.loans_of("P1")
    assert (loans[0].loan_id, loans[0].title) == ("NEVER", None)
    assert {one.loan_id: one.title for one in loans}["L1"] == "Introduction à l'économie"
    assert readers.loans_of("nobody") == ()
