"""A red run told by e-mail: once, to act on, and without harm when it cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.alerts import Alert, AlertKind, AlertOutcome, Scope
from loan_reminders.gateways.alerts.told_alerts import StoredToldAlerts
from loan_reminders.gateways.email.mail_relay import Backoff, SmtpRelay
from loan_reminders.services.alerts.tell import Recipients, tell
from tests.scenes.mail_relays import account
from tests.scenes.sentences import as_typed
from tests.scenes.world import closed_port
from tests.simulators.smtp_sink import Faults, SmtpSink

NOW = datetime(2026, 11, 27, 7, 5, tzinfo=ZoneInfo("Europe/Paris"))
TEAM = Recipients(
    addresses=("equipe@bu.example.org", "informatique@univ.example.org"),
    sender="relances@bu.example.org",
    library="BU de Montclar",
)
ILS_DOWN = "Le SIGB ne répond pas (ORA-12541) ; essai 5. Prévenir l'administrateur de la base."
ALERT = Alert(
    kind=AlertKind.FAILED,
    library="montclar",
    dag_id="overdue_notice",
    dag_name="2. Avis de retard",
    run_id="scheduled__2026-11-27T09:00:00+00:00",
    sentence=ILS_DOWN,
    task="Extraire les prêts",
    link="https://airflow.example.org/dags/overdue_notice/runs/x",
    scope=Scope.LIBRARY,
)
CLOSING = replace(ALERT, task="Clore et vérifier", sentence="Tâches non faites.", scope=Scope.RUN, follows=True)
SENT = AlertOutcome.SENT


@pytest.fixture
def sink(tmp_path):
    with SmtpSink(tmp_path / "mails") as running:
        yield running


class Teller:
    def __init__(self, folder: Path, port: int) -> None:
        self.told, self.port = StoredToldAlerts(folder), port

    def __call__(self, alert: Alert = ALERT, *, to: Recipients = TEAM, now: datetime = NOW) -> AlertOutcome:
        relay = lambda: SmtpRelay(account(self.port), backoff=Backoff(pauses=()))  # noqa: E731
        return tell(alert, to=to, told=self.told, relay=relay, now=now)


@pytest.fixture
def told(sink, tmp_path):
    return Teller(tmp_path / "letters", sink.port)


def test_it_says_what_to_act_on_to_each_recipient(sink, told):
    assert told() is AlertOutcome.SENT
    messages = sink.messages()
    assert sorted(message["To"] for message in messages) == sorted(TEAM.addresses)
    text = as_typed(messages[0].get_content())
    for words in (ILS_DOWN, "« 2. Avis de retard »", "tâche « Extraire les prêts »", ALERT.run_id, ALERT.link):
        assert words in text
    assert messages[0]["Subject"] == "[Relances] BU de Montclar\N{NO-BREAK SPACE}: 2. Avis de retard, en échec"
    assert messages[0]["Auto-Submitted"] == "auto-generated"


def test_what_follows_from_a_failed_task_is_told_with_it(sink, told):
    others = [replace(CLOSING, sentence=f"Les comptes, {word}.") for word in "abc"]
    assert [told(one) for one in (ALERT, *others)] == [AlertOutcome.SENT] + [AlertOutcome.TOLD_ALREADY] * 3
    assert len(sink.messages()) == 2


def test_what_follows_from_what_nobody_told_is_told_once(sink, told):
    others = [replace(CLOSING, sentence=f"Les comptes, {word}.") for word in "ab"]
    assert [told(one) for one in others] == [AlertOutcome.SENT, AlertOutcome.TOLD_ALREADY]


def test_two_tasks_of_a_run_that_fail_each_by_itself_are_two_alerts(sink, told):
    others = [replace(ALERT, task="Envoyer les SMS", sentence="allmysms refuse la clé."), CLOSING]
    assert [told(one) for one in (ALERT, *others)] == [SENT, SENT, AlertOutcome.TOLD_ALREADY]
    messages = sink.messages()
    assert len({message["Message-ID"] for message in messages}) == len(messages) == 4


def test_a_run_that_is_cleared_and_fails_again_is_told_by_its_new_cause_alone(sink, told):
    assert [told(), told()] == [SENT, AlertOutcome.TOLD_ALREADY]
    assert told(replace(ALERT, sentence="Le SIGB refuse le mot de passe.")) is SENT


def test_a_run_of_which_only_the_cause_was_told_is_told_when_it_fails_from_another(sink, told):
    """Both find the same server down; the second is cleared, and then something else is wrong."""
    second = replace(ALERT, dag_id="first_reminder", dag_name="3. Première lettre de relance", run_id="scheduled__2")
    follows = replace(CLOSING, dag_id=second.dag_id, run_id=second.run_id)
    assert [told(), told(second), told(follows)] == [SENT, AlertOutcome.TOLD_ALREADY, AlertOutcome.TOLD_ALREADY]
    assert told(replace(second, sentence="Les comptes ne sont pas justes.", scope=Scope.RUN)) is SENT


def test_what_is_of_one_run_is_told_of_each(sink, told):
    killed = replace(ALERT, sentence="La tâche s'est arrêtée sans rien dire.", scope=Scope.RUN)
    assert [told(killed), told(replace(killed, run_id="scheduled__2"))] == [SENT] * 2
    assert told(replace(killed, dag_id="courtesy_notice")) is SENT


def test_what_runs_every_hour_says_the_same_once_a_day(sink, told):
    hours = [
        replace(ALERT, dag_id="watch", run_id=f"scheduled__{hour}", sentence="Un jour manque.", scope=Scope.DAG)
        for hour in (7, 8, 9)
    ]
    assert [told(one) for one in hours] == [SENT] + [AlertOutcome.TOLD_ALREADY] * 2
    assert told(replace(hours[2], run_id="scheduled__10", sentence="Un autre jour manque.")) is SENT
    assert told(replace(hours[2], dag_id="sms_feedback")) is SENT


def test_another_missed_day_is_told_though_the_sentence_has_the_same_words(sink, told):
    missed = "Avis de retard : aucune tournée pour le {}. Tournées en cours dans Airflow : {}."
    watched = replace(ALERT, dag_id="watch", scope=Scope.DAG)
    said = [
        replace(watched, run_id=f"scheduled__{hour}", sentence=missed.format(day, active))
        for hour, (day, active) in enumerate((("12/11/2026", 1), ("12/11/2026", 2), ("13/11/2026", 2)))
    ]
    assert [told(one) for one in said] == [SENT, AlertOutcome.TOLD_ALREADY, SENT]


def test_a_server_that_is_down_for_all_stages_is_told_once(sink, told):
    stages = [
        replace(ALERT, dag_id=stage, run_id=f"scheduled__{hour}", sentence=ILS_DOWN.replace("5", hour))
        for stage, hour in (("courtesy_notice", "7"), ("first_reminder", "8"), ("overdue_notice", "10"))
    ]
    assert [told(one) for one in stages] == [AlertOutcome.SENT] + [AlertOutcome.TOLD_ALREADY] * 2
    assert len(sink.messages()) == 2


def test_another_cause_another_library_and_another_day_are_each_told(sink, told):
    other_run = replace(ALERT, run_id="scheduled__2")
    changes = [
        told(),
        told(replace(other_run, sentence="Le serveur de messagerie refuse le mot de passe.")),
        told(replace(other_run, library="autre")),
        told(now=NOW + timedelta(days=1)),
    ]
    assert changes == [AlertOutcome.SENT] * 4


def test_two_late_runs_are_two_alerts(sink, told):
    late = replace(ALERT, kind=AlertKind.LATE, sentence="La tournée n'est pas terminée.", hours=4, scope=Scope.RUN)
    other = replace(late, dag_id="courtesy_notice")
    assert [told(late), told(late), told(other)] == [
        AlertOutcome.SENT,
        AlertOutcome.TOLD_ALREADY,
        AlertOutcome.SENT,
    ]
    assert "en retard" in sink.messages()[0]["Subject"]
    assert "commencée il y a plus de 4 h" in sink.messages()[0].get_content()


def test_nobody_named_is_only_logged(sink, told, caplog):
    caplog.set_level("WARNING")
    assert told(to=replace(TEAM, addresses=())) is AlertOutcome.NOBODY
    assert ILS_DOWN in caplog.text
    assert sink.messages() == []
    assert told() is AlertOutcome.SENT  # whoever is named later is told


def test_a_server_that_is_down_is_logged_and_the_next_try_tells(sink, tmp_path, caplog):
    down = Teller(tmp_path / "letters", closed_port())
    assert [down(), down(CLOSING)] == [AlertOutcome.NOT_SENT] * 2
    assert "Alerte non envoyée : Le serveur de messagerie 127.0.0.1" in caplog.text
    assert Teller(tmp_path / "letters", sink.port)() is AlertOutcome.SENT


def test_a_refused_recipient_does_not_keep_it_from_the_other(sink, told, caplog):
    sink.faults = Faults(refuse="equipe@")
    assert told() is AlertOutcome.SENT
    assert [message["To"] for message in sink.messages()] == ["informatique@univ.example.org"]
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("loan_reminders")]
    assert ours
    assert "equipe@" not in "".join(ours)


def test_where_nothing_can_be_remembered_people_are_told_all_the_same(sink, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    teller = Teller(tmp_path / "file", sink.port)
    assert [teller(), teller()] == [AlertOutcome.SENT] * 2
    assert "Alertes déjà envoyées : inconnues" in caplog.text


def test_what_cannot_be_expected_is_logged_by_its_class(told, caplog):
    def broken():
        raise KeyError("Camille Martin")

    assert tell(ALERT, to=TEAM, told=told.told, relay=broken, now=NOW) is AlertOutcome.NOT_SENT
    assert "Alerte non envoyée : KeyError" in caplog.text
    assert "Camille" not in caplog.text
