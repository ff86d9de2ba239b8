"""Trying without harm: the dry run, and the test installation that redirects every message."""

from __future__ import annotations

from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.gateways.sms.allmysms import AllMySmsAccount, AllMySmsGateway
from loan_reminders.services.runs.rehearse import rehearse
from tests.scenes.builders import a_mobile, an_email
from tests.scenes.world import loans

TRIAL = Redirect(
    email=an_email("essai@example.org"),
    mobile=a_mobile("33600000001"),
    allow=frozenset({an_email("lecteur2@etu.example.org"), a_mobile("33639980002")}),
)


def test_a_dry_run_composes_everything_and_changes_nothing_for_the_real_run(world, tmp_path):
    run_id = world.begin(*loans(2), dry_run=True)
    store = FolderLetterStore(tmp_path / "letters")
    rehearse(world.ledger, store, world.write_email(), run_id=run_id, channel=Channel.EMAIL)
    rehearse(world.ledger, store, world.write_text(), run_id=run_id, channel=Channel.SMS)
    books = world.close(run_id)
    assert books.deliveries == {
        Channel.EMAIL: {DeliveryState.CANCELLED: 2},
        Channel.SMS: {DeliveryState.CANCELLED: 2},
    }
    shown = sorted(path.suffix for path in (tmp_path / "letters").rglob("*.*") if path.is_file())
    assert shown == [".eml", ".eml", ".txt", ".txt"]
    assert "STOP au 36180" in next((tmp_path / "letters").rglob("*.txt")).read_text(encoding="utf-8")
    assert (world.mailed_to(), world.texted_to()) == ([], [])
    assert world.whole_run().deliveries[Channel.EMAIL] == {DeliveryState.ACCEPTED: 2}


def test_a_test_installation_writes_to_one_address_and_says_whom_it_was_for(world):
    world.redirect = TRIAL
    world.whole_run(*loans(2))
    assert world.mailed_to() == ["essai@example.org", "lecteur2@etu.example.org"]
    subjects = {message["To"].addresses[0].addr_spec: message["Subject"] for message in world.mail.messages()}
    assert subjects["essai@example.org"].startswith("[Essai, pour lecteur1@etu.example.org] ")
    assert "Essai" not in subjects["lecteur2@etu.example.org"]


def test_a_test_installation_texts_one_number_and_says_whom_it_was_for(world):
    world.redirect = TRIAL
    world.whole_run(*loans(2))
    texts = {sms.phone_number: sms.text for sms in world.sms.provider.accepted}
    assert set(texts) == {"33600000001", "33639980002"}
    assert texts["33600000001"].startswith("(Essai, pour 33639980001) ")
    assert "Essai" not in texts["33639980002"]


def test_a_dry_run_may_ask_the_provider_what_it_would_cost(world, tmp_path, caplog):
    caplog.set_level("INFO")
    run_id = world.begin(*loans(3), dry_run=True)
    account = AllMySmsAccount(
        base_url=world.sms.base_url, login="bu-demo", api_key=world.sms.provider.api_key, login_in_clear=True
    )
    with AllMySmsGateway(account, sender="BU Montclar", campaign="essai") as gateway:
        rehearse(
            world.ledger,
            FolderLetterStore(tmp_path / "letters"),
            world.write_text(),
            run_id=run_id,
            channel=Channel.SMS,
            ask_cost=gateway.simulate,
        )
    assert "Segments : 3 pour nous, 3 pour allmysms" in caplog.text
    assert world.texted_to() == []
