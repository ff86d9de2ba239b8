"""The same letter by the usual engines, in one process: what the letters' speed is held against."""

from __future__ import annotations

import io
from collections.abc import Callable
from html import escape

from tests.bench.clock import Clock

HEAD = ("Document", "Cote", "Code-barres", "À rendre le", "Prix")
WORDS = (
    "Madame, Monsieur,",
    "Sauf erreur de notre part, les documents ci-dessous, que vous avez empruntés, ne sont pas revenus à la"
    " bibliothèque.",
    "Nous vous remercions de les rapporter sans attendre : d'autres lecteurs peuvent en avoir besoin. Si vous les avez"
    " rendus ou prolongés entre-temps, ne tenez pas compte de cette lettre et acceptez nos remerciements.",
    "Nous vous prions d'agréer, Madame, Monsieur, nos salutations distinguées.",
)


def print_usually(clock: Clock, *, engine: str, count: int) -> dict[str, int | str]:
    """So many letters of two documents in one PDF; `skipped` says why when the engine cannot be imported."""
    engines: dict[str, Callable[[int], bytes]] = {"weasyprint": _weasyprint, "reportlab": _reportlab}
    try:
        engines[engine](1)
    except (ImportError, OSError) as error:
        with clock:
            return {"letters": 0, "skipped": f"it cannot be imported ({type(error).__name__})"}
    with clock:
        engines[engine](count)
    return {"letters": count, "skipped": ""}


def _rows(number: int) -> list[tuple[str, ...]]:
    return [(f"Titre {number}-{line}", "330 DUR", f"0935{line:06d}", "26/11/2026", "35,00 €") for line in (1, 2)]


def _weasyprint(count: int) -> bytes:
    from weasyprint import HTML

    letters = []
    for number in range(count):
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in _rows(number))
        head = "".join(f"<th>{cell}</th>" for cell in HEAD)
        words = [f"<p>{escape(text)}</p>" for text in WORDS]
        letters.append(
            f"<section><h1>Lecteur {number}</h1><address>LECTEUR {number}<br>1 RUE C<br>06000 NICE</address>"
            f"{words[0]}{words[1]}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{''.join(words[2:])}</section>"
        )
    style = "section{break-after:page}address{position:absolute;left:90mm;top:35mm}p{text-align:justify;hyphens:auto}"
    content = HTML(string=f"<html lang=fr><style>{style}</style>{''.join(letters)}</html>").write_pdf()
    return bytes(content or b"")


def _reportlab(count: int) -> bytes:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

    normal = getSampleStyleSheet()["Normal"]
    story = []
    for number in range(count):
        story += [Paragraph(f"LECTEUR {number}<br/>1 RUE C<br/>06000 NICE", normal), Spacer(1, 100)]
        story += [Paragraph(text, normal) for text in WORDS[:2]]
        cells = [[Paragraph(cell, normal) for cell in row] for row in (HEAD, *_rows(number))]
        story += [Table(cells, repeatRows=1), *(Paragraph(text, normal) for text in WORDS[2:]), PageBreak()]
    out = io.BytesIO()
    SimpleDocTemplate(out).build(story)
    return out.getvalue()
