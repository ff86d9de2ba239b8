"""Which day a run is about."""

from __future__ import annotations

from datetime import date, datetime, tzinfo

from loan_reminders.domain.errors import SettingsError


def reference_date(*, param: str | None, logical_date: datetime | None, run_after: datetime, time_zone: tzinfo) -> date:
    """The day a run is about: the `reference_date` param, else the logical date, else `run_after`.

    Both instants must know their zone; the day is that of the library's own zone, so that a run at 00:30 in
    Paris belongs to that Paris day. Raises SettingsError when the param is not an ISO date.
    """
    if param:
        try:
            return date.fromisoformat(param)
        except ValueError:
            raise SettingsError(
                f"reference_date = {param!r} : une date de la forme AAAA-MM-JJ est attendue, ou rien"
            ) from None
    return (logical_date or run_after).astimezone(time_zone).date()
