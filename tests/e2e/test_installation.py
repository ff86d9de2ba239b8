"""The whole installation, as `make demo` starts it: Airflow's scheduler and executor, real protocols, today."""

from __future__ import annotations

import email
import json
import re
from email import policy

import pytest
from pypdf import PdfReader

from loan_reminders.domain.alerts import CAUSE, FailureCause
from loan_reminders.domain.stages import Stage
from tests.e2e.conftest import run


@pytest.fixture(scope="module")
def rehearsed(installation):
    return run(installation, Stage.FIRST_REMINDER, dry_run=True)[Stage.FIRST_REMINDER]


@pytest.fixture(scope="module")
def day(installation, rehearsed):
    return run(installation, *Stage)


def sms(installation):
    return [json.loads(line) for line in installation.sms.read_text(encoding="utf-8").splitlines()]


def mails(installation):
    return [
        email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in installation.mail.glob("*.eml")
    ]


def test_a_dry_run_sends_nothing_and_shows_what_it_would(installation, rehearsed, day):
    assert rehearsed["state"] == "success"
    assert rehearsed["notices"] == day[Stage.FIRST_REMINDER]["notices"]
    assert rehearsed["emails"] == rehearsed["letters"] == 0
    shown = list(installation.letters.glob("essai-a-blanc/**/*.eml"))
    assert len(shown) == day[Stage.FIRST_REMINDER]["emails"]
    assert list(installation.letters.glob("essai-a-blanc/**/lettres.pdf"))


def test_every_stage_has_work_and_ends_well(day):
    for stage, summary in day.items():
        assert summary["state"] == "success", stage
        assert summary["loans"] > 0, stage
        assert summary["loans"] == summary["loans_in_notices"] + sum(summary["skipped"].values()), stage
    assert day[Stage.COURTESY_NOTICE]["emails"] > 150
    assert day[Stage.OVERDUE_NOTICE]["sms"] > 40
    assert day[Stage.FIRST_REMINDER]["letters"] > 0
    assert day[Stage.SECOND_REMINDER]["letters"] > 0
    assert day[Stage.REGISTERED_LETTER]["letters"] > 0


def test_what_the_books_say_is_what_the_servers_got(installation, day):
    assert len(mails(installation)) == sum(one["emails"] for one in day.values())
    assert len(sms(installation)) == day[Stage.OVERDUE_NOTICE]["sms"]
    assert {one["segments"] for one in sms(installation)} == {1}
    ids = [message["Message-ID"] for message in mails(installation)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("stage", [Stage.FIRST_REMINDER, Stage.SECOND_REMINDER, Stage.REGISTERED_LETTER])
def test_a_batch_is_one_pdf_and_the_list_of_its_recipients(installation, day, stage):
    (pdf,) = installation.letters.glob(f"{stage}-*/lettres.pdf")
    rows = (pdf.parent / "destinataires.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert len(rows) == day[stage]["letters"]
    assert len(PdfReader(pdf).pages) >= len(rows)


def test_running_the_day_again_sends_nothing(installation, day):
    before = len(mails(installation)), len(sms(installation))
    again = run(installation, Stage.OVERDUE_NOTICE)[Stage.OVERDUE_NOTICE]
    assert again["state"] == "success"
    assert (len(mails(installation)), len(sms(installation))) == before
    told = day[Stage.OVERDUE_NOTICE]["loans_in_notices"]
    assert again["skipped"]["already_sent"] + again["loans_in_notices"] == told
    assert set(again["deliveries"].get("sms", {"cancelled": 0})) == {"cancelled"}
    assert again["skipped"]["already_sent"] > 0.9 * told


def test_no_personal_data_in_the_logs_and_only_counts_in_xcom(installation, day):
    people = {str(message["To"].addresses[0].addr_spec).encode() for message in mails(installation)}
    people |= {one["phone_number"].encode() for one in sms(installation)}
    secrets = {installation.ils_password.encode(), installation.sms_key.encode()}
    for path in (installation.folder / "logs").rglob("*.log"):
        content = path.read_bytes()
        told = {value for value in people | secrets if value in content}
        assert not told, path
    for stage in Stage:
        of_stage = f"dags/{stage.value}/dagRuns"
        for entry in installation.api.call("GET", f"{of_stage}/~/taskInstances/~/xcomEntries")["xcom_entries"]:
            task = f"{of_stage}/{entry['run_id']}/taskInstances/{entry['task_id']}"
            which = {"map_index": entry["map_index"]}
            value = installation.api.call("GET", f"{task}/xcomEntries/{entry['key']}", params=which)["value"]
            if entry["key"].startswith("_link_"):  # where a button of the task leads: one of our pages, by its number
                assert value == "" or re.fullmatch(r"relances/tournees/(\d+/lots|jours-manques)", value), entry
                continue
            if entry["key"] == CAUSE:  # why a try failed, as one word
                assert value in set(FailureCause), entry
                continue
            parts = value if isinstance(value, list) else [value]
            counts = [count for part in parts for count in (part.values() if isinstance(part, dict) else [part])]
            assert all(isinstance(count, int) for count in counts), entry
