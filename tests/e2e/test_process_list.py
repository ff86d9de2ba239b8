"""Who is on the machine may read every program's arguments: no secret of a running installation is among them."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from tests.e2e.process_list import ArgumentsSeen


def secrets_of(installation):
    connections = {
        name: json.loads(value) for name, value in installation.env.items() if name.startswith("AIRFLOW_CONN_")
    }
    named = {name: value["password"] for name, value in connections.items() if value.get("password")}
    named |= {f"log-in of {user}": password for user, password in installation.passwords.items()}
    named |= {name: installation.env[name] for name in ("AIRFLOW__API__SECRET_KEY", "REMINDERS_SMS_CALLBACK_TOKEN")}
    return named


def test_no_argument_of_any_program_is_a_secret(installation, arguments_seen):
    arguments_seen.look()
    for part in ("api-server", "scheduler", "dag-processor", "oracle_server", "smtp_sink", "allmysms_server"):
        assert any(part in words for words in arguments_seen.seen), part
    named = secrets_of(installation)
    assert len(named) >= 6
    assert {name for name, secret in named.items() for words in arguments_seen.seen if secret in words} == set()


def test_a_secret_among_the_arguments_would_be_seen():
    with (
        ArgumentsSeen() as found,
        subprocess.Popen([sys.executable, "-c", "input()", "--password=hush-hush"], stdin=subprocess.PIPE) as process,
    ):
        for _ in range(50):  # a program that has just begun has no arguments for a moment
            found.look()
            if any("--password=hush-hush" in words for words in found.seen):
                break
            time.sleep(0.1)
        process.communicate(b"\n")
    assert any("--password=hush-hush" in words for words in found.seen)
