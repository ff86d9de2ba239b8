"""Two judges of every statement in `sql/`: the house's own lint, and sqlfluff's grammar of the engine.

Both look at the texts as they are sent: as each file stands, and with each form that the settings may choose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import product
from pathlib import Path

from loan_reminders.domain.runs.extraction import COLUMNS
from loan_reminders.domain.runs.notice_rows import NOTICE_COLUMNS
from loan_reminders.gateways.runs.binds import bind_names, with_binds_written
from loan_reminders.gateways.runs.statements import final_text, offered
from loan_reminders.settings.ils import LIBRARY_CODES
from loan_reminders.settings.ils_systems import (
    AlephSettings,
    KohaSettings,
    PmbSettings,
    SierraSettings,
    VoyagerSettings,
)
from tests.lint.sql_engines import MARIADB, ORACLE, POSTGRESQL, Engine
from tests.lint.sql_rules import faults

BY_NUMBER = frozenset({"due_ymd", "today_ymd"})
BY_DATE = frozenset({"due_from", "due_to"})
NOW = frozenset({"loan_key", "loan_number"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One folder of `sql/`: the engines it is for, and the binds that its statements name.

    `days` are those of loans_due.sql, `site` what comes from the settings, `now` those of loan_now.sql beside them.
    """

    engines: tuple[Engine, ...]
    days: frozenset[str]
    site: frozenset[str] = field(default_factory=frozenset)
    now: frozenset[str] = NOW


KINDS: Mapping[str, Kind] = {
    "aleph": Kind(
        engines=(ORACLE,), days=BY_NUMBER, site=frozenset({*LIBRARY_CODES["aleph"], *AlephSettings().binds()})
    ),
    "voyager": Kind(
        engines=(ORACLE,),
        days=BY_DATE | {"now_ts"},
        site=frozenset(VoyagerSettings().binds()),
        now=frozenset({"loan_key_as_number"}),
    ),
    "view": Kind(engines=(ORACLE, POSTGRESQL, MARIADB), days=BY_DATE, now=NOW - {"loan_number"}),
    "koha": Kind(engines=(MARIADB,), days=BY_DATE, site=frozenset(KohaSettings().binds()), now=NOW - {"loan_number"}),
    "sierra": Kind(
        engines=(POSTGRESQL,), days=BY_DATE, site=frozenset(SierraSettings().binds()), now=NOW - {"loan_number"}
    ),
    "pmb": Kind(engines=(MARIADB,), days=BY_DATE, site=frozenset(PmbSettings().binds())),
}
"""Every folder of `sql/` with statements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text that may be sent to a database, `where` it comes from, and what it must name and return."""

    where: str
    sql: str
    engine: Engine
    binds: frozenset[str]
    columns: Sequence[str]
    as_it_stands: bool


def texts(root: Path, kinds: Mapping[str, Kind] = KINDS) -> Iterator[Text]:
    """Every text that the statements of `sql/` can become."""
    for name, kind in kinds.items():
        notices = sorted(f"notices/{path.stem}" for path in (root / "sql" / name / "notices").glob("*.sql"))
        for file in ("loans_due", "loan_now", *notices):
            sql = (root / "sql" / name / f"{file}.sql").read_text(encoding="utf-8")
            for forms in _every_choice(offered(sql)):
                said = ", ".join(f"{choice} {form}" for choice, form in forms.items())
                final = final_text(sql, forms)
                for engine in kind.engines:
                    yield Text(
                        where=f"sql/{name}/{file}.sql" + (f" ({said})" if said else ""),
                        sql=final,
                        engine=engine,
                        binds=_binds(kind, file, final),
                        columns=_columns(name, file),
                        as_it_stands=final == final_text(sql),
                    )


def unsound_statements(root: Path) -> list[str]:
    """A sentence for each fault that the house's lint finds, and for a folder that nobody has said the engine of."""
    there = {path.parent.name for path in (root / "sql").glob("*/loans_due.sql")}
    found = [f"sql/{name}: tests/lint/statements.py has no engine for it" for name in sorted(there - KINDS.keys())]
    for text in texts(root):
        for fault in faults(text.sql, text.engine, binds=text.binds, columns=text.columns):
            found.append(f"{text.where}, for {text.engine.sqlfluff}: {fault}")
    return found


def refused_by_sqlfluff(root: Path) -> list[str]:
    """What sqlfluff says of the files as they stand; a text that it once found good is not read again."""
    kept = root / "var" / "lint"
    found = []
    for text in texts(root):
        if text.as_it_stands:
            mark = kept / _name(root, text)
            said = [] if mark.exists() else sqlfluff_faults(root, text.sql, text.engine)
            found += [f"{text.where}, by sqlfluff for {text.engine.sqlfluff}: {fault}" for fault in said]
            if not said:
                kept.mkdir(parents=True, exist_ok=True)
                mark.touch()
    return found


def sqlfluff_faults(root: Path, sql: str, engine: Engine) -> list[str]:
    """What sqlfluff finds with the rules of pyproject.toml. Only in Oracle does it know binds: others get a text."""
    from sqlfluff.core import FluffConfig, Linter

    sql = sql if engine is ORACLE else with_binds_written(sql, lambda name: f"'{name}'")
    config = FluffConfig.from_path(str(root), overrides={"dialect": engine.sqlfluff})
    found = Linter(config=config).lint_string(sql).get_violations()
    return [f"line {fault.line_no}: {fault.rule_code()} {fault.desc()}" for fault in found]


def _every_choice(choices: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    for forms in product(*choices.values()):
        yield dict(zip(choices, forms, strict=True))


_COLUMNS: Mapping[str, Sequence[str]] = {"loans_due": COLUMNS, "loan_now": ("due_date", "told")}
_TELLS_OF_ALL = frozenset({"view"})
"""Kinds whose loan_now.sql has no column `told`: what is there is reminded of."""


def _columns(kind: str, file: str) -> Sequence[str]:
    if file == "loan_now" and kind in _TELLS_OF_ALL:
        return ("due_date",)
    return _COLUMNS.get(file, NOTICE_COLUMNS)


def _binds(kind: Kind, file: str, sql: str) -> frozenset[str]:
    """The binds that a statement must name; that of another notice asks for some days and may use the site's own."""
    if file == "loans_due":
        return kind.days | kind.site
    if file == "loan_now":
        return _of_now(kind, sql)
    days = kind.days | {"from_ymd"} if "due_ymd" in kind.days else BY_DATE
    return days | (kind.site & bind_names(sql))


def _of_now(kind: Kind, sql: str) -> frozenset[str]:
    """The binds of loan_now.sql: its own, and those of the site that it has a use for."""
    return kind.now | (kind.site & bind_names(sql))


def _name(root: Path, text: Text) -> str:
    rules = (root / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.sqlfluff")[2]
    whole = "\0".join((version("sqlfluff"), rules, text.engine.sqlfluff, text.sql))
    return f"sqlfluff-{hashlib.sha256(whole.encode()).hexdigest()[:32]}"
