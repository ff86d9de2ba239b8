"""Who may have an SMS, as library.toml says it."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.stages import Basis, PatronCategory, SmsRules
from loan_reminders.settings.library_toml import ROOT, read_settings

EXAMPLE = (ROOT / "library.toml").read_text(encoding="utf-8")
SECTIONS = EXAMPLE[EXAMPLE.index("[sms.populations]") : EXAMPLE.index("# For a while, hold the SMS back")]


def read(folder, text):
    file = folder / "library.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(file)


@pytest.mark.parametrize(
    ("found", "wrong", "said"),
    [
        ('staff = "opt_in"', 'staff = "optin"', ["sms.populations.staff", '"optin"', "'opt_out', 'opt_in'"]),
        (
            'staff = "opt_in"',
            'teachers = "opt_in"',
            ["sms.populations.teachers", "clé inconnue", "external, other, staff"],
        ),
        ('minors = "same"', 'minors = "opt_out"', ["sms.consent.minors", "'same', 'opt_in'"]),
        ("minor_under = 18", "minor_under = 0", ["sms.consent.minor_under", "= 0", "au moins 1"]),
        ('column = "sms_consent"', 'column = "birth_date"', ["sms.consent.column", "'patron_status'"]),
        ("yes = []", 'yes = ["1", "O"]\nno = ["O"]\n#', ["sms.consent", "« yes » et dans « no » : O"]),
        ("no = []", 'no = [""]', ["sms.consent.no[0]", "au moins"]),
    ],
)
def test_a_wrong_value_stops_with_its_key_and_what_is_allowed(tmp_path, found, wrong, said):
    text = EXAMPLE.replace(found, wrong, 1)
    if wrong.startswith("yes"):
        text = text.replace("\nno = []", "", 1)
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, text)
    for words in said:
        assert words in str(refused.value)


def test_without_the_sections_everybody_whom_the_stage_names_gets_one(tmp_path):
    ours = read(tmp_path, EXAMPLE.replace(SECTIONS, ""))
    assert {ours.policy().sms.basis(one) for one in PatronCategory} == {Basis.OPT_OUT}
    assert ours.policy().sms.minors is None
    assert ours.codes().consent.minor_under is None


def test_the_example_is_the_practice_of_the_seed(tmp_path):
    rules = read(tmp_path, EXAMPLE).policy().sms
    assert isinstance(rules, SmsRules)
    assert [rules.basis(one) for one in PatronCategory] == [Basis.OPT_OUT, Basis.OPT_IN, Basis.NEVER, Basis.NEVER]


def test_minors_are_looked_at_only_where_there_is_a_rule_for_them(tmp_path):
    ours = read(
        tmp_path, EXAMPLE.replace('minors = "same"', 'minors = "never"').replace("minor_under = 18", "minor_under = 15")
    )
    assert (ours.policy().sms.minors, ours.codes().consent.minor_under) == (Basis.NEVER, 15)


@pytest.mark.parametrize(
    ("said", "columns"),
    [({}, []), ({"minors": '"never"'}, ["birth_date"]), ({"yes": '["O"]'}, ["sms_consent"]),
     ({"no": '["N"]', "minors": '"opt_in"'}, ["sms_consent", "birth_date"])],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["koha", "pmb", "sierra", "view", "voyager"])
def test_a_statement_is_asked_for_what_has_a_rule_and_for_nothing_else(tmp_path, kind, said, columns):
    text = EXAMPLE.replace('kind = "aleph"', f'kind = "{kind}"')
    for key, value in said.items():
        text = re.sub(rf"^{key} = \S+", f"{key} = {value}", text, count=1, flags=re.MULTILINE)
    ours = read(tmp_path, text)
    asked = ours.ils.statement_choices(ours.codes().consent.columns)
    assert asked == {**ours.ils.statement_choices(), **dict.fromkeys(columns, "asked")}
