"""What SMS cost, asked on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from loan_reminders.commands.sms_costs import main
from tests.scenes.world import loans


def test_each_day_stage_and_category_has_a_line_and_all_have_a_sum(world, ledger_url, capsys):
    world.whole_run(*loans(2))
    day = datetime.now(UTC).date().isoformat()
    asked = ["--depuis", day, "--jusqu-a", day, "--bibliotheque", "demo", "--fuseau", "UTC", "--url", ledger_url]
    assert main(asked) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [f"{day}  overdue_notice  student  2 SMS  2 segments  30", "Total : 2 segments, coût 30"]
