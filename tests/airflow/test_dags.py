"""The DAGs as Airflow reads them; and a wrong setting among its import errors."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from holidays import country_holidays

from loan_reminders.dag_arguments import RUN_LASTS
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.channels import holiday_region
from loan_reminders.settings.library_toml import ROOT, settings

TASKS = {
    Stage.COURTESY_NOTICE: {"send_emails"},
    Stage.OVERDUE_NOTICE: {"send_emails", "send_sms"},
    Stage.FIRST_REMINDER: {"send_emails", "print_letters"},
    Stage.SECOND_REMINDER: {"send_emails", "print_letters"},
    Stage.REGISTERED_LETTER: {"prepare_letters", "approve_letters", "print_registered_letters"},
}
APPROVED = ("confirm_volume", "prepare_letters", "approve_letters", "print_registered_letters", "close_run")


def read_dags(folder):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(folder), collect_dags=True)


def cron(dag):
    """The expression of an explicit timetable, and the zone of its clock."""
    said = dag.timetable.serialize()
    return said["expression"], said["timezone"]


@pytest.fixture(scope="module")
def dags():
    bag = read_dags(ROOT / "dags")
    assert bag.import_errors == {}
    return bag.dags


def test_one_dag_a_stage_and_those_that_run_every_hour_each_named_after_its_file(dags):
    beside = {"sms_feedback", "mail_feedback", "watch", "loan_returns", "retention"}
    assert set(dags) == {stage.value for stage in Stage} | beside
    for dag_id, dag in dags.items():
        assert dag.fileloc.endswith(f"/{dag_id}.py")
        assert len((ROOT / "dags" / f"{dag_id}.py").read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.parametrize("stage", Stage)
def test_tasks_run_in_the_order_of_the_procedure(dags, stage):
    dag = dags[stage.value]
    assert set(dag.task_ids) == {"extract_loans", "plan_notices", "confirm_volume", "close_run"} | TASKS[stage]
    assert dag.get_task("extract_loans").upstream_task_ids == set()
    roads = (
        [APPROVED] if stage is Stage.REGISTERED_LETTER else [("confirm_volume", t, "close_run") for t in TASKS[stage]]
    )
    for road in roads:
        for before, after in pairwise(road):
            assert after in dag.get_task(before).downstream_task_ids
    assert dag.get_task("close_run").trigger_rule == "all_done"


@pytest.mark.parametrize("stage", [Stage.FIRST_REMINDER, Stage.SECOND_REMINDER])
def test_letters_wait_for_the_emails_answers_and_not_for_their_success(dags, stage):
    letters = dags[stage.value].get_task("print_letters")
    assert letters.upstream_task_ids == {"extract_loans", "confirm_volume", "send_emails"}
    assert letters.trigger_rule == "all_done_min_one_success"


@pytest.mark.parametrize("stage", [stage for stage in Stage if "send_emails" in TASKS[stage]])
def test_the_emails_are_sent_in_the_shares_that_the_plan_names_and_in_no_more_tasks(dags, stage):
    emails = dags[stage.value].get_task("send_emails")
    assert emails.is_mapped
    assert {name: (value.operator.task_id, value.key) for name, value in emails.expand_input.value.items()} == {
        "share": ("plan_notices", "return_value")
    }
    assert emails.partial_kwargs["map_index_template"] == "lot {{ task.share['number'] }} sur {{ task.share['of'] }}"
    assert emails.upstream_task_ids == {"extract_loans", "plan_notices", "confirm_volume"}
    mapped = [task.task_id for task in dags[stage.value].tasks if task.is_mapped]
    assert mapped == ["send_emails"]


@pytest.mark.parametrize("stage", Stage)
def test_a_dag_speaks_french_and_runs_daily_in_the_librarys_zone(dags, stage):
    dag = dags[stage.value]
    starts_at = settings().stages.of(stage).starts_at
    assert cron(dag) == (f"{starts_at.minute} {starts_at.hour} * * *", "Europe/Paris")
    assert str(dag.timezone) == "Europe/Paris" or dag.timezone.name == "Europe/Paris"
    at_once = {Stage.REGISTERED_LETTER: 31, Stage.OVERDUE_NOTICE: 6}
    assert (dag.catchup, dag.max_active_runs) == (False, at_once.get(stage, 1))
    assert dag.dag_display_name != dag.dag_id
    assert dag.doc_md.startswith("## ")
    assert all(task.task_display_name != task.task_id for task in dag.tasks)
    assert set(dag.params) == {"reference_date", "dry_run"}


@pytest.mark.parametrize(("weekdays", "holidays_of"), [(range(1, 7), "FR"), (range(1, 6), "FR-57")])
def test_days_whose_sms_wait_for_their_hours_never_hold_back_a_day(dags, weekdays, holidays_of):
    """Each day's run begins at 10:00 and lasts until the window opens; Airflow leaves out a day that cannot begin."""
    ours = settings()
    country, region = holiday_region(holidays_of)
    closed = country_holidays(country, subdiv=region, years=range(2026, 2032))
    window = replace(ours.sms_window(), weekdays=frozenset(weekdays), is_holiday=closed.__contains__)
    first = datetime.combine(date(2026, 1, 1), ours.stages.of(Stage.OVERDUE_NOTICE).starts_at)
    days = [first + timedelta(days=number) for number in range(5 * 365)]
    until = {begun: window.next_opening(begun) for begun in days}
    most = max(sum(until[other] > begun >= other for other in days) for begun in days)
    assert 1 < most < dags[Stage.OVERDUE_NOTICE.value].max_active_runs
    longest = max(opens - begun for begun, opens in until.items())
    assert longest < RUN_LASTS[Stage.OVERDUE_NOTICE]


