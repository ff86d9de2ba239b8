"""What a PostgreSQL error means for a run: come back later, or mend something first.

The codes are SQLSTATEs (PostgreSQL documentation, appendix A). A refused connection comes without one, since libpq only
hands the server's words on: they are looked up, in the server's English or French.
"""

from __future__ import annotations

import re

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.remedies import ACCOUNT, SERVER, STATEMENT, TIME, said

_UNAVAILABLE = {
    "08000": "la connexion est coupée",
    "08001": "le serveur est injoignable",
    "08003": "la connexion est fermée",
    "08004": "le serveur refuse la connexion",
    "08006": "la connexion est coupée",
    "25P03": "la session est restée inactive trop longtemps",
    "25P04": "la lecture a duré trop longtemps",
    "40001": "la requête a été annulée : les données ont changé, ou le serveur de secours se met à jour",
    "40P01": "verrou croisé",
    "53100": "le disque du serveur est plein",
    "53200": "la base manque de mémoire",
    "53300": "trop de sessions",
    "53400": "une limite du serveur est atteinte",
    "55000": "la base ou la vue n'est pas prête",
    "55P03": "une table est verrouillée",
    "57014": "la base a mis trop de temps à répondre, ou la requête a été annulée",
    "57P01": "la session a été arrêtée",
    "57P02": "la base s'est arrêtée",
    "57P03": "la base démarre ou s'arrête",
    "57P05": "la session est restée inactive trop longtemps",
    "58000": "le système du serveur est en panne",
    "58030": "le disque du serveur est en panne",
}
_REJECTED = {
    "08P01": "le serveur, ou un intermédiaire, ne comprend pas le pilote",
    "0A000": "PostgreSQL ne sait pas faire cela, ou pas dans une lecture",
    "22003": "un nombre est trop grand",
    "22007": "un texte du SIGB n'est pas une date",
    "22008": "une date est hors du calendrier",
    "22012": "division par zéro",
    "22021": "un texte n'est pas dans l'encodage de la base",
    "22023": "une valeur n'est pas permise (library.time_zone, s'il est inconnu du serveur)",
    "22P02": "un texte du SIGB n'est pas du type attendu (un nombre, une date, un UUID)",
    "22P05": "un signe n'existe pas dans l'encodage demandé",
    "25006": "la requête écrit, et la session ne fait que lire",
    "28000": "le compte n'a pas le droit de se connecter",
    "28P01": "identifiant ou mot de passe incorrect, ou mot de passe expiré",
    "3D000": "cette base n'existe pas",
    "3F000": "ce schéma n'existe pas",
    "42501": "il manque un droit au compte",
    "42601": "la requête est mal écrite",
    "42702": "un nom de colonne est ambigu",
    "42703": "cette colonne n'existe pas",
    "42704": "un réglage, un type ou une collation n'existe pas (l'extra options de la connexion ?)",
    "42804": "deux types ne vont pas ensemble",
    "42846": "un type ne se convertit pas en un autre",
    "42883": "cette fonction n'existe pas, ou deux types ne se comparent pas",
    "42P01": "cette table ou vue n'existe pas",
    "42P08": "un bind a deux types",
    "42P18": "un bind n'a pas de type : écrire CAST(:bind AS …)",
}
_PERMANENT_CLASSES = ("0A", "22", "23", "25", "26", "28", "2B", "34", "3D", "3F", "42", "44", "P0")
_SAID_WHEN_CONNECTING = (
    ("28P01", r"password authentication failed|authentification par mot de passe échouée"),
    ("28000", r"not permitted to log in|autorisé à se connecter"),
    ("28000", r"role .* does not exist|rôle .* n.existe pas"),
    ("28000", r"pg_hba\.conf|authentication failed|authentification .*échou"),
    ("28P01", r"no password supplied|mot de passe .*fourni"),
    ("3D000", r"database .* does not exist|base de données .* n.existe pas"),
    ("42501", r"permission denied for database|droit refusé pour la base"),
    ("55000", r"not currently accepting connections|n.accepte (?:plus|pas) .*connexions"),
    ("53300", r"too many (?:connections|clients)|remaining connection slots|trop de (?:connexions|clients)"),
    ("57P03", r"is starting up|shutting down|recovery mode|not (?:yet )?accepting connections"),
    ("57P03", r"en cours de (?:démarrage|restauration)|se lance|s.arrête|(?:mode|cours) de restauration"),
    ("42704", r"unrecognized configuration parameter|paramètre de configuration .*(?:non reconnu|inconnu)"),
    ("08001", r"connection refused|could not connect|resolve host|no route|no such file|unreachable"),
)
_TLS = re.compile(r"\bSSL\b|certificate|certificat", re.IGNORECASE)
_NAMES = {
    "42P01": re.compile(r"[\"«]\s*([A-Za-z_][\w.$]*)\s*[\"»]"),
    "42703": re.compile(r"(?:column|colonne) [\"«]?\s*([A-Za-z_][\w.$]*)"),
    "42501": re.compile(r"(?:for|pour) .*?[\"«]?\s*([A-Za-z_][\w.$]*)\s*[\"»]?$"),
    "3F000": re.compile(r"[\"«]\s*([A-Za-z_][\w.$]*)\s*[\"»]"),
}
"""Where the server's words name what is missing; nothing else of them is kept."""


