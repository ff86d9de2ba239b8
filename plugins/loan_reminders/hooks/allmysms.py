"""An Airflow connection becomes the gateway to allmysms."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Literal

from loan_reminders.domain.errors import SettingsError
from loan_reminders.hooks.extras import flag, seconds

if TYPE_CHECKING:
    from loan_reminders.domain.ports.outside import SmsAccount
    from loan_reminders.gateways.sms.allmysms import AllMySmsGateway
    from loan_reminders.gateways.sms.allmysms_rest import AllMySmsRestGateway

SmsApi = Literal["legacy", "rest"]
"""The HTTPS API v9.0, or the REST API."""


def sms_gateway(
    conn_id: str, *, sender: str, campaign: str, api: SmsApi = "legacy", zone: tzinfo | None = None
) -> AllMySmsGateway | AllMySmsRestGateway:
    """The gateway of one connection: schema (`https` unless said), host, port, login, and the API key as password.

    A schema other than `https` is refused unless the extra `login_in_clear` is true. The extra fields
    `connect_timeout_s` and `read_timeout_s` (seconds) replace the gateway's own. `zone` is that of
    the provider's dates, Europe/Paris unless said. Raises SettingsError when the connection lacks its host, login or
    password.
    """
    from airflow.sdk import BaseHook

    from loan_reminders.gateways.sms.allmysms import AllMySmsAccount, AllMySmsGateway
    from loan_reminders.gateways.sms.allmysms_rest import AllMySmsRestGateway

    connection = BaseHook.get_connection(conn_id)
    host, login, password = connection.host, connection.login, connection.password
    if not (host and login and password):
        missing = [name for name in ("host", "login", "password") if not getattr(connection, name)]
        raise SettingsError(
            f"Connexion Airflow {conn_id} : il manque {', '.join(missing)}. La compléter, puis relancer la tâche."
        )
    base_url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    if connection.port:
        base_url = f"{base_url}:{connection.port}"
    extra = connection.extra_dejson
    options: dict[str, Any] = {
        name: seconds(conn_id, extra, name, 0.0)
        for name in ("connect_timeout_s", "read_timeout_s")
        if extra.get(name) not in (None, "")
    }
    if zone is not None:
        options["zone"] = zone
    account = AllMySmsAccount(
        base_url=base_url,
        login=login,
        api_key=password,
        login_in_clear=flag(extra.get("login_in_clear")),
    )
    gateway = AllMySmsRestGateway if api == "rest" else AllMySmsGateway
    return gateway(account, sender=sender, campaign=campaign, **options)


def sms_account(conn_id: str, *, api: SmsApi = "legacy", zone: tzinfo | None = None) -> SmsAccount:
    """What the provider knows of the account of one connection; see `sms_gateway`."""
    return sms_gateway(conn_id, sender="", campaign="", api=api, zone=zone)
