"""Airflow's web server with the FAB auth manager, as production has it: accounts, roles, forms, single sign-on.

Two servers on one database: at one people log in with a name and a password, at the other by an OpenID Connect
provider. Nothing runs but the web servers.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet

from tests.e2e.processes import Processes, free_port
from tests.simulators.oidc_provider import OidcProvider
from tests.simulators.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
GROUPS = {
    "bu-statistiques": ["Relances lecteur"],
    "bu-pret": ["Relances bibliothécaire"],
    "bu-informatique": ["Relances administrateur"],
    "bu-oubliee": ["Relances d'autrefois"],
}
"""What the groups of the institution give; the last one names a role that does not exist."""
PASSWORD = "Un-mot-de-passe-1"
STARTS_S = 180


class FabAirflow:
    """The two web servers; `local` and `sso` are their addresses, `provider` whom the second one asks."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres, ledger: str, *, config: Path | None = None) -> None:
        self.folder, self.postgres, self.ledger = folder, postgres, ledger
        self.config = config or ROOT / "library.toml"
        self.ports = {"local": free_port(), "sso": free_port()}
        self.local, self.sso = (f"http://localhost:{port}" for port in self.ports.values())
        self.stack = ExitStack()
        self.tokens: dict[str, str] = {}

    def __enter__(self) -> FabAirflow:
        try:
            self._start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stack.close()

    def _start(self) -> None:
        self.database = self.postgres.create_database()
        self.stack.callback(self.postgres.drop_database, self.database)
        self.provider = self.stack.enter_context(
            OidcProvider(
                client_id="relances",
                client_secret=secrets.token_urlsafe(12),
                redirect_uri=f"{self.sso}/auth/oauth-authorized/etablissement",
            )
        )
        self._write("client_secret", f"{self.provider.client_secret}\n")
        self._write("admin_password", f"{PASSWORD}\n")
        self.env = self._environment()
        self.said = {
            "migrate": self.run("airflow", "db", "migrate"),
            "prepare": self.run("loan_reminders", "prepare"),
        }
        self.processes = self.stack.enter_context(Processes(self.folder / "logs"))
        # One after the other, the one with passwords last: each gives Admin the permissions of its own way to log in
        # and takes the other's away; with single sign-on nobody may add an account.
        for name in ("sso", "local"):
            self.wait(self.start(name, self.environment_of(name)))

    def start(self, name: str, environment: dict[str, str]) -> str:
        """Start a web server with this environment; returns its address, where it answers after `wait`."""
        port = self.ports.setdefault(name, free_port())
        command = [sys.executable, "-m", "airflow", "api-server", "--apps", "core", "--port", str(port)]
        self.processes.start(name, command, environment, self.folder)
        return f"http://localhost:{port}"

    def _write(self, name: str, content: str) -> Path:
        file = self.folder / name
        file.write_text(content, encoding="utf-8")
        file.chmod(0o600)
        return file

    def _environment(self) -> dict[str, str]:
        socket = {"host": str(self.postgres.socket_folder)}
        ledger = {"conn_type": "postgres", "login": "postgres", "schema": self.ledger, "extra": socket}
        elsewhere = {"host": "127.0.0.1", "login": "x", "password": "x"}
        home = self.folder / "home"
        home.mkdir()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "REMINDERS"))}
        return inherited | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__AUTH_MANAGER": "deploy.accounts.login.AccountsAuthManager",
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__API__BASE_URL": self.local,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.postgres.url(self.database).replace(":", "+psycopg2:", 1),
            "AIRFLOW__FAB__CONFIG_FILE": str(ROOT / "deploy/accounts/webserver_config.py"),
            "AIRFLOW__FAB__CACHE_TTL": "0",
            "AIRFLOW_CONN_REMINDERS_LEDGER": json.dumps(ledger),
            "AIRFLOW_CONN_ILS_ORACLE": json.dumps({"conn_type": "oracle", **elsewhere}),
            "AIRFLOW_CONN_MAIL_RELAY": json.dumps({"conn_type": "smtp", **elsewhere}),
            "AIRFLOW_CONN_ALLMYSMS": json.dumps({"conn_type": "http", **elsewhere}),
            "REMINDERS_CONFIG": str(self.config),
            "REMINDERS_STORAGE": str(self.folder / "letters"),
            "REMINDERS_DEMO": "demo",
            "REMINDERS_ADMIN_USERNAME": "admin",
            "REMINDERS_ADMIN_EMAIL": "admin@bu-montclar.example",
            "REMINDERS_ADMIN_PASSWORD_FILE": str(self.folder / "admin_password"),
        }

    def environment_of(self, server: str) -> dict[str, str]:
        """The environment of one of the two web servers."""
        if server == "local":
            return self.env
        return self.env | {
            "AIRFLOW__CORE__AUTH_MANAGER": "deploy.sso.login.SsoAuthManager",
            "AIRFLOW__API__BASE_URL": self.sso,
            "AIRFLOW__FAB__CONFIG_FILE": str(ROOT / "deploy/sso/webserver_config.py"),
            "OIDC_ISSUER": self.provider.issuer,
            "OIDC_CLIENT_ID": self.provider.client_id,
            "OIDC_CLIENT_SECRET_FILE": str(self.folder / "client_secret"),
            "OIDC_ROLES": json.dumps(GROUPS),
        }

    def run(self, module: str, *words: str, status: int = 0, **variables: str) -> str:
        """Run a command of this installation; returns what it said on both outputs."""
        command = [sys.executable, "-W", "ignore", "-m", module, *words]
        done = subprocess.run(
            command, env=self.env | variables, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300
        )
        said = done.stdout + done.stderr
        if done.returncode != status:
            raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{said}")
        return said

    def wait(self, address: str) -> None:
        """Wait until a web server answers. Raises RuntimeError."""
        deadline = time.monotonic() + STARTS_S
        while time.monotonic() < deadline:
            if self.processes.dead():
                break
            try:
                if requests.get(f"{address}/api/v2/monitor/health", timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.3)
        raise RuntimeError(f"no web server at {address}: see {self.processes.logs}")

    def token(self, username: str, password: str = PASSWORD) -> str:
        """What the API gives for a name and a password, asked for once, and again when it says to come back later."""
        if username not in self.tokens:
            body = {"username": username, "password": password}
            answer = requests.post(f"{self.local}/auth/token", json=body, timeout=60)
            while answer.status_code == 429:  # others use the same address
                time.sleep(int(answer.headers["Retry-After"]) + 1)
                answer = requests.post(f"{self.local}/auth/token", json=body, timeout=60)
            answer.raise_for_status()
            self.tokens[username] = answer.json()["access_token"]
        return self.tokens[username]

    def add_user(self, username: str, *roles: str) -> None:
        """Add an account, as an administrator does by FAB's API."""
        user = {
            "username": username, "password": PASSWORD, "email": f"{username}@bu-montclar.example",
            "first_name": "Camille", "last_name": username, "roles": [{"name": role} for role in roles],
        }  # fmt: skip
        answer = self.asked("POST", "/auth/fab/v1/users", "admin", json=user)
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"{username}: HTTP {answer.status_code} {answer.text[:300]}")

    def asked(self, method: str, path: str, username: str = "", **more: Any) -> requests.Response:
        """The answer to a request with the session cookie of somebody, or of nobody."""
        headers = {"sec-fetch-site": "same-origin", **more.pop("headers", {})}
        cookies = {"_token": self.token(username)} if username else {}
        address = more.pop("server", self.local)
        return requests.request(
            method, f"{address}{path}", headers=headers, cookies=cookies, timeout=60, allow_redirects=False, **more
        )


def try_a_door(server: str, door: str, password: str) -> requests.Response:
    """The answer of an address that takes a password, to the first administrator's name, as a stranger asks it."""
    body = {"username": "admin", "password": password, "provider": "db"}
    with requests.Session() as session:
        form = session.get(f"{server}/auth/login/", timeout=60).text  # which gives anybody what FAB's own API asks for
        csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        headers = {"X-CSRFToken": csrf[1]} if csrf else {}
        return session.post(f"{server}/auth{door}", json=body, headers=headers, timeout=60, allow_redirects=False)
