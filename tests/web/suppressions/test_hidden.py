"""A number of which only a hash is kept, on the page: shown as such, found by the number, lifted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loan_reminders.domain.retention.terms import Terms
from loan_reminders.ledger.removal.removal import CONTACTS, PostgresRetention
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, reply
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")


def test_a_hash_is_shown_found_by_its_number_and_lifted(ledger):
    ledger.feedback().keep_replies([reply("STOP", NUMBER, reply_id="mo-1", minutes=0)])
    ledger.feedback().settle(failures=2)
    rows(ledger, "UPDATE suppressions SET at = at - interval '2 years', since = since - interval '2 years'")
    terms = Terms.on(datetime.now(UTC).date(), loan_months=4, reader_months=12)
    removed, _ = ledger.part(PostgresRetention).remove(CONTACTS, terms, after=None, rehearse=False, who="")
    assert removed.contacts == 1
    with browsing() as client:
        page = client.get("/desinscriptions").text
        assert ("numéro effacé (une empreinte reste)" in page, "06 39 98 00 01" in page) == (True, False)
        found = client.post("/desinscriptions/recherche", data={"numero": "06 39 98 00 01"}).text
        assert "numéro effacé (une empreinte reste)" in found
        other = client.post("/desinscriptions/recherche", data={"numero": "06 39 98 00 02"}).text
        assert "numéro effacé (une empreinte reste)" not in other
        [[line]] = rows(ledger, "SELECT suppression_id FROM suppressions")
        assert client.post(f"/desinscriptions/{line}/levee", data={"raison": "demandé au guichet"}).status_code == 303
    assert rows(ledger, "SELECT lifted_because FROM suppressions")[0][0] == "demandé au guichet"
