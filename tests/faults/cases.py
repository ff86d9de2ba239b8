"""What a case is, and the cases in which SIGKILL strikes the task."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from loan_reminders.domain.stages import Channel
from tests.faults.bed import CONNECTIONS, SMS_BATCH, Bed
from tests.faults.scene import Outcome, Scene
from tests.faults.servers import At
from tests.faults.steps import Strike
from tests.faults.tasks import Ended, Task

IN_FLIGHT = 2 * CONNECTIONS
STRIDE = 7
"""Repetitions strike at passages this far apart, so that a few of them see the beginning and the end of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds. `slow`: a late answer; `in_time` and `too_short`: patience that is enough for it, and that is not.

    `lock`: how long the ledger waits for a lock (0: the product's).
    """

    slow: float
    in_time: float
    too_short: float
    lock: float


QUICK = Pace(slow=1.0, in_time=10.0, too_short=0.4, lock=0.5)
REAL = Pace(slow=30.0, in_time=45.0, too_short=25.0, lock=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault on one channel; `play` is given the bed, the number of the repetition from 0, and the pace.

    `alone`: it takes the database server away from everybody. `patient`: it mostly waits.
    """

    point: str
    channel: Channel
    play: Callable[[Bed, int, Pace], Outcome]
    alone: bool = False
    patient: bool = False

    def __str__(self) -> str:
        return f"{self.channel} {self.point}"


class NotAsPlayed(Exception):
    """The fault did not happen, or the task did not end as it must."""


def require(true: bool, ended: object) -> None:
    """Raise NotAsPlayed unless `true`."""
    if not true:
        raise NotAsPlayed(str(ended))


def _passages(point: str, channel: Channel, messages: int) -> int:
    """How often a run of so many messages passes the point, at least."""
    if channel is Channel.REGISTERED_LETTER:
        return 2 if point == "while_storing" else 1
    if channel is Channel.EMAIL and point in {"after_answer", "request_out"}:
        return messages
    return math.ceil(messages / (IN_FLIGHT if channel is Channel.EMAIL else SMS_BATCH))


def place(repetition: int, passages: int) -> int:
    """Which passage a repetition strikes, from 1."""
    return 1 + repetition * STRIDE % passages


def _killed_at(point: str, channel: Channel) -> Case:
    def play(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
        with Scene(bed, channel) as scene:
            at = place(repetition, _passages(point, channel, scene.expected.total()))
            ended = scene.send(Strike(point=point, at=at, delay=0.03 + 0.05 * repetition)).wait()
            require(ended.killed, ended)
            scene.finish()
            return scene.outcome()

    return Case(point=point, channel=channel, play=play)


def _killed_by_the_server(channel: Channel) -> Case:
    """The server has the message or the request, and kills the client instead of answering."""

    def play(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
        with Scene(bed, channel) as scene:
            victim: Future[Task] = Future()
            at = At(
                number=place(repetition, _passages("request_out", channel, scene.expected.total())),
                act=lambda: victim.result(10).kill(),
            )
            server = scene.mail if channel is Channel.EMAIL else scene.sms
            server.at = at
            victim.set_result(scene.send())
            ended = victim.result().wait()
            require(ended.killed, ended)
            scene.finish()
            return scene.outcome()

    return Case(point="request_out", channel=channel, play=play)


def _two_workers(channel: Channel) -> Case:
    def play(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
        with Scene(bed, channel) as scene:
            strike = Strike(meet=str(scene.folder), page_size=3 + repetition % 5)
            workers = [scene.send(strike) for _ in range(2)]
            for ended in [worker.wait() for worker in workers]:
                require(ended.well or ended.temporary, ended)
            scene.finish()
            twice = scene.sql("SELECT count(*) FROM deliveries WHERE attempts > 1")[0][0]
            require(twice == 0, f"{twice} deliveries were taken twice")
            outcome = scene.outcome()
            require(outcome.doubled == 0, outcome)
            return outcome

    return Case(point="two_workers", channel=channel, play=play)


def _one_of_two_senders_dies(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    """Two workers share a run; one is killed, the other ends well, and the dead one's share alone is begun again.

    The share that is done, begun again as well, sends nothing.
    """
    with Scene(bed, Channel.EMAIL) as scene:
        shares = [{"number": number, "of": 2} for number in (1, 2)]
        theirs, other = shares if repetition % 2 else reversed(shares)
        point = SHARED[repetition % len(SHARED)]
        at = place(repetition, max(1, _passages(point, scene.channel, scene.expected.total()) // 4))
        dying, living = scene.send(Strike(point=point, at=at), share=theirs), scene.send(share=other)
        ended = dying.wait()
        require(ended.killed, ended)
        ended = living.wait()
        require(ended.well, ended)
        scene.let_the_dead_go()
        for share in (theirs, other):
            ended = scene.send(share=share).wait()
            require(ended.well, ended)
        [(waiting,)] = scene.sql("SELECT count(*) FROM deliveries WHERE state IN ('planned', 'claimed', 'in_doubt')")
        require(waiting == 0, f"{waiting} still wait")
        taken = len(scene.mail.taken)
        scene.finish()
        require(len(scene.mail.taken) == taken, "the whole run, begun again, sent something")
        return scene.outcome()


SHARED = ("before_claim", "after_claim", "after_answer", "before_commit", "between_batches")
"""Where one of two senders is killed; when its share is small, at the first of these passages."""


def _two_printers(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    """Of two workers, the second has half of the letters and stores them while the first records its own batch."""
    with Scene(bed, Channel.REGISTERED_LETTER) as scene:
        page = scene.expected.total() // 2
        first, first_goes_on = scene.held(Strike(point="after_claim", page_size=page))
        second, second_goes_on = scene.held(Strike(point="while_storing", at=place(repetition, 2), page_size=page))
        for worker, go_on in ((first, first_goes_on), (second, second_goes_on)):
            go_on()
            ended = worker.wait()
            require(ended.well or ended.temporary, ended)
        scene.finish()
        return scene.outcome()


def _killed_before_sending(point: str, operator: str) -> Case:
    """The task that reads or plans is killed, tried again, and the run goes its way."""

    def play(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
        with Scene(bed, Channel.EMAIL, empty=True) as scene:
            asked = {"stage": scene.stage, "env": scene.env}
            if operator == "PlanNotices":
                scene.run_id = bed.run("ExtractLoans", **asked).result
                asked["run_id"] = scene.run_id
            ended: Ended = bed.start(operator, strike=Strike(point=point), **asked).wait()
            require(ended.killed, ended)
            again = bed.run(operator, **asked).result
            if operator == "ExtractLoans":
                scene.run_id = again
                bed.run("PlanNotices", run_id=again, **asked)
            scene.finish()
            return scene.outcome()

    return Case(point=point, channel=Channel.EMAIL, play=play)


def _triggered_anew(channel: Channel) -> Case:
    """The task is killed and its run never goes on: a new DAG run of the same day does what is left."""

    def play(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
        with Scene(bed, channel) as scene:
            point = ("after_claim", "after_answer", "before_commit", "between_batches")[repetition % 4]
            at = place(repetition, _passages(point, channel, scene.expected.total()))
            ended = scene.send(Strike(point=point, at=at)).wait()
            require(ended.killed, ended)
            dead = scene.run_id
            scene.begin_anew()
            require(scene.run_id != dead, scene.run_id)
            scene.finish()
            return scene.outcome()

    return Case(point="triggered_anew", channel=channel, play=play)


def _letter_for_a_refused_email(bed: Bed, repetition: int, _pace: Pace) -> Outcome:
    """A few e-mails are refused for good; both tasks are killed on the way; the letters are in the same run."""
    with Scene(bed, Channel.LETTER) as scene:
        emails = [who for (who,) in scene.sql("SELECT recipient FROM deliveries WHERE channel = 'email' ORDER BY 1")]
        refused = emails[:: max(2, len(emails) // 3)]
        scene.mail.faults.refuse = "|".join(f"TO:<{re.escape(one)}>" for one in refused)
        asked = {"stage": scene.stage, "env": scene.env, "run_id": scene.run_id}
        at = place(repetition, len(emails))
        ended = bed.start("SendEmails", strike=Strike(point="after_answer", at=at), **asked).wait()
        require(ended.killed, ended)
        scene.let_the_dead_go()
        bed.run("SendEmails", try_number=2, **asked)
        point = PRINTING[repetition % len(PRINTING)]
        ended = scene.send(Strike(point=point, at=1, delay=0.03 + 0.05 * repetition)).wait()
        require(ended.killed, ended)
        scene.finish()
        [[both, neither]] = scene.sql(BOTH_OR_NEITHER)
        require((both, neither) == (0, 0), f"{both} loans by e-mail and letter, {neither} by neither, unexplained")
        letters = scene.sql("SELECT recipient FROM deliveries WHERE channel = 'letter' AND state = 'accepted'")
        require(len(letters) > scene.expected.total(), "no letter took an e-mail's place")
        scene.expected = Counter(recipient for (recipient,) in letters)
        return scene.outcome()


BOTH_OR_NEITHER = """
    SELECT count(*) FILTER (WHERE written > 1), count(*) FILTER (WHERE written = 0 AND NOT explained)
    FROM (
        SELECT seen.loan_id,
               (SELECT count(*) FROM delivery_loans claim JOIN deliveries USING (delivery_id)
                WHERE claim.loan_id = seen.loan_id AND state = 'accepted') AS written,
               EXISTS (SELECT FROM skips WHERE skips.run_id = seen.run_id AND skips.loan_id = seen.loan_id) AS explained
        FROM loans_seen seen
    ) AS told
"""
SENDING = ("before_claim", "after_claim", "request_out", "after_answer", "before_commit", "between_batches")
PRINTING = (
    "before_claim", "after_claim", "while_drawing", "while_storing", "after_store", "before_commit", "between_batches",
)  # fmt: skip

KILLS: tuple[Case, ...] = (
    _killed_before_sending("while_extracting", "ExtractLoans"),
    _killed_before_sending("while_planning", "PlanNotices"),
    *(
        _killed_by_the_server(channel) if point == "request_out" else _killed_at(point, channel)
        for channel in (Channel.EMAIL, Channel.SMS)
        for point in SENDING
    ),
    *(_killed_at(point, Channel.REGISTERED_LETTER) for point in PRINTING),
    *(_two_workers(channel) for channel in (Channel.EMAIL, Channel.SMS, Channel.REGISTERED_LETTER)),
    Case(point="one_of_two_workers_dies", channel=Channel.EMAIL, play=_one_of_two_senders_dies),
    *(_triggered_anew(channel) for channel in (Channel.EMAIL, Channel.SMS)),
    Case(point="letter_for_a_refused_email", channel=Channel.LETTER, play=_letter_for_a_refused_email),
    Case(point="two_printers", channel=Channel.REGISTERED_LETTER, play=_two_printers),
)
