"""The library that speaks: its name, where it is, and how a reader reaches it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One building where readers borrow and return; `code` is the ILS's, the rest is for readers, in French."""

    code: str
    name: str
    hours: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryIdentity:
    """Who writes to the reader, as every e-mail, letter and SMS names it.

    `short_name` is for SMS. `address_lines` is the return address of letters. `account_url` is where readers
    see and renew their loans, `account_label` how that place is called on the site (`onglet « Mon compte »`).
    """

    name: str
    short_name: str
    address_lines: tuple[str, ...]
    email: str
    phone: str
    website: str
    account_url: str
    account_label: str
    branches: tuple[Branch, ...] = ()

    def branch(self, code: str) -> Branch:
        """The branch with this ILS code; a code that nobody described is its own name."""
        for branch in self.branches:
            if branch.code == code:
                return branch
        return Branch(code=code, name=code)
