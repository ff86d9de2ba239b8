"""Read the mailbox of bounces: keep each in the ledger, settle them, and move away what was read."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import closing

from loan_reminders.domain.email.feedback import PUT_AWAY, Arrival, BounceKind
from loan_reminders.domain.ports.email_feedback import BounceMailbox, MailFeedback, SharedMailbox

log = logging.getLogger(__name__)


def read_bounces(
    feedback: MailFeedback, mailbox: BounceMailbox, *, failures: int, shared: SharedMailbox | None = None
) -> dict[str, int]:
    """Read the whole mailbox: bounces are kept and settled, then moved away with the answers of machines.

    Each page is kept in the ledger before it is moved; a page read again after an interruption changes nothing. All
    that was kept is settled at the end, however it ends: what comes too many at once is seen as such.
    What a person wrote, and what cannot be understood, stays where it is. Of a mailbox `shared` by several libraries,
    each gets what is about its own e-mails. Returns counts.
    """
    settled = feedback.settle(failures=failures)
    arrivals: Counter[Arrival] = Counter()
    kinds: Counter[BounceKind] = Counter()
    new = 0
    with closing(mailbox):
        waiting = mailbox.waiting()
        try:
            for page in mailbox.pages():
                bounces = [message.bounce for message in page if message.bounce is not None]
                new += feedback.keep(bounces if shared is None else shared.keep_theirs(bounces))
                mailbox.put_away([message.uid for message in page if message.arrival in PUT_AWAY])
                arrivals.update(message.arrival for message in page)
                kinds.update(bounce.kind for bounce in bounces)
                if waiting > len(page):
                    log.info("Messages lus : %d sur %d", arrivals.total(), waiting)
        finally:
            settled += feedback.settle(failures=failures)
    counts = {
        "read": arrivals.total(),
        "hard": kinds[BounceKind.HARD],
        "soft": kinds[BounceKind.SOFT],
        "delayed": kinds[BounceKind.DELAYED],
        "delivered": arrivals[Arrival.SUCCESS],
        "auto_replies": arrivals[Arrival.AUTO_REPLY],
        "left": arrivals[Arrival.OTHER] + arrivals[Arrival.UNREADABLE],
        "unreadable": arrivals[Arrival.UNREADABLE],
        "too_costly": arrivals[Arrival.TOO_COSTLY],
        "new": new,
        "moved": settled.moved,
        "unknown": settled.unknown,
        "dead_addresses": settled.dead_addresses,
        "held": settled.held,
    }
    if aside := feedback.put_aside():
        counts["put_aside"] = aside
    _tell(counts)
    return counts


_SAID = (
    ("hard", "retour définitif", "retours définitifs"),
    ("soft", "provisoire", "provisoires"),
    ("delayed", "retard annoncé", "retards annoncés"),
    ("delivered", "avis de bonne remise", "avis de bonne remise"),
    ("auto_replies", "réponse automatique", "réponses automatiques"),
    ("left", "laissé en place", "laissés en place"),
)


def _tell(counts: dict[str, int]) -> None:
    read = counts["read"]
    said = [f"{number} {one if number == 1 else many}" for name, one, many in _SAID if (number := counts[name])]
    log.info("%s", f"{read} message{'s' * (read > 1)} lu{'s' * (read > 1)}" + (f" : {', '.join(said)}" if said else ""))
    if counts["moved"] or counts["dead_addresses"]:
        log.info(
            "E-mails revenus : %d ; adresses qui ne sont plus servies : %d", counts["moved"], counts["dead_addresses"]
        )
    if counts["unknown"]:
        log.warning(
            "Retours qui ne concernent aucun e-mail d'ici, ou pas son destinataire, et ne changent rien : %d",
            counts["unknown"],
        )
    if counts["held"]:
        log.warning(
            "Retours définitifs d'un coup : %d. La faute est peut-être de notre côté, aucune de ces adresses n'est"
            " tenue pour morte. À confirmer ou à écarter sur la page « Au bureau » du menu Relances.",
            counts["held"],
        )
    if counts["too_costly"]:
        log.warning(
            "Messages trop longs à comprendre, rangés avec les autres sans avoir été lus, à regarder à la main dans le"
            " dossier done_folder de library.toml : %d",
            counts["too_costly"],
        )
    if counts.get("put_aside"):
        log.warning("Retours mis de côté, à lire sur la page « Au bureau » : %d", counts["put_aside"])
    if counts["unreadable"]:
        log.warning("Messages qui ressemblent à des retours, illisibles, à lire à la main : %d", counts["unreadable"])
