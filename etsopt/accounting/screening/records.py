"""Rules on what proves a quantity: tests of laboratories, stocks and records.

Carbon content, mark of the laboratory, days of a test and opening stock are columns of evidence, which the monthly
workbook has. Reports without them have no finding here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.coded import UNKNOWN, days
from etsopt.accounting.schema import LARGEST_NCV
from etsopt.accounting.screening.calendar import COMPLETE
from etsopt.accounting.screening.registry import rule
from etsopt.accounting.screening.screening_data import findings, numbers
from etsopt.accounting.validated_rows import other_unit
from etsopt.accounting.vocabulary import ITEMS
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.accounting.screening.material import Material

LABORATORIES = ("CMA", "CNAS")
"""Marks of laboratories whose measurements count."""

COALS = tuple(name for name, item in ITEMS.items() if item.phase == "solid" and name != "other_coal_products")
"""Solid fuels whose carbon per heat is that of coal; other coal products have a default of 0.0336 tC/GJ."""

UNIT_OF = {name: item.unit for name, item in ITEMS.items()}
FUEL = ["unit_id", "month", "item"]
STOCK = ["unit_id", "process", "item"]
HALF = 0.005
"""Tonnes within which two figures of two decimals are equal."""

OF_COAL = "assumption: carbon per heat of coal and coke by default, 0.025 to 0.030 tC/GJ, with a margin"
OF_TESTS = (
    "verification guideline of power, table 8, assumed for other sectors: CMA or CNAS, within 40 days of sampling"
)
OF_LEDGERS = "a ledger closes: opening stock and purchases are consumption and closing stock"


def _of_flow(data: Material, flow: str, *columns: str) -> pd.DataFrame:
    """Return the current rows of a flow, with columns of evidence, in which nothing is stated if they are absent."""
    rows = data.reports.rows
    own = rows[data.reports.current & (rows["flow"] == flow).to_numpy()]
    # Rows of a file without such a column state nothing either.
    known = own.reindex(columns=list(columns)).astype(object)
    return own.assign(**known.where(known.notna(), ""))


def _stated(rows: pd.DataFrame, column: str) -> pd.Series[bool]:
    """Return True for the rows of units that fill a column at all."""
    return (rows[column] != "").groupby(rows["unit_id"], sort=False).transform("any").astype(bool)


def _numbers(cells: pd.Series) -> pd.Series[float]:
    """Return numbers that a column of the user's own states as texts; NaN for others."""
    return pd.to_numeric(cells, errors="coerce").astype(float)


