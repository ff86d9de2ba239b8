"""What Airflow's pages show of our types of connection: the form's fields, their labels, what may be chosen.

Airflow reads this in every one of its processes, long before it imports a hook: nothing is imported here. The format is
that of a provider's `get_provider_info` in Airflow 3.3 (`provider_info.schema.json`, and `conn-fields` and
`ui-field-behaviour` as its own providers have them).
"""

from __future__ import annotations

from typing import Any

_HOOKS = "loan_reminders.hooks.connection_types"
_TEXT, _NUMBER, _FLAG = {"type": ["string", "null"]}, {"type": ["integer", "null"]}, {"type": ["boolean", "null"]}
_IN_CLEAR = {
    "label": "Mot de passe sans chiffrement",
    "schema": _FLAG,
    "description": "À n'accepter que sur un réseau sûr : le mot de passe part alors en clair.",
}
_CERTIFICATE = {
    "label": "Certificat du serveur",
    "schema": {
        "type": ["string", "null"],
        "enum": ["default", "none"],
        "values_display": {"default": "vérifié", "none": "non vérifié"},
    },
    "description": "« Non vérifié » accepte n'importe quel serveur : pour un essai seulement.",
}


def provider_info() -> dict[str, Any]:
    """This package as a provider of Airflow; `package-name` is the name of the distribution."""
    return {
        "package-name": "loan-reminders",
        "name": "Relances",
        "description": "Relances des prêts d'une bibliothèque : SIGB, e-mails, SMS, lettres.",
        "connection-types": [_allmysms(), _ils(), _mail_relay(), _bounce_mailbox()],
    }


def _allmysms() -> dict[str, Any]:
    return {
        "connection-type": "allmysms",
        "hook-class-name": f"{_HOOKS}.allmysms.AllMySmsConnection",
        "hook-name": "allmysms (SMS)",
        "ui-field-behaviour": {
            "hidden-fields": ["extra"],
            "relabeling": {
                "host": "Adresse de l'API",
                "schema": "Protocole",
                "port": "Port (à remplir)",
                "login": "Identifiant allmysms",
                "password": "Clé d'API",
            },
            "placeholders": {"host": "api.allmysms.com", "schema": "https", "port": "443"},
        },
        "conn-fields": {
            "connect_timeout_s": {
                "label": "Délai de connexion (secondes)",
                "schema": _NUMBER,
                "description": "5 sinon.",
            },
            "read_timeout_s": {"label": "Délai de réponse (secondes)", "schema": _NUMBER, "description": "30 sinon."},
            "login_in_clear": _IN_CLEAR,
        },
    }


def _ils() -> dict[str, Any]:
    return {
        "connection-type": "ils",
        "hook-class-name": f"{_HOOKS}.ils.IlsConnection",
        "hook-name": "SIGB (base de données)",
        "ui-field-behaviour": {
            "relabeling": {
                "host": "Serveur",
                "schema": "Base (PostgreSQL, MariaDB) ou schéma (Oracle)",
                "port": "Port (à remplir)",
                "login": "Compte de lecture",
                "password": "Mot de passe",
                "extra": "Autres options",
            },
            "placeholders": {
                "host": "sigb.exemple.fr",
                "port": "1521, 5432 ou 3306",
                "login": "un compte qui ne fait que lire",
            },
        },
        "conn-fields": {
            "engine": {
                "label": "Moteur de la base",
                "schema": {
                    "type": "string",
                    "default": "oracle",
                    "enum": ["oracle", "postgres", "mariadb"],
                    "values_display": {"oracle": "Oracle", "postgres": "PostgreSQL", "mariadb": "MariaDB ou MySQL"},
                },
            },
            "service_name": {
                "label": "Oracle : nom du service",
                "schema": _TEXT,
                "description": "À demander à l'administrateur de la base. Vide pour les autres moteurs.",
            },
            "sid": {
                "label": "Oracle : SID",
                "schema": _TEXT,
                "description": "Au lieu du service, sur une base ancienne.",
            },
            "sslmode": {
                "label": "PostgreSQL : chiffrement (sslmode)",
                "schema": {
                    "type": ["string", "null"],
                    "enum": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
                },
            },
            "ssl_mode": {
                "label": "MariaDB, MySQL : chiffrement (ssl_mode)",
                "schema": {
                    "type": ["string", "null"],
                    "enum": ["DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"],
                },
            },
            "ssl_ca": {
                "label": "MariaDB, MySQL : certificats d'autorité",
                "schema": _TEXT,
                "description": "Un fichier PEM que les machines d'Airflow peuvent lire.",
            },
        },
    }


def _mail_relay() -> dict[str, Any]:
    return {
        "connection-type": "mail_relay",
        "hook-class-name": f"{_HOOKS}.mail_relay.MailRelayConnection",
        "hook-name": "Serveur d'envoi des e-mails (SMTP)",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "extra"],
            "relabeling": {
                "host": "Serveur",
                "port": "Port (à remplir)",
                "login": "Identifiant",
                "password": "Mot de passe",
            },
            "placeholders": {"host": "smtp.exemple.fr", "port": "587"},
        },
        "conn-fields": {
            "security": {
                "label": "Chiffrement",
                "schema": {
                    "type": "string",
                    "default": "starttls",
                    "enum": ["starttls", "tls", "plain"],
                    "values_display": {
                        "starttls": "STARTTLS (port 587)",
                        "tls": "TLS dès la connexion (port 465)",
                        "plain": "aucun (port 25)",
                    },
                },
            },
            "ssl_context": _CERTIFICATE,
            "login_in_clear": _IN_CLEAR,
            "timeout": {"label": "Délai d'une étape (secondes)", "schema": _NUMBER, "description": "30 sinon."},
            "answer_timeout": {
                "label": "Délai de réponse à un message (secondes)",
                "schema": _NUMBER,
                "description": "600 sinon : qui renonce plus tôt envoie deux fois.",
            },
        },
    }


def _bounce_mailbox() -> dict[str, Any]:
    return {
        "connection-type": "bounce_mailbox",
        "hook-class-name": f"{_HOOKS}.bounce_mailbox.BounceMailboxConnection",
        "hook-name": "Boîte des retours d'e-mails (IMAP)",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "extra"],
            "relabeling": {
                "host": "Serveur",
                "port": "Port (à remplir)",
                "login": "Identifiant",
                "password": "Mot de passe",
            },
            "placeholders": {"host": "imap.exemple.fr", "port": "993"},
        },
        "conn-fields": {
            "use_ssl": {
                "label": "TLS dès la connexion",
                "schema": {"type": "boolean", "default": True},
                "description": "Sans TLS, le port est 143 et le mot de passe part en clair.",
            },
            "ssl_context": _CERTIFICATE,
            "login_in_clear": _IN_CLEAR,
            "timeout": {"label": "Délai d'une étape (secondes)", "schema": _NUMBER, "description": "30 sinon."},
        },
    }
