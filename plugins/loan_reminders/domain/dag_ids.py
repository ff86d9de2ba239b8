"""The ids of our DAGs in Airflow: a name alone, or with the code of a library where an installation has several.

`overdue_notice` is the overdue notice of an installation of one library; `overdue_notice__montclar` that of the
library `montclar` among others. No name has two underscores in a row, so the first two are where the code begins.
"""

from __future__ import annotations

BETWEEN = "__"


def dag_id(name: str, library: str | None) -> str:
    """The id of a DAG of a library, named among several; without a library, of the only one."""
    return name if library is None else f"{name}{BETWEEN}{library}"


def library_of(dag_id: str) -> str | None:
    """The code of the library in a DAG's id; None when the id names none."""
    return dag_id.partition(BETWEEN)[2] or None


def name_of(dag_id: str) -> str:
    """The name of a DAG, without its library: a stage's, or that of what runs beside the stages."""
    return dag_id.partition(BETWEEN)[0]
