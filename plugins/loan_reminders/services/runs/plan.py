"""Turn the loans of a run into notices and deliveries, in one transaction."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from loan_reminders.domain.loans import Loan, SmsChoice
from loan_reminders.domain.notices import Delivery, History, LoanKey, Refused, Skip, Unreachable
from loan_reminders.domain.ports.outside import Ledger, Planning, Run
from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.runs.holds import Held
from loan_reminders.domain.runs.planning import key, plan_notices, skip
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.sms.consent import Consent
from loan_reminders.domain.stages import Channel, Policy
from loan_reminders.domain.states import DeliveryState, Refusal, SkipReason
from loan_reminders.domain.suppressions.objections import Objections
from loan_reminders.domain.suppressions.suppression import Suppressed
from loan_reminders.french.plurals import many
from loan_reminders.french.words import skip_words
from loan_reminders.services.runs.beside import Beside

log = logging.getLogger(__name__)


def plan_run(ledger: Ledger, *, run_id: int, policy: Policy) -> dict[str, int]:
    """Plan a run: who is told, by which channel, and why the others are not.

    Returns the number of deliveries by channel. Planning a run again changes nothing. Deliveries that an earlier
    run planned and never attempted are taken over, so that nothing is lost when a run dies half-way. While one page of
    readers is thought over here, the ledger writes the one before and looks up the next: they have no loan in common.
    """
    run = ledger.run(run_id)
    planned: Counter[Channel] = Counter()
    reasons: Counter[SkipReason] = Counter()
    with ledger.planning(run_id) as planning, Beside() as beside:

        def adopt(keys: Sequence[LoanKey]) -> int:
            return beside.ask(planning.adopt, keys).result()

        for loans, known in _looked_up(planning, beside):
            deliveries, skips = _decide(loans, known.result(), adopt, run=run, policy=policy)
            beside.ask(planning.record, deliveries, skips)
            planned.update(delivery.channel for delivery in deliveries)
            reasons.update(item.reason for item in skips if item.slot is None)
            log.info("%s", many(planned.total(), "envoi préparé", "envois préparés"))
        if policy.holdback is not None and policy.holdback.runs_on(run.today):
            beside.ask(planning.keep_holdback, policy.holdback).result()
    for reason, count in sorted(reasons.items()):
        log.info("Prêts écartés, %s : %d", skip_words(reason), count)
    return {channel.value: count for channel, count in sorted(planned.items())}


def plan_page(
    planning: Planning, loans: Sequence[Loan], *, run: Run, policy: Policy
) -> tuple[list[Delivery], list[Skip]]:
    """What a run plans for these readers' loans, by the library's rules and all that the ledger holds about them."""
    return _decide(loans, _look_up(planning, loans), planning.adopt, run=run, policy=policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the ledger holds about some loans and their readers."""

    history: History
    refused: Refused
    suppressed: Suppressed
    held: Held
    objections: Objections
    sms_choices: Mapping[str, SmsChoice]


def _look_up(planning: Planning, loans: Sequence[Loan]) -> _Known:
    keys = [key(loan) for loan in loans]
    return _Known(
        history=planning.history(keys),
        refused=planning.refused(keys),
        suppressed=planning.suppressed(recipients(loans)),
        held=planning.held(patrons(loans)),
        objections=planning.objected(patrons(loans)),
        sms_choices=planning.sms_choices(patrons(loans)),
    )


def _looked_up(planning: Planning, beside: Beside) -> Iterator[tuple[Sequence[Loan], Future[_Known]]]:
    """The loans of each page of readers, with what is known of them; the next page is asked about beforehand."""
    ready: tuple[Sequence[Loan], Future[_Known]] | None = None
    for page in planning.patrons():
        loans = [loan for patron_loans in page for loan in patron_loans]
        asked = loans, beside.ask(_look_up, planning, loans)
        if ready is not None:
            yield ready
        ready = asked
    if ready is not None:
        yield ready


def _decide(
    loans: Sequence[Loan], known: _Known, adopt: Callable[[Sequence[LoanKey]], int], *, run: Run, policy: Policy
) -> tuple[list[Delivery], list[Skip]]:
    history = known.history
    plan = plan_notices(loans, stage=run.stage, policy=policy, today=run.today, history=history, held=known.held)
    deliveries: list[Delivery] = []
    skips = list(plan.skipped)
    for notice in plan.notices:
        routed = route(
            notice,
            rule=policy.rule(run.stage),
            history=history,
            refused=known.refused,
            today=run.today,
            suppressed=known.suppressed,
            objections=known.objections,
            consent=Consent(rules=policy.sms, said=known.sms_choices),
        )
        if isinstance(routed, Unreachable):
            skips.extend(skip(loan, routed.reason, detail=routed.detail) for loan in notice.loans)
        else:
            deliveries.extend(routed.deliveries)
            skips.extend(routed.skipped)
    if not run.dry_run:
        skips = _take_over(adopt, skips, history)
    return deliveries, skips


def patrons(loans: Sequence[Loan]) -> list[str]:
    """The readers of these loans, each once."""
    return list(dict.fromkeys(loan.patron.patron_id for loan in loans))


def recipients(loans: Sequence[Loan]) -> list[Recipient]:
    """Every number and address that a page of readers can be written to at, each once."""
    contacts = {contact for loan in loans for contact in (loan.patron.mobile, loan.patron.email, loan.patron.address)}
    return [contact for contact in contacts if not isinstance(contact, Refusal)]


def _take_over(adopt: Callable[[Sequence[LoanKey]], int], skips: Sequence[Skip], history: History) -> list[Skip]:
    """Adopt what an earlier run planned and never attempted; those loans are told by this run, not skipped.

    What is held is adopted too: this run's senders take it out, and its books say so.
    """
    waiting = {claim for claim, state in history.items() if state is DeliveryState.PLANNED}
    waiting_keys = {taken for taken, _ in waiting}

    def waits(item: Skip) -> bool:
        if item.reason not in (SkipReason.ALREADY_SENT, SkipReason.HELD) or item.due_date is None:
            return False
        taken = LoanKey(loan_id=item.loan_id, due_date=item.due_date)
        return taken in waiting_keys if item.slot is None else (taken, item.slot) in waiting

    adopted = {LoanKey(loan_id=item.loan_id, due_date=item.due_date) for item in skips if waits(item) and item.due_date}
    if adopted:
        log.info("Prêts repris d'une tournée interrompue : %d", len(adopted))
        adopt(sorted(adopted, key=lambda one: one.loan_id))
    return [item for item in skips if not waits(item)]
