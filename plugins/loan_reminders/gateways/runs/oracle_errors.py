"""What an Oracle error means for a run: its cause, whether it passes by itself, and what to ask whom.

Sources: Oracle's Database Error Messages, and the errors of python-oracledb 26.1 (its module `errors`).
"""

from __future__ import annotations

import re
import socket
import ssl
from typing import NamedTuple

from loan_reminders.domain.errors import RETRIED, TO_MEND, IlsRejected, IlsUnavailable


class Cause(NamedTuple):
    """One code: its cause in French, whether a later try may succeed, and the remedy, for the administrator."""

    words: str
    temporary: bool
    remedy: str


_DBA = "demander à l'administrateur de la base"
_NETWORK = "demander à l'administrateur du réseau"
_US = "corriger la connexion du SIGB dans Airflow (Administration, Connexions)"

_LISTENER = f"{_DBA} si l'écouteur (lsnrctl status) tourne, et à quelle adresse et sur quel port"
_SERVICE = f"{_DBA} le nom exact du service (lsnrctl services) et s'il est ouvert, puis {_US}"
_ROOM = f"{_DBA} d'autoriser plus de sessions (PROCESSES, SESSIONS, SESSIONS_PER_USER)"
_OPEN = f"{_DBA} d'ouvrir la base, ou quand elle le sera"
_CUT = f"{_DBA} qui arrête la session, et {_NETWORK.removeprefix('demander ')} quel pare-feu coupe"
_WAY = f"{_NETWORK} d'ouvrir le passage d'ici au port de l'écouteur"
_TIME = f"{_DBA} le plan de la requête (make check-ils), ou allonger ils.call_timeout_seconds"
_UNDO = f"{_DBA} d'augmenter UNDO_RETENTION ou l'espace d'annulation"
_SPACE = f"{_DBA} de la place pour les tris (espace temporaire) ou de la mémoire"
_TLS = f"{_DBA} le certificat du serveur et le portefeuille (wallet) à jour"
_THICK = "mettre la connexion en mode « thick » avec Instant Client 19 (thick_mode, thick_mode_lib_dir)"
_PASSWORD = f"{_DBA} l'identifiant et le mot de passe du compte de lecture, puis {_US}"
_RENEW = f"{_DBA} un nouveau mot de passe, sans expiration, pour le compte de lecture, puis {_US}"
_UNLOCK = f"{_DBA} de déverrouiller le compte de lecture, et pourquoi il l'a été"
_SELECT = f"{_DBA} le droit SELECT, ou un synonyme, sur les tables que nomme sql/README.md"
_LOGON = f"{_DBA} le droit CREATE SESSION pour le compte de lecture"
_TEXT = "corriger la requête du SIGB (dossier sql/), ou ce que les réglages [ils] de library.toml disent du site"
_CELL = f"{_TEXT} : une colonne n'a pas le type attendu"
_ZONE = f"{_DBA} de mettre à jour les fuseaux horaires de la base, ou corriger library.time_zone"
_TNS = "corriger l'extra dsn ou config_dir de la connexion : le nom doit être dans tnsnames.ora"

