"""A reader's data as a file: who made it is kept, what is logged names nobody, and nobody gets nothing."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

import pikepdf
import pytest

from loan_reminders.ledger.reader_rights.everything import PostgresReaderData
from loan_reminders.services.reader_rights.give_data import DataForm, give_data
from tests.scenes.builders import a_library
from tests.scenes.disputed_loan import a_whole_story
from tests.scenes.ledger_runs import rows

MOMENT = datetime(2027, 1, 11, 9, 30, tzinfo=UTC)


class NoLetters:
    """A store whose files are gone."""

    def read(self, location):
        raise FileNotFoundError(location)
        yield b""


def give(ledger, patron_id="P1", form=DataForm.JSON):
    return give_data(
        ledger.part(PostgresReaderData), NoLetters(), a_library(), patron_id, form=form,
        told=(("Pourquoi", "Relancer"),), who="chloé", made_at=MOMENT, zone=UTC,
    )  # fmt: skip


@pytest.mark.parametrize("form", DataForm)
def test_it_is_made_and_kept_in_the_journal_and_the_log_names_nobody(ledger, caplog, form):
    a_whole_story(ledger)
    with caplog.at_level(logging.INFO):
        made = give(ledger, form=form)
    assert made is not None
    assert made.rows > 10
    assert rows(ledger, "SELECT who, facts FROM journal WHERE act = 'reader_data_given'") == [
        ("chloé", {"form": form.value})
    ]
    assert not any(word in caplog.text for word in ("Camille", "camille", "33639980001", "P1"))
    assert "P1" not in form.file_name
    if form is DataForm.PDF:
        assert made.missing == 2
        with pikepdf.open(io.BytesIO(made.content)) as pdf:
            assert pdf.open_metadata().pdfa_status == "2A"
    else:
        document = json.loads(made.content)
        assert (document["lecteur"], document["informations"]) == ("P1", {"Pourquoi": "Relancer"})
        assert document["donnees"]["mail_bounces"]["contenu"] == "E-mails revenus"


def test_nobody_gets_nothing(ledger):
    assert give(ledger, "P9") is None
    assert rows(ledger, "SELECT 1 FROM journal") == []
