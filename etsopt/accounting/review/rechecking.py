"""Open findings of screening held against what it finds today."""

from __future__ import annotations

import pandas as pd

from etsopt.accounting.screening import RULES
from etsopt.accounting.vocabulary import ITEMS, PROCESSES

PLACE = ["unit_id", "month", "process", "item", "rule"]
TOLD = ["size_t", "reason", "reason_zh"]


def at_items(found: pd.DataFrame) -> pd.DataFrame:
    """Return findings of screening with ``process`` and ``item``: an item of screening may be a process."""
    names = found["item"]
    return found.assign(item=names.where(names.isin([*ITEMS]), ""), process=names.where(names.isin([*PROCESSES]), ""))


def rechecked(findings: pd.DataFrame, screened: pd.DataFrame | None) -> pd.DataFrame:
    """Return findings of the review, ``corrected`` where their data changed and screening no longer finds them.

    Those that it still finds have its present sizes and words, so that texts and numbers are of one state. A rule that
    is not loaded judges nothing.

    Parameters
    ----------
    findings
        With ``corrected``: True where data changed after an open finding of a rule.
    screened
        Findings of screening of the present versions; None if nobody has screened them, so that none is corrected.
    """
    if screened is None:
        return findings.assign(corrected=False)
    now = at_items(screened)
    place = pd.MultiIndex.from_frame(findings[PLACE])
    found = place.isin(pd.MultiIndex.from_frame(now[PLACE]))
    corrected = findings["corrected"] & ~found & findings["rule"].isin([*RULES])
    # Several findings of a rule at one place keep the words of the day on which they were opened.
    told = now[~now.duplicated(PLACE, keep=False)].set_index(PLACE)[TOLD].reindex(place)
    renewed = findings["open"] & told["reason"].notna().to_numpy() & ~place.duplicated(keep=False)
    present = {name: findings[name].where(~renewed, told[name].to_numpy()) for name in TOLD}
    return findings.assign(**present, corrected=corrected)
