"""The sections of `library.toml`: every key, its type and its limits."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.extraction import PHONE_COLUMNS
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.recipients.mobile_number import FRENCH_COUNTRIES
from loan_reminders.domain.sms_text import check_sender
from loan_reminders.domain.stages import STAGE_CHANNELS, Channel, Stage

ROOT = Path(__file__).resolve().parents[2]
"""The installation's root: the folder of library.toml, templates/ and sql/."""


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("un fuseau horaire connu est attendu, par exemple « Europe/Paris »")
    return name


def _usable_email(text: str) -> str:
    try:
        return EmailAddress.parse(text).value
    except RecipientError:
        raise ValueError("une adresse électronique est attendue, par exemple « pret@bu.exemple.fr »") from None


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")) or any(character.isspace() for character in text):
        raise ValueError("une adresse web commençant par https:// ou http:// est attendue")
    return text


def _legal_sender(text: str) -> str:
    check_sender(text)
    return text


def _known_ils(kind: str) -> str:
    kinds = sorted(path.parent.name for path in (ROOT / "sql").glob("*/loans_due.sql"))
    if kind not in kinds:
        raise ValueError(f"valeurs permises : {', '.join(kinds)} (les dossiers de sql/)")
    return kind


def _usable_mobile(text: str) -> str:
    try:
        return MobileNumber.parse(text).value
    except RecipientError:
        raise ValueError("un numéro de mobile est attendu, par exemple « 06 12 34 56 78 »") from None


def _usable_recipient(text: str) -> str:
    return _usable_email(text) if "@" in text else _usable_mobile(text)


def _known_holidays(place: str) -> str:
    from holidays import country_holidays

    country, _, region = place.partition("-")
    try:
        country_holidays(country, subdiv=region or None)
    except NotImplementedError:
        raise ValueError("un pays, avec ou sans région, est attendu, par exemple « FR » ou « FR-57 »") from None
    return place


def _phone_column(name: str) -> str:
    if name not in PHONE_COLUMNS:
        raise ValueError(f"valeurs permises : {', '.join(PHONE_COLUMNS)}")
    return name


Text = Annotated[str, Field(min_length=1, max_length=200)]
Email = Annotated[str, AfterValidator(_usable_email)]
Url = Annotated[str, AfterValidator(_web_address)]
COUNTRY = r"^[A-Z]{2}$"
CLOSING_HOUR = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"
HOUR = r"^([01]\d|2[0-3]):[0-5]\d$"


class Section(BaseModel):
    """A section refuses keys it does not know and values of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BranchSettings(Section):
    """One branch, as readers are told of it."""

    code: Text
    name: Text
    hours: str = ""
    address: str = ""


class LibrarySettings(Section):
    """The library's identity and address."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    name: Text
    short_name: Annotated[str, Field(min_length=1, max_length=20)]
    address: Annotated[list[Text], Field(min_length=2, max_length=6)]
    email: Email
    phone: Text
    website: Url
    account_url: Url
    account_label: Text
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    branches: list[BranchSettings] = []


class IlsSettings(Section):
    """Which ILS, and what its codes mean."""

    kind: Annotated[str, AfterValidator(_known_ils)]
    binds: dict[str, str] = {}
    patron_categories: dict[Literal["student", "staff", "external"], list[str]]
    patron_types: dict[Literal["student", "staff", "external"], list[str]] = {}
    phone_columns: list[Annotated[str, AfterValidator(_phone_column)]] = list(PHONE_COLUMNS)
    default_language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "fr"
    call_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    array_size: Annotated[int, Field(ge=500, le=1000)] = 1000

    @model_validator(mode="after")
    def _one_category_per_code(self) -> Self:
        for name, categories in (("patron_categories", self.patron_categories), ("patron_types", self.patron_types)):
            codes = [code for members in categories.values() for code in members]
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise ValueError(f"{name} : code présent dans deux catégories : {', '.join(twice)}")
        return self


class EmailSettings(Section):
    """Who signs the e-mails, and over how many connections they leave."""

    sender_name: Text
    sender_address: Email
    reply_to: Email
    connections: Annotated[int, Field(ge=1, le=32)] = 4


class WindowSettings(Section):
    """When SMS may leave, by the library's clock; `weekdays` are ISO (1 is Monday)."""

    opens: Annotated[str, Field(pattern=HOUR)] = "10:00"
    closes: Annotated[str, Field(pattern=CLOSING_HOUR)] = "19:00"
    weekdays: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1)] = [1, 2, 3, 4, 5, 6]
    on_holidays: bool = False
    holidays_of: Annotated[str, AfterValidator(_known_holidays)] = "FR"

    @model_validator(mode="after")
    def _open_for_a_while(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("window : « opens » doit être avant « closes »")
        return self


class BudgetSettings(Section):
    """How many segments SMS may cost: a day, a month; below `floor` left on the account nothing leaves."""

    daily: Annotated[int, Field(ge=0)] = 500
    monthly: Annotated[int, Field(ge=0)] = 5000
    reserve: Annotated[int, Field(ge=0)] = 1000
    floor: Annotated[int, Field(ge=0)] = 100


class SmsSettings(Section):
    """Who signs the SMS, how long, how many, when and at what cost they may be."""

    sender: Annotated[str, AfterValidator(_legal_sender)]
    api: Literal["legacy", "rest"] = "legacy"
    opt_out_mention: Annotated[str, Field(max_length=40)] = "STOP au 36180"
    max_segments: Annotated[int, Field(ge=1, le=8)] = 1
    batch_size: Annotated[int, Field(ge=1, le=2000)] = 100
    countries: Annotated[list[Annotated[str, Field(pattern=COUNTRY)]], Field(min_length=1)] = sorted(FRENCH_COUNTRIES)
    expires_after_days: Annotated[int, Field(ge=1, le=365)] = 3
    simulate_dry_runs: bool = False
    dead_after_failures: Annotated[int, Field(ge=1, le=20)] = 2
    window: WindowSettings = WindowSettings()
    budget: BudgetSettings = BudgetSettings()


class LetterSettings(Section):
    """How letters are laid out."""

    workers: Annotated[int, Field(ge=1, le=32)] = 2


class CapSettings(Section):
    """The deliveries of one run, by channel, beyond which a person must approve it, whatever the past."""

    email: Annotated[int, Field(ge=0)] = 5000
    sms: Annotated[int, Field(ge=0)] = 500
    letter: Annotated[int, Field(ge=0)] = 500
    registered_letter: Annotated[int, Field(ge=0)] = 100


class FloorSettings(Section):
    """The deliveries of one run, by channel, below which no volume is unusual."""

    email: Annotated[int, Field(ge=0)] = 300
    sms: Annotated[int, Field(ge=0)] = 150
    letter: Annotated[int, Field(ge=0)] = 50
    registered_letter: Annotated[int, Field(ge=0)] = 20


class VolumeGuardSettings(Section):
    """A run with more than `factor` times the median of the stage's last `runs` runs must be approved."""

    factor: Annotated[float, Field(gt=1, le=100)] = 3.0
    runs: Annotated[int, Field(ge=1, le=365)] = 10
    floors: FloorSettings = FloorSettings()


class RedirectSettings(Section):
    """A test installation: every message goes to one recipient, except those allowed by name."""

    email: Email
    mobile: Annotated[str, AfterValidator(_usable_mobile)]
    allow: list[Annotated[str, AfterValidator(_usable_recipient)]] = []


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
