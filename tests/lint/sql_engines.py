"""What each engine takes of the statements in `sql/`: a short list of what is known good, and nothing else.

Whatever is not on the list is a fault, so that a construct has to be thought about before it is used: on Oracle it
must be known from 12.1 on, and mean the same on SQLite, where the tests run the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlglot import exp

_COMMON = frozenset({
    exp.Select, exp.From, exp.Join, exp.Where, exp.Order, exp.Ordered, exp.Group, exp.Subquery, exp.Alias,
    exp.TableAlias, exp.Table, exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Placeholder, exp.Paren, exp.And,
    exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Is, exp.Exists,
    exp.Case, exp.If, exp.Coalesce, exp.Trim, exp.Substring, exp.Length, exp.Cast, exp.DataType, exp.DataTypeParam,
    exp.Min, exp.Max, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg,
})  # fmt: skip
_WINDOW = frozenset({exp.Window, exp.RowNumber})
_FUNCTIONS = frozenset({"CAST", "COALESCE", "LENGTH", "MAX", "MIN", "SUBSTR", "TRIM"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine: its name in sqlglot and in sqlfluff, its constructs, functions, and types a value may be cast to.

    `longest_name` is in signs: 30 on Oracle before 12.2 (ORA-00972). `sized` are those types that must say their
    length. `says_nulls` is whether DESC must say where NULLs go; `as_of_tables` whether AS may stand before the alias
    of a table; `empty_text` whether '' is a text like another; `concatenates` whether || puts texts together.
    """

    name: str
    sqlfluff: str
    longest_name: int
    constructs: frozenset[type[exp.Expression]]
    functions: frozenset[str]
    types: frozenset[str]
    sized: frozenset[str]
    says_nulls: bool
    as_of_tables: bool
    empty_text: bool
    concatenates: bool


ORACLE = Engine(
    name="oracle",
    sqlfluff="oracle",
    longest_name=30,
    constructs=_COMMON | _WINDOW | {exp.DPipe},
    functions=_FUNCTIONS | {"ROW_NUMBER"},
    types=frozenset({"VARCHAR"}),
    sized=frozenset({"VARCHAR"}),
    says_nulls=True,
    as_of_tables=False,
    empty_text=False,
    concatenates=True,
)
POSTGRESQL = Engine(
    name="postgres",
    sqlfluff="postgres",
    longest_name=63,
    constructs=_COMMON
    | _WINDOW
    | {exp.DPipe, exp.Lateral, exp.Fetch, exp.LimitOptions, exp.RegexpReplace, exp.RegexpLike},
    functions=_FUNCTIONS | {"ROW_NUMBER", "REGEXP_REPLACE"},
    types=frozenset({"VARCHAR", "NUMERIC", "DECIMAL", "BIGINT"}),  # CHAR(n) would pad
    sized=frozenset({"VARCHAR"}),
    says_nulls=True,
    as_of_tables=True,
    empty_text=True,
    concatenates=True,
)
MARIADB = Engine(
    name="mysql",
    sqlfluff="mariadb",
    longest_name=64,
    constructs=_COMMON
    | {exp.Concat, exp.RegexpLike},  # no window functions: hosts of PMB have servers before MariaDB 10.2
    functions=_FUNCTIONS | {"CONCAT"},
    types=frozenset({"CHAR", "DECIMAL", "DATE"}),  # VARCHAR is refused
    sized=frozenset(),
    says_nulls=False,
    as_of_tables=True,
    empty_text=True,
    concatenates=False,  # || is OR there
)


_MORE_RESERVED = {
    "postgres": {"table", "user"},
    # MySQL 8, whose databases are read like MariaDB's
    "mariadb": {
        "cube", "cume_dist", "dense_rank", "empty", "first_value", "function", "grouping", "groups", "json_table",
        "lag", "last_value", "lateral", "lead", "nth_value", "ntile", "of", "percent_rank", "rank", "row", "system",
    },
}  # fmt: skip
"""What sqlfluff's lists lack."""


@cache
def reserved_words(engine: Engine) -> frozenset[str]:
    """The words that an engine lets nobody use as a name, in lower case, as sqlfluff knows them."""
    from sqlfluff.core.dialects import dialect_selector

    known = dialect_selector(engine.sqlfluff).sets("reserved_keywords")
    return frozenset({*(word.lower() for word in known), *_MORE_RESERVED.get(engine.sqlfluff, ())})
