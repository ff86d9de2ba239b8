"""What no keyboard and no honest page sends, to every field of every route: no page breaks or says what is untrue."""

from __future__ import annotations

import uuid

import pytest
from fastapi.routing import APIRoute

from tests.web.client import browsing, calls, routes

pytestmark = pytest.mark.usefixtures("pages")
HOSTILE = (
    "\x00", "a\x00b", "x" * 10_000, "-1", "0", "9" * 40, "9" * 5_000, "1e400", "9999-12-31", "0001-01-01",
    "2026-02-30", "\ud800", "\u202e\u0000", "<script>alert(1)</script>", "'; DROP TABLE letters; --", "%00", "é" * 200,
    "../../etc/passwd", "{{ 7 * 7 }}", " ", "\r\n\r\nSet-Cookie: a=b",
)  # fmt: skip


def fields_of(route):
    return [field.alias for field in (*route.dependant.body_params, *route.dependant.query_params)]


def plausible(name, hostile):
    return {"numero": "0612345678", "lettre": str(uuid.UUID(int=1)), "lot": "1", "etape": "1", **hostile}


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda value: repr(value)[:24])
def test_no_value_of_any_field_breaks_a_page_or_succeeds_falsely(hostile):
    value = hostile.encode("utf-8", "surrogatepass")
    tried = 0
    with browsing("admin") as client:
        for route in routes():
            assert isinstance(route, APIRoute)
            for name in fields_of(route):
                for method, path in calls(route):
                    tried += 1
                    if method == "GET":
                        answer = client.get(path, params={name: value})
                    elif name == "fichier":
                        answer = client.post(path, files={name: ("a.csv", value)})
                    else:
                        answer = client.post(path, data=plausible(name, {name: value}))
                    where = (method, path, name, answer.status_code)
                    assert answer.status_code < 500, where
                    assert "Enregistré" not in answer.text, where
                    assert "Retour noté" not in answer.text, where
                    if answer.status_code >= 400:
                        said = ('class="problem" role="alert">', 'class="field-answer bad"')
                        assert any(words in answer.text for words in said), where
    assert tried > 15


@pytest.mark.parametrize("number", ["0", "-1", "9" * 40, "9" * 5_000, "abc", "1.5", "%00", "1%00"])
def test_no_number_in_an_address_breaks_a_page(number):
    with browsing("admin") as client:
        for route in routes():
            for method, path in calls(route):
                if path == route.path:
                    continue
                asked = path.replace("/1", f"/{number}").replace(str(uuid.UUID(int=1)), number)
                answer = client.request(method, asked)
                assert answer.status_code == 404, (method, path, answer.status_code)
                assert 'class="problem" role="alert">' in answer.text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"numero": "0612345678", "jusqu_au": "9999-12-31"}, "plus de 20 ans"),
        ({"numero": "0612345678", "jusqu_au": "0001-01-01"}, "déjà passée"),
        ({"numero": "0612345678\x00"}, "« numero » ne peut pas avoir cette valeur"),
        ({"numero": "0" * 500}, "« numero » a plus de 100 signes"),
        ({"numero": "0612345678", "note": "a\x00"}, "« note »"),
    ],
)
def test_what_is_wrong_is_said(form, words):
    with browsing() as client:
        answer = client.post("/desinscriptions", data=form)
    assert answer.status_code == 400
    assert words in answer.text


def test_a_line_that_nobody_knows_is_not_lifted():
    with browsing() as client:
        answer = client.post("/desinscriptions/424242/levee", data={"raison": "revenu au guichet"})
    assert answer.status_code == 404
    assert "pas, ou plus, en vigueur" in answer.text


@pytest.mark.parametrize("said", ["Tout est payé", "R3-000000-AAAAAA", "0935000123", "<b>x</b>"])
def test_an_address_makes_no_page_say_what_was_not_done(said):
    with browsing() as client:
        answer = client.get("/recommandes", params={"fait": said})
    assert answer.status_code == 404
    assert said not in answer.text
    assert 'role="status"' not in answer.text


def test_an_unexpected_error_is_told_by_its_class_and_place_alone(monkeypatch, caplog):
    import logging

    from loan_reminders.web import ledger_access

    def broken():
        raise KeyError("camille.martin@etu.example.org")

    monkeypatch.setattr(ledger_access, "desk", broken)
    with browsing() as client:
        ours = logging.getLogger("loan_reminders")
        ours.addHandler(caplog.handler)
        try:
            answer = client.get("/bureau")
        finally:
            ours.removeHandler(caplog.handler)
    assert answer.status_code == 500
    assert "Erreur inattendue" in answer.text
    assert "camille" not in answer.text + caplog.text
    assert "KeyError (web/desk.py:" in caplog.text


@pytest.mark.parametrize("path", ["/recommandes/import", "/desinscriptions", "/lots/1/impression"])
def test_what_is_too_large_is_not_read_and_a_stranger_is_asked_for_nothing(path):
    def endless():
        while True:
            sent.append(1)
            yield b"x" * 65_536

    sent: list[int] = []
    with browsing("") as client:
        assert client.post(path, content=endless(), headers={"content-length": str(300 * 1024**2)}).status_code == 401
    with browsing() as client:
        headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(300 * 1024**2)}
        answer = client.post(path, content=b"a=1", headers=headers)
    assert answer.status_code == 413
    assert "trop grand" in answer.text


def test_a_file_that_grows_while_it_comes_is_cut_off():
    from loan_reminders.services.registered.following import LARGEST_FILE

    with browsing() as client:
        answer = client.post("/recommandes/import", files={"fichier": ("a.csv", b"x" * (LARGEST_FILE + 1))})
        assert (answer.status_code, "dépasse 2 Mo" in answer.text) == (400, True)
        answer = client.post("/recommandes/import", files={"fichier": ("a.csv", b"x" * (2 * LARGEST_FILE))})
        assert answer.status_code == 413
