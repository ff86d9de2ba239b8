"""What the page of messages says around them."""

from __future__ import annotations

import unicodedata

from loan_reminders.domain.sms.text import DearCharacter

SAMPLES = {"exemple": "lecteur ordinaire", "extreme": "données extrêmes"}
"""The made-up readers, by their name in `services/previews.py`."""

SAMPLE_STAMP = "EXEMPLE"
AN_EXAMPLE = "Exemple avec un lecteur fictif : ne pas poster."
REAL_LOAN = "Aperçu avec un vrai prêt : ne pas poster."


def dear_words(found: DearCharacter) -> str:
    """What a dear character does: `« ’ » écrit 2 fois : envoyé « ' », sinon le SMS coûterait trois fois plus`."""
    name = found.character if found.character.isprintable() and not found.character.isspace() else ""
    shown = f"« {name} »" if name else f"le signe invisible « {unicodedata.name(found.character, 'sans nom').lower()} »"
    times = "" if found.times == 1 else f", {found.times} fois"
    if found.becomes is None:
        return f"{shown}{times} : compte pour deux caractères"
    sent = f"envoyé « {found.becomes} »" if found.becomes.strip() else "envoyé comme une espace, ou laissé de côté"
    return f"{shown}{times} : {sent} ; tel quel, il ferait payer le SMS jusqu'à trois fois"
