"""The neutral number of a reader beside each line of a list: it stands in the address of the reader's page."""

from __future__ import annotations


def number_of(patron: str) -> str:
    """The column `reader_number` of a statement that knows `:library`; `patron` is its column of the ILS's number.

    One look into an index for each line; nothing for a reader who was erased.
    """
    return f"""(
        SELECT known.reader_number FROM readers known WHERE known.library = :library AND known.patron_id = {patron}
    ) AS reader_number"""  # noqa: S608 - the column is this project's own
