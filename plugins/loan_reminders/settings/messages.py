"""What is wrong in `library.toml`, in French: the key, the value found and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

_TYPES = {
    "string_type": "un texte entre guillemets",
    "int_type": "un nombre entier",
    "float_type": "un nombre, par exemple 3.0",
    "bool_type": "true ou false",
    "date_type": "une date sans guillemets, par exemple 2026-09-01",
    "list_type": "une liste entre crochets",
    "dict_type": "une section de clés et de valeurs",
    "model_type": "une section de clés et de valeurs",
    "model_attributes_type": "une section de clés et de valeurs",
}
PATTERNS = {
    r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$": "une heure de 00:00 à 24:00, par exemple « 19:00 »",
    r"^[A-Z]{2}$": "un code de pays de deux lettres capitales, par exemple « FR »",
    r"^[a-z]{2}$": "un code de langue de deux lettres, par exemple « fr »",
    r"^([01]\d|2[0-3]):[0-5]\d$": "une heure de 00:00 à 23:59, par exemple « 10:00 »",
    r"^[A-Z0-9]{1,2}$": "un code d'une ou deux lettres capitales ou chiffres, par exemple « A »",
    r"^[0-9]{2}$": "deux chiffres, par exemple « 01 »",
    r"^[0-9]$": "un chiffre entre guillemets, par exemple « 1 »",
    r"^[!-~]{1,20}$": "un code de 1 à 20 signes, sans espace ni accent",
    r"^avis [^\n]{3,60}$": "un titre qui commence par « avis », par exemple « avis de réservation disponible »",
    r"^[a-z0-9][a-z0-9_-]{0,31}$": "1 à 32 lettres minuscules, chiffres, tirets",
}
"""What a pattern asks for, in words."""


def explain(path: Path, model: type[BaseModel], values: Mapping[str, Any], error: ValidationError) -> str:
    """One readable message for every fault of the file, a line each."""
    details = error.errors(include_url=False)
    lines = [f"  {_key(detail)} = {_found(detail)} : {_allowed(detail, model)}" for detail in details]
    count = "1 valeur à corriger" if len(lines) == 1 else f"{len(lines)} valeurs à corriger"
    return "\n".join([f"{path} : {count}", *lines])


def _key(detail: ErrorDetails) -> str:
    key = ""
    for part in detail["loc"]:
        if part == "[key]":
            continue
        key += f"[{part}]" if isinstance(part, int) else f"{'.' if key else ''}{part}"
    return key or "(fichier)"


def _found(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "(absent)"
    value = detail["input"]
    if isinstance(value, Mapping):
        return "{…}"
    text = repr(value) if not isinstance(value, str) else f'"{value}"'
    return text if len(text) <= 80 else f"{text[:77]}…"


def _allowed(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return "clé obligatoire"
    if kind == "extra_forbidden":
        return f"clé inconnue ; clés permises : {', '.join(_siblings(detail['loc'], model))}"
    if kind == "literal_error":
        return f"valeurs permises : {str(context['expected']).replace(' or ', ', ')}"
    if kind == "string_pattern_mismatch":
        return f"il faut {PATTERNS[context['pattern']]}"
    if kind in _TYPES:
        return f"il faut {_TYPES[kind]}"
    bounds = {
        "greater_than_equal": ("un nombre d'au moins", "ge"),
        "greater_than": ("un nombre supérieur à", "gt"),
        "less_than_equal": ("un nombre d'au plus", "le"),
        "string_too_short": ("un texte d'au moins, en caractères,", "min_length"),
        "string_too_long": ("un texte d'au plus, en caractères,", "max_length"),
        "too_short": ("une liste dont le nombre d'éléments est au moins", "min_length"),
        "too_long": ("une liste dont le nombre d'éléments est au plus", "max_length"),
    }
    if kind in bounds:
        words, name = bounds[kind]
        return f"il faut {words} {context[name]}"
    return str(detail["msg"])


def _siblings(location: Sequence[int | str], model: type[BaseModel]) -> list[str]:
    """The keys allowed in the section where an unknown one stands."""
    section: Any = model
    for part in location[:-1]:
        if part in section.model_fields:  # neither a place in a list nor the name of an entry
            section = _model_of(section.model_fields[part].annotation)
    return sorted(field.alias or name for name, field in section.model_fields.items())


def _model_of(annotation: Any) -> Any:
    """The section a field holds, whether alone, optional, in a list or under a name; None when it holds none."""
    if hasattr(annotation, "model_fields"):
        return annotation
    arguments = getattr(annotation, "__args__", ())
    return next((found for argument in arguments if (found := _model_of(argument)) is not None), None)
