"""Every message a reader may get, as files to look at: `loan-reminders preview` (`make preview`).

The words are those of `templates/`, the library that of `library.toml`. E-mails as HTML, text and, where a Chromium is
found, as images of a telephone (light and dark) and of a large screen; SMS as text with their count; letters as PDF
and PNG. `index.html` shows them all. Nothing is sent, nothing is read but those files.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path

from loan_reminders.commands.reader_rights.output_file import STANDARD_OUTPUT, handed_over
from loan_reminders.commands.registry import command_parser, library_option
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.plurals import many
from loan_reminders.french.refusals import sentence
from loan_reminders.french.words import CHANNELS, STAGES
from loan_reminders.places import HOME
from loan_reminders.services.compose import email_composer, text_composer
from loan_reminders.services.previews import Sample, samples
from loan_reminders.settings.libraries import of_library
from loan_reminders.settings.library_toml import Settings, settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREENS = {
    "telephone": (390, 1600, ""),
    "telephone-sombre": (390, 1600, "--force-dark-mode"),
    "ecran": (1100, 1200, ""),
}
"""Widths and heights in pixels; a longer message is cut below."""

INDEX = "index.html"
_BROWSER_SECONDS = 60


class BrowserFailed(Exception):
    """There is a Chromium, and it makes no images; the message is the class of what went wrong."""


def browser() -> str:
    """The Chromium of this machine, or nothing."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), "")


