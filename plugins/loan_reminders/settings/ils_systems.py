"""What differs from one Aleph, Voyager, Koha, Sierra or PMB to the next: sections of `[ils]` in `library.toml`.

Each setting reaches the statement in one of two ways: as binds, or as the name of one of the forms that the statement
itself writes down. None is ever part of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field

from loan_reminders.settings.values import Section, all_different, numbered_binds

PLACES = 4
"""How many codes a list of these settings may hold, the number of its binds in the statement."""


TableCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,2}$")]
Number = Annotated[int, Field(ge=0, le=99)]
Codes = Annotated[list[TableCode], Field(min_length=1, max_length=PLACES), AfterValidator(all_different)]
Numbers = Annotated[list[Number], Field(min_length=1, max_length=PLACES), AfterValidator(all_different)]


class AlephSettings(Section):
    """An Aleph 500: which columns its release has, and the codes of its tables."""

    due_date: Literal["Z36_DUE_DATE", "Z36_EFFECTIVE_DUE_DATE"] = "Z36_DUE_DATE"
    loan_statuses: Codes = ["A"]
    address_types: Numbers = [2, 1]
    other_address_types: bool = True
    address_width: Literal[200, 50] = 200
    sms_number: bool = True
    card_type: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = "01"
    card_status: TableCode = "AC"

    def choices(self) -> dict[str, str]:
        """The form of each choice of the statements."""
        return {"due_date": self.due_date, "sms_number": _present(self.sms_number)}

    def binds(self) -> dict[str, str | int]:
        """The values of the statements' binds."""
        return {
            **_of_tables("loan_status", self.loan_statuses),
            **_of_tables("address_type", self.address_types),
            "other_address_types": int(self.other_address_types),
            "address_width": self.address_width,
            "card_type": self.card_type,
            "card_status": self.card_status,
        }


class VoyagerSettings(Section):
    """A Voyager: whether its release has SMS numbers, and the numbers that stand for its types and statuses.

    `lost_item_statuses` are those of items that nobody is reminded of: lost by the library's word (13) or the system's
    (14), and claimed returned (15).
    """

    sms_number: bool = True
    phone_types: Numbers = [2, 1, 4, 3]
    address_types: Numbers = [2, 1]
    email_address_type: Number = 3
    active_barcode_status: Number = 1
    lost_item_statuses: Numbers = [13, 14, 15]

    def choices(self) -> dict[str, str]:
        """The form of each choice of the statements."""
        return {"sms_number": _present(self.sms_number)}

    def binds(self) -> dict[str, str | int]:
        """The values of the statements' binds."""
        return {
            **_of_tables("phone_type", self.phone_types, beyond=-1),
            **_of_tables("address_type", self.address_types),
            **_of_tables("lost_status", self.lost_item_statuses),
            "email_type": self.email_address_type,
            "active_status": self.active_barcode_status,
        }


def _present(there: bool) -> str:
    return "present" if there else "absent"


def _of_tables(name: str, values: Sequence[str] | Sequence[int], *, beyond: int | None = None) -> dict[str, str | int]:
    """Places beyond the end of a list repeat its last value, or hold one that nothing has."""
    return numbered_binds(name, values, places=PLACES, beyond=values[-1] if beyond is None else beyond)


Code = Annotated[str, Field(pattern=r"^[!-~]{1,20}$")]
"""A code of the ILS: signs of ASCII without a blank."""
UpToEight = Annotated[list[Code], Field(max_length=8), AfterValidator(all_different)]
UpToFour = Annotated[list[Code], Field(max_length=4), AfterValidator(all_different)]
KohaEmail = Literal["email", "emailpro", "B_email"]


