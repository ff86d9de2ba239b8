"""How librarians read what SMS do: a plain sentence of what may be concluded, and of what may not."""

from __future__ import annotations

from collections.abc import Sequence

from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.statistics.effect import (
    DECIDES,
    LOANS_NEEDED,
    MONTHS_NEEDED,
    MOST_STAFF_TOLD,
    OUTCOMES_NEEDED,
    OVERDUES_NEEDED,
    Age,
    Change,
    Comparison,
    Estimate,
    Findings,
    Trial,
    Verdict,
)
from loan_reminders.french.days import long_day_words
from loan_reminders.french.words import STAGES

AGES = {
    Age.WEEK: "1 à 7 jours",
    Age.FORTNIGHT: "8 à 14 jours",
    Age.MONTH: "15 à 30 jours",
    Age.QUARTER: "31 à 90 jours",
    Age.LONGER: "plus de 90 jours",
}
"""For how long a loan is overdue."""

STUDENT, STAFF = PatronCategory.STUDENT, PatronCategory.STAFF
_SPACE = "\N{NO-BREAK SPACE}"
_LEVEL = f"95{_SPACE}%"
NOT_A_CAUSE = "La différence est sûre, sa cause ne l'est pas :"
NO_CONCLUSION = "Rien ne peut en être conclu"


def figure(number: float) -> str:
    """A number to one decimal, as it is written in French: `−3,2`."""
    written = f"{abs(number):.1f}".replace(".", ",")
    return f"−{written}" if number < 0 and written != "0,0" else written


def points(number: float) -> str:
    """`1,0 point`, `3,2 points`: without its sign."""
    return f"{figure(abs(number))}{_SPACE}point{'s' * (round(abs(number), 1) >= 2)}"


def interval(found: Estimate) -> str:
    """`de −3,2 à 4,1 points`."""
    return f"de {figure(found.low)} à {figure(found.high)}{_SPACE}points"


def share_with_interval(found: Estimate | None) -> str:
    """`54,2 % (50,1 à 58,3)`, or a dash."""
    if found is None:
        return "—"
    low, high = max(0.0, found.low), min(100.0, found.high)
    return f"{figure(found.value)}{_SPACE}% ({figure(low)} à {figure(high)})"


def difference_with_interval(found: Estimate | None) -> str:
    """`+4,1 points (1,2 à 7,0)`, or a dash."""
    if found is None:
        return "—"
    sign = "+" if round(found.value, 1) > 0 else ""
    return f"{sign}{figure(found.value)} ({figure(found.low)} à {figure(found.high)})"


def sentences(findings: Findings) -> Sequence[str]:
    """What may be concluded, the surest first: what chance decided, then comparable loans, then the months."""
    trials = [trial_words(one) for one in findings.trials]
    compared = [comparison_words(one) for one in findings.comparisons if one.with_sms.loans]
    return (*trials, *compared, change_words(findings.change))


def change_words(found: Change) -> str:
    """Students against staff, before and after a day."""
    if found.since is None or found.verdict is Verdict.NO_DAY:
        return (
            "Retards longs : aucun SMS n'est encore parti, et library.toml ne donne pas de jour à comparer"
            f" ([statistics] compare_from). {NO_CONCLUSION}."
        )
    day = long_day_words(found.since)
    if found.estimate is None:
        return (
            f"Retards longs, avant et depuis le {day} : trop peu de mois, {found.months_before} avant et"
            f" {found.months_after} après. Il en faut {MONTHS_NEEDED} de chaque côté, chacun avec {OVERDUES_NEEDED}"
            f" retards d'étudiants et autant de personnels. {NO_CONCLUSION}."
        )
    if found.staff_told is not None and found.staff_told > MOST_STAFF_TOLD:
        return (
            f"Retards longs, avant et depuis le {day} : {figure(100 * found.staff_told)}{_SPACE}% des prêts de"
            f" personnels ont eux aussi été annoncés par SMS depuis ce jour ; au-delà de"
            f" {round(100 * MOST_STAFF_TOLD)}{_SPACE}%, les comparer aux étudiants cache l'effet des SMS."
            f" {NO_CONCLUSION}."
        )
    if found.verdict is Verdict.NOT_COMPARABLE:
        return (
            f"Retards longs, avant et depuis le {day} : les étudiants et les personnels s'éloignaient déjà les uns des"
            f" autres avant ce jour. Les comparer ne dit rien des SMS. {NO_CONCLUSION}."
        )
    way = "diminué" if found.estimate.value < 0 else "augmenté"
    said = (
        f"Depuis le {day}, la part des retards longs a {way} de {points(found.estimate.value)} chez les étudiants par"
        f" rapport aux personnels (intervalle à {_LEVEL} : {interval(found.estimate)}).{_staff_words(found)}"
    )
    if found.verdict is Verdict.SURE:
        return (
            f"{said} {NOT_A_CAUSE} tout ce qui a changé depuis ce jour pour les étudiants et non pour les personnels y"
            " est compté."
        )
    return f"{said} {_not_sure(found.verdict)}"


