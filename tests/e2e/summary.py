"""What a run did, from the ledger's books and Airflow's own times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import create_engine, text

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings

HEADS = ("Étape", "Prêts", "Avis", "E-mails", "SMS", "Segm.", "Lettres", "s", "Écartés")


def stage_summary(ledger_url: str, *, stage: Stage, run: dict[str, Any], tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """One stage's figures. E-mails and SMS are those the server accepted, letters those stored for printing."""
    engine = create_engine(ledger_url)
    with engine.connect() as connection:
        books = connection.scalar(
            text(
                "SELECT books FROM runs WHERE library = :library AND stage = :stage AND dag_run_id = :run"
                " ORDER BY attempt DESC LIMIT 1"
            ),
            {"library": settings().library.code, "stage": stage.value, "run": run["dag_run_id"]},
        )
    engine.dispose()
    books = books or {}
    deliveries = books.get("deliveries", {})

    def accepted(*channels: str) -> int:
        return sum(deliveries.get(channel, {}).get("accepted", 0) for channel in channels)

    return {
        "stage": stage.value,
        "state": run["state"],
        "loans": books.get("loans_extracted", 0),
        "loans_in_notices": books.get("loans_in_notices", 0),
        "notices": books.get("notices", 0),
        "emails": accepted("email"),
        "sms": accepted("sms"),
        "segments": books.get("segments", 0),
        "letters": accepted("letter", "registered_letter"),
        "skipped": books.get("skipped", {}),
        "slots_skipped": books.get("slots_skipped", {}),
        "deliveries": deliveries,
        "seconds": _seconds(run),
        "task_seconds": {task["task_id"]: round(task["duration"] or 0, 2) for task in tasks},
    }


def _seconds(run: dict[str, Any]) -> float:
    if not run.get("start_date") or not run.get("end_date"):
        return 0.0
    return round((_instant(run["end_date"]) - _instant(run["start_date"])).total_seconds(), 1)


def _instant(text_value: str) -> datetime:
    return datetime.fromisoformat(text_value.replace("Z", "+00:00"))


def table(summaries: list[dict[str, Any]]) -> str:
    """The figures as a table, a line a stage."""
    rows = [HEADS]
    for one in summaries:
        skips = ", ".join(f"{reason} {count}" for reason, count in sorted(one["skipped"].items())) or "-"
        rows.append(
            (
                one["stage"], str(one["loans"]), str(one["notices"]), str(one["emails"]), str(one["sms"]),
                str(one["segments"]), str(one["letters"]), f"{one['seconds']:.0f}", skips,
            )
        )  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in (0, len(HEADS) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(["", lines[0], "-" * len(lines[0]), *lines[1:], ""])
