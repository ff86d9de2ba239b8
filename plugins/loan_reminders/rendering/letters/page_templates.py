"""The templates of letters before anything is laid out: what they may hold, and the logo beside them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from loan_reminders.domain.errors import TemplateError
from loan_reminders.rendering.template_folders import TemplatePlace, folders

LOGO_FOLDER = "_logo"
"""Where the logo is found below the root that a template sees."""

LOGO_BYTES, LOGO_PIXELS = 5 * 1024 * 1024, 10_000
"""How large a logo may be: as a file, and on each side."""

_PAGE_FILES = frozenset({".typ", ".png", ".jpg", ".jpeg", ".svg"})
_FORBIDDEN = (
    (re.compile(r"\beval\b"), "eval est interdit : il exécuterait ce qu'un lecteur ou le catalogue a saisi"),
    (re.compile(r"[\"']@[a-z]+/"), "les paquets sont interdits : une lettre se compose sans le réseau"),
)
_FRAME_HEADS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


def copy_pages(templates: TemplatePlace, parts: Sequence[str], root: Path) -> None:
    """Copy the page templates and images of some folders into a root that holds nothing else.

    Raises TemplateError, naming file and line, for a template that is missing, or that could run data or fetch code.
    """
    for part in parts:
        sources = [folder / part for folder in reversed(folders(templates)) if (folder / part).is_dir()]
        if not sources:
            raise TemplateError(f"{part} : ce dossier de modèles n'existe pas")
        (root / part).mkdir(parents=True)
        for path in sorted({path.name: path for source in sources for path in source.iterdir()}.values()):
            if path.suffix.lower() not in _PAGE_FILES or not path.is_file():
                continue
            if path.suffix.lower() == ".typ":
                _refuse_doors(f"{part}/{path.name}", path)
            shutil.copyfile(path, root / part / path.name)


def _refuse_doors(name: str, path: Path) -> None:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise TemplateError(f"{name} : ce modèle n'est pas en UTF-8") from None
    for number, line in enumerate(lines, start=1):
        for pattern, why in _FORBIDDEN:
            if pattern.search(line):
                raise TemplateError(f"{name}, ligne {number} : {why}")


def copy_logo(templates: TemplatePlace, logo: str, root: Path) -> str:
    """Copy a logo, a picture below `templates`, to where a template finds it; returns its path there, "" without one.

    Raises TemplateError when it is missing, unreadable or too large to be sent to a printer a thousand times.
    """
    if not logo:
        return ""
    source = templates / logo
    try:
        size = source.stat().st_size
        if size > LOGO_BYTES:
            raise TemplateError(
                f"Logo {logo} : {size / 1024 / 1024:.1f} Mo ; {LOGO_BYTES // 1024 // 1024} Mo au plus sont permis"
            )
        content = source.read_bytes()
    except OSError:
        raise TemplateError(f"Logo {logo} : templates/{logo} n'existe pas ou ne peut pas être lu") from None
    kind = source.suffix.lower()
    if kind == ".svg":
        if b"<svg" not in content:
            raise TemplateError(f"Logo {logo} : ce n'est pas une image SVG")
    else:
        width, height = picture_size(content)
        if not width or not height:
            raise TemplateError(f"Logo {logo} : ce n'est pas une image PNG ou JPEG lisible")
        if max(width, height) > LOGO_PIXELS:
            raise TemplateError(
                f"Logo {logo} : {width} × {height} pixels ; {LOGO_PIXELS} au plus de chaque côté sont permis"
            )
        kind = ".png" if content.startswith(b"\x89PNG") else ".jpg"
    place = f"{LOGO_FOLDER}/logo{kind}"
    (root / LOGO_FOLDER).mkdir(parents=True)
    (root / place).write_bytes(content)
    return f"/{place}"


def picture_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG (ISO 15948) or a JPEG (ISO 10918-1); (0, 0) for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if not content.startswith(b"\xff\xd8"):
        return 0, 0
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        mark = content[at + 1]
        if mark in _FRAME_HEADS:
            return int.from_bytes(content[at + 7 : at + 9], "big"), int.from_bytes(content[at + 5 : at + 7], "big")
        at += (
            2 if mark in _WITHOUT_LENGTH else 1 if mark == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        )
    return 0, 0
