"""What Docker makes of a service of docker-compose.yaml, by Linux's own namespaces, where there is no Docker.

A service gets its read-only root, tmpfs, volumes, secrets, names of neighbours, user 10001 without any capability and
without a way to one, and a network of its own. What the Dockerfile makes is in it (`tests/simulators/image.py`); the
other programs and libraries are this machine's. Root is needed, and a kernel that lets it mount; `missing()` says what
is not there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.simulators.image import Image

ROOT = Path(__file__).resolve().parents[2]
USER = 10001
SITE = "/opt/site"
"""Where a service sees what its image's Python has installed."""

TOOLS = ("unshare", "nsenter", "setpriv", "mount")
LOOPBACK = (
    "import fcntl, socket, struct, sys, time\n"
    "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
    "    fcntl.ioctl(s, 0x8914, struct.pack('16sh', b'lo', 1))\n"  # SIOCSIFFLAGS, IFF_UP
    "print('up', flush=True)\n"
    "time.sleep(36000)\n"
)


def missing() -> str:
    """Why no container can be played here; empty when it can."""
    if os.geteuid() != 0:
        return "root is needed to play containers"
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if lacking:
        return f"{', '.join(lacking)} is not installed"
    trial = "mount -t tmpfs tmpfs /opt && mount -o remount,bind,ro / && ! touch /x 2>/dev/null"
    tried = subprocess.run(["unshare", "--mount", "--net", "sh", "-c", trial], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this kernel lets nobody mount"


class Network:
    """A network that all containers of one test share, and nobody else: ports are those of the file."""

    def __enter__(self) -> Self:
        command = ["unshare", "--net", sys.executable, "-c", LOOPBACK]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if self._holder.stdout is None or self._holder.stdout.readline() != "up\n":
            raise RuntimeError("no network of its own")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.kill()
        self._holder.communicate()

    @property
    def path(self) -> str:
        """Where the kernel shows it."""
        return f"/proc/{self._holder.pid}/ns/net"


class Machine:
    """A folder that stands for the Docker host: `volumes`, `secrets`, and the names of the neighbours.

    Of all services that are built here the image is one: that of the Dockerfile's last stage, or the demo's.
    """

    def __init__(self, folder: Path, network: Network, secrets: Path, names: Sequence[str], image: Image) -> None:
        self.folder, self.network, self.image = folder, network, image
        for name in ("volumes", "secrets", "mounts"):
            (folder / name).mkdir()
        for secret in secrets.iterdir():
            shutil.copy(secret, folder / "secrets")
        (folder / "hosts").write_text(f"127.0.0.1 localhost {' '.join(names)}\n", encoding="ascii")
        user = f"relances:x:{USER}:{USER}::/opt/airflow:/bin/sh\nroot:x:0:0::/root:/bin/sh\n"
        (folder / "passwd").write_text(user, encoding="ascii")

    def volume(self, name: str) -> Path:
        """A volume, made at its first use, which takes its owner from the image."""
        path = self.folder / "volumes" / name
        if not path.exists():
            path.mkdir()
            os.chown(path, USER, USER)
        return path

    def secret(self, name: str, content: str) -> None:
        """Another content of a secret."""
        path = self.folder / "secrets" / name
        path.chmod(0o644)
        path.write_text(content, encoding="utf-8")

    def command(
        self, service: Mapping[str, Any], files: Mapping[str, str], *, more: Mapping[Path, str], run: Sequence[str] = ()
    ) -> list[str]:
        """The command line that starts a service, or runs something in one like it.

        `files` are the file of each secret; `more` are folders of this machine that it sees besides, and where.
        """
        script = self._script(service, files, more)
        environment = {name: str(value) for name, value in service.get("environment", {}).items()}
        image = self.image.env | {
            "PATH": f"{SITE}/bin:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": f"{SITE}:{self.image.env['PYTHONPATH']}",
            "HOME": "/opt/airflow",
            "LANG": "C.UTF-8",
        }
        words = [f"{name}={value}" for name, value in (image | environment).items()]
        privileges = [
            "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
            "--inh-caps=-all",
        ]  # fmt: skip
        return [
            "nsenter", f"--net={self.network.path}", "unshare", "--mount", "sh", "-c", script, "container",
            *privileges, "env", "-i", *words, *(run or service["command"]),
        ]  # fmt: skip

    def _script(self, service: Mapping[str, Any], files: Mapping[str, str], more: Mapping[Path, str]) -> str:
        keep = self.folder / "mounts"
        lines = ["set -eu", f"mount -t tmpfs tmpfs {keep}"]
        places: list[tuple[str, str]] = []  # what is bound where; held below `keep` while its place is made

        def bind(source: Path, target: str) -> None:
            held = f"{keep}/{len(places)}"
            lines.append(f"mkdir {held}" if source.is_dir() else f"touch {held}")
            lines.append(f"mount --bind {source} {held}")
            places.append((held, target))

        bind(self.image.place("/opt/relances"), "/opt/relances")
        bind(self.image.site, SITE)
        for mount in service.get("volumes", []):
            source, target, *_ = mount.split(":")
            bind(ROOT / source if source.startswith("./") else self.volume(source), target)
        for target, name in files.items():
            bind(self.folder / "secrets" / name, f"/run/secrets/{target}")
        for source, target in more.items():
            bind(source, target)
        home = Path(sys.base_prefix)
        hidden = next((part for part in reversed(home.parents) if not part.stat().st_mode & 0o001), None)
        if hidden:  # the interpreter is in somebody's home: its way is open, and nothing else of it
            bind(home, str(home))
            lines.append(f"mount -t tmpfs -o mode=755 tmpfs {hidden}")
        bind(self.folder / "hosts", "/etc/hosts")
        bind(self.folder / "passwd", "/etc/passwd")
        lines.append(f"mount --move {keep} /mnt")
        for tmpfs in ("/opt", "/run", "/var/lib", *service.get("tmpfs", [])):
            path, _, options = tmpfs.partition(":")
            lines += [
                f"mkdir -p {path}",
                f"mount -t tmpfs {f'-o {options}' if options else '-o mode=1777'} tmpfs {path}",
            ]
        for held, target in places:
            here = held.replace(str(keep), "/mnt")
            lines.append(
                f"mkdir -p $(dirname {target}); [ -e {target} ]"
                f" || {{ [ -d {here} ] && mkdir {target}; }} || touch {target} 2>/dev/null || :"
            )
            lines.append(f"mount --move {here} {target}")
        lines += [
            "chmod 755 /opt /run /var/lib",
            "mount -o remount,bind,ro /",
            "mount -o remount,bind,ro /opt/relances",
            f"mount -o remount,bind,ro {SITE}",
        ]
        lines += ["for p in /opt /run /var/lib /mnt; do mount -o remount,ro $p; done", "cd /opt/relances", 'exec "$@"']
        return "\n".join(lines)


def wait_for(what: str, ready: Any, *, seconds: float) -> None:
    """Wait until `ready()`; raises TimeoutError that says what was waited for."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.5)