class KohaSettings(Section):
    """A Koha: its preferences, which its tables do not tell plainly, and what the site leaves out.

    `email_order` is the preference EmailFieldPrecedence, or the one field of EmailFieldPrimary.
    `overdue_notice_required` leaves out, as Koha's own script does, readers whose category has not that box.
    `lost_codes_told` are values of items.itemlost that reminders go on for; all others are lost.
    """

    email_order: Annotated[list[KohaEmail], Field(min_length=1, max_length=3), AfterValidator(all_different)] = [
        "email", "emailpro", "B_email",
    ]  # fmt: skip
    alternative_address: Literal["after", "before", "never"] = "after"
    branch: Literal["lending", "item", "patron"] = "lending"
    second_code: Literal["sort1", "sort2"] = "sort1"
    on_site_loans: bool = False
    overdue_notice_required: bool = True
    categories_left_out: UpToEight = []
    lost_codes_told: UpToFour = []

    def choices(self) -> dict[str, str]:
        """The form of each choice of the statements: there is none."""
        return {}

    def binds(self) -> dict[str, str | int]:
        """The values of the statements' binds."""
        return {
            **_numbered("email", self.email_order, places=3),
            "other_address": self.alternative_address,
            "branch_of": self.branch,
            "second_code": self.second_code,
            "on_site": _yes(self.on_site_loans),
            "notice_box": "obeyed" if self.overdue_notice_required else "ignored",
            **_numbered("left_out", self.categories_left_out),
            **_numbered("lost_told", self.lost_codes_told, places=4),
        }


class SierraSettings(Section):
    """A Sierra: the codes that each site makes itself.

    `mobile_type` is a code of patron_record_phone_type, `address_type` the number of the address preferred.
    `lost_statuses` are item statuses that are not reminded of; `patron_types_left_out` and `loan_rules_left_out` are
    numbers, of equipment for example. `partner_items` are those with a partner's campus code.
    """

    mobile_type: Code = "o"
    address_type: Annotated[str, Field(pattern=r"^[0-9]$")] = "1"
    second_code: Literal["pcode1", "pcode2", "pcode3", "pcode4"] = "pcode3"
    branch: Literal["item", "lending"] = "item"
    lost_statuses: UpToEight = ["n", "z", "$"]
    patron_types_left_out: UpToEight = []
    loan_rules_left_out: UpToEight = []
    partner_items: bool = True

    def choices(self) -> dict[str, str]:
        """The form of each choice of the statements: there is none."""
        return {}

    def binds(self) -> dict[str, str | int]:
        """The values of the statements' binds."""
        return {
            "mobile_type": self.mobile_type,
            "address_type": self.address_type,
            "second_code": self.second_code,
            "branch_of": self.branch,
            **_numbered("lost", self.lost_statuses),
            **_numbered("left_out", self.patron_types_left_out),
            **_numbered("rule_out", self.loan_rules_left_out),
            "partner_items": _yes(self.partner_items),
        }


class PmbSettings(Section):
    """A PMB: the site's own statuses, and whether its release knows digital loans.

    `sms_box` is whether a reader whose box "SMS" is not ticked has no telephone here, as PMB itself does.
    `lost_statuses` are numbers of docs_statut, `categories_left_out` numbers of empr_categ. `last_level` is whether
    loans at PMB's level 3, its own last reminder before recovery, are told of; `in_recovery` is its former name.
    `digital_loans` says whether pret has the column pret_pnb_flag.
    """

    branch: Literal["item", "patron"] = "item"
    lost_statuses: UpToEight = []
    categories_left_out: UpToEight = []
    sms_box: bool = True
    last_level: Annotated[bool, Field(validation_alias=AliasChoices("last_level", "in_recovery"))] = True
    digital_loans: bool = True

    def choices(self) -> dict[str, str]:
        """The form of each choice of the statements."""
        return {"digital_loans": "known" if self.digital_loans else "unknown"}

    def binds(self) -> dict[str, str | int]:
        """The values of the statements' binds."""
        return {
            "branch_of": self.branch,
            "sms_box": "obeyed" if self.sms_box else "ignored",
            "last_level": _yes(self.last_level),
            **_numbered("lost", self.lost_statuses),
            **_numbered("left_out", self.categories_left_out),
        }


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _numbered(name: str, values: Sequence[str], *, places: int = 8) -> dict[str, str | int]:
    """A place beyond the end of a list holds the empty text, which is no code."""
    return numbered_binds(name, values, places=places, beyond="")
