"""The package as others install it: a wheel holds all that is needed, and all of it is found from an empty folder."""

from __future__ import annotations

import json
import shutil
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pikepdf
import pytest
from packaging.requirements import Requirement

from loan_reminders.commands.registry import COMMANDS
from loan_reminders.domain.stages import Stage
from loan_reminders.hooks.ils import statement
from loan_reminders.ledger.tables import SCHEMA_REVISION
from tests.package.conftest import ROOT, Site

PLACES = {
    "plugins/loan_reminders": "loan_reminders",
    "templates": "loan_reminders/shipped/templates",
    "sql": "loan_reminders/shipped/sql",
    "dags": "loan_reminders/shipped/dags",
}
IN_AIRFLOW = """
import json, sys
from airflow import plugins_manager, settings
from airflow.dag_processing.dagbag import DagBag
from airflow.providers_manager import ProvidersManager
from loan_reminders import places
from loan_reminders.hooks.ils import statement

def plugins():
    plugins_manager._get_plugins.cache_clear()
    found, errors = plugins_manager._get_plugins()
    return [(plugin.name, str(plugin.source)) for plugin in found if plugin.name == "relances"], errors

dags, kinds, folder = sys.argv[1:]
bag = DagBag(dag_folder=dags, collect_dags=True)
alone = plugins()
settings.PLUGINS_FOLDER = folder
providers = ProvidersManager()
ours = providers.providers["loan-reminders"]
print(json.dumps({
    "dags": sorted(bag.dags), "import_errors": bag.import_errors, "plugins": alone, "with_the_folder": plugins(),
    "version": ours.version, "hooks": {name: hook.hook_name for name, hook in providers.hooks.items()
                                       if hook and hook.package_name == "loan-reminders"},
    "statements": {kind: statement(kind, "loans_due") for kind in kinds.split(",")},
    "places": {name: str(getattr(places, name)) for name in ("TEMPLATES", "SQL", "DAGS", "HOME", "COMMAND")},
}))
"""

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_the_wheel_holds_every_file_of_the_program_and_nothing_of_the_tests(packed: set[str]) -> None:
    wanted = {
        f"{inside}/{path.relative_to(ROOT / place).as_posix()}"
        for place, inside in PLACES.items()
        for path in (ROOT / place).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.is_relative_to(ROOT / "sql" / "demo")
    } - {"loan_reminders/shipped/sql/__init__.py"}
    held = {name for name in packed if ".dist-info/" not in name}
    assert held - wanted == {"loan_reminders/shipped/library.toml"}
    assert wanted - held == set()
    kinds = {Path(name).suffix for name in held}
    assert {".ttf", ".typ", ".j2", ".sql", ".gz", ".css"} <= kinds


def test_it_may_be_installed_into_any_airflow_3_3(site: Site) -> None:
    with ZipFile(site.wheel) as file:
        [name] = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
        needs = [Requirement(line) for line in message_from_bytes(file.read(name)).get_all("Requires-Dist", [])]
    [airflow] = [need for need in needs if need.name == "apache-airflow"]
    assert [version in airflow.specifier for version in ("3.2.9", "3.3.0", "3.3.2", "3.3.9", "3.4.0")] == [
        False, True, True, True, False,
    ]  # fmt: skip
    exact = [need for need in needs if not need.marker and any(each.operator == "==" for each in need.specifier)]
    assert exact == [], "an exact version would not go into another Airflow's environment"


def test_the_command_is_on_the_path(site: Site) -> None:
    done = site.run("loan-reminders", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in COMMANDS)
    version = site.run("loan-reminders", "--version")
    assert version.stdout.strip() == site.wheel.name.split("-")[1]


def test_settings_and_templates_are_checked(site: Site) -> None:
    config = site.folder / "library.toml"
    assert site.run("loan-reminders", "check-settings", "--exemple", config).returncode == 0
    assert config.read_bytes() == (ROOT / "library.toml").read_bytes()
    again = site.run("loan-reminders", "check-settings", "--exemple", config)
    assert (again.returncode, again.stderr) == (1, f"{config} existe déjà : il n'est pas touché\n")
    done = site.run("loan-reminders", "check-settings", REMINDERS_CONFIG=str(config))
    assert (done.returncode, done.stderr) == (0, "")
    nothing = site.run("loan-reminders", "check-settings")
    assert nothing.returncode == 1
    assert str(site.folder / "airflow" / "library.toml") in nothing.stderr


