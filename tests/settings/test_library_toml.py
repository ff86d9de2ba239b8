"""library.toml: a wrong value stops with the key, the value found and what is allowed."""

from datetime import date

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.settings.library_toml import ROOT, read_settings

EXAMPLE = (ROOT / "library.toml").read_text(encoding="utf-8")
HELD_BACK = '[sms.holdback]\nshare = 0.3\nseed = "six signes"\nfrom = 2027-01-11\n'

WRONG = [
    # replaced text, replacement, what the message must hold
    ('hour = "10:00"', 'hour = "25:00"', ["stages.overdue_notice.hour", '"25:00"', "de 00:00 à 23:59"]),
    ('hour = "10:00"', "hour = 10", ["stages.overdue_notice.hour", "= 10", "texte"]),
    ('hour = "10:00"\n', "", ["stages.overdue_notice.hour", "(absent)", "obligatoire"]),
    ("offset_days = 8", 'offset_days = "8"', ["stages.first_reminder.offset_days", '"8"', "nombre entier"]),
    ("offset_days = 8", "offset_days = 400", ["stages.first_reminder.offset_days", "400", "au plus 365"]),
    ("offset_days = 8", "offset_days = 18", ["stages", "croître", "[-2, 1, 18, 15, 21]"]),
    ("minimum_loan_days = 14", "minimum_loan_days = -1", ["minimum_loan_days", "-1", "au moins 0"]),
    (
        'categories = ["student", "staff"]',
        'categories = ["pupil"]',
        ["categories[0]", '"pupil"', "'student'", "'staff'"],
    ),
    ('{ channel = "sms"', '{ channel = "fax"', ["channels[1].channel", '"fax"', "'email', 'sms', 'letter'"]),
    ("mobile_known = true", "mobile_known = false", ["mobile_known", "False", "True"]),
    ("mobile_known = true", "mobil_known = true", ["mobil_known", "clé inconnue", "mobile_known, no_usable_email"]),
    ('time_zone = "Europe/Paris"', 'time_zone = "Paris"', ["library.time_zone", '"Paris"', "fuseau horaire"]),
    ('kind = "aleph"', 'kind = "alef"', ["ils.kind", '"alef"', "aleph"]),
    ('staff = ["10", "11"]', 'staff = ["01", "11"]', ["ils", "deux catégories", "01"]),
    ('staff = ["10", "11"]', 'teachers = ["10"]', ["patron_categories.teachers", "'student', 'staff', 'external'"]),
    (
        'unknown_category = "other"',
        'unknown_category = "pupil"',
        ["ils.unknown_category", '"pupil"', "'external', 'other'"],
    ),
    ("# [ils.languages]", '[ils.languages]\nanglais = "english"\n#', ["ils.languages.anglais", '"english"']),
    (
        'account_url = "https://bu-montclar.example/compte"',
        'account_url = "https://bibliothèque.example/mes-prêts?où=ici"',
        ["library.account_url", "sans accents", "« https://xn--bibliothque-59a.example/mes-pr%C3%AAts?o%C3%B9=ici »"],
    ),
    ('provider_zone = "Europe/Paris"', 'provider_zone = "Paris"', ["sms.provider_zone", '"Paris"', "fuseau horaire"]),
    ('sender = "BU Montclar"', 'sender = "BU"', ["sms.sender", '"BU"']),
    ('sender = "BU Montclar"', 'sender = "Bibliothèque"', ["sms.sender", '"Bibliothèque"']),
    ("max_segments = 1", "max_segments = 0", ["sms.max_segments", "= 0", "au moins 1"]),
    ("segment_price = 0.05", "segment_price = -1", ["sms.segment_price", "= -1", "au moins 0"]),
    ("segment_price = 0.05", 'segment_price = "5 c"', ["sms.segment_price", '"5 c"', "un nombre"]),
    (
        "# [sms.holdback]\n# share = 0.3 ",
        "[sms.holdback]\nshare = 0.6 ",
        ["sms.holdback.share", "= 0.6", "au plus 0.5"],
    ),
    ("# [sms.holdback]\n# share = 0.3 ", "[sms.holdback]\nshare = 0.0 ", ["sms.holdback.share", "supérieur à 0"]),
    ("# [sms.holdback]\n", "[sms.holdback]\n", ["sms.holdback.share", "from", "until", "seed", "(absent)"]),
    (
        "# [sms.holdback]",
        f"{HELD_BACK}until = 2027-01-11\n#",
        ["sms.holdback", "« from » (2027-01-11) doit être avant"],
    ),
    ("# [sms.holdback]", f"{HELD_BACK}until = 2028-02-01\n#", ["sms.holdback", "plus d'un an"]),
    ("# [sms.holdback]", f'{HELD_BACK}until = "avril"\n#', ["sms.holdback.until", '"avril"', "une date sans"]),
    ("# [sms.holdback]", f"{HELD_BACK}until = 2027-04-11\nlast = 1\n#", ["from, seed, share, until"]),
    ("# compare_from = 2026-09-01", "compare_from = 9", ["statistics.compare_from", "= 9", "une date sans"]),
    ("workers = 1 ", "workers = 9 ", ["workers = 9", "il n'y en a que 8", "connections"]),
    ("workers = 1 ", "workers = 0 ", ["email.workers", "0"]),
    ('sender_address = "relances@', 'sender_address = "relances at ', ["email.sender_address", "adresse électronique"]),
    ('account_url = "https://', 'account_url = "', ["library.account_url", "https://"]),
    ('code = "montclar"', 'code = "Mont Clar"', ["library.code", "minuscules"]),
    ('address = ["Service du prêt", ', "address = [1, ", ["library.address[0]", "= 1", "texte"]),
    ("# starts_on = 2026-09-01", 'starts_on = "2026-09-01"', ["library.starts_on", '"2026-09-01"', "une date sans"]),
    ("recipients = []", 'recipients = ["personne"]', ["alerts.recipients[0]", '"personne"', "adresse électronique"]),
    ("late_after_hours = 4", "late_after_hours = 0", ["alerts.late_after_hours", "= 0", "au moins 1"]),
    ("sms = 500", "sms = -1", ["caps.sms", "-1", "au moins 0"]),
    ('holidays_of = "FR"', 'holidays_of = "XX"', ["sms.window.holidays_of", '"XX"', "« FR-57 »"]),
    ('holidays_of = "FR"', 'holidays_of = "FR-00"', ["sms.window.holidays_of", '"FR-00"', "« FR-57 »"]),
    ('holidays_of = "FR"', 'holidays_of = "FR-75"', ['"FR-75"', "FR, FR-57, FR-67, FR-68, FR-971", "FR-974"]),
    ('holidays_of = "FR"', 'holidays_of = "ZZ-1"', ["FR-57, FR-67, FR-68", "BE", "LU", "MC"]),
    ('holidays_of = "FR"', 'holidays_of = "DE-ZZ"', ["DE-BW", "DE-SL"]),
    ('opens = "10:00"', 'opens = "20:00"', ["sms.window", "opens", "avant"]),
    ('closes = "19:00"', 'closes = "25:00"', ["sms.window.closes", '"25:00"', "de 00:00 à 24:00"]),
    ("weekdays = [1, ", "weekdays = [0, ", ["sms.window.weekdays[0]", "= 0", "au moins 1"]),
    ('countries = ["FR"', 'countries = ["fr"', ["sms.countries[0]", '"fr"', "deux lettres capitales"]),
    ("daily = 500", "daily = -1", ["sms.budget.daily", "-1", "au moins 0"]),
    ('api = "legacy"', 'api = "soap"', ["sms.api", '"soap"', "'legacy', 'rest'"]),
    ("factor = 3.0", "factor = 1.0", ["volume_guard.factor", "= 1.0", "supérieur à 1"]),
    ("factor = 3.0", 'factor = "x"', ["volume_guard.factor", '"x"', "un nombre"]),
    ("runs = 10", "runs = 0", ["volume_guard.runs", "= 0", "au moins 1"]),
    ("share_drop = 0.5", "share_drop = 1.0", ["volume_guard.share_drop", "= 1.0"]),
    ("few_loans_share = 0.2", "few_loans_share = 1.0", ["volume_guard.few_loans_share", "= 1.0"]),
    ("share_floor = 40", "share_floor = 0", ["volume_guard.share_floor", "= 0", "au moins 1"]),
    ("empty_day_median = 20", "empty_day_median = -1", ["volume_guard.empty_day_median", "= -1", "au moins 0"]),
    (
        "floors = { email = 300,",
        "floors = { mail = 300,",
        ["volume_guard.floors.mail", "clé inconnue", "email, letter"],
    ),
    ("# [redirect]\n# email", "[redirect]\nemail", ["redirect.mobile", "(absent)", "obligatoire"]),
    ("# [redirect]", '[redirect]\nemail = "x"\nmobile = "04"', ["redirect.email", "redirect.mobile", "mobile"]),
    ("[caps]", "[cap]", ["cap =", "clé inconnue", "caps", "stages"]),
    ('"phone_sms", "phone_1"', '"fax", "phone_1"', ["ils.phone_columns[0]", '"fax"', "phone_sms, phone_1"]),
    ("array_size = 1000", "array_size = 50", ["ils.array_size", "50", "au moins 500"]),
    ('code = "BUDRT"  ', 'kode = "BUDRT"  ', ["library.branches[0].kode", "clé inconnue", "code, hours, name"]),
    (
        'hour = "08:40"\nchannels = [{ channel = "registered_letter" }]',
        'hour = "08:40"\nchannels = [{ channel = "sms" }]',
        ["registered_letter.channels", "canaux permis à cette étape : registered_letter"],
    ),
]


