"""What keeps a reader in the ledger, and what is said of it."""

from datetime import date

import pytest

from loan_reminders.domain.reader_rights.erasure import Erasure, Stays, StaysBecause
from loan_reminders.domain.retention.terms import Removed
from loan_reminders.french.pages.reader_rights import erasure_lines, stays_words


@pytest.mark.parametrize("why", StaysBecause)
def test_each_thing_that_stays_is_said_with_why(why):
    for number in (1, 2):
        words = stays_words(Stays(why=why, number=number, until=date(2027, 1, 31)))
        assert words.endswith(".")
        assert "{" not in words
    if why in (StaysBecause.DISPUTE, StaysBecause.HOLD):
        assert "31/01/2027" in stays_words(Stays(why=why, number=1, until=date(2027, 1, 31)))


def test_a_terminal_is_told_what_would_go_and_what_went():
    stays = (Stays(why=StaysBecause.OPEN_LOAN, number=2),)
    partly = Erasure(removed=Removed(loans=3, messages=5), stays=stays)
    said = list(erasure_lines(partly, done=False))
    assert said[0] == "Serait effacé : 3 prêts, 5 messages."
    assert "reste connu" in said[1]
    assert said[2].startswith("Reste : 2 prêts, dont le retour")
    whole = Erasure(removed=Removed(readers=1), stays=())
    assert (whole.complete, partly.complete) == (True, False)
    assert list(erasure_lines(whole, done=True)) == ["Effacé : 1 lecteur.", "Le registre ne connaît plus ce lecteur."]
