"""The pages are tried on the same ledger and the same application as in `tests/web`."""

from tests.web.conftest import database_of_the_file, installed, ledger, ledger_database

__all__ = ["database_of_the_file", "installed", "ledger", "ledger_database"]