def write(tmp_path, text):
    path = tmp_path / "library.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("old", "new", "told"), WRONG)
def test_a_wrong_value_is_told_with_key_value_and_what_is_allowed(tmp_path, old, new, told):
    assert old in EXAMPLE
    path = write(tmp_path, EXAMPLE.replace(old, new, 1))
    with pytest.raises(SettingsError) as raised:
        read_settings(path)
    message = str(raised.value)
    assert str(path) in message
    for part in told:
        assert part in message, message


def test_every_fault_is_told_at_once(tmp_path):
    text = EXAMPLE.replace('hour = "10:00"', 'hour = "noon"').replace("max_segments = 1", "max_segments = 99")
    with pytest.raises(SettingsError, match="2 valeurs à corriger") as raised:
        read_settings(write(tmp_path, text))
    assert len(str(raised.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"[library\n", "TOML"), (b'name = "\xe9"', "UTF-8"), (b"", "library = (absent)")],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path, content, told):
    path = tmp_path / "library.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=told.replace("(", r"\(").replace(")", r"\)")):
        read_settings(path)


def test_a_missing_file_is_told_with_the_variable_that_names_it(tmp_path):
    with pytest.raises(SettingsError, match="REMINDERS_CONFIG"):
        read_settings(tmp_path / "nowhere.toml")


