"""How a reader tells the mail program to stop these messages: List-Unsubscribe (RFC 2369, one click by RFC 8058)."""

from __future__ import annotations

from urllib.parse import quote

from loan_reminders.domain.errors import SettingsError

_IN_A_URI = "%/:?#[]@!$&'()*+,;=-._~{}"


def unsubscribe_headers(target: str) -> str:
    """The complete header lines for an https or mailto address, or nothing when it is empty.

    `{delivery}` stays for the renderer to fill. One click needs https, and an address that tells the reader apart.
    Raises SettingsError for any other address.
    """
    if not target:
        return ""
    uri = quote(target.strip(), safe=_IN_A_URI)
    if not uri.startswith(("https://", "mailto:")) or uri in ("https://", "mailto:"):
        raise SettingsError(
            "email.list_unsubscribe : une adresse https://… ou mailto:… est attendue. Corriger library.toml."
        )
    header = f"List-Unsubscribe: <{uri}>\r\n"
    if uri.startswith("https://"):
        header += "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    return header
