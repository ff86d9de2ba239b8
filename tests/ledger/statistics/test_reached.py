"""Who is told and who is not reached: the first page, a run's page and the figures say the same of the same run."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from loan_reminders.domain.notices import Skip
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger.run_pages.run_page import PostgresRunPages
from loan_reminders.ledger.runs.today import PostgresToday
from loan_reminders.ledger.statistics import counting
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron
from tests.scenes.ledger_letters import a_batch
from tests.scenes.ledger_runs import answer, extracted, ids, rows

ZONE = "Europe/Paris"
TODAY = DUE_DATE + timedelta(days=1)
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 18, tzinfo=ZoneInfo(ZONE))
S = DeliveryState
EMAILS = {
    "told": (S.ACCEPTED, None),
    "doubtful": (S.IN_DOUBT, Reason.NO_ANSWER),
    "refused": (S.REFUSED, Reason.RECIPIENT_REFUSED),
    "by SMS too": (S.ACCEPTED, None),
    "by SMS alone": (S.REFUSED, Reason.RECIPIENT_REFUSED),
}
"""Readers, and what became of their e-mail."""
NO_WAY = {
    "no address": SkipReason.NO_RECIPIENT,
    "unusable": SkipReason.INVALID_RECIPIENT,
    "dead": SkipReason.DEAD_ADDRESS,
}
NOT_SOUGHT = {"opted out": SkipReason.OPTED_OUT, "held": SkipReason.HELD}


def loan_of(who):
    return a_loan(loan_id=who, patron=a_patron(patron_id=who))


def a_day_with_each_case(ledger):
    """A closed run: the letter of the first is printed, of the second not; that of `returned` came back."""
    notices = {who: a_notice(loans=(loan_of(who),)) for who in (*EMAILS, "printed", "waiting", "returned", "stopped")}
    emails = {who: a_delivery(notice=notices[who]) for who in (*EMAILS, "stopped")}
    sms = [a_delivery(notice=notices[who], channel=Channel.SMS) for who in ("by SMS too", "by SMS alone")]
    letters = {
        who: a_delivery(notice=notices[who], channel=Channel.LETTER) for who in ("printed", "waiting", "returned")
    }
    everybody = [*notices, *NO_WAY, *NOT_SOUGHT, "SMS, no address"]
    texted = a_delivery(notice=a_notice(loans=(loan_of("SMS, no address"),)), channel=Channel.SMS)
    run = extracted(ledger, [loan_of(who) for who in everybody])
    skips = [
        Skip(loan_id=who, due_date=DUE_DATE, patron_id=who, reason=why) for who, why in (NO_WAY | NOT_SOUGHT).items()
    ]
    skips.append(Skip(loan_id="SMS, no address", due_date=DUE_DATE, patron_id="SMS, no address", slot=Slot.WRITTEN,
                      reason=SkipReason.NO_RECIPIENT))  # fmt: skip
    with ledger.planning(run.run_id) as planning:
        planning.record([*emails.values(), *sms, texted, *letters.values()], skips)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.record([answer(emails["stopped"], S.CANCELLED, Reason.DEAD_ADDRESS)])
        sender.claim(ids([emails[who] for who in EMAILS]))
        sender.record([answer(emails[who], state, why) for who, (state, why) in EMAILS.items()])
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        sender.claim(ids([*sms, texted]))
        sender.record([answer(one, S.ACCEPTED) for one in (*sms, texted)])
    with ledger.sender(run.run_id, Channel.LETTER) as sender:
        for who, letter in letters.items():
            sender.claim(ids([letter]))
            batch = sender.record_batch(a_batch([letter], who), [answer(letter, S.ACCEPTED)])
            if who != "waiting":
                ledger.letters().mark_printed(batch, who="zoé")
    ledger.desk().note_return("REF-returned", since=NOW, who="zoé")
    ledger.close_run(run.run_id)
    return run


def test_the_three_of_them_agree_on_each_case(ledger):
    run = a_day_with_each_case(ledger)
    first_page = ledger.part(PostgresToday).today(NOW, zone=ZONE).stages[Stage.OVERDUE_NOTICE]
    page = ledger.part(PostgresRunPages).run(run.run_id, names=True)
    [figures] = rows(ledger, "SELECT sum(told) AS told, sum(failed) AS failed, sum(not_reached) AS no_way,"
                             " sum(waiting) AS waiting, sum(in_doubt) AS in_doubt FROM message_counters")  # fmt: skip
    told = {"told", "by SMS too", "by SMS alone", "printed", "SMS, no address"}
    lost = {"refused", "returned", "stopped"}
    assert (first_page.told, first_page.not_reached) == (len(told), len(lost) + len(NO_WAY))
    assert (page.told, page.unreached) == (first_page.told, first_page.not_reached)
    assert {one.patron_id for one in page.not_reached} == set(NO_WAY)
    assert lost - {"returned"} <= {one.patron_id for one in page.lost}
    # Figures count messages: two told the same reader, and one that failed has an SMS beside it.
    assert (figures.told - 1, figures.failed - 1, figures.no_way) == (first_page.told, len(lost), len(NO_WAY))
    assert (figures.waiting, figures.in_doubt) == (1, 1)
    assert sum(first_page.sent.values()) == figures.told


def test_a_message_sent_once_more_is_no_run_of_the_day_and_tells_nobody_again(ledger):
    run = a_day_with_each_case(ledger)
    rows(ledger, "UPDATE runs SET kind = 'resend' WHERE run_id = :id", id=run.run_id)
    rows(ledger, "UPDATE deliveries SET claimed_at = :at WHERE claimed_at IS NOT NULL", at=NOW)
    count_again(ledger, run)
    today = ledger.part(PostgresToday).today(NOW, zone=ZONE)
    assert (dict(today.stages), today.past) == ({}, ())
    assert today.last_days[TODAY][Channel.SMS] == 3
    assert rows(ledger, "SELECT sum(told) AS told FROM message_counters WHERE channel <> ''")[0].told in (None, 0)


def test_the_last_days_are_the_same_by_the_counters_and_by_the_messages(ledger):
    run = a_day_with_each_case(ledger)
    rows(ledger, "UPDATE deliveries SET claimed_at = :at WHERE claimed_at IS NOT NULL", at=NOW)
    count_again(ledger, run)
    counted = ledger.part(PostgresToday).today(NOW, zone=ZONE).last_days
    assert counted[TODAY] == {Channel.EMAIL: 2, Channel.SMS: 3}
    rows(ledger, "DELETE FROM return_counters")
    rows(ledger, "DELETE FROM message_counters")
    rows(ledger, "DELETE FROM counted_runs")
    assert ledger.part(PostgresToday).today(NOW, zone=ZONE).last_days == counted


def count_again(ledger, run):
    with ledger.engine.begin() as connection:
        counting.count_again(connection, ledger.library, [run.run_id])
