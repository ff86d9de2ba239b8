"""Letters in a bucket: what the doctor finds there, and whether it is remembered there which alerts were told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.hooks.told_alerts import told_alerts
from tests.simulators import s3_server
from tests.simulators.s3_server import S3Server


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    if not s3_server.available():
        pytest.skip(s3_server.MISSING)
    with S3Server(tmp_path_factory.mktemp("s3") / "s3.log") as running:
        yield running


@pytest.fixture
def letters(bucket, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LETTERS_S3", bucket.connection())
    monkeypatch.setenv("REMINDERS_STORAGE", f"s3://letters_s3@{bucket.bucket}/letters")
    return bucket


def test_a_bucket_that_takes_gives_and_forgets(doctor, letters):
    status, (finding,) = doctor.findings("storage")
    assert (status, finding["what"]) == (0, "Lettres : adresse où l'on peut écrire, lire et effacer")
    assert letters.names() == []


def test_a_bucket_that_is_not_there(doctor, letters, monkeypatch):
    monkeypatch.setenv("REMINDERS_STORAGE", "s3://letters_s3@nowhere-at-all/letters")
    status, (finding,) = doctor.findings("storage")
    assert status == 2
    assert "Le dossier des lettres" in finding["what"]


def test_an_alert_is_remembered_in_the_bucket(letters):
    assert told_alerts().first("a")
    assert not told_alerts().first("a")
    assert len(letters.names()) == 1
    told_alerts().sweep(before=datetime.now(UTC) - timedelta(days=1))
    assert not told_alerts().first("a")
    told_alerts().forget("a")
    assert told_alerts().first("a")
