"""Generation, e-mails, SMS and letters: each by the real task, beside its baseline."""

from __future__ import annotations

from statistics import median
from typing import Any

from loan_reminders.domain.stages import Stage
from tests.bench.bed import Bed, Measured, interleaved
from tests.bench.report import Figure, parts

USUAL_LETTERS = 100
"""Letters that WeasyPrint lays out: it is slow, and shown beside the others only."""
KOHA = "Koha 17.12 (2018), measured apart on another machine:"


def generation(bed: Bed) -> list[Figure]:
    """Notices a second, from rows of the ILS to a committed plan: read, planned, routed, claimed."""
    sizes, stage = bed.sizes, Stage.COURTESY_NOTICE
    asked = {"readers": sizes.notices, "warm_up": 300, "email": True, "mobile_every": 2}

    def ours(**how: bool) -> Measured:
        ledger = bed.ledger()
        measured = _prepare(bed, ledger, stage, **asked, **how)
        bed.drop(ledger)
        return measured

    scratch, count = bed.ledger(), sizes.baseline_notices
    usual = {"url": bed.postgres.url(scratch), "today": bed.today.isoformat(), "notices": count}
    runs, classic = interleaved(sizes.rounds, ours, lambda: bed.task("insert_one_by_one", **usual))
    bed.drop(scratch)
    in_sql = median(run.result["in_sql"] for run in classic)
    return [
        Figure(
            name="generation",
            value=sizes.notices / _seconds(runs),
            unit="notices/s",
            baseline=count / _seconds(classic),
            remarks=(
                f"{sizes.notices} notices, {runs[0].result['loans']} loans: each row kept, planned, routed, claimed;"
                " durable",
                "baseline: the same rows read alike, then a SELECT and an autocommit INSERT a notice, one table, no"
                f" claims; {1000 * in_sql / count:.2f} ms of SQL a notice here, where a commit reaches the disk fast",
                f"{KOHA} 30 to 50 notices/s",
            ),
            steps=tuple(ours(profile=True).steps),
        )
    ]


def email_dispatch(bed: Bed) -> list[Figure]:
    """E-mails a second, composed, claimed before they leave and recorded after."""
    sizes, stage, port = bed.sizes, Stage.COURTESY_NOTICE, {"mail": bed.mail_server()}
    planned, rows = bed.ledger(), {"readers": sizes.mails, "email": True}
    made = _prepare(bed, planned, stage, **rows)
    asked = {"stage": stage.value, "today": bed.today.isoformat(), "run_id": made.result["run_id"], "ports": port}

    def ours(**how: bool) -> Measured:
        return _on_a_copy(bed, planned, sizes.mails, "run_task", task="SendEmails", rows=rows, **asked, **how)

    def ready(**how: bool) -> Measured:
        return _on_a_copy(bed, planned, sizes.mails, "send_ready_emails", count=sizes.mails, **asked, **how)

    count = sizes.baseline_mails
    runs, step, bare = interleaved(
        sizes.rounds, ours, ready, lambda: bed.task("send_bare_emails", ledger=planned, count=count, **asked)
    )
    steps = tuple(ours(profile=True).steps), tuple(ready(profile=True).steps)
    bed.drop(planned)
    return [
        Figure(
            name="email_dispatch",
            value=sizes.mails / _seconds(runs),
            unit="mails/s",
            baseline=count / _seconds(bare),
            remarks=(
                f"{sizes.mails} e-mails rendered, claimed, sent and recorded, to a local server that keeps nothing",
                "baseline: smtplib sends the same bytes, already rendered, over as many connections, unrecorded",
                f"{KOHA} 19 mails/s",
            ),
            steps=steps[0],
        ),
        Figure(
            name="smtp_step",
            value=sizes.mails / _seconds(step),
            unit="mails/s",
            baseline=count / _seconds(bare),
            remarks=(
                f"{sizes.mails} e-mails already read and rendered: claimed with their words, sent and recorded",
                "baseline: the same bare loop of smtplib",
            ),
            steps=steps[1],
        ),
    ]


def sms_dispatch(bed: Bed) -> list[Figure]:
    """SMS a minute, in requests of 100, claimed before they leave and recorded after."""
    sizes, stage, port = bed.sizes, Stage.OVERDUE_NOTICE, {"sms": bed.sms_server()}
    planned, rows = bed.ledger(), {"readers": sizes.sms, "email": False, "mobile_every": 1}
    made = _prepare(bed, planned, stage, **rows)
    asked = {"stage": stage.value, "today": bed.today.isoformat(), "run_id": made.result["run_id"], "ports": port}

    def ours(**how: bool) -> Measured:
        return _on_a_copy(bed, planned, sizes.sms, "run_task", task="SendSms", rows=rows, **asked, **how)

    few = sizes.baseline_sms
    runs, bare = interleaved(
        sizes.rounds, ours, lambda: bed.task("post_one_by_one", ledger=planned, count=few, **asked)
    )
    steps = tuple(ours(profile=True).steps)
    bed.drop(planned)
    return [
        Figure(
            name="sms_dispatch",
            value=60 * sizes.sms / _seconds(runs),
            unit="SMS/min",
            baseline=60 * few / _seconds(bare),
            remarks=(
                f"{sizes.sms} SMS to a simulator on this machine: the provider's own delay a request comes on top,"
                " a hundredth of it to each SMS",
                f"baseline: a POST for each of {few} SMS on one connection, unrecorded",
            ),
            steps=steps,
        )
    ]


