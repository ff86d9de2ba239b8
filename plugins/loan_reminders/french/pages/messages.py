"""What the page of messages says around them."""

from __future__ import annotations

import unicodedata

from loan_reminders.domain.email.survey import Survey
from loan_reminders.domain.sms.text import DearCharacter
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.french.days import day_words
from loan_reminders.french.pages.statistics import READERS

SAMPLES = {"exemple": "lecteur ordinaire", "extreme": "données extrêmes"}
"""The made-up readers, by their name in `services/previews.py`."""

SAMPLE_STAMP = "EXEMPLE"
AN_EXAMPLE = "Exemple avec un lecteur fictif : ne pas poster."
REAL_LOAN = "Aperçu avec un vrai prêt : ne pas poster."


def dear_words(found: DearCharacter) -> str:
    """What a dear character does: `ê devient e : tel quel, il triplerait le prix du SMS`."""
    visible = found.character.isprintable() and not found.character.isspace()
    shown = found.character if visible else f"Un signe invisible ({unicodedata.name(found.character, 'sans nom')})"
    times = "" if found.times == 1 else f" ({found.times} fois)"
    if found.becomes is None:
        return f"{shown}{times} compte pour deux caractères"
    sent = f"devient {found.becomes}" if found.becomes.strip() else "est remplacé par une espace, ou laissé de côté"
    return f"{shown}{times} {sent} : tel quel, il triplerait le prix du SMS"


def survey_words(survey: Survey) -> str:
    """When and to whom the line of the survey goes: `Ligne d'enquête, du 01/03/2026 au 31/03/2026 : étudiants`."""
    who = ", ".join(READERS[one] for one in PatronCategory if one in survey.populations)
    return f"Ligne d'enquête, du {day_words(survey.starts_on)} au {day_words(survey.ends_on)} : {who}"
