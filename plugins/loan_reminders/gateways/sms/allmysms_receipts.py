"""An answer of allmysms to a sending becomes one receipt a message, by either API.

What the outcome (`status`, or `code` by REST) means, then `smsIds` (or the `campaignId` of several numbers by REST)
and `invalidNumbers`:

    outcome                       every number that was taken         the others
    100, 101 accepted             ACCEPTED                            REFUSED when in invalidNumbers, else IN_DOUBT
    113 some numbers invalid      ACCEPTED when it has its own id     REFUSED when in invalidNumbers, else IN_DOUBT
    114 no valid number           ACCEPTED (never seen)               REFUSED, invalid_recipient
    110, 111, 117 this text       -                                   REFUSED, message_refused
    102, 108, 118 login or key    -                                   SmsAccountRejected: nothing was sent
    103, 104 credit               -                                   SmsAccountRejected: nothing was sent
    105-107, 109, 112, 115 flow   -                                   SmsAccountRejected: nothing was sent
    anything else, unreadable     -                                   IN_DOUBT, unreadable_answer
    no answer                     -                                   IN_DOUBT, no_answer

What is not refused is paid for, or may be: an SMS in doubt has its segments and its part of the cost too. Its cost is
in euros, as REST tells it; by the API v9.0 its segments are those that the credits paid for.
A number in `invalidNumbers` is either wrong or on the account's STOP list: allmysms does not say which.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from loan_reminders.domain.messages import Receipt, RenderedText
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.gateways.sms.allmysms_answer import (
    NO_VALID_NUMBER,
    NOTHING_LEFT,
    RAW_LIMIT,
    SOME_INVALID,
    TAKEN,
    TEXT_REFUSED,
    Answer,
    Secrets,
    refuse_by_code,
    storable,
)
from loan_reminders.gateways.sms.allmysms_feedback import CREDITS_PER_SEGMENT

MOST_SEGMENTS = 255
"""More segments than one SMS can have (3GPP TS 23.040)."""
DEAREST_SEGMENT = 1.0
"""Euros that no segment ever cost: a figure from there on is a mistake of the provider's, or credits."""
FRENCH = "33"
"""How the numbers begin that cost 15 credits a segment."""
ONE_SMS = "sms:"
"""Begins the campaign id of an SMS that went without a campaign: its own id follows."""


def read_answer(
    answer: Answer, messages: Sequence[RenderedText], *, campaign: str, secrets: Secrets
) -> tuple[Receipt, ...]:
    """One receipt a message. Raises SmsAccountRejected when the provider refused the whole request.

    An id is matched by phone number, never by place in the list. A receipt's raw answer shows no other reader's number.
    """
    refuse_by_code(answer, effect=NOTHING_LEFT)
    ids, invalid = answer.sms_ids(), answer.invalid_numbers()
    taken = answer.taken([message.recipient.value for message in messages])
    raws = _raws(answer, messages, campaign, secrets)
    receipts = []
    for message, raw in zip(messages, raws, strict=True):
        number = message.recipient.value
        sms_id = ids.get(number, "")
        state, reason = _outcome(
            answer.code, accepted=number in taken, has_id=bool(sms_id), is_invalid=number in invalid
        )
        receipts.append(
            Receipt(
                delivery_id=message.delivery_id,
                state=state,
                reason=reason,
                provider_id=sms_id,
                campaign_id=answer.campaign_id or (f"{ONE_SMS}{sms_id}" if sms_id else ""),
                raw=raw,
                code=answer.code if state is DeliveryState.IN_DOUBT and answer.http < 500 else "",
            )
        )
    paid = [
        message
        for message, receipt in zip(messages, receipts, strict=True)
        if receipt.state is not DeliveryState.REFUSED
    ]
    segments = _segments(answer, paid)
    return tuple(
        replace(receipt, segments=segments[one], cost=_cost(answer, segments[one], len(paid)))
        if (one := receipt.delivery_id) in segments
        else receipt
        for receipt in receipts
    )


