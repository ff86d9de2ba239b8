"""The image that the Dockerfile makes: the package is installed in it, and Airflow finds all of it there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from loan_reminders.hooks.connection_types.provider_info import provider_info
from tests.package.conftest import HIDDEN, ROOT, Site
from tests.simulators.image import Image

IN_THE_IMAGE = """
import json, os
from airflow import plugins_manager
from airflow.dag_processing.dagbag import DagBag
from airflow.providers_manager import ProvidersManager
import loan_reminders
from loan_reminders.settings.library_toml import settings

bag = DagBag(dag_folder=os.environ["AIRFLOW__CORE__DAGS_FOLDER"], collect_dags=True)
plugins, errors = plugins_manager._get_plugins()
print(json.dumps({
    "dags": sorted(bag.dags), "import_errors": bag.import_errors, "errors": errors,
    "plugins": [str(plugin.source) for plugin in plugins if plugin.name == "relances"],
    "types": sorted(name for name, hook in ProvidersManager().hooks.items()
                    if hook and hook.package_name == "loan-reminders"),
    "program": loan_reminders.__file__, "templates": [str(one) for one in settings().template_folders],
}))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image("production", tmp_path_factory.mktemp("image"))


def content(wheel: Path) -> dict[str, int]:
    with ZipFile(wheel) as file:
        return {one.filename: one.CRC for one in file.infolist()}


def test_its_wheel_is_that_of_this_repository(image: Image, site: Site) -> None:
    [wheel] = (image.root / "wheels").glob("*.whl")
    assert content(wheel) == content(site.wheel)


def test_it_holds_no_source_no_simulator_and_no_fictional_library(image: Image) -> None:
    work = image.place("/opt/relances")
    assert sorted(path.name for path in work.iterdir() if path.is_dir()) == ["dags", "deploy", "docker", "library"]
    assert {path.name for path in (work / "dags").glob("*.py")} == {path.name for path in (ROOT / "dags").glob("*.py")}
    assert not [path for path in image.site.rglob("*") if "simulators" in path.parts or path.name == "generator.py"]


def test_airflow_finds_dags_pages_and_types_of_connection_and_a_librarys_own_words(image: Image) -> None:
    words = image.place("/opt/relances/library/templates")  # where docker-compose.yaml shows the folder templates/
    kept = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
    told = {name: value.replace("/opt/", f"{image.root}/opt/") for name, value in image.env.items()}
    told |= {
        "PATH": f"{image.site}/bin:{Path(sys.executable).parent}",
        "PYTHONPATH": f"{image.site}:{told['PYTHONPATH']}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(image.place("/opt/relances/dags")),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    run = [sys.executable, "-W", "ignore", "-c", IN_THE_IMAGE]
    done = subprocess.run(
        run, env=kept | told, cwd=image.place("."), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["import_errors"], found["errors"]) == ({}, {})
    assert found["dags"] == sorted(
        path.stem for path in (ROOT / "dags").glob("*.py") if path.stem not in {"libraries", "other_notices"}
    )
    assert [source.partition("==")[0] for source in found["plugins"]] == ["loan-reminders"]
    assert found["types"] == sorted(one["connection-type"] for one in provider_info()["connection-types"])
    assert found["program"].startswith(f"{image.site}/")
    assert found["templates"][0] == str(words)
