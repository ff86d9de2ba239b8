"""Every form that changes something is safe to send twice: each of its pages gives it a key."""

from __future__ import annotations

import re

from loan_reminders.settings.library_toml import ROOT

PAGES = ROOT / "plugins" / "loan_reminders" / "web" / "pages"
FORM = re.compile(r'<form[^>]*method="post"[^>]*>.*?</form>', re.S)
WITHOUT = ("data-download", "/recherche')", "link('lecteurs')", "link('messages/vrai')")
"""A file that is asked for, and a search whose words may be in no address: neither is undone by being sent twice."""


def test_every_form_that_changes_something_carries_its_key():
    pages = sorted(PAGES.glob("*.j2"))
    found = [(page.name, form) for page in pages for form in FORM.findall(page.read_text("utf-8"))]
    assert len(found) > 10
    bare = [(name, form[:120]) for name, form in found if "once()" not in form and not any(w in form for w in WITHOUT)]
    assert bare == []
