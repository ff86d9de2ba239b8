"""What was put right in the ledger: used as rows come in, seen at once by searches, and ended by the ILS itself."""

from dataclasses import replace

import pytest

from loan_reminders.domain.readers.amendments import AmendedField, AmendmentEnd, AmendmentRefusal, AmendmentRefused
from loan_reminders.domain.readers.search import ReaderSearch
from loan_reminders.domain.states import Refusal
from loan_reminders.ledger.readers.amendments import PostgresAmendments
from loan_reminders.ledger.readers.readers import PostgresReaders
from tests.scenes.builders import a_delivery, a_loan, a_mobile, a_notice, a_patron, an_address, an_email
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_runs import extracted, planned, rows

F = AmendedField
NEW = an_email("camille@nouvelle.example.fr")


@pytest.fixture
def ours(ledger):
    """The reader P1 was told of the loan L1."""
    planned(ledger, [a_delivery()])
    return ledger.part(PostgresAmendments)


def note(ours, field=F.EMAIL, value=NEW, patron_id="P1", reason="demandé au guichet"):
    return ours.note(patron_id=patron_id, field=field, value=value, reason=reason, who="zoé")


def comes(ledger, number, **patron):
    """The next run reads the loan again; what is kept of its reader."""
    run = extracted(ledger, [a_loan(patron=a_patron(**patron))], dag_run_id=f"run {number} of P1")
    [[record]] = rows(ledger, "SELECT record -> 'patron' FROM loans_seen WHERE run_id = :run", run=run.run_id)
    return record


def refusal(act, *args, **changes):
    with pytest.raises(AmendmentRefused) as refused:
        act(*args, **changes)
    return refused.value.code


def test_what_makes_no_sense_is_refused_and_nothing_is_kept(ledger, ours):
    a_reader(ledger, "P8", card="8")
    assert refusal(note, ours, reason=" ") is AmendmentRefusal.NO_REASON
    assert refusal(note, ours, patron_id="P9") is AmendmentRefusal.UNKNOWN_READER
    assert refusal(note, ours, patron_id="P8") is AmendmentRefusal.NOT_DESCRIBED
    assert refusal(note, ours, value=an_email()) is AmendmentRefusal.SAME
    assert refusal(ours.end, 3, who="zoé") is AmendmentRefusal.NOT_IN_FORCE
    assert rows(ledger, "SELECT 1 FROM amendments UNION ALL SELECT 1 FROM journal") == []


def test_the_next_run_reads_what_was_put_right_and_the_search_knows_it_at_once(ledger, ours):
    note(ours)
    note(ours, F.NAME, "Camille Durand")
    readers = ledger.part(PostgresReaders)
    for typed in ("camille@nouvelle.example.fr", "durand"):
        found = readers.find(ReaderSearch.parse(typed), limit=5).only
        assert found is not None
        assert found.patron_id == "P1"
    record = comes(ledger, 2)
    assert (record["email"]["value"], record["name"]) == (NEW.value, "Camille Durand")
    assert record["mobile"]["value"] == a_mobile().value
    assert readers.reader(readers.number_of("P1")).email == NEW.value


def test_it_ends_when_the_ils_agrees_or_says_something_else(ledger, ours):
    note(ours)
    note(ours, F.MOBILE, a_mobile("33639980009"))
    record = comes(ledger, 2, email=NEW, mobile=Refusal.MISSING)
    assert (record["email"], record["mobile"]) == ({"value": NEW.value}, {"refusal": "missing"})
    ended = {one.field: (one.how, one.ended_by) for one in ours.of_reader("P1")}
    assert ended == {F.EMAIL: (AmendmentEnd.AGREED, "relances"), F.MOBILE: (AmendmentEnd.CHANGED, "relances")}
    # It does not come back by itself.
    assert comes(ledger, 3)["mobile"]["value"] == a_mobile().value
    acts = rows(ledger, "SELECT who, act, facts ->> 'field', detail FROM journal ORDER BY entry_id")
    assert acts[:2] == [
        ("zoé", "amended", "email", "demandé au guichet"),
        ("zoé", "amended", "mobile", "demandé au guichet"),
    ]
    assert sorted(acts[2:]) == [
        ("relances", "amendment_ended", "email", ""),
        ("relances", "amendment_ended", "mobile", ""),
    ]
    assert NEW.value not in str(rows(ledger, "SELECT * FROM journal"))


