"""The choices of a statement: each form by its name, and nothing of the settings in the text."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.gateways.runs.statements import final_text, offered
from loan_reminders.hooks.ils import statement
from loan_reminders.settings.ils import ASKED
from loan_reminders.settings.ils_systems import AlephSettings, VoyagerSettings
from loan_reminders.settings.library_toml import settings
from sql.demo.tables import BINDS
from sql.demo.voyager import BINDS as VOYAGER_BINDS
from tests.scenes.aleph import SQL_FOLDER

TEXT = "SELECT /*{due:SOON*/ a.soon /*|LATER: a.later |NEVER: CAST(NULL AS VARCHAR(8)) }*/ AS due FROM a -- /*{ no"


@pytest.mark.parametrize(
    ("chosen", "piece"),
    [
        ({}, "a.soon"),
        ({"due": "SOON"}, "a.soon"),
        ({"due": "LATER", "another": "x"}, "a.later"),
        ({"due": "NEVER"}, "CAST(NULL AS VARCHAR(8))"),
    ],
)
def test_the_chosen_form_stands_in_the_text(chosen, piece):
    assert final_text(TEXT, chosen) == f"SELECT {piece} AS due FROM a -- /*{{ no"


def test_without_settings_the_first_form_is_in_force():
    assert final_text(TEXT, None) == final_text(TEXT, {"due": "SOON"})


@pytest.mark.parametrize("form", ["", "a.secret", "soon", "SOON*/ 1 /*"])
def test_what_is_no_form_is_refused_and_is_never_text(form):
    with pytest.raises(SettingsError) as error:
        final_text(TEXT, {"due": form})
    assert str(error.value) == f"due = {form!r} : valeurs permises : SOON, LATER, NEVER"


def test_the_forms_of_a_choice_are_the_same_wherever_it_stands():
    assert offered(TEXT + TEXT) == {"due": ("SOON", "LATER", "NEVER")}
    with pytest.raises(ValueError, match="other forms"):
        offered(TEXT + TEXT.replace("LATER", "MUCH_LATER"))


@pytest.mark.parametrize(("kind", "site"), [("aleph", AlephSettings()), ("voyager", VoyagerSettings())])
def test_the_settings_of_a_kind_choose_what_its_statements_offer(kind, site):
    files = [path.read_text(encoding="utf-8") for path in (SQL_FOLDER / kind).glob("*.sql")]
    choices = {name: forms for text in files for name, forms in offered(text).items()}
    assert {name: forms[0] for name, forms in choices.items()} == {**site.choices(), "birth_date": "unasked"}
    every = type(site).model_validate(
        {"sms_number": False, **({"due_date": "Z36_EFFECTIVE_DUE_DATE"} if kind == "aleph" else {})}
    )
    others = {**every.choices(), "birth_date": ASKED}
    assert {name: forms[1:] for name, forms in choices.items()} == {name: (form,) for name, form in others.items()}
    for text in files:
        assert "/*{" not in final_text(text, others)


def test_the_hook_gives_the_text_that_the_settings_choose():
    chosen = AlephSettings(due_date="Z36_EFFECTIVE_DUE_DATE", sms_number=False).choices()
    for name in ("loans_due", "loan_now"):
        text = statement("aleph", name, chosen)
        assert "z36_effective_due_date" in text
        assert "z36_due_date" not in text
    assert "z304_sms_number" not in statement("aleph", "loans_due", chosen)
    assert "z304_sms_number" in statement("aleph", "loans_due")


def test_the_settings_of_the_fictional_library_make_its_binds():
    assert settings().ils.statement_binds() == BINDS
    assert VoyagerSettings().binds() == VOYAGER_BINDS