@pytest.mark.parametrize("stage", Stage)
def test_temporary_errors_are_tried_again_with_growing_pauses(dags, stage):
    for task in dags[stage.value].tasks:
        assert task.retries == 4
        assert task.retry_delay == timedelta(minutes=5)
        assert task.retry_exponential_backoff
        assert task.max_retry_delay == timedelta(hours=1)


def test_what_comes_back_of_sms_is_read_every_hour_by_four_tasks_none_waiting_for_another(dags):
    dag = dags["sms_feedback"]
    assert (cron(dag), dag.catchup, dag.max_active_runs) == (("10 * * * *", "Europe/Paris"), False, 1)
    assert dag.timezone.name == "Europe/Paris"
    assert dag.dag_display_name == "6. Retours des SMS"
    assert dag.doc_md.startswith("## ")
    assert set(dag.task_ids) == {"read_receipts", "read_replies", "read_blacklist", "read_credit"}
    for task in dag.tasks:
        assert task.upstream_task_ids == task.downstream_task_ids == set()
        assert task.task_display_name.startswith("Lire ")
        assert (task.retries, task.retry_delay) == (2, timedelta(minutes=10))


def test_what_comes_back_of_emails_is_read_every_hour(dags):
    dag = dags["mail_feedback"]
    assert (cron(dag), dag.catchup, dag.max_active_runs) == (("25 * * * *", "Europe/Paris"), False, 1)
    assert dag.dag_display_name == "7. Retours des e-mails"
    assert dag.doc_md.startswith("## ")
    [task] = dag.tasks
    assert (task.task_id, task.retries, task.retry_delay) == ("read_bounces", 2, timedelta(minutes=10))


def test_the_ends_of_loans_are_looked_at_every_evening(dags):
    dag = dags["loan_returns"]
    assert (cron(dag), dag.catchup, dag.max_active_runs) == (("15 23 * * *", "Europe/Paris"), False, 1)
    assert dag.dag_display_name == "9. Retours des documents"
    assert dag.doc_md.startswith("## ")
    task, after = dag.topological_sort()
    assert (task.task_id, task.task_display_name, task.retries) == ("look_at_loans", "Regarder les retours", 2)
    assert (after.task_id, after.task_display_name) == ("measure_effect", "Mesurer l'effet des SMS")
    assert after.upstream_task_ids == {"look_at_loans"}, "after a night without a look the figures stay those of before"


