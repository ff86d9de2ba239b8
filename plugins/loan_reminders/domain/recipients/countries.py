"""Countries as the last line of a letter posted in France: in capitals, in French, never a code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from loan_reminders.domain.recipients.postal_words import fold

_OUR_NAMES = {
    "CD": "REPUBLIQUE DEMOCRATIQUE DU CONGO", "CG": "CONGO", "HK": "HONG KONG", "MM": "MYANMAR", "MO": "MACAO",
    "PS": "PALESTINE",
}  # fmt: skip
"""Countries that the post calls otherwise than the CLDR does."""

_FILE = Path(__file__).with_name("country_names.txt")
"""Countries in English and as they themselves write them, from the CLDR: asking Babel takes a second."""

_FRENCH_POSTCODES = frozenset({"FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "PF", "NC", "WF", "MC"})
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO", "AQ", "BV", "HM", "UM", "CP", "IO", "GS", "TF"})

_OTHER_SPELLINGS = (
    "DE D,DEU,RFA; BE B,BEL,BELGIEN,ROYAUME DE BELGIQUE; CH CHE,CONFEDERATION SUISSE,CONFOEDERATIO HELVETICA; IT I,"
    "ITA; ES E,ESP; PT PRT; LU LUX,LUXEMBURG,GRAND DUCHE DE LUXEMBOURG,GRAND DUCHE DU LUXEMBOURG; AT AUT,OESTERREICH; "
    "GB UK,U K,GREAT BRITAIN,GRANDE BRETAGNE,ANGLETERRE,ENGLAND,ECOSSE,SCOTLAND,PAYS DE GALLES,WALES,GBR,"
    "IRLANDE DU NORD,"
    "NORTHERN IRELAND; IE IRL,REPUBLIC OF IRELAND; NL THE NETHERLANDS,HOLLANDE,HOLLAND,NLD; DK DNK; SE SWE; NO NOR; "
    "FI FIN; IS ISL; PL POL; CZ REPUBLIQUE TCHEQUE,CZECH REPUBLIC,CESKA REPUBLIKA,CZE; SK SVK,SLOVAK REPUBLIC; HU HUN; "
    "RO ROU; BG BGR; GR HELLAS,ELLADA,GRC; HR HRV; SI SVN; RS SRB; AL ALB; UA UKR,UKRAINE; RU RUS,FEDERATION DE RUSSIE,"
    "RUSSIAN FEDERATION,ROSSIYA; LT LTU; LV LVA; EE EST; TR TURKEY,TUR; MA MAR,ROYAUME DU MAROC,AL MAGHRIB; "
    "DZ DZA,EL DJAZAIR,AL JAZAIR; TN TUN; EG EGY; LB LBN; SN SEN; CI COTE IVOIRE,IVORY COAST,CIV; CM CMR; ML MLI; "
    "BF BFA; BJ BEN; TG TGO; GA GAB; MG MDG; MR MRT; CD RDC,R D CONGO,RD CONGO,R D C,CONGO KINSHASA,DR CONGO; "
    "CG CONGO BRAZZAVILLE; "
    "US USA,U S A,U S,UNITED STATES OF AMERICA,ETATS UNIS D AMERIQUE; CA CAN,QUEBEC; BR BRA; MX MEX,MEXIQUE; AR ARG; "
    "CL CHL; CO COL; PE PER; VE VEN,VENEZUELA; CN CHN,REPUBLIQUE POPULAIRE DE CHINE,PEOPLE S REPUBLIC OF CHINA,"
    "P R CHINA,PR CHINA; JP JPN,NIPPON,NIHON; KR COREE,KOR,REPUBLIC OF KOREA,KOREA; VN VNM,VIET NAM; IN IND; TH THA; "
    "ID IDN; PH PHL,PHILIPPINES; MY MYS; TW TWN,TAIWAN,TAIWAN R O C; AU AUS; NZ NZL; ZA ZAF,RSA; SA SAU,KSA; AE UAE,"
    "ARE,EMIRATS; "
    "MU ILE MAURICE,MUS; CY CYP; MT MLT; AD AND,PRINCIPAT D ANDORRA,PRINCIPAUTE D ANDORRE; VA VATICAN; IL ISR,ISRAEL; "
    "IR IRN,IRAN; IQ IRQ; SY SYR; JO JOR; PK PAK; BD BGD; AF AFG; GE GEO; AM ARM; HT HTI; MD MDA"
)

_HOME_SPELLINGS = (
    "FR,FRA,F,FRANCE,EUROPE,ILE DE LA REUNION,PRINCIPAUTE DE MONACO,FRANCE METROPOLITAINE,REPUBLIQUE FRANCAISE,GP,"
    "GUADELOUPE,MQ,MARTINIQUE,GF,GUYANE,"
    "GUYANE FRANCAISE,RE,REUNION,LA REUNION,YT,MAYOTTE,PM,SAINT PIERRE ET MIQUELON,BL,SAINT BARTHELEMY,MF,"
    "SAINT MARTIN,PF,POLYNESIE FRANCAISE,TAHITI,NC,NOUVELLE CALEDONIE,WF,WALLIS ET FUTUNA,MC,MONACO,"
    "DOM,TOM,DOM TOM,OUTRE MER"
)

HOME = ""
"""What `country_line` answers for France, its overseas territories and Monaco: no country line is printed."""

_NO_NAME_OF_A_LINE = frozenset({
    "SAINT MARTIN", "SAINTE LUCIE", "SAINT LUCIA", "GRENADE", "QUEBEC", "MONACO", "SAINT BARTHELEMY", "DOMINIQUE",
    "MAURICE", "GEORGIA", "JERSEY",
})  # fmt: skip
"""Names that are also towns, streets or people in France, or a state of the United States."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Atlas:
    """Every country: its French name by ISO code, and what each spelling stands for."""

    by_code: Mapping[str, str]
    known: Mapping[str, str]
    spelled_out: frozenset[str]


