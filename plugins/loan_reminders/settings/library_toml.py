"""`library.toml`, the one file a library edits: read once, checked whole, refused with a message anybody can act on.

The file is named by the environment variable REMINDERS_CONFIG; without it, `library.toml` at the root of the
installation is read. Several libraries have a folder of such files (`settings.libraries`). `loan-reminders
check-settings` checks them, and the templates, from the command line.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import PrivateAttr, ValidationError, model_validator

from loan_reminders.domain.dag_ids import dag_id
from loan_reminders.domain.email.identity import EmailIdentity
from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.letters.batches import LetterLayout
from loan_reminders.domain.library import Branch, LibraryIdentity
from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.domain.runs.reading.doubts import ReadingGuard
from loan_reminders.domain.runs.volume import VolumeGuard
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.domain.sms.sending_window import MIDNIGHT, SendingWindow
from loan_reminders.domain.sms.text import TextRules
from loan_reminders.domain.stages import Channel, PatronCategory, Policy, Stage
from loan_reminders.french.words import STAGES
from loan_reminders.places import TEMPLATES as TEMPLATES
from loan_reminders.rendering.template_folders import TemplateFolders, TemplatePlace, folders
from loan_reminders.settings.channels import (
    OWN_TEMPLATES,
    BounceSettings,
    EmailSettings,
    LetterSettings,
    SmsSettings,
    holiday_region,
)
from loan_reminders.settings.consent import consent_codes, sms_rules
from loan_reminders.settings.costs import CostSettings
from loan_reminders.settings.files import kept_while_unchanged, own_templates
from loan_reminders.settings.ils import IlsSettings
from loan_reminders.settings.libraries import CODE, current_file, current_library, several
from loan_reminders.settings.libraries import settings_path as settings_path
from loan_reminders.settings.messages import PATTERNS, explain
from loan_reminders.settings.notices import ToldSettings, with_statements
from loan_reminders.settings.rules import by_code, layout_of, notice_rule, own_addresses, redirect_of, stage_rule
from loan_reminders.settings.sections import (
    AlertSettings,
    CapSettings,
    LibrarySettings,
    RedirectSettings,
    RetentionSettings,
    StatisticsSettings,
    VolumeGuardSettings,
)
from loan_reminders.settings.survey import SurveySettings
from loan_reminders.settings.values import ROOT as ROOT


class Settings(ToldSettings):
    """The whole of `library.toml`."""

    library: LibrarySettings
    ils: IlsSettings
    email: EmailSettings
    sms: SmsSettings
    letters: LetterSettings = LetterSettings()
    bounces: BounceSettings = BounceSettings()
    caps: CapSettings = CapSettings()
    volume_guard: VolumeGuardSettings = VolumeGuardSettings()
    statistics: StatisticsSettings = StatisticsSettings()
    costs: CostSettings = CostSettings()
    alerts: AlertSettings = AlertSettings()
    retention: RetentionSettings = RetentionSettings()
    redirect: RedirectSettings | None = None
    survey: SurveySettings | None = None
    _own_templates: Path | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:
        """Remember where the library's own templates are, which its file does not say."""
        self._own_templates = (context or {}).get(OWN_TEMPLATES)

    @model_validator(mode="after")
    def _each_notice_has_its_statement(self) -> Self:
        with_statements(self.notices, self.ils.kind)
        return self

    @property
    def templates(self) -> TemplatePlace:
        """The words for readers: the common ones, under the library's own where it has some."""
        return TemplateFolders(self._own_templates, TEMPLATES) if self._own_templates else TEMPLATES

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Their folders, the one that counts first."""
        return folders(self.templates)

    @property
    def zone(self) -> ZoneInfo:
        """The library's time zone."""
        return ZoneInfo(self.library.time_zone)

    def policy(self) -> Policy:
        """The procedure as the rules want it."""
        rules = tuple(stage_rule(stage, self.stages.of(stage), self.sms) for stage in Stage)
        others = tuple(notice_rule(stage, self.notices[stage.value], self.sms) for stage in self.other_notices)
        sms = sms_rules(self.sms.populations, self.sms.consent)
        return Policy(rules=rules, starts_on=self.library.starts_on, sms=sms, others=others)

    def guard(self) -> VolumeGuard:
        """When a run must be approved before it sends."""
        floors, caps = self.volume_guard.floors.model_dump(), self.caps.model_dump()
        return VolumeGuard(
            factor=self.volume_guard.factor,
            floors={channel: floors[channel.value] for channel in Channel},
            caps={channel: caps[channel.value] for channel in Channel},
            reading=ReadingGuard(
                empty_day_median=self.volume_guard.empty_day_median,
                few_loans_share=self.volume_guard.few_loans_share,
                share_drop=self.volume_guard.share_drop,
                share_floor=self.volume_guard.share_floor,
                runs=self.volume_guard.runs,
                is_closed=self._is_holiday,
            ),
        )

    def _is_holiday(self, day: date) -> bool:
        """Whether the library's country has a public holiday."""
        from holidays import country_holidays

        country, region = holiday_region(self.sms.window.holidays_of)
        return day in country_holidays(country, subdiv=region, years=day.year)

    def sms_window(self) -> SendingWindow:
        """When SMS may leave."""
        window = self.sms.window

        def is_holiday(day: date) -> bool:
            return not window.on_holidays and self._is_holiday(day)

        return SendingWindow(
            opens=time.fromisoformat(window.opens),
            closes=None if window.closes == MIDNIGHT else time.fromisoformat(window.closes),
            weekdays=frozenset(window.weekdays),
            is_holiday=is_holiday,
        )

    def sms_budget(self) -> SmsBudget:
        """What SMS may cost."""
        return SmsBudget(**self.sms.budget.model_dump())

    def sms_price(self) -> SmsPrice:
        """What an SMS costs in money."""
        return SmsPrice(segment=self.sms.segment_price)

    def letter_layout(self) -> LetterLayout:
        """How letters are laid out."""
        return layout_of(self.letters)

    def redirection(self) -> Redirect | None:
        """Where a test installation sends everything; None in production."""
        return redirect_of(self.redirect) if self.redirect else None

    def identity(self) -> LibraryIdentity:
        """The library as readers are told of it."""
        ours = self.library
        return LibraryIdentity(
            name=ours.name,
            short_name=ours.short_name,
            address_lines=tuple(ours.address),
            email=ours.email,
            phone=ours.phone,
            website=ours.website,
            account_url=ours.account_url,
            account_label=ours.account_label,
            branches=tuple(Branch(**branch.model_dump()) for branch in ours.branches),
        )

    def email_identity(self) -> EmailIdentity:
        """Who signs the e-mails."""
        ours = self.email
        return EmailIdentity(
            library=self.identity(),
            sender_name=ours.sender_name,
            sender_address=ours.sender_address,
            reply_to=ours.reply_to,
            list_unsubscribe=ours.list_unsubscribe,
            survey=self.survey.survey() if self.survey else None,
        )

    def text_rules(self) -> TextRules:
        """What each SMS keeps to."""
        return TextRules(max_segments=self.sms.max_segments, opt_out_mention=self.sms.opt_out_mention)

    def codes(self) -> CodeMapping:
        """What the codes of the ILS mean."""
        return CodeMapping(
            patron_status=by_code(self.ils.patron_categories),
            patron_type=by_code(self.ils.patron_types),
            phone_columns=tuple(self.ils.phone_columns),
            default_language=self.ils.default_language,
            sms_countries=frozenset(self.sms.countries),
            own_addresses=tuple(own_addresses(self.library)),
            zone=self.zone,
            unknown_category=PatronCategory(self.ils.unknown_category),
            languages=dict(self.ils.languages),
            branches=frozenset(branch.code for branch in self.library.branches),
            consent=consent_codes(self.sms.consent),
        )


