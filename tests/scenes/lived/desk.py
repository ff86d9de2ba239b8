"""What librarians do on a day: approve and print letters, number, post, note what came back, look at readers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.letters.batches import BatchState, RegisteredState
from loan_reminders.domain.readers.corrections import CorrectionOutcome
from loan_reminders.domain.registered.steps import RegisteredLetter
from loan_reminders.domain.runs.holds import HoldRefused
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.journal import PostgresJournal
from loan_reminders.ledger.letters.print_checks import PostgresPrintChecks
from loan_reminders.ledger.readers.corrections import PostgresCorrections
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.services.letters import print_checks
from loan_reminders.services.letters.batch_desk import BatchDesk
from loan_reminders.services.registered import approval, following
from loan_reminders.services.runs.close import close_run
from loan_reminders.settings.library_toml import TEMPLATES
from tests.scenes.lived.morning import LIBRARIAN, Morning
from tests.scenes.lived.outside import luck

COLLEAGUE = "chef"
_RECENT = text("""
    SELECT notice.patron_id FROM notices notice WHERE notice.library = :library AND notice.stage <> 'courtesy_notice'
    ORDER BY notice.run_id DESC, notice.notice_id LIMIT 40
""")
_A_LOAN = text("""
    SELECT loan_id FROM loans_seen WHERE patron_id = :patron_id AND run_id = (
        SELECT max(run_id) FROM notices WHERE library = :library AND patron_id = :patron_id
    ) ORDER BY loan_id LIMIT 1
