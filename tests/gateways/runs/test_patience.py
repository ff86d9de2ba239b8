"""What fails before its first row and passes by itself is asked again, a few times; nothing else is."""

from __future__ import annotations

import logging

import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.domain.loans import Loan
from loan_reminders.gateways.runs.patience import Patience
from sql.demo.tables import write_sqlite
from tests.scenes.aleph import TODAY, assert_no_session_left, due_day, read, source
from tests.simulators.oracle_server import Faults, OracleServer


@pytest.fixture(scope="module")
def running(library, tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "library.db"
    write_sqlite(path, library)
    with OracleServer(path) as server:
        yield server


@pytest.fixture
def server(running):
    running.statements.clear()
    yield running
    running.faults = Faults()


@pytest.fixture
def naps():
    return []


@pytest.fixture
def patience(naps):
    return Patience(sleep=naps.append)


def selects(server):
    return [said for said in server.statements if "SELECT" in said]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"refuse": 12541}, "Connexion au SIGB : ORA-12541, pas d'écouteur Oracle à cette adresse"),
        ({"refuse": 12514}, "Connexion au SIGB : DPY-6001, l'écouteur Oracle ne connaît pas le service"),
        ({"refuse_login": 1033}, "Connexion au SIGB : ORA-01033, la base démarre ou s'arrête"),
        ({"fail_query": 1555}, "Requête au SIGB : ORA-01555, les données ont trop changé pendant la requête"),
        ({"fail_query": 28}, "Requête au SIGB : ORA-00028, la session a été arrêtée"),
    ],
)
def test_what_passes_by_itself_is_asked_again_and_every_loan_comes_once(server, naps, patience, caplog, fault, told):
    whole = read(source(server))
    server.faults = Faults(**fault, for_the_first=2)
    with caplog.at_level(logging.WARNING):
        assert read(source(server, patience=patience)) == whole
    assert naps == [2, 4]
    said = [record.getMessage() for record in caplog.records if record.name.endswith(".patience")]
    assert said == [
        f"Essai 1 sur 4 : {told}. Nouvel essai dans 2 s.",
        f"Essai 2 sur 4 : {told}. Nouvel essai dans 4 s.",
    ]
    assert_no_session_left(server)


def test_it_is_given_up_after_the_last_try_with_the_last_error(server, naps, patience):
    server.faults = Faults(refuse_login=1034)
    with pytest.raises(IlsUnavailable, match=r"^Connexion au SIGB : ORA-01034, la base n'est pas démarrée\. Nouvel"):
        read(source(server, patience=patience))
    assert naps == [2, 4, 8]
    assert_no_session_left(server)


def test_pauses_are_bounded_and_so_is_the_time_they_take(server, naps):
    server.faults = Faults(refuse_login=1034)
    with pytest.raises(IlsUnavailable):
        read(source(server, patience=Patience(tries=7, longest_pause=5, sleep=naps.append)))
    assert naps == [2, 4, 5, 5, 5, 5]
    naps.clear()
    with pytest.raises(IlsUnavailable):
        read(source(server, patience=Patience(tries=7, give_up_after=1, sleep=naps.append)))
    assert naps == []


@pytest.mark.parametrize("fault", [{"refuse_login": 28000}, {"refuse_login": 28001}, {"fail_query": 942}])
def test_what_somebody_must_mend_is_never_asked_again(server, naps, patience, fault):
    server.faults = Faults(**fault, for_the_first=1)
    with pytest.raises(IlsRejected):
        read(source(server, patience=patience))
    assert naps == []
    assert len(selects(server)) <= 1
    assert_no_session_left(server)


def test_a_wrong_password_is_said_once_only(server, naps, patience):
    """Each try counts at the server, which locks the account after some."""
    with pytest.raises(IlsRejected, match="ORA-01017"):
        read(source(server, password="wrong", patience=patience))
    server.unlock()
    assert naps == []


@pytest.mark.parametrize("code", [0, 28, 1555, 3113])
def test_a_stream_that_fails_in_the_middle_is_for_the_task_to_begin_afresh(server, naps, patience, code):
    server.faults = Faults(fail_fetch_after=1, fail_fetch_with=code, for_the_first=1)
    loans = source(server, patience=patience, array_size=10)
    with pytest.raises(IlsUnavailable, match="Lecture du SIGB"):
        read(loans)
    assert naps == []
    assert len(read(loans)) > 70
    assert_no_session_left(server)


def test_a_question_about_loans_is_asked_again_whole(server, naps, patience):
    ids = [loan.loan_id for loan in read(source(server)) if isinstance(loan, Loan)]
    server.faults = Faults(fail_query=1555, for_the_first=1)
    found = source(server, patience=patience).due_dates_now(ids)
    assert found == dict.fromkeys(ids, due_day("C"))
    assert naps == [2]
    assert source(server, patience=patience).due_dates_now([]) == {}


def test_a_stream_closed_early_leaves_no_session(server, patience):
    loans = source(server, patience=patience, array_size=10).loans_due(due_day("C"), today=TODAY)
    assert isinstance(next(loans), Loan)
    assert server.sessions == 1
    loans.close()
    assert_no_session_left(server)
