"""The words for readers: the folder of templates that librarians edit, read strictly.

A name that does not exist is an error, never a blank. What comes from the ILS is data: it is escaped in HTML and is
never itself a template. Whoever edits words is no programmer of the server: a template reaches the facts it is given,
not Python behind them, nor a count without end (Jinja's sandbox).

A language has a folder below each folder of words: for an English reader `a/b.j2` is read from `a/en/b.j2` where that
exists (`overdue_notice/email/` → `overdue_notice/en/email/`, `_layouts/email/` → `_layouts/en/email/`), and else from
`a/b.j2`, which is French or has no words.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterable, MutableMapping
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.environment import TemplateModule
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from loan_reminders.domain.errors import TemplateError
from loan_reminders.places import TEMPLATES
from loan_reminders.rendering import languages
from loan_reminders.rendering.languages import FRENCH, day_words, long_date, plural
from loan_reminders.rendering.template_folders import TemplatePlace, folders, relative

__all__ = ["TEMPLATES_FOLDER", "Templates", "day_words", "long_date", "plural"]

TEMPLATES_FOLDER = TEMPLATES
"""The folder delivered with the project."""

WORDS_ONLY = "labels.j2"
"""A file that holds nothing but words: a language must have its own."""

STYLE = "style.css"


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, with two things known beforehand that it would find out for each name of each message.

    Its globals stay as they are once a template is loaded: they are looked up in one dictionary, not two. And what a
    message is about are values of ours: whatever they show may be seen.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What a template names with a dot; never what begins with an underscore, Python's own."""
        if _shows_all(obj.__class__) and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                pass  # there is no such fact: the sandbox says so in its own way
        return super().getattr(obj, attribute)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of one template."""
        return {**self.globals, **(d or {})}


class Templates:
    """The templates of one place, compiled once for each language. May be shared between threads."""

    def __init__(self, folder: TemplatePlace = TEMPLATES_FOLDER) -> None:
        self._folder = folder
        self._loaded: dict[tuple[str, str], jinja2.Template] = {}
        self._environments: dict[str, jinja2.Environment] = {}
        self._there: dict[str, bool] = {}

    def exists(self, name: str) -> bool:
        """True when the folder has this template; looked up once, as each template is read once."""
        there = self._there.get(name)
        if there is None:
            there = self._there[name] = (self._folder / name).is_file()
        return there

    def languages(self, stage: str, channel: str) -> tuple[str, ...]:
        """The languages that a stage's channel is written in: French, then those with a folder, by name."""
        found = {
            path.parent.name
            for folder in folders(self._folder)
            for path in (folder / stage).glob(f"*/{channel}")
            if path.is_dir()
        }
        return (FRENCH, *sorted(found - {FRENCH}))

    def render(self, name: str, facts: dict[str, Any], language: str = FRENCH) -> str:
        """One template with its facts. Raises TemplateError naming file and line, never the facts."""
        try:
            template = self._loaded.get((name, language)) or self._load(name, language)
            return template.render(facts)
        except TemplateError:
            raise
        except Exception as error:
            raise self._told(error, name) from None

    def blocks(self, name: str, facts: dict[str, Any], language: str = FRENCH) -> dict[str, str]:
        """What each `{% block %}` of one template says, trimmed, by the block's name. Raises as `render` does."""
        try:
            template = self._loaded.get((name, language)) or self._load(name, language)
            context = template.new_context(facts)
            try:
                return {block: "".join(written(context)).strip() for block, written in template.blocks.items()}
            except Exception:
                template.environment.handle_exception()
        except TemplateError:
            raise
        except Exception as error:
            raise self._told(error, name) from None

    def check(
        self,
        names: Iterable[str],
        *,
        known: Collection[str],
        language: str = FRENCH,
        blocks: Collection[str] = (),
    ) -> None:
        """Compile these templates and all they extend, include or import; each may name only `known` facts.

        One that holds blocks without extending another must hold all of `blocks`, and no more.
        Raises TemplateError with one line a fault: file, line, fault.
        """
        faults: list[str] = []
        waiting, seen = list(names), set[str]()
        environment = self._environment(language)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            try:
                template = self._load(name, language)
                source = Path(template.filename or "").read_text(encoding="utf-8")
                tree = environment.parse(source, name)
            except TemplateError as error:
                faults.append(str(error))
                continue
            place = self._shown(template)
            if language != FRENCH and place == name and name.endswith(f"/{WORDS_ONLY}"):
                faults.append(f"{_in_language(name, language)} : ce modèle n'existe pas")
            waiting.extend(found for found in meta.find_referenced_templates(tree) if found)
            faults.extend(
                f"{place}, ligne {_line(tree, word)} : « {word} » n'existe pas ici"
                for word in sorted(meta.find_undeclared_variables(tree) - set(known))
            )
            if blocks and template.blocks:
                faults.extend(
                    f"{place} : le bloc « {block} » {'manque' if block in blocks else 'n’est lu par personne'}"
                    for block in sorted(set(blocks) ^ set(template.blocks))
                )
        if faults:
            raise TemplateError("\n".join(sorted(faults)))

    def _environment(self, language: str) -> jinja2.Environment:
        found = self._environments.get(language)
        if found is None:
            languages.locale_of(language)
            found = _Environment(
                loader=jinja2.FunctionLoader(_reader(self._folder, language)),
                undefined=jinja2.StrictUndefined,
                autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",), default=False),
                auto_reload=False,
                cache_size=-1,
                trim_blocks=True,
                lstrip_blocks=True,
                keep_trailing_newline=False,
            )
            found.filters.update(languages.filters(language), lines=_lines)
            self._environments[language] = found
        return found

    def _load(self, name: str, language: str) -> jinja2.Template:
        try:
            template = self._loaded[name, language] = self._environment(language).get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"{error.name}, ligne {error.lineno} : Jinja répond « {error.message} »") from None
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"{_in_language(str(error.name or name), language)} : ce modèle n'existe pas") from None
        except UnicodeDecodeError:
            raise TemplateError(f"{name} : ce modèle n'est pas en UTF-8") from None
        except ValueError as error:
            raise TemplateError(f"{name} : {error}") from None
        return template

    def _told(self, error: Exception, name: str) -> TemplateError:
        return TemplateError(f"{self._place(error, name)} : {_fault(error)}")

    def _place(self, error: Exception, name: str) -> str:
        """File and line of the innermost template that was being rendered."""
        place = name
        for frame in traceback.extract_tb(error.__traceback__):
            if (path := relative(Path(frame.filename), self._folder)) is not None:
                place = f"{path}, ligne {frame.lineno}"
        return place

    def _shown(self, template: jinja2.Template) -> str:
        return str(relative(Path(template.filename or ""), self._folder))


