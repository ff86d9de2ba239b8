"""The sections of `library.toml` about e-mails, SMS and letters: every key, its type and its limits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from loan_reminders.domain.holdback import LARGEST_SHARE, Holdback
from loan_reminders.domain.recipients.mobile_number import FRENCH_COUNTRIES
from loan_reminders.domain.sms.text import check_sender
from loan_reminders.places import TEMPLATES
from loan_reminders.settings.consent import ConsentSettings, PopulationSettings
from loan_reminders.settings.values import CLOSING_HOUR, COUNTRY, HOUR, Email, Section, Text, known_zone, usable_email

ALSACE = ("67", "68")
_ALSACE_OF_THE_PACKAGE = "6AE"
OWN_TEMPLATES = "own_templates"
"""What the check of a file is told beside it: the folder of the library's own templates, where it has one."""
LONGEST_HOLDBACK = timedelta(days=366)
UNSUBSCRIBE = r"^$|^(https://\S+|mailto:\S+)$"


def _legal_sender(text: str) -> str:
    check_sender(text)
    return text


def _known_holidays(place: str) -> str:
    if place == "FR":  # reading the tables of every country takes longer than all other checks together
        return place
    from holidays import country_holidays, list_supported_countries

    try:
        country_holidays(*holiday_region(place))
    except NotImplementedError:
        known = list_supported_countries(include_aliases=False)
        country = place.partition("-")[0]
        asked = "un pays, avec ou sans région, est attendu, par exemple « FR » ou « FR-57 » ; "
        if country in known:
            raise ValueError(f"{asked}valeurs permises : {', '.join(_places(country, known[country]))}") from None
        french = ", ".join(_places("FR", known["FR"]))
        raise ValueError(f"{asked}pour la France : {french} ; pays permis : {', '.join(known)}") from None
    return place


def _places(country: str, regions: Iterable[str]) -> list[str]:
    """A country and its regions that have holidays of their own, as the settings name them; school zones have none."""
    parts = [one for one in regions if not one.startswith("Zone") and one != _ALSACE_OF_THE_PACKAGE]
    return sorted({country, *(f"{country}-{one}" for one in (*parts, *(ALSACE if country == "FR" else ())))})


def holiday_region(place: str) -> tuple[str, str | None]:
    """What a setting such as `FR-67` is called in the package `holidays`: the country and its region.

    The Code du travail (L3134-13) names three departments, Moselle, Bas-Rhin and Haut-Rhin; the package has the
    region Alsace for the last two.
    """
    country, _, region = place.partition("-")
    if country == "FR" and region in ALSACE:
        region = _ALSACE_OF_THE_PACKAGE
    return country, region or None


def _email_or_nothing(text: str) -> str:
    return usable_email(text) if text else ""


def _picture(name: str, info: ValidationInfo) -> str:
    if not name:
        return name
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".svg"):
        raise ValueError("un fichier .png, .jpg ou .svg sous templates/ est attendu, par exemple « _layouts/logo.svg »")
    own = (info.context or {}).get(OWN_TEMPLATES)
    if not (TEMPLATES / path).is_file() and not (own and (own / path).is_file()):
        raise ValueError(f"templates/{name} n'existe pas")
    return name


class EmailSettings(Section):
    """Who signs the e-mails, over how many connections and how fast they leave, and where they come back.

    A large run is shared out among at most `workers` tasks, which Airflow may run on as many machines; `connections`
    and `messages_per_minute` are those of all of them together.
    `messages_per_minute` 0: as fast as the server takes them. `bounce_address` empty: the sender's address; otherwise
    each message leaves with a return path of its own, `local+<delivery>@domain`. `connection` is Airflow's connection
    to the SMTP server.
    """

    sender_name: Text
    sender_address: Email
    reply_to: Email
    connections: Annotated[int, Field(ge=1, le=32)] = 8
    workers: Annotated[int, Field(ge=1, le=32)] = 1
    messages_per_minute: Annotated[int, Field(ge=0, le=600_000)] = 0
    bounce_address: Annotated[str, AfterValidator(_email_or_nothing)] = ""
    list_unsubscribe: Annotated[str, Field(pattern=UNSUBSCRIBE)] = ""
    connection: Text = "mail_relay"

    @model_validator(mode="after")
    def _a_connection_for_each(self) -> Self:
        if self.workers > self.connections:
            raise ValueError(
                f"workers = {self.workers} : chacun a besoin d'une connexion SMTP, il n'y en a que {self.connections}"
                " (connections) ; diminuer « workers » ou augmenter « connections »"
            )
        return self


class WindowSettings(Section):
    """When SMS may leave, by the library's clock; `weekdays` are ISO (1 is Monday)."""

    opens: Annotated[str, Field(pattern=HOUR)] = "10:00"
    closes: Annotated[str, Field(pattern=CLOSING_HOUR)] = "19:00"
    weekdays: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1)] = [1, 2, 3, 4, 5, 6]
    on_holidays: bool = False
    holidays_of: Annotated[str, AfterValidator(_known_holidays)] = "FR"

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("window : « opens » doit être avant « closes »")
        return self


