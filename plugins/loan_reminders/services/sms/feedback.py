"""Ask the SMS provider for receipts, replies and its blacklist; keep them in the ledger and settle them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta

from loan_reminders.domain.errors import LedgerUnavailable, ReminderError, SmsAnswerUnreadable
from loan_reminders.domain.ports.outside import Ledger, SmsAccount
from loan_reminders.domain.ports.sms_feedback import LastSms, Settled, SharedAccount, SmsFeedback
from loan_reminders.domain.sms.feedback import SmsAck, SmsRepliesLost, SmsReply
from loan_reminders.domain.sms.stop_words import is_stop
from loan_reminders.french.plurals import many

log = logging.getLogger(__name__)

ASKED_FOR = timedelta(days=7)
"""How long after its attempt an SMS is asked about: operators give up after three days at most."""

PAUSES = (1.0, 5.0, 15.0)
"""Seconds between the tries to keep replies that the provider will not give again."""

MOST_READS = 100


def read_receipts(feedback: SmsFeedback, account: SmsAccount, *, now: datetime, failures: int) -> dict[str, int]:
    """Ask for the receipts of every campaign that is not over, and settle what is known.

    A campaign whose question fails does not lose the others; when none could be asked, its error is raised once
    everything kept before is settled.
    """
    broken: ReminderError | None = None
    unread = read = 0
    with closing(account):
        for campaign_id in feedback.campaigns_to_ask(now - ASKED_FOR):
            try:
                feedback.keep_acks(account.acknowledgements(campaign_id))
                read += 1
            except LedgerUnavailable:
                raise
            except ReminderError as error:
                broken = error
                unread += 1
                if not isinstance(error, SmsAnswerUnreadable):
                    break
    settled = feedback.settle(failures=failures, again=True)
    _tell(settled)
    if broken is not None:
        if not read or not isinstance(broken, SmsAnswerUnreadable):
            raise broken
        log.warning("Campagnes d'SMS sans accusés lisibles : %d sur %d ; prochain essai dans une heure", unread, read)
    return {"campaigns": read, "acks": settled.acks, "moved": settled.moved} | tell_put_aside(feedback)


def keep_receipts(feedback: SmsFeedback, shared: SharedAccount | None, acks: Sequence[SmsAck]) -> None:
    """Keep receipts that the provider pushed to us.

    An account that several libraries share has one address to push to, that of one of them: each receipt is kept by the
    library whose SMS it is about, and by this one when none of them knows it. The others settle what is theirs.
    """
    feedback.keep_acks(acks if shared is None else shared.keep_theirs(acks))


def read_replies(
    feedback: SmsFeedback,
    account: SmsAccount,
    *,
    now: datetime,
    failures: int,
    others: Sequence[SmsFeedback] = (),
    unread: Sequence[SmsFeedback] = (),
    tried_before: bool = False,
    last_try: bool = True,
) -> dict[str, int]:
    """Fetch the replies that wait at the provider; those that are a STOP put their number on the list.

    `others` are the libraries that send by the same account, `unread` those that may: see `keep_replies`. The count is
    of those kept here.

    The provider gives each reply once. What was kept before is settled first, which also shows that the ledger can
    be written; each lot is kept before the next is asked for. When a lot may be lost, in this try or in one before
    (`tried_before`), the campaigns of the last days are asked for theirs; on the `last_try` the desk is told that this
    failed.
    """
    settled = feedback.settle(failures=failures)
    kept, lost = 0, tried_before
    with closing(account):
        for _ in range(MOST_READS):
            try:
                replies = account.replies()
            except SmsRepliesLost:
                lost, replies = True, ()
            if not replies:
                break
            lost = lost or not all(reply.phone_number for reply in replies)
            kept += _keep(feedback, others, unread, replies)
            settled += feedback.settle(failures=failures)
        if lost:
            try:
                kept += _read_again(feedback, account, others, unread, since=now - ASKED_FOR)
            except ReminderError:
                if last_try:
                    feedback.tell_lost_replies(now.date())
                raise
            settled += feedback.settle(failures=failures)
    _tell(settled)
    return {"replies": kept, "stops": settled.stops} | tell_put_aside(feedback)


def _read_again(
    feedback: SmsFeedback,
    account: SmsAccount,
    others: Sequence[SmsFeedback],
    unread: Sequence[SmsFeedback],
    *,
    since: datetime,
) -> int:
    """Keep what readers answered to the campaigns of the last days, as far as it was not kept yet; how many are new."""
    campaigns = {campaign for one in (feedback, *others, *unread) for campaign in one.campaigns_since(since)}
    log.warning("Réponses de lecteurs peut-être perdues : campagnes redemandées : %d", len(campaigns))
    kept = 0
    for campaign_id in sorted(campaigns):
        try:
            replies = account.replies_to(campaign_id)
        except SmsAnswerUnreadable:  # a campaign that is not known there, or an SMS without an answer
            continue
        if replies:
            kept += _keep(feedback, others, unread, replies)
    return kept


def keep_replies(
    feedback: SmsFeedback,
    others: Sequence[SmsFeedback],
    replies: Sequence[SmsReply],
    *,
    unread: Sequence[SmsFeedback] = (),
) -> int:
    """Keep replies for this library and the others of its account; returns how many are new in this one.

    A STOP is said to the account: each library keeps it. Any other reply is kept by the one whose SMS it answers: of
    the reply's own campaign, else the last one to its number; by this library when none of them knows the number. The
    others settle what is theirs. The settings of those `unread` are wrong, and nobody knows what account they have:
    they keep a STOP only of a number that they sent an SMS to.
    """
    owners = _owners(feedback, (*others, *unread), [reply for reply in replies if not is_stop(reply.text)])
    for other in (*others, *unread):
        theirs = [reply for reply in replies if owners.get(reply, other) is other]
        if theirs and other in unread:
            theirs = [reply for reply, sms in zip(theirs, other.last_sms(theirs), strict=True) if sms is not None]
        if theirs:
            other.keep_replies(theirs)
    return feedback.keep_replies([reply for reply in replies if owners.get(reply, feedback) is feedback])


def _owners(
    feedback: SmsFeedback, others: Sequence[SmsFeedback], replies: Sequence[SmsReply]
) -> dict[SmsReply, SmsFeedback]:
    """The one library that each of these replies is for."""
    owners = dict.fromkeys(replies, feedback)
    newest: dict[SmsReply, LastSms] = {}
    for one in (feedback, *others) if others and replies else ():
        for reply, sms in zip(replies, one.last_sms(replies), strict=True):
            if sms is not None and (reply not in newest or sms > newest[reply]):
                owners[reply], newest[reply] = one, sms
    return owners


def _keep(
    feedback: SmsFeedback, others: Sequence[SmsFeedback], unread: Sequence[SmsFeedback], replies: Sequence[SmsReply]
) -> int:
    for pause in PAUSES:
        try:
            return keep_replies(feedback, others, replies, unread=unread)
        except LedgerUnavailable:
            log.warning(
                "Registre indisponible : %s à garder",
                many(len(replies), "réponse de lecteur attend", "réponses de lecteurs attendent"),
            )
            time.sleep(pause)
    return keep_replies(feedback, others, replies, unread=unread)


def read_blacklist(feedback: SmsFeedback, account: SmsAccount) -> dict[str, int]:
    """Put every number of the provider's blacklist on the list."""
    with closing(account):
        entries = account.blacklist()
    joined = feedback.keep_blacklist(entries)
    log.info("Numéros de la liste noire du prestataire : %d, dont nouveaux : %d", len(entries), joined)
    summary = feedback.summary()
    if summary.sms_since:
        log.warning("SMS partis vers des numéros désinscrits depuis leur désinscription : %d", summary.sms_since)
    return {"blacklisted": len(entries), "joined": joined} | tell_put_aside(feedback)


