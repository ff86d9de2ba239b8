"""Which steps of a command take most, from its start to its end.

    python -m tests.bench.command_steps FILE COMMAND…

runs `loan-reminders COMMAND…`, and writes them as JSON into a file. Nothing of ours is imported before it is looked at.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench.sampler import Sampler


def main() -> int:
    file, *command = sys.argv[1:]
    sampler = Sampler()
    with sampler:
        from loan_reminders.commands.registry import main as run

        status = run(command)
    Path(file).write_text(json.dumps(sampler.top()), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
