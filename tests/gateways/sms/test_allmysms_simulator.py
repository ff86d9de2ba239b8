"""An Airflow connection as a gateway, and the simulated provider itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from datetime import UTC
from pathlib import Path
from typing import Any, get_args

import pytest

from loan_reminders.domain.errors import SettingsError, SmsAccountRejected
from loan_reminders.domain.states import DeliveryState
from loan_reminders.hooks.allmysms import SmsApi, sms_account, sms_gateway
from tests.scenes.sms_requests import API_KEY, LOGIN, TEXT, gateway_to, number, outcomes, texts
from tests.simulators.allmysms_server import AllMySmsServer

S = DeliveryState


def test_an_airflow_connection_becomes_a_gateway(server: AllMySmsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, place = server.base_url.partition("://")
    host, _, port = place.partition(":")
    connection = {
        "conn_type": "generic", "host": host, "port": int(port), "schema": "http", "login": LOGIN,
        "password": API_KEY, "extra": {"read_timeout_s": 2, "login_in_clear": True},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_ALLMYSMS_TEST", json.dumps(connection))
    with sms_gateway("allmysms_test", sender="BU", campaign="RELANCES") as gateway:
        assert outcomes(gateway.send(texts(1))) == [(S.ACCEPTED, None)]
    with sms_gateway("allmysms_test", sender="BU", campaign="RELANCES", api="rest", zone=UTC) as gateway:
        assert outcomes(gateway.send(texts(2))) == [(S.ACCEPTED, None)] * 2
    units = []
    for api in get_args(SmsApi):
        account = sms_account("allmysms_test", api=api, zone=UTC)
        units.append(account.credit().unit)
        account.close()
    assert units == ["credits", "EUR"]
    in_clear = {**connection, "extra": {"login_in_clear": "no"}}
    monkeypatch.setenv("AIRFLOW_CONN_ALLMYSMS_TEST", json.dumps(in_clear))
    for api in get_args(SmsApi):
        with (
            sms_gateway("allmysms_test", sender="BU", campaign="RELANCES", api=api) as gateway,
            pytest.raises(SmsAccountRejected, match="login_in_clear"),
        ):
            gateway.send(texts(1))
    monkeypatch.setenv("AIRFLOW_CONN_ALLMYSMS_TEST", json.dumps({**connection, "password": None}))
    with pytest.raises(SettingsError, match="allmysms_test : il manque password"):
        sms_gateway("allmysms_test", sender="BU", campaign="RELANCES")


def ask(server: AllMySmsServer, method: str, **fields: str) -> dict[str, Any]:
    form = {"login": LOGIN, "apiKey": API_KEY, "returnformat": "json", **fields}
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{server.base_url}/http/9.0/{method}/", body) as answer:
        assert answer.headers["Content-Type"].startswith("text/html")
        said: dict[str, Any] = json.load(answer)
        return said


def flow(**changes: Any) -> str:
    data = {"MESSAGE": "Bonjour #param_1#", "TPOA": "BU", "SMS": [{"MOBILEPHONE": number(1), "PARAM_1": "Marie"}]}
    return json.dumps({"DATA": {**data, **changes}})


def test_the_simulator_tells_the_account_without_taking_credit(server: AllMySmsServer) -> None:
    before = ask(server, "getInfo")
    quote = ask(server, "simulateCampaign", smsData=flow())
    assert (before["status"], before["credits"]) == ("Active Account", "150000")
    assert (quote["status"], quote["nbCredits"], quote["nbSms"]) == (100, 15, 1)
    assert "smsIds" not in quote
    assert ask(server, "getInfo")["credits"] == "150000"
    assert server.provider.accepted == []


@pytest.mark.parametrize(
    ("sms_data", "status"),
    [
        (flow(), 100),
        (flow(DATE="2999-01-01 10:00:00"), 101),
        (flow(DATE="1 janvier"), 115),
        (flow(SMS=[]), 109),
        (flow(SMS=[{"MOBILEPHONE": "33493000000"}]), 114),
        (flow(MESSAGE=""), 110),
        ("", 105),
        ("<DATA><SMS>", 106),
        ("<OTHER/>", 107),
        ("{", 115),
    ],
)
def test_the_simulator_reads_both_forms_of_flow(server: AllMySmsServer, sms_data: str, status: int) -> None:
    assert ask(server, "sendSms", smsData=sms_data)["status"] == status
    assert [sms.text for sms in server.provider.accepted] == (["Bonjour Marie"] if status < 102 else [])


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_simulator_runs_alone_keeps_a_journal_and_stops_when_asked(tmp_path: Path, ending: signal.Signals) -> None:
    journal = tmp_path / "sms.jsonl"
    command = [sys.executable, "-m", "tests.simulators.allmysms_server", "--journal", str(journal),
               "--login", LOGIN, "--credits", "30"]  # fmt: skip
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "ALLMYSMS_API_KEY": API_KEY}
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        try:
            with gateway_to(base_url) as gateway:
                gateway.send(texts(2))
                with pytest.raises(SmsAccountRejected):
                    gateway.send(texts(1))
        finally:
            process.send_signal(ending)
        assert process.wait(timeout=10) == 0
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert [(line["phone_number"], line["text"], line["credits"]) for line in lines] == [
        (number(0), TEXT, 15),
        (number(1), TEXT, 15),
    ]
