"""Our pages and Airflow's own, with a librarian's own session: answer a run's question, catch up a day, refuse one."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from tests.e2e.conftest import TIMEOUT, a_browser


def run_on_page(ask, stage, dag_run_id):
    return ask("GET", "tournees/airflow", params={"dag": stage.value, "tournee": dag_run_id})


def test_registered_letters_are_approved_on_our_page_and_the_run_tells_its_books(installation):
    api, stage, alive = installation.api, Stage.REGISTERED_LETTER, installation.check_alive
    day = installation.today - timedelta(days=1)
    dag_run_id = api.trigger(stage.value, reference_date=day.isoformat())
    installation.wait_for_question(stage, dag_run_id, timeout=TIMEOUT)
    with a_browser(installation, "biblio") as ask, a_browser(installation, "lecteur") as look:
        assert "brouillon à valider" in run_on_page(ask, stage, dag_run_id).text
        number = f"SELECT run_id FROM runs WHERE dag_run_id = '{dag_run_id}'"
        [(run_id,)] = installation.postgres.execute(number, database="ledger")
        path = f"questions/{run_id}/lettres"
        question = ask("GET", path)
        assert (question.status_code, 'value="oui">Valider' in question.text) == (200, True), question.text
        assert look("POST", path, data={"reponse": "oui"}).status_code == 403
        said = ask("POST", path, data={"reponse": "oui"})
        assert said.status_code == 303, said.text
        ended = api.wait_for_run(stage.value, dag_run_id, timeout=TIMEOUT, alive=alive)
        assert ended["state"] == "success"
        assert ended["note"].startswith("Comptes justes : ")
        assert "lettres recommandées" in ended["note"]
        again = ask("POST", path, data={"reponse": "non"})
        assert (again.status_code, "biblio" in again.text) == (409, True)
        told = run_on_page(ask, stage, dag_run_id).text
        assert "Les comptes sont justes." in told
        assert "Lettres recommandées validées, par biblio" in told
        tasks = f"dags/{stage.value}/dagRuns/{dag_run_id}/taskInstances"
        links = api.call("GET", f"{tasks}/print_registered_letters/links")["extra_links"]
        link = links["Voir le lot de lettres"]
        assert link.startswith("relances/tournees/")
        assert ask("GET", link.removeprefix("relances/")).headers["location"].startswith("/relances/lots/")
        missed = api.call("GET", f"{tasks}/extract_loans/links")["extra_links"]["Voir les jours manqués"]
        assert look("GET", missed.removeprefix("relances/")).status_code == 200


def test_a_day_is_caught_up_from_our_page_and_a_backfill_for_one_day_alone_is_refused(installation):
    api, stage, alive = installation.api, Stage.FIRST_REMINDER, installation.check_alive
    day = installation.today - timedelta(days=3)
    path = f"tournees/jours-manques/{stage}/{day}"
    with a_browser(installation, "biblio") as ask:
        before = ask("GET", path)
        assert before.status_code == 200, before.text
        assert "serai" in before.text, "how many readers would still be told"
        said = ask("POST", path)
        assert said.status_code == 303, said.text
        asked = parse_qs(urlsplit(said.headers["location"]).query)
        [dag_run_id] = asked["tournee"]
        ended = api.wait_for_run(stage.value, dag_run_id, timeout=TIMEOUT, alive=alive)
        assert (ended["state"], ended["conf"]) == ("success", {"reference_date": day.isoformat()})
        assert ended["triggering_user_name"] == "biblio"
        assert ended["note"].startswith("Comptes justes : ")
    first, last = (datetime.combine(day - timedelta(days=back), time(12), settings().zone) for back in (6, 5))
    body = {"dag_id": stage.value, "from_date": first.isoformat(), "to_date": last.isoformat()}
    api.call("POST", "backfills", json={**body, "dag_run_conf": {"reference_date": day.isoformat()}})
    runs = api.wait_for_backfill(stage.value, 1, timeout=TIMEOUT, alive=alive)
    refused = [one for one in runs if one["conf"]]
    assert refused
    for one in refused:
        assert (one["state"], one["note"].startswith("Rattrapage refusé")) == ("failed", True)
    names = ", ".join(f"'{one['dag_run_id']}'" for one in refused)
    found = installation.postgres.execute(f"SELECT 1 FROM runs WHERE dag_run_id IN ({names})", database="ledger")
    assert found == []
