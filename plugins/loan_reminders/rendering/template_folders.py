"""Where templates are looked for: one folder, or a library's own folder over the one that all libraries share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TemplateFolders:
    """A library's own templates over the common ones: where both folders have a file, the library's own counts."""

    own: Path
    common: Path

    def __truediv__(self, name: str) -> Path:
        """Where a template or a picture is: the library's own where it has one."""
        mine = self.own / name
        return mine if mine.exists() else self.common / name


TemplatePlace = Path | TemplateFolders


def folders(place: TemplatePlace) -> tuple[Path, ...]:
    """The folders of a place, the one that counts first."""
    return (place,) if isinstance(place, Path) else (place.own, place.common)


def relative(path: Path, place: TemplatePlace) -> Path | None:
    """A file's place below the folders of templates; None when it lies elsewhere."""
    return next((path.relative_to(folder) for folder in folders(place) if path.is_relative_to(folder)), None)
