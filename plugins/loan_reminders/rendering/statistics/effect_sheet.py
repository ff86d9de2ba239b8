"""What SMS do, on one side of paper: a template (`templates/_layouts/effect_sheet.typ`) laid out by Typst."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loan_reminders.domain.errors import TO_MEND, LettersNotPrinted
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.statistics.effect import Comparison, Findings, MonthShares
from loan_reminders.domain.statistics.loan_ends import WITHIN_DAYS
from loan_reminders.french.days import long_day_words
from loan_reminders.french.pages.effect import (
    difference_with_interval,
    figure,
    sentences,
    share_with_interval,
)
from loan_reminders.french.pages.statistics import SHORT_MONTHS
from loan_reminders.french.words import STAGES
from loan_reminders.rendering.compile_pdf import (
    ACCESSIBLE,
    ARCHIVABLE,
    COMPILE,
    PdfAnswer,
    PdfJob,
    without_quotes,
)
from loan_reminders.rendering.letters.chunks import unwritable
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER, FontSet
from loan_reminders.rendering.letters.page_templates import copy_pages
from loan_reminders.rendering.process_pool import DiskRefused, JobStopped, ProcessPool
from loan_reminders.rendering.template_folders import TemplatePlace

MAIN = "_layouts/effect_sheet.typ"
MONTHS_SHOWN = 12
"""The last months of the drawing: more would not stay readable on one side."""


def effect_sheet(
    findings: Findings, *, library: LibraryIdentity, templates: TemplatePlace, timeout_s: float = 60.0
) -> bytes:
    """The sheet as a PDF of one page; the same findings give the same bytes.

    Raises TemplateError when the template is missing or forbidden, LettersNotPrinted when it cannot be laid out,
    LetterStoreUnavailable when the disk is full, SettingsError (fonts).
    """
    known = FontSet.of(FONTS_FOLDER)
    facts = {
        "fonts": known.families,
        "library": known.drawable(library.name),
        "day": long_day_words(findings.day),
        "sentences": list(sentences(findings)),
        "months": [_month(one) for one in findings.months[-MONTHS_SHOWN:]],
        "stages": [row for one in findings.comparisons for row in _rows(one)],
    }
    with tempfile.TemporaryDirectory(prefix="effect-") as scratch:
        root, output = Path(scratch) / "root", Path(scratch) / "sheet.pdf"
        copy_pages(templates, ("_layouts",), root)
        _work(
            {
                "root": str(root),
                "main": MAIN,
                "fonts": str(FONTS_FOLDER),
                "inputs": {"facts": facts},
                "standards": [ARCHIVABLE, ACCESSIBLE],
                "timestamp": f"{findings.day.isoformat()}T00:00:00+00:00",
                "output": str(output),
            },
            timeout_s=timeout_s,
        )
        return output.read_bytes()


def _month(one: MonthShares) -> Mapping[str, Any]:
    """A month of the drawing: its name, and each group's share in per cent, empty when it had no overdue."""
    shares = {}
    for category in (PatronCategory.STUDENT, PatronCategory.STAFF):
        overdue = one.overdue.get(category, 0)
        share = 100 * one.long_overdue[category] / overdue if overdue else None
        shares[category.value] = {"share": share, "words": "—" if share is None else figure(share)}
    return {"name": f"{SHORT_MONTHS[one.month.month - 1]} {one.month:%y}", **shares}


def _rows(one: Comparison) -> list[list[str]]:
    """The lines of a stage: without SMS, and with one where it has some, then the difference."""
    name = STAGES[one.stage]
    without = [share_with_interval(one.without.shares.get(days)) for days in WITHIN_DAYS]
    rows = [[f"{name}, sans SMS" if one.with_sms.loans else name, str(one.without.loans), *without]]
    if one.with_sms.loans:
        with_sms = [share_with_interval(one.with_sms.shares.get(days)) for days in WITHIN_DAYS]
        rows.append([f"{name}, avec SMS", str(one.with_sms.loans), *with_sms])
        differences = one.differences or {}
        rows.append(
            ["différence, prêts comparables, en points", ""]
            + [difference_with_interval(differences.get(days)) for days in WITHIN_DAYS]
        )
    return rows


def _work(job: PdfJob, *, timeout_s: float) -> None:
    """The job in a process of its own, killed when it takes too long."""
    try:
        with ProcessPool(timeout_s=timeout_s) as pool:
            answer: PdfAnswer = pool.ask(COMPILE, job)
    except JobStopped as why:
        raise _not_made(str(why)) from None
    except DiskRefused as why:
        raise unwritable(str(why)) from None
    if "fault" in answer:
        raise _not_made(f"Typst répond « {without_quotes(answer['fault'])} »")


def _not_made(why: str) -> LettersNotPrinted:
    return LettersNotPrinted(f"La page sur l'effet des SMS ({MAIN}) ne peut pas être composée : {why}. {TO_MEND}")
