"""Check an installation's words before it is used: `make check-settings`.

Reads `library.toml` and every template it uses; says each fault with its key or its file and line, and what is allowed.
"""

from __future__ import annotations

import sys
from datetime import datetime

from loan_reminders.domain.errors import ReminderError
from loan_reminders.services.runs.check_templates import check_templates
from loan_reminders.settings.library_toml import TEMPLATES, read_settings, settings_path


def main() -> int:
    """Check, and say what is wrong; 1 when something is."""
    path = settings_path()
    try:
        ours = read_settings(path)
        check_templates(
            TEMPLATES,
            rules=ours.policy().rules,
            library=ours.identity(),
            layout=ours.letter_layout(),
            text_rules=ours.text_rules(),
            today=datetime.now(ours.zone).date(),
        )
    except ReminderError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    sys.stdout.write(f"{path} et les modèles : valides\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
