"""What an Oracle error means for a run: come back later, or mend something first."""

from __future__ import annotations

import re

from loan_reminders.domain.errors import RETRIED, TO_MEND, IlsRejected, IlsUnavailable

_UNAVAILABLE = {
    "DPY-1001": "la connexion est fermée",
    "DPY-4011": "la connexion est coupée",
    "DPY-4024": "la base a mis trop de temps à répondre",
    "DPY-4033": "la session est restée inactive trop longtemps",
    "DPY-4035": "la réponse est illisible",
    "DPY-6000": "l'écouteur Oracle refuse la connexion",
    "DPY-6001": "l'écouteur Oracle ne connaît pas le service",
    "DPY-6003": "l'écouteur Oracle ne connaît pas le SID",
    "DPY-6004": "le proxy refuse la connexion",
    "DPY-6005": "le serveur est injoignable",
    "ORA-00018": "trop de sessions",
    "ORA-00020": "trop de processus",
    "ORA-00028": "la session a été arrêtée",
    "ORA-00060": "verrou croisé",
    "ORA-01012": "la session est fermée",
    "ORA-01013": "la requête a été annulée",
    "ORA-01033": "la base démarre ou s'arrête",
    "ORA-01034": "la base n'est pas démarrée",
    "ORA-01089": "la base s'arrête",
    "ORA-01090": "la base s'arrête",
    "ORA-01092": "la base s'est arrêtée",
    "ORA-01109": "la base n'est pas ouverte",
    "ORA-01555": "les données ont trop changé pendant la requête",
    "ORA-01652": "plus de place pour le travail de la requête",
    "ORA-02391": "trop de sessions pour ce compte",
    "ORA-02396": "la session est restée inactive trop longtemps",
    "ORA-03113": "la connexion est coupée",
    "ORA-03114": "la connexion est coupée",
    "ORA-03135": "la connexion est coupée",
    "ORA-04031": "la base manque de mémoire",
    "ORA-12170": "le serveur ne répond pas à temps",
    "ORA-12505": "l'écouteur Oracle ne connaît pas le SID",
    "ORA-12514": "l'écouteur Oracle ne connaît pas le service",
    "ORA-12516": "l'écouteur Oracle n'a plus de place libre",
    "ORA-12518": "l'écouteur Oracle ne peut pas transmettre la connexion",
    "ORA-12519": "l'écouteur Oracle n'a plus de place libre",
    "ORA-12520": "l'écouteur Oracle n'a plus de place libre",
    "ORA-12528": "la base démarre ou s'arrête",
    "ORA-12537": "la connexion a été fermée",
    "ORA-12541": "pas d'écouteur Oracle à cette adresse",
    "ORA-12547": "la connexion est perdue",
    "ORA-12571": "la connexion est coupée",
}
_REJECTED = {
    "DPY-3001": "le serveur exige le mode « thick » du pilote",
    "DPY-3010": "le serveur est trop ancien pour le mode « thin » du pilote",
    "DPY-3015": "le mot de passe du compte est d'un format trop ancien pour le mode « thin » du pilote",
    "DPY-4000": "le nom TNS est inconnu",
    "DPY-4001": "il manque l'identifiant ou le mot de passe",
    "DPY-4008": "la requête n'a pas ce bind",
    "DPY-4010": "un bind n'a pas de valeur",
    "DPY-4017": "le descripteur de connexion est illisible",
    "DPY-4018": "la chaîne de connexion est illisible",
    "ORA-00904": "cette colonne ou fonction n'existe pas",
    "ORA-00942": "cette table ou vue n'existe pas, ou le compte n'a pas le droit de la lire",
    "ORA-01005": "il manque le mot de passe",
    "ORA-01017": "identifiant ou mot de passe incorrect",
    "ORA-01031": "il manque un droit au compte",
    "ORA-01045": "le compte n'a pas le droit de se connecter",
    "ORA-01435": "ce schéma n'existe pas",
    "ORA-01722": "un texte du SIGB n'est pas un nombre",
    "ORA-01745": "un bind porte un nom réservé",
    "ORA-01839": "un texte du SIGB n'est pas une date",
    "ORA-01843": "un texte du SIGB n'est pas une date",
    "ORA-01861": "un texte du SIGB n'est pas une date",
    "ORA-28000": "le compte est verrouillé",
    "ORA-28001": "le mot de passe a expiré",
    "ORA-28002": "le mot de passe va expirer",
    "ORA-28040": "le serveur refuse le protocole d'authentification du pilote",
}
_CANNOT_CONNECT = "DPY-6005"
_CAUSE = re.compile(r"\b(?:DPY-\d{4}|ORA-\d{5})\b")
_IDENTIFIER = re.compile(r'(?:"[A-Z][A-Z0-9_$#]{0,127}"\.?){1,3}')
_NAMES_SOMETHING = frozenset({"ORA-00904", "ORA-00942"})


def ils_error(error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
    """The project's error for one of the driver's, said with its code and without anything the database holds.

    Oracle's own text is left out: some of it quotes data, and a driver's may name the account. Only the identifiers
    of a missing column or table are kept. An unknown code is permanent when it is about the statement
    (ORA-009xx, or what the driver calls programming, data or unsupported), temporary otherwise.
    """
    import oracledb

    detail = error.args[0] if error.args else None
    message = str(getattr(detail, "message", ""))
    code = str(getattr(detail, "full_code", "") or type(error).__name__)
    if code == _CANNOT_CONNECT and (cause := _CAUSE.search(message, len(code))):
        code = cause[0]
    if code in _UNAVAILABLE:
        return IlsUnavailable(f"{doing} : {code}, {_UNAVAILABLE[code]}. {RETRIED}")
    if code in _REJECTED:
        names = "".join(_IDENTIFIER.findall(message)[:1]) if code in _NAMES_SOMETHING else ""
        return IlsRejected(f"{doing} : {code}, {_REJECTED[code]}{f' ({names})' if names else ''}. {TO_MEND}")
    permanent = (
        oracledb.ProgrammingError,
        oracledb.DataError,
        oracledb.IntegrityError,
        oracledb.NotSupportedError,
    )
    about_statement = code.startswith("ORA-009") or isinstance(error, permanent)
    if about_statement:
        return IlsRejected(f"{doing} : {code}. {TO_MEND}")
    return IlsUnavailable(f"{doing} : {code}. {RETRIED}")
