"""The words by which mail servers say why they refuse, as they were seen in public reports; French ones included.

Each pattern is tried on folded words: lower case, without accents, addresses, links and host names. Sources: the
providers' own pages (Microsoft's list of non-delivery reports, Google's SMTP errors, Orange's and La Poste's codes),
and the manuals of Postfix, Exim, Sendmail and qmail.
"""

from __future__ import annotations

import re
import unicodedata

_ADDRESSES_AND_LINKS = re.compile(r"=\?\S{1,4000}|\S{0,300}://\S{0,2000}|<?[^\s<>@]{1,300}@[^\s<>@]{1,300}>?")
_HOST_NAME = re.compile(r"\b(?:[a-z0-9_-]{1,63}\.){2,10}[a-z]{2,24}\b")
_LONGEST = 4_000


def folded(text: str) -> str:
    """Words as the patterns expect them, without what says nothing: addresses, links, hosts, unreadable signs."""
    plain = unicodedata.normalize("NFKD", text[:_LONGEST].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    words = "".join(sign for sign in plain if not unicodedata.combining(sign)).lower()
    return " ".join(_HOST_NAME.sub("<host>", _ADDRESSES_AND_LINKS.sub("<>", words)).split())


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_SENDER = (
    r"(?:\bsenders?\b|\boriginator|\breturn[- ]path|mail[- _]?from|envelope[- ]from|\bfrom[: ](?:address|header"
    r"|domain)"
    r"|\bemetteur|\bexpediteur)"
)
_SENDER_REFUSED = (
    r"(?:den(?:y|ied)|reject|refus|rejet|invalid|unknown|inconnu|not\b|does(?:n't| not)|cannot|can't|must|verif|block"
    r"|bloqu|forbid|bad\b|disallow|failed|unauth|n'est|listed|black|ban)"
)

OURS = _any(
    # the sender
    rf"(?<!to ){_SENDER}[^.;]{{0,40}}{_SENDER_REFUSED}",
    rf"(?:invalid|bad|unknown|rejected|refused|denied|blocked|forged|unauthori[sz]ed|refuse de l'|refus d'){' ?'}"
    rf"(?:l')?(?:envelope )?{_SENDER}",
    r"in reply to (?:mail from|helo|ehlo|auth)|(?:mail )?sending (?:is )?denied|outbound sender|\btenant\b"
    r"|(?:quota|limit|rate) exceeded for (?:the |this )?(?:sender|account|user)|\bsender[^.;]{0,30}(?:quota"
    r"|limit|exceed)",
    r"not (?:allowed|authori[sz]ed|permitted|able) to send|(?:allowed|authori[sz]ed) to send (?:mail|e-?mail"
    r"|messages) as",
    r"pas (?:autorise|le droit)[^.;]{0,20} (?:a |d')(?:envoyer|emettre|expedier)|send as denied|sendasdenied",
    # the account and its login
    r"(?:your|sending|sender'?s?|votre|cet?te? ) ?(?:account|compte|mailbox|domain|domaine|server|serveur"
    r"|ip)\b[^.;]{0,40}"
    r"(?:suspend|block|bloqu|disabled|desactive|locked|restricted|compromis|limit|black|listed|banned|refus|reject)",
    r"authenti(?:cat|fi)[^.;]{0,30}(?:requi|need|fail|necessaire|echou|invalid|miss)|unauthenticated"
    r"|not authenticated"
    r"|must (?:issue|authenticate|log ?in)|smtp auth|log ?in (?:first|required)|relog ?in",
    r"\bspf\b|\bdkim\b|\bdmarc\b|domain ?keys|sender policy framework|sender id",
    # how much we send
    r"(?:sending|submission|send|outgoing|outbound|daily|hourly|monthly|per[- ](?:day|hour|minute|user|account"
    r"|connection"
    r"|session|domain)|messages?|mails?|e-?mails?|recipients?|relay|smtp|connections?|volume|plan|your"
    r"|organi[sz]ation)"
    r"(?: \w+){0,2} (?:limits?|quotas?)\b",
    r"(?:limit|quota)s? (?:of|for|on|de|d'|sur)(?: \S+){0,2} ?(?:messages?|mails?|e-?mails?|recipients?|connections?"
    r"|sending|emails?|envois?|day|hour|destinataires?)",
    r"(?:limite|quota|plafond|nombre)[^.;]{0,25}(?:envoi|d'emission|quotidien|journalier|horaire|par (?:jour"
    r"|heure|minute)"
    r"|de (?:messages|mails|courriels|e-?mails|destinataires))",
    r"too (?:much mail|fast\b|many (?:messages|mails?|e-?mails?|recipients|connections|concurrent|sessions"
    r"|errors|login|bad"
    r"|invalid|unknown|non-?exist|requests|attempts|spam))",
    r"trop de (?:messages|mails|courriels|e-?mails|connexions|destinataires|requetes|sessions|tentatives|plaintes)",
    r"taux d'|debit|trop d'envois?|trop (?:rapide|frequent)|too (?:frequent|often|quick)|licen[cs]e|credits? "
    r"|non conforme|envois? (?:suspend|bloque|limite)|allowance|subscription|abonnement expire",
    r"rate[- ]?limit|\brate (?:of|exceed|control|too)|thrott|slow(?:ing)? down|ralenti|unusual rate"
    r"|unusual(?:ly)? (?:high )?"
    r"(?:volume|sending)|exceed\w* (?:the |your |its )?(?:\w+ ){0,3}(?:rate|limit)|(?:too|very) (?:high"
    r"|large) (?:a )?volume"
    r"|(?:max(?:imum|imal)?|allowed) (?:number of )?(?:messages|recipients|connections|e?-?mails)|\bper (?:hour"
    r"|day|minute)\b|insufficient credits?|credit epuise",
    # the connection
    r"relay(?:ing)?(?: access| to \S+)? (?:is )?(?:denied|not|prohibited|refused|interdit)|relais (?:interdit|refuse)"
    r"|(?:to|not|no|open) relay|cannot relay|(?:client host|host|ip|adresse ip|server) (?:\S+ )?(?:was |is |"
    r"has been )?(?:rejected|refusee?|refused|blocked|bloquee?|banned|listed|denied|black)",
    r"\bhelo\b|\behlo\b|starttls|\btls (?:is )?(?:required|needed)|must use tls|encryption (?:required|needed)"
    r"|bad sequence"
    r"|reverse (?:dns|lookup|name)|\brdns\b|\bptr\b|\bfcrdns\b",
)
"""About the sender: its address, account, rights, rate or connection."""

MAILBOX = _any(
    r"quota|full\b|\bpleine?s?\b|saturee?|storage|out of space|no (?:more )?space|disk space|espace"
    r"|insufficient|exceed|depass"
    r"|\bover (?:its|the|size|limit)|plus (?:assez )?de place|not enough (?:space|room)|too (?:many messages"
    r"|much mail) (?:in|on)",
    r"receiving (?:mail|messages?|e-?mails?)[^.;]{0,20} (?:at a rate|too (?:quickly|fast|many))"
    r"|mailbox (?:is )?(?:busy|locked)"
    r"|thread limit",
    r"temporar|momentan|provisoir|for the moment|currently (?:unavailable|suspended|disabled)|is being (?:moved"
    r"|migrated)"
    r"|\bsuspend|\barchive",
)
"""About the mailbox, which is there: full, over its rate, put to sleep."""

NOT_OUR_LIMIT = _any(
    r"over ?-?quota|(?:recipient|mailbox|user|inbox|destinataire|boite)(?:'s|s)? (?:\w+ ){0,2}quota (?:is )?exce",
    r"(?:recipient|mailbox|inbox|destinataire|boite)[^.;]{0,40}(?:\bfull\b|\bpleine\b|storage)",
    r"is receiving (?:mail|messages?|e-?mails?)|receive limit (?!from)|recipient thread limit",
)
"""A quota or a rate that is the mailbox's, not ours."""

TOO_BIG = re.compile(
    r"(?:message|mail|header|courriel)s? (?:header )?size|too (?:large|big)|trop (?:gros|volumineu)|taille"
)
"""The message is; a limit that is not a rate."""

POLICY = _any(
    r"spam|virus|malware|phish|black ?-?list|block ?-?list|deny ?-?list|allow ?-?list|white ?-?list|liste noire"
    r"|\bblock(?:ed|ing)\b|\bbloque|banned|banni|\bdnsb?l\b|\brbl\b|\bsbl\b|reputation|abus|complaint|plainte"
    r"|unsolicited"
    r"|indesirable|pourriel|suspicious|suspect|harmful|dangere",
    r"polic(?:y|ies)|politique|security|securite|prohibit|interdi|administrativ|not accepted|unacceptable"
    r"|conten[tu]s?\b"
    r"|attachment|piece jointe|access(?: is)? denied|acces (?:refuse|interdit)|not (?:permitted|authori[sz]ed"
    r"|allowed)"
    r"|non autoris|pas autoris|restrict|moderat|gr[ea]y ?-?list|members only|subscribers|filter|filtre"
    r"|permission|privilege",
    r"too long|trop (?:grand|long)|size (?:limit|exceed)|(?:mail|message|courriel|envoi)s? (?:is |was "
    r"|has been |est |a ete )?(?:rejet|refus|reject)|bad header|malformed",
)
"""About this message, or about rules."""

NOT_REACHED = _any(
    r"tim(?:ed?|e)[- ]?out|connection (?:refused|reset|closed|dropped|lost|to|died)|lost connection|could(?:n't"
    r"| not) connect"
    r"|cannot connect|can't connect|unable to connect|unreachable|no route|network|(?:retry|delivery) time|expire"
    r"|failing for a long time|\bloops?\b|looping|hop ?count|too many (?:hops|received)|boucle",
    r"try (?:again|later)|again later|reessay|plus tard|ulterieur|please retry|name service error.*try again"
    r"|lookup (?:did not"
    r"|fail)|servfail|(?:server|service|host|system)[^.;]{0,20} (?:down|unavailable|not available|busy|refuse"
    r"|indisponible)"
    r"|did not (?:accept|respond)|delivery (?:suspended|deferred)|transient|local (?:error|problem)|internal error"
    r"|configuration (?:error|problem)|queue|deferred|unable to (?:verify|validate|check)|cannot be (?:verified"
    r"|checked)",
)
"""The recipient's server could not be spoken to, or put us off until patience ended."""

_WHO = (
    r"(?:user|users|recipient|recipients|mailbox|address|addressee|account|alias|e-?mail|person|inbox"
    r"|local[- ]part|destinataire"
    r"|utilisateur|usager|abonne|compte|adresse|boite|correspondant|customer)s?"
)
_GONE = (
    r"(?:unknown|(?:was |is |be |could )?not (?:be )?(?:found|known|recogni[sz]ed|exist|valid|listed|present"
    r"|local|a (?:known|valid))"
    r"|couldn't be found|wasn't found|isn't valid|no longer|doesn?'?t exist|does ?n[o']t (?:exist|have)"
    r"|do not exist|not exists?"
    r"|disabled|inactive|deactivated|discontinued|closed|terminated|deleted|removed|invalid\b|unrecogni[sz]ed"
    r"|n'existe|n'a pas ete trouve|non trouve|pas trouve|inconnue?s?\b|introuvable|invalide|desactive|ferme"
    r"|supprime|inexistant"
    r"|resilie|cloture)"
)

NO_SUCH_ADDRESS = _any(
    rf"\b{_WHO}\b[^.;]{{0,60}}?\b{_GONE}",
    rf"\b(?:unknown|invalid|no such|illegal|bad|non-?existent|inactive|disabled|deactivated|undeliverable) (?:\w+ )?"
    rf"(?:destination )?{_WHO}\b",
    r"no (?:such )?(?:mail ?box|account|user|one|recipient)[^.;]{0,20} (?:here|by that|with that|available|found)"
    r"|no mailbox|not our customer|not a (?:known|valid) (?:user|mailbox|recipient)"
    r"|does(?:n't| not) have an? (?:<host> |[\w.]+ )?(?:account|mailbox)|no longer (?:an? |with |on |at |valid"
    r"|works|accepts|employ)",
    r"(?:no|aucun|pas de|pas d') ?(?:tel |telle )?(?:utilisateur|compte|boite|destinataire|abonne|adresse)\b"
    r"|a (?:quitte|change d'adresse)|n'(?:est|a) plus (?:ici|en service|valide|d'adresse|actif|active|parmi)",
    r"un-?rout(?:e)?able (?:address|mail domain)|nosuchuser|userunknown|recip(?:ient)?notfound|addressnotfound"
    r"|relay recipient table"
    r"|local recipient table|no valid recipients|was not found in ldap",
    r"(?:host|domain|domaine|hote)(?: or domain)?(?: names?)?(?: for \S+)? (?:is )?(?:unknown|not found"
    r"|not exist|does(?:n't| not)"
    r" exist|inconnu|introuvable|n'existe)|no such (?:domain|host)|unknown (?:domain|host)|null mx|no mx\b"
    r"|non-?existent"
    r" (?:host|domain)|accepts? no mail|does not accept (?:any )?mail\b",
)
"""There is nobody at this address."""

NAMES_THE_ADDRESS = _any(
    rf"\b{_WHO}\b",
    r"unknown|inconnu|not ?found|introuvable|exist|no such|nobody|personne|recip|destin|domain|host\b|\bmx\b|left the",
)
"""Words that may go with a code of a dead address; one that says something else is not believed."""

TO_COUNT_ON = _any(rf"\b{_WHO}\b[^.;]{{0,60}}?\b(?:unavailable|indisponible|not available)")
"""« Mailbox unavailable »: what RFC 5321 says at a 550, and nothing else said against it."""

DIRECTORY_BLOCKS = re.compile(r"recipient address rejected: access denied")
"""With 5.4.1, what Exchange Online says of an address that is not in its directory."""
