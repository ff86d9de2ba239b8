"""A reader who was erased, or whom a night removed, is in no file of letters that leaves the store any more."""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
from datetime import timedelta

import pypdf
import pytest
from PIL import Image

from loan_reminders.domain.reader_rights.erasure import StaysBecause
from loan_reminders.ledger.reader_rights.erasure import PostgresErasure
from tests.scenes.batch_desk import a_pdf, pages
from tests.scenes.ledger_runs import rows
from tests.scenes.planted import LONG_AFTER, OLD, YOUNG, remove
from tests.web.client import browsing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def over(desk):
    """The batch's run is over, and all loans came back lately."""
    [[run_id]] = rows(desk.ledger, "SELECT run_id FROM runs")
    desk.ledger.close_run(run_id)
    rows(desk.ledger, "UPDATE runs SET state = 'closed'")
    ended(desk, YOUNG)
    return desk


def ended(desk, day, number=None):
    loans = [loan.loan_id for loan in desk.deliveries[number - 1].loans] if number else None
    rows(desk.ledger, "UPDATE loan_ends SET open_on = least(open_on, :day), ended_on = :day, how = 'returned'"
                      " WHERE CAST(:loans AS text[]) IS NULL OR loan_id = ANY(CAST(:loans AS text[]))",
         day=day, loans=loans)  # fmt: skip


def erased(desk, number):
    erasure = desk.ledger.part(PostgresErasure)
    return erasure.erase(f"P{number}", today=LONG_AFTER, who="chloé", rehearse=False)


def goes(desk, number, how):
    """A reader's letter is not known any more."""
    if how == "erased":
        assert erased(desk, number).complete
    else:
        ended(desk, OLD, number)
        assert remove(desk.ledger, desk.folder).loans == len(desk.deliveries[number - 1].loans)
    assert not rows(desk.ledger, "SELECT 1 FROM letters WHERE delivery_id = :id",
                    id=desk.deliveries[number - 1].delivery_id)  # fmt: skip


def take_out(client, desk, *numbers):
    for number in numbers:
        data = {"lettre": str(desk.deliveries[number - 1].delivery_id), "motif": "litige"}
        assert client.post(f"{desk.path}/retrait", data=data).status_code == 303


def whose(content):
    """Whose pages a file has, in their order, and its bookmarks."""
    texts, bookmarks = pages(content)
    return [text.split()[0].removeprefix("COPIE") for text in texts], bookmarks


WAYS = pytest.mark.parametrize("how", ["erased", "removed by night"])
READERS = pytest.mark.parametrize("number", [1, 2, 4])


@WAYS
@READERS
def test_a_letter_taken_out_whose_reader_goes_is_not_printed(over, how, number):
    others = [one for one in (1, 2, 3, 4) if one != number]
    names = [f"LETTRE{one}" for one in others]
    with browsing("chloé") as client:
        take_out(client, over, number)
        goes(over, number, how)
        seen = client.get(over.path).text
        preview = pages(client.get(f"{over.path}/apercu/1").content)[0]
        printed = client.post(f"{over.path}/impression")
        again = client.post(f"{over.path}/impression")
        copy = pages(client.post(f"{over.path}/copie").content)[0]
    assert ("sur 6" in seen, f"REF-{number}" in seen) == (True, False)
    assert whose(printed.content) == ([name for name in names for _ in (1, 2)], names)
    assert again.content == printed.content
    for texts in (preview, copy):
        assert len(texts) == 6
        assert not any(f"LETTRE{number}" in text for text in texts)


@WAYS
def test_another_letter_left_out_takes_no_page_of_the_unknown_one_with_it(over, how):
    with browsing() as client:
        take_out(client, over, 2, 4)
        goes(over, 2, how)
        packed = client.post(f"{over.path}/impression", data={"pour": "prestataire"})
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        texts, bookmarks = whose(archive.read("lettres.pdf"))
        lines = list(csv.DictReader(io.StringIO(archive.read("destinataires.csv").decode("utf-8-sig")), delimiter=";"))
    assert texts == ["LETTRE1", "LETTRE1", "LETTRE3", "LETTRE3"]
    assert bookmarks == ["LETTRE1", "LETTRE3"]
    assert [(one["reference"], one["page_debut"], one["page_fin"]) for one in lines] == [
        ("REF-1", "1", "2"), ("REF-3", "3", "4"),
    ]  # fmt: skip


@WAYS
def test_a_printed_batch_is_copied_without_a_reader_who_goes_afterwards(over, how):
    with browsing("chloé") as client:
        assert len(pages(client.post(f"{over.path}/impression").content)[0]) == 8
        goes(over, 4, how)
        copy = pages(client.post(f"{over.path}/copie").content)[0]
        again = client.post(f"{over.path}/impression")
        listed = client.get(f"{over.path}/destinataires.csv").content.decode("utf-8-sig")
    assert len(copy) == len(pages(again.content)[0]) == 6
    assert not any("LETTRE4" in text for text in copy)
    assert ("REF-3" in listed, "REF-4" in listed, "LECTEUR 4" in listed) == (True, False, False)


