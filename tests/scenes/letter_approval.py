"""A librarian's desk on the day of the registered letters: prepare, ask, answer, print, look."""

from __future__ import annotations

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.services.registered.approval import approval_question, approve, refuse
from tests.scenes.letter_readers import by_post

R, S = Channel.REGISTERED_LETTER, DeliveryState


class ApprovalDesk:
    def __init__(self, world, folder):
        self.world, self.folder = world, folder

    def drafted(self, count=3):
        run_id = self.world.begin(*(by_post(number) for number in range(1, count + 1)))
        assert self.prepare(run_id) == {"drafts": 1, "letters": count}
        return run_id

    def prepare(self, run_id, **more):
        return self.world.prepare_letters(run_id, self.folder, **more)

    def question(self, run_id):
        return approval_question(self.world.ledger, run_id=run_id, pages="/relances/lots")

    def approve(self, run_id, references="", detail=""):
        return approve(self.world.ledger, run_id=run_id, who="biblio", references=references, detail=detail)

    def refuse(self, run_id, detail=""):
        return refuse(self.world.ledger, run_id=run_id, who="biblio", detail=detail)

    def print(self, run_id, **more):
        return self.world.print_letters(run_id, self.folder, approved_only=True, **more)

    def references(self, run_id):
        return [letter.reference for letter in self.world.ledger.drafts().letters(run_id)]

    def batches(self, *states):
        return self.world.ledger.letters().batches(states=states)

    def stored(self):
        return sorted(str(path.parent.relative_to(self.folder)) for path in self.folder.glob("**/lettres.pdf"))

    def states(self):
        with self.world.ledger.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT state, reason FROM deliveries ORDER BY state, reason").all()
        return [tuple(row) for row in rows]

    def events(self, *acts):
        query = "SELECT act, who, detail FROM letter_events ORDER BY event_id"
        with self.world.ledger.engine.connect() as connection:
            rows = connection.exec_driver_sql(query).all()
        return [tuple(row) for row in rows if row.act in acts]
