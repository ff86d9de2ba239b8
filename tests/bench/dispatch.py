"""Generation, e-mails, SMS and letters: each by the real task, beside its baseline."""

from __future__ import annotations

from statistics import median

from loan_reminders.domain.stages import Stage
from tests.bench.bed import Bed, Measured, interleaved
from tests.bench.report import Figure

NOTICES, FEWER = 10_000, 5_000
ROUNDS = 3
KOHA = "Koha 17.12 (2018), measured apart on another machine:"


def generation(bed: Bed) -> list[Figure]:
    """Notices a second, from rows of the ILS to a committed plan: read, planned, routed, claimed."""
    stage = Stage.COURTESY_NOTICE

    def ours() -> Measured:
        ledger = bed.ledger()
        measured = _prepare(bed, ledger, stage, readers=NOTICES, warm_up=300, email=True, mobile_every=2)
        bed.drop(ledger)
        return measured

    scratch = bed.ledger()
    asked = {"url": bed.postgres.url(scratch), "today": bed.today.isoformat(), "notices": FEWER, "warm": True}
    runs, classic = interleaved(ROUNDS, ours, lambda: bed.task("insert_one_by_one", **asked))
    bed.drop(scratch)
    in_sql = median(run.result["in_sql"] for run in classic)
    return [
        Figure(
            name="generation",
            value=NOTICES / _seconds(runs),
            unit="notices/s",
            baseline=FEWER / _seconds(classic),
            remarks=(
                f"{NOTICES} notices, {runs[0].result['loans']} loans: each row kept, planned, routed, claimed; durable",
                "baseline: the same rows read alike, then a SELECT and an autocommit INSERT a notice, one table, no"
                f" claims; {1000 * in_sql / FEWER:.2f} ms of SQL a notice here, where a commit reaches the disk fast",
                f"{KOHA} 30 to 50 notices/s",
            ),
        )
    ]


def email_dispatch(bed: Bed) -> list[Figure]:
    """E-mails a second, composed, claimed before they leave and recorded after."""
    stage, port = Stage.COURTESY_NOTICE, {"mail": bed.mail_server()}
    planned, rows = bed.ledger(), {"readers": NOTICES, "email": True}
    made = _prepare(bed, planned, stage, **rows)
    asked = {"stage": stage.value, "today": bed.today.isoformat(), "run_id": made.result["run_id"], "warm": True}

    def ours() -> Measured:
        ledger = bed.ledger(planned)
        measured = bed.task("run_task", task="SendEmails", ledger=ledger, ports=port, rows=rows, **asked)
        bed.drop(ledger)
        return _all_accepted(measured, NOTICES)

    def ready() -> Measured:
        ledger = bed.ledger(planned)
        measured = bed.task("send_ready_emails", ledger=ledger, ports=port, count=NOTICES, **asked)
        bed.drop(ledger)
        return _all_accepted(measured, NOTICES)

    runs, step, bare = interleaved(
        ROUNDS, ours, ready, lambda: bed.task("send_bare_emails", ledger=planned, ports=port, count=FEWER, **asked)
    )
    bed.drop(planned)
    return [
        Figure(
            name="email_dispatch",
            value=NOTICES / _seconds(runs),
            unit="mails/s",
            baseline=FEWER / _seconds(bare),
            remarks=(
                f"{NOTICES} e-mails rendered, claimed, sent and recorded, to a local server that keeps nothing",
                "baseline: smtplib sends the same bytes, already rendered, over as many connections, unrecorded",
                f"{KOHA} 19 mails/s",
            ),
        ),
        Figure(
            name="smtp_step",
            value=NOTICES / _seconds(step),
            unit="mails/s",
            baseline=FEWER / _seconds(bare),
            remarks=(
                f"{NOTICES} e-mails already read and rendered: claimed with their words, sent and recorded",
                "baseline: the same bare loop of smtplib",
            ),
        ),
    ]