def _staff_words(found: Change) -> str:
    """Whether staff were told by SMS too, which makes the difference smaller."""
    if found.staff_told is None:
        return ""
    if not found.staff_told:
        return " Aucun prêt de personnel n'a été annoncé par SMS depuis ce jour."
    return (
        f" {figure(100 * found.staff_told)}{_SPACE}% des prêts de personnels ont eux aussi été annoncés par SMS depuis"
        " ce jour : la différence en est d'autant plus petite."
    )


def comparison_words(found: Comparison) -> str:
    """Loans told of with an SMS, and comparable ones without."""
    stage = STAGES[found.stage].capitalize()
    estimate = found.decides
    if estimate is None:
        return (
            f"{stage}, avec et sans SMS : trop peu de prêts comparables. Il en faut {LOANS_NEEDED} de chaque côté, dont"
            f" au moins {OUTCOMES_NEEDED} rendus sous {DECIDES} jours et {OUTCOMES_NEEDED} non rendus. {NO_CONCLUSION}."
        )
    if found.verdict is Verdict.NOT_COMPARABLE:
        return (
            f"{stage}, avec et sans SMS : {figure(100 * found.alone)}{_SPACE}% des prêts avec SMS n'ont pas de prêt"
            f" comparable sans SMS (même mois, même public, même durée). {NO_CONCLUSION}."
        )
    said = f"{stage} : {_returned(estimate)} que parmi les prêts comparables sans SMS ({_interval(estimate)})."
    if found.verdict is Verdict.SURE:
        return (
            f"{said} {NOT_A_CAUSE} les lecteurs dont la bibliothèque a le mobile rendent peut-être autrement, SMS ou"
            " pas. Seul un tirage au sort le dirait."
        )
    return f"{said} {_not_sure(found.verdict)}"


def trial_words(found: Trial) -> str:
    """A period in which chance decided who got no SMS."""
    days = f"du {found.first:%d/%m/%Y} au {found.last:%d/%m/%Y}"
    name = f"Tirage au sort {days}"
    if found.verdict is Verdict.CHANGED:
        return f"{name} : sa règle a changé avant la fin (durée, part ou graine). {NO_CONCLUSION}, et il n'est pas lu."
    if found.comparison is None:
        return f"{name} : en cours. Il est lu après le {found.read_on:%d/%m/%Y} ; pas de résultat avant."
    estimate = found.comparison.decides
    if estimate is None:
        return f"{name} : trop peu de prêts, avec ou sans SMS, pour être lu. {NO_CONCLUSION}."
    if found.verdict is Verdict.NOT_COMPARABLE:
        return f"{name} : la plupart des prêts avec SMS n'ont pas de témoin comparable. {NO_CONCLUSION}."
    said = f"{name} : {_returned(estimate)} que parmi les témoins, dont le SMS a été retenu ({_interval(estimate)})."
    if found.verdict is Verdict.SURE:
        return f"{said} C'est un effet des SMS : le hasard seul a décidé qui en recevait."
    if found.verdict is Verdict.HINT:
        return f"{said} C'est un indice, pas une preuve : seul un nouvel essai en dirait plus."
    return f"{said} {_not_sure(found.verdict)}"


def _returned(estimate: Estimate) -> str:
    more = "de plus" if estimate.value >= 0 else "de moins"
    return f"avec SMS, {points(estimate.value)} de prêts {more} sont rendus sous {DECIDES} jours"


def _interval(estimate: Estimate) -> str:
    return f"intervalle à {_LEVEL} : {interval(estimate)}"


def _not_sure(found: Verdict) -> str:
    if found is Verdict.HINT:
        return "C'est un indice, pas une preuve : le hasard seul donne parfois autant. Attendre d'autres mois."
    return f"Le hasard seul peut l'expliquer. {NO_CONCLUSION}, ni qu'il y a un effet, ni qu'il n'y en a pas."


def running_words(last: str) -> str:
    """That SMS are held back just now."""
    return f"Mesure en cours jusqu'au {last} : le SMS de lecteurs tirés au sort est retenu, leur e-mail part."
