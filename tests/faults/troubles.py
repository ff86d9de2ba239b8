"""The cases in which the task lives and the world around it fails: servers, ledger, ILS, and what people do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.connect import connect
from loan_reminders.settings.library_toml import read_settings
from tests.faults.bed import Bed
from tests.faults.cases import Case, Pace, place, require
from tests.faults.scene import Outcome, Scene
from tests.faults.servers import At
from tests.faults.steps import Strike
from tests.faults.tasks import ROOT
from tests.simulators.allmysms_server import Fault
from tests.simulators.oracle_server import OracleServer

LETTERS = Channel.REGISTERED_LETTER
LOST_CONNECTIONS = (0, 1555, 3113)
"""How the ILS fails in the middle: the line is cut, the snapshot is too old, the session ends."""


# --- the mail server and the SMS provider


def _line_cut_after_data(*, kept: bool) -> Case:
    """The server has read the whole message and cuts the line: it had put the mail on its disk, or it had not."""

    def play(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
        with Scene(bed, Channel.EMAIL) as scene:
            scene.mail.faults.drop_at, scene.mail.faults.drops = "CONTENT", 1 + repetition % 4
            scene.mail.dropped_unkept = 0 if kept else scene.mail.faults.drops
            ended = scene.send().wait()
            require(ended.well or ended.temporary, ended)
            scene.finish()
            return scene.outcome()

    return Case(point=f"line_cut_after_data_{'kept' if kept else 'unkept'}", channel=Channel.EMAIL, play=play)


def _greylisting(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    with Scene(bed, Channel.EMAIL) as scene:
        scene.mail.faults.defer = place(repetition, scene.expected.total())
        ended = scene.send().wait()
        require(ended.error == "DeliveriesDeferred", ended)
        scene.finish()
        outcome = scene.outcome()
        require(outcome.doubled == 0, outcome)
        return outcome


OUR_FAULT = (
    "550 5.4.5 daily sending limit exceeded",
    "550 5.1.1 user unknown",
    "552 no",
    "554 5.6.0 content refused",
    "550 5.2.0 no",
)


def _refused_to_everybody(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    """After some messages the server refuses whoever comes, by whatever code, until somebody mends it."""
    with Scene(bed, Channel.EMAIL) as scene:
        answer = OUR_FAULT[repetition % len(OUR_FAULT)]
        scene.mail.at = At(number=1 + repetition % 12, act=lambda: setattr(scene.mail.faults, "rcpt", answer))
        ended = scene.send().wait()
        require("à tous" in ended.said and not ended.temporary, ended)
        refused = scene.sql("SELECT count(*) FROM deliveries WHERE state = 'refused'")[0][0]
        listed = scene.sql("SELECT count(*) FROM suppressions")[0][0]
        require(refused == listed == 0, f"{refused} refused, {listed} on the list")
        scene.mail.faults.rcpt = ""
        scene.finish()
        outcome = scene.outcome()
        require(outcome.doubled == 0, outcome)
        return outcome


def _late_answer(channel: Channel, *, in_time: bool) -> Case:
    """Answers come late: sooner than patience ends, and nothing is in doubt; or later."""

    def play(bed: Bed, _repetition: int, pace: Pace) -> Outcome:
        with Scene(bed, channel, timeout_s=pace.in_time if in_time else pace.too_short) as scene:
            if channel is Channel.EMAIL:
                scene.mail.faults.late, scene.mail.faults.late_s = 2, pace.slow
            else:
                scene.sms.slow_requests, scene.sms.slow = 1, pace.slow
            ended = scene.send().wait()
            require(ended.well or ended.temporary, ended)
            scene.finish()
            outcome = scene.outcome()
            require((outcome.in_doubt == 0) == in_time, outcome)
            require(not in_time or outcome.doubled == 0, outcome)
            return outcome

    return Case(point=f"late_answer_{'in_time' if in_time else 'too_late'}", channel=channel, play=play, patient=True)


def _sms_line_cut(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    """allmysms takes the SMS of one request and cuts the line."""
    with Scene(bed, Channel.SMS) as scene:
        request = repetition % 5
        cut: Callable[[], None] = lambda: scene.sms_server.fail_next(Fault.CUT_AFTER_ACCEPTING, asking="sendSms")  # noqa: E731
        if request:
            scene.sms.at = At(number=request, act=cut)
        else:
            cut()
        ended = scene.send().wait()
        require(ended.temporary, ended)
        scene.finish()
        outcome = scene.outcome()
        require(outcome.in_doubt > 0, outcome)
        return outcome


# --- the ledger


@contextmanager
def _locked(scene: Scene) -> Iterator[None]:
    """Somebody holds the table and does not let go."""
    with psycopg.connect(scene.bed.postgres.url(scene.database)) as connection:
        connection.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def _full(scene: Scene) -> Iterator[None]:
    """Every write to the table fails as on a full disk."""
    scene.sql(
        "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
    )
    scene.sql(
        "CREATE TRIGGER disk_full BEFORE INSERT OR UPDATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION disk_full()"
    )
    yield
    scene.sql("DROP TRIGGER disk_full ON deliveries")


@contextmanager
def _failing_over(scene: Scene) -> Iterator[None]:
    """Every connection is ended, and none is taken until a retry has come and failed."""
    server, name = scene.bed.postgres, scene.database
    server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
        require(not scene.send().wait().well, "the ledger took connections meanwhile")
    finally:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@contextmanager
def _restarted(scene: Scene, *, crash: bool) -> Iterator[None]:
    """The server stops under its clients' feet, and comes back after the task has failed."""
    scene.bed.postgres.halt(crash=crash)
    yield
    scene.bed.postgres.resume()


