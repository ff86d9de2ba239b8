"""The sections `[notices.<name>]` of `library.toml`: what readers are told of besides their loans. None is needed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, time
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from loan_reminders.domain.stages import NOTICE_CHANNELS, STAGE_CHANNELS, Channel, Stage
from loan_reminders.french.task_names import DAGS
from loan_reminders.places import notice_statements
from loan_reminders.settings.sections import ChannelSettings, StagesSettings
from loan_reminders.settings.values import HOUR, Section

NO_NOTICES = ("libraries", "other_notices")
"""DAG files that are no DAG's own."""
TITLE = r"^avis [^\n]{3,60}$"


class NoticeSettings(Section):
    """One notice that is not about loans: its French title, its hour, how far back it looks, and its channels.

    `days_back` is for how many days after its day it may still be told: what came in after the hour of a run, or while
    none ran, is told by a later one. `starts_on` is the first day that is told of: without it, the first run tells of
    `days_back` days that another system may have told.
    """

    title: Annotated[str, Field(pattern=TITLE)]
    hour: Annotated[str, Field(pattern=HOUR)]
    days_back: Annotated[int, Field(ge=0, le=30)] = 3
    starts_on: date | None = None
    channels: Annotated[list[ChannelSettings], Field(min_length=1, max_length=2)]

    @property
    def starts_at(self) -> time:
        """The hour of the day, in the library's time zone, at which the DAG starts."""
        return time.fromisoformat(self.hour)

    @model_validator(mode="after")
    def _by_email_and_perhaps_by_sms(self) -> Self:
        used = [entry.channel for entry in self.channels]
        if set(used) - NOTICE_CHANNELS or Channel.EMAIL.value not in used or len(set(used)) < len(used):
            raise ValueError(f"channels : « email », et « sms » si on veut ; trouvé : {', '.join(used)}")
        if any(entry.conditions.minimum_loan_days for entry in self.channels):
            raise ValueError("conditions.minimum_loan_days : cet avis n'est pas celui d'un prêt ; retirer cette clé")
        return self


def _named_well(notices: dict[str, NoticeSettings]) -> dict[str, NoticeSettings]:
    """Names that may be the id of a DAG, and are nobody else's. Raises ValueError naming those that may not."""
    for name in notices:
        try:
            is_loans = Stage(name).is_about_loans
        except ValueError:
            raise ValueError(
                f"[notices.{name}] : il faut un nom de 3 à 40 lettres minuscules, chiffres ou « _ » seuls,"
                " par exemple « hold_arrived »"
            ) from None
        if is_loans or name in DAGS or name in NO_NOTICES:
            raise ValueError(f"[notices.{name}] : ce nom est déjà pris par le programme ; en choisir un autre")
    return notices


class ToldSettings(Section):
    """What readers are told: the stages of the procedure, and the library's other notices."""

    stages: StagesSettings
    notices: Annotated[dict[str, NoticeSettings], AfterValidator(_named_well)] = {}

    @property
    def other_notices(self) -> tuple[Stage, ...]:
        """The notices that are not about loans, in the order of the file."""
        return tuple(Stage(name) for name in self.notices)

    @property
    def all_stages(self) -> tuple[Stage, ...]:
        """The stages of the procedure, then the other notices: all that has a DAG which tells readers."""
        return (*Stage, *self.other_notices)

    def starts_at(self, stage: Stage) -> time:
        """The hour of the day, in the library's zone, at which the DAG of a stage, or of another notice, starts."""
        return self.stages.of(stage).starts_at if stage.is_about_loans else self.notices[stage.value].starts_at

    @property
    def starts(self) -> dict[Stage, time]:
        """The same of all of them."""
        return {stage: self.starts_at(stage) for stage in self.all_stages}

    def channels_of(self, stage: Stage) -> frozenset[Channel]:
        """The channels that a stage may use; those that another notice does use."""
        if stage.is_about_loans:
            return STAGE_CHANNELS[stage]
        return frozenset(Channel(entry.channel) for entry in self.notices[stage.value].channels)


def with_statements(notices: Collection[str], kind: str) -> None:
    """Raise ValueError when a notice has no statement for this library system, naming those that there are."""
    if not notices:
        return
    there = notice_statements(kind)
    for name in notices:
        if name not in there:
            raise ValueError(
                f"[notices.{name}] : il manque sa requête, sql/{kind}/notices/{name}.sql ; avis qui en ont une pour ce"
                f" SIGB : {', '.join(there) or 'aucun'}. docs/other_notices.md dit comment l'écrire"
            )
