"""The part of `library.toml` about e-mails that come back."""

import pytest
from pydantic import ValidationError

from loan_reminders.settings.channels import BounceSettings


def test_without_a_word_the_inbox_is_read_and_what_was_read_moves_to_a_folder_of_its_own():
    ours = BounceSettings()
    assert (ours.folder, ours.done_folder, ours.soft_failures) == ("INBOX", "Relances traitées", 5)


def test_what_was_read_cannot_stay_where_it_is_read():
    with pytest.raises(ValidationError, match="un autre dossier"):
        BounceSettings(folder="Retours", done_folder="Retours")


@pytest.mark.parametrize("failures", [0, 51])
def test_a_row_of_bounces_has_limits(failures):
    with pytest.raises(ValidationError):
        BounceSettings(soft_failures=failures)