def sms_dispatch(bed: Bed) -> list[Figure]:
    """SMS a minute, in requests of 100, claimed before they leave and recorded after."""
    stage, port, few = Stage.OVERDUE_NOTICE, {"sms": bed.sms_server()}, 500
    planned, rows = bed.ledger(), {"readers": NOTICES, "email": False, "mobile_every": 1}
    made = _prepare(bed, planned, stage, **rows)
    asked = {"stage": stage.value, "today": bed.today.isoformat(), "run_id": made.result["run_id"], "warm": True}

    def ours() -> Measured:
        ledger = bed.ledger(planned)
        measured = bed.task("run_task", task="SendSms", ledger=ledger, ports=port, rows=rows, **asked)
        bed.drop(ledger)
        return _all_accepted(measured, NOTICES)

    runs, bare = interleaved(
        ROUNDS, ours, lambda: bed.task("post_one_by_one", ledger=planned, ports=port, count=few, **asked)
    )
    bed.drop(planned)
    return [
        Figure(
            name="sms_dispatch",
            value=60 * NOTICES / _seconds(runs),
            unit="SMS/min",
            baseline=60 * few / _seconds(bare),
            remarks=(
                f"{NOTICES} SMS to a simulator on this machine: the provider's own delay a request comes on top,"
                " a hundredth of it to each SMS",
                f"baseline: a POST for each of {few} SMS on one connection, unrecorded",
            ),
        )
    ]


def letters(bed: Bed) -> list[Figure]:
    """Letters a second, laid out and stored, and the memory that takes."""
    stage, few, many = Stage.FIRST_REMINDER, 1_000, 10_000
    runs: dict[int, list[Measured]] = {}
    memory: dict[int, float] = {}
    for count in (few, many):
        planned, rows = bed.ledger(), {"readers": count, "email": False}
        made = _prepare(bed, planned, stage, **rows)
        asked = {"stage": stage.value, "today": bed.today.isoformat(), "run_id": made.result["run_id"], "warm": True}

        def ours(planned=planned, asked=asked, rows=rows, count=count, together=False) -> Measured:
            ledger = bed.ledger(planned)
            measured = bed.task("run_task", task="PrintLetters", ledger=ledger, rows=rows, together=together, **asked)
            bed.drop(ledger)
            return _all_accepted(measured, count)

        if count == few:
            runs[few], at_once = interleaved(
                ROUNDS,
                ours,
                lambda planned=planned, asked=asked: bed.task("print_at_once", ledger=planned, count=few, **asked),
            )
        else:
            runs[many] = [ours()]
        memory[count] = ours(together=True).together_mb  # apart: to look at it takes time
        bed.drop(planned)
    usual = {name: bed.task("print_usually", engine=name, count=100) for name in ("weasyprint", "reportlab")}
    alone = max(one.child_peak_mb for one in at_once)
    return [
        Figure(
            name="letters",
            value=few / _seconds(runs[few]),
            unit="letters/s",
            baseline=few / _seconds(at_once),
            remarks=(
                f"{few} letters: claimed, laid out, bound into one tagged PDF (A-2a, UA-1), stored, recorded",
                f"{many} letters: {many / runs[many][0].seconds:.0f} letters/s",
                f"baseline: one Typst compilation of all {few} in one process, unrecorded; it takes {alone:.0f} MB",
                *(_usual_words(name, measured) for name, measured in usual.items()),
            ),
        ),
        Figure(
            name="letters_memory",
            value=memory[many],
            unit="MB",
            baseline=memory[few],
            remarks=(f"the task and its workers together at their peak, {many} letters against {few}",),
        ),
    ]


def _usual_words(engine: str, measured: Measured) -> str:
    """What another engine does with letters alike, untagged and unrecorded, or why it was not asked."""
    if measured.result["skipped"]:
        return f"{engine}: skipped, {measured.result['skipped']}"
    return f"{engine}, one process: {measured.result['letters'] / measured.seconds:.0f} letters/s, untagged, unrecorded"


def _prepare(bed: Bed, ledger: str, stage: Stage, **rows: object) -> Measured:
    """A planned run about so many readers."""
    return bed.task("generate", ledger=ledger, stage=stage.value, today=bed.today.isoformat(), warm=True, **rows)


def _all_accepted(measured: Measured, count: int) -> Measured:
    """A fast figure counts only when all of it was done."""
    if measured.result != {"accepted": count}:
        raise SystemExit(f"of {count}: {measured.result}")
    return measured


def _seconds(runs: list[Measured]) -> float:
    return median(run.seconds for run in runs)
