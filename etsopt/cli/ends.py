"""`etsopt solve` of a policy with a balance value between two ends: a run at each, and a table of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from etsopt.cli import terminal
from etsopt.common.language import _
from etsopt.presenting.documents.columns import table_of
from etsopt.presenting.documents.document import Document, Paragraph, Section
from etsopt.running.results.notices import facts_of, notices
from etsopt.running.results.words import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results

COLUMNS = ("end", "sector", "balance_value", "emissions_tco2e", "allowance_t", "surplus_t", "surplus_rate", "status")


def show(results: Mapping[str, Results], instance: Instance) -> None:
    """Print the totals of every sector at both ends, each with its status."""
    model = next(iter(results.values())).provenance.model
    parts = [
        _sectors(result).assign(end=str(_(end)), status=str(STATUSES[result.status])) for end, result in results.items()
    ]
    table = table_of(pd.concat(parts, ignore_index=True), COLUMNS, "")
    warnings = (Paragraph(text, "warning") for text in notices(facts_of(instance, model)))
    title = _("{instance}, {model}: at both ends of the balance value", instance=instance.name, model=model)
    proven = all(result.certified for result in results.values())
    terminal.show(Document(title, title, "", "", proven, sections=(Section("ends", "", (table, *warnings)),)))


def _sectors(result: Results) -> pd.DataFrame:
    """Return the sectors of a result with their surplus; a row without any, if it has no table of them."""
    table = result.tables.get("sectors", result.tables.get("compliance_sectors"))
    if table is None:
        return pd.DataFrame([{"sector": ""}])
    surplus = table["allowance_t"] - table["emissions_tco2e"]
    return table.assign(
        surplus_t=surplus, surplus_rate=surplus / table["emissions_tco2e"].where(table["emissions_tco2e"] > 0)
    )
