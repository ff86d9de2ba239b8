"""Messages ready to leave, and the answers that come back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
from loan_reminders.domain.states import DeliveryState, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedEmail:
    """An e-mail as bytes for SMTP DATA (headers and MIME parts, CRLF line ends) and its envelope recipient.

    `subject` and `text` are its words, for whoever asks later what was said. `envelope_sender` is its own return path,
    empty when it has none and bounces go to the account's. `redirected`: it goes to a test address, not to its reader.
    """

    delivery_id: uuid.UUID
    recipient: EmailAddress
    message_id: str
    content: bytes
    subject: str = ""
    text: str = ""
    envelope_sender: str = ""
    redirected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedText:
    """An SMS: text in GSM 03.38 characters only, and what it costs in segments.

    `redirected`: it goes to a test number, not to its reader.
    """

    delivery_id: uuid.UUID
    recipient: MobileNumber
    text: str
    segments: int
    redirected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SentWords:
    """What a message says, kept from the moment it is about to leave; `subject` is empty for an SMS."""

    delivery_id: uuid.UUID
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLine:
    """One document of a letter, as printed."""

    title: str
    author: str
    call_number: str
    branch: str
    item_barcode: str
    due_date: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterBranch:
    """A building where documents of a letter are to be returned, as printed; `address` and `hours` may be empty."""

    name: str
    address: str
    hours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedLetter:
    """One letter's facts for the page template; every text is data, dates are already in French.

    `total` is the sum of the prices that are known, empty when none is or when they are not of one currency.
    `earlier` are the reminders that left before, in words (`avis de retard par courriel le 3 novembre 2026`).
    """

    delivery_id: uuid.UUID
    reference: str
    recipient: PostalAddress
    patron_name: str
    patron_barcode: str
    due_date: str
    lines: tuple[LetterLine, ...]
    total: str = ""
    branches: tuple[LetterBranch, ...] = ()
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How one delivery ended for this try: the new state, why, and the raw answer.

    `provider_id` is the provider's own id (an SMS id, a batch name), `campaign_id` that of the request an SMS left
    with; `raw` holds no secret.
    `segments` and `cost` (in euros, 0 when the provider tells none) are for SMS; so is `code`, what the provider
    answered of one in doubt when that can be read: it is not kept.
    """

    delivery_id: uuid.UUID
    state: DeliveryState
    reason: Reason | None = None
    provider_id: str = ""
    campaign_id: str = ""
    raw: str = ""
    segments: int = 0
    cost: float = 0.0
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLetter:
    """Where one letter is in its batch: its pages (from 1) in the PDF number `volume` (from 1)."""

    delivery_id: uuid.UUID
    reference: str
    volume: int
    first_page: int
    last_page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterBatch:
    """A stored batch: file names under the letter storage, and what is inside.

    `pdf` is the first PDF and `more_pdfs` the others, `slip` the posting slip or "", `sha256` the digest of the PDFs
    in their order. `branch` is the ILS code of the branch whose letters these are, "" for all. A `draft` waits for a
    librarian's approval. A `trial` was made while messages were redirected, and is never for the post. `placed` are
    the letters in their order.
    """

    name: str
    pdf: str
    csv: str
    letters: int
    pages: int
    sha256: str
    more_pdfs: tuple[str, ...] = ()
    slip: str = ""
    branch: str = ""
    draft: bool = False
    trial: bool = False
    placed: tuple[PlacedLetter, ...] = ()
