"""Where readers are in the ledger: every table, with the way to the rows that name one reader, or why none does.

A new table is added here, or a test says so: whoever asks for all that is held of him must get it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import TextClause, text

OURS = frozenset({
    "who", "settled_by", "lifted_by", "closed_by", "decided_by", "printed_by", "ended_by", "claimed_by", "read_by",
    "library",
})  # fmt: skip
"""Columns that are not given to a reader: the names of the library's own people and processes, who are nobody to whom
his data was disclosed (Court of Justice of the European Union, C-579/21, 22 June 2023)."""


def _rows(table: str, condition: str, order: str) -> TextClause:
    return text(
        f"SELECT to_jsonb(line) AS row FROM {table} line WHERE line.library = :library AND {condition} ORDER BY {order}"  # noqa: S608 - the pieces are this module's own
    )


def _of_reader(table: str, order: str) -> TextClause:
    return _rows(table, "line.patron_id = :patron_id", order)


def _of_messages(table: str, order: str) -> TextClause:
    return _rows(table, "line.delivery_id = ANY(CAST(:deliveries AS uuid[]))", order)


OF_READERS: Mapping[str, TextClause] = {
    "readers": _of_reader("readers", "line.reader_number"),
    "loans_seen": _rows(
        "loans_seen",
        "line.loan_id = ANY(CAST(:loans AS text[])) AND line.patron_id = :patron_id",
        "line.run_id, line.due_date, line.loan_id",
    ),
    "loan_ends": _rows(
        "loan_ends",
        "line.loan_id = ANY(CAST(:loans AS text[])) AND NOT EXISTS ("
        " SELECT FROM loans_seen seen WHERE seen.library = :library AND seen.loan_id = line.loan_id"
        " AND seen.due_date = line.due_date AND seen.patron_id <> :patron_id OFFSET 0)",
        "line.due_date, line.loan_id",
    ),
    "notices": _of_reader("notices", "line.run_id, line.notice_id"),
    "deliveries": _of_messages("deliveries", "line.run_id, line.delivery_id"),
    "delivery_loans": _of_messages("delivery_loans", "line.delivery_id, line.due_date, line.loan_id"),
    "sent_words": _of_messages("sent_words", "line.at, line.delivery_id"),
    "receipts": _of_messages("receipts", "line.receipt_id"),
    "letters": _of_messages("letters", "line.batch_id, line.position"),
    "letter_events": _of_messages("letter_events", "line.event_id"),
    "registered_letters": _of_messages("registered_letters", "line.delivery_id"),
    "desk_settlements": _of_messages("desk_settlements", "line.delivery_id"),
    "resends": _of_reader("resends", "line.at, line.delivery_id"),
    "skips": _of_reader("skips", "line.skip_id"),
    "sms_acks": text(
        "SELECT to_jsonb(line) AS row FROM ("
        " SELECT * FROM sms_acks acks WHERE acks.library = :library"
        " AND acks.delivery_id = ANY(CAST(:deliveries AS uuid[]))"
        " UNION ALL SELECT * FROM sms_acks strange WHERE strange.library = :library"
        " AND strange.delivery_id IS NULL AND left(strange.phone_number, 40) = ANY(CAST(:numbers AS text[]))"
        ") AS line ORDER BY line.ack_id"
    ),
    "sms_replies": _rows(
        "sms_replies", "left(line.phone_number, 40) = ANY(CAST(:numbers AS text[]))", "line.reply_number"
    ),
    "mail_bounces": text(
        "SELECT to_jsonb(line) AS row FROM ("
        " SELECT * FROM mail_bounces known WHERE known.library = :library"
        " AND known.delivery_id = ANY(CAST(:deliveries AS uuid[]))"
        " UNION ALL SELECT * FROM mail_bounces unknown WHERE unknown.library = :library"
        " AND unknown.delivery_id IS NULL AND unknown.recipient = ANY(CAST(:emails AS text[]))"
        ") AS line ORDER BY line.bounce_id"
    ),
    "suppressions": text(
        "SELECT to_jsonb(line) || jsonb_build_object('recipient', asked.recipient) AS row FROM unnest("
        " CAST(:channels AS text[]), CAST(:recipients AS text[]), CAST(:listed AS text[])"
        ") AS asked(channel, recipient, listed)"
        " JOIN suppressions line ON line.library = :library AND line.channel = asked.channel"
        " AND line.recipient = asked.listed ORDER BY line.suppression_id"
    ),
    "sms_choices": _rows("sms_choices", "line.patron_id = ANY(CAST(:names AS text[]))", "line.choice_id"),
    "corrections": _of_reader("corrections", "line.correction_id"),
    "holds": _of_reader("holds", "line.hold_id"),
    "disputes": _of_reader("disputes", "line.dispute_id"),
    "objections": _rows("objections", "line.patron_id = ANY(CAST(:names AS text[]))", "line.objection_id"),
    "amendments": _of_reader("amendments", "line.amendment_id"),
    "put_aside": _rows("put_aside", "left(line.about, 320) = ANY(CAST(:contacts AS text[]))", "line.put_aside_id"),
    "journal": _rows("journal", "line.patron_id = :patron_id AND line.patron_id <> ''", "line.at, line.entry_id"),
}
"""How the rows about a reader are found in each table that has some."""

WITHOUT_READERS: Mapping[str, str] = {
    "runs": "one passage of a stage: days and counts",
    "volume_answers": "what a librarian said of a run",
    "question_answers": "what a librarian said of a run",
    "letter_batches": "names of files, counts; whose letters are in them is in `letters`",
    "print_checks": "references of letters of a batch that is being printed",
    "form_keys": "addresses of our pages, where a neutral number stands, for a day",
    "marks": "when something left, from which server",
    "gaps": "numbers of runs and counts",
    "erased_cycles": "keyed hashes of loans that are gone",
    "erasures": "counts of what was removed",
    "retention_state": "the key of the hashes, days",
    "sms_credits": "what is left on the account",
    "counted_runs": "numbers of runs",
    "message_counters": "counts",
    "return_counters": "counts",
    "overdue_counters": "counts",
    "letter_counters": "counts",
    "spared_counters": "counts",
    "loan_looks": "days and counts",
    "numbers_known": "keyed hashes of numbers",
    "holdbacks": "periods, shares and seeds",
    "effect_overdues": "counts",
    "effect_returns": "counts",
    "overdue_ages": "counts",
    "removed_messages": "counts",
    "removed_returns": "counts",
    "removed_letters": "counts",
    "removed_spared": "counts",
    "removed_overdue": "counts",
    "removed_effect_overdues": "counts",
    "removed_effect_returns": "counts",
    "removed_books": "counts",
    "effect_findings": "figures and what they allow to say",
}
"""The other tables, and why no row of them names a reader."""
