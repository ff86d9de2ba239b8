"""What each figure is held against: the usual or the barest way to do the same, on the same servers.

None of them keeps books: none can say what was sent when it died half-way.
"""

from __future__ import annotations

import json
import os
import smtplib
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.bench.clock import Clock

if TYPE_CHECKING:
    from loan_reminders.domain.notices import Delivery
    from loan_reminders.domain.stages import Channel

QUEUE = """
    CREATE TABLE IF NOT EXISTS message_queue (
        message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, borrower text NOT NULL, letter_code text NOT NULL,
        due_date date NOT NULL, subject text, content text, to_address text, status text NOT NULL,
        queued_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS message_queue_key ON message_queue (borrower, letter_code, due_date);
"""
KNOWN = "SELECT 1 FROM message_queue WHERE borrower = %s AND letter_code = %s AND due_date = %s"
ENQUEUE = (
    "INSERT INTO message_queue (borrower, letter_code, due_date, subject, content, to_address, status)"
    " VALUES (%s, %s, %s, %s, %s, %s, 'pending')"
)
CONTENT = "Bonjour,\n\n" + "Le document suivant est à rendre : Introduction à l'économie, 330 DUR.\n" * 10


def insert_one_by_one(clock: Clock, *, url: str, today: str, notices: int, warm_up: int = 100) -> dict[str, float]:
    """The classic way: read the rows, and for each reader a SELECT to see whether the notice is there, then an INSERT.

    One process, one connection, autocommit. The rows are read at the same door. Answers the seconds spent in SQL.
    """
    import psycopg

    from loan_reminders.domain.loans import Loan
    from loan_reminders.settings.library_toml import settings
    from tests.bench.rows import ListedRows, Reach, contract_rows

    codes, day, in_sql = settings().codes(), date.fromisoformat(today), Clock()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(QUEUE)
        connection.execute("TRUNCATE message_queue")

        def enqueue(rows: list[dict[str, Any]]) -> None:
            readers: dict[str, list[Loan]] = {}
            for loan in ListedRows(rows, codes).loans_due(day, today=day):
                if isinstance(loan, Loan):
                    readers.setdefault(loan.patron.patron_id, []).append(loan)
            with in_sql:
                for reader, loans in readers.items():
                    key = (reader, "ODUE", loans[0].due_date)
                    if connection.execute(KNOWN, key).fetchone() is None:
                        connection.execute(ENQUEUE, (*key, "Avis", CONTENT, str(loans[0].patron.email)))

        enqueue(contract_rows(warm_up, due=day, reach=Reach(), first=900_000))
        rows = contract_rows(notices, due=day, reach=Reach(), first=1)
        in_sql.seconds = 0.0
        with clock:
            enqueue(rows)
    return {"in_sql": in_sql.seconds}


def waiting(run_id: int, channel: Channel, limit: int) -> list[Delivery]:
    """Deliveries of a planned run, which stay planned."""
    from loan_reminders.hooks.ledger import ledger
    from loan_reminders.settings.library_toml import settings

    with ledger(library=settings().library.code) as books, books.sender(run_id, channel) as sender:
        found: list[Delivery] = []
        for page in sender.waiting():
            found += page
            if len(found) >= limit:
                break
    return found[:limit]


def send_bare_emails(clock: Clock, *, stage: str, today: str, run_id: int, count: int) -> None:
    """The same bytes by smtplib's `sendmail`, already composed, a thread a connection, nothing written down."""
    from loan_reminders.domain.stages import Channel
    from loan_reminders.settings.library_toml import settings
    from tests.bench.smtp_step import composer

    ours, compose = settings().email, composer(stage, today)
    messages = [compose(delivery) for delivery in waiting(run_id, Channel.EMAIL, count)]
    server = json.loads(os.environ["AIRFLOW_CONN_MAIL_RELAY"])

    def send(share: Sequence[Any]) -> None:
        with smtplib.SMTP(server["host"], server["port"]) as smtp:
            for message in share:
                smtp.sendmail(ours.sender_address, [message.recipient.value], message.content)

    send(messages[:20])
    with ThreadPoolExecutor(ours.connections) as pool, clock:
        _all_done(pool, send, [messages[place :: ours.connections] for place in range(ours.connections)])


def _all_done(pool: ThreadPoolExecutor, send: Callable[[Sequence[Any]], None], shares: list[Sequence[Any]]) -> None:
    for future in [pool.submit(send, share) for share in shares]:
        future.result()


def post_one_by_one(clock: Clock, *, stage: str, today: str, run_id: int, count: int) -> None:
    """The same SMS, already composed, a POST each on one kept connection, nothing written down."""
    import requests

    from loan_reminders.domain.stages import Channel, Stage
    from loan_reminders.services.compose import text_composer
    from loan_reminders.settings.library_toml import TEMPLATES, settings

    ours = settings().sms
    compose = text_composer(
        TEMPLATES,
        settings().text_rules(),
        stage=Stage(stage),
        library=settings().identity(),
        clock=lambda: datetime.combine(date.fromisoformat(today), datetime.min.time(), settings().zone),
    )
    server = json.loads(os.environ["AIRFLOW_CONN_ALLMYSMS"])
    address = f"http://{server['host']}:{server['port']}/http/9.0/sendSms/"
    bodies = [
        urlencode(
            {
                "login": server["login"],
                "apiKey": server["password"],
                "returnformat": "json",
                "smsData": f"<DATA><MESSAGE>{text.text}</MESSAGE><TPOA>{ours.sender}</TPOA>"
                f"<SMS><MOBILEPHONE>{text.recipient.value}</MOBILEPHONE></SMS></DATA>",
            }
        )
        for text in map(compose, waiting(run_id, Channel.SMS, count))
    ]
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    with requests.Session() as session:

        def post(some: list[str]) -> None:
            for body in some:
                answer = session.post(address, data=body, headers=headers, timeout=10).json()
                if answer["status"] != 100:
                    raise RuntimeError(f"the simulator refuses: {answer['status']}")

        post(bodies[:20])
        with clock:
            post(bodies)


def print_at_once(clock: Clock, *, stage: str, today: str, run_id: int, count: int) -> dict[str, int]:
    """The same letters by one process and one compilation of all of them."""
    from loan_reminders.domain.stages import Channel, Stage
    from loan_reminders.rendering.letters.renderer import LetterRenderer
    from loan_reminders.settings.library_toml import ROOT, settings

    day = date.fromisoformat(today)
    renderer = LetterRenderer(ROOT / "templates", library=settings().identity(), workers=1, chunk_size=count)
    letters = [renderer.letter(delivery, today=day) for delivery in waiting(run_id, Channel.LETTER, count)]
    with tempfile.TemporaryDirectory(prefix="letters-") as folder, clock:
        printed = renderer.print_batch(letters, stage=Stage(stage), kind=Channel.LETTER, today=day, folder=Path(folder))
    return {"letters": len(printed.letters), "pages": printed.pages}
