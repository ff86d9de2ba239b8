"""Differences and how sure they are, by statsmodels (weighted least squares with robust covariances).

Why these. What is compared are shares, so a linear model gives the difference itself, in points. Loans of one reader go
together, and so do his loans of different months: the covariance is clustered by groups of readers (Liang and Zeger,
1986; with the small-sample factor and Student's t of groups − 1 degrees, Cameron and Miller, "A Practitioner's Guide to
Cluster-Robust Inference", Journal of Human Resources, 2015). A cell of many loans counts as these loans do: weights
make the estimate and its scores those of one line a loan. Of the difference of differences the unit is the month, since
what all readers of a month share (examinations, a strike) makes months differ by more than chance among readers
(Bertrand, Duflo and Mullainathan, Quarterly Journal of Economics, 2004): HC3, or Newey and West over two months where
that is wider.

Imported when figures are made: statsmodels takes more than a second to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loan_reminders.domain.ports.statistics import Cell, MonthGap
from loan_reminders.domain.statistics.effect import Estimate

USUAL, SURE = 0.05, 0.01
"""What is left outside of the two intervals."""

NEIGHBOURS = 2
"""Months whose gaps may go together."""


class Regressions:
    """Fulfils `Statistics`."""

    def share(self, cells: Sequence[Cell]) -> Estimate:
        """The share returned, all cells together, clustered by groups of readers."""
        import numpy as np

        return _of_cells(cells, np.ones((len(cells), 1)))

    def difference(self, cells: Sequence[Cell]) -> Estimate:
        """By how much the share of the treated is above the others' within each stratum, clustered by groups."""
        import numpy as np

        places = {name: place for place, name in enumerate(dict.fromkeys(cell.stratum for cell in cells), start=1)}
        design = np.zeros((len(cells), 1 + len(places)))
        design[:, 0] = [cell.treated for cell in cells]
        design[range(len(cells)), [places[cell.stratum] for cell in cells]] = 1
        return _of_cells(cells, design)

    def change(self, gaps: Sequence[MonthGap]) -> Estimate:
        """By how much the gap is larger afterwards than before; the months' own differences say how sure that is."""
        import numpy as np
        from statsmodels.regression.linear_model import WLS

        design = np.column_stack([[gap.after for gap in gaps], np.ones(len(gaps))]).astype(float)
        model = WLS(np.array([gap.points for gap in gaps]), design, weights=np.array([gap.weight for gap in gaps]))
        by_month = model.fit(cov_type="HC3", use_t=True)
        with_neighbours = model.fit(
            cov_type="HAC", cov_kwds={"maxlags": NEIGHBOURS, "use_correction": True}, use_t=True
        )
        return _first(max(by_month, with_neighbours, key=lambda one: float(one.bse[0])))

    def drift(self, gaps: Sequence[MonthGap]) -> float:
        """The probability of a slope like that of these months by chance alone (HC3, Student's t)."""
        import numpy as np
        from statsmodels.regression.linear_model import WLS

        design = np.column_stack([[gap.place for gap in gaps], np.ones(len(gaps))]).astype(float)
        model = WLS(np.array([gap.points for gap in gaps]), design, weights=np.array([gap.weight for gap in gaps]))
        fitted = model.fit(cov_type="HC3", use_t=True)
        return float(fitted.pvalues[0])


def _of_cells(cells: Sequence[Cell], design: Any) -> Estimate:
    import numpy as np
    from statsmodels.regression.linear_model import WLS

    loans = np.array([cell.loans for cell in cells], dtype=float)
    returned = np.array([cell.returned for cell in cells], dtype=float)
    fitted = WLS(100 * returned / loans, design, weights=loans).fit(
        cov_type="cluster",
        cov_kwds={
            "groups": np.array([cell.group for cell in cells]),
            "use_correction": True,
            "df_correction": True,
        },
        use_t=True,
    )
    return _first(fitted)


def _first(fitted: Any) -> Estimate:
    """The first coefficient, with both intervals."""
    (low, high), (surely_low, surely_high) = (fitted.conf_int(alpha=alpha)[0] for alpha in (USUAL, SURE))
    return Estimate(
        value=float(fitted.params[0]),
        low=float(low),
        high=float(high),
        surely_low=float(surely_low),
        surely_high=float(surely_high),
    )
