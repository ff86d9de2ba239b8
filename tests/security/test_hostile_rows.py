"""A row of the library system that was filled in on purpose, through whole runs on a real ledger and mail server."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import a_loan, a_mobile, a_patron, an_email
from tests.scenes.ledger_runs import rows

SQL = "'); DROP TABLE deliveries; --"


def test_a_row_that_looks_like_sql_is_a_value(world):
    reader = a_patron(patron_id=SQL, barcode=SQL, name=SQL)
    fields = dict.fromkeys(("title", "author", "call_number", "item_barcode", "branch", "item_status"), SQL)
    books = world.whole_run(a_loan(loan_id=SQL, patron=reader, **fields))
    assert books.problems() == ()
    assert books.deliveries[Channel.EMAIL] == {DeliveryState.ACCEPTED: 1}
    [(kept,)] = rows(world.ledger, "SELECT patron_id FROM readers")
    assert kept == SQL
    [message] = world.mail.messages()
    assert SQL in message.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    "number",
    [
        "0899 70 12 34",  # of several euros a call
        "3620",
        "+881 6 1234 5678",  # by satellite
        "+1 900 555 0123",
        "0162 12 34 56",
        "01 42 34 56 78",
    ],
)
def test_no_sms_goes_to_a_number_that_costs_more(number):
    with pytest.raises(RecipientError):
        MobileNumber.parse(number, countries=frozenset(settings().sms.countries))


def test_an_email_tells_the_mail_server_no_more_than_it_must(world):
    reader = a_patron(mobile=a_mobile("33612345678"), email=an_email("camille@etu.example.fr"))
    world.whole_run(a_loan(patron=reader))
    [message] = world.mail.messages()
    whole = message.as_string() + "".join(part.get_content() for part in message.walk() if not part.is_multipart())
    assert "Introduction à l'économie" in whole
    for unneeded in (reader.barcode, "612345678", "LILAS", "Lilas", "0935000123", '"P1"'):
        assert unneeded not in whole, unneeded
