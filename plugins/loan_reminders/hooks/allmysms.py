"""An Airflow connection becomes the gateway to allmysms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loan_reminders.domain.errors import SettingsError

if TYPE_CHECKING:
    from loan_reminders.gateways.allmysms import AllMySmsGateway


def sms_gateway(conn_id: str, *, sender: str, campaign: str) -> AllMySmsGateway:
    """The gateway of one connection: schema (`https` unless said), host, port, login, and the API key as password.

    The extra fields `connect_timeout_s` and `read_timeout_s` (seconds) replace the gateway's own. Raises
    SettingsError when the connection lacks its host, login or password.
    """
    from airflow.sdk import BaseHook

    from loan_reminders.gateways.allmysms import AllMySmsAccount, AllMySmsGateway

    connection = BaseHook.get_connection(conn_id)
    missing = [name for name in ("host", "login", "password") if not getattr(connection, name)]
    if missing:
        raise SettingsError(
            f"Connexion Airflow {conn_id} : il manque {', '.join(missing)}. La compléter, puis relancer la tâche."
        )
    base_url = connection.host if "://" in connection.host else f"{connection.schema or 'https'}://{connection.host}"
    if connection.port:
        base_url = f"{base_url}:{connection.port}"
    extra = connection.extra_dejson
    timeouts = {name: float(extra[name]) for name in ("connect_timeout_s", "read_timeout_s") if name in extra}
    account = AllMySmsAccount(base_url=base_url, login=connection.login, api_key=connection.password)
    return AllMySmsGateway(account, sender=sender, campaign=campaign, **timeouts)
