"""The section `[costs]` of `library.toml`: prices in euros, and the day they are of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.domain.statistics.costs import Prices, Tariff
from loan_reminders.settings.values import Section

Euros = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Grams = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class TariffSettings(Section):
    """The postage of a letter that weighs at most so many grams."""

    up_to_grams: Annotated[int, Field(ge=1, le=10_000)]
    euros: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]


class CostSettings(Section):
    """What paper and postage cost; a price that is left out is not known, and what hangs on it is not told.

    `as_of` is the day the prices are of. A letter weighs its envelope and its sheets; the first tariff that bears it
    counts. `both_sides`: letters are printed on both sides.
    """

    as_of: date | None = None
    sheet: Euros | None = None
    envelope: Euros | None = None
    both_sides: bool = True
    sheet_grams: Grams = 5.0
    envelope_grams: Grams = 5.0
    letter: Annotated[list[TariffSettings], Field(max_length=20)] = []
    registered: Annotated[list[TariffSettings], Field(max_length=20)] = []
    acknowledgement: Euros | None = None

    @model_validator(mode="after")
    def _heavier_and_dearer(self) -> Self:
        for name, tariffs in (("letter", self.letter), ("registered", self.registered)):
            weights = [one.up_to_grams for one in tariffs]
            if weights != sorted(set(weights)):
                raise ValueError(
                    f"costs.{name} : up_to_grams doit croître d'une ligne à la suivante, trouvé : {weights}"
                )
        if self.as_of is None and (self.letter or self.registered):
            raise ValueError("costs.as_of manque : de quel jour sont ces tarifs ? par exemple as_of = 2026-01-01")
        return self

    def prices(self, sms: SmsPrice) -> Prices:
        """All prices of the library, that of SMS among them."""
        return Prices(
            as_of=self.as_of,
            segment=_exact(sms.segment or None),
            sheet=_exact(self.sheet),
            envelope=_exact(self.envelope),
            both_sides=self.both_sides,
            sheet_grams=Decimal(str(self.sheet_grams)),
            envelope_grams=Decimal(str(self.envelope_grams)),
            letter=_tariffs(self.letter),
            registered=_tariffs(self.registered),
            acknowledgement=_exact(self.acknowledgement),
        )


def _tariffs(found: Sequence[TariffSettings]) -> tuple[Tariff, ...]:
    return tuple(Tariff(up_to_grams=one.up_to_grams, euros=Decimal(str(one.euros))) for one in found)


def _exact(euros: float | None) -> Decimal | None:
    """The amount as it is written in the file."""
    return None if euros is None else Decimal(str(euros))