""")
WHY_HELD = (
    "Dit l'avoir rendu : nous cherchons en rayon",
    "Hospitalisation, vu avec la famille",
    "Prêt entre bibliothèques, retard connu",
    "Boîte de retour en panne ce jour-là",
)
WHY_IGNORED = ("Ne vient plus : inscription terminée", "Joint par téléphone")


@dataclass
class LibrariansDay:
    """The librarians, from Monday to Saturday. `numbers` counts the stickers of La Poste that were used."""

    morning: Morning
    numbers: int = 0

    def approve(self) -> None:
        """Approve the registered letters that wait; now and then one is taken out, with a reason."""
        work = self.morning
        for run_id in work.unapproved:
            waiting = [letter for letter in work.ledger.drafts().letters(run_id) if letter.waiting]
            taken_out = waiting[0].reference if len(waiting) > 2 and luck(str(run_id), 6) == 0 else ""
            detail = approval.REASONS[luck(f"{run_id}?", len(approval.REASONS))] if taken_out else ""
            approval.approve(work.ledger, run_id=run_id, who=LIBRARIAN, references=taken_out, detail=detail)
            work.letters(run_id, Channel.REGISTERED_LETTER)
            close_run(work.ledger, run_id=run_id)
        work.unapproved = []

    def print_batches(self) -> None:
        """Take the batches that are ready to the printer; those of an earlier day are asked about in the ILS first."""
        work = self.morning
        letters, checks = work.ledger.letters(), work.ledger.part(PostgresPrintChecks)
        desk = BatchDesk(
            batches=letters,
            drafts=work.ledger.drafts(),
            archive=work.store,
            source=lambda: work.ils,
            now=work.now,
            library=work.settings.identity(),
            templates=TEMPLATES,
        )
        for batch in letters.batches(states=(BatchState.READY,)):
            with suppress(LetterStepRefused):  # all its readers brought their books back: nothing to print
                if desk.must_ask(batch.batch_id):
                    key = print_checks.begin(desk, checks, batch.batch_id, who=LIBRARIAN)
                    if key is not None:
                        print_checks.ask(desk, checks, key, batch.batch_id, who=LIBRARIAN)
                desk.letters_to_print(batch.batch_id)
                letters.mark_printed(batch.batch_id, who=LIBRARIAN)

    def number(self) -> None:
        """Stick a number on every registered letter that was printed, by a file as the scanner gives it."""
        registered = self.morning.ledger.registered()
        lines = []
        for letter in registered.in_state(RegisteredState.PRINTED):
            self.numbers += 1
            lines.append(f"{letter.reference};1A{20_260_000_000 + self.numbers:011d}")
        if lines:
            following.import_numbers(
                registered, "\n".join(["reference;numero_recommande", *lines]).encode(), who=LIBRARIAN
            )

    def post(self) -> None:
        """Take what is numbered to the post office."""
        registered = self.morning.ledger.registered()
        for batch in registered.batches_to_post():
            if any(letter.batch_id == batch.batch_id for letter in registered.in_state(RegisteredState.NUMBERED)):
                following.post_batch(registered, batch.batch_id, day=self._today(), now=self.morning.now, who=LIBRARIAN)

    def note_returns(self) -> None:
        """What the postman brought back: acknowledgements after some days, letters nobody fetched, bad addresses."""
        registered = self.morning.ledger.registered()
        today = self.morning.now.date()
        for letter in registered.in_state(RegisteredState.POSTED):
            outcome, after = _fate(letter)
            if outcome and letter.life.posted_on and today >= letter.life.posted_on + timedelta(days=after):
                following.note_outcome(
                    registered,
                    text=letter.life.tracking_number or "",
                    outcome=outcome,
                    day=self._today(),
                    now=self.morning.now,
                    who=COLLEAGUE if luck(letter.reference, 3) == 0 else LIBRARIAN,
                )

    def letters_came_back(self) -> None:
        """Now and then an ordinary letter comes back as undeliverable."""
        work = self.morning
        if luck(f"{work.now:%Y%j}", 6):
            return
        for batch in work.ledger.letters().batches(states=(BatchState.PRINTED,), limit=12)[8:]:
            if batch.kind is Channel.LETTER:
                letter = work.ledger.letters().letters_of(batch.batch_id)[0]
                if letter.left_out is None:
                    work.ledger.desk().note_return(letter.reference, since=work.now, who=LIBRARIAN)
                return

    def settle_some(self) -> None:
        """See to readers whose message did not arrive, those of last week at the latest, and to what they answered."""
        work = self.morning
        desk = work.ledger.desk()
        listed = desk.work(since=work.now - timedelta(days=14), doubtful_before=work.now - timedelta(days=1), limit=100)
        for line in (*listed.in_doubt, *listed.not_arrived):
            if line.day <= work.now.date() - timedelta(days=5 + luck(str(line.delivery_id), 6)):
                desk.settle(line.delivery_id, who=LIBRARIAN)
        for reply in listed.replies:
            if reply.at <= work.now - timedelta(days=2 + luck(str(reply.reply_number), 4)):
                desk.settle_reply(reply.reply_number, who=LIBRARIAN)

    def look_at_readers(self) -> None:
        """Readers come to the desk and ask: their pages are opened, which the journal keeps."""
        work = self.morning
        with work.ledger.engine.connect() as connection:
            readers = list(connection.execute(_RECENT, {"library": work.ledger.library}).scalars())
        journal = work.ledger.part(PostgresJournal)
        for number in range(1 + luck(f"{work.now:%Y%j}", 4)):
            if readers:
                who = (LIBRARIAN, COLLEAGUE)[luck(f"{work.now:%j}{number}", 2)]
                reader = readers[luck(f"{work.now:%j}-{number}", len(readers))]
                journal.keep(who=who, act=JournalAct.READER_SEEN, patron_id=reader)
                if number == 1:
                    journal.keep(who=who, act=JournalAct.CONTACTS_SHOWN, patron_id=reader)

    def hold_some(self) -> None:
        """A reader says that the book was returned, another one is ill: nothing is written until a day."""
        work, day = self.morning, self.morning.now.date()
        if luck(f"{day:%Y%j}h", 4):
            return
        holds = work.ledger.part(PostgresHolds)
        with work.ledger.engine.connect() as connection:
            readers = list(connection.execute(_RECENT, {"library": work.ledger.library}).scalars())
            if not readers:
                return
            reader = readers[luck(f"{day:%j}held", len(readers))]
            asked = {"library": work.ledger.library, "patron_id": reader}
            loan = connection.execute(_A_LOAN, asked).scalar_one_or_none() or ""
        number = luck(f"{day:%Y%j}why", len(WHY_HELD))
        holds.place(
            patron_id=reader,
            loan_id="" if number == 1 else loan,
            until=day + timedelta(days=5 + luck(f"{day:%j}until", 20)),
            reason=WHY_HELD[number],
            who=LIBRARIAN,
            today=day,
        )
        for held in holds.of_reader(readers[0])[:1]:
            with suppress(HoldRefused):
                holds.lift(held.hold_id, reason="Retrouvé en rayon, rendu", who=COLLEAGUE, today=day)

    def correct_some(self) -> None:
        """Contacts that were put right in the ILS, and those with which nothing can be done."""
        corrections = self.morning.ledger.part(PostgresCorrections)
        for line in corrections.lines(limit=8):
            chance = luck(f"{line.correction_id}!", 6)
            if chance == 0:
                because = WHY_IGNORED[luck(line.patron_id, len(WHY_IGNORED))]
                corrections.settle(line.correction_id, CorrectionOutcome.IGNORED, who=COLLEAGUE, because=because)
            elif chance < 4:
                corrections.settle(line.correction_id, CorrectionOutcome.CORRECTED, who=LIBRARIAN)

    def _today(self) -> str:
        return self.morning.now.date().isoformat()


def _fate(letter: RegisteredLetter) -> tuple[str, int]:
    """What becomes of a registered letter, and after how many days; nothing ever comes back of some."""
    fate = luck(letter.reference, 20)
    if fate < 13:
        return "recu", 2 + fate % 6
    if fate < 16:
        return "unclaimed", 16
    if fate < 18:
        return "returned_undeliverable", 5
    return "", 0