def _ledger_trouble(point: str, channel: Channel, *, alone: bool = False) -> Case:
    """It begins when an answer is in hand and not recorded; the task must fail for the moment only."""

    def play(bed: Bed, repetition: int, pace: Pace) -> Outcome:
        troubles = {
            "ledger_locked": lambda scene: _locked(scene),
            "ledger_full": lambda scene: _full(scene),
            "ledger_fails_over": _failing_over,
            "ledger_restarted": lambda scene: _restarted(scene, crash=repetition % 2 == 1),
        }
        with Scene(bed, channel) as scene:
            # The ledger is a copy of a template, and a sequence copied so is only safe from a crash after a checkpoint.
            scene.sql("CHECKPOINT")
            passages = {Channel.EMAIL: scene.expected.total(), Channel.SMS: 5}.get(channel, 1)
            step = "after_store" if channel is LETTERS else "after_answer"
            strike = Strike(point=step, at=place(repetition, passages), lock_seconds=pace.lock)
            task, go_on = scene.held(strike)
            with troubles[point](scene):
                go_on()
                ended = task.wait()
            require(ended.error == "LedgerUnavailable" and ended.temporary, ended)
            scene.finish()
            return scene.outcome()

    return Case(
        point=point, channel=channel, play=play, alone=alone, patient=point in {"ledger_locked", "ledger_fails_over"}
    )


# --- what people do in Airflow


