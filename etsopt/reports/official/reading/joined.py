"""The annex tables joined: a row for each unit and each enterprise with what all tables state of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.units import ROUNDING_NOISE_T
from etsopt.reports.official.headings import ISSUED, OUTSIDE, PRE_ISSUED
from etsopt.reports.official.reading.units import (
    AT_EMISSIONS,
    ISSUE_KEY,
    PLANNED,
    UNIT_KEY,
    stacked,
    with_numbers,
)

if TYPE_CHECKING:
    from etsopt.reports.official.reading.tables import AnnexTable

OF_UNITS = ("1", "2", "3", "4")
FIGURES = (
    *(
        "emissions",
        "obligation",
        "determined",
        "initial",
        "electricity",
        "heat_allowances",
        "gas_top_up",
        "coefficient",
    ),
    *("balance_value", "output", "crude_steel", "intensity", "iron_emissions", "sinter_emissions", "slag_percent"),
    *("capacity", "generation", "heat", "load_percent"),
)
"""Figures of tables 2-1 to 2-4 that are read or compared."""

LEAST_DECIMALS = 3
"""Decimals with which a form prints coefficients and intensities at least: 0.8 alone is exact."""

NOISE = 1e-9
"""Relative difference of a quotient by the rounding of its digits."""

BEFORE = tuple(key for key, *_ in PRE_ISSUED[3:] if key not in ("differentiated", "reason", "notes"))
AFTER = tuple(key for key, *_ in ISSUED[3:] if key not in ("differentiated", "reason", "notes"))


@dataclass(frozen=True)
class Joined:
    """All converted annex tables, and their rows by units and enterprises."""

    tables: list[AnnexTable]

    @cached_property
    def determined(self) -> pd.DataFrame:
        """Rows of tables 2-1 to 2-4."""
        return with_numbers(stacked(self.tables, tuple(f"2-{one}" for one in OF_UNITS)))

    @cached_property
    def pre_allocated(self) -> pd.DataFrame:
        """Rows of tables 1-1 to 1-4."""
        return with_numbers(stacked(self.tables, tuple(f"1-{one}" for one in OF_UNITS)))

    @cached_property
    def issued(self) -> pd.DataFrame:
        """Rows of tables 2-5."""
        return stacked(self.tables, ("2-5",))

    @cached_property
    def pre_issued(self) -> pd.DataFrame:
        """Rows of tables 1-5."""
        return stacked(self.tables, ("1-5",))

    @cached_property
    def every_row(self) -> pd.DataFrame:
        """Rows of all tables, with the columns that all have."""
        parts = (self.determined, self.pre_allocated, self.issued, self.pre_issued)
        return pd.concat([part[["uscc", "name", "place", "row"]] for part in parts], ignore_index=True)

    @cached_property
    def units(self) -> pd.DataFrame:
        """A row for each unit of tables 2-1 to 2-4, in their order, by the names that the identities use."""
        rows = self.determined.drop_duplicates(UNIT_KEY, ignore_index=True)
        rows = _with_figures(rows, FIGURES).rename(columns={"place": "place_2", "row": "row_2"})
        before = self.pre_allocated.drop_duplicates(UNIT_KEY)
        before = _with_figures(before, ("prior", "share_percent", "pre_allocated"))
        before = before[[*UNIT_KEY, "prior", "share_percent", "pre_allocated", "place", "row"]]
        rows = rows.merge(before.rename(columns={"place": "place_1", "row": "row_1"}), on=UNIT_KEY, how="left")
        planned = rows["notes"].str.extract(PLANNED, expand=False).astype(float)
        outside = rows["notes"].str.contains(OUTSIDE, regex=False).astype(bool)
        fixed = rows["notes"].str.contains(AT_EMISSIONS) | outside
        # Outside the scope an empty cell is nothing, not a figure that is missing.
        nothing = ("emissions", "obligation", "determined", "pre_allocated")
        rows = rows.assign(**{key: rows[key].mask(outside & rows[key].isna(), 0.0) for key in nothing})
        return rows.assign(
            enterprise_id=rows["uscc"],
            planned_t=planned,
            as_planned=planned.isna(),
            fixed=fixed.astype(bool),
            by_share=rows["share_percent"].notna(),
            top_up_t=np.nan,
            return_t=np.nan,
            exemption=self._exemption(rows),
            within_t=self._within(rows),
            intensity_within=self._last_decimal("intensity", rows) + NOISE * rows["intensity"],
            outside=outside,
        )

    def _exemption(self, rows: pd.DataFrame) -> np.ndarray:
        """Return what table 2-5 adds to the allowances of an enterprise's power units, stated at its first unit [t]."""
        stated = _with_figures(self.issued, ("exemption",)).drop_duplicates(ISSUE_KEY)
        amounts = rows[ISSUE_KEY].merge(stated[[*ISSUE_KEY, "exemption"]], on=ISSUE_KEY, how="left")["exemption"]
        first = ~rows.duplicated(ISSUE_KEY).to_numpy()
        amount = np.where(first | amounts.isna(), amounts, 0.0)
        # Only power is raised; without a table 2-5 nothing is stated of it.
        known = (rows["sector"] == "power").to_numpy() & rows["sector"].isin(set(stated["sector"])).to_numpy()
        return np.where(known, amount, 0.0)

    def _last_decimal(self, key: str, rows: pd.DataFrame) -> np.ndarray:
        """Return half of the last decimal with which the table of each unit prints a column."""
        decimals = {table.place: max(table.decimals.get(key, 0), LEAST_DECIMALS) for table in self.tables}
        half: np.ndarray = 0.5 * 10.0 ** -rows["place_2"].map(decimals).to_numpy(dtype=float)
        return half

    def _within(self, rows: pd.DataFrame) -> np.ndarray:
        """Return what the printed decimals of the coefficients leave open in the allowances of each unit [t]."""
        open_t = self._last_decimal("coefficient", rows) * rows["emissions"].to_numpy()
        return np.where(open_t > ROUNDING_NOISE_T, np.floor(open_t) + 1, 0.0)

    @cached_property
    def issue_before(self) -> pd.DataFrame:
        """A row for each enterprise of a sector and a province, by key, with the figures of table 1-5."""
        rows = self._issue(self.pre_issued, BEFORE, "_1")
        rows["to_deduct"] = rows["pre_deducted"] + rows["pre_remaining"]
        return rows.assign(**{key: np.nan for key in AFTER if key not in rows})

    @cached_property
    def issue_after(self) -> pd.DataFrame:
        """The same rows with the figures of table 2-5, and what table 1-5 deducts."""
        rows = self._issue(self.issued, AFTER, "_2")
        return rows.assign(**{key: self.issue_before[key] for key in ("pre_deducted", "pre_remaining", "to_deduct")})

    def _issue(self, stated: pd.DataFrame, keys: tuple[str, ...], suffix: str) -> pd.DataFrame:
        owners = self.units.groupby(["sector", "province", "enterprise_id"], sort=True)["emissions"].sum().reset_index()
        stated = _with_figures(stated.drop_duplicates(ISSUE_KEY), keys)
        columns = [*ISSUE_KEY, *keys, "place", "row"]
        renamed = stated[columns].rename(columns={"place": f"place{suffix}", "row": f"row{suffix}"})
        return owners.assign(uscc=owners["enterprise_id"]).merge(renamed, on=ISSUE_KEY, how="left")


def _with_figures(rows: pd.DataFrame, keys: tuple[str, ...]) -> pd.DataFrame:
    """Return rows with columns of numbers for each key, NaN where the tables have none."""
    numbers = rows.reindex(columns=list(keys)).astype(float)
    return rows.drop(columns=[key for key in keys if key in rows]).assign(**{key: numbers[key] for key in keys})
