"""The auth manager of accounts with a name and a password: `[core] auth_manager`, beside `webserver_config.py`."""

from __future__ import annotations

from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from fastapi import FastAPI
from limits import parse

from deploy.password_doors import PasswordDoors, TooOften


class AccountsAuthManager(FabAuthManager):
    """FAB's, but guessing passwords is as slow where programs ask for a token as it is at the form."""

    def get_fastapi_app(self) -> FastAPI | None:
        """FAB's application; each web server process counts by itself, by `AUTH_RATE_LIMIT`, as the form does."""
        app = super().get_fastapi_app()
        if app and self.flask_app and self.flask_app.config["AUTH_RATE_LIMITED"]:
            limit = parse(self.flask_app.config["AUTH_RATE_LIMIT"])
            app.add_middleware(PasswordDoors, refuse=TooOften(limit))
        return app