def test_the_example_says_the_librarys_procedure():
    policy = read_settings(ROOT / "library.toml").policy()
    assert [rule.offset_days for rule in policy.rules] == [-2, 1, 8, 15, 21]
    sms = policy.rule(Stage.OVERDUE_NOTICE).channels[1]
    assert (sms.channel, sms.categories, sms.minimum_loan_days) == (
        Channel.SMS,
        frozenset({PatronCategory.STUDENT, PatronCategory.STAFF}),
        14,
    )
    guard = read_settings(ROOT / "library.toml").guard()
    assert (guard.factor, guard.caps[Channel.SMS], guard.floors[Channel.SMS]) == (3.0, 500, 150)


def test_the_example_names_the_codes_of_students_and_staff():
    codes = read_settings(ROOT / "library.toml").codes()
    assert [codes.category(status, "") for status in ("01", "10", "20", "99")] == [
        PatronCategory.STUDENT,
        PatronCategory.STAFF,
        PatronCategory.EXTERNAL,
        PatronCategory.OTHER,
    ]


def test_what_unknown_codes_are_and_what_is_known(tmp_path):
    codes = read_settings(write(tmp_path, EXAMPLE)).codes()
    assert codes.unknown_category is PatronCategory.OTHER
    assert codes.branches == {"BUDRT", "BULET", "BUSCI", "BUMED"}
    own = EXAMPLE.replace('unknown_category = "other"', 'unknown_category = "external"')
    own = own.replace("# [ils.languages]", '[ils.languages]\n"anglais" = "en"\n#')
    codes = read_settings(write(tmp_path, own)).codes()
    assert (codes.category("99", ""), codes.language("anglais")) == (PatronCategory.EXTERNAL, "en")


@pytest.mark.parametrize(
    ("place", "good_friday", "abolition_day"),
    [
        ("FR", False, False),
        ("FR-57", True, False),
        ("FR-67", True, False),
        ("FR-68", True, False),
        ("FR-974", False, True),
    ],
)
def test_the_holidays_of_the_three_departments_of_the_east(tmp_path, place, good_friday, abolition_day):
    """Code du travail, L3134-13: Good Friday and 26 December in Moselle, Bas-Rhin and Haut-Rhin."""
    path = tmp_path / "library.toml"
    path.write_text(EXAMPLE.replace('holidays_of = "FR"', f'holidays_of = "{place}"'), encoding="utf-8")
    is_holiday = read_settings(path).sms_window().is_holiday
    assert is_holiday(date(2027, 3, 26)) is good_friday
    assert is_holiday(date(2026, 12, 26)) is good_friday
    assert is_holiday(date(2026, 12, 20)) is abolition_day
    assert is_holiday(date(2026, 12, 25))
    assert not is_holiday(date(2026, 12, 24))


def test_the_first_day_is_that_of_the_policy(tmp_path):
    changed = tmp_path / "library.toml"
    changed.write_text(EXAMPLE.replace("# starts_on = 2026-09-01", "starts_on = 2026-09-01", 1), encoding="utf-8")
    assert read_settings(ROOT / "library.toml").policy().starts_on is None
    assert read_settings(changed).policy().starts_on == date(2026, 9, 1)


def test_sms_are_held_back_only_where_the_library_says_so(tmp_path):
    assert read_settings(ROOT / "library.toml").policy().holdback is None
    file = tmp_path / "library.toml"
    file.write_text(EXAMPLE.replace("# [sms.holdback]", f"{HELD_BACK}until = 2027-04-11\n#"), encoding="utf-8")
    found = read_settings(file)
    assert found.policy().holdback == Holdback(
        share=0.3, first=date(2027, 1, 11), last=date(2027, 4, 11), seed="six signes"
    )
    assert found.policy().rule(Stage.OVERDUE_NOTICE).channels[0].holdback is None, "the e-mail is never held back"
