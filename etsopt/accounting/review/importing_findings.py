"""Findings of screening as findings of the review, and the likely causes of what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.accounting.review.deciding import Decided, decide
from etsopt.accounting.review.words import FIND
from etsopt.accounting.screening import screen
from etsopt.accounting.store.reading import read_store
from etsopt.accounting.vocabulary import ITEMS, PROCESSES
from etsopt.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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
    # An item of screening may be a process.
    item = found["item"].where(found["item"].isin([*ITEMS]), "")
    process = found["item"].where(found["item"].isin([*PROCESSES]), "")
    columns = ["unit_id", "month", "rule", "size_t", "reason", "reason_zh"]
    decisions = found[columns].assign(decision=FIND, level=level, who=who, item=item, process=process)
    return decide(path, pd.DataFrame(decisions), wait_s=wait_s)


def likely_causes(path: str | Path, as_of: int | str | None = None, wait_s: float | None = None) -> pd.DataFrame:
    """Return the likely causes in the reports of a store, as `Screening.causes` has them; none without accounts.

    Raises
    ------
    UsageError
        As `open_store` does, or if there is no such entry or day.
    """
    content = read_store(path, as_of, wait_s)
    try:
        return screen(content.reports, content.parameters).causes
    except DataError:
        # A factor that nobody stated keeps reports from being accounted, and no finding from being told.
        return pd.DataFrame(columns=["unit_id", "month"])
