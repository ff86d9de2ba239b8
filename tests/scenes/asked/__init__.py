"""Everything that runs, pages and nights ask of a ledger, a module for each subject: for the test of its plans.

A new question of the ledger is asked here, by a function of its subject's module; `EVERYTHING` is asked once, in order.
"""

from __future__ import annotations

from tests.scenes.asked.consents import consents
from tests.scenes.asked.desk import pages
from tests.scenes.asked.feedback import bounces, feedback
from tests.scenes.asked.holds import held, resent
from tests.scenes.asked.installation import installation
from tests.scenes.asked.letters import drafts, letters, registered
from tests.scenes.asked.lists import contacts, journal
from tests.scenes.asked.marks import marks
from tests.scenes.asked.reader_rights import reader_rights
from tests.scenes.asked.readers import readers
from tests.scenes.asked.retention import retention
from tests.scenes.asked.run_pages import run_pages
from tests.scenes.asked.runs import failed, runs, sending
from tests.scenes.asked.statistics import figures

EVERYTHING = (
    runs, sending, failed, held, resent, letters, drafts, registered, pages, run_pages, feedback, bounces,
    journal, contacts, readers, figures, marks, reader_rights, retention, consents, installation,
)  # fmt: skip
