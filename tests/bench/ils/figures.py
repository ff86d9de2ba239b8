"""A day's loans out of a million, by both ways: how long it takes, beside the driver alone, and how much memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from statistics import median
from typing import Any

from tests.bench.bed import Bed, Measured
from tests.bench.ils.fill import Size, days, fill_aleph, fill_koha
from tests.bench.report import Figure
from tests.simulators import mariadb

NAMES = tuple(
    f"{name}{engine}" for engine in ("", "_mariadb") for name in ("ils_20k_time", "ils_200_time", "ils_memory")
)
ROUNDS = 3


def large_library(bed: Bed) -> list[Figure]:
    """Aleph behind the stand-in for Oracle, then Koha on MariaDB where it is installed."""
    sizes = bed.sizes
    size = Size(loans=sizes.ils_loans, readers=sizes.ils_readers, many=sizes.ils_day, few=sizes.ils_day // 100)
    return [*_by_oracle_wire(bed, size), *_on_mariadb(bed, size)]


def _by_oracle_wire(bed: Bed, size: Size) -> list[Figure]:
    path = bed.folder / "large.sqlite"
    fill_aleph(path, size, bed.today)
    ports = {"oracle": bed.oracle("large", path)}
    figures = _figures(
        bed, size, "", ports, {"ils": "aleph"},
        "Aleph, by python-oracledb and the wire server, which is written in Python and runs on the same cores",
    )  # fmt: skip
    path.unlink()
    return figures


def _on_mariadb(bed: Bed, size: Size) -> list[Figure]:
    if not mariadb.available():
        print(f"figures on MariaDB are skipped: {mariadb.MISSING}")
        return []
    with mariadb.MariaDb(options=["--innodb-buffer-pool-size=512M"]) as server:
        name = fill_koha(server, size, bed.today)
        server.execute(
            "CREATE USER bench@'%' IDENTIFIED BY 'bench-password'",
            f"GRANT SELECT ON {name}.* TO bench@'%'",
        )
        return _figures(bed, size, "_mariadb", {"mariadb": server.port}, {"ils": "koha", "database": name},
                        "Koha on a real MariaDB")  # fmt: skip


def _figures(
    bed: Bed, size: Size, engine: str, ports: Mapping[str, int], site: Mapping[str, str], words: str
) -> list[Figure]:
    many_due, few_due, _ = days(bed.today)
    many = _read(bed, size.many, many_due, ports, site, rounds=ROUNDS)
    few = _read(bed, size.few, few_due, ports, site, rounds=ROUNDS)
    once = _read(bed, size.many, many_due, ports, site, rounds=0, beside=False)
    looked_into = [
        tuple(_read(bed, count, due, ports, site, rounds=0, beside=False, profile=True).steps)
        for count, due in ((size.many, many_due), (size.few, few_due))
    ]
    alone = bed.task("start")
    return [
        _time(f"ils_20k_time{engine}", many, f"{size.many} of {size.loans} loans: {words}", looked_into[0]),
        _time(f"ils_200_time{engine}", few, f"{size.few} of {size.loans} loans", looked_into[1]),
        Figure(
            name=f"ils_memory{engine}",
            value=once.peak_mb,
            unit="MB",
            baseline=alone.peak_mb,
            remarks=(
                f"the process that reads the {size.many} loans, at its peak; baseline: one that does nothing",
                f"{once.before_mb:.0f} MB are there before the first row: the interpreter, Airflow, operators, drivers",
            ),
            steps=once.parts_of_its_memory("the rows"),
        ),
    ]


def _read(bed: Bed, count: int, due: date, ports: Mapping[str, int], site: Mapping[str, str], **how: Any) -> Measured:
    asked = {"due": due.isoformat(), "today": bed.today.isoformat(), **how}
    measured = bed.task("read_loans", ports=ports, site=site, **asked)
    if measured.result["rows"] != count:
        raise SystemExit(f"of {count} loans: {measured.result}")
    return measured


def _time(name: str, measured: Measured, words: str, steps: tuple[str, ...]) -> Figure:
    whole, driver = (median(measured.result[way]) for way in ("ours", "bare"))
    share = max(whole - driver, 0.0)
    return Figure(
        name=name,
        value=whole,
        unit="s",
        baseline=driver,
        remarks=(
            words,
            f"{share:.2f} s of it are ours ({100 * share / whole:.0f} %): each row read, checked, made a loan;"
            f" the driver alone takes {driver:.2f} s",
        ),
        steps=steps,
    )