@cache
def _atlas() -> _Atlas:
    """The countries as the CLDR names them in French (Babel), read at the first address."""
    from babel import Locale

    territories = {code: fold(name) for code, name in Locale("fr").territories.items() if len(code) == 2}
    by_code = {
        code: _OUR_NAMES.get(code, name)
        for code, name in territories.items()
        if code not in _FRENCH_POSTCODES and code not in _NO_COUNTRIES
    }
    known = {name: name for name in by_code.values()}
    known |= {fold(territories[code]): name for code, name in _OUR_NAMES.items()}
    for entry in _FILE.read_text().splitlines():
        if not entry.startswith("#") and entry[:2] in by_code:
            known |= dict.fromkeys(entry[3:].split("|"), by_code[entry[:2]])
    known |= {
        spelling: by_code[entry[:2]] for entry in _OTHER_SPELLINGS.split("; ") for spelling in entry[3:].split(",")
    }
    known |= dict.fromkeys(_HOME_SPELLINGS.split(","), HOME)
    spelled_out = (
        frozenset(spelling for spelling in known if len(spelling) > 3 or not spelling.isascii()) - _NO_NAME_OF_A_LINE
    )
    return _Atlas(by_code=by_code, known=known, spelled_out=spelled_out)


POSTCODE_AFTER_TOWN = frozenset({
    "ROYAUME UNI", "ETATS UNIS", "CANADA", "AUSTRALIE", "NOUVELLE ZELANDE", "IRLANDE", "INDE", "JAPON", "COREE DU SUD",
    "INDONESIE", "THAILANDE", "ARABIE SAOUDITE", "MALTE", "JERSEY", "GUERNESEY", "ILE DE MAN",
})  # fmt: skip
"""Countries that write the town before the postcode."""

CITY_STATES = frozenset(
    {
        "LUXEMBOURG",
        "SINGAPOUR",
        "DJIBOUTI",
        "PANAMA",
        "KOWEIT",
        "GUATEMALA",
        "SAINT MARIN",
        "GIBRALTAR",
        "HONG KONG",
        "MACAO",
    }
)
"""Countries whose capital has their name: the word may be the town's."""

_BARE_SHORT_NAMES = frozenset({"USA", "U S A", "UK", "U K", "UAE", "RFA", "GBR", "LUX"})

_DIGITS = {
    3: "IS FO MG",
    4: "AT BE CH LU LI DK NO HU SI BG AU NZ ZA TN PH GE CY LV MK AL",
    5: "DE IT ES FI EE HR RS BA ME TR MA DZ SN MX US UA TH ID MY KR SA PE LT VN EG XK SM VA PK CU",
    6: "IN CN RU RO SG CO VN KZ BY",
    7: "IL CL JP",
}
_SHAPES = {code: rf"\d{{{digits}}}" for digits, codes in _DIGITS.items() for code in codes.split()} | {
    "NL": r"\d{4} ?[A-Z]{2}", "PL": r"\d{2}-? ?\d{3}", "PT": r"\d{4}(?:[- ]\d{3})?", "CZ": r"\d{3} ?\d{2}",
    "SK": r"\d{3} ?\d{2}", "SE": r"\d{3} ?\d{2}", "GR": r"\d{3} ?\d{2}", "BR": r"\d{5}-?\d{3}",
    "JP": r"\d{3}-?\d{4}", "CA": r"[A-Z]\d[A-Z] ?\d[A-Z]\d", "GB": r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}", "AD": r"\d{3}",
    "IE": r"[A-Z]\d[\dW] ?[A-Z\d]{4}", "MD": r"\d{4}", "US": r"\d{5}(?:-\d{4})?", "VN": r"\d{5,6}", "FR": r"\d{5}",
    "MC": r"980\d\d", "IL": r"\d{7}",
}  # fmt: skip
"""What a postcode looks like where it is worth telling countries apart."""

