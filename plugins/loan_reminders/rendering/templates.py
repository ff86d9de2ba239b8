"""The words for readers: the folder of templates that librarians edit, read strictly.

A name that does not exist is an error, never a blank. What comes from the ILS is data: it is escaped in HTML and is
never itself a template.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta, nodes

from loan_reminders.domain.errors import TemplateError

TEMPLATES_FOLDER = Path(__file__).resolve().parents[3] / "templates"
"""The folder delivered with the project."""


@lru_cache(maxsize=512)
def long_date(day: date, language: str = "fr") -> str:
    """A date in full: `jeudi 26 novembre 2026`, and `1er` for the first of a French month (CLDR, by babel)."""
    from babel.dates import format_date

    if language == "fr":
        number = "1er" if day.day == 1 else str(day.day)
        return f"{format_date(day, 'EEEE', locale='fr')} {number} {format_date(day, 'MMMM y', locale='fr')}"
    return format_date(day, "full", locale=language)


def day_words(day: date, today: date) -> str:
    """When a day is, in French, as seen from today: `hier, mercredi 25 novembre 2026`, `le jeudi 3 décembre 2026`."""
    near = {-1: "hier", 0: "aujourd'hui", 1: "demain"}.get((day - today).days)
    return f"{near}, {long_date(day)}" if near else f"le {long_date(day)}"


def plural(count: int, one: str, many: str) -> str:
    """The word that agrees with a count, as French does: nought and one are singular."""
    return many if count > 1 else one


class Templates:
    """The templates of one folder, compiled once."""

    def __init__(self, folder: Path = TEMPLATES_FOLDER) -> None:
        self._folder = folder
        self._loaded: dict[str, jinja2.Template] = {}
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            undefined=jinja2.StrictUndefined,
            autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",), default=False),
            auto_reload=False,
            cache_size=-1,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        self._environment.filters.update(long_date=long_date, day_words=day_words, plural=plural)

    def exists(self, name: str) -> bool:
        """True when the folder has this template."""
        return (self._folder / name).is_file()

    def render(self, name: str, facts: dict[str, Any]) -> str:
        """One template with its facts. Raises TemplateError naming file and line, never the facts."""
        try:
            template = self._loaded.get(name) or self._load(name)
            return template.render(facts)
        except TemplateError:
            raise
        except Exception as error:
            raise TemplateError(f"{self._place(error, name)} : {_fault(error)}") from None

    def check(self, names: Iterable[str], *, known: Collection[str]) -> None:
        """Compile these templates and all they extend or include; each may name only `known` facts.

        Raises TemplateError with one line a fault: file, line, fault.
        """
        faults: list[str] = []
        waiting, seen = list(names), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            try:
                self._load(name)
                tree = self._environment.parse((self._folder / name).read_text(encoding="utf-8"), name)
            except TemplateError as error:
                faults.append(str(error))
                continue
            waiting.extend(found for found in meta.find_referenced_templates(tree) if found)
            unknown = meta.find_undeclared_variables(tree) - set(known)
            faults.extend(
                f"{name}, ligne {_line(tree, word)} : « {word} » n'existe pas ici" for word in sorted(unknown)
            )
        if faults:
            raise TemplateError("\n".join(sorted(faults)))

    def _load(self, name: str) -> jinja2.Template:
        try:
            template = self._loaded[name] = self._environment.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"{error.name}, ligne {error.lineno} : Jinja répond « {error.message} »") from None
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"{error.name} : ce modèle n'existe pas") from None
        except UnicodeDecodeError:
            raise TemplateError(f"{name} : ce modèle n'est pas en UTF-8") from None
        return template

    def _place(self, error: Exception, name: str) -> str:
        """File and line of the innermost template that was being rendered."""
        place = name
        for frame in traceback.extract_tb(error.__traceback__):
            path = Path(frame.filename)
            if path.is_relative_to(self._folder):
                place = f"{path.relative_to(self._folder)}, ligne {frame.lineno}"
        return place


def _fault(error: Exception) -> str:
    """What Jinja says, or only the kind of error when the words could hold a reader's data."""
    return f"Jinja répond « {error} »" if isinstance(error, jinja2.TemplateError) else f"erreur {type(error).__name__}"


def _line(tree: nodes.Template, word: str) -> int:
    return next((node.lineno for node in tree.find_all(nodes.Name) if node.name == word), 1)
