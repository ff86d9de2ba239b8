"""A reading that is not as usual holds the run until a person has answered, and both answers do what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loan_reminders.domain.errors import BooksDoNotBalance, PermanentError
from loan_reminders.domain.loans import CodeKind, RejectedRow, RowRemarks
from loan_reminders.domain.runs.reading.doubts import DoubtKind
from loan_reminders.domain.runs.reading.tally import Reading, UnknownCode
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.services.runs.check_reading import reading_doubts
from loan_reminders.services.runs.check_volume import approve, check_approved, refuse, volume_facts, volume_question
from tests.scenes.readings import USUAL, usual_weeks
from tests.scenes.world import DUE, SETTINGS, loan, reader

GUARD, POLICY = SETTINGS.guard(), SETTINGS.policy()


def question(world, run_id, policy=POLICY):
    return volume_question(
        world.ledger, run_id=run_id, guard=GUARD, past_runs=10, library=SETTINGS.identity(), policy=policy
    )


def check(world, run_id):
    check_approved(world.ledger, run_id=run_id, guard=GUARD, past_runs=10)


def without_mobile(count):
    return [loan(number, patron=reader(number, mobile=Refusal.MISSING)) for number in range(1, count + 1)]


def nothing_due(world, **more):
    """A run of an ILS that answers, and has no loan."""
    world.ils.rows = []
    return world.begin(**more)


def test_an_empty_day_asks_what_is_unusual_what_was_usual_and_what_to_check(world):
    usual_weeks(world.ledger)
    run_id = nothing_due(world)
    asked = question(world, run_id)
    for words in ("aucun", "100 (médiane", "4 lectures comparées", "make check-ils", "« Ne rien envoyer »", "fermée"):
        assert words in asked
    assert "Échantillon" not in asked
    assert world.ledger.volume_answer(run_id) is VolumeAnswer.ASKED
    assert world.ledger.readings().doubted(run_id)


def test_the_first_weeks_ask_nothing(world):
    usual_weeks(world.ledger, 2)
    assert question(world, nothing_due(world)) is None
    assert world.ledger.volume_answer(1) is None


def test_a_usual_day_asks_nothing(world):
    usual_weeks(world.ledger)
    run_id = world.begin(*[loan(number) for number in range(1, 31)])
    assert question(world, run_id) is None
    assert world.ledger.volume_answer(run_id) is VolumeAnswer.USUAL


def test_a_part_of_the_loans_holds_everything_until_it_is_answered(world):
    """The other readers would not be told, and nobody would know."""
    usual_weeks(world.ledger)
    run_id = world.begin(*[loan(number) for number in range(1, 4)])
    asked = question(world, run_id)
    for words in ("| Prêts à cette échéance | 3 | 100 (médiane", "qu'une partie de ses prêts", "make check-ils"):
        assert words in asked
    with pytest.raises(PermanentError, match="« Vérifier le volume »"):
        check(world, run_id)
    approve(world.ledger, run_id=run_id, who="zoé")
    check(world, run_id)
    assert world.send_emails(run_id) == {"accepted": 3}


def test_a_few_loans_that_were_accepted_speak_for_the_next_day(world):
    usual_weeks(world.ledger)
    usual_weeks(world.ledger, day=1)
    run_id = world.begin(*[loan(number) for number in range(1, 4)])
    question(world, run_id)
    approve(world.ledger, run_id=run_id, who="zoé")
    due = DUE + timedelta(days=1)
    world.today = due + timedelta(days=1)
    run = world.extract_day(due, *[loan(number, due_date=due) for number in range(11, 13)])
    world.plan(run)
    assert question(world, run) is None


def test_rows_that_cannot_be_read_are_no_loans(world):
    """A column of another type: the ILS gives everything, and nothing of it can be used."""
    usual_weeks(world.ledger)
    bad = [
        RejectedRow(loan_id=f"R{n}", patron_id="P", code="not_a_date", column="loan_date", raw={}) for n in range(40)
    ]
    asked = question(world, world.begin(*bad))
    assert "40 lignes ont été lues mais sont illisibles" in asked


def test_no_mobiles_any_more_holds_everything_until_it_is_answered(world):
    usual_weeks(world.ledger)
    run_id = world.begin(*without_mobile(50))
    with pytest.raises(PermanentError, match="« Vérifier le volume »"):
        check(world, run_id)  # also when nobody looked yet
    asked = question(world, run_id)
    assert "| Prêts avec un mobile utilisable | 0\u00a0% | 60\u00a0% (médiane" in asked
    with pytest.raises(PermanentError, match="« Vérifier le volume »"):
        check(world, run_id)
    approve(world.ledger, run_id=run_id, who="zoé")
    check(world, run_id)
    assert world.send_emails(run_id) == {"accepted": 50}
    assert world.close(run_id).problems() == ()


def test_a_refusal_sends_nothing_and_the_day_is_still_to_be_done(world):
    usual_weeks(world.ledger)
    run_id = world.begin(*without_mobile(50))
    question(world, run_id)
    with pytest.raises(PermanentError, match=r"arrêtée \(zoé\).*make check-ils.*« Extraire les prêts »"):
        refuse(world.ledger, run_id=run_id, who="zoé")
    assert world.send_emails(run_id) == {}
    with pytest.raises(BooksDoNotBalance, match="lecture du SIGB"):
        world.close(run_id)
    assert world.ledger.missed_days(run_id, within_days=30) == ()
    later = world.ledger.days_to_watch(since=world.today, until=world.today)
    assert [(day.stage, day.closed) for day in later] == [(Stage.OVERDUE_NOTICE, True)]
    # Once the ILS is repaired, the same run of Airflow reads everything again.
    again = world.extract(*[loan(number) for number in range(1, 4)], dag_run_id="run 1")
    assert again != run_id
    assert world.plan(again) == {"email": 3, "sms": 3}


def test_an_empty_day_that_was_refused_is_red_and_one_that_was_approved_is_green(world):
    usual_weeks(world.ledger)
    run_id = nothing_due(world)
    question(world, run_id)
    with pytest.raises(PermanentError):
        refuse(world.ledger, run_id=run_id, who="zoé")
    with pytest.raises(BooksDoNotBalance):
        world.close(run_id)
    second = nothing_due(world)
    question(world, second)
    approve(world.ledger, run_id=second, who="zoé")
    assert world.close(second).problems() == ()


def test_a_dry_run_asks_nothing_and_says_what_is_unusual(world, caplog):
    usual_weeks(world.ledger)
    run_id = nothing_due(world, dry_run=True)
    with caplog.at_level("WARNING"):
        assert question(world, run_id) is None
    assert "Lecture du SIGB inhabituelle. Prêts à cette échéance : aucun" in caplog.text
    assert world.ledger.volume_answer(run_id) is None


def test_a_day_so_late_that_nothing_may_leave_asks_nothing(world):
    """Caught up after three weeks, its loans are at later stages, or came back."""
    usual_weeks(world.ledger)
    world.today = DUE + timedelta(days=22)
    run_id = nothing_due(world)
    assert question(world, run_id) is None
    assert [one.kind for one in reading_doubts(world.ledger, run_id=run_id, guard=GUARD.reading)] == [
        DoubtKind.EMPTY_DAY
    ]


def test_a_holiday_asks_nothing(world):
    """The first of May 2026 was a Friday."""
    from datetime import date

    assert GUARD.reading.is_closed(date(2026, 5, 1))
    assert not GUARD.reading.is_closed(DUE)


def test_an_unusual_volume_and_an_unusual_reading_are_one_question(world):
    usual_weeks(world.ledger)
    run_id = world.begin(*without_mobile(50))
    guard = replace(GUARD, caps=dict.fromkeys(GUARD.caps, 1))
    asked = volume_question(world.ledger, run_id=run_id, guard=guard, past_runs=10, library=SETTINGS.identity())
    assert asked.index("Lecture du SIGB") < asked.index("| Canal |")
    facts = volume_facts(world.ledger, run_id=run_id, guard=guard, past_runs=10)
    assert (len(facts.doubts), len(facts.alarms), len(facts.sample)) == (1, 1, 5)


def test_what_was_read_is_kept_and_told_in_the_log(world, caplog):
    marked = RowRemarks(unknown=((CodeKind.STATUS, "99"), (CodeKind.BRANCH, "BUX")), repaired=2)
    rows = [replace(loan(1), remarks=marked), loan(2), *without_mobile(4)[2:]]
    bad = RejectedRow(loan_id="R", patron_id="P", code="missing", column="due_date", raw={})
    with caplog.at_level("WARNING"):
        run_id = world.extract(*rows, bad)
    assert world.ledger.readings().of(run_id) == Reading(
        loans=4, rejected=1, with_email=4, with_mobile=2, repaired=2, unknown_loans=1,
        unknown=(UnknownCode(kind=CodeKind.STATUS, code="99", loans=1),
                 UnknownCode(kind=CodeKind.BRANCH, code="BUX", loans=1)),
    )  # fmt: skip
    for words in ("statut « 99 » (1 prêt), bibliothèque « BUX » (1 prêt)", "ils.patron_categories", "2 textes réparés"):
        assert words in caplog.text


def test_an_ils_that_falls_silent_half_way_counts_nothing_twice(world):
    from loan_reminders.domain.errors import IlsUnavailable

    marked = RowRemarks(unknown=((CodeKind.STATUS, "99"),))
    world.ils.rows = [replace(loan(number), remarks=marked) for number in range(1, 6)]
    world.ils.fails_after = 3
    with pytest.raises(IlsUnavailable):
        world.extract(dag_run_id="run a")
    world.ils.fails_after = None
    run_id = world.extract(dag_run_id="run a")
    reading = world.ledger.readings().of(run_id)
    assert (reading.loans, reading.unknown[0].loans) == (5, 5)


def test_loans_taken_up_from_other_days_are_not_of_this_reading(world):
    world.stage = Stage.FIRST_REMINDER
    run_id, _ = world.begin_daily()
    assert world.ledger.readings().of(run_id) == Reading()
    assert USUAL.loans == 100
