"""Countries as the last line of a letter posted in France: in capitals, in French, never a code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from loan_reminders.domain.recipients.postal_words import fold

_OUR_NAMES = {
    "CD": "REPUBLIQUE DEMOCRATIQUE DU CONGO", "CG": "CONGO", "HK": "HONG KONG", "MM": "MYANMAR", "MO": "MACAO",
    "PS": "PALESTINE",
}  # fmt: skip
"""Countries that the post calls otherwise than the CLDR does."""

_FRENCH_POSTCODES = frozenset({"FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "PF", "NC", "WF", "MC"})
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO", "AQ", "BV", "HM", "UM", "CP", "IO", "GS", "TF"})

_OTHER_SPELLINGS = (
    "DE GERMANY,DEUTSCHLAND,D,DEU,RFA; BE BELGIUM,BELGIE,B,BEL; CH SWITZERLAND,SCHWEIZ,SVIZZERA,CHE; "
    "IT ITALY,ITALIA,I,ITA; ES SPAIN,ESPANA,E,ESP; PT PRT; LU LUX,LUXEMBURG; AT AUSTRIA,OSTERREICH,AUT; "
    "GB UK,UNITED KINGDOM,GREAT BRITAIN,GRANDE BRETAGNE,ANGLETERRE,ENGLAND,ECOSSE,SCOTLAND,PAYS DE GALLES,WALES,GBR; "
    "IE IRELAND,EIRE,IRL; NL NETHERLANDS,THE NETHERLANDS,NEDERLAND,HOLLANDE,NLD; DK DENMARK,DANMARK,DNK; "
    "SE SWEDEN,SVERIGE,SWE; NO NORWAY,NORGE,NOR; FI FINLAND,SUOMI,FIN; IS ICELAND; PL POLAND,POLSKA,POL; "
    "CZ REPUBLIQUE TCHEQUE,CZECH REPUBLIC,CZECHIA,CZE; SK SLOVAKIA; HU HUNGARY; RO ROMANIA,ROU; BG BULGARIA; "
    "GR GREECE,HELLAS,GRC; HR CROATIA,HRVATSKA; RS SERBIA; AL ALBANIA; UA UKR; RU RUSSIA,FEDERATION DE RUSSIE,RUS; "
    "TR TURKEY,TURKIYE,TUR; MA MOROCCO,MAR; DZ ALGERIA,DZA; TN TUNISIA,TUN; EG EGYPT; LB LEBANON,LBN; SN SEN; "
    "CI COTE IVOIRE,IVORY COAST,CIV; CM CAMEROON,CMR; CD RDC,CONGO KINSHASA; CG CONGO BRAZZAVILLE; "
    "US USA,U S A,UNITED STATES,UNITED STATES OF AMERICA,ETATS UNIS D AMERIQUE; CA CAN,QUEBEC; BR BRAZIL,BRASIL,BRA; "
    "MX MEXICO,MEX; AR ARGENTINA; CL CHILE; CO COLOMBIA; PE PERU; CN CHINA,CHN,REPUBLIQUE POPULAIRE DE CHINE; "
    "JP JAPAN,JPN; KR KOREA,SOUTH KOREA,COREE,KOR; VN VIETNAM,VNM; IN INDIA,IND; TH THAILAND; ID INDONESIA; "
    "AU AUSTRALIA,AUS; NZ NEW ZEALAND; ZA SOUTH AFRICA; SA SAUDI ARABIA; AE UAE,EMIRATS,UNITED ARAB EMIRATES; "
    "MU ILE MAURICE,MAURITIUS; CY CYPRUS; MT MALTA; AD ANDORRA; SM SAN MARINO; VA VATICAN"
)

_HOME_SPELLINGS = (
    "FR,FRA,F,FRANCE,FRANCE METROPOLITAINE,REPUBLIQUE FRANCAISE,GP,GUADELOUPE,MQ,MARTINIQUE,GF,GUYANE,"
    "GUYANE FRANCAISE,RE,REUNION,LA REUNION,YT,MAYOTTE,PM,SAINT PIERRE ET MIQUELON,BL,SAINT BARTHELEMY,MF,"
    "SAINT MARTIN,PF,POLYNESIE FRANCAISE,TAHITI,NC,NOUVELLE CALEDONIE,WF,WALLIS ET FUTUNA,MC,MONACO"
)

HOME = ""
"""What `country_line` answers for France, its overseas territories and Monaco: no country line is printed."""

_NO_NAME_OF_A_LINE = frozenset(
    {"SAINT MARTIN", "SAINTE LUCIE", "GRENADE", "QUEBEC", "MONACO", "SAINT BARTHELEMY", "DOMINIQUE", "MAURICE"}
)
"""Names that are also towns, streets or people in France."""


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
    known |= {
        spelling: by_code[entry[:2]] for entry in _OTHER_SPELLINGS.split("; ") for spelling in entry[3:].split(",")
    }
    known |= dict.fromkeys(_HOME_SPELLINGS.split(","), HOME)
    spelled_out = frozenset(spelling for spelling in known if len(spelling) > 3) - _NO_NAME_OF_A_LINE
    return _Atlas(by_code=by_code, known=known, spelled_out=spelled_out)


POSTCODE_AFTER_TOWN = frozenset({
    "ROYAUME UNI", "ETATS UNIS", "CANADA", "AUSTRALIE", "NOUVELLE ZELANDE", "IRLANDE", "INDE", "JAPON", "COREE DU SUD",
    "INDONESIE", "THAILANDE", "ARABIE SAOUDITE", "MALTE", "JERSEY", "GUERNESEY", "ILE DE MAN",
})  # fmt: skip
"""Countries that write the town before the postcode."""


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
