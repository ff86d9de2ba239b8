"""What Docker Compose would refuse of our files and of what is laid over them: its schema, and its loader's rules.

The rules are those of compose-go, `loader/validate.go` and `validation/`, for the keys that we use.
"""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.simulators.compose_file import COMPOSE, OVERLAYS, ROOT, laid_over, started

LIMITS = {"cpus": "cpus", "mem_limit": "memory", "pids_limit": "pids"}
"""What a service may say in two places, and must not say differently; one that is missing counts as another."""
WITHOUT_RULES_HERE = {"configs", "models", "develop", "scale", "gpus", "provider", "container_name", "volumes_from"}
"""Keys that Compose has rules for and that our files do not use."""
PROFILES = [tuple(one for one in pair if one) for pair in product(("", "demo"), ("", "scale"))]
CHOSEN = [(), *((name,) for name in OVERLAYS), tuple(OVERLAYS)]


def whole(*names: str) -> dict[str, Any]:
    project = COMPOSE
    for name in names:
        project = laid_over(project, OVERLAYS[name])
    return project


def refused(project: dict[str, Any], *profiles: str) -> list[str]:
    """What Docker Compose would say about a project with these profiles."""
    services = started(project, *profiles)
    found = [f"{name}: {said}" for name, one in services.items() for said in _of_service(one, services, project)]
    for name, secret in project.get("secrets", {}).items():
        if len({"file", "environment", "external"} & secret.keys()) != 1:
            found.append(f"secret {name}: one of file, environment")
    return [*found, *(f"{name}: waits for itself" for name in services if name in _awaited(name, services))]


def _of_service(service: dict[str, Any], services: dict[str, Any], project: dict[str, Any]) -> Iterator[str]:
    if not {"image", "build"} & service.keys():
        yield "neither image nor build"
    if "network_mode" in service and "networks" in service:
        yield "network_mode and networks"
    mounts = [mount.split(":") for mount in service.get("volumes", [])]
    secrets = [one if isinstance(one, str) else one["source"] for one in service.get("secrets", [])]
    for kind, named in (
        ("networks", service.get("networks", [])),
        ("volumes", [source for source, *_ in mounts if not source.startswith((".", "/"))]),
        ("secrets", secrets),
    ):
        yield from (f"{kind}: {one} is not declared" for one in named if one not in project.get(kind, {}))
    yield from (f"depends on {one}, which is not there" for one in service.get("depends_on", {}) if one not in services)
    if service.get("healthcheck", {}).get("test", ["NONE"])[0] not in {"CMD", "CMD-SHELL", "NONE"}:
        yield "healthcheck.test begins with CMD, CMD-SHELL or NONE"
    limits = service.get("deploy", {}).get("resources", {}).get("limits")
    for key, there in LIMITS.items():
        if key in service and limits is not None and service[key] != limits.get(there):
            yield f"distinct values on {key} and deploy.resources.limits.{there}"
    targets = Counter([mount.partition(":")[0] for mount in service.get("tmpfs", [])] + [one[1] for one in mounts])
    yield from (f"{target} is mounted twice" for target, number in targets.items() if number > 1)
    for port in service.get("ports", []):
        try:
            ipaddress.ip_address(port.rsplit(":", 2)[0])
        except ValueError:
            yield f"port {port}: no address of a machine"
    yield from (f"{key}: no rule here" for key in WITHOUT_RULES_HERE & service.keys())


def _awaited(name: str, services: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    new = {name}
    while new:
        new = {other for one in new for other in services.get(one, {}).get("depends_on", {})} - found
        found |= new
    return found


def test_it_is_a_compose_file() -> None:
    run = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    files = [ROOT / "docker-compose.yaml", *ROOT.glob("deploy/*/docker-compose.*.yaml")]
    assert len(files) == len(OVERLAYS) + 1 > 3
    done = subprocess.run([*run, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("profiles", PROFILES, ids="+".join)
@pytest.mark.parametrize("overlays", CHOSEN, ids="+".join)
def test_docker_compose_refuses_none_of_it(overlays: tuple[str, ...], profiles: tuple[str, ...]) -> None:
    assert refused(whole(*overlays), *profiles) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pids_limit": 512}, "distinct values on pids_limit and deploy.resources.limits.pids"),
        ({"mem_limit": "1g"}, "distinct values on mem_limit and deploy.resources.limits.memory"),
        ({"network_mode": "none"}, "network_mode and networks"),
        ({"networks": ["elsewhere"]}, "networks: elsewhere is not declared"),
        ({"secrets": ["none_such"]}, "secrets: none_such is not declared"),
        ({"volumes": ["none_such:/srv"]}, "volumes: none_such is not declared"),
        ({"tmpfs": ["/data"]}, "/data is mounted twice"),
        ({"depends_on": {"mailpit": {}}}, "depends on mailpit, which is not there"),
        ({"depends_on": {"worker": {}}}, "redis: waits for itself"),
        ({"healthcheck": {"test": ["redis-cli", "ping"]}}, "healthcheck.test begins with"),
        ({"ports": ["localhost:6379:6379"]}, "no address of a machine"),
        ({"configs": ["one"]}, "configs: no rule here"),
    ],
)
def test_each_rule_is_kept(wrong: dict[str, Any], said: str) -> None:
    service = {"image": "redis", "networks": ["inside"], "volumes": ["redis:/data"]}
    service |= {"deploy": {"resources": {"limits": {"cpus": "1", "memory": "512m"}}}} | wrong
    project = COMPOSE | {"services": COMPOSE["services"] | {"redis": service}}
    assert any(said in one for one in refused(project, "scale")), refused(project, "scale")


def test_a_secret_of_no_file_and_a_service_of_no_image_are_refused() -> None:
    assert refused({"services": {"a": {}}, "secrets": {"b": {}}}) == [
        "a: neither image nor build",
        "secret b: one of file, environment",
    ]


@pytest.mark.parametrize("overlays", CHOSEN, ids="+".join)
def test_each_image_is_built_once(overlays: tuple[str, ...]) -> None:
    """All images are built at the same time: of two that are to have one name, the second fails."""
    services = whole(*overlays)["services"]
    built = Counter(one["image"] for one in services.values() if "build" in one)
    assert built == {"relances:local": 1, "relances-demo:local": 1}
    for name, service in services.items():
        if service["image"] in built:
            assert service["pull_policy"] == ("build" if "build" in service else "never"), name
    assert "build" in services["scheduler"], "`docker compose run scheduler` may come before the first start"