_PASSING: dict[str, tuple[str, str]] = {
    "DPY-1001": ("la connexion est fermée", _CUT),
    "DPY-4011": ("la connexion est coupée", _CUT),
    "DPY-4024": ("la base a mis trop de temps à répondre", _TIME),
    "DPY-4033": ("la session est restée inactive trop longtemps", _CUT),
    "DPY-4035": ("la réponse est illisible : ce n'est peut-être pas un écouteur Oracle", _LISTENER),
    "DPY-6000": ("l'écouteur Oracle refuse la connexion", _LISTENER),
    "DPY-6001": ("l'écouteur Oracle ne connaît pas le service", _SERVICE),
    "DPY-6003": ("l'écouteur Oracle ne connaît pas le SID", _SERVICE),
    "DPY-6004": ("le proxy refuse la connexion", _WAY),
    "DPY-6005": ("le serveur est injoignable", _WAY),
    "ORA-00018": ("trop de sessions", _ROOM),
    "ORA-00020": ("trop de processus", _ROOM),
    "ORA-00028": ("la session a été arrêtée", _CUT),
    "ORA-00060": ("verrou croisé", _DBA + " qui tient le verrou"),
    "ORA-00376": ("un fichier de la base est illisible", _OPEN),
    "ORA-00600": ("erreur interne d'Oracle", _DBA + " ce qu'en dit le journal d'alerte"),
    "ORA-00603": ("la session a été arrêtée par une erreur grave", _DBA + " le journal d'alerte"),
    "ORA-01012": ("la session est fermée", _CUT),
    "ORA-01013": ("la requête a été annulée", _TIME),
    "ORA-01033": ("la base démarre ou s'arrête", _OPEN),
    "ORA-01034": ("la base n'est pas démarrée", _OPEN),
    "ORA-01035": ("la base n'est ouverte qu'à ses administrateurs", _OPEN),
    "ORA-01089": ("la base s'arrête", _OPEN),
    "ORA-01090": ("la base s'arrête", _OPEN),
    "ORA-01092": ("la base s'est arrêtée", _OPEN),
    "ORA-01109": ("la base n'est pas ouverte", _OPEN),
    "ORA-01219": ("la base n'est pas ouverte", _OPEN),
    "ORA-01555": ("les données ont trop changé pendant la requête", _UNDO),
    "ORA-01652": ("plus de place pour le travail de la requête", _SPACE),
    "ORA-02391": ("trop de sessions pour ce compte", _ROOM),
    "ORA-02396": ("la session est restée inactive trop longtemps", _CUT),
    "ORA-03113": ("la connexion est coupée", _CUT),
    "ORA-03114": ("la connexion est coupée", _CUT),
    "ORA-03135": ("la connexion est coupée", _CUT),
    "ORA-03136": ("la connexion n'a pas abouti à temps", _LISTENER),
    "ORA-04031": ("la base manque de mémoire", _SPACE),
    "ORA-04036": ("la base manque de mémoire", _SPACE),
    "ORA-08103": ("une table a été refaite pendant la requête", _DBA + " ce qui refait ses tables à cette heure"),
    "ORA-12152": ("la connexion est coupée", _CUT),
    "ORA-12170": ("le serveur ne répond pas à temps", _WAY),
    "ORA-12500": ("l'écouteur Oracle ne peut pas ouvrir de session", _LISTENER),
    "ORA-12505": ("l'écouteur Oracle ne connaît pas le SID", _SERVICE),
    "ORA-12514": ("l'écouteur Oracle ne connaît pas le service", _SERVICE),
    "ORA-12516": ("l'écouteur Oracle n'a plus de place libre", _ROOM),
    "ORA-12518": ("l'écouteur Oracle ne peut pas transmettre la connexion", _LISTENER),
    "ORA-12519": ("l'écouteur Oracle n'a plus de place libre", _ROOM),
    "ORA-12520": ("l'écouteur Oracle n'a plus de place libre", _ROOM),
    "ORA-12521": ("l'écouteur Oracle ne connaît pas l'instance", _SERVICE),
    "ORA-12526": ("la base n'est ouverte qu'à ses administrateurs", _OPEN),
    "ORA-12527": ("la base n'est ouverte qu'à ses administrateurs", _OPEN),
    "ORA-12528": ("la base démarre ou s'arrête", _OPEN),
    "ORA-12535": ("le serveur ne répond pas à temps", _WAY),
    "ORA-12537": ("la connexion a été fermée", _CUT),
    "ORA-12541": ("pas d'écouteur Oracle à cette adresse", _LISTENER),
    "ORA-12543": ("le serveur est injoignable", _WAY),
    "ORA-12545": ("le serveur est injoignable", _WAY),
    "ORA-12547": ("la connexion est perdue", _CUT),
    "ORA-12570": ("la connexion est coupée", _CUT),
    "ORA-12571": ("la connexion est coupée", _CUT),
    "ORA-25408": ("la base est passée sur un autre serveur", _DBA + " si une bascule est en cours"),
    "ORA-28365": ("le portefeuille de la base est fermé", _OPEN),
}
_LASTING: dict[str, tuple[str, str]] = {
    "DPI-1047": ("le client Oracle du mode « thick » est introuvable ou incomplet", _THICK + ", et libaio"),
    "DPI-1072": ("le client Oracle du mode « thick » est trop ancien", _THICK),
    "DPY-2017": ("le mode « thick » est déjà chargé avec un autre client", "redémarrer Airflow"),
    "DPY-2018": ("le portefeuille (wallet) est introuvable", _TLS),
    "DPY-2019": ("une connexion « thin » a précédé celle en mode « thick »", "redémarrer Airflow"),
    "DPY-3001": ("le serveur exige le mode « thick » du pilote", _THICK),
    "DPY-3010": ("le serveur est trop ancien pour le mode « thin » du pilote", _THICK),
    "DPY-3015": (
        "le mot de passe du compte est d'un format trop ancien pour le mode « thin » du pilote",
        f"{_DBA} de refaire ce mot de passe (ALTER USER), ou {_THICK}",
    ),
    "DPY-4000": ("le nom TNS est inconnu", _TNS),
    "DPY-4001": ("il manque l'identifiant ou le mot de passe", _US),
    "DPY-4008": ("la requête n'a pas ce bind", _TEXT),
    "DPY-4010": ("un bind n'a pas de valeur", _TEXT),
    "DPY-4017": ("le descripteur de connexion est illisible", _US),
    "DPY-4018": ("la chaîne de connexion est illisible", _US),
    "DPY-4021": ("le protocole de la connexion est inconnu", _US),
    "DPY-4026": ("tnsnames.ora est introuvable", _TNS),
    "DPY-4027": ("aucun dossier ne dit où est tnsnames.ora", _TNS),
    "DPY-6002": ("le certificat du serveur n'est pas celui attendu (ssl_server_cert_dn)", _TLS),
    "DPY-6006": ("le certificat du serveur porte un autre nom", _TLS),
    "ORA-00904": ("cette colonne ou fonction n'existe pas", _TEXT),
    "ORA-00942": ("cette table ou vue n'existe pas, ou le compte n'a pas le droit de la lire", _SELECT),
    "ORA-00980": ("un synonyme ne mène plus à sa table", _SELECT),
    "ORA-01017": ("identifiant ou mot de passe incorrect", _PASSWORD),
    "ORA-01031": ("il manque un droit au compte", _SELECT),
    "ORA-01045": ("le compte n'a pas le droit de se connecter", _LOGON),
    "ORA-01435": ("ce schéma n'existe pas", _US + " : le champ Schema nomme le schéma des tables, ou reste vide"),
    "ORA-01456": ("une écriture est refusée dans cette transaction en lecture seule", _TEXT),
    "ORA-01720": ("il manque un droit au propriétaire de la vue", _SELECT),
    "ORA-01722": ("un texte du SIGB n'est pas un nombre", _CELL),
    "ORA-01745": ("un bind porte un nom réservé", _TEXT),
    "ORA-01839": ("un texte du SIGB n'est pas une date", _CELL),
    "ORA-01843": ("un texte du SIGB n'est pas une date", _CELL),
    "ORA-01861": ("un texte du SIGB n'est pas une date", _CELL),
    "ORA-01882": ("la base ne connaît pas le fuseau horaire de la bibliothèque", _ZONE),
    "ORA-02395": (
        "la requête dépasse la part du compte",
        _DBA + " de relever les limites du profil du compte de lecture (LOGICAL_READS, CPU)",
    ),
    "ORA-04063": ("une vue a des erreurs", _DBA + " de recompiler la vue"),
    "ORA-28000": ("le compte est verrouillé", _UNLOCK),
    "ORA-28001": ("le mot de passe a expiré", _RENEW),
    "ORA-28002": ("le mot de passe va expirer", _RENEW),
    "ORA-28040": ("le serveur refuse le protocole d'authentification du pilote", _THICK),
    "ORA-28759": ("le portefeuille (wallet) ne s'ouvre pas", _TLS),
    "ORA-29024": ("le certificat du serveur n'est pas reconnu", _TLS),
}

