"""The notices that are not about loans, read from an ILS of a test by the statements that are delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.runs.reading.consent import NO_CODES, ConsentCodes
from loan_reminders.domain.stages import Stage
from loan_reminders.gateways.runs.ils_database import IlsDatabase
from loan_reminders.gateways.runs.loan_source import IlsNoticeSource
from loan_reminders.gateways.runs.statements import final_text
from tests.scenes.aleph import SQL_FOLDER
from tests.scenes.library_systems import CODES

DAY = date(2026, 3, 3)


def notice_source(
    ils: IlsDatabase,
    kind: str,
    stage: Stage,
    *,
    binds: Mapping[str, str | int],
    sql: str = "",
    consent: ConsentCodes = NO_CODES,
) -> IlsNoticeSource:
    """The gateway of a notice whose runs look one day back; `consent` may ask for birth dates."""
    asked = dict.fromkeys(consent.columns, "asked")
    text = sql or final_text((SQL_FOLDER / kind / "notices" / f"{stage}.sql").read_text(encoding="utf-8"), asked)
    codes = replace(CODES, consent=consent)
    return IlsNoticeSource(ils, stage=stage, sql=text, days_back=1, today=DAY, binds=binds, codes=codes)


def told_by_key(notices: IlsNoticeSource, day: date = DAY) -> dict[str, Loan | RejectedRow]:
    """What is told of on a day, by the key of the request."""
    return {row.loan_id.partition(":")[2]: row for row in notices.loans_due(day, today=day)}
