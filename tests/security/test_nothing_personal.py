"""Nothing personal is left where nobody looks for it: what 50 unmistakable readers leave behind, apart from letters.

Every task of every DAG runs on real servers, well and badly; every page is asked for and every form sent. Then logs,
what tasks give each other (XCom), questions to a person, notes of runs, error texts, addresses, headers, names of files
and the tables of the ledger that are said to name nobody are searched for any writing of those readers.
"""

from __future__ import annotations

import json
import logging
import traceback
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from loan_reminders.domain.runs.books import BOOKS
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Stage
from loan_reminders.french.retention import note_words
from loan_reminders.french.runs import books_sentence
from loan_reminders.ledger.reader_rights.catalogue import WITHOUT_READERS
from tests.scenes import unmistakable
from tests.scenes.ledger_runs import rows
from tests.scenes.left_behind import SIMULATORS, THERE, Kept, Left, walk
from tests.scenes.operators_at_work import AtWork
from tests.scenes.unmistakable import DIGITS, WORD, WRITINGS, found
from tests.scenes.world import DUE
from tests.simulators.allmysms_server import Fault
from tests.web.client import browsing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HOLD = Stage("hold_arrived")
OTHER_NOTICE = """
[notices.hold_arrived]
title = "avis de réservation disponible"
hour = "17:00"
channels = [{ channel = "email" }, { channel = "sms", conditions = { categories = ["student"] } }]
"""
"""A notice that is not about loans, told of by the same tasks."""

DO_NOT_END = {"ConfirmVolume", "ApproveLetters", "ReadBounces", "WatchRuns"}
"""Two ask a person, the others find fault: no mailbox, days that were missed."""


@pytest.mark.parametrize(
    "written",
    [
        f"Zoé {WORD}".encode(),
        WORD.upper().encode("utf-16-le"),
        json.dumps({"nom": f"é{WORD.capitalize()}"}).encode(),
        f"%C3%A9{WORD}%40etu".encode(),
        b"06 00 00 98 01",
        f"+33{DIGITS}01".encode(),
        *(b64encode(b"x" * shift + f"to: {WORD}1@etu".encode()) for shift in range(3)),
        *(b64encode(b"x" * shift + f"33{DIGITS}01".encode()) for shift in range(3)),
    ],
)
def test_the_search_knows_each_writing(written):
    assert found(written)


def test_the_search_finds_nothing_in_nobody():
    assert found("Camille Martin 33639980001 été".encode()) == set()
    assert min(map(len, WRITINGS)) >= 6


@pytest.fixture
def kept():
    handler, root = Kept(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    # Another test may have left a log on the output: what the servers say that play the outside is not our output.
    outside = {name: logging.getLogger(name.rstrip(".")) for name in SIMULATORS}
    levels = {name: one.level for name, one in outside.items()}
    for one in outside.values():
        one.setLevel(logging.CRITICAL)
    yield handler
    for name, one in outside.items():
        one.setLevel(levels[name])
    root.removeHandler(handler)
    root.setLevel(before)


class Instance:
    """What a task knows of itself, and what it gives to others."""

    def __init__(self, left):
        self.id, self.try_number, self.max_tries, self.left = "1", 1, 1, left

    def xcom_push(self, key, value):
        self.left.keep(f"XCom {key}", json.dumps(value, default=str))
        if key == BOOKS:
            self.left.keep("note", books_sentence(value))

    def get_task_states(self, **_):
        return {}

    def get_dr_count(self, **_):
        return 0

    def get_dag(self, **_):
        return SimpleNamespace(is_paused=False)


class AllDags(AtWork):
    """Every operator on the world; what it gives, asks and raises is kept."""

    def run(self, left, name, **arguments):
        from loan_reminders import operators

        ids = {"run_id": arguments.pop("run_id")} if "run_id" in arguments else {}
        instance = Instance(left)
        run = SimpleNamespace(
            run_id=f"manual {name}", logical_date=None, run_type="manual", start_date=None,
            run_after=datetime.combine(self.world.today, datetime.min.time(), UTC) + timedelta(hours=9), conf={},
        )  # fmt: skip
        context = {
            "ti": instance, "task_instance": instance, "dag_run": run,
            "params": {"reference_date": "", "dry_run": False, **arguments},
        }  # fmt: skip
        operator = getattr(operators, name)(task_id="task", default_args={"stage": self.world.stage}, **ids)
        try:
            given = operator.execute(context)
        except BaseException as error:
            left.keep(f"error of {name}", "".join(traceback.format_exception(error)))
            left.keep(f"error of {name}", repr(vars(error)))
            given = None
        else:
            left.ran.add(name)
        left.keep(f"XCom of {name}", json.dumps(given, default=str))
        for part in ("subject", "body", "options", "params"):
            left.keep(f"question of {name}", getattr(operator, part, ""))
        return given


@pytest.fixture
def dags(installed, world, monkeypatch, tmp_path):
    from airflow.providers.standard.operators import hitl

    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **_: None)
    return AllDags(world, monkeypatch, tmp_path, OTHER_NOTICE)


