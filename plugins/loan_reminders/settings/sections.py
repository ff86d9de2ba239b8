"""The sections of `library.toml` about the library and its procedure: every key, its type and its limits."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from loan_reminders.domain.retention.terms import LOAN_MONTHS, READER_MONTHS, Terms
from loan_reminders.domain.stages import STAGE_CHANNELS, Channel, Stage
from loan_reminders.settings.libraries import CODE
from loan_reminders.settings.values import (
    HOUR,
    Email,
    Section,
    Text,
    Url,
    known_zone,
    usable_email,
    usable_mobile,
    usable_recipient,
)


def _email_or_nothing(text: str) -> str:
    return usable_email(text) if text else ""


class BranchSettings(Section):
    """One branch, as readers are told of it."""

    code: Text
    name: Text
    hours: str = ""
    address: str = ""


class LibrarySettings(Section):
    """The library's identity and address.

    `starts_on` is the first day whose stages are this program's to tell; without it, any day a run is about.
    """

    code: Annotated[str, Field(pattern=CODE)]
    name: Text
    short_name: Annotated[str, Field(min_length=1, max_length=20)]
    address: Annotated[list[Text], Field(min_length=2, max_length=6)]
    email: Email
    phone: Text
    website: Url
    account_url: Url
    account_label: Text
    time_zone: Annotated[str, AfterValidator(known_zone)]
    starts_on: date | None = None
    branches: list[BranchSettings] = []


class CapSettings(Section):
    """How many deliveries of one run, by channel, are so many that a librarian must approve it, whatever is usual."""

    email: Annotated[int, Field(ge=0)] = 5000
    sms: Annotated[int, Field(ge=0)] = 500
    letter: Annotated[int, Field(ge=0)] = 500
    registered_letter: Annotated[int, Field(ge=0)] = 100


class FloorSettings(Section):
    """How many deliveries of one run, by channel, are so few that no volume is unusual."""

    email: Annotated[int, Field(ge=0)] = 300
    sms: Annotated[int, Field(ge=0)] = 150
    letter: Annotated[int, Field(ge=0)] = 50
    registered_letter: Annotated[int, Field(ge=0)] = 20


class VolumeGuardSettings(Section):
    """A run with more than `factor` times the median of the stage's last `runs` runs must be approved.

    So must one that read no loan on a day of the week on which the median of the last eight is above
    `empty_day_median`, or at most `few_loans_share` of that median where it is `share_floor` or more, or a share of
    e-mails or mobiles of at most `share_drop` times the usual one, among `share_floor` loans or more.
    """

    factor: Annotated[float, Field(gt=1, le=100)] = 3.0
    runs: Annotated[int, Field(ge=1, le=365)] = 10
    floors: FloorSettings = FloorSettings()
    empty_day_median: Annotated[int, Field(ge=0)] = 20
    few_loans_share: Annotated[float, Field(ge=0, lt=1)] = 0.2
    share_drop: Annotated[float, Field(ge=0, lt=1)] = 0.5
    share_floor: Annotated[int, Field(ge=1)] = 40


class StatisticsSettings(Section):
    """Figures. A loan overdue for more than `follow_months` is not asked about any more, and counts no longer.

    `compare_from` is the day before and after which long overdues are compared; without it, that of the first SMS.
    """

    follow_months: Annotated[int, Field(ge=1, le=60)] = 12
    compare_from: date | None = None


class AlertSettings(Section):
    """Who is written to when a run is red or late, and by which Airflow connection.

    Nobody named: nothing is sent, only logged. `sender` empty: that of the e-mails to readers. A run is late when it
    has not ended `late_after_hours` after Airflow put it in its queue.
    """

    recipients: Annotated[list[Email], Field(max_length=20)] = []
    connection: Text = "mail_relay"
    sender: Annotated[str, AfterValidator(_email_or_nothing)] = ""
    late_after_hours: Annotated[int, Field(ge=1, le=120)] = 4


class RetentionSettings(Section):
    """How long loans and readers are kept, in months. Without `erase` nothing is removed: it is only counted.

    Figures of the last forty days are counted anew each night: what they are made of must still be there.
    """

    erase: bool = False
    loan_months: Annotated[int, Field(ge=2, le=60)] = LOAN_MONTHS
    reader_months: Annotated[int, Field(ge=2, le=120)] = READER_MONTHS

    def months(self) -> tuple[int, int] | None:
        """How long loans, and readers, are kept, in months; None while nothing is removed."""
        return (self.loan_months, self.reader_months) if self.erase else None

    def terms(self, today: date) -> Terms:
        """What has been kept long enough on a day of the library."""
        return Terms.on(today, loan_months=self.loan_months, reader_months=self.reader_months)

    @model_validator(mode="after")
    def _readers_outlast_loans(self) -> Self:
        if self.reader_months < self.loan_months:
            raise ValueError("reader_months doit être au moins égal à loan_months : un lecteur reste avec ses prêts")
        return self


class RedirectSettings(Section):
    """A test installation: every message goes to one recipient, except those allowed by name."""

    email: Email
    mobile: Annotated[str, AfterValidator(usable_mobile)]
    allow: list[Annotated[str, AfterValidator(usable_recipient)]] = []


class ConditionSettings(Section):
    """When a channel of a stage is used. A number or an address is always needed: `mobile_known` only says so."""

    mobile_known: Literal[True] | None = None
    no_usable_email: bool = False
    categories: list[Literal["student", "staff", "external", "other"]] = []
    minimum_loan_days: Annotated[int, Field(ge=0, le=3650)] = 0


class ChannelSettings(Section):
    """One channel of a stage."""

    channel: Literal["email", "sms", "letter", "registered_letter"]
    conditions: ConditionSettings = ConditionSettings()


class StageSettings(Section):
    """When a stage falls and what goes out."""

    offset_days: Annotated[int, Field(ge=-60, le=365)]
    hour: Annotated[str, Field(pattern=HOUR)]
    channels: Annotated[list[ChannelSettings], Field(min_length=1)]

    @property
    def starts_at(self) -> time:
        """The hour of the day, in the library's time zone, at which the DAG starts."""
        return time.fromisoformat(self.hour)


class StagesSettings(Section):
    """The five stages; all are needed."""

    courtesy_notice: StageSettings
    overdue_notice: StageSettings
    first_reminder: StageSettings
    second_reminder: StageSettings
    registered_letter: StageSettings

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        offsets = [self.of(stage).offset_days for stage in Stage]
        if offsets != sorted(set(offsets)):
            raise ValueError(f"offset_days doit croître d'une étape à la suivante, trouvé : {offsets}")
        return self

    @model_validator(mode="after")
    def _channels_of_the_stage(self) -> Self:
        for stage in Stage:
            wanted = {Channel(entry.channel) for entry in self.of(stage).channels}
            if wanted - STAGE_CHANNELS[stage]:
                allowed = ", ".join(sorted(STAGE_CHANNELS[stage]))
                raise ValueError(f"{stage}.channels : canaux permis à cette étape : {allowed}")
        return self

    def of(self, stage: Stage) -> StageSettings:
        """The settings of one stage."""
        found: StageSettings = getattr(self, stage.value)
        return found
