"""What an error of MariaDB or MySQL means for a run: come back later, or mend something first.

The numbers are the servers' (MariaDB documentation, "MariaDB Error Codes"; MySQL reference, "Server Error Message
Reference"); those above 2000 are the client's.
"""

from __future__ import annotations

import re
import ssl

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.remedies import ACCOUNT, SERVER, STATEMENT, TIME, said

_UNAVAILABLE = {
    1020: "les données ont changé pendant la requête",
    1021: "le disque du serveur est plein",
    1037: "la base manque de mémoire",
    1038: "la base manque de mémoire pour trier",
    1040: "trop de sessions",
    1041: "la base manque de mémoire",
    1053: "la base s'arrête",
    1114: "plus de place pour le travail de la requête",
    1152: "la connexion est coupée",
    1158: "la connexion est coupée",
    1159: "la connexion est coupée",
    1160: "la connexion est coupée",
    1161: "la connexion est coupée",
    1203: "trop de sessions pour ce compte",
    1205: "une table est verrouillée",
    1206: "trop de verrous",
    1213: "verrou croisé",
    1226: "le compte a atteint une de ses limites",
    1317: "la requête a été annulée",
    1412: "une table a été modifiée pendant la lecture",
    1615: "une table a été modifiée pendant la requête",
    1927: "la session a été arrêtée",
    1969: "la base a mis trop de temps à répondre",
    2002: "le serveur est injoignable",
    2003: "le serveur est injoignable",
    2006: "la connexion est coupée",
    2013: "la connexion est coupée, ou le serveur ne répond plus",
    2014: "la réponse est illisible",
    2055: "la connexion est coupée",
    3024: "la base a mis trop de temps à répondre",
    4031: "la session est restée inactive trop longtemps",
}
_REJECTED = {
    1034: "l'index d'une table est abîmé : la réparer (REPAIR TABLE)",
    1044: "le compte n'a pas de droit sur cette base",
    1045: "identifiant ou mot de passe incorrect",
    1046: "la connexion ne nomme pas de base (champ « Schema »)",
    1049: "cette base n'existe pas",
    1052: "un nom de colonne est ambigu",
    1054: "cette colonne n'existe pas",
    1064: "la requête est mal écrite",
    1109: "cette table n'est pas dans la requête",
    1115: "cet encodage est inconnu du serveur",
    1129: "trop d'échecs : le serveur bloque cette machine (mariadb-admin flush-hosts)",
    1130: "le serveur n'accepte pas cette machine",
    1142: "il manque au compte un droit sur cette table",
    1143: "il manque au compte un droit sur cette colonne",
    1146: "cette table ou vue n'existe pas",
    1194: "une table est abîmée : la réparer (REPAIR TABLE)",
    1195: "une table est abîmée : la réparer (REPAIR TABLE)",
    1227: "il manque un droit au compte",
    1251: "le serveur exige une authentification que le pilote n'a pas",
    1267: "deux textes n'ont pas le même ordre de tri (collation)",
    1292: "un texte du SIGB n'est pas du type attendu",
    1305: "cette fonction n'existe pas",
    1356: "la vue lit une table ou une colonne qui n'existe plus, ou sans droit",
    1370: "il manque un droit au compte",
    1449: "le compte qui a créé la vue n'existe plus",
    1525: "une valeur n'est pas du type attendu",
    1698: "ce compte ne se connecte pas par mot de passe",
    1792: "la requête écrit, et la session ne fait que lire",
    1820: "le mot de passe a expiré",
    1862: "le mot de passe a expiré",
    2026: "la connexion chiffrée (TLS) n'a pas pu être établie",
    2059: "le serveur exige une authentification que le pilote n'a pas",
    2061: "le serveur exige une authentification que le pilote n'a pas",
    3118: "le compte est verrouillé",
    3159: "le serveur exige une connexion chiffrée (TLS)",
    3955: "le compte est verrouillé : trop de mots de passe incorrects",
    4151: "le compte est verrouillé",
}
_NAMES_SOMETHING = frozenset({1049, 1054, 1142, 1143, 1146, 1305})
_ACCOUNT = re.compile(r"'[^']*'@'[^']*'")
_IDENTIFIER = re.compile(r"(?:`[A-Za-z_]\w*`\.)?`([A-Za-z_]\w*)`|'([A-Za-z_][\w.$]*)'")
_COMMAND = frozenset({"select", "insert", "update", "delete"})
_PERMANENT_STATES = ("0A", "21", "22", "23", "25", "28", "3D", "42", "44")


def ils_error(error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
    """The project's error for one of PyMySQL's, said with its number and without anything the database holds.

    The server's own text is left out: some of it quotes data, some names the account. Only the identifiers of what is
    missing are kept. An unknown number is permanent when its SQLSTATE is of a class about the statement, the account or
    the data.
    """
    import pymysql

    if isinstance(error, OSError):
        return said(f"{doing} : {type(error).__name__}, le réseau ne répond pas", temporary=True, remedy=SERVER)
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if isinstance(getattr(error, "original_exception", None), ssl.SSLError):
        code = 2026
    if code in _UNAVAILABLE:
        return said(f"{doing} : {code}, {_UNAVAILABLE[code]}", temporary=True, remedy=_remedy(code))
    if code in _REJECTED:
        names = ", ".join(_names(str(error.args[1]))) if code in _NAMES_SOMETHING and len(error.args) > 1 else ""
        return said(
            f"{doing} : {code}, {_REJECTED[code]}{f' ({names})' if names else ''}",
            temporary=False,
            remedy=_remedy(code),
        )
    told = str(code or type(error).__name__)
    permanent = (pymysql.ProgrammingError, pymysql.DataError, pymysql.IntegrityError, pymysql.NotSupportedError)
    state = str(getattr(error, "sqlstate", None) or "")
    if state.startswith(_PERMANENT_STATES) or isinstance(error, permanent):
        return said(f"{doing} : {told}", temporary=False, remedy=_remedy(code))
    return said(f"{doing} : {told}", temporary=True, remedy=_remedy(code))


def _names(words: str) -> list[str]:
    """The identifiers that the server's words name, without the account's."""
    found = [match[1] or match[2] for match in _IDENTIFIER.finditer(_ACCOUNT.sub("", words))]
    return [name for name in found if name.lower() not in _COMMAND][:2]


def _remedy(code: int) -> str:
    if code in _SLOW:
        return TIME
    if code in _UNAVAILABLE or code not in _REJECTED:
        return SERVER
    return ACCOUNT if code in _OF_THE_ACCOUNT else STATEMENT


_SLOW = frozenset({1205, 1213, 1317, 1969, 3024})
_OF_THE_ACCOUNT = frozenset({
    1044, 1045, 1046, 1049, 1129, 1130, 1142, 1143, 1227, 1251, 1370, 1698, 1820, 1862, 2026, 2059, 2061, 3118, 3159,
    3955, 4151,
})  # fmt: skip
