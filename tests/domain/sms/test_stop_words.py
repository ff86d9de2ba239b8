"""What counts as a STOP, and what only looks like one."""

import pytest

from loan_reminders.domain.sms.stop_words import is_stop

STOPS = [
    "STOP",
    "stop",
    "Stop.",
    " stop \n",
    "stop svp!!",
    "Stop merci",
    "STOP, merci beaucoup",
    "S T O P",
    "s.t.o.p.",
    "S-T-O-P svp",
    "« STOP »",
    "STOP!!!",
    "STOP SMS",
    "stopsms",
    "STOP36180",
    "STOP au 36180",
    "stop 36180",
    "Bonjour, STOP",
    "svp stop",
    "s'il vous plaît STOP",
    "ok stop",
    "STOP je ne veux plus de sms",
    "stop stop stop",
    "ＳＴＯＰ",
    "stöp",
    "🛑 STOP 🛑",
    "Stopp",
    "bonjour madame stop merci",
]
NOT_STOPS = [
    "",
    "   ",
    "!!!",
    "ne plus STOP",
    "je ne veux pas que ça stoppe",
    "nonstop",
    "non-stop",
    "non stop",
    "stopper",
    "autostop",
    "stopover",
    "Pourquoi STOP ?",
    "pas stop",
    "merci",
    "Bonjour, j'ai rendu le livre",
    "s t o p h",
    "ok",
    "s'il vous plaît",
    "livre rendu hier, stop",
    "36180",
    "STO P",
    "Christophe",
]


@pytest.mark.parametrize("text", STOPS)
def test_a_stop_however_it_is_dressed(text):
    assert is_stop(text)


@pytest.mark.parametrize("text", NOT_STOPS)
def test_what_is_no_stop_is_left_to_a_person(text):
    assert not is_stop(text)
