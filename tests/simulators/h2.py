"""H2 in its Oracle mode, a database of another house that reads Oracle's SQL: '' is NULL, CHAR is padded.

It is Java: Debian's `libh2-java` and a JVM, loaded by JPype. The JVM lives in a process of its own, which reads what to
do as JSON and answers in JSON:

    echo '[{"script": "library.sql", "questions": [{"sql": "SELECT …", "binds": {…}}]}]' | python -m tests.simulators.h2
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from loan_reminders.gateways.runs.binds import with_binds_written

JAR = Path("/usr/share/java/h2.jar")
ROOT = Path(__file__).resolve().parents[2]
_NOT_FOR_A_SERVER = re.compile(r"(?:SET|ALTER SESSION|WHENEVER|COMMIT|EXIT)\b")


def missing() -> str:
    """What this machine lacks for it, in a sentence; empty when it can run."""
    if not shutil.which("java"):
        return "H2 needs a Java: apt-get install -y default-jre-headless"
    if not JAR.exists():
        return f"H2 needs Debian's package libh2-java ({JAR}): apt-get install -y libh2-java"
    return "" if find_spec("jpype") else "H2 needs the Python package JPype1"


def ask(jobs: Sequence[Mapping[str, Any]], *, timeout: float = 300) -> list[list[list[dict[str, Any]]]]:
    """For each job, the rows of each of its questions. A job is a `script` of ours for Oracle, and `questions`.

    A question that `may_fail` gets a row with the `error` then.
    Dates among the binds and in the rows are ISO texts with a T, as JSON wants. Raises RuntimeError with what H2 said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulators.h2"],
        input=json.dumps(jobs, default=lambda value: value.isoformat() if isinstance(value, date) else str(value)),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=ROOT,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    answers: list[list[list[dict[str, Any]]]] = json.loads(done.stdout)
    return answers


def statements(script: str) -> Iterator[str]:
    """The statements of a script that SQL*Plus would read, without its own commands, as H2 spells them.

    H2 has no UNISTR, but texts with the same escapes.
    """
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    for statement in re.split(r";\n", "\n".join(lines) + "\n"):
        text = statement.strip()
        while text and _NOT_FOR_A_SERVER.match(text):
            text = text.partition("\n")[2].strip()
        if text:
            yield re.sub(r"UNISTR\('((?:[^']|'')*)'\)", r"U&'\1'", text)


def main() -> int:
    """Do the jobs of the standard input; each has a database of its own."""
    import jpype
    import jpype.dbapi2

    jpype.startJVM("-Xshare:auto", "-XX:TieredStopAtLevel=1", classpath=[str(JAR)], convertStrings=True)
    answers = []
    for place, job in enumerate(json.load(sys.stdin)):
        connection = jpype.dbapi2.connect(
            f"jdbc:h2:mem:job{place};MODE=Oracle;DB_CLOSE_DELAY=-1", driver="org.h2.Driver"
        )
        with connection.cursor() as cursor:
            for statement in statements(Path(job["script"]).read_text(encoding="ascii")):
                cursor.execute(statement)
        answers.append([_rows(connection, question) for question in job["questions"]])
        connection.close()
    json.dump(answers, sys.stdout, default=_plain)
    return 0


def _rows(connection: Any, question: Mapping[str, Any]) -> list[dict[str, Any]]:
    named: list[str] = []

    def written(name: str) -> str:
        named.append(name)
        return "?"

    sql = with_binds_written(question["sql"], written)
    values = [_bound(question["binds"][name]) for name in named]
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql, values)
        except Exception as error:
            if question.get("may_fail"):
                return [{"error": str(error)}]
            raise
        names = [str(column[0]).lower() for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _bound(value: Any) -> Any:
    moment = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+", value)
    return datetime.fromisoformat(value) if moment else value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    number = getattr(value, "intValue", None)
    return int(number()) if number else str(value)


if __name__ == "__main__":
    sys.exit(main())
