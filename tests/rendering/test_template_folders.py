"""A library's own templates over the common ones: for e-mails, SMS and letters, in every language, and in errors."""

from __future__ import annotations

import shutil

import pytest

from loan_reminders.domain.errors import TemplateError
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.rendering.letters.page_templates import copy_logo, copy_pages
from loan_reminders.rendering.template_folders import TemplateFolders
from loan_reminders.rendering.templates import TEMPLATES_FOLDER, Templates

SMS = "overdue_notice/sms/text.txt.j2"


@pytest.fixture
def place(tmp_path):
    common = tmp_path / "common"
    shutil.copytree(TEMPLATES_FOLDER, common)
    (tmp_path / "own").mkdir()
    return TemplateFolders(tmp_path / "own", common)


def write(place, name, words):
    path = place.own / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words, encoding="utf-8")


def test_the_librarys_own_words_count_and_the_others_stay_common(place):
    write(place, SMS, "À nous : {{ qui }}")
    templates = Templates(place)
    assert templates.render(SMS, {"qui": "toi"}) == "À nous : toi"
    assert Templates(place.common).exists("courtesy_notice/email/subject.txt.j2")
    assert templates.exists("courtesy_notice/email/subject.txt.j2")


def test_what_a_common_template_includes_may_be_the_librarys_own(place):
    (place.common / "_layouts" / "pied.txt.j2").write_text("commun", encoding="utf-8")
    (place.common / "essai.txt.j2").write_text("{% include '_layouts/pied.txt.j2' %}", encoding="utf-8")
    assert Templates(place).render("essai.txt.j2", {}) == "commun"
    write(place, "_layouts/pied.txt.j2", "à nous")
    assert Templates(place).render("essai.txt.j2", {}) == "à nous"


def test_a_language_of_its_own_is_one_more(place):
    before = Templates(place).languages(Stage.OVERDUE_NOTICE, Channel.SMS)
    write(place, "overdue_notice/oc/sms/text.txt.j2", "Adieu-siatz")
    assert set(Templates(place).languages(Stage.OVERDUE_NOTICE, Channel.SMS)) == {*before, "oc"}


def test_a_fault_names_the_file_whoevers_it_is(place):
    write(place, SMS, "{{ rien }}\n{% bof %}")
    with pytest.raises(TemplateError, match=rf"{SMS}, ligne 2"):
        Templates(place).check([SMS], known=[])
    write(place, SMS, "\n{{ rien }}")
    with pytest.raises(TemplateError, match=rf"{SMS}, ligne 2 : « rien »"):
        Templates(place).check([SMS], known=[])
    with pytest.raises(TemplateError, match=rf"{SMS}, ligne 2"):
        Templates(place).render(SMS, {})


def test_pages_and_logo_of_letters_are_its_own_where_it_has_some(place, tmp_path):
    own = "first_reminder/letter/letter.typ"
    write(place, own, "à nous")
    write(place, "_layouts/logo.svg", "<svg/>")
    copy_pages(place, ("_layouts", "first_reminder/letter"), tmp_path / "root")
    assert (tmp_path / "root" / own).read_text(encoding="utf-8") == "à nous"
    common = {path.name for path in (place.common / "_layouts").iterdir() if path.suffix == ".typ"}
    assert common <= {path.name for path in (tmp_path / "root" / "_layouts").iterdir()}
    assert copy_logo(place, "_layouts/logo.svg", tmp_path / "root") == "/_logo/logo.svg"
    with pytest.raises(TemplateError, match="n'existe pas"):
        copy_pages(place, ("nulle_part",), tmp_path / "other")
