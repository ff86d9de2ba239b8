"""argparse in French: its own words too, in the help and in the errors.

argparse asks gettext for each of its sentences, but Python brings no translation of them. So they are here, and stand
in for gettext only while one of our parsers is at work: other programs in the same process keep their language.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NoReturn
from zoneinfo import available_timezones

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import EmailAddress

SENTENCES = {
    "usage: ": "usage : ",
    "positional arguments": "arguments ",  # argparse adds the colon
    "options": "options ",
    "show this help message and exit": "afficher cette aide",
    "%(prog)s: error: %(message)s\n": "%(prog)s : erreur : %(message)s\n",
    "argument %(argument_name)s: %(message)s": "argument %(argument_name)s : %(message)s",
    "unrecognized arguments: %s": "arguments inconnus : %s",
    "not allowed with argument %s": "incompatible avec l'argument %s",
    "ignored explicit argument %r": "valeur %r en trop",
    "the following arguments are required: %s": "il manque : %s",
    "one of the arguments %s is required": "l'un de ces arguments est obligatoire : %s",
    "expected one argument": "une valeur est attendue",
    "expected at most one argument": "une valeur au plus est attendue",
    "expected at least one argument": "une valeur au moins est attendue",
    "expected %s argument": "%s valeur est attendue",
    "expected %s arguments": "%s valeurs sont attendues",
    "ambiguous option: %(option)s could match %(matches)s": "option ambiguë : %(option)s peut être %(matches)s",
    "unexpected option string: %s": "option inattendue : %s",
    "invalid %(type)s value: %(value)r": "valeur incorrecte : %(value)r",
    "invalid choice: %(value)r (choose from %(choices)s)": "choix inconnu : %(value)r (possibles : %(choices)s)",
    "can't open '%(filename)s': %(error)s": "« %(filename)s » ne s'ouvre pas : %(error)s",
}
"""Each sentence of argparse that a person may see; the others are for whoever writes a parser."""


def _said(sentence: str) -> str:
    return SENTENCES.get(sentence, sentence)


def _said_of(one: str, many: str, number: int) -> str:
    return _said(one if number < 2 else many)  # 0 is singular in French


@contextmanager
def in_french() -> Iterator[None]:
    """argparse speaks French within."""
    words: dict[str, Any] = vars(argparse)
    before: dict[str, Callable[..., str]] = {name: words[name] for name in ("_", "ngettext") if name in words}
    words.update(_=_said, ngettext=_said_of)
    try:
        yield
    finally:
        words.update(before)


def day(text: str) -> date:
    """A day of the command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"un jour est attendu, par exemple 2026-11-30, et non « {text} »") from None


def zone(text: str) -> str:
    """A time zone of the command line, by its name."""
    if text not in available_timezones():
        raise argparse.ArgumentTypeError(f"un fuseau est attendu, par exemple Europe/Paris, et non « {text} »")
    return text


def email(text: str) -> str:
    """An e-mail address of the command line, as a server is given it."""
    try:
        return EmailAddress.parse(text).value
    except RecipientError:
        raise argparse.ArgumentTypeError(f"une adresse e-mail est attendue, et non « {text} »") from None


class FrenchParser(argparse.ArgumentParser):
    """An ArgumentParser that speaks French; descriptions keep their lines."""

    def __init__(self, *, prog: str, description: str, epilog: str | None = None) -> None:
        with in_french():
            super().__init__(
                prog=prog,
                description=description,
                epilog=epilog,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As argparse does."""
        with in_french():
            return super().parse_args(args, namespace)

    def format_help(self) -> str:
        """As argparse does."""
        with in_french():
            return super().format_help()

    def format_usage(self) -> str:
        """As argparse does."""
        with in_french():
            return super().format_usage()

    def error(self, message: str) -> NoReturn:
        """Say what cannot be understood, and end with 2."""
        with in_french():
            super().error(message)
