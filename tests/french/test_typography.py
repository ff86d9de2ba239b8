"""No line begins with a double sign, whatever was typed; what is sent back or was sent stays to the letter."""

from __future__ import annotations

import pytest

from loan_reminders.french.typography import spaced, spaced_page


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Tél. : 04", "Tél.\u00a0: 04"),
        ("Prêt ? Oui ! Non ; rien", "Prêt\u00a0? Oui\u00a0! Non\u00a0; rien"),
        ("« à rendre »", "«\u00a0à rendre\u00a0»"),
        ("« a » et « b »", "«\u00a0a\u00a0» et «\u00a0b\u00a0»"),
        ("déjà\u00a0: bien", "déjà\u00a0: bien"),
        ("10:30, https://a.fr/?b=c;d", "10:30, https://a.fr/?b=c;d"),
        ("", ""),
    ],
)
def test_double_signs_stay_with_their_words(typed, shown):
    assert spaced(typed) == shown
    assert spaced_page(f"<p>{typed}</p>") == f"<p>{shown}</p>"


@pytest.mark.parametrize(
    "kept",
    [
        '<input type="hidden" name="recherche" value="Dupont : zoé">',
        '<pre class="words">BU : « à rendre »\n</pre>',
        "<textarea>à ? b</textarea>",
        "<style>a{color:red !important}</style>",
    ],
)
def test_what_is_sent_back_or_was_sent_stays_to_the_letter(kept):
    assert spaced_page(f"<b>ici :</b>{kept}<i>là ;</i>{kept}") == f"<b>ici\u00a0:</b>{kept}<i>là\u00a0;</i>{kept}"