def unanswered(messages: Sequence[RenderedText], *, campaign: str, fault: str) -> tuple[Receipt, ...]:
    """The receipts of a request that left and got no answer."""
    raw = json.dumps({"campaign": campaign, "fault": fault})
    return tuple(
        Receipt(
            delivery_id=message.delivery_id,
            state=DeliveryState.IN_DOUBT,
            reason=Reason.NO_ANSWER,
            raw=raw,
            segments=message.segments,
        )
        for message in messages
    )


def _outcome(code: str, *, accepted: bool, has_id: bool, is_invalid: bool) -> tuple[DeliveryState, Reason | None]:
    if accepted:
        return DeliveryState.ACCEPTED, None
    if not has_id and (code == NO_VALID_NUMBER or (is_invalid and code in TAKEN | {SOME_INVALID})):
        return DeliveryState.REFUSED, Reason.INVALID_RECIPIENT
    if not has_id and code in TEXT_REFUSED:
        return DeliveryState.REFUSED, Reason.MESSAGE_REFUSED
    return DeliveryState.IN_DOUBT, Reason.UNREADABLE_ANSWER


def _segments(answer: Answer, paid: Sequence[RenderedText]) -> Mapping[uuid.UUID, int]:
    """The segments of each message that is paid for: what the provider counted, and what it took credits for besides.

    Its count is ours when it does not say, or not evenly. A segment to a number abroad takes the credits of several
    French ones, and the answer tells the sum alone: what is more than counted is of the numbers abroad, if there are
    any.
    """
    if not paid:
        return {}
    counted = answer.number("nbSms")
    if not counted or counted < 0 or counted % len(paid) or counted // len(paid) > MOST_SEGMENTS:
        segments = {message.delivery_id: message.segments for message in paid}
    else:
        segments = {message.delivery_id: int(counted // len(paid)) for message in paid}
    more = answer.credits_used / CREDITS_PER_SEGMENT - sum(segments.values())
    if more <= 0 or not more.is_integer():
        return segments
    dearer = [one for one in paid if not one.recipient.value.startswith(FRENCH)] or paid
    each, odd = divmod(int(more), len(dearer))
    billed = {one.delivery_id: segments[one.delivery_id] + each + (place < odd) for place, one in enumerate(dearer)}
    return segments if max(billed.values()) > MOST_SEGMENTS else {**segments, **billed}


def _cost(answer: Answer, segments: int, share: int) -> float:
    """Euros that the provider says each message cost; 0 when it says what so many segments never cost."""
    cost = round(answer.cost / share, 6)
    return cost if 0 <= cost < DEAREST_SEGMENT * segments else 0.0


def _raws(answer: Answer, messages: Sequence[RenderedText], campaign: str, secrets: Secrets) -> Iterator[str]:
    """For each message, what of the answer concerns it."""
    numbers = re.compile("|".join(message.recipient.value for message in messages))
    if not answer.says:
        text = storable(secrets.removed_from(answer.text))[: 2 * RAW_LIMIT]
        for message in messages:
            yield f"{campaign}, HTTP {answer.http}\n{_mask(text, numbers, message.recipient.value)}"[:RAW_LIMIT]
        return
    ids, invalid = answer.sms_ids(), answer.invalid_numbers()
    common = {name: said for name, said in answer.says.items() if name not in {"smsIds", "invalidNumbers", "smsId"}}
    shown = storable(secrets.removed_from(json.dumps({"campaign": campaign, **common}, ensure_ascii=False)))
    shown = numbers.sub("[number]", shown).removesuffix("}")
    for message in messages:
        number = message.recipient.value
        ours = json.dumps({"smsId": ids.get(number), "invalidNumber": number in invalid})
        yield f"{shown}, {ours.removeprefix('{')}"[:RAW_LIMIT]


def _mask(text: str, numbers: re.Pattern[str], own: str) -> str:
    def other(found: re.Match[str]) -> str:
        return own if found[0] == own else "[number]"

    return numbers.sub(other, text)