def _unanswered(channel: Channel) -> Case:
    """The question about the volume was marked as successful: nothing leaves until somebody has answered it."""

    def play(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
        library = read_settings(ROOT / "library.toml").library.code
        with Scene(bed, channel) as scene, connect(bed.postgres.url(scene.database), library=library) as ledger:
            scene.env["REMINDERS_CONFIG"] = str(_always_asking(bed, scene))
            if repetition % 2:
                ledger.record_volume_answer(scene.run_id, VolumeAnswer.ASKED)
            for _ in range(2):
                ended = scene.send().wait()
                require(not ended.temporary and "« Vérifier le volume »" in ended.said, ended)
            require(scene.outcome().lost == scene.expected.total(), "something left without an answer")
            ledger.record_volume_answer(scene.run_id, VolumeAnswer.APPROVED, who="faults")
            ledger.close()
            scene.finish()
            return scene.outcome()

    return Case(point="volume_marked_as_answered", channel=channel, play=play)


def _always_asking(bed: Bed, scene: Scene) -> Path:
    """The settings of the tasks, but that one message is beyond the cap of its channel."""
    text = (bed.folder / "library.toml").read_text(encoding="utf-8")
    before, head, after = text.partition("[caps]")
    caps, bracket, rest = after.partition("\n[")
    path = scene.folder / "library.toml"
    path.write_text(before + head + re.sub(r"= \d+", "= 0", caps) + bracket + rest, encoding="utf-8")
    return path


def _failed_when_all_was_done(channel: Channel) -> Case:
    """The last try is killed with every answer recorded: Airflow has a failed task, the books balance, the run
    is red.
    """

    def play(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
        with Scene(bed, channel) as scene:
            ended = scene.send(Strike(point="after_work")).wait()
            require(ended.killed, ended)
            states = {"Envoyer": ("failed", "upstream_failed", "skipped")[repetition % 3], "Préparer": "success"}
            closed = bed.start("CloseRun", stage=scene.stage, env=scene.env, run_id=scene.run_id, states=states).wait()
            require("« Envoyer »" in closed.said and "Préparer" not in closed.said, closed)
            require(not closed.well and not closed.temporary, closed)
            books = scene.sql(f"SELECT state, balanced FROM runs WHERE run_id = {scene.run_id}")
            require(books == [("closed", True)], books)
            return scene.outcome()

    return Case(point="failed_when_all_was_done", channel=channel, play=play)


# --- the ILS


def _ils_fails_half_way(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    """The ILS stops answering between two fetches; the same task reads it again from the start."""
    with Scene(bed, Channel.EMAIL, empty=True) as scene, OracleServer(bed.library) as oracle:
        oracle.faults.fail_fetch_after = 1 + repetition % 2
        oracle.faults.fail_fetch_with = LOST_CONNECTIONS[repetition % len(LOST_CONNECTIONS)]
        asked = {
            "stage": scene.stage,
            "env": scene.env | {"AIRFLOW_CONN_ILS_ORACLE": bed.oracle_connection(oracle)},
        }
        ended = bed.start("ExtractLoans", strike=Strike(fetch=10), **asked).wait()
        require(ended.error == "IlsUnavailable" and ended.temporary, ended)
        oracle.faults.fail_fetch_after = None
        scene.run_id = bed.run("ExtractLoans", strike=Strike(fetch=10), **asked).result
        bed.run("PlanNotices", run_id=scene.run_id, **asked)
        scene.finish()
        outcome = scene.outcome()
        require(outcome.doubled == 0, outcome)
        return outcome


CHANNELS = (Channel.EMAIL, Channel.SMS, LETTERS)
TROUBLES: tuple[Case, ...] = (
    *(case(channel) for case in (_unanswered, _failed_when_all_was_done) for channel in CHANNELS),
    _line_cut_after_data(kept=True),
    _line_cut_after_data(kept=False),
    Case(point="greylisting", channel=Channel.EMAIL, play=_greylisting),
    Case(point="refused_to_everybody", channel=Channel.EMAIL, play=_refused_to_everybody),
    *(_late_answer(channel, in_time=in_time) for channel in (Channel.EMAIL, Channel.SMS) for in_time in (True, False)),
    Case(point="line_cut_after_accepting", channel=Channel.SMS, play=_sms_line_cut),
    Case(point="ils_fails_half_way", channel=Channel.EMAIL, play=_ils_fails_half_way),
    *(
        _ledger_trouble(point, channel, alone=point == "ledger_restarted")
        for point in ("ledger_locked", "ledger_full", "ledger_fails_over", "ledger_restarted")
        for channel in CHANNELS
    ),
)
