"""A reader's addresses on a page: masked, shown, and what stands in the way of each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from loan_reminders.domain.dispute.loan_file import LoanCycle
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Refusal
from loan_reminders.domain.suppressions.suppression import SuppressionReason
from loan_reminders.french.pages.readers import MessageWords
from loan_reminders.web.readers.contacts import contacts, lines_of, masked, newest_patron
from tests.scenes.builders import DUE_DATE, a_loan, a_mobile, a_patron, an_address, an_email
from tests.scenes.loan_records import a_dispute, a_suppression

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
WORDS = MessageWords(now=NOW, zone=UTC)


def seen(*, last_seen: date = DUE_DATE, **patron: object):
    loan = a_loan(patron=a_patron(**patron))
    return LoanCycle(due_date=loan.due_date, loan=loan, first_seen=last_seen, last_seen=last_seen)


def shown(*disputes, addresses=False):
    return {one.name: one for one in contacts(disputes, now=NOW, shown=addresses, words=WORDS)}


@pytest.mark.parametrize(
    ("recipient", "hidden"),
    [
        (an_email("camille.martin@etu.example.fr"), ("c•••@etu.example.fr",)),
        (an_email("c@example.fr"), ("c•••@example.fr",)),
        (a_mobile("33612345678"), ("•• •• •• •• 78",)),
        (an_address("CAMILLE MARTIN", "1 RUE DES LILAS", "34999 MONTCLAR", postcode="34999"), ("… 34999 MONTCLAR",)),
    ],
)
def test_a_masked_address_tells_enough_to_be_recognised_and_no_more(recipient, hidden):
    assert masked(recipient) == hidden


@pytest.mark.parametrize(
    ("recipient", "whole"),
    [
        (EmailAddress(value="c@example.fr"), ("c@example.fr",)),
        (MobileNumber(value="33612345678"), ("06 12 34 56 78",)),
        (MobileNumber(value="32470123456"), ("+32470123456",)),
        (MobileNumber(value="590690001234"), ("+590690001234",)),
    ],
)
def test_a_whole_address_is_as_one_writes_it(recipient, whole):
    assert lines_of(recipient) == whole


def test_whoever_has_no_loan_kept_has_no_contact():
    assert newest_patron(()) is None
    assert shown() == {}
    assert shown(a_dispute()) == {}


def test_the_newest_description_counts_whatever_the_order_of_the_loans():
    old = a_dispute(cycles=(seen(email=an_email("avant@example.fr")),))
    new = a_dispute(cycles=(seen(email=an_email("apres@example.fr"), last_seen=DUE_DATE + timedelta(days=1)),))
    for disputes in ((old, new), (new, old)):
        assert shown(*disputes, addresses=True)["E-mail"].lines == ("apres@example.fr",)


def test_what_cannot_be_used_says_why_and_shows_nothing():
    found = shown(a_dispute(cycles=(seen(email=Refusal.MISSING, mobile=Refusal.DUMMY),)), addresses=True)
    assert (found["E-mail"].lines, found["E-mail"].trouble) == ((), "absent du SIGB")
    assert found["Mobile"].lines == ()
    assert found["Mobile"].trouble.startswith("inutilisable : ")


@pytest.mark.parametrize(
    ("more", "stops"),
    [
        ({}, True),
        ({"until": NOW + timedelta(days=1)}, True),
        ({"until": NOW}, False),
        ({"lifted_at": NOW - timedelta(days=1), "lifted_by": "zoé"}, False),
        ({"recipient": an_email("ailleurs@example.fr")}, False),
    ],
)
def test_only_what_is_in_force_stands_in_the_way(more, stops):
    stopped = a_suppression(**({"recipient": an_email()} | more))
    found = shown(a_dispute(cycles=(seen(),), suppressions=(stopped,)))
    assert found["E-mail"].trouble == ("adresse électronique morte" if stops else "")
    assert bool(found["E-mail"].since) is stops
    assert found["Mobile"].trouble == ""


def test_a_stop_is_said_beside_the_number():
    stop = a_suppression(channel=Channel.SMS, recipient=a_mobile(), reason=SuppressionReason.STOP)
    assert shown(a_dispute(cycles=(seen(mobile=a_mobile()),), suppressions=(stop,)))["Mobile"].trouble