def a_day(dags, left, stage, *, fault):
    """One day of a stage, all its tasks, with what may go wrong outside."""
    world = dags.world
    world.stage = stage
    rule = dags.config.policy().rule(stage)
    due = DUE + timedelta(days=fault)
    world.today = due + timedelta(days=rule.offset_days)
    world.ils.rows = unmistakable.loans(due) if stage.is_about_loans else unmistakable.requests(stage, due)
    run_id = dags.run(left, "ExtractLoans")
    assert isinstance(run_id, int)
    for name in ("PlanNotices", "ConfirmVolume"):
        dags.run(left, name, run_id=run_id)
    world.ledger.record_volume_answer(run_id, VolumeAnswer.APPROVED, who="zoé")
    dags.run(left, "SendEmails", run_id=run_id)
    if stage in (Stage.OVERDUE_NOTICE, HOLD):
        dags.run(left, "SendSms", run_id=run_id)
    if stage is Stage.REGISTERED_LETTER:
        for name in ("PrepareLetters", "ApproveLetters"):
            dags.run(left, name, run_id=run_id)
    if stage not in (Stage.OVERDUE_NOTICE, Stage.COURTESY_NOTICE, HOLD):
        dags.run(left, "PrintLetters", run_id=run_id)
    dags.run(left, "CloseRun", run_id=run_id)


def beside_the_stages(dags, left):
    for name in [
        "ReadReceipts",
        "ReadReplies",
        "ReadBlacklist",
        "ReadCredit",
        "ReadBounces",
        "LookAtLoans",
        "MeasureEffect",
    ]:
        dags.run(left, name)
    dags.run(left, "WatchRuns")
    for dry_run in (True, False):
        erased = dags.run(left, "EraseExpired", dry_run=dry_run)
        if erased:
            left.keep("note", note_words({key: value for key, value in erased.items() if key != "dry_run"},
                                         dry_run=dry_run))  # fmt: skip


def every_page(dags, left):
    """Every route, as a browser asks for it and with what a form about one of these readers would say."""
    [(number, batch, run)] = rows(dags.world.ledger, THERE)
    with browsing("admin") as client:
        walk(left, client.request, {"number": number, "batch_id": batch, "run_id": run})
        for query in (f"?recherche={WORD}", f"/{WORD}", f"?fait={WORD}"):
            client.get(f"/lecteurs{query}")


def without_readers(ledger):
    """Every row of the tables of which the catalogue says that no reader is in them."""
    with ledger.engine.connect() as connection:
        for table in WITHOUT_READERS:
            for (row,) in connection.execute(text(f"SELECT CAST(to_jsonb(line) AS text) FROM {table} line")):
                yield table, row


def test_nothing_personal_is_left_anywhere_but_in_letters_and_where_readers_are_kept(dags, kept, capfd, tmp_path):
    left, world = Left(), dags.world
    for fault, stage in enumerate((*Stage, HOLD)):
        if fault == 0:
            world.mail.faults.refuse, world.mail.faults.refusal = (
                ".*7@.*",
                f"550 5.1.1 <{WORD}7@etu.example.org> unknown",
            )
        if fault == 1:
            world.mail.faults.refuse = ""
            world.sms.fail_next(Fault.HTTP_500_AFTER_ACCEPTING)
        if fault == 2:
            world.mail.faults.data = f"451 4.3.0 {WORD}@etu.example.org try later"
        if fault == 3:
            world.mail.faults.data = ""
            world.printer = None
        a_day(dags, left, stage, fault=fault)
    for number in range(1, 4):
        world.sms.provider.reply(f"33{DIGITS}{number:02d}", f"STOP {WORD}")
    world.ils.rows = unmistakable.loans(DUE)
    beside_the_stages(dags, left)
    every_page(dags, left)
    broken(dags, left)
    for path in tmp_path.rglob("*"):
        left.keep("name of a file", str(path.relative_to(tmp_path)))
    for line in kept.lines:
        left.keep("log", line)
    out, err = capfd.readouterr()
    left.keep("output", out)
    left.keep("output", err)
    for table, row in without_readers(world.ledger):
        left.keep(f"table {table}", row)
    assert len(kept.lines) > 50
    assert {"note", "error of SendSms"} <= {where for where, _ in left.said}, "the provider broke down"
    from loan_reminders import operators

    assert set(operators.__all__) - left.ran == DO_NOT_END
    assert left.personal() == []
    # They were really there: letters, e-mails and the ledger are full of them.
    assert len(world.mail.messages()) > 20
    assert any(found(path.read_bytes()) for path in tmp_path.rglob("destinataires.csv"))


def broken(dags, left):
    """What the ledger and the page engine say when they break down with a reader in hand."""
    from loan_reminders.domain.errors import LettersNotPrinted
    from loan_reminders.operators.base import only_temporary_errors_are_retried

    world, name = dags.world, unmistakable.reader(1).name
    for statement in (
        "INSERT INTO readers (library, patron_id, last_seen_on) VALUES (:library, :name, NULL)",
        "SELECT CAST(:name AS integer)",
    ):
        try:
            with only_temporary_errors_are_retried(), world.ledger._transaction() as connection:
                connection.execute(
                    text(statement), {"library": world.ledger.library, "name": unmistakable.reader(1).name}
                )
        except Exception as error:
            left.keep("error of the ledger", "".join(traceback.format_exception(error)))
    for told in (LettersNotPrinted("Typst"), KeyError(name), ExceptionGroup(name, [ValueError(name)])):
        try:
            with only_temporary_errors_are_retried():
                raise told
        except Exception as error:
            left.keep("error of a task", "".join(traceback.format_exception(error)))
