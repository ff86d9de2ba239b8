"""What a site says of its Koha, Sierra or PMB: closed choices, and lists that its statement has places for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from loan_reminders.domain.errors import SettingsError
from loan_reminders.settings.ils import IlsSettings
from loan_reminders.settings.ils_systems import KohaSettings, PmbSettings, SierraSettings
from loan_reminders.settings.library_toml import ROOT, read_settings


def test_a_list_fills_its_places_and_leaves_the_others_empty():
    binds = KohaSettings(email_order=["B_email"], categories_left_out=["X", "ILL"]).binds()
    assert [binds[f"email_{place}"] for place in (1, 2, 3)] == ["B_email", "", ""]
    assert [binds[f"left_out_{place}"] for place in range(1, 9)] == ["X", "ILL", "", "", "", "", "", ""]


def test_settings_are_words_of_the_statement_and_never_part_of_it():
    assert KohaSettings(on_site_loans=True, overdue_notice_required=False).binds() | {
        "on_site": "yes", "notice_box": "ignored"
    } == KohaSettings(on_site_loans=True, overdue_notice_required=False).binds()  # fmt: skip
    assert PmbSettings(digital_loans=False).choices() == {"digital_loans": "unknown"}
    assert SierraSettings(partner_items=False).binds()["partner_items"] == "no"


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (KohaSettings, {"email_order": []}),
        (KohaSettings, {"email_order": ["email", "email"]}),
        (KohaSettings, {"email_order": ["password"]}),
        (KohaSettings, {"alternative_address": "perhaps"}),
        (KohaSettings, {"branch": "i.branchcode"}),
        (KohaSettings, {"categories_left_out": [str(number) for number in range(9)]}),
        (KohaSettings, {"categories_left_out": ["X", "X"]}),
        (KohaSettings, {"categories_left_out": ["a b"]}),
        (KohaSettings, {"lost_codes_told": [1]}),
        (KohaSettings, {"unknown": 1}),
        (SierraSettings, {"mobile_type": ""}),
        (SierraSettings, {"address_type": "12"}),
        (SierraSettings, {"second_code": "barcode"}),
        (PmbSettings, {"lost_statuses": [""]}),
        (PmbSettings, {"digital_loans": "yes"}),
    ],
)
def test_what_the_statement_has_no_word_for_is_refused(section, values):
    with pytest.raises(ValidationError):
        section.model_validate(values)


def test_a_key_of_pmb_keeps_its_former_name():
    """Level 3 was taken for recovery, which comes after it."""
    assert PmbSettings.model_validate({"in_recovery": False}) == PmbSettings.model_validate({"last_level": False})
    assert PmbSettings.model_validate({"in_recovery": False}).binds()["last_level"] == "no"


def test_the_section_of_its_kind_is_the_one_that_counts():
    ils = IlsSettings.model_validate(
        {"kind": "koha", "patron_categories": {"student": ["ETU"]}, "koha": {"branch": "item"}, "sierra": {}}
    )
    assert ils.statement_binds()["branch_of"] == "item"
    assert "mobile_type" not in ils.statement_binds()


def test_a_bind_of_the_section_cannot_be_given_twice():
    with pytest.raises(ValidationError, match=r"ils\.koha"):
        IlsSettings.model_validate({"kind": "koha", "patron_categories": {}, "binds": {"branch_of": "item"}})


def test_a_wrong_code_is_told_in_french(tmp_path):
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    path = tmp_path / "library.toml"
    path.write_text(f'{text}\n[ils.sierra]\naddress_type = "12"\nmobile_type = "à"\n', encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        read_settings(path)
    assert 'ils.sierra.address_type = "12" : il faut un chiffre entre guillemets, par exemple « 1 »' in str(error.value)
    assert 'ils.sierra.mobile_type = "à" : il faut un code de 1 à 20 signes, sans espace ni accent' in str(error.value)