ORACLE_ERRORS: dict[str, Cause] = {
    code: Cause(words, temporary, remedy)
    for temporary, causes in ((True, _PASSING), (False, _LASTING))
    for code, (words, remedy) in causes.items()
}
"""Every code that we know, as the driver or its message names it."""

_BELOW: tuple[tuple[type[BaseException], Cause], ...] = (
    (ssl.SSLCertVerificationError, Cause("le certificat du serveur n'est pas reconnu", False, _TLS)),
    (
        ssl.SSLError,
        Cause("l'écouteur ne parle pas TLS sur ce port", False, f"{_DBA} le port de l'écouteur TCPS, puis {_US}"),
    ),
    (socket.gaierror, Cause("le nom du serveur est inconnu", True, f"{_NETWORK} si ce nom existe, puis {_US}")),
    (ConnectionRefusedError, Cause("pas d'écouteur Oracle à cette adresse", True, _LISTENER)),
    (TimeoutError, Cause("le serveur ne répond pas à temps", True, _WAY)),
    (OSError, Cause("le serveur est injoignable", True, _WAY)),
)
"""What the network says below the driver: the first class that fits."""

_CANNOT_CONNECT = "DPY-6005"
_TELL_LITTLE = frozenset({_CANNOT_CONNECT, "DPY-6000", "DPY-4011"})
_SAID_BELOW = re.compile(r"\b(?:DPY-\d{4}|ORA-\d{5})\b")
_IDENTIFIER = re.compile(r'(?:"[A-Z][A-Z0-9_$#]{0,127}"\.?){1,3}')
_NAMES_SOMETHING = frozenset({"ORA-00904", "ORA-00942"})
_UNKNOWN = f"{_DBA} ce que ce code veut dire"


