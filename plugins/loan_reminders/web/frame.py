"""What is at the head of every page: whether it is of a trial, and a tab for each page that this person may open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loan_reminders.domain.errors import SettingsError
from loan_reminders.french.runs import banner_words
from loan_reminders.settings.library_toml import settings
from loan_reminders.web.access import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A tab; `also` are the first parts of other addresses whose pages belong under it."""

    path: str
    words: str
    right: Right
    also: tuple[str, ...] = ()
    subtabs: tuple[Tab, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether the page at this address belongs under this tab."""
        own = path == self.path or (bool(self.path) and path.startswith(f"{self.path}/"))
        below = any(path == other or path.startswith(f"{other}/") for other in self.also)
        return own or below or any(tab.holds(path) for tab in self.subtabs)


TABS = (
    Tab(
        path="",
        words="Aujourd'hui",
        right=Right.SEE,
        also=("jours", "tournees", "questions"),
        subtabs=(
            Tab(path="", words="Aujourd'hui", right=Right.SEE, also=("jours", "tournees", "questions")),
            Tab(path="bureau", words="Au bureau", right=Right.ACT),
        ),
    ),
    Tab(
        path="lecteurs",
        words="Lecteurs et prêts",
        right=Right.ACT,
        subtabs=(
            Tab(path="lecteurs", words="Chercher", right=Right.ACT),
            Tab(path="lecteurs/suspendus", words="Suspendus", right=Right.ACT),
            Tab(path="dossier", words="Dossier de litige", right=Right.ACT),
        ),
    ),
    Tab(
        path="lots",
        words="Courriers",
        right=Right.SEE,
        subtabs=(
            Tab(path="lots", words="Lots de lettres", right=Right.SEE),
            Tab(path="recommandes", words="Recommandés", right=Right.ACT),
        ),
    ),
    Tab(
        path="a-corriger",
        words="À corriger",
        right=Right.ACT,
        subtabs=(
            Tab(path="a-corriger", words="Coordonnées à corriger", right=Right.ACT),
            Tab(path="desinscriptions", words="Désinscriptions", right=Right.ACT),
            Tab(path="accords-sms", words="Accords SMS", right=Right.ACT),
        ),
    ),
    Tab(path="messages", words="Messages", right=Right.SEE),
    Tab(
        path="statistiques",
        words="Statistiques",
        right=Right.SEE,
        subtabs=(
            Tab(path="statistiques", words="Messages et retours", right=Right.SEE),
            Tab(path="statistiques/effet", words="Effet des SMS", right=Right.SEE),
            Tab(path="statistiques/couts", words="Coûts", right=Right.SEE),
        ),
    ),
    Tab(path="journal", words="Journal", right=Right.ACT),
    Tab(path="installation", words="Installation", right=Right.ADMINISTER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTab:
    """A tab as a page shows it."""

    path: str
    words: str
    is_current: bool
    subtabs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The tabs of a page, and those below the current one; a single one below is not shown.

    `trial` says that messages are redirected, and where to; it is empty when readers get them.
    """

    tabs: tuple[ShownTab, ...]
    subtabs: tuple[ShownTab, ...]
    current: str
    trial: str


def frame(path: str, may: Callable[[str], bool]) -> Frame:
    """The frame of the page at `path` (no slash at its ends), for whoever has the rights that `may` says."""
    tabs = [tab for tab in TABS if may(tab.right)]
    here = next((tab for tab in tabs if tab.holds(path)), None)
    below = [tab for tab in here.subtabs if may(tab.right)] if here else []
    # A page may be below another's address: it belongs to the nearest one.
    nearest = max((tab for tab in below if tab.holds(path)), key=lambda tab: len(tab.path), default=None)
    return Frame(
        tabs=tuple(_shown(tab, is_current=tab.holds(path)) for tab in tabs),
        subtabs=tuple(_shown(tab, is_current=tab is nearest) for tab in below) if len(below) > 1 else (),
        current=here.words if here else "",
        trial=_trial() if tabs else "",
    )


def _trial() -> str:
    try:
        config = settings()
    except SettingsError:  # what is wrong with them is for the page to say
        return ""
    redirect = config.redirection()
    return "" if redirect is None else banner_words(config.library.short_name, redirect)


def _shown(tab: Tab, *, is_current: bool) -> ShownTab:
    return ShownTab(path=tab.path, words=tab.words, is_current=is_current, subtabs=bool(tab.subtabs))
