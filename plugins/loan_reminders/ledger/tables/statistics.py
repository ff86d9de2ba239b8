"""The tables of figures: no reader is in them, and each can be made again out of the other tables.

`counted_runs` says which runs are in the counters, and holds back a second count of the same run, or any further one of
a run that is `frozen`: loans of it were removed by a program that did not keep yet what they counted for (see
`retention`). `message_counters` has what became of a run's messages; its moments are quarters of an hour, so that days
are those of whatever zone the library is in. `letter_counters` has its letters by their pages, `spared_counters` the
SMS that did not leave because the number said STOP or is dead. `return_counters` has what became of the loans told of,
`overdue_counters` the overdue loans on the day of a look. `loan_ends` knows of each loan and due date that a run has
seen until when it was open; `loan_looks` are the days on which the ILS was asked about all of them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from loan_reminders.domain.stages import Channel, PatronCategory
from loan_reminders.domain.statistics.costs import Spared
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.ledger.tables.columns import count, library_code, metadata, moment, of_run, one_of, stage_name

counted_runs = Table(
    "counted_runs",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.run_id"), primary_key=True, autoincrement=False),
    library_code(),
    moment("at", default=True),
    Column("frozen", Boolean, nullable=False, server_default=text("false")),
    Index("counted_runs_of_library", "library", "run_id"),
)

message_counters = Table(
    "message_counters",
    metadata,
    library_code(),
    of_run(),
    Column("moment", DateTime(timezone=True), nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("category", Text, nullable=False),
    count("told"),
    count("not_reached"),
    count("failed"),
    count("in_doubt"),
    count("waiting"),
    count("segments"),
    Column("cost", Numeric(14, 5, asdecimal=False), nullable=False, server_default="0"),
    count("unpriced"),
    PrimaryKeyConstraint("run_id", "moment", "channel", "branch", "category"),
    stage_name(),
    one_of("category", PatronCategory),
    Index("message_counters_by_moment", "library", "moment"),
)
"""The channel is empty for the readers whom none reaches. `cost` is in euros, as the provider told them; of the
segments, it told no price for `unpriced`."""

return_counters = Table(
    "return_counters",
    metadata,
    library_code(),
    of_run(),
    Column("day", Date, nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("category", Text, nullable=False),
    count("loans"),
    count("known_1"),
    count("known_3"),
    count("known_7"),
    count("returned_1"),
    count("returned_3"),
    count("returned_7"),
    count("renewed_7"),
    PrimaryKeyConstraint("run_id", "channel", "branch", "category"),
    stage_name(),
    one_of("channel", Channel),
    one_of("category", PatronCategory),
    Index("return_counters_by_day", "library", "day"),
)
"""The channel is that of the SMS for a loan whose reader was told by e-mail and by SMS."""

letter_counters = Table(
    "letter_counters",
    metadata,
    library_code(),
    of_run(),
    Column("moment", DateTime(timezone=True), nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("pages", Integer, nullable=False),
    count("printed"),
    count("posted"),
    PrimaryKeyConstraint("run_id", "moment", "channel", "pages"),
    stage_name(),
    one_of("channel", (Channel.LETTER, Channel.REGISTERED_LETTER)),
    Index("letter_counters_by_moment", "library", "moment"),
)

spared_counters = Table(
    "spared_counters",
    metadata,
    library_code(),
    of_run(),
    Column("moment", DateTime(timezone=True), nullable=False),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    count("sms"),
    PrimaryKeyConstraint("run_id", "reason"),
    stage_name(),
    one_of("reason", Spared),
    Index("spared_counters_by_moment", "library", "moment"),
)

overdue_counters = Table(
    "overdue_counters",
    metadata,
    library_code(),
    Column("day", Date, nullable=False),
    Column("branch", Text, nullable=False),
    Column("category", Text, nullable=False),
    count("overdue"),
    count("long_overdue"),
    PrimaryKeyConstraint("library", "day", "branch", "category"),
    one_of("category", PatronCategory),
)

loan_ends = Table(
    "loan_ends",
    metadata,
    library_code(),
    Column("loan_id", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("branch", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("open_on", Date, nullable=False),
    Column("ended_on", Date),
    Column("how", Text),
    Column("is_loan", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("library", "loan_id", "due_date"),
    one_of("category", PatronCategory),
    one_of("how", LoanEnd),
    Index("loans_followed", "library", "loan_id", "due_date", postgresql_where=text("ended_on IS NULL")),
    Index("loan_ends_by_day", "library", "ended_on", postgresql_where=text("ended_on IS NOT NULL")),
)
"""`open_on` is the last day on which the loan was known to be open, `ended_on` the first one on which it was not.

What another notice tells of is here too, so that it is removed in its time; it is no loan (`is_loan`): the ILS is not
asked about it, and it is never overdue.
"""

loan_looks = Table(
    "loan_looks",
    metadata,
    library_code(),
    Column("day", Date, nullable=False),
    moment("at", default=True),
    count("asked"),
    count("ended"),
    PrimaryKeyConstraint("library", "day"),
)
