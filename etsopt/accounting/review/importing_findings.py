"""Findings of screening as findings of the review, and its state with the likely causes of what screening finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.accounting.review.deciding import Decided, decide
from etsopt.accounting.review.items import look_at_items
from etsopt.accounting.review.rechecking import PLACE, TOLD, at_items
from etsopt.accounting.review.scope import Scope
from etsopt.accounting.review.summary import Review, review_of
from etsopt.accounting.review.words import FIND
from etsopt.accounting.screening import Screening, screen
from etsopt.accounting.screening.causes.table import COLUMNS
from etsopt.accounting.store.opening import open_store
from etsopt.accounting.store.reading import parameters_in, read_store, reports_of
from etsopt.common.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping


def import_findings(
    path: str | Path,
    level: str,
    who: str,
    thresholds: Mapping[str, Any] | None = None,
    least_t: float = 0.0,
    wait_s: float | None = None,
) -> Decided:
    """Screen a store, and open the findings that the review does not have yet; one that was closed stays closed.

    Parameters
    ----------
    level, who
        Level of the review, and the person or department, that takes them over.
    thresholds
        Thresholds of rules, as `screen` takes them.
    least_t
        Least size of a finding that is taken over [tCO2e].
    wait_s
        Time to wait while another process has the store open [s]; None for 10.

    Raises
    ------
    UsageError
        As `open_store` and `screen` do.
    DataError
        If level or name are not valid.
    """
    content = read_store(path, wait_s=wait_s)
    found = screen(content.reports, content.parameters, thresholds).findings
    found = found[found["size_t"] >= least_t]
    if found.empty:
        return Decided(0, 0, {})
    decisions = at_items(found)[[*PLACE, *TOLD]].assign(decision=FIND, level=level, who=who)
    return decide(path, pd.DataFrame(decisions), wait_s=wait_s)


def review_with_causes(
    path: str | Path,
    year: int | None = None,
    as_of: int | str | None = None,
    wait_s: float | None = None,
    city: str = "",
) -> tuple[Review, pd.DataFrame]:
    """Return the state of the review in a store as `review` does, and the likely causes in the same reports.

    The causes are those of `Screening.causes`; there are none without accounts. Open findings that screening no longer
    finds in corrected data are ``corrected``, and the others have its present words.

    Raises
    ------
    UsageError
        As `review` does.
    """
    with open_store(path, wait_s=wait_s) as opened:
        entry = look_at_items(opened, as_of)
        try:
            screened: Screening | None = screen(reports_of(opened), parameters_in(opened))
        except DataError:
            # A factor that nobody stated keeps reports from being accounted, and no finding from being told.
            screened = None
        found = None if screened is None else screened.findings
        state = review_of(opened, Path(path), entry, Scope(year, city), None, found)
    return state, pd.DataFrame(columns=COLUMNS) if screened is None else screened.causes
