"""What a reader's page says: no better than what is known, without codes, and nothing is left without a word."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.email.bounce_verdict import Cause
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.letters.batches import BatchState, RegisteredState, ReturnReason
from loan_reminders.domain.readers.told import Outcome, Told, outcome, told
from loan_reminders.domain.stages import Channel, PatronCategory, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason
from loan_reminders.french.pages.not_said import because, nothing_words, skip_pill_words
from loan_reminders.french.pages.readers import (
    CAUSES,
    TONES,
    MessageWords,
    category_words,
    contact_words,
    message_title,
    phone_refused_words,
    pill_words,
)
from tests.scenes.loan_records import (
    AT,
    a_bounce,
    a_dispute,
    a_letter,
    a_record,
    a_skip,
    a_suppression,
    an_answer,
    registered_facts,
)

C, O, R, S = Channel, Outcome, RegisteredState, DeliveryState  # noqa: E741 - O is an outcome
CODE = re.compile(r"\b[a-z]+_[a-z_]+\b|\b[0-9]\.[0-9]\.[0-9]\b|None|[A-Z]{2,}_")
WORDS = MessageWords(now=datetime(2026, 11, 28, 9, tzinfo=UTC), zone=ZoneInfo("Europe/Paris"))


def became(*arguments, **more):
    one = a_record(*arguments, **more)
    return WORDS.became(one, outcome(one))


def verdict(*deliveries, skips=()):
    return WORDS.verdict(told(a_dispute(*deliveries, skips=skips)), "L'Étranger")


@pytest.mark.parametrize("channel", C)
def test_whatever_became_of_a_message_is_words_without_a_code(channel):
    for state, reason in product(S, [None, *Reason]):
        one = a_record(channel, state, reason=reason, letter=a_letter() if channel is C.LETTER else None)
        how = outcome(one)
        for said in (WORDS.became(one, how), pill_words(one, how), message_title(one.stage, channel)):
            assert said, (state, reason)
            assert not CODE.search(said), said
        assert how in TONES


@pytest.mark.parametrize("reason", SkipReason)
@pytest.mark.parametrize("slot", [None, *Slot])
def test_whatever_kept_a_message_from_leaving_is_words_without_a_code(reason, slot):
    skip = a_skip(reason, slot=slot)
    for said in (because(skip), nothing_words(skip), skip_pill_words(skip)):
        assert said
        assert not CODE.search(said), said


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_words(cause):
    assert CAUSES[cause]


@pytest.mark.parametrize("channel", C)
@pytest.mark.parametrize("raw", ["", "250 2.0.0 OK queued as 4XyZ", "550 5.1.1 user unknown", "ReadTimeout", "{}"])
def test_no_answer_of_a_provider_is_shown_as_it_came(channel, raw):
    for state, reason in product(S, [None, *Reason]):
        [(when, said)] = WORDS.answers(a_record(channel, answers=(an_answer(state, raw=raw, reason=reason),)))
        assert when == "hier à 10 h 03"
        assert said
        assert not CODE.search(said), said
        assert not raw or raw not in said


def test_an_answer_that_came_too_late_says_so():
    [(_, said)] = WORDS.answers(a_record(C.SMS, answers=(an_answer(S.BOUNCED, applied=False),)))
    assert said == "l'opérateur n'a pas pu le remettre, venu trop tard pour changer quoi que ce soit"


def test_answers_and_bounces_are_in_the_order_in_which_they_came():
    bounces = (a_bounce(at=AT), a_bounce(at=AT + timedelta(hours=3)))
    one = a_record(answers=(an_answer(at=AT + timedelta(hours=2)),), bounces=bounces)
    assert [when for when, _ in WORDS.answers(one)] == ["hier à 10 h 03", "hier à 12 h 03", "hier à 13 h 03"]


@pytest.mark.parametrize(
    ("said", "one"),
    [
        ("le serveur de messagerie l'a accepté hier à 10 h 03", a_record()),
        ("remis au prestataire hier à 10 h 03, sans accusé de réception à ce jour", a_record(C.SMS)),
        ("le téléphone l'a reçu hier à 10 h 03", a_record(C.SMS, S.DELIVERED)),
        ("il est prêt et n'est pas encore parti", a_record(state=S.PLANNED)),
        ("l'envoi a commencé", a_record(state=S.CLAIMED)),
        ("la lettre n'est pas encore composée", a_record(C.LETTER)),
        ("la lettre est composée et n'est pas encore imprimée", a_record(C.LETTER, letter=a_letter(BatchState.READY))),
        (
            "imprimée hier à 10 h 03 ; La Poste ne dit pas si elle est arrivée",
            a_record(C.LETTER, letter=a_letter()),
        ),
    ],
)
def test_how_far_it_came_is_said_no_better_than_it_is_known(said, one):
    assert WORDS.became(one, outcome(one)) == said


def test_a_refusal_says_what_the_server_meant():
    refused = became(state=S.REFUSED, reason=Reason.RECIPIENT_REFUSED, answers=(an_answer(raw="550 5.1.1 unknown"),))
    assert refused.endswith("cette adresse n'existe pas, ou plus")
    unsaid = became(state=S.REFUSED, reason=Reason.RECIPIENT_REFUSED, answers=(an_answer(raw="550 no"),))
    assert "destinataire" in unsaid or "refus" in unsaid


def test_a_bounce_after_all_says_both():
    said = became(bounces=(a_bounce(BounceKind.HARD),))
    assert said.startswith("le serveur l'a accepté, puis ")
    assert "cette adresse n'existe pas, ou plus" in said


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (registered_facts(R.NUMBERED), "lettre recommandée numérotée"),
        (
            registered_facts(R.POSTED, posted_on=date(2026, 12, 18)),
            "déposée à La Poste le 18/12/2026, avis de réception attendu",
        ),
        (
            registered_facts(R.ACKNOWLEDGED, acknowledged_on=date(2026, 12, 22)),
            "l'avis de réception est revenu signé, daté du 22/12/2026",
        ),
        (
            registered_facts(R.RETURNED, returned_on=date(2027, 1, 8), return_reason=ReturnReason.UNCLAIMED),
            "revenue le 08/01/2027 : pli avisé et non réclamé",
        ),
    ],
)
def test_each_step_of_a_registered_letter(facts, said):
    assert became(C.REGISTERED_LETTER, letter=a_letter(), registered=facts) == said


def test_what_was_called_off_says_why():
    assert "rendu" in became(dropped=Reason.RETURNED)
    assert "annulé avant le départ : " in became(state=S.CANCELLED, reason=Reason.RENEWED)
    assert became(state=S.CANCELLED) == "annulé avant le départ"
    left_out = became(C.LETTER, letter=a_letter(left_out=Reason.RETURNED))
    assert left_out.startswith("annulé avant le départ : document rendu")


@pytest.mark.parametrize(
    ("deliveries", "sentence", "tone"),
    [
        ((), "Jamais prévenu", "bad"),
        ((a_record(),), "Prévenu une fois", ""),
        ((a_record(), a_record(stage=Stage.FIRST_REMINDER)), "Prévenu 2 fois", ""),
        ((a_record(), a_record(stage=Stage.FIRST_REMINDER, state=S.BOUNCED)), "Prévenu une fois", "wait"),
        ((a_record(state=S.PLANNED),), "Pas encore prévenu", "wait"),
        ((a_record(state=S.IN_DOUBT),), "Peut-être prévenu", "wait"),
        ((a_record(state=S.BOUNCED),), "Jamais prévenu", "bad"),
        ((a_record(state=S.CANCELLED),), "Jamais prévenu", "bad"),
    ],
)
def test_the_answer_to_i_was_never_told(deliveries, sentence, tone):
    said, _, colour = verdict(*deliveries)
    assert (said, colour) == (f"{sentence} pour « L'Étranger ».", tone)


def test_never_told_says_why_or_that_nothing_was_prepared():
    assert verdict()[1] == "Rien n'a encore été préparé."
    skipped = verdict(skips=(a_skip(SkipReason.HELD),))[1]
    assert skipped == "Le 27/11/2026 : un bibliothécaire avait demandé de ne pas écrire."
    both = verdict(a_record(state=S.BOUNCED), skips=(a_skip(SkipReason.NO_RECIPIENT, detail="email:missing"),))[1]
    assert both.startswith("Le dernier message n'est pas arrivé")
    assert "Le 27/11/2026 : " in both


def test_a_verdict_about_nothing_at_all():
    nothing = Told(times=0, last=None, outcome=None, why_not=None)
    assert WORDS.verdict(nothing, "x")[0] == "Jamais prévenu pour « x »."


@pytest.mark.parametrize("reason", SuppressionReason)
def test_why_a_recipient_is_not_written_to_and_until_when(reason):
    assert not CODE.search(WORDS.suppression(a_suppression(reason=reason)))


def test_until_when_a_recipient_is_not_written_to():
    assert WORDS.suppression_ended(a_suppression()) == "sans limite de durée"
    until = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert WORDS.suppression_ended(a_suppression(until=until)) == "jusqu'au 01/01/2027"
    lifted = a_suppression(until=until, lifted_at=AT, lifted_by="chloé")
    assert WORDS.suppression_ended(lifted) == "levé hier à 10 h 03 par chloé"


def test_no_moment_is_no_words():
    assert WORDS.when(None) == ""


@pytest.mark.parametrize("code", [*PatronCategory, "docteur ès lettres", ""])
def test_a_category_is_a_word_or_nothing(code):
    assert bool(category_words(code)) is (code in set(PatronCategory))


@pytest.mark.parametrize("refusal", Refusal)
@pytest.mark.parametrize("channel", C)
def test_what_is_wrong_with_a_contact(channel, refusal):
    said = contact_words(channel, refusal)
    assert said.startswith(("absent", "inutilisable : "))
    assert not CODE.search(said), said
    assert not CODE.search(phone_refused_words(refusal))


def test_contacts_have_names():
    assert [contact_words(channel) for channel in C] == ["E-mail", "Mobile", "Adresse postale", "Adresse postale"]


def test_what_was_stopped_for_a_doubtful_ledger_is_never_said_not_to_have_left():
    answers = (an_answer(S.IN_DOUBT, at=AT + timedelta(hours=20)),)
    stopped = {"reason": Reason.LEDGER_INCOMPLETE, "answers": answers}
    why = "arrêté par la bibliothèque, le registre étant peut-être incomplet"
    assert became(C.EMAIL, S.IN_DOUBT, **stopped) == f"on ne sait pas s'il est parti hier à 10 h 03 ({why})"
    assert became(C.EMAIL, S.CANCELLED, claimed_at=None, **stopped) == f"annulé : {why}"
    assert verdict(a_record(C.EMAIL, S.IN_DOUBT, **stopped))[0] == "Peut-être prévenu pour « L'Étranger »."
