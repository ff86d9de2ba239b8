"""Readers and loans that break programs, each known by name, so that a test or a librarian can look it up."""

from __future__ import annotations

from dataclasses import dataclass, field

STAGE_DAYS: dict[str, int] = {"C": 2, "O": -1, "F": -8, "S": -15, "R": -21}
"""The due days of the five stages, in days from today: Courtesy, Overdue, First, Second reminder, Registered letter."""

LONG_AGO, FOR_EVER = 19990101, 99991231
_HOME = ("3 rue des Platanes", "34999 MONTCLAR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A further Z304 record: its type (1 permanent, 2 mailing), validity, lines and e-mail address."""

    kind: int = 1
    valid_from: int = LONG_AGO
    valid_to: int = FOR_EVER
    lines: tuple[str, ...] = _HOME
    zip: str = "34999"
    email: str = ""
    phones: tuple[str, ...] = ("", "", "", "", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """One reader with one loan (or more) on each of the days of `on`; what is not said is ordinary.

    `phones` are the SMS field and the four telephones; None makes an ordinary mobile of the reader's own.
    `loan_ymd` and `due_ymd` replace the dates of the loan. `listed` is whether the extraction returns the loan.
    `email` None makes an ordinary address of `code`.
    """

    code: str
    on: str = "CO"
    first: str = "Camille"
    last: str = "Martin"
    full: str | None = None
    language: str = "FRE"
    status: str = "01"
    kind: str = "ET"
    email: str | None = None
    phones: tuple[str, ...] | None = None
    lines: tuple[str, ...] | None = _HOME
    zip: str = "34999"
    valid_to: int = FOR_EVER
    more: tuple[Address, ...] = ()
    title: str = "Le livre qui manque"
    author: str = "Personne, Paul"
    call_number: str = "$$h843.914 $$iPER"
    volume: str = ""
    price: str = "25,00 EUR"
    length: int = 21
    loan_ymd: int | None = None
    due_ymd: int | None = None
    loans: int = 1
    loan_status: str = "A"
    returned: bool = False
    proxy: bool = False
    expired: bool = False
    with_reader: bool = True
    with_item: bool = True
    bibs: tuple[str, ...] = field(default=("",))
    listed: bool = True

    def patron_id(self, stage: str) -> str:
        """The reader's identifier on the due day of one stage: one reader a stage, so that none has two stages."""
        return f"{self.code}-{stage}"


ODDITIES: tuple[Oddity, ...] = (
    # names
    Oddity(code="ONEIL", on="COFSR", first="Aoife", last="O'Neil", email="aoife.o'neil@etu.example.org"),
    Oddity(code="FULLNAME", on="COF", first="", last="", full="DUPONT, Élise"),
    Oddity(code="NONAME", on="CO", first="", last="", full="", lines=("", "3 rue des Platanes", "34999 MONTCLAR")),
    Oddity(code="MOJIBAKE", first="Ã‰lise", last="LefÃ¨vre"),
    Oddity(code="TEMPLATE", on="COF", first="{{ 7 * 7 }}", last="{% raw %}",
           title="{{ config }} {# note #} ${x} %s %(n)s"),
    Oddity(code="SCRIPT", on="COF", first="<script>alert(1)</script>", last="<b>Gras</b>",
           title="<img src=x onerror=y> & co"),
    Oddity(code="QUOTES", on="COF", first='Jean "Le Grand"', last="d’Arc « la » `Vive`",
           title='"L\'Œuvre" au «\u00a0noir\u00a0»'),
    Oddity(code="EMOJI", on="CO", first="Zoé 🌈", last="Soleil👩‍🚀", title="📚 Lire, c’est 💯"),
    Oddity(code="ARABIC", on="CO", first="ليلى", last="بن علي", title="ألف ليلة وليلة"),
    Oddity(code="CHINESE", on="CO", first="伟", last="王", title="紅樓夢", author="曹雪芹"),
    Oddity(code="GREEK", first="Αθηνά", last="Παπαδοπούλου", title="Ἰλιάς"),
    Oddity(code="ACCENTS", first="E\u0301lise", last="Cze\u0328stochowska-Gödel", title="Cafe\u0301 et naïvete\u0301"),
    Oddity(code="CONTROL", first="Marie\x00\x07", last="Du\x1bPont\x9c",
           title="Un\x98titre\x9c avec\x01 des\x7f trous"),
    Oddity(code="REVERSED", first="\u202eeilA", last="\u2066Martin\u2069\ufeff"),
    Oddity(code="LONGNAME", first="Marie" + "-Anne" * 18, last="De La Tour" * 10),
    Oddity(code="TYPST", first="#emph[Ada]", last="*Lovelace* _x_ @ref",
           title="$x^2$ #import \"/etc/passwd\" \\ ~ `code`"),
    Oddity(code="FORMULA", first="=1+1", last="+Martin", title='=HYPERLINK("http://example.org")'),
    Oddity(code="SPACES", first="  Anne \u00a0 Marie ", last="\tLe\u2009Goff  "),
    # titles and items
    Oddity(code="NOTITLE", on="COF", title="", author=""),
    Oddity(code="NOITEM", on="CO", with_item=False),
    Oddity(code="NOBIB", on="CO", bibs=()),
    Oddity(code="TWOBIBS", on="CO", title="Premier relié", bibs=("", "Second relié")),
    Oddity(code="LONGTITLE", on="CO", title="Recherches sur la nature et les causes " * 10),
    Oddity(code="HEADERS", on="CO", title="Titre\r\nBcc: tous@example.org", author="Nom\nSubject: autre"),
    Oddity(code="SUBFIELDS", call_number="$$a843 $$bPRO $$$$", volume="t. 2,\tvol. 1"),
    Oddity(code="NOPRICE", on="COR", price="NC"),
    Oddity(code="BADPRICE", on="CO", price="12,50 EUR"),
    # readers
    Oddity(code="NOREADER", on="CO", with_reader=False),
    Oddity(code="SHORT", on="CO"),
    Oddity(code="LEFT", on="CO", expired=True),
    Oddity(code="PROXY", on="CO", proxy=True),
    Oddity(code="TEST", on="CO", last="TEST NE PAS UTILISER"),
    Oddity(code="TEACHER", on="COFS", status="10", kind="EN", length=60),
    Oddity(code="OUTSIDER", on="COF", status="20", kind="EX"),
    Oddity(code="UNKNOWN", on="CO", status="99", kind="ZZ", language="XXX"),
    Oddity(code="ENGLISH", on="COF", language="ENG", first="Jane", last="Doe"),
    Oddity(code="MANYLOANS", on="C", loans=60, last="Bibliophile"),
    Oddity(code="MANYLATE", on="O", loans=12, last="Distrait"),
    # e-mail
    Oddity(code="NOEMAIL", on="COFSR", email=""),
    Oddity(code="BADEMAIL", on="COF", email="camille.martin@"),
    Oddity(code="CUTEMAIL", on="CO", email="un.tres.tres.tres.long.nom.compose-de-famille@etudiants.universite"),
    Oddity(code="TWOEMAILS", on="CO", email="Camille.M@etu.example.org; c.m@courriel.example"),
    Oddity(code="INJECTED", on="CO", email="a@etu.example.org\r\nBcc: b@example.org"),
    # telephones
    Oddity(code="NOPHONE", on="CO", phones=("", "", "", "", "")),
    Oddity(code="LANDLINE", on="CO", phones=("04 65 71 00 02", "", "06.00.00.12.02", "", "")),
    Oddity(code="TWOPHONES", on="CO", phones=("", "0465710003 / 06 00 00 12 03", "", "", "")),
    Oddity(code="SHEET", on="CO", phones=("600001204", "", "", "", "")),
    Oddity(code="LETTERO", on="CO", phones=("O6 00 00 12 O5", "", "", "", "")),
    Oddity(code="DUMMY", on="CO", phones=("0600000000", "neant", "x", "", "")),
    Oddity(code="FICTION", on="CO", phones=("06 39 98 00 01", "", "", "", "")),
    Oddity(code="ABROAD", on="CO", phones=("+44 7700 900123", "+1 202 555 0123", "", "", "")),
    # postal addresses
    Oddity(code="NOADDRESS", on="COFSR", lines=None, email=""),
    Oddity(code="NOCONTACT", on="COFS", lines=None, email="", phones=("", "", "", "", "")),
    Oddity(code="EXPIREDAD", on="COF", valid_to=20100101, more=(Address(kind=2, valid_to=20110101,
           email="v@example.org"),)),
    Oddity(code="OPENEND", on="CO", valid_to=0),
    Oddity(code="TWOADDR", on="COF", more=(Address(kind=2, lines=(), zip=""),
           Address(kind=2, lines=("Chez Mme Roux", "8 rue Basse", "34998 LA GARRIGUE")))),
    Oddity(code="FOREIGN", on="COF", email="", lines=("12 Grafton Street", "DUBLIN 2", "", "IRLANDE"), zip=""),
    Oddity(code="CRLF", on="COF", email="", lines=("Bât. B\r\n3 rue des Platanes", "", "34999 MONTCLAR")),
    Oddity(code="NAMETWICE", on="CO", email="", lines=("Camille Martin", "3 rue des Platanes", "34999 MONTCLAR")),
    Oddity(code="LONGLINE", on="CO", email="",
           lines=("Résidence universitaire de la Voie Domitienne, bâtiment 12 bis", "34999 MONTCLAR")),
    # loans
    Oddity(code="SHORTLOAN", on="CO", length=3),
    Oddity(code="NOLOANDATE", on="CO", loan_ymd=0),
    Oddity(code="BADDATE", on="COF", loan_ymd=20260231),
    Oddity(code="BACKWARDS", on="O", loan_ymd=29990101),
    Oddity(code="NODUEDATE", on="CO", due_ymd=0, listed=False),
    Oddity(code="LOST", on="CO", loan_status="L", listed=False),
    Oddity(code="CLAIMED", on="CO", loan_status="C", listed=False),
    Oddity(code="RETURNED", on="CO", returned=True, listed=False),
)  # fmt: skip
