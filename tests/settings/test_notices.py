"""`[notices]` of library.toml: off by default, and what is wrong is told with its key and what is allowed."""

from __future__ import annotations

from datetime import date, time

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.french.words import STAGES, no_stage, stage_title, the_stage
from loan_reminders.settings.library_toml import ROOT, read_settings, settings

EXAMPLE = (ROOT / "library.toml").read_text(encoding="utf-8")
ENTRY = """
[notices.hold_arrived]
title = "avis de réservation disponible"
hour = "17:00"
channels = [{ channel = "email" }, { channel = "sms", conditions = { categories = ["student"] } }]
"""
HOLD = Stage("hold_arrived")


@pytest.fixture
def read(tmp_path):
    def from_text(text):
        path = tmp_path / "library.toml"
        path.write_text(EXAMPLE + text, encoding="utf-8")
        return read_settings(path)

    return from_text


def test_without_an_entry_there_are_the_five_stages_alone(read):
    ours = read("")
    assert (ours.other_notices, ours.all_stages) == ((), tuple(Stage))
    assert ours.policy().all_rules == ours.policy().rules


def test_an_entry_is_a_rule_of_its_own_beside_the_procedure(read):
    ours = read(ENTRY + "days_back = 5\nstarts_on = 2026-09-01\n")
    assert ours.all_stages == (*Stage, HOLD)
    assert (ours.starts_at(HOLD), ours.starts[Stage.OVERDUE_NOTICE]) == (time(17), time(10))
    rule = ours.policy().rule(HOLD)
    assert (rule.offset_days, rule.days_back, rule.starts_on) == (0, 5, date(2026, 9, 1))
    email, sms = rule.channels
    assert (email.channel, sms.channel, sms.categories) == (Channel.EMAIL, Channel.SMS, {PatronCategory.STUDENT})
    assert sms.expires_after_days == ours.sms.expires_after_days
    assert len(ours.policy().rules) == 5
    assert ours.channels_of(HOLD) == {Channel.EMAIL, Channel.SMS}


@pytest.mark.parametrize(
    ("found", "instead", "told"),
    [
        ('title = "avis de', 'title = "la', ["notices.hold_arrived.title", '"la réservation', "commence par « avis »"]),
        ('hour = "17:00"', 'hour = "25:00"', ["notices.hold_arrived.hour", '"25:00"', "de 00:00 à 23:59"]),
        ('hour = "17:00"\n', "", ["notices.hold_arrived.hour", "(absent)", "clé obligatoire"]),
        ('hour = "17:00"', 'hour = "17:00"\ndays_back = 31', ["notices.hold_arrived.days_back", "31", "au plus 30"]),
        ('hour = "17:00"', 'hour = "17:00"\nday = 1', ["notices.hold_arrived.day", "clé inconnue", "days_back, hour"]),
        ('{ channel = "email" }', '{ channel = "letter" }', ["notices.hold_arrived", "« email »", "letter, sms"]),
        ('{ channel = "email" }, ', "", ["notices.hold_arrived", "« email »", "trouvé : sms"]),
        ('categories = ["student"]', "minimum_loan_days = 14", ["minimum_loan_days", "n'est pas celui d'un prêt"]),
        ("[notices.hold_arrived]", "[notices.Hold]", ["notices", "[notices.Hold]", "3 à 40 lettres minuscules"]),
        ("[notices.hold_arrived]", "[notices.hold__x]", ["[notices.hold__x]", "lettres minuscules"]),
        ("[notices.hold_arrived]", "[notices.retention]", ["[notices.retention]", "déjà pris"]),
        ("[notices.hold_arrived]", "[notices.first_reminder]", ["[notices.first_reminder]", "déjà pris"]),
        (
            "[notices.hold_arrived]",
            "[notices.card_expires]",
            ["[notices.card_expires]", "sql/aleph/notices/card_expires.sql", "pour ce SIGB : hold_arrived"],
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_key_its_value_and_what_is_allowed(read, found, instead, told):
    assert found in ENTRY
    with pytest.raises(SettingsError) as wrong:
        read(ENTRY.replace(found, instead))
    for words in told:
        assert words in str(wrong.value)


def test_a_notice_is_called_as_its_library_calls_it_and_by_its_name_where_it_is_no_more(read, monkeypatch, tmp_path):
    read(ENTRY)
    monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path / "library.toml"))
    settings.cache_clear()
    assert STAGES[HOLD] == "avis de réservation disponible"
    assert (stage_title(HOLD), the_stage(HOLD)) == (
        "Avis de réservation disponible",
        "l'avis de réservation disponible",
    )
    assert no_stage(HOLD) == "d'avis de réservation disponible"
    assert STAGES[Stage("card_expires")] == "avis « card expires »"


def test_a_name_is_one_thing_everywhere_and_none_of_the_procedure():
    assert Stage("hold_arrived") is HOLD
    assert HOLD not in set(Stage)
    assert (HOLD.is_about_loans, Stage.FIRST_REMINDER.is_about_loans) == (False, True)
    assert sorted([HOLD, *reversed(Stage)], key=lambda stage: stage.place) == [*Stage, HOLD]
    for wrong in ("Hold", "h", "x" * 41, "a__b", "9_lives", "", "été"):
        with pytest.raises(ValueError, match="is not a valid Stage"):
            Stage(wrong)
