"""A closed batch of letters on a real ledger, its PDF in a folder, and its loans in an ILS on the Oracle wire."""

from __future__ import annotations

import io
import sqlite3
from dataclasses import dataclass

import pypdf

from loan_reminders.domain.messages import LetterBatch, PlacedLetter
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron, an_address
from tests.scenes.ledger_runs import answer, ids, planned, rows


@dataclass
class Desk:
    """A batch of four letters of two pages each; reader 4 has two loans, the others one."""

    ledger: object
    batch_id: int
    deliveries: tuple
    database: object
    folder: object

    @property
    def path(self):
        return f"/lots/{self.batch_id}"

    def events(self):
        return [tuple(row) for row in rows(self.ledger, "SELECT act, who FROM letter_events ORDER BY event_id")]

    def state(self):
        return rows(self.ledger, "SELECT state FROM letter_batches")[0][0]

    def days_ago(self, days=2):
        rows(self.ledger, f"UPDATE letter_batches SET at = at - interval '{days} days'")

    def note_return(self, *loans):
        with sqlite3.connect(self.database) as connection:
            for loan in loans:
                key, _, number = loan.loan_id.rpartition("-")
                found = connection.execute(
                    "UPDATE z36 SET z36_status = 'R', z36_returned_date = 20261101"
                    " WHERE z36_rec_key = ? AND z36_number = ?",
                    (key, number),
                )
                assert found.rowcount == 1
        connection.close()


def a_pdf(texts):
    import pikepdf
    import typst

    pages = "\n#pagebreak()\n".join(texts)
    source = f'#set page("a4")\n#set document(title: "Lot")\n{pages}'.encode()
    with pikepdf.open(io.BytesIO(typst.compile(source, pdf_tags=False))) as pdf:
        with pdf.open_outline() as outline:
            outline.root.clear()
            outline.root.extend(pikepdf.OutlineItem(f"LETTRE{n}", 2 * (n - 1)) for n in range(1, len(texts) // 2 + 1))
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def _reader(n):
    return a_patron(patron_id=f"P{n}", name=f"Lecteur {n}", address=an_address(f"LECTEUR {n}", "1 RUE", "06000 NICE"))


def closed_batch(ledger, database, folder, groups):
    deliveries = tuple(
        a_delivery(
            channel=Channel.LETTER,
            notice=a_notice(
                stage=Stage.FIRST_REMINDER,
                loans=tuple(
                    a_loan(
                        loan_id=loan.loan_id,
                        due_date=loan.due_date,
                        patron=a_patron(
                            patron_id=f"P{n}",
                            name=f"Lecteur {n}",
                            address=an_address(f"LECTEUR {n}", "1 RUE", "06000 NICE"),
                        ),
                    )
                    for loan in loans
                ),
            ),
        )
        for n, loans in enumerate(groups, start=1)
    )
    (folder / "lot").mkdir(parents=True)
    texts = [f"LETTRE{n} page {side}" for n in range(1, 5) for side in (1, 2)]
    (folder / "lot" / "lettres.pdf").write_bytes(a_pdf(texts))
    placed = tuple(
        PlacedLetter(delivery_id=one.delivery_id, reference=f"REF-{n}", volume=1, first_page=2 * n - 1, last_page=2 * n)
        for n, one in enumerate(deliveries, start=1)
    )
    batch = LetterBatch(
        name="lot",
        pdf="lot/lettres.pdf",
        csv="lot/destinataires.csv",
        letters=4,
        pages=8,
        sha256="0" * 64,
        placed=placed,
    )
    run = planned(ledger, deliveries, stage=Stage.FIRST_REMINDER)
    with ledger.sender(run.run_id, Channel.LETTER) as sender:
        sender.claim(ids(deliveries))
        batch_id = sender.record_batch(batch, [answer(one, DeliveryState.ACCEPTED) for one in deliveries])
    return Desk(ledger, batch_id, deliveries, database, folder)


def pages(content):
    with pypdf.PdfReader(io.BytesIO(content)) as reader:
        return [page.extract_text() for page in reader.pages], [item.title for item in reader.outline]