def read_credit(ledger: Ledger, account: SmsAccount, *, now: datetime) -> dict[str, int]:
    """Ask what is left on the account, in segments, and keep it for the first page."""
    with closing(account):
        credit = account.credit()
    ledger.keep_sms_credit(credit.segments, at=now)
    log.info("Crédit SMS : %s (%g %s)", many(credit.segments, "segment", "segments"), credit.amount, credit.unit)
    return {"segments": credit.segments}


def settle_feedback(feedback: SmsFeedback, *, failures: int) -> Settled:
    """Settle the receipts and replies that the provider pushed to us."""
    settled = feedback.settle(failures=failures)
    if settled.acks or settled.replies:
        _tell(settled)
    tell_put_aside(feedback)
    return settled


def tell_put_aside(feedback: SmsFeedback) -> dict[str, int]:
    """The count of what was put aside, when anything was."""
    number = feedback.put_aside()
    if number:
        log.warning("Retours du prestataire SMS mis de côté, à lire sur la page « Au bureau » : %d", number)
    return {"put_aside": number} if number else {}


def _tell(settled: Settled) -> None:
    log.info(
        "Accusés : %d, dont %d sur des SMS inconnus ; SMS passés à un autre état : %d, dont %d qui étaient en doute",
        settled.acks,
        settled.unknown,
        settled.moved,
        settled.resolved,
    )
    log.info(
        "Réponses de lecteurs : %d ; nouveaux STOP : %d ; nouveaux numéros morts : %d",
        settled.replies,
        settled.stops,
        settled.dead_numbers,
    )