def test_what_was_kept_long_enough_is_removed_every_night_or_only_counted(dags):
    dag = dags["retention"]
    assert (cron(dag), dag.catchup, dag.max_active_runs) == (("30 1 * * *", "Europe/Paris"), False, 1)
    assert (dag.dag_display_name, set(dag.params)) == ("10. Effacement", {"dry_run"})
    assert dag.doc_md.startswith("## ")
    [task] = dag.tasks
    assert (task.task_id, task.retries) == ("erase_expired", 2)
    assert task.task_display_name == "Effacer ce qui a été conservé assez longtemps"


def test_a_wrong_setting_is_among_the_import_errors_in_words(tmp_path, monkeypatch):
    wrong = tmp_path / "library.toml"
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    wrong.write_text(text.replace('hour = "10:00"', 'hour = "25:00"'), encoding="utf-8")
    shutil.copytree(ROOT / "dags", tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("REMINDERS_CONFIG", str(wrong))
    settings.cache_clear()
    try:
        errors = read_dags(tmp_path / "dags").import_errors
    finally:
        settings.cache_clear()
    assert len(errors) == 11
    for message in errors.values():
        assert 'stages.overdue_notice.hour = "25:00" : il faut une heure de 00:00 à 23:59' in message


def test_an_sms_that_cannot_fit_is_among_the_import_errors_with_its_count(tmp_path, monkeypatch):
    wrong = tmp_path / "library.toml"
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    long = f'account_url = "https://{"x" * 150}.example/'
    wrong.write_text(text.replace('account_url = "https://bu-montclar.example/', long), encoding="utf-8")
    shutil.copytree(ROOT / "dags", tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("REMINDERS_CONFIG", str(wrong))
    settings.cache_clear()
    try:
        errors = read_dags(tmp_path / "dags").import_errors
    finally:
        settings.cache_clear()
    (message,) = errors.values()
    assert "overdue_notice/sms/text.txt.j2 : jusqu'à 2" in message
    assert "160 septets permis" in message


def test_registered_letters_are_asked_about_for_as_long_as_it_takes(dags):
    task = dags["registered_letter"].get_task("approve_letters")
    assert (task.response_timeout, task.defaults, task.execution_timeout) == (None, None, None)
    assert task.trigger_rule == "all_success"
    assert dags["registered_letter"].get_task("print_registered_letters").trigger_rule == "all_success"
    assert dags["registered_letter"].dagrun_timeout is None


def test_a_run_that_stands_still_ends_but_never_while_a_person_may_still_answer(dags):
    """The question about the volume waits a day, SMS wait for their window, registered letters as long as it takes."""
    from loan_reminders.operators.confirm_volume import NO_ANSWER

    tries = timedelta(hours=6)
    for stage in set(Stage) - {Stage.REGISTERED_LETTER}:
        longest_closed_window = timedelta(days=3) if "send_sms" in dags[stage.value].task_ids else timedelta()
        assert dags[stage.value].dagrun_timeout > NO_ANSWER + tries + longest_closed_window
    for dag_id in set(dags) - {stage.value for stage in Stage}:
        assert timedelta(minutes=40) < dags[dag_id].dagrun_timeout <= timedelta(hours=2)


def test_a_task_that_reads_from_outside_is_ended_in_time_and_one_that_waits_for_people_is_not(dags):
    reading = [dags[stage.value].get_task("extract_loans") for stage in Stage]
    reading += [task for dag_id in ("sms_feedback", "mail_feedback") for task in dags[dag_id].tasks]
    assert {task.execution_timeout for task in reading} == {timedelta(minutes=45)}
    waiting = [dag.get_task(name) for dag in dags.values() for name in APPROVED[:3] if name in dag.task_ids]
    assert {task.execution_timeout for task in waiting} == {None}


def test_a_task_ended_in_time_is_tried_again():
    from airflow.sdk.exceptions import AirflowTaskTimeout

    from loan_reminders.operators.base import only_temporary_errors_are_retried

    with pytest.raises(AirflowTaskTimeout), only_temporary_errors_are_retried():
        raise AirflowTaskTimeout