def write_previews(ours: Settings, folder: Path, *, now: datetime, chromium: str = "") -> list[Path]:
    """Write every preview as of `now` below `folder`; returns the files, in order.

    Raises TemplateError, or another ReminderError, when a message cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Path] = []
    for stage in ours.all_stages:
        for channel in sorted(ours.channels_of(stage)):
            place = folder / stage / channel
            place.mkdir(parents=True, exist_ok=True)
            if channel is Channel.EMAIL:
                found += _emails(ours, stage, place, now, chromium)
            elif channel is Channel.SMS:
                found += _texts(ours, stage, place, now)
            else:
                found += _letters(ours, stage, channel, place, now)
    return found


def _each(ours: Settings, stage: Stage, channel: Channel, now: datetime) -> Iterator[tuple[str, Sample]]:
    from loan_reminders.rendering.templates import Templates

    for language in Templates(ours.templates).languages(stage, channel):
        for sample in samples(
            ours.policy(), ours.identity(), stage=stage, channel=channel, language=language, today=now.date()
        ):
            yield f"{language}-{sample.name}", sample


def _emails(ours: Settings, stage: Stage, place: Path, now: datetime, chromium: str) -> Iterator[Path]:
    compose = email_composer(ours.templates, ours.email_identity().for_a_look(), stage=stage, clock=lambda: now)
    for name, sample in _each(ours, stage, Channel.EMAIL, now):
        mail = compose(sample.delivery)
        message = message_from_bytes(mail.content, policy=policy.default)
        part = message.get_body(("html",)) if isinstance(message, EmailMessage) else None
        html = str(part.get_content()) if part else ""
        yield _write(place / f"{name}.eml", mail.content)
        page = _write(place / f"{name}.html", html.encode())
        yield page
        yield _write(place / f"{name}.txt", f"{mail.subject}\n\n{mail.text}\n".encode())
        for screen, (width, height, option) in SCREENS.items() if chromium else ():
            image = place / f"{name}-{screen}.png"
            _photograph(chromium, page, image, width=width, height=height, option=option)
            yield image


def _photograph(chromium: str, page: Path, image: Path, *, width: int, height: int, option: str) -> None:
    with tempfile.TemporaryDirectory() as profile:
        command = [
            chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            *([option] if option else []),
            f"--user-data-dir={profile}", f"--window-size={width},{height}", f"--screenshot={image}", page.as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_BROWSER_SECONDS)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            raise BrowserFailed(type(error).__name__) from None


def _texts(ours: Settings, stage: Stage, place: Path, now: datetime) -> Iterator[Path]:
    compose = text_composer(ours.templates, ours.text_rules(), stage=stage, library=ours.identity(), clock=lambda: now)
    for name, sample in _each(ours, stage, Channel.SMS, now):
        for first, end in ((False, ""), (True, "-premier")):
            message = compose(replace(sample.delivery, first=first))
            count = f"{len(message.text)} caractères, segments : {message.segments}"
            yield _write(place / f"{name}{end}.txt", f"{message.text}\n\n({count})\n".encode())


def _letters(ours: Settings, stage: Stage, channel: Channel, place: Path, now: datetime) -> Iterator[Path]:
    from loan_reminders.rendering.letters.renderer import LetterRenderer

    renderer = LetterRenderer(ours.templates, library=ours.identity(), workers=1, layout=ours.letter_layout())
    for name, sample in _each(ours, stage, channel, now):
        letter = renderer.letter(sample.delivery, today=sample.today)
        with tempfile.TemporaryDirectory() as scratch:
            batch = renderer.print_batch([letter], stage=stage, kind=channel, today=sample.today, folder=Path(scratch))
            for number, made in enumerate(batch.pdfs):
                yield Path(shutil.move(made, place / f"{name}{f'-{number + 1}' if number else ''}.pdf"))
        program = shutil.which("pdftoppm")
        if program:
            pdf, start = place / f"{name}.pdf", place / name
            subprocess.run([program, "-r", "80", "-png", pdf, start], check=True, capture_output=True)  # noqa: S603
            yield from sorted(place.glob(f"{name}-*.png"))


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def write_index(folder: Path, files: list[Path]) -> Path:
    """The page that shows every preview, with the images beside their links."""
    parts = [
        "<!DOCTYPE html>\n<html lang='fr'><head><meta charset='utf-8'><title>Aperçu des messages</title></head><body>"
    ]
    parts.append("<h1>Aperçu des messages</h1>")
    place = None
    for path in files:
        if path.parent != place:
            place = path.parent
            stage, channel = Stage(place.parent.name), Channel(place.name)
            parts.append(f"<h2>{escape(STAGES[stage])} : {escape(CHANNELS[channel])}</h2>")
        link = escape(path.relative_to(folder).as_posix())
        shown = f"<br><img src='{link}' alt='' width='300'>" if path.suffix == ".png" else ""
        parts.append(f"<p><a href='{link}'>{escape(path.name)}</a>{shown}</p>")
    return _write(folder / INDEX, "\n".join([*parts, "</body></html>\n"]).encode())


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the previews to a folder, anew; returns 0, or 1 after saying why a message cannot be written."""
    parser = command_parser("preview", more="Les mots sont ceux des modèles. Rien n'est envoyé.")
    usual = HOME / "var" / "previews"
    words = f"un dossier nouveau ou vide ({usual}, refait) ; - : le tout, en .tar, sur la sortie standard"
    parser.add_argument("--sortie", type=Path, default=usual, metavar="DOSSIER", help=words)
    library_option(parser)
    asked = parser.parse_args(arguments)
    folder: Path = asked.sortie
    if folder == usual:
        shutil.rmtree(folder, ignore_errors=True)
    elif (
        folder != STANDARD_OUTPUT and folder.exists() and not (folder.is_dir() and next(folder.iterdir(), None) is None)
    ):
        parser.error(f"--sortie {folder} : un dossier nouveau ou vide est attendu")
    try:
        with of_library(asked.bibliotheque):
            ours = settings()
        if folder == STANDARD_OUTPUT:
            with handed_over(folder) as hand_over:
                hand_over(*_archive(ours))
        else:
            sys.stdout.write(f"{_write_all(ours, folder)} À ouvrir : {folder / INDEX}\n")
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    except subprocess.SubprocessError as error:
        said = f"pdftoppm ne fait pas les images des lettres ({type(error).__name__}) : le réparer, ou l'ôter"
        sys.stderr.write(f"{said}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"--sortie {folder} : écriture impossible ({error.strerror})\n")
        return 1
    return 0


def _archive(ours: Settings) -> tuple[bytes, str]:
    """All of it as one archive, whose files are in the folder `apercus`; and a line about it."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(fileobj=packed, mode="w") as archive:
        said = _write_all(ours, Path(scratch))
        archive.add(scratch, "apercus")
    return packed.getvalue(), f"{said} À ouvrir : apercus/{INDEX}"


def _write_all(ours: Settings, folder: Path) -> str:
    """Every preview and the page that shows them; returns how many, and what could not be made."""
    chromium, now = browser(), datetime.now(ours.zone)
    said = [] if chromium else ["Aucun Chromium sur cette machine : les images des e-mails ne sont pas faites."]
    try:
        files = write_previews(ours, folder, now=now, chromium=chromium)
    except BrowserFailed as failed:
        said.append(f"Le Chromium d'ici ne marche pas ({failed}) : les images des e-mails ne sont pas faites.")
        files = write_previews(ours, folder, now=now)
    write_index(folder, files)
    if not shutil.which("pdftoppm"):
        said.append("pdftoppm (poppler-utils) manque : les images des lettres ne sont pas faites.")
    return " ".join([*said, f"{many(len(files), 'fichier', 'fichiers')}."])
