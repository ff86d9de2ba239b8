"""When an e-mail of a run did not arrive, plan a letter in the same run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import Delivery, Skip, Unreachable
from loan_reminders.domain.ports.outside import Ledger, Planning, Run
from loan_reminders.domain.runs.planning import key, plan_notices, skip
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.stages import Channel, Policy, Slot, StageRule
from loan_reminders.services.runs.plan import patrons, recipients

log = logging.getLogger(__name__)


def take_over_by_letter(ledger: Ledger, *, run_id: int, policy: Policy) -> int:
    """Plan a letter for each reader whose e-mail of this run was refused, came back or was given up; returns how many.

    The e-mail freed its slot, the letter takes it: never both. Who cannot get a letter is skipped with the reason,
    for the desk. Done again, it plans nothing twice. A stage without letters, or a dry run, plans none.
    """
    run, rule = ledger.run(run_id), _letters_only(policy.rule(ledger.run(run_id).stage))
    if run.dry_run or not rule.channels:
        return 0
    letters = out_of_reach = 0
    with ledger.taking_over(run_id) as planning:
        for page in planning.patrons():
            loans = [loan for patron_loans in page for loan in patron_loans]
            deliveries, skips = _plan_page(planning, loans, run=run, rule=rule, policy=policy)
            planning.record(deliveries, skips)
            letters += len(deliveries)
            out_of_reach += len(skips)
    if letters:
        log.info("E-mails qui ne sont pas arrivés, relayés par une lettre : %d", letters)
    if out_of_reach:
        log.warning("Prêts sans e-mail arrivé ni lettre possible : %d ; voir « Au bureau »", out_of_reach)
    return letters


def _letters_only(rule: StageRule) -> StageRule:
    """The rule with its letters alone, whatever the e-mail address is by now: this run's e-mails have left."""
    letters = tuple(replace(one, only_without_email=False) for one in rule.channels if one.channel is Channel.LETTER)
    return replace(rule, channels=letters)


def _plan_page(
    planning: Planning, loans: Sequence[Loan], *, run: Run, rule: StageRule, policy: Policy
) -> tuple[list[Delivery], list[Skip]]:
    keys = [key(loan) for loan in loans]
    history, refused = planning.history(keys), planning.refused(keys)
    suppressed = planning.suppressed(recipients(loans))
    held = planning.held(patrons(loans))
    plan = plan_notices(loans, stage=run.stage, policy=policy, today=run.today, history={}, held=held)
    deliveries: list[Delivery] = []
    skips = [replace(one, slot=Slot.WRITTEN) for one in plan.skipped]
    for notice in plan.notices:
        routed = route(notice, rule=rule, history=history, refused=refused, today=run.today, suppressed=suppressed)
        if isinstance(routed, Unreachable):
            skips += [skip(loan, routed.reason, slot=Slot.WRITTEN, detail=routed.detail) for loan in notice.loans]
        else:
            deliveries += routed.deliveries
            skips += [replace(one, slot=Slot.WRITTEN) for one in routed.skipped]
    return deliveries, skips