def letters(bed: Bed) -> list[Figure]:
    """Letters a second, laid out and stored, beside ReportLab's; and the memory that takes."""
    sizes, stage = bed.sizes, Stage.FIRST_REMINDER
    runs: list[Measured] = []
    usual: list[Measured] = []
    whole: dict[int, Measured] = {}
    for count in (sizes.letters, sizes.many_letters):
        planned, rows = bed.ledger(), {"readers": count, "email": False}
        made = _prepare(bed, planned, stage, **rows)
        asked = {"stage": stage.value, "today": bed.today.isoformat(), "run_id": made.result["run_id"]}
        printing = {"task": "PrintLetters", "rows": rows, **asked}

        def ours(planned=planned, count=count, printing=printing, **how: bool) -> Measured:
            return _on_a_copy(bed, planned, count, "run_task", **printing, **how)

        if count == sizes.letters:
            runs, usual = interleaved(
                sizes.rounds, ours, lambda count=count: bed.task("print_usually", engine="reportlab", count=count)
            )
            at_once = bed.task("print_at_once", ledger=planned, count=count, **asked)
            steps = tuple(ours(profile=True).steps)
        whole[count] = ours(together=True)  # apart: to look at memory takes time
        bed.drop(planned)
    few, many = sizes.letters, sizes.many_letters
    skipped = usual[0].result["skipped"]
    others = (few / at_once.seconds, bed.task("print_usually", engine="weasyprint", count=USUAL_LETTERS))
    return [
        Figure(
            name="letters",
            value=few / _seconds(runs),
            unit="letters/s",
            baseline=0.0 if skipped else few / _seconds(usual),
            remarks=(
                f"{few} letters: claimed, laid out, bound into one tagged PDF (A-2a, UA-1), stored, recorded",
                f"{many} letters: {many / whole[many].seconds:.0f} letters/s, while their memory was looked at",
                f"baseline: ReportLab, one process, untagged, unrecorded{f'; skipped, {skipped}' if skipped else ''}",
                f"one Typst compilation of all {few} in one process, unrecorded: {others[0]:.0f} letters/s,"
                f" {at_once.child_peak_mb:.0f} MB",
                _usual_words("weasyprint", others[1]),
            ),
            steps=steps,
        ),
        Figure(
            name="letters_memory",
            value=whole[many].together_mb,
            unit="MB",
            baseline=whole[few].together_mb,
            remarks=(
                f"the task and its workers together at their peak, {many} letters against {few}",
                f"{whole[many].before_mb:.0f} MB are there before the first letter: interpreter, Airflow, operators",
            ),
            steps=parts(
                whole[many].together_mb,
                interpreter_and_Airflow_and_operators=whole[many].before_mb,
                letters_and_their_file_in_the_task=whole[many].peak_mb - whole[many].before_mb,
                processes_of_the_page_engine=whole[many].together_mb - whole[many].peak_mb,
            ),
        ),
    ]


def _usual_words(engine: str, measured: Measured) -> str:
    """What another engine does with letters alike, untagged and unrecorded, or why it was not asked."""
    if measured.result["skipped"]:
        return f"{engine}: skipped, {measured.result['skipped']}"
    return f"{engine}, one process: {measured.result['letters'] / measured.seconds:.0f} letters/s, untagged, unrecorded"


def _prepare(bed: Bed, ledger: str, stage: Stage, **rows: object) -> Measured:
    """A planned run about so many readers."""
    return bed.task("generate", ledger=ledger, stage=stage.value, today=bed.today.isoformat(), **rows)


def _on_a_copy(bed: Bed, planned: str, waiting: int, verb: str, **asked: Any) -> Measured:
    """A task on a copy of a planned ledger; its figure counts only when all that is waiting was done."""
    ledger = bed.ledger(planned)
    measured = bed.task(verb, ledger=ledger, **asked)
    bed.drop(ledger)
    if measured.result != {"accepted": waiting}:
        raise SystemExit(f"of {waiting}: {measured.result}")
    return measured


def _seconds(runs: list[Measured]) -> float:
    return median(run.seconds for run in runs)
