"""The return path of an e-mail, by which its bounce is recognised; and a server's words without addresses."""

from __future__ import annotations

import re
import uuid

ANY_BOUNCE_ADDRESS = "@"
"""Stands for the bounce address of a library whose settings nobody can read at the moment: any that has our form."""

_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")


def without_addresses(text: str) -> str:
    """A server's words without the addresses it repeats."""
    return _ADDRESS.sub("<…>", text)


def return_path(bounce_address: str, delivery_id: uuid.UUID) -> str:
    """The envelope sender of one delivery's e-mail: `local+<32 hexadecimal digits>@domain` (VERP).

    A bounce comes back there whatever it quotes, and says by its address which delivery it is about.
    """
    local, _, domain = bounce_address.rpartition("@")
    return f"{local}+{delivery_id.hex}@{domain}"
