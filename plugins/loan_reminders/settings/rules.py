"""From the sections of `library.toml` to values of the domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.letters.batches import EnvelopeWindow, LetterLayout
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.stages import Channel, ChannelRule, PatronCategory, Stage, StageRule
from loan_reminders.settings.channels import LetterSettings, SmsSettings
from loan_reminders.settings.notices import NoticeSettings
from loan_reminders.settings.sections import ChannelSettings, LibrarySettings, RedirectSettings, StageSettings


def own_addresses(library: LibrarySettings) -> Iterator[tuple[str, ...]]:
    """Where the library itself is: the last two lines of its address, and of each branch's."""
    yield tuple(library.address[-2:])
    for branch in library.branches:
        lines = [line.strip() for line in branch.address.split(",") if line.strip()]
        if len(lines) > 1:
            yield tuple(lines[-2:])


def by_code(categories: Mapping[Any, list[str]]) -> dict[str, PatronCategory]:
    """The category of each code of the ILS."""
    return {code: PatronCategory(name) for name, members in categories.items() for code in members}


def redirect_of(settings: RedirectSettings) -> Redirect:
    """Where a test installation sends everything."""
    return Redirect(
        email=EmailAddress(value=settings.email),
        mobile=MobileNumber(value=settings.mobile),
        allow=frozenset(
            EmailAddress(value=entry) if "@" in entry else MobileNumber(value=entry) for entry in settings.allow
        ),
    )


def layout_of(settings: LetterSettings) -> LetterLayout:
    """How letters are laid out."""
    return LetterLayout(
        window=EnvelopeWindow(settings.window),
        logo=settings.logo,
        recto_start=settings.recto_start,
        signature=tuple(settings.signature),
        deadline_days=settings.deadline_days,
        rules_reference=settings.rules_reference,
        letters_per_file=settings.letters_per_file,
    )


def stage_rule(stage: Stage, settings: StageSettings, sms: SmsSettings) -> StageRule:
    """When a stage falls, and by which channels for whom."""
    return StageRule(
        stage=stage,
        offset_days=settings.offset_days,
        channels=_channel_rules(settings.channels, sms, held_back=sms.held_back()),
    )


def notice_rule(stage: Stage, settings: NoticeSettings, sms: SmsSettings) -> StageRule:
    """How long after its day another notice may be told, and by which channels for whom."""
    return StageRule(
        stage=stage,
        offset_days=0,
        channels=_channel_rules(settings.channels, sms),
        days_back=settings.days_back,
        starts_on=settings.starts_on,
    )


def _channel_rules(
    channels: Sequence[ChannelSettings], sms: SmsSettings, *, held_back: Holdback | None = None
) -> tuple[ChannelRule, ...]:
    return tuple(
        ChannelRule(
            channel=Channel(entry.channel),
            categories=frozenset(PatronCategory(name) for name in entry.conditions.categories),
            minimum_loan_days=entry.conditions.minimum_loan_days,
            only_without_email=entry.conditions.no_usable_email,
            expires_after_days=sms.expires_after_days if entry.channel == Channel.SMS.value else None,
            holdback=held_back if entry.channel == Channel.SMS.value else None,
        )
        for entry in channels
    )
