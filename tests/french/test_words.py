"""Every member of a closed list has its French words."""

from __future__ import annotations

import pytest

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.letters.batches import BatchState, LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.sms.budget import Shortfall
from loan_reminders.domain.stages import Channel, PatronCategory, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.french import desk, letters, runs, task_names, words


@pytest.mark.parametrize(
    ("named", "codes"),
    [
        (words.STAGES, Stage),
        (words.CHANNELS, Channel),
        (words.ONE_CHANNEL, Channel),
        (words.CHANNELS_IN_FILE, Channel),
        (words.CONTACTS, Channel),
        (words.SLOTS, Slot),
        (words.CATEGORIES, PatronCategory),
        (words.STATES, DeliveryState),
        (words.ONE_STATE, DeliveryState),
        (words.ONE_LETTER_STATE, DeliveryState),
        (words.REASONS, Reason),
        (words.SKIPS, SkipReason),
        (words.REFUSALS, Refusal),
        (words.SUPPRESSIONS, SuppressionReason),
        (words.SOURCES, SuppressionSource),
        (words.BOUNCES, BounceKind),
        (letters.BATCHES, BatchState),
        (letters.BATCHES_IN_FILE, BatchState),
        (letters.REGISTERED, RegisteredState),
        (letters.REGISTERED_IN_FILE, RegisteredState),
        (letters.RETURNS, ReturnReason),
        (letters.RETURNS_IN_FILE, ReturnReason),
        (letters.ACTS, LetterAct),
        (letters.ACTS_IN_FILE, LetterAct),
        (desk.ASIDE, AsideKind),
        (desk.STUCK, DeliveryState),
        (runs.CAPS, set(Shortfall) - {Shortfall.CREDIT}),
        (runs.UNDONE, {DeliveryState.PLANNED, DeliveryState.CLAIMED}),
        (letters.OUTCOMES, {"poste", "recu", *(reason.value for reason in ReturnReason)}),
    ],
)
def test_every_code_has_words(named, codes):
    assert set(named) == set(codes)
    assert all(named.values())


def test_a_reason_keeps_its_code():
    assert words.skip_words("no_recipient") == "coordonnées absentes (no_recipient)"


def test_every_form_of_a_stage_is_made_of_one():
    assert [words.the_stage(stage) for stage in Stage] == [
        "la lettre de courtoisie",
        "l'avis de retard",
        "la 1re lettre de relance",
        "la 2e lettre de relance",
        "la lettre recommandée",
    ]
    assert [words.no_stage(stage) for stage in (Stage.OVERDUE_NOTICE, Stage.FIRST_REMINDER)] == [
        "d'avis de retard",
        "de 1re lettre de relance",
    ]


def test_the_menu_of_airflow_keeps_the_order_of_the_procedure_and_its_names():
    assert list(task_names.DAGS.values()) == [
        "1. Lettre de courtoisie",
        "2. Avis de retard",
        "3. Première lettre de relance",
        "4. Deuxième lettre de relance",
        "5. Lettre recommandée",
        "6. Retours des SMS",
        "7. Retours des e-mails",
        "8. Surveillance des tournées",
        "9. Retours des documents",
        "10. Effacement",
    ]
