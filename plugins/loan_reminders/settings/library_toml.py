"""`library.toml`, the one file a library edits: read once, checked whole, refused with a message anybody can act on.

The file is named by the environment variable REMINDERS_CONFIG; without it, `library.toml` at the root of the
installation is read. `loan-reminders check-settings` checks it, and the templates,
from the command line.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from loan_reminders.domain.email.identity import EmailIdentity
from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.letters.batches import EnvelopeWindow, LetterLayout
from loan_reminders.domain.library import Branch, LibraryIdentity
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.domain.runs.reading.doubts import ReadingGuard
from loan_reminders.domain.runs.volume import VolumeGuard
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.domain.sms.sending_window import MIDNIGHT, SendingWindow
from loan_reminders.domain.sms.text import TextRules
from loan_reminders.domain.stages import Channel, ChannelRule, PatronCategory, Policy, Stage, StageRule
from loan_reminders.places import TEMPLATES as TEMPLATES
from loan_reminders.settings.channels import BounceSettings, EmailSettings, LetterSettings, SmsSettings, holiday_region
from loan_reminders.settings.ils import IlsSettings
from loan_reminders.settings.messages import explain
from loan_reminders.settings.sections import (
    AlertSettings,
    CapSettings,
    LibrarySettings,
    RedirectSettings,
    StageSettings,
    StagesSettings,
    StatisticsSettings,
    VolumeGuardSettings,
)
from loan_reminders.settings.values import ROOT as ROOT
from loan_reminders.settings.values import Section


class Settings(Section):
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
    alerts: AlertSettings = AlertSettings()
    redirect: RedirectSettings | None = None
    stages: StagesSettings

    @property
    def zone(self) -> ZoneInfo:
        """The library's time zone."""
        return ZoneInfo(self.library.time_zone)

    def policy(self) -> Policy:
        """The procedure as the rules want it."""
        rules = tuple(_stage_rule(stage, self.stages.of(stage), self.sms) for stage in Stage)
        return Policy(rules=rules, starts_on=self.library.starts_on)

    def guard(self) -> VolumeGuard:
        """When a run must be approved before it sends."""
        floors, caps = self.volume_guard.floors.model_dump(), self.caps.model_dump()
        return VolumeGuard(
            factor=self.volume_guard.factor,
            floors={channel: floors[channel.value] for channel in Channel},
            caps={channel: caps[channel.value] for channel in Channel},
            reading=ReadingGuard(
                empty_day_median=self.volume_guard.empty_day_median,
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
        return SmsPrice(segment=self.sms.segment_price, says_euros=self.sms.api == "rest")

    def letter_layout(self) -> LetterLayout:
        """How letters are laid out."""
        ours = self.letters
        return LetterLayout(
            window=EnvelopeWindow(ours.window),
            logo=ours.logo,
            recto_start=ours.recto_start,
            signature=tuple(ours.signature),
            deadline_days=ours.deadline_days,
            rules_reference=ours.rules_reference,
            letters_per_file=ours.letters_per_file,
        )

    def redirection(self) -> Redirect | None:
        """Where a test installation sends everything; None in production."""
        if self.redirect is None:
            return None
        return Redirect(
            email=EmailAddress(value=self.redirect.email),
            mobile=MobileNumber(value=self.redirect.mobile),
            allow=frozenset(
                EmailAddress(value=entry) if "@" in entry else MobileNumber(value=entry)
                for entry in self.redirect.allow
            ),
        )

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
        )

    def text_rules(self) -> TextRules:
        """What each SMS keeps to."""
        return TextRules(max_segments=self.sms.max_segments, opt_out_mention=self.sms.opt_out_mention)

    def codes(self) -> CodeMapping:
        """What the codes of the ILS mean."""
        return CodeMapping(
            patron_status=_by_code(self.ils.patron_categories),
            patron_type=_by_code(self.ils.patron_types),
            phone_columns=tuple(self.ils.phone_columns),
            default_language=self.ils.default_language,
            sms_countries=frozenset(self.sms.countries),
            own_addresses=tuple(_own_addresses(self.library)),
            zone=self.zone,
            unknown_category=PatronCategory(self.ils.unknown_category),
            languages=dict(self.ils.languages),
            branches=frozenset(branch.code for branch in self.library.branches),
        )


def _own_addresses(library: LibrarySettings) -> Iterator[tuple[str, ...]]:
    """Where the library itself is: the last two lines of its address, and of each branch's."""
    yield tuple(library.address[-2:])
    for branch in library.branches:
        lines = [line.strip() for line in branch.address.split(",") if line.strip()]
        if len(lines) > 1:
            yield tuple(lines[-2:])


def _by_code(categories: Mapping[Any, list[str]]) -> dict[str, PatronCategory]:
    return {code: PatronCategory(name) for name, members in categories.items() for code in members}


def _stage_rule(stage: Stage, settings: StageSettings, sms: SmsSettings) -> StageRule:
    return StageRule(
        stage=stage,
        offset_days=settings.offset_days,
        channels=tuple(
            ChannelRule(
                channel=Channel(entry.channel),
                categories=frozenset(PatronCategory(name) for name in entry.conditions.categories),
                minimum_loan_days=entry.conditions.minimum_loan_days,
                only_without_email=entry.conditions.no_usable_email,
                expires_after_days=sms.expires_after_days if entry.channel == Channel.SMS.value else None,
            )
            for entry in settings.channels
        ),
    )


def settings_path() -> Path:
    """Where `library.toml` is."""
    return Path(os.environ.get("REMINDERS_CONFIG") or ROOT / "library.toml")


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
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(explain(path, Settings, values, error)) from None


@cache
def settings() -> Settings:
    """The library's settings, read once in each process."""
    return read_settings(settings_path())