def ils_error(error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
    """The project's error for one of psycopg's, said with its SQLSTATE and without anything the database holds.

    The server's own text is left out: some of it quotes data. Only the identifiers of a missing table, column or right
    are kept. An unknown code is permanent when it is of a class about the statement, the account or the data.
    """
    import psycopg

    if isinstance(error, OSError):
        return said(f"{doing} : {type(error).__name__}, le réseau ne répond pas", temporary=True, remedy=SERVER)
    code = str(getattr(error, "sqlstate", None) or "")
    primary = str(getattr(getattr(error, "diag", None), "message_primary", None) or "")
    if not code:
        if isinstance(error, psycopg.errors.ConnectionTimeout):
            return said(f"{doing} : le serveur ne répond pas à temps", temporary=True, remedy=_remedy(code))
        if isinstance(error, psycopg.ProgrammingError | psycopg.NotSupportedError):
            return said(
                f"{doing} : une option de la connexion, ou un bind de la requête, n'est pas du pilote",
                temporary=False,
                remedy=ACCOUNT,
            )
        words_of_the_server = str(error)
        code = next(
            (code for code, words in _SAID_WHEN_CONNECTING if re.search(words, words_of_the_server, re.IGNORECASE)), ""
        )
        if not code and _TLS.search(words_of_the_server):
            return said(
                f"{doing} : la connexion chiffrée (TLS) n'a pas pu être établie", temporary=False, remedy=ACCOUNT
            )
    if code in _REJECTED:
        named = pattern.search(primary) if (pattern := _NAMES.get(code)) else None
        return said(
            f"{doing} : {code}, {_REJECTED[code]}{f' ({named[1]})' if named else ''}",
            temporary=False,
            remedy=_remedy(code),
        )
    if code in _UNAVAILABLE:
        return said(f"{doing} : {code}, {_UNAVAILABLE[code]}", temporary=True, remedy=_remedy(code))
    if code.startswith(_PERMANENT_CLASSES) or isinstance(error, psycopg.DataError):
        return said(f"{doing} : {code or type(error).__name__}", temporary=False, remedy=_remedy(code))
    return said(f"{doing} : {code or 'la connexion est coupée'}", temporary=True, remedy=_remedy(code))


def _remedy(code: str) -> str:
    if code in _SLOW:
        return TIME
    if code.startswith(("28", "3D", "42501", "42704")):
        return ACCOUNT
    return STATEMENT if code.startswith(_PERMANENT_CLASSES) else SERVER


_SLOW = frozenset({"57014", "40001", "25P04", "40P01", "55P03"})