class BudgetSettings(Section):
    """How many segments SMS may cost: a day, a month; below `floor` left on the account nothing leaves."""

    daily: Annotated[int, Field(ge=0)] = 500
    monthly: Annotated[int, Field(ge=0)] = 5000
    reserve: Annotated[int, Field(ge=0)] = 1000
    floor: Annotated[int, Field(ge=0)] = 100


class HoldbackSettings(Section):
    """SMS held back from a random `share` of the readers who have an e-mail, between two days, both included.

    `seed` decides who, with the reader's number: any text, of one's own choosing, that never changes meanwhile.
    """

    share: Annotated[float, Field(gt=0, le=LARGEST_SHARE, allow_inf_nan=False)]
    first: Annotated[date, Field(alias="from")]
    until: date
    seed: Annotated[str, Field(min_length=6, max_length=100)]

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.first >= self.until:
            raise ValueError(f"holdback : « from » ({self.first}) doit être avant « until » ({self.until})")
        if self.until - self.first > LONGEST_HOLDBACK:
            raise ValueError(
                f"holdback : du {self.first} au {self.until}, plus d'un an ; un essai ne dure pas si longtemps"
            )
        return self


class SmsSettings(Section):
    """Who signs the SMS; how long they may be, how many leave in one request, when, and at what cost.

    `segment_price` is in euros, 0 when it is not known: what a segment costs of which the provider told no euros.
    `holdback` is for a while alone. `connection` is Airflow's connection to the provider's account; `provider_zone` is
    the time zone of its dates, which name none.
    """

    sender: Annotated[str, AfterValidator(_legal_sender)]
    api: Literal["legacy", "rest"] = "legacy"
    provider_zone: Annotated[str, AfterValidator(known_zone)] = "Europe/Paris"
    opt_out_mention: Annotated[str, Field(max_length=40)] = "STOP au 36180"
    max_segments: Annotated[int, Field(ge=1, le=8)] = 1
    segment_price: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.0
    batch_size: Annotated[int, Field(ge=1, le=2000)] = 100
    countries: Annotated[list[Annotated[str, Field(pattern=COUNTRY)]], Field(min_length=1)] = sorted(FRENCH_COUNTRIES)
    expires_after_days: Annotated[int, Field(ge=1, le=365)] = 3
    simulate_dry_runs: bool = False
    dead_after_failures: Annotated[int, Field(ge=1, le=20)] = 2
    window: WindowSettings = WindowSettings()
    budget: BudgetSettings = BudgetSettings()
    populations: PopulationSettings = PopulationSettings()
    consent: ConsentSettings = ConsentSettings()
    holdback: HoldbackSettings | None = None
    connection: Text = "allmysms"

    def held_back(self) -> Holdback | None:
        """The SMS held back to measure their effect; None when none are."""
        if self.holdback is None:
            return None
        ours = self.holdback
        return Holdback(share=ours.share, first=ours.first, last=ours.until, seed=ours.seed)


class BounceSettings(Section):
    """What is done with the e-mails that come back to the mailbox of Airflow's connection `connection`.

    Bounces and auto-replies move to `done_folder`; a recipient is dead after one definite refusal, or after
    `soft_failures` temporary ones in a row.
    """

    folder: Text = "INBOX"
    done_folder: Text = "Relances traitées"
    soft_failures: Annotated[int, Field(ge=1, le=50)] = 5
    connection: Text = "bounce_mailbox"

    @model_validator(mode="after")
    def _two_folders(self) -> Self:
        if self.folder == self.done_folder:
            raise ValueError("bounces : « done_folder » doit être un autre dossier que « folder »")
        return self


class LetterSettings(Section):
    """How letters are laid out, put into batches and followed.

    `window` is the envelope's: its format and the height of its window in millimetres. `logo` is a PNG, JPEG or SVG
    below `templates/`. `recto_start` begins each letter on the front of a sheet. `letters_per_file` bounds the size of
    one PDF of a batch and the memory to make it, some 0.1 MB a letter. `acknowledgement_days` is how long after posting
    an acknowledgement is overdue.
    """

    workers: Annotated[int, Field(ge=1, le=32)] = 2
    window: Literal["DL-45", "DL-35", "C6/5-45", "C6/5-35"] = "DL-45"
    logo: Annotated[str, AfterValidator(_picture)] = ""
    recto_start: bool = True
    split_by_branch: bool = False
    letters_per_file: Annotated[int, Field(ge=1, le=5000)] = 1000
    signature: Annotated[list[Text], Field(min_length=1, max_length=4)] = ["Le service du prêt"]
    deadline_days: Annotated[int, Field(ge=1, le=90)] = 15
    rules_reference: Annotated[str, Field(max_length=300)] = ""
    guarantee_level: Literal["R1", "R2", "R3"] = "R1"
    approve_registered: bool = True
    acknowledgement_days: Annotated[int, Field(ge=1, le=365)] = 30
