"""The command `loan-reminders` where the package is not installed: `python -m loan_reminders`."""

import sys

from loan_reminders.commands.registry import main

if __name__ == "__main__":
    sys.exit(main())
