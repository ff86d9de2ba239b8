"""docker-compose.yaml as Docker Compose understands it: variables filled in, profiles chosen."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
OVERLAYS: dict[str, dict[str, Any]] = {
    path.parent.name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob("deploy/*/docker-compose.*.yaml"))
}
"""What a site may lay over the file, by the folder below deploy/ that it is in."""
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled(node: Any, values: Mapping[str, str]) -> Any:
    """What Compose makes of a part of the file with these values in .env. Raises KeyError for one that is missing."""
    if isinstance(node, dict):
        return {key: filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, values) for value in node]
    if isinstance(node, str):
        return VARIABLE.sub(lambda found: _value(found, values), node).replace("$$", "$")
    return node


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    name, kind, default = found.groups()
    if values.get(name):
        return values[name]
    if kind != "-":
        raise KeyError(name)
    return str(default)


def services(values: Mapping[str, str], *profiles: str) -> dict[str, dict[str, Any]]:
    """The services that start with these profiles, with these values in .env."""
    return {name: filled(service, values) for name, service in started(COMPOSE, *profiles).items()}


def started(project: Mapping[str, Any], *profiles: str) -> dict[str, dict[str, Any]]:
    """The services of a project that start with these profiles."""
    return {
        name: service
        for name, service in project["services"].items()
        if not service.get("profiles") or set(service["profiles"]) & set(profiles)
    }


def laid_over(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """What Compose makes of two files (`-f first -f second`): keys of both are merged, lists are joined.

    Our second files name neither a mount point nor a command that the first has: those would replace instead.
    """
    merged = dict(first)
    for key, value in second.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = laid_over(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            merged[key] = [*before, *(one for one in value if one not in before)]
        else:
            merged[key] = value
    return merged


def read_env(path: Path) -> dict[str, str]:
    """The variables of an .env file."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def made(folder: Path, *profiles: str) -> tuple[dict[str, str], Path]:
    """Run docker/make-env.sh in an empty copy of the project; returns its .env and its folder of secrets."""
    shutil.copytree(ROOT / "docker", folder / "docker", dirs_exist_ok=True)
    subprocess.run([folder / "docker/make-env.sh", *profiles], check=True, stderr=subprocess.DEVNULL)
    return read_env(folder / ".env"), folder / "secrets"
