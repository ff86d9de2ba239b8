"""Prometheus's own judge of the alarms: which of them are raised by figures as the program gives them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).resolve().parents[2] / "deploy/monitoring/rules.yaml"
NOT_SENT = "airflow_relances_alerts{library='montclar', kind='failed', outcome='not_sent'}"
LEDGER_ERRORS = "airflow_relances_provider_errors{library='montclar', service='ledger', kind='temporary'}"
LOOKS = "airflow_relances_looks{library='montclar'}"


@pytest.mark.parametrize(
    ("alarm", "series", "values", "raised"),
    [
        ("RelancesAlertNotSent", NOT_SENT, "0x60 1x600", {61: True, 300: True, 480: False}),
        ("RelancesAlertNotSent", NOT_SENT, "0x600", {300: False}),
        ("RelancesAlertNotSent", NOT_SENT, "_x60 1x600", {61: False, 300: False}),  # born at 1: hence those zeros
        ("RelancesProviderErrors", LEDGER_ERRORS, "0x60 1 2 3 4x120", {69: True, 140: False}),
        ("RelancesProviderErrors", LEDGER_ERRORS, "0x60 1 2 3x120", {69: False, 90: False}),
        ("RelancesNobodyLooks", LOOKS, " ".join(f"{n}x59" for n in range(1, 9)), {200: False, 460: False}),
        ("RelancesNobodyLooks", LOOKS, "1x59 2x400", {120: False, 260: True}),
    ],
)
def test_an_alarm_is_raised_at_the_first_event_and_ends(
    alarm: str, series: str, values: str, raised: dict[int, bool], tmp_path: Path
) -> None:
    """The numbers are minutes, one reading each; `watch` gives a counter its 0 every hour."""
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed: apt-get install prometheus")
    firing = f"count(ALERTS{{alertname='{alarm}', alertstate='firing'}})"
    asked = [
        {"expr": firing, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": 1}] * is_raised}
        for minute, is_raised in raised.items()
    ]
    played = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": values}],
                "promql_expr_test": asked,
            }
        ],
    }
    (file := tmp_path / "played.yaml").write_text(yaml.safe_dump(played), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
