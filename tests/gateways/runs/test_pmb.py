"""PMB on a real MariaDB, in MyISAM and three-byte UTF-8: what its tables hold, and what a site's statuses change."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.loans import Loan, RejectedRow, SmsChoice
from loan_reminders.domain.runs.reading.consent import ConsentCodes
from loan_reminders.domain.states import Refusal
from loan_reminders.settings.ils_systems import PmbSettings
from sql.demo.systems.pmb import NO_DATE
from tests.scenes.aleph import TODAY
from tests.scenes.library_systems import PMB, asked_by_name, connection_to, database_of

DUE = date(2026, 3, 3)
LOAN = {"pret_date": "2026-02-10 11:00:00", "pret_retour": "2026-03-03", "niveau_relance": 0, "cpt_prolongation": 0,
        "pret_pnb_flag": 0}  # fmt: skip
READER = {"empr_cb": None, "empr_nom": "Martin", "empr_prenom": "Camille", "empr_adr1": "3 rue des Platanes",
          "empr_adr2": "", "empr_cp": "34999", "empr_ville": "MONTCLAR", "empr_mail": "camille@etu.example.org",
          "empr_tel1": "06 00 00 12 01", "empr_tel2": "", "empr_sms": 1, "empr_categ": 1, "empr_lang": "fr_FR",
          "empr_location": 3}  # fmt: skip
COPY = {"expl_notice": 1, "expl_bulletin": 0, "expl_cote": "843 PRO", "expl_prix": "", "expl_statut": 1,
        "expl_location": 2}  # fmt: skip

LOANS = {
    "ordinary": {},
    "next day": {"loan": {"pret_retour": "2026-03-04"}},
    "no due date": {"loan": {"pret_retour": None}},
    "zero due date": {"loan": {"pret_retour": "0000-00-00"}},
    "zero loan date": {"loan": {"pret_date": NO_DATE}},
    "digital": {"loan": {"pret_pnb_flag": 1}},
    "last level": {"loan": {"niveau_relance": 3}},
    "item deleted": {"item": None},
    "record deleted": {"item": {"expl_notice": 99}},
    "lost": {"item": {"expl_statut": 13}},
    "periodical": {"item": {"expl_notice": 0, "expl_bulletin": 5}},
    "issue without its periodical": {"item": {"expl_notice": 0, "expl_bulletin": 6}},
    "series": {"item": {"expl_notice": 2}},
    "no forename": {"item": {"expl_notice": 3}},
    "two authors": {"item": {"expl_notice": 4}},
    "own price": {"item": {"expl_prix": "12,50 €"}},
    "price of nothing": {"item": {"expl_prix": "0,00"}},
    "price in words": {"item": {"expl_prix": "NC", "expl_notice": 3}},
    "non-sorting signs": {"item": {"expl_notice": 3}},
    "reader deleted": {"reader": None},
    "no name": {"reader": {"empr_nom": "", "empr_prenom": ""}},
    "class": {"reader": {"empr_nom": "Classe de 6e B", "empr_prenom": ""}},
    "no contact": {"reader": {"empr_mail": "", "empr_tel1": "", "empr_adr1": "", "empr_ville": "", "empr_cp": ""}},
    "two e-mails": {"reader": {"empr_mail": "@faux;camille.m@etu.example.org;c@courriel.example"}},
    "second phone": {"reader": {"empr_tel1": "04 65 71 00 01", "empr_tel2": "06 00 00 12 02"}},
    "two mobiles": {"reader": {"empr_tel2": "06 00 00 12 02"}},
    "no SMS": {"reader": {"empr_sms": 0, "empr_tel2": "06 00 00 12 02"}},
    "no SMS to a second phone": {"reader": {"empr_sms": 0, "empr_tel1": "04 65 71 00 01",
                                            "empr_tel2": "06 00 00 12 02"}},
    "english": {"reader": {"empr_lang": "en_UK"}},
    "visitor": {"reader": {"empr_categ": 20}},
}  # fmt: skip
"""Each loan by what is odd in it; what is not said is ordinary. None: the row is missing."""
NUMBERS = {name: number for number, name in enumerate(LOANS, start=101)}
NOT_LISTED = {"next day", "no due date", "zero due date", "digital"}


def rows():
    titles = ("Le livre qui manque", "L'affaire", "\x88Les \x89misérables", "À deux", "Revue d'études")
    tables = {
        "notices": [{"notice_id": number, "tit1": title, "tparent_id": 8 if number == 2 else 0,
                     "tnvol": "5" if number == 2 else "", "prix": "25,00 EUR" if number == 1 else ""}
                    for number, title in enumerate(titles, start=1)],
        "series": [{"serie_id": 8, "serie_name": "Les enquêtes"}],
        "bulletins": [{"bulletin_id": 5, "bulletin_numero": "n° 12", "bulletin_notice": 5, "mention_date": "mars 2026"},
                      {"bulletin_id": 6, "bulletin_numero": "n° 1", "bulletin_notice": 98, "mention_date": ""}],
        "authors": [{"author_id": number, "author_name": name, "author_rejete": forename}
                    for number, (name, forename) in enumerate((("Personne", "Paul"), ("Homère", ""), ("Autre", "A.")),
                                                              start=1)],
        "responsability": [
            {"responsability_author": author, "responsability_notice": notice, "responsability_type": kind,
             "responsability_ordre": place}
            for author, notice, kind, place in ((3, 1, 1, 0), (1, 1, 0, 1), (2, 3, 0, 0), (3, 4, 0, 1), (1, 4, 0, 0))],
        "pret": [], "empr": [], "exemplaires": [],
    }  # fmt: skip
    for name, odd in LOANS.items():
        number = NUMBERS[name]
        if odd.get("reader", {}) is not None:
            tables["empr"].append({"id_empr": number, **READER, **odd.get("reader", {})})
        if odd.get("item", {}) is not None:
            keys = {"expl_id": number, "expl_cb": f"3{number}"}
            tables["exemplaires"].append({**keys, **COPY, **odd.get("item", {})})
        keys = {"pret_idempr": number, "pret_idexpl": number, "pret_arc_id": 9}
        tables["pret"].append({**keys, **LOAN, **odd.get("loan", {})})
    return tables


@pytest.fixture(scope="module")
def database(mariadb_server):
    with database_of(PMB, mariadb_server, rows()) as opened:
        yield opened


@pytest.fixture(scope="module")
def ask(database):
    names = {f"{number}-9": name for name, number in NUMBERS.items()}
    return asked_by_name(PMB, database, names, due=DUE)


def test_what_is_reminded_of_and_what_is_not(ask):
    assert LOANS.keys() - ask().keys() == NOT_LISTED
    assert ask(date(2026, 3, 4)).keys() == {"next day"}
    assert all(loan.due_date == DUE for loan in ask().values() if isinstance(loan, Loan))


def test_a_date_of_zeros_is_set_aside(ask):
    rejected = ask()["zero loan date"]
    assert isinstance(rejected, RejectedRow)
    assert (rejected.code, rejected.column) == ("missing", "loan_date")


@pytest.mark.parametrize(
    ("settings", "out"),
    [
        ({"lost_statuses": ["13"]}, {"lost"}),
        ({"last_level": False}, {"last level"}),
        ({"in_recovery": False}, {"last level"}),
        ({"categories_left_out": ["20", "21"]}, {"visitor"}),
    ],
)
def test_a_setting_leaves_loans_out(ask, settings, out):
    assert ask().keys() - ask(**settings).keys() == out


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("ordinary", "author", "Personne, Paul"),
        ("ordinary", "price_text", "25,00 EUR"),
        ("own price", "price_text", "12,50 €"),
        ("price of nothing", "price_text", "25,00 EUR"),
        ("price in words", "price_text", "NC"),
        ("ordinary", "branch", "2"),
        ("ordinary", "volume", ""),
        ("item deleted", "title", ""),
        ("item deleted", "branch", ""),
        ("record deleted", "call_number", "843 PRO"),
        ("periodical", "title", "Revue d'études"),
        ("periodical", "volume", "n° 12 mars 2026"),
        ("issue without its periodical", "title", ""),
        ("issue without its periodical", "volume", "n° 1"),
        ("series", "title", "L'affaire"),
        ("series", "volume", "Les enquêtes, 5"),
        ("no forename", "author", "Homère"),
        ("two authors", "author", "Personne, Paul"),
        ("non-sorting signs", "title", "Les misérables"),
    ],
)
def test_a_document(ask, name, column, expected):
    assert getattr(ask()[name], column) == expected


def test_the_branch_may_be_the_readers(ask):
    assert ask(branch="patron")["ordinary"].branch == "3"


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("reader deleted", "name", ""),
        ("no name", "name", ""),
        ("class", "name", "Classe de 6e B"),
        ("no contact", "email", Refusal.MISSING),
        ("no contact", "mobile", Refusal.MISSING),
        ("no contact", "address", Refusal.MISSING),
        ("english", "language", "en"),
        ("visitor", "category", "external"),
    ],
)
def test_a_reader(ask, name, column, expected):
    assert getattr(ask()[name].patron, column) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ordinary", "33600001201"), ("second phone", "33600001202"), ("two mobiles", "33600001201")],
)
def test_a_mobile_number(ask, name, expected):
    assert ask()[name].patron.mobile.value == expected


@pytest.mark.parametrize(("name", "expected"), [("no SMS", "33600001201"), ("no SMS to a second phone", "33600001202")])
def test_nobody_whose_box_is_not_ticked_has_a_mobile_but_where_the_site_ignores_the_box(ask, name, expected):
    assert ask()[name].patron.mobile == Refusal.MISSING
    assert ask(sms_box=False)[name].patron.mobile.value == expected


def test_the_box_is_a_readers_yes_or_no_where_the_settings_ask_for_it(database):
    consent = ConsentCodes(yes=frozenset({"1"}), no=frozenset({"0"}))
    asking = PMB.source(database, PmbSettings(sms_box=False), consent=consent)
    found = {loan.loan_id: loan.patron for loan in asking.loans_due(DUE, today=TODAY) if isinstance(loan, Loan)}
    ticked, unticked = (found[f"{NUMBERS[name]}-9"] for name in ("ordinary", "no SMS"))
    assert (ticked.sms_choice, unticked.sms_choice) == (SmsChoice.YES, SmsChoice.NO)
    assert unticked.mobile.value == "33600001201"


def test_the_first_usable_of_two_e_mails_in_one_field(ask):
    assert ask()["two e-mails"].patron.email.value == "camille.m@etu.example.org"


def test_a_postal_address(ask):
    assert ask()["ordinary"].patron.address.lines[-2:] == ("3 RUE DES PLATANES", "34999 MONTCLAR")


def test_an_old_base_without_digital_loans(mariadb_server):
    with database_of(PMB, mariadb_server, rows()) as opened:
        with connection_to(PMB, mariadb_server, opened.name) as connection, connection.cursor() as cursor:
            cursor.execute("ALTER TABLE pret DROP COLUMN pret_pnb_flag")
        old = PMB.source(opened, PmbSettings(digital_loans=False))
        assert len(list(old.loans_due(DUE, today=TODAY))) == len(LOANS) - len(NOT_LISTED) + 1
        with pytest.raises(IlsRejected, match="1054"):
            list(PMB.source(opened).loans_due(DUE, today=TODAY))


def test_a_loan_is_asked_about_again_before_anything_is_sent(mariadb_server):
    with database_of(PMB, mariadb_server, rows()) as opened:
        source = PMB.source(opened)
        renewed, returned, lent_again, lost, kept = (
            NUMBERS[name] for name in ("ordinary", "series", "two authors", "own price", "class")
        )
        with connection_to(PMB, mariadb_server, opened.name) as connection, connection.cursor() as cursor:
            for statement in (
                f"UPDATE pret SET pret_retour = '2026-03-24' WHERE pret_idexpl = {renewed}",
                f"DELETE FROM pret WHERE pret_idexpl = {returned}",
                f"UPDATE pret SET pret_arc_id = 10 WHERE pret_idexpl = {lent_again}",
                f"UPDATE exemplaires SET expl_statut = 13 WHERE expl_id = {lost}",
            ):
                cursor.execute(statement)
        asked = [f"{number}-9" for number in (renewed, returned, lent_again, lost, kept)]
        assert source.due_dates_now(asked) == {f"{renewed}-9": date(2026, 3, 24), f"{kept}-9": DUE}
        assert source.on_loan_now(asked).keys() == {f"{number}-9" for number in (renewed, lost, kept)}
