"""The image that the Dockerfile makes: the package is installed in it, and Airflow finds all of it there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from loan_reminders.hooks.connection_types.provider_info import provider_info
from tests.package.conftest import HIDDEN, ROOT, Site, clone
from tests.simulators.image import Image, stages

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
    """Made from a clone that is its owner's alone, as a strict umask leaves it."""
    folder = tmp_path_factory.mktemp("image")
    source = clone(folder / "clone")
    for name in ("docker", "deploy"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in source.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    return Image("production", folder, source)


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


def test_its_user_may_read_all_of_it(image: Image) -> None:
    """COPY keeps the modes of the clone; that of a strict umask lets nobody but root read."""
    work = image.place("/opt/relances")
    needed = {path: 0o005 if path.is_dir() else 0o004 for path in (work, *work.rglob("*"))}
    assert [path for path, mode in needed.items() if ~path.stat().st_mode & mode] == []
    of_stage = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    for name in ("program", "demo"):
        copied = [" ".join(line).startswith("COPY") for line in of_stage[name].lines]
        after = of_stage[name].lines[len(copied) - copied[::-1].index(True) :]
        assert any(word == "RUN" and "chmod -R go+rX " in rest for word, rest in after), name


def test_the_helm_chart_finds_the_two_scripts_that_it_calls_by_name(image: Image, tmp_path: Path) -> None:
    """As its templates do: `exec /entrypoint airflow jobs check …`, and `bash /clean-logs`."""
    named = {name: image.place(f"/{name}") for name in ("entrypoint", "clean-logs")}
    probe = ["sh", "-c", f"WORD=there exec {named['entrypoint']} sh -c 'echo $WORD'"]
    assert subprocess.run(probe, check=True, capture_output=True, text=True).stdout == "there\n"
    old = tmp_path / "logs/dag_id=watch/old.log"
    old.parent.mkdir(parents=True)
    old.touch()
    os.utime(old, (0, 0))
    told = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__LOG_RETENTION_DAYS": "60"}
    run = os.environ | told | {"ONCE": "1", "LOOKED": str(tmp_path / "looked")}
    subprocess.run(["bash", named["clean-logs"]], env=run, check=True)
    assert not old.exists()


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
