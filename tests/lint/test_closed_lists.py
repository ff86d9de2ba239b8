"""A new stage or channel: every table that is to know it, by name, so that none is found in the middle of a run."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, get_args

import pytest

import loan_reminders
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.settings.sections import CapSettings, ChannelSettings, FloorSettings, StagesSettings
from tests.simulators.compose_file import ROOT

CLOSED = (Stage, Channel, Slot)
NOT_BY_POST: frozenset[StrEnum] = frozenset({Channel.LETTER, Channel.REGISTERED_LETTER})
NOT_ON_PAPER: frozenset[StrEnum] = frozenset({Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE})
REGISTERED: frozenset[StrEnum] = frozenset({Channel.REGISTERED_LETTER})
LACKING: dict[str, frozenset[StrEnum]] = {
    "dag_arguments.RUN_LASTS": frozenset({Stage.REGISTERED_LETTER}),  # without a limit
    "french.desk._ABSENT": NOT_BY_POST,
    "french.pages.reader_rights.REFUSED_CHANNELS": NOT_BY_POST,
    "french.pages.readers._CONTACT": NOT_BY_POST,
    "french.refusals._WITH": NOT_BY_POST,
    "rendering.letters.renderer._TITLES": NOT_ON_PAPER,
    "rendering.letters.renderer.LETTER_KINDS": NOT_ON_PAPER,
    "rendering.letters.text._STAGE_MARKS": NOT_ON_PAPER,
    "web.readers.loan_lines._PLACES": REGISTERED,  # whose place is that of what is not named
    "web.readers.offered._AGAIN": NOT_BY_POST,
    "web.readers.offered._PLACES": REGISTERED,
}
"""What a table leaves out on purpose. What it does not name here, it must have: a new member is missing everywhere."""
_ALL_STAGES = re.compile("['\"].*".join(Stage))
_CHANNELS_OF_SQL = re.compile("'email'.*'sms'.*'letter'.*'registered_letter'")


def tables() -> Iterator[tuple[set[str], Mapping[Any, Any]]]:
    """Every table of the program that is kept by a module, and the names that it has."""
    found: dict[int, tuple[set[str], Mapping[Any, Any]]] = {}
    for module in pkgutil.walk_packages(loan_reminders.__path__, "loan_reminders."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Mapping) and not name.startswith("__"):
                    whole = f"{module.name}.{name}".removeprefix("loan_reminders.")
                    found.setdefault(id(value), (set(), value))[0].add(whole)
    yield from found.values()


def lacking(table: Mapping[Any, Any]) -> frozenset[StrEnum]:
    """Which members a table of stages or channels has not; none of a table of anything else."""
    kinds = [closed for closed in CLOSED if any(isinstance(key, closed) and key in list(closed) for key in table)]
    return frozenset(member for kind in kinds for member in kind if member not in table)


def test_every_table_of_stages_or_channels_knows_all_of_them() -> None:
    excused, wrong = set(), []
    for names, table in tables():
        if missing := lacking(table):
            excused |= (known := names & LACKING.keys())
            if {LACKING[name] for name in known} != {missing}:
                wrong.append(f"{' = '.join(sorted(names))}: {', '.join(sorted(missing))}")
    if wrong:
        pytest.fail("\n".join(sorted(wrong)))
    assert excused == LACKING.keys(), "an exception that is none any more"


def test_a_table_that_lacks_one_is_told() -> None:
    assert lacking({Stage.COURTESY_NOTICE: 1, Stage.OVERDUE_NOTICE: 2}) == frozenset(Stage) - NOT_ON_PAPER
    assert lacking({Slot.WRITTEN: 1, None: 2}) == frozenset(Slot) - {Slot.WRITTEN}
    assert lacking({"email": 1}) == lacking({}) == lacking(dict.fromkeys(Channel)) == frozenset()


@pytest.mark.parametrize(
    ("section", "closed"), [(CapSettings, Channel), (FloorSettings, Channel), (StagesSettings, Stage)]
)
def test_a_section_of_settings_has_a_key_for_each(section: Any, closed: type[StrEnum]) -> None:
    assert set(section.model_fields) == {member.value for member in closed}


def test_a_stage_may_name_every_channel() -> None:
    assert set(get_args(ChannelSettings.model_fields["channel"].annotation)) == {channel.value for channel in Channel}


def test_no_statement_spells_a_list_that_the_program_has() -> None:
    """One that does not know a new member says nothing: `array_position` of it is NULL, and no comparison holds."""
    modules = (ROOT / "plugins/loan_reminders").rglob("*.py")
    for path in modules:
        if "versions" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert not _ALL_STAGES.search(text), path
            assert not _CHANNELS_OF_SQL.search(text), path
