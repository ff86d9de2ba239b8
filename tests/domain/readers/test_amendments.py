"""What was put right stands in for what the ILS gives as long as it gives just that, and no longer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loan_reminders.domain.readers.amendments import (
    AmendedField,
    Amendment,
    AmendmentEnd,
    AmendmentRefusal,
    AmendmentRefused,
    amended,
    read_value,
)
from loan_reminders.domain.recipients.mobile_number import FRENCH_COUNTRIES
from loan_reminders.domain.states import Refusal
from loan_reminders.french.refusals import sentence
from tests.scenes.builders import a_mobile, a_patron, an_address, an_email

F, END = AmendedField, AmendmentEnd
NEW = an_email("camille@nouvelle.example.fr")
OLD = an_email()
OWN = (("65 AVENUE DES FACULTES", "06300 NICE"),)


def one(field=F.EMAIL, value=NEW, instead_of=OLD, number=1):
    return Amendment(
        amendment_id=number, patron_id="P1", field=field, value=value, instead_of=instead_of, reason="r",
        at=datetime(2026, 11, 1, tzinfo=UTC), who="zoé",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gives", "email", "ended"),
    [
        (an_email(), NEW, {}),
        (NEW, NEW, {1: END.AGREED}),
        (an_email("troisieme@example.fr"), an_email("troisieme@example.fr"), {1: END.CHANGED}),
        (Refusal.MISSING, Refusal.MISSING, {1: END.CHANGED}),
    ],
)
def test_the_ils_is_believed_again_as_soon_as_it_says_something_else(gives, email, ended):
    made = amended(a_patron(email=gives), [one()])
    assert (made.patron.email, made.ended, made.learnt) == (email, ended, {})


def test_what_the_ils_gives_is_learnt_where_it_was_not_known():
    made = amended(a_patron(), [one(instead_of=None)])
    assert (made.patron.email, made.learnt) == (NEW, {1: an_email()})
    assert amended(a_patron(email=NEW), [one(instead_of=None)]).ended == {1: END.AGREED}


def test_a_contact_that_the_ils_lacks_can_be_given():
    made = amended(a_patron(mobile=Refusal.MISSING), [one(F.MOBILE, a_mobile("33639980009"), Refusal.MISSING)])
    assert made.patron.mobile == a_mobile("33639980009")


def test_a_new_name_is_on_the_envelope_too():
    patron = a_patron(name="Camille Martin", address=an_address("CAMILLE MARTIN", "12 RUE DES LILAS", "06000 NICE"))
    made = amended(patron, [one(F.NAME, "Camille Durand", "Camille Martin")])
    assert made.patron.name == "Camille Durand"
    assert made.patron.address.lines == ("CAMILLE DURAND", "12 RUE DES LILAS", "06000 NICE")
    # The address itself is compared as the ILS gives it, whatever the name became.
    elsewhere = an_address("CAMILLE DURAND", "1 RUE NEUVE", "06100 NICE", postcode="06100")
    both = amended(
        patron, [one(F.NAME, "Camille Durand", "Camille Martin", 1), one(F.ADDRESS, elsewhere, patron.address, 2)]
    )
    assert (both.patron.address, both.ended) == (elsewhere, {})


def test_an_address_stands_whatever_the_ils_makes_of_the_name_at_its_head():
    before = an_address("CAMILLE MARTIN", "12 RUE DES LILAS", "06000 NICE")
    right = an_address("CAMILLE MARTIN", "1 RUE NEUVE", "06100 NICE", postcode="06100")
    married = a_patron(name="Camille Durand", address=an_address("CAMILLE DURAND", "12 RUE DES LILAS", "06000 NICE"))
    made = amended(married, [one(F.ADDRESS, right, before)])
    assert made.ended == {}
    assert made.patron.address.lines == ("CAMILLE DURAND", "1 RUE NEUVE", "06100 NICE")
    agreed = amended(
        replace(married, address=replace(right, lines=made.patron.address.lines)), [one(F.ADDRESS, right, before)]
    )
    assert agreed.ended == {1: END.AGREED}


def test_a_name_put_right_after_an_address_is_at_its_head():
    patron = a_patron(name="Camille Martin", address=an_address("CAMILLE MARTIN", "12 RUE DES LILAS", "06000 NICE"))
    right = an_address("CAMILLE MARTIN", "1 RUE NEUVE", "06100 NICE", postcode="06100")
    made = amended(
        patron, [one(F.ADDRESS, right, patron.address, 1), one(F.NAME, "Camille Durand", "Camille Martin", 2)]
    )
    assert made.patron.address.lines == ("CAMILLE DURAND", "1 RUE NEUVE", "06100 NICE")


def test_a_name_that_does_not_stand_at_the_head_changes_no_address():
    patron = a_patron(name="Camille Martin", address=an_address("CHEZ MME BERNARD", "12 RUE DES LILAS", "06000 NICE"))
    assert amended(patron, [one(F.NAME, "Camille Durand", "Camille Martin")]).patron.address == patron.address


@pytest.mark.parametrize(
    ("field", "typed", "refusal", "words"),
    [
        ("age", "20", AmendmentRefusal.UNKNOWN_FIELD, "nom, e-mail, mobile ou adresse"),
        ("email", "  ", AmendmentRefusal.NO_VALUE, "Il manque"),
        ("email", "camille", AmendmentRefusal.UNUSABLE, "mal écrite"),
        ("mobile", "04 93 00 00 00", AmendmentRefusal.UNUSABLE, "pas un mobile"),
        ("address", "06000 NICE", AmendmentRefusal.UNUSABLE, "sans rue ou sans ville"),
        ("address", "65 avenue des Facultés\n06300 Nice", AmendmentRefusal.UNUSABLE, "bibliothèque"),
        ("name", "x" * 300, AmendmentRefusal.UNUSABLE, "dépasse"),
    ],
)
def test_what_cannot_be_used_is_refused_without_being_repeated(field, typed, refusal, words):
    with pytest.raises(AmendmentRefused) as refused:
        read_value(field, typed, name="Camille Martin", countries=FRENCH_COUNTRIES, own=OWN)
    assert refused.value.code is refusal
    said = sentence(refused.value)
    assert words in said
    assert not typed.strip() or typed not in said


def test_what_is_typed_is_read_as_what_the_ils_gives():
    def read(field, typed):
        return read_value(field, typed, name="Camille Martin", countries=FRENCH_COUNTRIES, own=OWN)[1]

    assert read("name", " Camille   Durand ") == "Camille Durand"
    assert read("email", " Camille@Etu-Nice.FR ").value == "Camille@etu-nice.fr"
    assert read("mobile", "06 12 34 56 78") == a_mobile("33612345678")
    assert read("address", "12 rue des Lilas\n06000 Nice").lines == ("CAMILLE MARTIN", "12 RUE DES LILAS", "06000 NICE")
