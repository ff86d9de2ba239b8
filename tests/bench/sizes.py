"""How much is measured: enough for a ratio that stays the same, or, by `--full`, a consortium's night and three years.

A ratio holds at both sizes: what grows faster than its number shows in `scale_time` and `scale_memory`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Numbers of messages and loans, and how often each side of a ratio is measured; the median counts."""

    rounds: int = 3
    notices: int
    baseline_notices: int
    mails: int
    baseline_mails: int
    sms: int
    baseline_sms: int
    far_mails: int
    """E-mails to a server whose every answer takes its time."""
    letters: int
    many_letters: int
    """One PDF of a batch holds a thousand: fewer take less memory, more no more."""
    few_loans: int
    many_loans: int
    days: int
    """How many ordinary days."""
    ils_loans: int
    ils_readers: int
    ils_day: int
    """Loans of the ILS in all and of one day; a small day has a hundredth of it."""
    cycles: int
    readers: int
    """Loan cycles and readers of the ledger that the pages read: two messages a cycle."""
    cycles_removed: int
    """How many of them a night removes."""
    libraries: int
    """How many libraries one installation has."""
    mornings: int
    """Of how many of them the morning is lived."""


QUICK = Sizes(
    notices=4_000,
    baseline_notices=2_000,
    mails=4_000,
    baseline_mails=4_000,
    sms=3_000,
    baseline_sms=500,
    far_mails=1_500,
    letters=1_000,
    many_letters=2_500,
    few_loans=2_000,
    many_loans=20_000,
    days=2,
    ils_loans=200_000,
    ils_readers=60_000,
    ils_day=10_000,
    cycles=103_000,
    readers=40_000,
    cycles_removed=1_000,
    libraries=10,
    mornings=4,
)
FULL = Sizes(
    notices=10_000,
    baseline_notices=5_000,
    mails=10_000,
    baseline_mails=5_000,
    sms=10_000,
    baseline_sms=500,
    far_mails=10_000,
    letters=1_000,
    many_letters=10_000,
    few_loans=10_000,
    many_loans=100_000,
    days=3,
    ils_loans=1_000_000,
    ils_readers=300_000,
    ils_day=20_000,
    cycles=1_030_000,
    readers=400_000,
    cycles_removed=10_000,
    libraries=100,
    mornings=100,
)
