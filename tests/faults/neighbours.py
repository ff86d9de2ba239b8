"""The cases in which one thing must not spoil another: two runs of SMS at once, and answers that cannot be true."""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from loan_reminders.domain.stages import Channel
from tests.faults.bed import Bed
from tests.faults.cases import Case, Pace, require
from tests.faults.scene import Outcome, Scene
from tests.faults.steps import Strike
from tests.faults.tasks import Ended, Task

PATIENCE_S = 1.0
IMPOSSIBLE = ("0001-01-01 00:00:00", "9999-12-31 23:59:59", "0001-01-01T00:00:00+14:00", "26/11/2026", "\x00", "1e400")


_SHARE = """
    WITH ours AS (
        SELECT recipient, row_number() OVER (ORDER BY delivery_id) AS place FROM deliveries
        WHERE run_id = {ours} AND channel = 'sms'
    ), theirs AS (
        SELECT delivery_id, row_number() OVER (ORDER BY delivery_id) AS place FROM deliveries
        WHERE run_id = {theirs} AND channel = 'sms'
    )
    UPDATE deliveries SET recipient = ours.recipient FROM ours JOIN theirs USING (place)
    WHERE deliveries.delivery_id = theirs.delivery_id AND theirs.place % 2 = 1
"""


class _Neighbour:
    """A second run of SMS beside the scene's own: that of the day before, half of whose readers share their number."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._asked: dict[str, Any] = {
            "stage": scene.stage,
            "env": scene.env,
            "today": (scene.bed.today - timedelta(days=1)).isoformat(),
        }
        self.run_id = scene.bed.run("ExtractLoans", **self._asked).result
        scene.bed.run("PlanNotices", run_id=self.run_id, **self._asked)
        scene.sql(_SHARE.format(ours=scene.run_id, theirs=self.run_id))
        found = scene.sql(f"SELECT recipient FROM deliveries WHERE channel = 'sms' AND run_id = {self.run_id}")
        self.expected = Counter(recipient for (recipient,) in found)
        require(bool(self.expected.keys() & scene.expected.keys()), "the two runs have no reader in common")

    def send(self, strike: Strike | None = None, **env: str) -> Task:
        asked = {**self._asked, "env": self.scene.env | env}
        return self.scene.bed.start("SendSms", run_id=self.run_id, strike=strike, **asked)

    def outcome(self) -> Outcome:
        """Each number of either run is to have one SMS, whoever sends it."""
        told = self.scene.sms.texted()
        wanted = Counter(self.scene.expected.keys() | self.expected.keys())
        doubled = (told - wanted).total()
        lost = (wanted - told).total()
        return Outcome(lost=lost, doubled=doubled, unmarked=doubled, in_doubt=0, too_many_in_doubt=0)


def _two_runs_of_sms(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    """The day's run and that of a missed day: at the same moment, or while the first is about to claim an SMS."""
    with Scene(bed, Channel.SMS) as scene:
        neighbour = _Neighbour(scene)
        if repetition % 2:
            first, go_on = scene.held(Strike(point="before_claim"))
            second = neighbour.send(Strike(lock_seconds=PATIENCE_S))
            ended = second.wait()
            go_on()
            require(ended.error == "LedgerUnavailable" and ended.temporary, ended)
        else:
            meet = Strike(meet=str(scene.folder), lock_seconds=PATIENCE_S)
            first, second = scene.send(meet), neighbour.send(meet)
            ended = second.wait()
            require(ended.well or ended.temporary, ended)
        ended = first.wait()
        require(ended.well or ended.temporary, ended)
        scene.finish()
        ended = neighbour.send().wait()
        require(ended.well, ended)
        return neighbour.outcome()


def _two_runs_one_budget(bed: Bed, _repetition: int, _pace: Pace) -> Outcome:
    """The day's cap is enough for either run, not for both: the second, once it may read, sends nothing."""
    with Scene(bed, Channel.SMS) as scene:
        neighbour = _Neighbour(scene)
        enough = max(scene.expected.total(), neighbour.expected.total())
        capped = {"REMINDERS_CONFIG": str(_with_a_cap(bed, scene.folder, enough))}
        first, go_on = scene.held(Strike(point="before_claim"), **capped)
        second = neighbour.send(Strike(lock_seconds=PATIENCE_S), **capped)
        ended = second.wait()
        go_on()
        require(ended.error == "LedgerUnavailable" and ended.temporary, ended)
        require(first.wait().well, "the first run had money enough")
        ended = neighbour.send(**capped).wait()
        require("plafond du jour" in ended.said, ended)
        told = scene.sms.texted()
        spent = sum(sms.segments for sms in scene.sms.accepted)
        doubled = (told - scene.expected).total() + max(0, spent - enough)
        lost = (scene.expected - told).total()
        return Outcome(lost=lost, doubled=doubled, unmarked=doubled, in_doubt=0, too_many_in_doubt=0)


def _with_a_cap(bed: Bed, folder: Path, segments: int) -> Path:
    text = (bed.folder / "library.toml").read_text(encoding="utf-8")
    text, found = re.subn(r"(?m)^daily *= *\d+", f"daily = {segments}", text)
    require(found == 1, "library.toml has no cap of the day")
    path = folder / "library.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _impossible_answers(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    """Replies and receipts that cannot be true, before and among true ones: STOPs and receipts count all the same."""
    with Scene(bed, Channel.SMS) as scene:
        scene.finish()
        numbers = sorted(scene.expected)
        for place, number in enumerate(numbers[: len(IMPOSSIBLE)]):
            said = scene.sms.reply(number, "Bonjour, je l'ai rendu")
            said["receptionDate"] = IMPOSSIBLE[(repetition + place) % len(IMPOSSIBLE)]
        stops = numbers[-3:]
        for place, number in enumerate(stops):
            said = scene.sms.reply(number, "STOP")
            said["receptionDate"] = IMPOSSIBLE[(repetition + place) % len(IMPOSSIBLE)]
        # One that was kept before and that no index can hold: no clean-up at the door can mend it any more.
        unholdable = os.urandom(6000).hex()
        scene.sql(
            "INSERT INTO sms_replies (library, reply_id, phone_number, text)"
            f" SELECT library, 'mo-0', '{unholdable}', 'STOP' FROM runs LIMIT 1"
        )
        env = {"stage": scene.stage, "env": scene.env}
        ended: Ended = bed.run("ReadReplies", **env)
        require(ended.result.get("put_aside") == 1, ended)
        for _ in range(3):
            ended = bed.run("ReadReceipts", **env)
        in_force = {one for (one,) in scene.sql("SELECT recipient FROM suppressions WHERE lifted_at IS NULL")}
        waiting = scene.sql(
            "SELECT (SELECT count(*) FROM sms_replies WHERE settled_at IS NULL)"
            " + (SELECT count(*) FROM sms_acks WHERE settled_at IS NULL)"
        )[0][0]
        delivered = scene.sql("SELECT count(*) FROM deliveries WHERE channel = 'sms' AND state = 'delivered'")[0][0]
        lost = len(set(stops) - in_force) + waiting + (scene.expected.total() - delivered)
        return Outcome(lost=lost, doubled=0, unmarked=0, in_doubt=0, too_many_in_doubt=0)


NEIGHBOURS: tuple[Case, ...] = (
    Case(point="two_runs_at_once", channel=Channel.SMS, play=_two_runs_of_sms),
    Case(point="two_runs_one_budget", channel=Channel.SMS, play=_two_runs_one_budget),
    Case(point="impossible_answers", channel=Channel.SMS, play=_impossible_answers),
)
