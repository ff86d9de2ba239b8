"""The survey of library.toml: what stops at start-up, then what it becomes."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.settings.library_toml import ROOT, Settings, read_settings

EXAMPLE = (ROOT / "library.toml").read_text(encoding="utf-8")
GOOD = {
    "starts_on": "2027-03-01",
    "ends_on": "2027-03-31",
    "populations": '["student"]',
    "link": '"https://enquete.example.fr/r?v=1"',
}


def read(folder, **changes: str | None) -> Settings:
    lines = [f"{name} = {value}" for name, value in {**GOOD, **changes}.items() if value is not None]
    file = folder / "library.toml"
    section = "\n".join(["[survey]", *lines, "", "[statistics]"])
    file.write_text(EXAMPLE.replace("[statistics]", section, 1), encoding="utf-8")
    return read_settings(file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"link": '"http://enquete.example.fr"'}, ["survey.link", "https://"]),
        ({"link": '"https://"'}, ["survey.link", "nom d'un serveur"]),
        ({"link": '"https://enquete"'}, ["survey.link", "nom d'un serveur"]),
        ({"link": '"https://moi:secret@enquete.example.fr"'}, ["survey.link", "identifiant"]),
        ({"link": '"https://enquete.example.fr/{delivery}"'}, ["survey.link", "accolade"]),
        ({"link": '"https://enquete.example.fr/a b"'}, ["survey.link", "espace"]),
        ({"link": '"https://[enquete.example.fr"'}, ["survey.link", "https://"]),
        ({"link": None}, ["survey.link", "clé obligatoire"]),
        ({"starts_on": '"2027-03-01"'}, ["survey.starts_on", "une date sans"]),
        ({"ends_on": "2027-02-28"}, ["survey", "ends_on (2027-02-28) est avant"]),
        ({"ends_on": "2029-02-28"}, ["survey", "un an au plus"]),
        ({"populations": "[]"}, ["survey.populations", "au moins"]),
        ({"populations": '["pupil"]'}, ["survey.populations[0]", '"pupil"', "'student'"]),
        ({"populations": '["staff", "staff"]'}, ["survey.populations", "présent deux fois : staff"]),
        ({"sentence": '{ fr = "  " }'}, ["survey.sentence.fr", "une phrase"]),
        ({"sentence": '{ fr = "a\\nb" }'}, ["survey.sentence.fr", "sur une ligne"]),
        ({"sentence": '{ de = "x" }'}, ["survey.sentence.de", "clé inconnue", "en, fr"]),
        ({"track": "true"}, ["survey.track", "clé inconnue"]),
    ],
)
def test_a_wrong_value_stops_with_its_key(tmp_path, changes, said):
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, **changes)
    for words in said:
        assert words in str(refused.value)


def test_without_the_section_there_is_no_survey(tmp_path):
    assert read_settings(ROOT / "library.toml").email_identity().survey is None


def test_it_is_the_e_mails_survey(tmp_path):
    survey = read(tmp_path, sentence='{ fr = "Et vous ?" }').email_identity().survey
    assert survey is not None
    assert (survey.starts_on, survey.ends_on, survey.populations) == (
        date(2027, 3, 1), date(2027, 3, 31), frozenset({PatronCategory.STUDENT}),
    )  # fmt: skip
    assert survey.sentences["fr"] == "Et vous ?"
    assert survey.sentences["en"].startswith("Are these")


def test_whoever_looks_beforehand_sees_the_line(tmp_path):
    looked_at = read(tmp_path).email_identity().for_a_look().survey
    assert looked_at is not None
    assert looked_at.line(PatronCategory.STAFF, "en", date(2026, 1, 1)) is not None