def _with_size(data: Material, table: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the emissions of their fuel in the month."""
    used = data.lines[data.lines["flow"] == "in"].groupby(FUEL, sort=False)["size_t"].sum()
    return table.join(used, on=FUEL).fillna({"size_t": 0.0})


@rule("calorific_range", "extreme", "reports take at most 1,000 GJ/t or GJ/1e4 Nm3; the unit is assumed")
def calorific_range(data: Material) -> pd.DataFrame:
    """A calorific value is beyond what reports may have, as one in kcal or kJ is: all but screening refuses it."""
    rows = data.reports.rows
    table = rows[data.reports.current & (rows["ncv_gj_per_unit"] > LARGEST_NCV).to_numpy()]
    pairs = zip(table["ncv_gj_per_unit"], table["item"], strict=True)
    seen = pd.DataFrame([other_unit(*pair) for pair in pairs], index=table.index, columns=["seen", "factor", "of_heat"])
    table = _with_size(data, table.join(seen))
    factor = table["factor"].astype(float)
    table = table.assign(size_t=table["size_t"] * (1 - 1 / factor), value=table["ncv_gj_per_unit"] / factor)
    text = _(
        "{file}, row {line}: a calorific value of {ncv_gj_per_unit:.10g} looks like {seen}; divided by {factor:g} it "
        "is {value:.3f} {of_heat}. Only screening takes it as it is"
    )
    return findings(table, text)


@rule("carbon_per_heat", "extreme", OF_COAL, lower=0.0235, upper=0.0320)
def carbon_per_heat(data: Material, lower: float, upper: float) -> pd.DataFrame:
    """The carbon that a test of a solid fuel measures, over its calorific value, is unlike that of any coal."""
    tests = _of_flow(data, "test", "x_carbon_tc_per_t")
    coal = tests["item"].isin(COALS)
    value = _numbers(tests["x_carbon_tc_per_t"]) / tests["ncv_gj_per_unit"]
    table = tests.assign(value=value)[coal & ((value < lower) | (value > upper))]
    table = _with_size(data, table)
    excess = (table["value"].clip(lower, upper) / table["value"] - 1).abs()
    table = table.assign(size_t=table["size_t"] * excess.where(np.isfinite(excess), 1.0))
    text = _("carbon per heat {value:.4f} tC/GJ in a test: coal has {lower:g} to {upper:g}")
    return findings(table, text, lower=lower, upper=upper)


@rule("test_evidence", "threshold", OF_TESTS, days=40)
def test_evidence(data: Material, days: float) -> pd.DataFrame:
    """A test has no mark of a laboratory, or was reported more than 40 days after its sample."""
    tests = _of_flow(data, "test", "x_laboratory", "x_sampled_on", "x_tested_on")
    tests = tests[_stated(tests, "x_laboratory")]
    mark = tests["x_laboratory"].astype(str).str.strip().str.upper()
    unmarked = tests[~mark.isin(LABORATORIES)]
    sampled, reported = (_days(tests[name]) for name in ("x_sampled_on", "x_tested_on"))
    after = tests.assign(after=reported - sampled)
    late = after[(sampled != UNKNOWN) & (reported != UNKNOWN) & (after["after"] > days)]
    without = _("test without a mark of CMA or CNAS")
    text = _("test reported {after} days after its sample: allowed {days:g}")
    parts = [findings(_with_size(data, unmarked), without), findings(_with_size(data, late), text, days=days)]
    return pd.concat(parts, ignore_index=True)


def _days(cells: pd.Series) -> np.ndarray:
    return days(cells.astype(str).to_numpy(dtype=object))


def _stocks(data: Material) -> pd.DataFrame:
    """Return stocks by unit, month, process and item: opening as stated, and the closing one of the month before."""
    rows = _of_flow(data, "stock", "x_opening_t")
    rows = rows.assign(number=numbers(rows["month"]), opening=_numbers(rows["x_opening_t"]))
    key = [*STOCK, "month", "number"]
    table = rows.groupby(key, sort=True).agg(closing=("quantity", "sum"), opening=("opening", "min")).reset_index()
    before = table[[*STOCK, "number", "closing"]].rename(columns={"closing": "before"})
    return table.merge(before.assign(number=before["number"] + 1), on=[*STOCK, "number"], how="left")


@rule("stock_balance", "logic", OF_LEDGERS, share=0.01)
def stock_balance(data: Material, share: float) -> pd.DataFrame:
    """Consumption is not what was in stock and bought, less what is left, within a hundredth of it."""
    key = [*STOCK, "month"]
    bought = _of_flow(data, "purchase").groupby(key, sort=False)["quantity"].sum().rename("bought")
    used = data.lines[data.lines["flow"] == "in"].set_index(key)[["quantity", "size_t"]]
    table = _stocks(data).join(bought, on=key).join(used, on=key).fillna({"bought": 0.0})
    opening = table["opening"].fillna(table["before"])
    table = table.assign(left=opening + table["bought"] - table["closing"])
    gap = (table["left"] - table["quantity"]).abs()
    found = table[gap > share * table["quantity"] + HALF]
    rate = gap[found.index] / found[["quantity", "left"]].max(axis=1)
    found = found.assign(size_t=found["size_t"] * rate, measure=found["item"].map(UNIT_OF))
    text = _("{quantity:,.2f} {measure} used, but the ledger of purchases and stocks leaves {left:,.2f} {measure}")
    return findings(found, text)


@rule("stock_opening", "logic", OF_LEDGERS)
def stock_opening(data: Material) -> pd.DataFrame:
    """The opening stock of a month is not the closing one of the month before."""
    table = _stocks(data)
    found = table[(table["opening"] - table["before"]).abs() > HALF]
    found = _with_size(data, found)
    return findings(found, _("opening stock {opening:,.2f}, but the month before closed with {before:,.2f}"))


@rule("missing_evidence", "logic", COMPLETE)
def missing_evidence(data: Material) -> pd.DataFrame:
    """A quantity has no record that proves it, although others of the unit have one."""
    rows = data.rows
    found = rows[(rows["evidence"] == "") & _stated(rows, "evidence")]
    size = data.lines.groupby([*STOCK, "flow", "month"], sort=False)["size_t"].sum()
    found = found.join(size, on=[*STOCK, "flow", "month"]).fillna({"size_t": 0.0})
    return findings(found, _("no evidence of {quantity:,.2f} {unit}"))