def ils_error(error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
    """The project's error for one of the driver's or the network's, said with its code and nothing of the data.

    Oracle's own text is left out: some of it quotes data, and a driver's may name the account. Only the identifiers
    of a missing column or table are kept. An unknown code is permanent when it is about the statement
    (ORA-009xx, or what the driver calls programming, data or unsupported), temporary otherwise.
    """
    code, message = _code(error), _message(error)
    cause = _cause(error, code)
    if cause is None:
        lasting = code.startswith("ORA-009") or _is_about_the_statement(error)
        return _said(f"{doing} : {code}", Cause("", not lasting, _UNKNOWN))
    names = "".join(_IDENTIFIER.findall(message)[:1]) if code in _NAMES_SOMETHING else ""
    return _said(f"{doing} : {code}, {cause.words}{f' ({names})' if names else ''}", cause)


def _said(words: str, cause: Cause) -> IlsUnavailable | IlsRejected:
    if cause.temporary:
        return IlsUnavailable(f"{words}. {RETRIED} Remède : {cause.remedy}.", cause=words, remedy=cause.remedy)
    return IlsRejected(f"{words}. {TO_MEND} Remède : {cause.remedy}.", cause=words, remedy=cause.remedy)


def _message(error: Exception) -> str:
    return str(getattr(error.args[0], "message", "")) if error.args else ""


def _code(error: Exception) -> str:
    """The code that tells most: of a connection that fails or is cut, what the listener or the server said below it."""
    code = _driver_code(error)
    if code not in _TELL_LITTLE:
        return code
    below = _SAID_BELOW.findall(_message(error)[len(code) :])
    telling = [said for said in below if said not in _TELL_LITTLE]
    return next((said for said in telling if said in ORACLE_ERRORS), next(iter(telling or below), code))


def _driver_code(error: Exception) -> str:
    detail = error.args[0] if error.args else None
    return str(getattr(detail, "full_code", "") or type(error).__name__)


def _cause(error: Exception, code: str) -> Cause | None:
    below = error if isinstance(error, OSError) else error.__cause__
    if code == _CANNOT_CONNECT or isinstance(error, OSError):
        for kind, cause in _BELOW:
            if isinstance(below, kind):
                return cause
    said = (code, *_SAID_BELOW.findall(_message(error)), _driver_code(error))
    return next((ORACLE_ERRORS[name] for name in said if name in ORACLE_ERRORS and name != _CANNOT_CONNECT), None) or (
        ORACLE_ERRORS.get(code)
    )


def _is_about_the_statement(error: Exception) -> bool:
    import oracledb

    return isinstance(
        error,
        (oracledb.ProgrammingError, oracledb.DataError, oracledb.IntegrityError, oracledb.NotSupportedError),
    )
