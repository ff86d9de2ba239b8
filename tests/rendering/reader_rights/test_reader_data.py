"""A reader's data as PDF: all of it in words, without any agent's name, archivable, and nothing that data could do."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from pypdf import PdfReader

from loan_reminders.domain.errors import LettersNotPrinted
from loan_reminders.domain.readers.amendments import AmendedField
from loan_reminders.domain.stages import Channel, Policy, Stage
from loan_reminders.french.pages.reader_rights import TABLES, information
from loan_reminders.ledger.json_codecs import encode_recipient
from loan_reminders.ledger.reader_rights.catalogue import OF_READERS
from loan_reminders.ledger.reader_rights.everything import PostgresReaderData
from loan_reminders.ledger.readers.amendments import PostgresAmendments
from loan_reminders.ledger.retention.fingerprints import make_fingerprints
from loan_reminders.ledger.suppressions.objections import PostgresObjections
from loan_reminders.rendering.reader_rights.renderer import ReaderDataRenderer, as_json
from tests.scenes.builders import a_library, a_loan, a_patron, an_address, an_email
from tests.scenes.disputed_loan import TRACKING, a_whole_story, sent
from tests.scenes.holds import hold
from tests.scenes.ledger_runs import rows

MOMENT = datetime(2027, 1, 11, 9, 30, tzinfo=UTC)
TOLD = information(erased_after=(4, 12), policy=Policy(rules=()), email="prets@bu.example.fr")


def volume(_location):
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(3):
            pdf.add_blank_page()
        with pdf.open_metadata() as metadata:
            metadata["pdfaid:part"], metadata["pdfaid:conformance"] = "2", "A"
        pdf.save(out)
    yield out.getvalue()


def everything(ledger, patron_id="P1"):
    found = ledger.part(PostgresReaderData).gather(patron_id)
    assert found is not None
    return found


def made(ledger, **options):
    renderer = ReaderDataRenderer(a_library(), zone=UTC, **options)
    return renderer.render_reader(everything(ledger), told=TOLD, read=volume, made_at=MOMENT)


def text_of(pdf):
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages]
    return " ".join(" ".join(pages).replace("\u200b", "").split())


def test_every_table_of_readers_has_a_name_in_words():
    assert set(TABLES) == set(OF_READERS)


def test_all_of_it_is_told_in_words_and_the_letters_follow(ledger):
    a_whole_story(ledger)
    ledger.part(PostgresObjections).note(patron_id="P1", channel=Channel.SMS, reason="trop de SMS", who="zoé")
    ledger.part(PostgresAmendments).note(
        patron_id="P1",
        field=AmendedField.EMAIL,
        value=an_email("camille@neuve.example.fr"),
        reason="a changé",
        who="zoé",
    )
    hold(ledger, "P1", until=datetime(2027, 2, 1, tzinfo=UTC).date(), reason="demande à l'examen")
    rows(ledger, "INSERT INTO sms_replies (library, reply_id, phone_number, text) VALUES"
                 " ('demo', 'r', '33639980001', 'Je rends demain')")  # fmt: skip
    pdf = made(ledger)
    text = text_of(pdf)
    for words in (
        "Ce que la bibliothèque garde de vous", "11/01/2027 à 09:30:00", "Camille Martin", "+33639980001",
        "12 RUE DES LILAS", "Introduction à l'économie", "0935000123", "26/11/2026", "- L'Étranger",
        "250 2.0.0 OK queued as 4XyZ", "550 5.1.1 user unknown", TRACKING, "trop de SMS", "aucun SMS",
        "camille@neuve.example.fr", "demande à l'examen", "Je rends demain", "adresse électronique morte",
        "4 mois après le retour", "www.cnil.fr", "prets@bu.example.fr", "Mots des messages",
    ):  # fmt: skip
        assert words in text, words
    assert "celui-ci" not in text
    for name in ("chloé", "zoé"):
        assert name not in text, name
    assert (pdf.deliveries, pdf.missing) == (4, 0)
    with pikepdf.open(io.BytesIO(pdf.content)) as read:
        assert read.open_metadata().pdfa_status == "2B"
        assert len(read.pages) == pdf.pages


def test_a_loan_that_came_twice_is_told_without_the_programs_names(ledger):
    a_whole_story(ledger)
    rows(ledger, "UPDATE skips SET reason = 'duplicate_row', raw = (SELECT record FROM loans_seen LIMIT 1)")
    text = text_of(made(ledger))
    assert "camille.martin@" in text
    assert not [sign for sign in ("patron_id", "{'", "True") if sign in text]


def test_the_json_says_the_same_for_programs(ledger):
    a_whole_story(ledger)
    document = json.loads(as_json(everything(ledger), a_library(), told=TOLD, made_at=MOMENT))
    assert document["fait_le"] == "2027-01-11T09:30:00+00:00"
    assert set(document["donnees"]) >= {"readers", "loans_seen", "deliveries", "sent_words", "letters", "suppressions"}
    assert "chloé" not in json.dumps(document, ensure_ascii=False)
    assert document["donnees"]["sent_words"]["lignes"][0]["body"].startswith("Bonjour")


@pytest.mark.parametrize(
    "evil", ['#panic("x") *gras* $x^2$ @ref #read("/etc/passwd")', "ספר \u202eעברית\u202c", "A" * 5000]
)
def test_what_others_wrote_is_text_and_never_stops_the_file(ledger, evil):
    loan = a_loan(title=evil, author=evil, price_text=evil, patron=a_patron(name=evil, barcode=evil))
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(loan,), words=(evil, evil), raw=evil)
    rows(ledger, "INSERT INTO journal (library, who, act, patron_id, detail) VALUES ('demo', 'z', 'held', 'P1', :evil)",
         evil=evil)  # fmt: skip
    rows(ledger, "UPDATE skips SET raw = CAST(:raw AS jsonb)", raw=json.dumps({"NOM": evil}))
    assert made(ledger).pages


def test_a_site_whose_templates_are_older_gets_the_delivered_page(ledger, tmp_path):
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    assert made(ledger, templates=tmp_path).pages


def test_a_page_that_fails_is_told_without_the_reader(ledger, tmp_path):
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    (tmp_path / "_layouts").mkdir()
    Path(tmp_path / "_layouts/reader.typ").write_text("#assert(false)", encoding="utf-8")
    with pytest.raises(LettersNotPrinted) as caught:
        made(ledger, templates=tmp_path)
    assert "Camille" not in str(caught.value)


def test_a_stop_is_told_whatever_loans_are_kept_and_though_only_its_hash_is(ledger):
    """The reader was removed, and came back; of the loan that brought him back nothing is left either."""
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    with ledger.engine.begin() as connection:
        ours = make_fingerprints(connection, "demo")
    rows(ledger, "UPDATE retention_state SET hides_contacts = true")
    address = encode_recipient(an_address())
    for channel, contact, reason in (("sms", "33639980001", "stop"), ("letter", address, "returned_undeliverable")):
        recipient = ours.of_recipient(channel, contact) if channel == "sms" else contact
        rows(
            ledger,
            "INSERT INTO suppressions (library, channel, recipient, reason, source, since, lifted_at, lifted_by) VALUES"
            " ('demo', :channel, :recipient, :reason, 'reply', '2026-11-01 09:00Z', '2026-12-01 10:00Z', 'zoé')",
            channel=channel, recipient=recipient, reason=reason,
        )  # fmt: skip
    for loans in (True, False):
        if not loans:
            rows(ledger, "DELETE FROM loans_seen")
            rows(ledger, "UPDATE notices SET loan_ids = '{}'")
        text = text_of(made(ledger))
        told = text.split("Désinscriptions et coordonnées écartées")[-1]
        assert "01/11/2026" in told
        assert ("+33639980001" in told, "levée le 01/12/2026" in told, "zoé" in text) == (True, True, False)
        assert ("12 RUE DES LILAS" in told.split("Envois, un par un")[0]) is loans