_PREFIXES = (
    "D DE;A AT;AT AT;B BE;BE BE;CH CH;L LU;LU LU;LUX LU;I IT;IT IT;E ES;ES ES;P PT;PT PT;NL NL;DK DK;S SE;SE SE;N NO;"
    "NO NO;FI FI;FIN FI;SF FI;PL PL;CZ CZ;SK SK;SI SI;SLO SI;HR HR;H HU;HU HU;RO RO;BG BG;GR GR;LT LT;LV LV;EE EE;"
    "LI LI;FL LI;CY CY;MA MA;DZ DZ;TN TN;TR TR;UA UA;RS RS;BA BA;MK MK;ME ME;AL AL;MD MD;RU RU;IL IL;SN SN;DE DE;"
    "F FR;FR FR;MC MC;AD AD;US US;BR BR"
)
_PREFIX_OF = dict(entry.split(" ") for entry in _PREFIXES.split(";"))
KEPT_PREFIXES = frozenset({"LV", "LT", "MD", "AD"})
"""Prefixes that are a part of the postcode itself."""


def country_line(text: str) -> str | None:
    """The French name of a country field (a name in French or English, or an ISO 3166 code), already in capitals.

    `HOME` where French postcodes apply; a name nobody listed is itself; None for a code nobody listed, which
    must not be printed: the Universal Postal Union wants the country in full.
    """
    if not text:
        return HOME
    atlas = _atlas()
    known = atlas.known.get(text)
    if known is not None:
        return known
    return atlas.by_code.get(text) if len(text) <= 3 else text


def names_a_country(line: str) -> bool:
    """Whether a whole address line, in capitals, is a country's name (codes and names of French towns left out)."""
    return line in _atlas().spelled_out


def country_code(line: str) -> str:
    """The ISO 3166-1 code of a country line as `country_line` gives it; empty for a country nobody listed."""
    return next((code for code, name in _atlas().by_code.items() if name == line), "")


def is_home_code(code: str) -> bool:
    """Whether an ISO 3166-1 code is of France, its territories or Monaco."""
    return code in _FRENCH_POSTCODES


def country_of_prefix(prefix: str) -> str:
    """The ISO code of the letters before a postcode (`D`, `CH`, `FIN`); empty when nobody writes them."""
    return _PREFIX_OF.get(prefix, "")


@cache
def postcode_of(code: str) -> re.Pattern[str] | None:
    """What a postcode of this country (ISO code) looks like, in capitals; None when the project does not know."""
    shape = _SHAPES.get(code)
    return re.compile(rf"(?<![A-Z\d])(?:{shape})(?![A-Z\d])") if shape else None


def named_country(text: str, *, apart: bool, around: str) -> str | None:
    """The country line of words at the end of an address, in capitals; None when they name no country.

    `apart`: they stand on their own line, after a comma or in brackets; then a code counts too. One of two letters
    does when a postcode of that country is `around`: `IL`, `DE` and `CA` are states too, `LA` and `DE` French words.
    """
    atlas = _atlas()
    if names_a_country(text) or text in _BARE_SHORT_NAMES:
        return atlas.known[text]
    if not apart or text in _NO_NAME_OF_A_LINE:
        return None
    if len(text) == 3 and text.isalpha() and text in atlas.known:
        return atlas.known[text]
    code = country_of_prefix(text) or text
    if len(text) > 2 or not (code in atlas.by_code or is_home_code(code)):
        return None
    shape = postcode_of(code)
    if shape is None or not shape.search(around):
        return None
    return HOME if is_home_code(code) else atlas.by_code[code]


def country_name(code: str) -> str:
    """The country line of an ISO code; HOME where French postcodes apply."""
    return HOME if is_home_code(code) else _atlas().by_code[code]
