"""Tagged PDFs put one behind the other into one that is still tagged. See the README beside this file."""

from loan_reminders.rendering.letters.tagged_pdf.volume import NotTagged, TaggedVolume

__all__ = ["NotTagged", "TaggedVolume"]