def test_every_message_is_made_letters_among_them(site: Site) -> None:
    folder = site.folder / "previews"
    done = site.run("loan-reminders", "preview", "--sortie", folder, REMINDERS_CONFIG=str(ROOT / "library.toml"))
    assert (done.returncode, done.stderr) == (0, "")
    letters = list(folder.rglob("*.pdf"))
    assert len(letters) >= 4
    assert all(fonts(letter) and all("Noto" in font for font in fonts(letter)) for letter in letters)
    assert {path.suffix for path in folder.rglob("*.*")} >= {".eml", ".html", ".txt", ".pdf"}


def fonts(letter: Path) -> set[str]:
    """The names of the fonts that a PDF is written in."""
    with pikepdf.open(letter) as pdf:
        objects = [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary)]
        return {str(one.BaseFont) for one in objects if one.get("/Type") == "/Font" and "/BaseFont" in one}


def test_the_tables_of_the_ledger_are_made(site: Site, postgres_server, empty_database) -> None:
    url = postgres_server.url(empty_database)
    done = site.run("loan-reminders", "migrate", "upgrade", REMINDERS_LEDGER_URL=url)
    assert (done.returncode, done.stdout) == (0, f"registre à la révision {SCHEMA_REVISION}\n")
    assert site.run("loan-reminders", "migrate", "current", REMINDERS_LEDGER_URL=url).stdout == done.stdout


def test_airflow_finds_the_dags_the_plugin_once_and_the_connection_types(site: Site) -> None:
    dags = site.folder / "dags"
    assert site.run("loan-reminders", "dags", "--write", dags).returncode == 0
    config = site.folder / "mine" / "library.toml"
    (config.parent / "sql" / "evergreen").mkdir(parents=True)
    shutil.copy(ROOT / "library.toml", config)
    (config.parent / "sql" / "evergreen" / "loans_due.sql").write_text("SELECT 1 FROM action.circulation\n")
    kinds = sorted(path.parent.name for path in (ROOT / "sql").glob("*/loans_due.sql"))
    done = site.run(
        "python", "-W", "ignore", "-c", IN_AIRFLOW, dags, ",".join([*kinds, "evergreen"]), ROOT / "plugins",
        REMINDERS_CONFIG=str(config), AIRFLOW__CORE__DAGS_FOLDER=str(dags),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["import_errors"] == {}
    # libraries.py makes no DAG where there is one library, other_notices.py none where the settings name none
    without = {"libraries", "other_notices"}
    assert found["dags"] == sorted(path.stem for path in (ROOT / "dags").glob("*.py") if path.stem not in without)
    assert {stage.value for stage in Stage} <= set(found["dags"])
    version = site.wheel.name.split("-")[1]
    once = [[["relances", f"loan-reminders=={version}: {ENTRY_POINT}"]], {}]
    assert (found["plugins"], found["with_the_folder"]) == (once, once)
    assert found["version"] == version
    assert sorted(found["hooks"]) == ["allmysms", "bounce_mailbox", "ils", "mail_relay"]
    assert found["statements"] == {
        **{kind: statement(kind, "loans_due") for kind in kinds},
        "evergreen": "SELECT 1 FROM action.circulation\n",
    }
    inside = site.python.parents[1]
    assert all(found["places"][name].startswith(f"{inside}/") for name in ("TEMPLATES", "SQL", "DAGS"))
    assert found["places"]["HOME"] == str(site.folder / "airflow")
    assert found["places"]["COMMAND"] == "loan-reminders"


ENTRY_POINT = (
    "EntryPoint(name='relances', value='loan_reminders.airflow_plugin:RemindersPlugin', group='airflow.plugins')"
)
