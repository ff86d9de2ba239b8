"""Charts in pages: accessible, in our own classes, without anything that the pages' security policy forbids."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from loan_reminders.web.statistics.charts import Series, chart, written

DAYS = ("lun. 23", "mar. 24", "mer. 25")
MAIL = Series(words="e-mails", colour="mail", values=(10, 1230, 0))
SMS = Series(words="SMS", colour="sms", values=(3, None, 4.5))


def _svg(markup: str) -> ElementTree.Element:
    found = re.search(r"<svg.*</svg>", markup, re.DOTALL)
    assert found
    return ElementTree.fromstring(found[0])


@pytest.mark.parametrize("shape", ["bars", "stacked", "rows", "lines"])
def test_nothing_that_the_security_policy_of_the_pages_forbids(shape):
    drawn = str(chart(shape, "Messages", DAYS, [MAIL, SMS]))
    for forbidden in ("style", "script", "xlink", "http", "onload", "pygal", "<!--"):
        assert forbidden not in drawn


@pytest.mark.parametrize("shape", ["bars", "stacked", "rows", "lines"])
def test_one_image_with_a_title_for_a_screen_reader(shape):
    svg = _svg(chart(shape, "Messages de la semaine", DAYS, [MAIL, SMS]))
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == svg.findtext("title") == "Messages de la semaine"


@pytest.mark.parametrize("shape", ["bars", "stacked", "rows", "lines"])
def test_each_series_has_its_colour_and_its_name_in_the_legend(shape):
    drawn = chart(shape, "Messages", DAYS, [MAIL, SMS])
    marks = {
        group.get("class"): titles
        for group in _svg(drawn).iter("g")
        if (titles := [title.text for title in group.iter("title")]) and group.get("class")
    }
    assert "mar. 24 · e-mails : 1\N{NARROW NO-BREAK SPACE}230" in marks["mail"]
    assert sorted(marks["sms"]) == ["lun. 23 · SMS : 3", "mer. 25 · SMS : 4,5"]
    assert '<i class="dot sms"></i>SMS' in drawn


def test_higher_bars_for_higher_figures():
    bars = _svg(chart("bars", "Messages", DAYS, [Series(words="e-mails", colour="mail", values=(10, 20, 0))])).iter(
        "rect"
    )
    first, second = (float(bar.get("height", "")) for bar in bars)
    assert second == pytest.approx(2 * first)


def test_rows_stand_from_the_top_in_their_order_each_with_its_name():
    names = ("BU Droit", "Bibliothèque interuniversitaire de médecine et d'odontologie", "BU Lettres")
    told = Series(words="prévenus", colour="hue-1", values=(10, 20, 5))
    lost = Series(words="non joints", colour="none", values=(2, 0, None))
    svg = _svg(chart("rows", "Messages", names, [told, lost]))
    beside = sorted((float(text.get("y", "")), text.text or "") for text in svg.iter("text") if text.get("x") == "-5")
    assert [words for _, words in beside] == [names[0], f"{names[1][:33]}…", names[2]]
    rows = {row.findtext("title") or "": row for row in svg.iter("rect")}
    assert f"{names[1]} · prévenus : 20" in rows
    assert len(rows) == 4  # nothing is drawn of nothing
    top, bottom = rows["BU Droit · prévenus : 10"], rows["BU Lettres · prévenus : 5"]
    assert float(top.get("y", "")) < float(bottom.get("y", ""))
    assert float(top.get("width", "")) == pytest.approx(2 * float(bottom.get("width", "")))


def test_a_line_stops_where_the_figure_is_not_known():
    line = Series(words="étudiants", colour="hue-1", values=(31.0, None, 23.5))
    dots = list(_svg(chart("lines", "Part", DAYS, [line])).iter("circle"))
    assert len(dots) == 2


def test_words_are_words_and_never_markup():
    odd = Series(words="<b>lettres</b>", colour="letter", values=(1, 2, 3))
    drawn = chart("bars", '"><i>x', ("<u>", "&", "c"), [odd, MAIL])
    assert _svg(drawn).get("aria-label") == '"><i>x'
    assert "<b>" not in drawn
    assert "<u>" not in drawn


def test_three_years_of_days_have_few_words_below():
    days = [f"jour {number}" for number in range(1096)]
    drawn = _svg(chart("lines", "Messages", days, [Series(words="e-mails", colour="mail", values=(1,) * 1096)]))
    assert len([text for text in drawn.iter("text") if (text.text or "").startswith("jour")]) <= 10


@pytest.mark.parametrize("shape", ["bars", "stacked", "rows", "lines"])
@pytest.mark.parametrize("days", [(), DAYS])
def test_a_chart_of_nothing_is_an_empty_chart(shape, days):
    nothing = Series(words="e-mails", colour="mail", values=(0,) * len(days))
    assert _svg(chart(shape, "Rien", days, [nothing])).get("aria-label") == "Rien"


def test_numbers_are_written_as_librarians_write_them():
    assert written(1234567) == "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567"
    assert written(12.5) == "12,5"
    assert written(0) == "0"
