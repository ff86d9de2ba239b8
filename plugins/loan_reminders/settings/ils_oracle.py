"""What differs from one Aleph or Voyager to the next: `[ils.aleph]` and `[ils.voyager]` of `library.toml`.

Each setting reaches the statement in one of two ways: as binds, or as the name of one of the forms that the statement
itself writes down. None is ever part of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from loan_reminders.settings.values import Section, all_different, numbered_binds

PLACES = 4
"""How many codes a list of these settings may hold, the number of its binds in the statement."""


Code = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,2}$")]
Number = Annotated[int, Field(ge=0, le=99)]
Codes = Annotated[list[Code], Field(min_length=1, max_length=PLACES), AfterValidator(all_different)]
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
    card_status: Code = "AC"

    def choices(self) -> dict[str, str]:
        """The form of each choice of the statements."""
        return {"due_date": self.due_date, "sms_number": _present(self.sms_number)}

    def binds(self) -> dict[str, str | int]:
        """The values of the statements' binds."""
        return {
            **_numbered("loan_status", self.loan_statuses),
            **_numbered("address_type", self.address_types),
            "other_address_types": int(self.other_address_types),
            "address_width": self.address_width,
            "card_type": self.card_type,
            "card_status": self.card_status,
        }


class VoyagerSettings(Section):
    """A Voyager: whether its release has SMS numbers, and the numbers that stand for its types and statuses."""

    sms_number: bool = True
    phone_types: Numbers = [2, 1, 4, 3]
    address_types: Numbers = [2, 1]
    email_address_type: Number = 3
    active_barcode_status: Number = 1
    lost_item_statuses: Numbers = [13, 14]

    def choices(self) -> dict[str, str]:
        """The form of each choice of the statements."""
        return {"sms_number": _present(self.sms_number)}

    def binds(self) -> dict[str, str | int]:
        """The values of the statements' binds."""
        return {
            **_numbered("phone_type", self.phone_types, beyond=-1),
            **_numbered("address_type", self.address_types),
            **_numbered("lost_status", self.lost_item_statuses),
            "email_type": self.email_address_type,
            "active_status": self.active_barcode_status,
        }


def _present(there: bool) -> str:
    return "present" if there else "absent"


def _numbered(name: str, values: Sequence[str] | Sequence[int], *, beyond: int | None = None) -> dict[str, str | int]:
    """Places beyond the end of a list repeat its last value, or hold one that nothing has."""
    return numbered_binds(name, values, places=PLACES, beyond=values[-1] if beyond is None else beyond)