@kept_while_unchanged
def read_settings(path: Path) -> Settings:
    """Read and check one file. Raises SettingsError naming every wrong key, its value and what is allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "le fichier n'est pas en UTF-8"
        raise SettingsError(
            f"{path} : fichier illisible ({reason}). REMINDERS_CONFIG doit nommer library.toml."
        ) from None
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} : ce n'est pas du TOML valide ({error})") from None
    try:
        return Settings.model_validate(values, context={OWN_TEMPLATES: own_templates(path)})
    except ValidationError as error:
        raise SettingsError(explain(path, Settings, values, error)) from None


def read_library(path: Path) -> Settings:
    """Read and check one file of a folder, whose name must be its library's code. Raises SettingsError."""
    name = path.stem
    if not re.match(CODE, name):
        raise SettingsError(f"{path} : le nom d'un fichier est le code de sa bibliothèque ; il faut {PATTERNS[CODE]}")
    ours = read_settings(path)
    if ours.library.code != name:
        raise SettingsError(
            f'{path} : library.code = "{ours.library.code}" : le fichier de cette bibliothèque doit s\'appeler'
            f" {ours.library.code}.toml ; celui-ci est celui de « {name} »"
        )
    return ours


read_once = cache(read_settings)
read_library_once = cache(read_library)
"""The same, each file once in each process."""


def settings() -> Settings:
    """The settings of the current library (`settings.libraries`), read once in each task, and for each request.

    Raises SettingsError when its file is wrong, and when there are several libraries and none is current.
    """
    file = settings_path()
    if file.is_dir():
        return read_library_once(current_file())
    ours, asked = read_once(file), current_library()
    if asked not in (None, ours.library.code):
        raise SettingsError(f"{file} : pas de bibliothèque « {asked} » ; la seule est « {ours.library.code} »")
    return ours


def our_dag_id(name: str) -> str:
    """The id of a DAG of the current library: a stage's, or of what runs beside the stages.

    Raises SettingsError when none of several is current; what is in its file need not be right.
    """
    return dag_id(name, current_file().stem if several() else None)


def _title_of(name: str) -> str | None:
    """What the current library calls one of its notices; None when it has none of this name, or nobody knows."""
    with suppress(SettingsError, KeyError):
        return settings().notices[name].title
    return None


STAGES.title_of = _title_of


def forget_settings() -> None:
    """Read the files anew at the next question."""
    read_once.cache_clear()
    read_library_once.cache_clear()


settings.cache_clear = forget_settings  # type: ignore[attr-defined]  # as a function with a cache has it
