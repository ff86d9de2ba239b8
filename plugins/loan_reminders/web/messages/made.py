"""Messages made for the page of messages: which is asked for, and what takes long to make kept until it changes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from stat import S_ISDIR
from urllib.parse import urlencode

from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.money import euros
from loan_reminders.french.pages.messages import AN_EXAMPLE, REAL_LOAN, SAMPLE_STAMP
from loan_reminders.services.previews import EmailPreview, Previews, samples
from loan_reminders.settings.library_toml import settings
from loan_reminders.web.shared_answers import SharedAnswer

MOST_KEPT = 64
LOOKED_AT_EVERY_S = 1.0
"""How often the folder of templates is looked at, in seconds, however many pages are open."""

_newest: SharedAnswer[float] = SharedAnswer(LOOKED_AT_EVERY_S, meanwhile=0)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which message is looked at."""

    stage: Stage
    channel: Channel
    language: str
    sample: str

    @property
    def query(self) -> str:
        """What the address asks for, to be led here again."""
        return urlencode({"etape": self.stage, "canal": self.channel, "langue": self.language, "exemple": self.sample})


def channels(stage: Stage) -> tuple[Channel, ...]:
    """The channels of a stage, in the order of all pages."""
    return tuple(channel for channel in Channel if channel in settings().channels_of(stage))


def previews() -> Previews:
    """The messages of this library, as of now."""
    ours = settings()
    return Previews(
        ours.templates,
        identity=ours.email_identity(),
        rules=ours.text_rules(),
        layout=ours.letter_layout(),
        clock=lambda: datetime.now(ours.zone),
    )


def sample(asked: Asked) -> Delivery:
    """The message of a made-up reader that is asked for."""
    ours = settings()
    made = samples(
        ours.policy(),
        ours.identity(),
        stage=asked.stage,
        channel=asked.channel,
        language=asked.language,
        today=today(),
    )
    return next(one.delivery for one in made if one.name == asked.sample)


def today() -> date:
    """The day, in the library's zone."""
    return datetime.now(settings().zone).date()


@dataclass(frozen=True, slots=True)
class Words:
    """Whose templates, and when one last changed: what was made before that, or for another library, is made anew."""

    library: str
    changed: float


def newest() -> Words:
    """The templates of this library as they were a second ago at most."""
    ours = settings()

    def last_change() -> float:
        files = (file for folder in ours.template_folders for file in folder.rglob("*"))
        return max(map(_changed, files), default=0.0)

    return Words(ours.library.code, _newest.get(ours.template_folders, last_change))


def _changed(path: Path) -> float:
    try:
        found = path.stat()
    except FileNotFoundError:  # an editor puts a new file in its place at this moment
        return 0.0
    return 0.0 if S_ISDIR(found.st_mode) else found.st_mtime


@lru_cache(maxsize=MOST_KEPT)
def languages(stage: Stage, channel: Channel, _: Words) -> Mapping[str, str]:
    """The languages of a stage's channel, with their French names."""
    return previews().languages(stage, channel)


@lru_cache(maxsize=MOST_KEPT)
def email(asked: Asked, _: date, __: Words) -> EmailPreview:
    """The e-mail of a made-up reader."""
    return previews().email(sample(asked))


@lru_cache(maxsize=MOST_KEPT)
def letter(asked: Asked, _: date, __: Words) -> tuple[bytes, ...]:
    """The pages of a letter to a made-up reader, as images."""
    return previews().letter(sample(asked), word=SAMPLE_STAMP, line=AN_EXAMPLE)


def document(delivery: Delivery) -> str:
    """The document of the frame for a real loan: an e-mail as it is, or the pages of a letter."""
    if delivery.channel is Channel.EMAIL:
        return previews().email(delivery).html
    pages = previews().letter(delivery, word=SAMPLE_STAMP, line=REAL_LOAN)
    images = (
        f'<img alt="Page {number}" src="data:image/png;base64,{b64encode(one).decode()}" style="width:100%">'
        for number, one in enumerate(pages, start=1)
    )
    return f'<!doctype html><html lang="fr"><meta charset="utf-8"><title>Lettre</title>{"".join(images)}</html>'


def cost(segments: int) -> str:
    """What an SMS costs, `0,05 €`; empty when the settings do not say the price of a segment."""
    price = settings().sms_price().of_text(segments)
    return "" if price is None else euros(price)