def test_what_is_no_loan_comes_without_an_address_and_ends_none(ledger, ours):
    elsewhere = an_address("CAMILLE MARTIN", "1 RUE NEUVE", "06100 NICE", postcode="06100")
    note(ours, F.ADDRESS, elsewhere)
    request = a_loan(loan_id="@hold_arrived:7", patron=a_patron(address=Refusal.MISSING))
    extracted(ledger, [request], dag_run_id="a notice of P1")
    assert [one.in_force for one in ours.of_reader("P1")] == [True]
    again = note(ours, F.ADDRESS, replace(elsewhere, lines=("CAMILLE MARTIN", "2 RUE NEUVE", "06100 NICE")))
    assert again.instead_of == a_patron().address
    assert comes(ledger, 2)["address"]["lines"][1] == "2 RUE NEUVE"


def test_a_dry_run_uses_it_and_ends_nothing(ledger, ours):
    note(ours)
    run = extracted(ledger, [a_loan(patron=a_patron(email=Refusal.MISSING))], dag_run_id="dry", dry_run=True)
    [[email]] = rows(ledger, "SELECT record #> '{patron,email}' FROM loans_seen WHERE run_id = :run", run=run.run_id)
    assert email == {"refusal": "missing"}
    assert [one.in_force for one in ours.of_reader("P1")] == [True]


def test_another_takes_its_place_and_a_person_ends_it(ledger, ours):
    first = note(ours)
    assert refusal(note, ours) is AmendmentRefusal.SAME
    second = note(ours, value=an_email("encore@example.fr"))
    assert second.instead_of == first.instead_of == an_email()
    assert comes(ledger, 2)["email"]["value"] == "encore@example.fr"
    assert ours.end(second.amendment_id, who="chloé") == "P1"
    assert [(one.how, one.ended_by) for one in ours.of_reader("P1")] == [
        (AmendmentEnd.LIFTED, "chloé"), (AmendmentEnd.REPLACED, "zoé"),
    ]  # fmt: skip
    assert comes(ledger, 3)["email"]["value"] == an_email().value


def test_what_the_ils_gives_is_learnt_where_the_newest_row_was_amended_itself(ledger, ours):
    ours.end(note(ours).amendment_id, who="zoé")
    third = note(ours, value=an_email("troisieme@example.fr"))
    assert third.instead_of is None
    assert comes(ledger, 2)["email"]["value"] == "troisieme@example.fr"
    assert ours.of_reader("P1")[0].instead_of == an_email()
    assert comes(ledger, 3, email=an_email("le.sigb@example.fr"))["email"]["value"] == "le.sigb@example.fr"


def test_an_address_and_a_name_together_last_until_the_ils_changes(ledger, ours):
    elsewhere = an_address("CAMILLE DURAND", "1 RUE NEUVE", "06100 NICE", postcode="06100")
    note(ours, F.NAME, "Camille Durand")
    note(ours, F.ADDRESS, elsewhere)
    for number in (2, 3):
        record = comes(ledger, number)
        assert (record["name"], record["address"]["lines"]) == ("Camille Durand", list(elsewhere.lines))
    assert all(one.in_force for one in ours.of_reader("P1"))


def test_other_readers_and_libraries_are_left_alone(ledger, ours):
    note(ours)
    other = a_loan(loan_id="L2", patron=a_patron(patron_id="P2"))
    extracted(ledger, [other], dag_run_id="run of P2")
    [[email]] = rows(ledger, "SELECT record #>> '{patron,email,value}' FROM loans_seen WHERE loan_id = 'L2'")
    assert email == an_email().value
    rows(ledger, "UPDATE amendments SET library = 'autre'")
    assert comes(ledger, 2)["email"]["value"] == an_email().value
    assert a_notice().patron.email == an_email()
