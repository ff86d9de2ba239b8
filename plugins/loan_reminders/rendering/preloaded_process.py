"""A process with the page engine already loaded, that does each job in a fork of itself.

The fork ends with its job: memory stays flat whatever the number of jobs, and a job that never ends can be killed. Run
by `process_pool` as `python -m loan_reminders.rendering.preloaded_process`, with jobs on the standard input and
answers, nothing else, on the standard output: a line of JSON each. A job holds readers' data: it travels neither by the
command line nor by a file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from loan_reminders.rendering.compile_pdf import COMPILE, compile_pdf
from loan_reminders.rendering.dispute.pages import MAKE_FILE, make_file
from loan_reminders.rendering.private_files import keep_private

WORKS: Final[Mapping[str, Callable[[Any], Mapping[str, Any]]]] = {COMPILE: compile_pdf, MAKE_FILE: make_file}
"""All that can be asked for, by its name."""


def serve() -> None:
    """Answer each line: `{"work": name, "job": its facts}`.

    The answer is that of the work; `unwritable` in it says that the disk refused a file, `stopped` with which code the
    fork ended otherwise.
    """
    import pikepdf  # noqa: F401 - loaded once, for all the forks
    import typst  # noqa: F401

    for line in sys.stdin.buffer:
        fork = os.fork()
        if not fork:
            _answer_and_end(line)
        status = os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])
        if status:
            _say({"stopped": status})


def _answer_and_end(line: bytes) -> NoReturn:
    """Do one job and end, whatever happens; code 0 when it was answered."""
    code = 1
    try:
        asked = json.loads(line)
        try:
            answer = WORKS[asked["work"]](asked["job"])
        except OSError as error:
            answer = {"unwritable": error.strerror or type(error).__name__}
        _say(answer)
        code = 0
    finally:
        os._exit(code)


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    keep_private()
    serve()
