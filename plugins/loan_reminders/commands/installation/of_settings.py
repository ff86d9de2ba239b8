"""Settings, templates with the worst data, and fonts: what is on this machine's own disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from loan_reminders.commands.installation.findings import Asked, Finding, failure, fine, warning
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.plurals import many
from loan_reminders.french.refusals import sentence
from loan_reminders.french.words import CHANNELS, STAGES
from loan_reminders.services.compose import email_composer, text_composer
from loan_reminders.services.previews import samples

FONTS = 9
"""How many fonts come with the program: Latin, Greek and Cyrillic in two weights, and seven other scripts."""


def settings_check(asked: Asked) -> Iterator[Finding]:
    """They are valid, or there would be no check at all; what in them is not for production?"""
    ours = asked.ours
    yield fine(f"Réglages valides : {ours.library.name} ({ours.library.code})")
    if ours.redirect is not None:
        yield warning(
            "Envois détournés : la section [redirect] est en place",
            means="Tout part vers une adresse et un numéro d'essai : aucun lecteur n'est prévenu.",
            remedy="c'est voulu pendant la mise en service ; ensuite, retirer [redirect] de library.toml",
        )


def retention_check(asked: Asked) -> Iterator[Finding]:
    """Whether what has been kept long enough is removed, as every letter tells its reader."""
    ours = asked.ours.retention
    if ours.erase:
        yield fine(
            f"Effacement : prêts {ours.loan_months} mois après le retour, lecteurs au bout de {ours.reader_months} mois"
        )
    else:
        yield warning(
            "Rien n'est effacé : l'effacement ne fait que compter",
            means="Prêts, messages et lecteurs restent, alors que les messages disent aux lecteurs que tout est effacé"
            " quand il n'en reste plus rien à régler.",
            remedy="lire ce que compte le DAG « Effacement », puis écrire erase = true dans [retention] de library.toml"
            " (docs/retention.md)",
        )


def templates_check(asked: Asked) -> Iterator[Finding]:
    """Every message in every language, with an ordinary reader and with the worst: long names, sixty documents."""
    written, faults, dearest = 0, [], (0, "")
    for rule in asked.ours.policy().all_rules:
        for channel in dict.fromkeys(entry.channel for entry in rule.channels):
            try:
                for language, segments in _written(asked, rule.stage, channel):
                    written += 1
                    dearest = max(dearest, (segments, f"{STAGES[rule.stage]}, {language}"))
            except ReminderError as error:
                faults.append(f"{STAGES[rule.stage]}, {CHANNELS[channel]} : {sentence(error)}")
    if faults:
        yield failure(
            f"Modèles : {many(len(faults), 'message impossible', 'messages impossibles')} à composer",
            means="Ces étapes s'arrêteront avant de prévenir qui que ce soit.",
            remedy="corriger le fichier et la ligne nommés, sous templates/",
            details=faults,
        )
    else:
        told = (f"SMS le plus cher : {many(dearest[0], 'segment', 'segments')} ({dearest[1]})",) if dearest[0] else ()
        yield fine(f"Modèles : {many(written, 'message composé', 'messages composés')}, le pire cas compris", *told)


def _written(asked: Asked, stage: Stage, channel: Channel) -> Iterator[tuple[str, int]]:
    """Each message of a stage's channel: its language, and an SMS's segments (0 for what is no SMS)."""
    from loan_reminders.rendering.templates import Templates

    ours, now = asked.ours, asked.now()
    if channel is Channel.EMAIL:
        emails = email_composer(ours.templates, ours.email_identity(), stage=stage, clock=lambda: now)
    elif channel is Channel.SMS:
        texts = text_composer(
            ours.templates, ours.text_rules(), stage=stage, library=ours.identity(), clock=lambda: now
        )
    for language in Templates(ours.templates).languages(stage, channel):
        found = samples(
            ours.policy(), ours.identity(), stage=stage, channel=channel, language=language, today=now.date()
        )
        for sample in found:
            if channel is Channel.EMAIL:
                emails(sample.delivery)
                yield language, 0
            elif channel is Channel.SMS:
                yield language, texts(sample.delivery).segments
            else:
                _letter(asked, sample)
                yield language, 0


def _letter(asked: Asked, sample: object) -> None:
    from loan_reminders.rendering.letters.renderer import LetterRenderer
    from loan_reminders.services.previews import Sample

    if not isinstance(sample, Sample):
        raise TypeError(type(sample).__name__)
    ours, delivery = asked.ours, sample.delivery
    renderer = LetterRenderer(ours.templates, library=ours.identity(), workers=1, layout=ours.letter_layout())
    letter = renderer.letter(delivery, today=sample.today)
    with tempfile.TemporaryDirectory(prefix="verification-") as folder:
        renderer.print_batch(
            [letter], stage=delivery.notice.stage, kind=delivery.channel, today=sample.today, folder=Path(folder)
        )


def fonts_check(asked: Asked) -> Iterator[Finding]:
    """The fonts of the letters, each readable."""
    from loan_reminders.rendering.letters.fonts import FONTS_FOLDER, FontSet

    files = len(list(FONTS_FOLDER.glob("*.[to]tf")))
    found = FontSet.of(FONTS_FOLDER)
    if files < FONTS:
        yield warning(
            f"Polices : {files} sur {FONTS}",
            means="Des noms dans d'autres écritures seraient imprimés avec des signes de remplacement.",
            remedy="réinstaller le programme : ses polices sont dans rendering/fonts",
        )
    else:
        yield fine(f"Polices : {many(files, 'fichier', 'fichiers')}, {len(found.characters)} caractères")
