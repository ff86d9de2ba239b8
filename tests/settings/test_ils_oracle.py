"""`[ils.aleph]` and `[ils.voyager]`: what a site may say, and what is told when it is wrong."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.settings.ils_systems import VoyagerSettings
from loan_reminders.settings.library_toml import ROOT, read_settings
from sql.demo.voyager import BINDS

EXAMPLE = (ROOT / "library.toml").read_text(encoding="utf-8")
HEAD = "[ils.patron_categories]"


def ils(tmp_path, section, text=EXAMPLE):
    path = tmp_path / "library.toml"
    path.write_text(text.replace(HEAD, f"{section}\n{HEAD}", 1), encoding="utf-8")
    return read_settings(path).ils


def aleph(tmp_path, line):
    """The example's own section, with one line put in or in place of its like."""
    key = line.partition(" =")[0]
    inside = [kept for kept in EXAMPLE.splitlines() if not kept.startswith(f"{key} = ")]
    place = inside.index("[ils.aleph]" if "[ils.aleph]" in inside else next(x for x in inside if "[ils.aleph]" in x))
    return ils(tmp_path, "", "\n".join([*inside[: place + 1], line, *inside[place + 1 :]]))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('due_date = "Z36_RECALL_DUE_DATE"', ["ils.aleph.due_date", "'Z36_DUE_DATE', 'Z36_EFFECTIVE_DUE_DATE'"]),
        ('due_date = "z36.z36_due_date) OR (1=1"', ["ils.aleph.due_date", "valeurs permises"]),
        ("loan_statuses = []", ["ils.aleph.loan_statuses", "au moins 1"]),
        ('loan_statuses = ["A", "L", "C", "D", "E"]', ["ils.aleph.loan_statuses", "au plus 4"]),
        ('loan_statuses = ["A", "A"]', ["ils.aleph.loan_statuses", "présent deux fois : A"]),
        ('loan_statuses = ["lost"]', ["ils.aleph.loan_statuses[0]", '"lost"', "une ou deux lettres capitales"]),
        ("address_types = [2, 1, 2]", ["ils.aleph.address_types", "présent deux fois : 2"]),
        ('address_types = ["2"]', ["ils.aleph.address_types[0]", '"2"', "nombre entier"]),
        ("address_types = [100]", ["ils.aleph.address_types[0]", "100", "au plus 99"]),
        ('other_address_types = "no"', ["ils.aleph.other_address_types", '"no"', "true ou false"]),
        ("address_width = 100", ["ils.aleph.address_width", "100", "200, 50"]),
        ("sms_number = 1", ["ils.aleph.sms_number", "= 1", "true ou false"]),
        ('card_type = "1"', ["ils.aleph.card_type", '"1"', "deux chiffres"]),
        ('card_status = "ACTIVE"', ["ils.aleph.card_status", '"ACTIVE"', "une ou deux lettres"]),
        ("z304_width = 50", ["ils.aleph.z304_width", "clé inconnue", "address_types, address_width"]),
    ],
)
def test_a_wrong_setting_of_aleph_is_told_with_key_value_and_what_is_allowed(tmp_path, line, told):
    with pytest.raises(SettingsError) as error:
        aleph(tmp_path, line)
    for words in told:
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("phone_types = [2, 2]", ["ils.voyager.phone_types", "présent deux fois : 2"]),
        ("address_types = []", ["ils.voyager.address_types", "au moins 1"]),
        ("lost_item_statuses = [13, 14, 15, 16, 17]", ["ils.voyager.lost_item_statuses", "au plus 4"]),
        ("email_address_type = -1", ["ils.voyager.email_address_type", "-1", "au moins 0"]),
        ('active_barcode_status = "1"', ["ils.voyager.active_barcode_status", '"1"', "nombre entier"]),
        ('sms_number = "yes"', ["ils.voyager.sms_number", '"yes"', "true ou false"]),
        ("fax = 3", ["ils.voyager.fax", "clé inconnue", "phone_types, sms_number"]),
    ],
)
def test_a_wrong_setting_of_voyager_is_told_the_same_way(tmp_path, line, told):
    with pytest.raises(SettingsError) as error:
        ils(tmp_path, f"[ils.voyager]\n{line}")
    for words in told:
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('adm_library = "UNS50"', "", "binds.adm_library = (absent) : il faut un code de 1 à 5"),
        ('bor_library = "ALEPH"', 'bor_library = ""', 'binds.bor_library = "" : il faut un code'),
        ('bib_library = "UNS01"', 'bib_library = "UNS001"', 'binds.bib_library = "UNS001" : il faut un code'),
        ('adm_library = "UNS50"', 'adm_library = "UNS50"\ncard_type = "01"', "vient de la section ils.aleph"),
    ],
)
def test_the_libraries_of_aleph_are_asked_for_and_no_bind_has_two_sources(tmp_path, old, new, told):
    assert old in EXAMPLE
    with pytest.raises(SettingsError) as error:
        ils(tmp_path, "", EXAMPLE.replace(old, new))
    assert told in str(error.value)
    assert "ils" in str(error.value)


def test_places_beyond_the_end_of_a_list_repeat_its_last_code(tmp_path):
    binds = aleph(tmp_path, 'loan_statuses = ["A", "L"]').statement_binds()
    assert [binds[f"loan_status_{place}"] for place in range(1, 5)] == ["A", "L", "L", "L"]


def test_a_phone_type_that_is_not_named_is_of_no_type(tmp_path):
    voyager = ils(tmp_path, "[ils.voyager]\nphone_types = [2]").voyager.binds()
    assert [voyager[f"phone_type_{place}"] for place in range(1, 5)] == [2, -1, -1, -1]


def test_voyager_leaves_out_what_is_lost_and_what_is_claimed_returned_without_a_word():
    assert VoyagerSettings().binds() == BINDS
    assert {VoyagerSettings().binds()[f"lost_status_{place}"] for place in range(1, 5)} == {13, 14, 15}


def test_another_kind_of_ils_has_its_own_binds_alone(tmp_path):
    settings = ils(tmp_path, "").model_copy(update={"kind": "view", "binds": {"x": "1"}})
    assert (settings.statement_binds(), settings.statement_choices()) == ({"x": "1"}, {})