@cache
def _shows_all(kind: type[object]) -> bool:
    """Whether these are frozen values of ours, or the words of `labels.j2`: nothing of them can be changed or run."""
    frozen = is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    return bool(frozen) or kind is TemplateModule


def _in_language(name: str, language: str) -> str:
    """Where a language keeps its own version of a template."""
    top, _, rest = name.partition("/")
    return name if language == FRENCH or rest.startswith(f"{language}/") else f"{top}/{language}/{rest}"


def _reader(folder: TemplatePlace, language: str) -> Callable[[str], tuple[str, str, Callable[[], bool]] | None]:
    """Reads a template's source in the language, with the style sheet of its folder in its tags when it is HTML."""

    def found(name: str) -> Path | None:
        return next((path for path in (folder / _in_language(name, language), folder / name) if path.is_file()), None)

    @cache
    def style(name: str) -> str:
        path = found(name)
        return path.read_text(encoding="utf-8") if path else ""

    def read(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        path = found(name) if ".." not in name.split("/") else None
        if path is None:
            return None
        source = path.read_text(encoding="utf-8")
        if name.endswith(".html.j2"):
            from loan_reminders.rendering.inlining import inlined

            source = inlined(source, style(f"_layouts/{name.rpartition('/')[0].rpartition('/')[2]}/{STYLE}"))
        return source, str(path), lambda: True

    return read


def _lines(text: str) -> Markup:
    """Words of several lines, for HTML."""
    return Markup("<br>\n").join(escape(line.strip()) for line in text.splitlines())


def _fault(error: Exception) -> str:
    """What Jinja says, or only the kind of error when the words could hold a reader's data."""
    return f"Jinja répond « {error} »" if isinstance(error, jinja2.TemplateError) else f"erreur {type(error).__name__}"


def _line(tree: nodes.Template, word: str) -> int:
    return next((node.lineno for node in tree.find_all(nodes.Name) if node.name == word), 1)
