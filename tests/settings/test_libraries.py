"""Several libraries in one installation: which files count, which library is current, and what is said when none is."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.rendering.template_folders import TemplateFolders
from loan_reminders.settings.all_libraries import all_settings, others_unread, others_with
from loan_reminders.settings.libraries import codes, of_library
from loan_reminders.settings.library_toml import TEMPLATES, our_dag_id, settings
from tests.scenes.several_libraries import settings_of, use, write_libraries


@pytest.fixture
def two(tmp_path, monkeypatch):
    return use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage", "colline"))


def wrong(folder):
    """What is said of each file that cannot be used, by its name."""
    return {file.name: str(found) for file, found in all_settings() if isinstance(found, SettingsError)}


def test_one_file_is_current_by_itself_and_its_dags_have_no_code():
    assert codes() == ()
    assert (settings().library.code, our_dag_id("watch")) == ("montclar", "watch")
    with of_library("montclar"):
        assert settings().library.code == "montclar"
    with of_library("rivage"), pytest.raises(SettingsError, match=r"« rivage » ; la seule est « montclar »"):
        settings()


def test_each_library_of_a_folder_is_current_where_it_is_said(two):
    assert codes() == ("colline", "rivage")
    with of_library("rivage"):
        assert settings().library.name == "Bibliothèque de Rivage"
        with of_library("colline"):
            assert our_dag_id("first_reminder") == "first_reminder__colline"
        with of_library(None):
            assert our_dag_id("first_reminder") == "first_reminder__rivage"


def test_nothing_is_current_by_chance(two):
    with pytest.raises(SettingsError, match=r"plusieurs bibliothèques, et rien ne dit laquelle.*colline, rivage"):
        settings()
    with of_library("plage"), pytest.raises(SettingsError, match=r"pas de bibliothèque « plage ».*colline, rivage"):
        settings()
    with of_library("../libraries/rivage"), pytest.raises(SettingsError, match=r"pas de bibliothèque"):
        settings()


def test_the_only_library_of_a_folder_is_current_and_its_dags_have_its_code(tmp_path, monkeypatch):
    use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage"))
    assert (settings().library.code, our_dag_id("watch")) == ("rivage", "watch__rivage")


def test_threads_and_tasks_work_for_the_library_they_were_begun_for(two):
    def name():
        return settings().library.code

    async def begun():
        with of_library("rivage"):
            task = asyncio.create_task(asyncio.to_thread(name))
        with of_library("colline"):
            return await task, await asyncio.to_thread(name)

    assert asyncio.run(begun()) == ("rivage", "colline")
    with ThreadPoolExecutor(1) as pool, of_library("rivage"):
        assert pool.submit(copy_context().run, name).result() == "rivage"
        with pytest.raises(SettingsError, match=r"rien ne dit laquelle"):
            pool.submit(name).result()


def test_a_wrong_file_says_file_key_and_value_and_the_others_are_read(two):
    (two / "plage.toml").write_text(settings_of("plage", ('hour = "10:00"', 'hour = "25:00"')), encoding="utf-8")
    said = wrong(two)
    assert list(said) == ["plage.toml"]
    assert str(two / "plage.toml") in said["plage.toml"]
    assert 'stages.overdue_notice.hour = "25:00" : il faut une heure' in said["plage.toml"]
    with of_library("plage"), pytest.raises(SettingsError, match=r"25:00"):
        settings()
    with of_library("rivage"):
        assert settings().library.code == "rivage"


def test_of_two_files_with_one_code_the_one_named_after_it_counts(two):
    (two / "copie.toml").write_text(settings_of("rivage"), encoding="utf-8")
    [said] = wrong(two).values()
    assert f'{two / "copie.toml"} : library.code = "rivage" : le fichier de cette bibliothèque doit s\'appeler' in said
    assert "rivage.toml" in said
    with of_library("copie"), pytest.raises(SettingsError, match=r"library.code"):
        settings()


@pytest.mark.parametrize("name", ["BU Rivage", "Rivage", "é", "-rivage", "rivage.copie", "x" * 33])
def test_a_name_that_is_no_code_is_no_library(two, name):
    (two / f"{name}.toml").write_text(settings_of("rivage"), encoding="utf-8")
    [said] = wrong(two).values()
    assert (
        f"{name}.toml : le nom d'un fichier est le code de sa bibliothèque ; il faut 1 à 32 lettres minuscules" in said
    )
    assert codes() == ("colline", "rivage")


def test_what_an_editor_leaves_beside_a_file_is_no_library(two):
    for name in (".rivage.toml", "rivage.toml~", "rivage.toml.bak", "LISEZMOI"):
        (two / name).write_text("?", encoding="utf-8")
    (two / "dossier.toml").mkdir()
    assert wrong(two) == {}
    assert codes() == ("colline", "rivage")


def test_an_empty_folder_says_what_to_put_there(tmp_path, monkeypatch):
    use(monkeypatch, tmp_path)
    with pytest.raises(SettingsError, match=r"aucun fichier de bibliothèque.*montclar.toml"):
        settings()
    [(path, wrong)] = all_settings()
    assert path == tmp_path
    assert "aucun fichier de bibliothèque" in str(wrong)


NOWHERE = "x" * 300
"""A name that no folder holds. What leads there cannot be looked at, by whatever account, as in a closed folder."""


@pytest.mark.parametrize("closed", ["rivage.toml", "rivage", "rivage/templates/_layouts"])
def test_what_cannot_be_looked_at_is_wrong_for_its_own_library_alone(two, closed):
    if "/" in closed:
        text = settings_of("rivage", ('logo = ""', 'logo = "_layouts/logo.svg"'))
        (two / "rivage.toml").write_text(text, encoding="utf-8")
    (two / closed).parent.mkdir(parents=True, exist_ok=True)
    (two / closed).unlink(missing_ok=True)
    (two / closed).symlink_to(NOWHERE)
    for _ in range(2):
        said = wrong(two)
        assert list(said) == ["rivage.toml"]
        assert f"{two / closed}" in said["rivage.toml"]
        assert "illisible (File name too long)" in said["rivage.toml"]
        with of_library("rivage"), pytest.raises(SettingsError, match=r"illisible"):
            settings()
        with of_library("colline"):
            assert settings().library.code == "colline"
            assert others_with(lambda one: one.sms.connection) == ()
        for file in two.glob("*.toml"):
            if not file.is_symlink():
                os.utime(file, (1, 1))  # a file that is kept until it changes


def test_a_library_has_its_own_templates_beside_its_file(two):
    logo = two / "rivage" / "templates" / "_layouts" / "logo.svg"
    logo.parent.mkdir(parents=True)
    logo.write_text("<svg/>", encoding="utf-8")
    for code in ("rivage", "colline"):
        text = settings_of(code, ('logo = ""', 'logo = "_layouts/logo.svg"'))
        (two / f"{code}.toml").write_text(text, encoding="utf-8")
    with of_library("rivage"):
        assert settings().templates == TemplateFolders(two / "rivage" / "templates", TEMPLATES)
        assert settings().template_folders == (two / "rivage" / "templates", TEMPLATES)
    with of_library("colline"), pytest.raises(SettingsError, match=r"templates/_layouts/logo.svg n'existe pas"):
        settings()


def test_each_library_names_its_own_connections_and_knows_who_shares_them(tmp_path, monkeypatch):
    own = (
        ("[email]", '[email]\nconnection = "relais_plage"'),
        ("[sms]", '[sms]\nconnection = "sms_plage"'),
        ("[bounces]", '[bounces]\nconnection = "retours_plage"'),
        ('connection = "ils_oracle"', 'connection = "sigb_plage"'),
    )
    use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage", "colline", "plage", plage=own))

    def connections(ours):
        return ours.ils.connection, ours.email.connection, ours.sms.connection, ours.bounces.connection

    with of_library("plage"):
        assert connections(settings()) == ("sigb_plage", "relais_plage", "sms_plage", "retours_plage")
        assert others_with(lambda one: one.sms.connection) == ()
    with of_library("rivage"):
        assert connections(settings()) == ("ils_oracle", "mail_relay", "allmysms", "bounce_mailbox")
        assert [one.library.code for one in others_with(lambda one: one.sms.connection)] == ["colline"]


def test_a_library_whose_file_is_wrong_may_share_anything(two):
    (two / "plage.toml").write_text(settings_of("plage", ('hour = "10:00"', 'hour = "25:00"')), encoding="utf-8")
    (two / "Copie de rivage.toml").write_text("?", encoding="utf-8")
    with of_library("rivage"):
        assert [one.library.code for one in others_with(lambda one: one.sms.connection)] == ["colline"]
        assert others_unread() == ("plage",)


def test_one_library_alone_shares_nothing():
    assert (others_with(lambda one: one.sms.connection), others_unread()) == ((), ())
