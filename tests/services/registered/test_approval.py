"""What a librarian answers about registered letters: what was not approved is never printed, nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.errors import IlsUnavailable, PermanentError
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from tests.scenes.letter_readers import FullDisk, KilledAfterStoring, by_post
from tests.scenes.outside import Killed
from tests.scenes.world import loan

R, S = Channel.REGISTERED_LETTER, DeliveryState


class TestApproved:
    def test_all_are_printed_and_the_draft_is_gone(self, desk):
        run_id = desk.drafted()
        assert desk.approve(run_id) == 0
        assert desk.print(run_id) == {"accepted": 3}
        (final,) = desk.batches(BatchState.READY)
        (draft,) = desk.batches(BatchState.ABANDONED)
        assert desk.stored() == [final.name]
        assert (final.letters, final.left_out) == (3, 0)
        assert [act for act, *_ in desk.events("drafted", "approved", "closed")] == ["drafted", "approved", "closed"]
        assert desk.events("approved") == [("approved", "biblio", "")]
        assert desk.world.ledger.letters().letters_of(draft.batch_id) == ()
        assert desk.world.close(run_id).deliveries == {R: {S.ACCEPTED: 3}}

    def test_a_letter_keeps_the_reference_it_was_approved_under(self, desk):
        run_id = desk.drafted()
        approved = desk.references(run_id)
        desk.approve(run_id)
        desk.world.today += timedelta(days=3)
        desk.print(run_id)
        (final,) = desk.batches(BatchState.READY)
        letters = desk.world.ledger.letters().letters_of(final.batch_id)
        assert [letter.reference for letter in letters] == approved

    def test_without_a_word_nothing_is_printed(self, desk):
        run_id = desk.drafted()
        with pytest.raises(PermanentError, match=r"sans que personne les ait validées : 3"):
            desk.print(run_id)
        assert desk.batches(BatchState.READY) == ()
        assert desk.states() == [("planned", None)] * 3

    def test_without_a_draft_nothing_is_printed(self, desk):
        run_id = desk.world.begin(by_post(1))
        with pytest.raises(PermanentError, match="Préparer les lettres"):
            desk.print(run_id)

    def test_what_was_not_in_the_draft_waits(self, desk):
        run_id = desk.drafted(2)
        desk.approve(run_id)
        other = desk.world.begin(by_post(1), by_post(2), by_post(3))
        # The later run takes over all that was never attempted: its letters need a word of their own.
        with pytest.raises(PermanentError):
            desk.print(other)
        assert desk.print(run_id) == {}
        assert desk.prepare(other) == {"drafts": 1, "letters": 3}
        desk.approve(other)
        assert desk.print(other) == {"accepted": 3}
        assert sum(view.letters for view in desk.batches(BatchState.READY)) == 3

    def test_a_print_that_was_killed_is_printed_again_without_asking(self, desk):
        run_id = desk.drafted()
        desk.approve(run_id)
        with pytest.raises(Killed):
            desk.print(run_id, store=KilledAfterStoring(desk.folder))
        assert desk.print(run_id) == {"accepted": 3}
        (final,) = desk.batches(BatchState.READY)
        assert desk.stored() == [final.name]

    def test_a_store_that_refuses_keeps_the_word_given(self, desk):
        run_id = desk.drafted()
        desk.approve(run_id)
        with pytest.raises(Exception, match="No space left"):
            desk.print(run_id, store=FullDisk(desk.folder))
        assert desk.print(run_id) == {"accepted": 3}

    def test_an_ils_that_is_down_holds_the_letters(self, desk):
        run_id = desk.drafted()
        desk.approve(run_id)
        desk.world.ils.down = True
        with pytest.raises(IlsUnavailable):
            desk.print(run_id)
        desk.world.ils.down = False
        assert desk.print(run_id) == {"accepted": 3}

    def test_what_the_ils_has_no_more_is_left_out(self, desk):
        run_id = desk.drafted()
        desk.approve(run_id)
        desk.world.ils.rows = desk.world.ils.rows[1:]
        assert desk.print(run_id) == {"accepted": 2}
        (draft,) = desk.batches(BatchState.ABANDONED)
        (left,) = desk.world.ledger.letters().letters_of(draft.batch_id)
        assert (left.patron_id, left.left_out, len(left.loans)) == ("P1", Reason.RETURNED, 1)
        assert draft.left_out == 1
        assert desk.events("left_out") == [("left_out", "relances", "")]
        assert desk.world.close(run_id).deliveries == {R: {S.ACCEPTED: 2, S.CANCELLED: 1}}

    def test_a_letter_that_lost_one_of_its_documents_goes_with_the_others(self, desk):
        run_id = desk.world.begin(by_post(1), loan(2, patron=by_post(1).patron))
        desk.prepare(run_id)
        assert "| 2 | 1 |" in desk.question(run_id)
        desk.approve(run_id)
        desk.world.ils.rows = desk.world.ils.rows[:1]
        assert desk.print(run_id) == {"accepted": 1}
        (final,) = desk.batches(BatchState.READY)
        (letter,) = desk.world.ledger.letters().letters_of(final.batch_id)
        assert [key.loan_id for key in letter.loans] == ["L1"]

    def test_all_returned_between_leaves_no_batch_and_no_file(self, desk):
        run_id = desk.drafted()
        desk.approve(run_id)
        desk.world.ils.rows = []
        assert desk.print(run_id) == {}
        assert desk.batches(BatchState.READY, BatchState.DRAFT) == ()
        assert desk.stored() == []
        assert desk.world.close(run_id).deliveries == {R: {S.CANCELLED: 3}}


class TestTakenOut:
    @pytest.mark.parametrize("written", ["{0} {2}", "{0},{2}", " {0} ;\n{2}, ", "{0} {2} {0}", "lower"])
    def test_a_letter_taken_out_is_cancelled_with_who_and_why(self, desk, written):
        run_id = desk.drafted()
        references = desk.references(run_id)
        asked = " ".join(references[::2]).lower() if written == "lower" else written.format(*references)
        assert desk.approve(run_id, asked, "  accord  avec le lecteur ") == 2
        assert desk.print(run_id) == {"accepted": 1}
        assert desk.states() == [("accepted", None), *[("cancelled", "taken_out")] * 2]
        assert desk.events("taken_out") == [("taken_out", "biblio", "accord avec le lecteur")] * 2
        (final,) = desk.batches(BatchState.READY)
        assert final.letters == 1
        (letter,) = desk.world.ledger.letters().letters_of(final.batch_id)
        assert letter.reference == references[1]

    def test_all_taken_out_prints_nothing(self, desk):
        run_id = desk.drafted(2)
        assert desk.approve(run_id, " ".join(desk.references(run_id)), "erreur") == 2
        assert desk.print(run_id) == {}
        assert desk.stored() == []
        assert desk.world.close(run_id).deliveries == {R: {S.CANCELLED: 2}}

    @pytest.mark.parametrize("wrong", ["MD-INCONNU", "{0} MD-INCONNU", "md-inconnu {0}"])
    def test_an_unknown_reference_approves_nothing_and_is_named(self, desk, wrong):
        run_id = desk.drafted()
        with pytest.raises(PermanentError, match="MD-INCONNU") as caught:
            desk.approve(run_id, wrong.format(*desk.references(run_id)), "erreur")
        assert desk.references(run_id)[0] not in str(caught.value)
        assert desk.states() == [("planned", None)] * 3
        assert desk.events("approved", "taken_out") == []
        assert desk.question(run_id) is not None
        assert desk.approve(run_id) == 0
        assert desk.print(run_id) == {"accepted": 3}

    def test_what_a_person_typed_is_named_briefly(self, desk):
        run_id = desk.drafted()
        with pytest.raises(PermanentError) as caught:
            desk.approve(run_id, " ".join(f"X{number}{'y' * 90}" for number in range(40)), "erreur")
        assert "et 30 autres" in str(caught.value)
        assert len(str(caught.value)) < 700

    @pytest.mark.parametrize("detail", ["", "  \n"])
    def test_a_letter_is_not_taken_out_without_a_reason(self, desk, detail):
        run_id = desk.drafted()
        with pytest.raises(PermanentError, match="le motif manque"):
            desk.approve(run_id, desk.references(run_id)[0], detail)
        assert desk.events("approved", "taken_out") == []
        assert desk.states() == [("planned", None)] * 3

    def test_a_reason_alone_takes_nothing_out(self, desk):
        run_id = desk.drafted()
        assert desk.approve(run_id, "", "rien") == 0

    def test_asking_again_for_the_same_letter_changes_nothing(self, desk):
        run_id = desk.drafted()
        first = desk.references(run_id)[0]
        assert [desk.approve(run_id, first, "erreur") for _ in range(2)] == [1, 0]

    def test_a_letter_of_another_run_is_unknown(self, desk):
        run_id = desk.drafted(1)
        taken = desk.references(run_id)[0]
        other = desk.world.begin(by_post(1), by_post(2))
        with pytest.raises(PermanentError, match=taken):
            desk.approve(run_id, taken, "erreur")
        assert desk.prepare(other) == {"drafts": 1, "letters": 2}


class TestRefused:
    def test_nothing_is_printed_and_it_is_said_who(self, desk):
        run_id = desk.drafted()
        assert desk.refuse(run_id, "accident dans le SIGB") == 3
        assert desk.question(run_id) is None
        assert desk.print(run_id) == {}
        assert desk.states() == [("cancelled", "not_approved")] * 3
        assert desk.events("not_approved") == [("not_approved", "biblio", "accident dans le SIGB")]
        assert [view.state for view in desk.batches()] == [BatchState.ABANDONED]
        assert desk.stored() == []
        assert desk.world.close(run_id).deliveries == {R: {S.CANCELLED: 3}}

    def test_files_that_could_not_be_removed_go_at_the_next_try(self, desk):
        run_id = desk.drafted()
        desk.refuse(run_id)

        class Stuck(FullDisk):
            def remove(self, name):
                raise type(self).error

            from loan_reminders.domain.errors import LetterStoreUnavailable

            error = LetterStoreUnavailable("stuck")

        with pytest.raises(Exception, match="stuck"):
            desk.print(run_id, store=Stuck(desk.folder))
        desk.print(run_id)
        assert desk.stored() == []

    def test_a_new_run_prepares_them_again(self, desk):
        desk.refuse(desk.drafted())
        run_id = desk.world.begin(*(by_post(number) for number in (1, 2, 3)))
        assert desk.prepare(run_id) == {"drafts": 1, "letters": 3}


class TestTakenOutOnThePage:
    """A reason in one's own words is typed on the page of the draft, never in Airflow's form."""

    def at_desk(self, desk):
        from datetime import UTC, datetime

        from loan_reminders.services.letters.batch_desk import BatchDesk

        return BatchDesk(
            batches=desk.world.ledger.letters(), drafts=desk.world.ledger.drafts(), archive=None, source=None,
            now=datetime.now(UTC), library=None, templates=None,
        )  # fmt: skip

    def letters(self, desk, run_id):
        return [(letter.batch_id, letter.delivery_id) for letter in desk.world.ledger.drafts().letters(run_id)]

    def test_the_others_are_approved_and_printed(self, desk):
        run_id = desk.drafted()
        batch_id, first = self.letters(desk, run_id)[0]
        self.at_desk(desk).take_out(batch_id, first, who="chloé", detail=" accord, la lectrice est hospitalisée ")
        assert desk.events("taken_out") == [("taken_out", "chloé", "accord, la lectrice est hospitalisée")]
        assert desk.approve(run_id) == 0
        assert desk.print(run_id) == {"accepted": 2}
        assert desk.states() == [*[("accepted", None)] * 2, ("cancelled", "taken_out")]
        assert desk.world.close(run_id).deliveries == {R: {S.ACCEPTED: 2, S.CANCELLED: 1}}

    def test_also_between_the_approval_and_the_print(self, desk):
        run_id = desk.drafted()
        batch_id, first = self.letters(desk, run_id)[0]
        desk.approve(run_id)
        self.at_desk(desk).take_out(batch_id, first, who="chloé", detail="rendu")
        assert desk.print(run_id) == {"accepted": 2}

    def test_a_reason_is_needed_and_a_letter_goes_once(self, desk):
        from loan_reminders.domain.errors import LetterStepRefused

        run_id = desk.drafted()
        batch_id, first = self.letters(desk, run_id)[0]
        for detail, code in (("  ", "no_reason"), ("rendu", None), ("rendu", "not_in_draft")):
            if code is None:
                self.at_desk(desk).take_out(batch_id, first, who="chloé", detail=detail)
                continue
            with pytest.raises(LetterStepRefused) as refused:
                self.at_desk(desk).take_out(batch_id, first, who="chloé", detail=detail)
            assert refused.value.code == code
        assert len(desk.events("taken_out")) == 1

    def test_a_draft_that_was_refused_changes_no_more(self, desk):
        from loan_reminders.domain.errors import LetterStepRefused

        run_id = desk.drafted()
        batch_id, first = self.letters(desk, run_id)[0]
        desk.refuse(run_id)
        with pytest.raises(LetterStepRefused):
            self.at_desk(desk).take_out(batch_id, first, who="chloé", detail="rendu")
