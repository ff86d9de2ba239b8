"""The printer of letters that the installation's settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loan_reminders.domain.ports.letters import LetterPrinter
    from loan_reminders.settings.library_toml import Settings


def letter_printer(config: Settings) -> LetterPrinter:
    """The printer of this library's letters, with the templates that librarians edit; nothing is laid out yet."""
    from loan_reminders.rendering.letters.renderer import LetterRenderer

    return LetterRenderer(
        config.templates, library=config.identity(), workers=config.letters.workers, layout=config.letter_layout()
    )
