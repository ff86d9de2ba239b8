"""« Marquer comme réussi » says nothing to a sender: what it needs is in the ledger, or nothing leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Stage
from loan_reminders.domain.states import Refusal
from tests.scenes.builders import an_email
from tests.scenes.letter_readers import by_post
from tests.scenes.operators_at_work import AtWork
from tests.scenes.readings import usual_weeks
from tests.scenes.world import DUE, loan, reader

SENDERS = [
    ("SendEmails", Stage.OVERDUE_NOTICE),
    ("SendSms", Stage.OVERDUE_NOTICE),
    ("SendEmails", Stage.FIRST_REMINDER),
    ("PrintLetters", Stage.FIRST_REMINDER),
    ("PrintLetters", Stage.REGISTERED_LETTER),
    ("PrepareLetters", Stage.REGISTERED_LETTER),
]
OF_A_RUN = ["PlanNotices", "ConfirmVolume", "PrepareLetters", "ApproveLetters", "PrintLetters", "SendEmails", "SendSms"]
DAYS = {Stage.OVERDUE_NOTICE: 1, Stage.FIRST_REMINDER: 8, Stage.REGISTERED_LETTER: 21}


@pytest.fixture
def at_work(world, monkeypatch, tmp_path):
    return AtWork(world, monkeypatch, tmp_path)


def fails(at_work, name, run_id, *words):
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException) as raised:
        at_work.execute(name, run_id)
    for word in words:
        assert word in str(raised.value)


def to_send(world, stage, *, plan=True):
    """A run of the stage with something for each of its channels."""
    world.stage, world.today = stage, DUE + timedelta(days=DAYS[stage])
    by_email = loan(1, patron=reader(1, email=an_email("lecteur1@etu.example.org")))
    rows = [by_email] if stage is Stage.OVERDUE_NOTICE else [by_email, by_post(2)]
    run_id = world.extract(*rows)
    if plan:
        world.plan(run_id)
    return run_id


def answer(world, run_id, said):
    if said is not None:
        world.ledger.record_volume_answer(run_id, said, who="biblio")


@pytest.mark.parametrize(("sender", "stage"), SENDERS)
def test_nothing_leaves_of_an_unusual_volume_that_nobody_approved(at_work, world, sender, stage):
    run_id = to_send(world, stage)
    before = at_work.states()
    assert {state for _, state in before} == {"planned"}
    for said in (None, VolumeAnswer.ASKED, VolumeAnswer.REFUSED):
        answer(world, run_id, said)
        fails(at_work, sender, run_id, "« Vérifier le volume »", "Effacer")
        assert at_work.left() == 0
        assert at_work.states() == before


@pytest.mark.parametrize(("sender", "stage"), [one for one in SENDERS if one[1] is not Stage.REGISTERED_LETTER])
def test_what_was_approved_leaves(at_work, world, sender, stage):
    run_id = to_send(world, stage)
    answer(world, run_id, VolumeAnswer.ASKED)
    answer(world, run_id, VolumeAnswer.APPROVED)
    at_work.execute(sender, run_id)
    assert at_work.left() > 0


def test_what_was_usual_when_it_was_looked_at_stays_so(at_work, world):
    run_id = to_send(world, Stage.OVERDUE_NOTICE)
    answer(world, run_id, VolumeAnswer.USUAL)
    at_work.execute("SendEmails", run_id)
    assert at_work.left() == 1


def test_a_usual_volume_needs_no_answer(at_work, world, monkeypatch):
    from loan_reminders.operators import base
    from tests.scenes.world import SETTINGS

    monkeypatch.setattr(base.Installed, "config", property(lambda _: SETTINGS))
    run_id = to_send(world, Stage.OVERDUE_NOTICE)
    at_work.execute("SendEmails", run_id)
    assert at_work.left() == 1


def test_one_unusual_channel_holds_the_others_too(at_work, world, monkeypatch):
    """The question is about the run: whoever refuses it wants no e-mail either."""
    from loan_reminders.operators import base
    from tests.scenes.world import SETTINGS

    no_sms = SETTINGS.model_copy(update={"caps": SETTINGS.caps.model_copy(update={"sms": 0})})
    monkeypatch.setattr(base.Installed, "config", property(lambda _: no_sms))
    fails(at_work, "SendEmails", to_send(world, Stage.OVERDUE_NOTICE), "« Vérifier le volume »")
    assert at_work.left() == 0


def test_an_answer_is_about_one_run_alone(at_work, world):
    first = to_send(world, Stage.OVERDUE_NOTICE)
    answer(world, first, VolumeAnswer.APPROVED)
    second = world.extract()
    world.plan(second)
    fails(at_work, "SendEmails", second, "« Vérifier le volume »")
    assert world.ledger.volume_answer(second) is None


def test_a_dry_run_needs_no_answer(at_work, world):
    run_id = world.begin(loan(1), dry_run=True)
    at_work.execute("SendEmails", run_id)
    assert at_work.left() == 0
    assert list(at_work.letters.glob("essai-a-blanc/**/*.eml"))


@pytest.mark.parametrize(("sender", "stage"), [*SENDERS, ("ConfirmVolume", Stage.OVERDUE_NOTICE)])
def test_a_run_that_was_never_planned_is_told_and_nothing_leaves(at_work, world, sender, stage):
    run_id = to_send(world, stage, plan=False)
    answer(world, run_id, VolumeAnswer.APPROVED)
    fails(at_work, sender, run_id, "« Préparer les avis »", "Effacer")
    assert at_work.left() == 0


def test_letters_of_a_run_that_was_never_planned_are_not_asked_about(at_work, world):
    run_id = to_send(world, Stage.REGISTERED_LETTER, plan=False)
    fails(at_work, "ApproveLetters", run_id, "« Préparer les avis »", "Effacer")


def test_without_an_extraction_every_task_says_so(at_work):
    for name in (*OF_A_RUN, "CloseRun"):
        fails(at_work, name, None, "« Extraire les prêts »", "Effacer")


def test_registered_letters_whose_approval_was_marked_as_successful_are_not_printed(at_work, world):
    run_id = to_send(world, Stage.REGISTERED_LETTER)
    answer(world, run_id, VolumeAnswer.APPROVED)
    at_work.execute("PrepareLetters", run_id)
    drafts = set(at_work.pdfs())
    fails(at_work, "PrintLetters", run_id, "sans que personne les ait validées", "« Valider les lettres recommandées »")
    assert set(at_work.pdfs()) == drafts


@pytest.mark.parametrize("stage", DAYS)
def test_senders_that_were_marked_as_successful_leave_books_that_do_not_balance(at_work, world, stage):
    run_id = to_send(world, stage)
    answer(world, run_id, VolumeAnswer.APPROVED)
    fails(at_work, "CloseRun", run_id, "Les comptes ne sont pas justes")
    assert at_work.left() == 0


class TestTheQuestion:
    """« Vérifier le volume » itself: what it asks and what it hears is in the ledger before it ends."""

    @pytest.fixture
    def asked(self, at_work, world, monkeypatch):
        from airflow.providers.standard.operators import hitl
        from airflow.sdk.exceptions import TaskAwaitingInput

        monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **values: None)
        run_id = to_send(world, Stage.OVERDUE_NOTICE)
        with pytest.raises(TaskAwaitingInput):
            at_work.execute("ConfirmVolume", run_id)
        return run_id

    def hear(self, at_work, run_id, option, user):
        event = {
            "chosen_options": [option],
            "params_input": {},
            "responded_at": datetime(2026, 11, 27, tzinfo=UTC),
            "responded_by_user": user,
            "timedout": user is None,
        }
        return at_work.operator("ConfirmVolume", run_id).execute_complete({}, event)

    def test_is_known_before_it_is_answered(self, world, asked):
        assert world.ledger.volume_answer(asked) is VolumeAnswer.ASKED

    def test_answered_yes_lets_the_senders_go(self, at_work, world, asked):
        assert self.hear(at_work, asked, "Envoyer", {"id": "3", "name": "biblio"}) == 0
        assert world.ledger.volume_answer(asked) is VolumeAnswer.APPROVED
        at_work.execute("SendEmails", asked)
        assert at_work.left() == 1

    @pytest.mark.parametrize("user", [{"id": "3", "name": "biblio"}, None])
    def test_answered_no_or_not_at_all_cancels(self, at_work, world, asked, user):
        assert self.hear(at_work, asked, "Ne rien envoyer", user) == 2
        assert world.ledger.volume_answer(asked) is VolumeAnswer.REFUSED
        at_work.execute("SendEmails", asked)
        assert at_work.left() == 0
        assert at_work.states() == {("email", "cancelled"), ("sms", "cancelled")}

    def test_keeps_who_said_what_in_order(self, at_work, world, asked):
        self.hear(at_work, asked, "Envoyer", {"id": "3", "name": "biblio"})
        with world.ledger.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT answer, who FROM volume_answers ORDER BY answer_id").all()
        assert [tuple(row) for row in rows] == [("asked", ""), ("approved", "biblio")]

    def test_asked_again_needs_an_answer_again(self, at_work, world, asked):
        from airflow.sdk.exceptions import TaskAwaitingInput

        self.hear(at_work, asked, "Envoyer", {"id": "3", "name": "biblio"})
        with pytest.raises(TaskAwaitingInput):
            at_work.execute("ConfirmVolume", asked)
        fails(at_work, "SendEmails", asked, "« Vérifier le volume »")


class TestTheQuestionAboutTheReading:
    """The same task asks about what was read of the ILS, in other words; a refusal ends it red."""

    @pytest.fixture
    def asked(self, at_work, world, monkeypatch):
        from airflow.providers.standard.operators import hitl
        from airflow.sdk.exceptions import TaskAwaitingInput

        from loan_reminders.operators import base
        from tests.scenes.world import SETTINGS

        said = []
        monkeypatch.setattr(base.Installed, "config", property(lambda _: SETTINGS))
        monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **values: said.append(values))
        usual_weeks(world.ledger)
        rows = [loan(number, patron=reader(number, mobile=Refusal.MISSING)) for number in range(1, 51)]
        run_id = world.begin(*rows)
        fails(at_work, "SendEmails", run_id, "lecture du SIGB", "« Vérifier le volume »")
        with pytest.raises(TaskAwaitingInput):
            at_work.execute("ConfirmVolume", run_id)
        [question] = said
        assert question["subject"] == "Lecture du SIGB inhabituelle : faut-il continuer ?"
        assert "make check-ils" in question["body"]
        assert question["defaults"] == ["Ne rien envoyer"]
        fails(at_work, "SendEmails", run_id, "« Vérifier le volume »")
        return run_id

    def test_answered_yes_goes_on(self, at_work, world, asked):
        assert TestTheQuestion().hear(at_work, asked, "Envoyer", {"id": "3", "name": "biblio"}) == 0
        at_work.execute("SendEmails", asked)
        assert at_work.left() == 50

    @pytest.mark.parametrize("user", [{"id": "3", "name": "biblio"}, None])
    def test_answered_no_or_not_at_all_fails_the_task_and_the_run(self, at_work, world, asked, user):
        from airflow.sdk.exceptions import AirflowFailException

        with pytest.raises(AirflowFailException, match="make check-ils"):
            TestTheQuestion().hear(at_work, asked, "Ne rien envoyer", user)
        assert world.ledger.volume_answer(asked) is VolumeAnswer.REFUSED
        assert at_work.states() == {("email", "cancelled")}
        at_work.execute("SendEmails", asked)
        assert at_work.left() == 0
        fails(at_work, "CloseRun", asked, "lecture du SIGB")
