"""What reminders cost: unknown prices first, then sums to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.statistics.costs import (
    Counted,
    LettersOf,
    Price,
    Prices,
    Spared,
    Tariff,
    all_together,
    cost_of,
    missing,
)

L, R = Channel.LETTER, Channel.REGISTERED_LETTER
PRICES = Prices(
    segment=Decimal("0.05"),
    sheet=Decimal("0.03"),
    envelope=Decimal("0.05"),
    letter=(Tariff(up_to_grams=20, euros=Decimal("1.39")), Tariff(up_to_grams=100, euros=Decimal("2.78"))),
    registered=(Tariff(up_to_grams=20, euros=Decimal("5.74")),),
    acknowledgement=Decimal("1.40"),
)


def counted(*letters: tuple[Channel, int, int, int], **more: object) -> Counted:
    found = tuple(LettersOf(channel=c, pages=p, printed=n, posted=m) for c, p, n, m in letters)
    values: dict[str, object] = {"month": date(2026, 11, 1), "stage": Stage.FIRST_REMINDER, "letters": found}
    return Counted(**{**values, **more})  # type: ignore[arg-type]


def test_a_price_that_nobody_gave_makes_its_part_unknown_and_is_named():
    some = counted((L, 1, 2, 2), (R, 1, 1, 1), segments=3, unpriced=3, told=3, spared={Spared.OPTED_OUT: 1})
    cost = cost_of(some, Prices())
    assert (cost.sms, cost.paper, cost.postage, cost.total, cost.per_reader) == (None,) * 5
    assert cost.saved == {Spared.OPTED_OUT: None, Spared.DEAD_NUMBER: Decimal(0)}
    assert missing([some], Prices()) == tuple(Price)


def test_what_was_not_used_needs_no_price():
    nothing = counted()
    cost = cost_of(nothing, Prices())
    assert (cost.sms, cost.paper, cost.postage, cost.total) == (Decimal(0),) * 4
    assert cost.per_reader is None
    assert missing([nothing], Prices()) == ()


def test_a_letter_too_heavy_for_every_tariff_is_not_told_at_a_lower_one():
    heavy = counted((R, 8, 1, 1), told=1)
    assert cost_of(heavy, PRICES).postage is None
    assert missing([heavy], PRICES) == (Price.REGISTERED,)


@pytest.mark.parametrize(
    ("channel", "pages", "both_sides", "paper", "postage"),
    [
        (L, 1, True, "0.08", "1.39"), (L, 2, True, "0.08", "1.39"), (L, 6, True, "0.14", "1.39"),
        (L, 7, True, "0.17", "2.78"), (L, 4, False, "0.17", "2.78"), (R, 3, True, "0.11", "7.14"),
    ],
)  # fmt: skip
def test_paper_goes_by_sheets_and_postage_by_weight(channel, pages, both_sides, paper, postage):
    from dataclasses import replace

    prices = replace(PRICES, both_sides=both_sides)
    assert (prices.paper(pages), prices.postage(channel, pages)) == (Decimal(paper), Decimal(postage))


def test_a_month_to_the_cent_and_what_a_reader_who_was_told_cost():
    some = counted(
        (L, 1, 10, 10), (R, 2, 4, 3), segments=70, unpriced=70, told=80,
        spared={Spared.OPTED_OUT: 3, Spared.DEAD_NUMBER: 2},
    )  # fmt: skip
    cost = cost_of(some, PRICES)
    assert (cost.sms, cost.paper, cost.postage) == (Decimal("3.50"), Decimal("1.12"), Decimal("35.32"))
    assert cost.total == Decimal("39.94")
    assert cost.per_reader == Decimal("39.94") / 80
    assert cost.saved == {Spared.OPTED_OUT: Decimal("0.15"), Spared.DEAD_NUMBER: Decimal("0.10")}
    assert cost.letters == 14


def test_a_registered_letter_that_was_printed_and_not_posted_costs_its_paper():
    cost = cost_of(counted((R, 1, 1, 0)), PRICES)
    assert (cost.paper, cost.postage) == (Decimal("0.08"), Decimal(0))


def test_what_the_provider_told_needs_no_price_and_what_it_did_not_tell_does():
    from dataclasses import replace

    told = counted(segments=10, told_by_provider=Decimal("0.61234"), told=10)
    unknown = replace(PRICES, segment=None)
    assert [cost_of(told, prices).sms for prices in (PRICES, unknown)] == [Decimal("0.61234")] * 2
    assert missing([told], unknown) == ()
    partly = replace(told, segments=13, unpriced=3)
    assert [cost_of(partly, prices).sms for prices in (PRICES, unknown)] == [Decimal("0.76234"), None]
    assert missing([partly], unknown) == (Price.SEGMENT,)


def test_together_a_thousand_tenths_are_a_hundred():
    tenth = cost_of(counted(segments=2, unpriced=2, told=1), PRICES)
    whole = all_together([tenth] * 1000)
    assert (whole.sms, whole.told, whole.per_reader) == (Decimal(100), 1000, Decimal("0.1"))
    unknown = cost_of(counted((L, 1, 1, 1)), Prices(segment=Decimal("0.05")))
    assert all_together([tenth, unknown]).total is None
