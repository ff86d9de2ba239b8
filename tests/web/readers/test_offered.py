"""What can be done about a reader, whichever page of his loans is shown."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import a_loan
from tests.scenes.disputed_loan import sent
from tests.web.client import browsing


def test_a_loan_that_is_not_on_the_page_can_be_held_or_contested_too(installed, ledger):
    today = datetime.now(settings().zone).date()
    for place, days in enumerate([*range(10), -1000]):
        loan = a_loan(loan_id=f"L{place:02}", title=f"Livre {place:02}", due_date=today + timedelta(days=days))
        sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(loan,))
    with browsing() as client:
        page = client.get(f"/lecteurs/{ledger.part(PostgresReaders).number_of('P1')}").text
    forms = [
        page.partition(f'action="/lecteurs/{form}"')[2].partition("</form>")[0] for form in ("suspension", "litige")
    ]
    offered = [sorted(re.findall(r'<option value="(L\d\d)">Livre', form)) for form in forms]
    assert offered == [[f"L{place:02}" for place in range(number)] for number in (10, 11)]
