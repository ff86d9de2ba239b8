"""From the fields of an Airflow Connection of type oracle to an open session of python-oracledb.

Airflow's own `OracleHook` (provider 4.7.1) leaves out what the extraction needs: time-outs, TCPS, the folder of
tnsnames.ora. It takes *Schema* for the service and for the schema at once, and ignores an extra that it does not
know, misspelt or not. So the fields are read here, and each wrong one is told before anything is connected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import IlsRejected

if TYPE_CHECKING:
    from oracledb import Connection

PORT = 1521
CONNECT_SECONDS = 10.0
"""How long one address may take to accept the call, where the connection says nothing."""
LOGIN_SECONDS = 45.0
"""How long it may take from the first call to an open session. The driver itself would wait for ever for a listener
that accepts the call and then says nothing: a hung server, a firewall that swallows, TLS spoken to a port without."""
LOGIN_THREAD = "oracle log-in"

_TEXTS = frozenset(
    {"service_name", "sid", "dsn", "config_dir", "wallet_location", "wallet_password", "ssl_server_cert_dn"}
    | {"cclass", "pool_name", "https_proxy", "thick_mode_lib_dir", "thick_mode_config_dir"}
)
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "protocol": ("tcp", "tcps"),
    "server_type": ("dedicated", "shared", "pooled"),
    "purity": ("default", "new", "self"),
}
_FLAGS = frozenset({"thick_mode", "ssl_server_dn_match", "use_sni", "disable_oob"})
_NUMBERS: Mapping[str, tuple[int, int]] = {
    "tcp_connect_timeout": (1, 300),  # seconds
    "retry_count": (0, 5),
    "retry_delay": (0, 30),  # seconds
    "expire_time": (0, 1440),  # minutes
    "https_proxy_port": (1, 65535),
    "sdu": (512, 2_097_152),  # bytes
}
_WITHOUT_EFFECT = frozenset({"engine", "module", "events", "fetch_decimals", "fetch_lobs"})
"""What says which driver this is, and what Airflow's hook reads and the extraction decides itself in each session."""

_ELSEWHERE: Mapping[str, str] = {
    "call_timeout": "c'est le réglage ils.call_timeout_seconds de library.toml, en secondes",
    "mode": "un compte de lecture se connecte sans privilège (ni SYSDBA, ni autre) ; l'enlever",
    "schema": "c'est le champ Schema de la connexion",
    "host": "c'est le champ Host de la connexion",
    "port": "c'est le champ Port de la connexion",
    "user": "c'est le champ Login de la connexion",
    "password": "c'est le champ Password de la connexion",
    "timezone": "c'est le réglage library.time_zone de library.toml",
}
ALLOWED = tuple(sorted(_TEXTS | _CHOICES.keys() | _FLAGS | _NUMBERS.keys()))
"""The extras that are read."""

_OURS = frozenset({"dsn", "thick_mode", "thick_mode_lib_dir", "thick_mode_config_dir"})
_ZONE = re.compile(r"[A-Za-z0-9_+\-/]{1,64}")
_WALLETS = {False: "ewallet.pem", True: "cwallet.sso"}