@WAYS
def test_the_posting_slip_is_made_anew_without_a_reader_who_goes(over, how):
    rows(over.ledger, "UPDATE letter_batches SET kind = 'registered_letter', slip = 'lot/bordereau.pdf'")
    rows(over.ledger, "UPDATE deliveries SET channel = 'registered_letter'")
    rows(over.ledger, "INSERT INTO registered_letters (delivery_id, library) SELECT delivery_id, library FROM letters")
    (over.folder / "lot" / "bordereau.pdf").write_bytes(b"as laid out, with everybody")
    with browsing() as client:
        if how == "erased":
            take_out(client, over, 3)
        goes(over, 3, how)
        slip = client.get(f"{over.path}/bordereau")
        printed = client.post(f"{over.path}/impression")
    with pypdf.PdfReader(io.BytesIO(slip.content)) as reader:
        text = "".join(page.extract_text() for page in reader.pages)
    assert [f"REF-{n}" in text for n in range(1, 5)] == [True, True, False, True]
    assert whose(printed.content)[1] == ["LETTRE1", "LETTRE2", "LETTRE4"]


PAGES_ON_FRONTS = ((1, 1), (3, 3), (5, 5), (7, 8))


def laid_out_on_fronts(desk):
    """Letters of a page, each on the front of a sheet, as the program before kept it: where they are, and no more."""
    texts = ["LETTRE1", "", "LETTRE2", "", "LETTRE3", "", "LETTRE4 page 1", "LETTRE4 page 2"]
    (desk.folder / "lot" / "lettres.pdf").write_bytes(a_pdf(texts))
    for delivery, (first, last) in zip(desk.deliveries, PAGES_ON_FRONTS, strict=True):
        rows(desk.ledger, "UPDATE letters SET first_page = :first, last_page = :last WHERE delivery_id = :id",
             first=first, last=last, id=delivery.delivery_id)  # fmt: skip


@WAYS
@pytest.mark.parametrize(("gone", "sheets"), [
    ((2,), ["LETTRE1", "", "LETTRE3", "", "LETTRE4", "LETTRE4"]),
    ((2, 3), ["LETTRE1", "", "LETTRE4", "LETTRE4"]),
    ((1, 4), ["LETTRE2", "", "LETTRE3"]),
])  # fmt: skip
def test_no_letter_is_on_the_back_of_another_whoever_goes_between_them(over, how, gone, sheets):
    def named(content):
        return [re.findall(r"LETTRE\d", text) for text in pages(content)[0]]

    laid_out_on_fronts(over)
    expected = [[name] if name else [] for name in sheets]
    with browsing("chloé") as client:
        take_out(client, over, *gone)
        for number in gone:
            goes(over, number, how)
        page = html.unescape(client.get(over.path, params={"feuille": 2}).text)
        preview = named(client.get(f"{over.path}/apercu/1").content)
        images = [client.get(f"{over.path}/page/{sheet}.png").content for sheet in range(1, len(sheets) + 1)]
        beyond = client.get(f"{over.path}/page/{len(sheets) + 1}.png")
        printed = client.post(f"{over.path}/impression")
        again = client.post(f"{over.path}/impression")
        copy = client.post(f"{over.path}/copie")
        listed = client.get(f"{over.path}/destinataires.csv").content.decode("utf-8-sig")
    assert named(printed.content) == expected
    assert again.content == printed.content
    assert named(copy.content) == expected
    assert preview == expected
    assert ("verso blanc" in page, f"sur {len(sheets)}" in page, beyond.status_code) == (True, True, 404)
    assert [black(image) > 0 for image in images] == [bool(name) for name in sheets]
    starts = [int(one["page_debut"]) for one in csv.DictReader(io.StringIO(listed), delimiter=";")]
    assert [start % 2 for start in starts] == [1] * len(starts)


def black(image):
    """How many points of a page are black: the stamp of a preview is not."""
    with Image.open(io.BytesIO(image)) as opened:
        return sum(opened.convert("L").histogram()[:50])


def test_a_letter_that_a_night_removes_from_a_batch_not_printed_is_counted_as_left_out(over):
    goes(over, 2, "removed by night")
    assert [(one.letters, one.left_out) for one in over.ledger.letters().batches()] == [(4, 1)]
    with browsing() as client:
        take_out(client, over, 1)
        ended(over, OLD - timedelta(days=1), 1)
        remove(over.ledger, over.folder)
    assert [(one.letters, one.left_out) for one in over.ledger.letters().batches()] == [(4, 2)]


def test_it_is_said_that_the_pages_of_a_letter_left_out_stay_in_the_file(over):
    before = erased(over, 1)
    assert {one.why: one.number for one in before.stays}[StaysBecause.LETTER_NOT_PRINTED] == 1
    with browsing() as client:
        take_out(client, over, 1)
    after = erased(over, 1)
    assert after.complete
    assert {one.why: one.number for one in after.stays}[StaysBecause.PRINTED_FILE] == 1
