"""What must be told with a reader's data is what this library does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.stages import Basis, Channel, ChannelRule, Policy, SmsRules, Stage, StageRule
from loan_reminders.french.pages.reader_rights import information

TRIAL = Holdback(share=0.3, first=date(2027, 1, 11), last=date(2027, 4, 11), seed="bu 2027, premier essai")


def told(*, erased_after: tuple[int, int] | None = (4, 12), policy: Policy | None = None) -> dict[str, str]:
    return dict(information(erased_after=erased_after, policy=policy or Policy(rules=()), email=""))


def with_trial(holdback: Holdback | None) -> Policy:
    rule = ChannelRule(channel=Channel.SMS, holdback=holdback)
    return Policy(rules=(StageRule(stage=Stage.OVERDUE_NOTICE, offset_days=1, channels=(rule,)),))


def test_where_nothing_is_erased_by_itself_no_term_is_promised():
    kept = told(erased_after=None)["Combien de temps"]
    assert "mois" not in kept
    assert "Aucun effacement n'est programmé" in kept
    assert told()["Combien de temps"].startswith("4 mois après le retour")


def test_a_draw_that_decides_about_sms_is_told_with_its_share_days_and_purpose():
    decides = told(policy=with_trial(TRIAL))["Décisions"]
    assert "Du 11/01/2027 au 11/04/2027, un tirage au sort retient les SMS de 30 % des lecteurs" in decides
    assert "tirage au sort" not in told(policy=with_trial(None))["Décisions"]


def test_age_is_named_where_it_decides():
    of_minors = replace(with_trial(None), sms=SmsRules(minors=Basis.NEVER))
    assert "son âge (mineur ou non)" in told(policy=of_minors)["Décisions"]
    assert "âge" not in told(policy=with_trial(None))["Décisions"]


def test_counting_what_reminders_are_good_for_is_named_as_a_purpose():
    assert "avec et sans SMS" in told(policy=with_trial(None))["Pourquoi"]


def test_a_library_that_sends_no_sms_decides_nothing_about_them():
    assert "Recevoir des SMS" in told(policy=with_trial(None))["Décisions"]
    assert not any("Recevoir des SMS" in words or "sans SMS" in words for words in told().values())