class OracleAccount:
    """How to open a session; every field is checked before the first one.

    The service is the extra `service_name` or `sid`, a whole descriptor or a name of tnsnames.ora in the extra `dsn`
    or in the host, or the field *Schema* where none of these is there. Otherwise *Schema* is the schema whose tables
    are meant. `zone` is the library's time zone, an IANA name: the session's too, so that moments come as the
    library's clocks showed them; None leaves the session's as it is. Raises IlsRejected, in French, for a field that
    cannot be used.
    """

    def __init__(
        self,
        *,
        name: str,
        host: str | None,
        port: int | None,
        login: str | None,
        password: str | None,
        schema: str | None,
        extra: str | Mapping[str, object] | None,
        zone: str | None,
        login_seconds: float = LOGIN_SECONDS,
    ) -> None:
        self._name = name
        self._login_seconds = login_seconds
        self._extra = {key: value for key, value in self._read_extra(extra).items() if value not in (None, "")}
        self._check_names()
        self._values = {key: self._value(key, value) for key, value in self._extra.items() if key in ALLOWED}
        if not login or not password:
            raise self._wrong("il manque l'identifiant (Login) ou le mot de passe (Password)")
        if zone is not None and not _ZONE.fullmatch(zone):
            raise self._wrong(f"fuseau horaire illisible : {zone!r}")
        self._login, self._password, self._zone = login, password, zone
        self._host, self._port = host or "", port
        self._dsn = self._service(schema or "")
        self._schema = "" if self._schema_is_the_service else schema or ""
        self._check_schema()
        self._check_folders()

    def connect(self) -> Connection:
        """Open one session, in the library's time zone. Raises the driver's own errors, and OSError."""
        waits = self._values.get("retry_count", 0) * (
            self._values.get("retry_delay", 1) + self._values.get("tcp_connect_timeout", CONNECT_SECONDS)
        )
        return _in_time(self._open, self._login_seconds + waits)

    def _open(self) -> Connection:
        import oracledb

        if self._values.get("thick_mode"):
            oracledb.init_oracle_client(
                lib_dir=self._values.get("thick_mode_lib_dir"),
                config_dir=self._values.get("thick_mode_config_dir") or self._values.get("config_dir"),
            )
        connection = oracledb.connect(user=self._login, password=self._password, **self._parameters())
        try:
            if self._zone:
                connection.cursor().execute(f"ALTER SESSION SET TIME_ZONE = '{self._zone}'")
            if self._schema:
                connection.current_schema = self._schema
        except oracledb.Error:
            connection.close()
            raise
        return connection

    def _parameters(self) -> dict[str, Any]:
        import oracledb

        given = {key: value for key, value in self._values.items() if key not in _OURS}
        if "purity" in given:
            given["purity"] = oracledb.Purity[given["purity"].upper()]
        given.setdefault("tcp_connect_timeout", CONNECT_SECONDS)
        if self._dsn:
            return {**given, "dsn": self._dsn}
        return {**given, "host": self._host, "port": self._port or PORT}

    def _service(self, schema: str) -> str:
        """What the driver is to resolve itself: a descriptor, `host/service`, a TNS name; "" for host and service."""
        named = [key for key in ("service_name", "sid", "dsn") if key in self._values]
        self._schema_is_the_service = False
        if len(named) > 1:
            raise self._wrong(f"ne garder qu'un de ces extras : {', '.join(named)}")
        if named == ["dsn"]:
            return self._checked_dsn(str(self._values["dsn"]))
        if not self._host:
            raise self._wrong("il manque l'adresse : le champ Host, ou l'extra dsn")
        if not named and (self._host.startswith("(") or "/" in self._host):
            return self._checked_dsn(self._host)
        if not named and schema:
            self._schema_is_the_service = True
            self._values["service_name"] = schema
        elif not named and "config_dir" in self._values and self._port is None:
            return self._host
        elif not named:
            raise self._wrong('il manque le service : l\'extra {"service_name": "…"}, à demander au DBA')
        return ""

    def _checked_dsn(self, dsn: str) -> str:
        if dsn.count("(") != dsn.count(")"):
            raise self._wrong("le descripteur (DESCRIPTION=…) a des parenthèses qui ne vont pas par paires")
        return dsn

    def _read_extra(self, extra: str | Mapping[str, object] | None) -> Mapping[str, object]:
        if isinstance(extra, Mapping):
            return extra
        try:
            read = json.loads(extra) if extra and extra.strip() else {}
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise self._wrong('le champ Extra n\'est pas du JSON ; par exemple : {"service_name": "ALEPH"}')
        return read

    def _check_names(self) -> None:
        for name in self._extra:
            if name in _ELSEWHERE:
                raise self._wrong(f"l'extra {name} ne s'écrit pas ici : {_ELSEWHERE[name]}")
        unknown = sorted(name for name in self._extra if name not in ALLOWED and name not in _WITHOUT_EFFECT)
        if unknown:
            raise self._wrong(f"extra inconnu : {', '.join(unknown)} ; extras permis : {', '.join(ALLOWED)}")

    def _value(self, name: str, value: object) -> Any:
        text = str(value).strip()
        if name in _FLAGS:
            if text.lower() not in ("true", "false"):
                raise self._wrong(f"l'extra {name} doit être true ou false")
            return text.lower() == "true"
        if name in _NUMBERS:
            lowest, highest = _NUMBERS[name]
            if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
                raise self._wrong(f"l'extra {name} doit être un nombre entier de {lowest} à {highest}")
            return int(text)
        if name in _CHOICES:
            if text.lower() not in _CHOICES[name]:
                raise self._wrong(f"l'extra {name} doit être l'un de : {', '.join(_CHOICES[name])}")
            return text.lower()
        if not isinstance(value, str):
            raise self._wrong(f"l'extra {name} doit être un texte entre guillemets")
        return text

    def _check_schema(self) -> None:
        import oracledb

        if self._schema and not oracledb.is_simple_sql_name(self._schema):
            raise self._wrong("le champ Schema n'est pas un nom de schéma Oracle")

    def _check_folders(self) -> None:
        thick = bool(self._values.get("thick_mode"))
        for name in ("config_dir", "wallet_location", "thick_mode_lib_dir", "thick_mode_config_dir"):
            folder = self._values.get(name)
            if folder and not Path(folder).is_dir():
                raise self._wrong(f"l'extra {name} nomme un dossier qui n'existe pas sur ce serveur : {folder}")
        wallet = self._values.get("wallet_location")
        if wallet and not (Path(wallet) / _WALLETS[thick]).is_file():
            raise self._wrong(f"le portefeuille {wallet} n'a pas de fichier {_WALLETS[thick]}")
        client = self._values.get("thick_mode_lib_dir")
        if thick and client and not any(Path(client).glob("libclntsh.*")):
            raise self._wrong(
                f"thick_mode_lib_dir = {client} n'a pas de client Oracle (libclntsh) : y installer Instant Client 19"
            )
        if client and not thick:
            raise self._wrong("thick_mode_lib_dir ne sert qu'avec thick_mode = true")

    def _wrong(self, what: str) -> IlsRejected:
        cause = f"Connexion {self._name} : {what}"
        return IlsRejected(
            f"{cause}. La corriger dans Airflow (Administration, Connexions), puis relancer la tâche.",
            cause=cause,
            remedy="corriger la connexion dans Airflow (Administration, Connexions)",
        )


def _in_time(connect: Callable[[], Connection], seconds: float) -> Connection:
    """What `connect` opens. Raises TimeoutError after so long; a session that comes later still is closed at once."""
    opened: Future[Connection] = Future()

    def work() -> None:
        try:
            connection = connect()
        except Exception as error:
            with suppress(InvalidStateError):
                opened.set_exception(error)
            return
        try:
            opened.set_result(connection)
        except InvalidStateError:
            connection.close()

    Thread(target=work, daemon=True, name=LOGIN_THREAD).start()
    try:
        return opened.result(seconds)
    finally:
        opened.cancel()
