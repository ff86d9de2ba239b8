"""A closed batch of letters on a real ledger, its PDF in a folder, and its loans in an ILS on the Oracle wire."""

from __future__ import annotations

import io
import sqlite3
from dataclasses import dataclass

import pypdf

from loan_reminders.domain.stages import Channel, Stage
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron, an_address
from tests.scenes.ledger_letters import a_batch, close_batch
from tests.scenes.ledger_runs import rows


@dataclass
class BatchOnDesk:
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
    """One letter for each group of loans, to a reader of its own, with the batch's PDF in the folder."""
    deliveries = tuple(
        a_delivery(
            channel=Channel.LETTER,
            notice=a_notice(
                stage=Stage.FIRST_REMINDER,
                loans=tuple(
                    a_loan(
                        loan_id=loan.loan_id,
                        due_date=loan.due_date,
                        patron=_reader(n),
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
    batch = a_batch(deliveries, references=[f"REF-{n}" for n in range(1, len(deliveries) + 1)])
    _, batch_id = close_batch(ledger, deliveries, batch)
    return BatchOnDesk(ledger, batch_id, deliveries, database, folder)


def pages(content):
    with pypdf.PdfReader(io.BytesIO(content)) as reader:
        return [page.extract_text() for page in reader.pages], [item.title for item in reader.outline]
