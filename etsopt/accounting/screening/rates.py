"""Rules on ratios: each month against the other months of a unit, and the level of a unit against its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.screening.registry import rule
from etsopt.accounting.screening.screening_data import (
    FEWEST_PEERS,
    LEAST_SPREAD,
    MWH_PER_GJ,
    NORMAL,
    deviation,
    findings,
)
from etsopt.accounting.vocabulary import ALUMINIUM, CEMENT, FUELS, IRON, POWER, STEEL
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.accounting.screening.material import Material
    from etsopt.common.language import Text

ROBUST = "robust statistics: median and median absolute deviation over months and peers"
SCORE = 4.5
"""Spreads from the median beyond which a month is found; 1 in 150,000 of a normal distribution."""

RATIO = ["unit_id", "month", "sector", "number", "item", "value", "size_t"]
FEWEST_LINES = 4
"""With fewer items beside an output, their median does not tell which of both is wrong."""


def emissions_ratio(data: Material) -> pd.DataFrame:
    """Return tCO2e per tonne of output."""
    months = data.months
    return months.assign(
        item="", value=months["emissions_tco2e"] / months["output_t"], size_t=months["emissions_tco2e"].abs()
    )[RATIO]


def key_process_ratio(data: Material) -> pd.DataFrame:
    """Return tCO2 of ironmaking and sintering per tonne of iron."""
    months = data.months[data.months["sector"] == STEEL]
    part = months["intensity_emissions_tco2e"]
    return months.assign(item="", value=part / months["output_t"], size_t=part.abs())[RATIO]


def heat_rate(data: Material) -> pd.DataFrame:
    """Return GJ of fuel per tonne of clinker."""
    lines = data.lines
    burnt = lines["ncv_gj_per_unit"].notna() & (lines["flow"] == "in") & (lines["output_t"] > 0)
    fuels = lines[(lines["sector"] == CEMENT) & burnt]
    return _largest_fuel(fuels.assign(value=fuels["quantity"] * fuels["ncv_gj_per_unit"] / fuels["output_t"]))


def _largest_fuel(heat: pd.DataFrame) -> pd.DataFrame:
    """Return the sum over the fuels of each unit and month, at the item of the largest."""
    key = ["unit_id", "month", "sector", "number"]
    table = heat.groupby(key, sort=False)[["value", "size_t"]].sum().reset_index()
    # The fuel with the largest emissions of the month stands for all.
    first = heat.sort_values("size_t", kind="stable").drop_duplicates(["unit_id", "month"], keep="last")
    return table.merge(first[["unit_id", "month", "item"]], on=["unit_id", "month"])[RATIO]


def coke_rate(data: Material) -> pd.DataFrame:
    """Return tonnes of coke per tonne of iron."""
    return _per_tonne(data, STEEL, "ironmaking", "coke")


def anode_rate(data: Material) -> pd.DataFrame:
    """Return tonnes of anodes per tonne of aluminium."""
    return _per_tonne(data, ALUMINIUM, "electrolysis", "anode")


def _per_tonne(data: Material, sector: str, process: str, item: str) -> pd.DataFrame:
    lines = data.lines
    own = (lines["sector"] == sector) & (lines["process"] == process) & (lines["item"] == item)
    table = lines[own & (lines["flow"] == "in")]
    return table.assign(value=table["quantity"] / table["output_t"])[RATIO]


def fuel_rate(data: Material) -> pd.DataFrame:
    """Return GJ of fuel per MWh of electricity, with the heat supplied as electricity.

    A month whose account takes the measured carbon has no calorific value in it: the fuel's usual one stands for it.
    """
    output = data.accounts.power.set_index(["unit_id", "month"])
    output = (output["generation_mwh"] + MWH_PER_GJ * output["heat_gj"].fillna(0.0)).rename("output_mwh")
    lines = data.lines[(data.lines["sector"] == POWER) & (data.lines["flow"] == "in")]
    lines = lines[lines["item"].isin(FUELS)].join(output, on=["unit_id", "month"])
    tests = data.reports.rows[data.reports.current]
    usual = tests.groupby(["unit_id", "item"], sort=False)["ncv_gj_per_unit"].median().rename("usual_ncv")
    lines = lines.join(usual, on=["unit_id", "item"])
    heat = lines["quantity"] * lines["ncv_gj_per_unit"].fillna(lines["usual_ncv"])
    return _largest_fuel(lines.assign(value=heat / lines["output_mwh"])[lines["output_mwh"] > 0])


RATIOS = {
    "emissions_ratio": (emissions_ratio, _("tCO2e per tonne of output")),
    "key_process_ratio": (key_process_ratio, _("tCO2 of ironmaking and sintering per tonne")),
    "heat_rate": (heat_rate, _("GJ per tonne of clinker")),
    "fuel_rate": (fuel_rate, _("GJ of fuel per MWh, with the heat supplied as electricity,")),
    "coke_rate": (coke_rate, _("tonnes of coke per tonne of iron")),
    "anode_rate": (anode_rate, _("tonnes of anodes per tonne of aluminium")),
}
"""Ratios by the name of their rule, and their words."""


def _logarithms(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[float]]:
    """Return the rows with a positive finite value, and the logarithms of these."""
    value = table["value"]
    table = table[(value > 0) & np.isfinite(value)]
    return table, np.log(table["value"])


def _off(table: pd.DataFrame, found: pd.DataFrame, score: float, ratio: Text) -> pd.DataFrame:
    """Return findings where a score exceeds the threshold; the size is the distance to what was expected."""
    off = found["score"].abs() > score
    difference = found["difference"][off]
    own = table[off].assign(
        usual=table["value"][off] * np.exp(-difference),
        score=found["score"][off].abs(),
        size_t=table["size_t"][off] * (1 - np.exp(-difference)).abs(),
    )
    return findings(own, _("{ratio} {value:.4g}, usually {usual:.4g}: {score:.1f} spreads away"), ratio=ratio)


def _ratio(data: Material, name: str, score: float) -> pd.DataFrame:
    make, ratio = RATIOS[name]
    table, logarithm = _logarithms(make(data))
    found = deviation(logarithm, table["unit_id"], table["sector"])
    return _off(table, found, score, ratio)


@rule("emissions_ratio", "correlation", ROBUST, score=SCORE)
def emissions_ratio_of_month(data: Material, score: float) -> pd.DataFrame:
    """Emissions per tonne of output are unlike those of the other months."""
    return _ratio(data, "emissions_ratio", score)


@rule("key_process_ratio", "correlation", ROBUST, score=SCORE)
def key_process_ratio_of_month(data: Material, score: float) -> pd.DataFrame:
    """The intensity of ironmaking and sintering is unlike that of the other months."""
    return _ratio(data, "key_process_ratio", score)


@rule("heat_rate", "correlation", ROBUST, score=SCORE)
def heat_rate_of_month(data: Material, score: float) -> pd.DataFrame:
    """Heat per tonne of clinker is unlike that of the other months."""
    return _ratio(data, "heat_rate", score)


@rule("fuel_rate", "correlation", ROBUST, score=SCORE)
def fuel_rate_of_month(data: Material, score: float) -> pd.DataFrame:
    """Heat of the fuels of a power unit per MWh, with the heat supplied, is unlike that of the other months."""
    return _ratio(data, "fuel_rate", score)


@rule("coke_rate", "correlation", ROBUST, score=SCORE)
def coke_rate_of_month(data: Material, score: float) -> pd.DataFrame:
    """Coke per tonne of iron is unlike that of the other months."""
    return _ratio(data, "coke_rate", score)


@rule("anode_rate", "correlation", ROBUST, score=SCORE)
def anode_rate_of_month(data: Material, score: float) -> pd.DataFrame:
    """Anodes per tonne of aluminium are unlike those of the other months."""
    return _ratio(data, "anode_rate", score)


def _per_output(data: Material) -> pd.DataFrame:
    """Return every quantity per tonne of output, but for the output itself, with its deviation."""
    lines = data.lines
    base = (lines["flow"] == "product") & ((lines["sector"] != STEEL) | lines["item"].isin(IRON))
    table, logarithm = _logarithms(lines[~base].assign(value=lines["quantity"] / lines["output_t"]))
    return table.join(deviation(logarithm, table["series"], table["peers"])).assign(logarithm=logarithm)


def _common(table: pd.DataFrame) -> pd.Series[float]:
    """Return the median difference of the items of each unit and month, zero where there are few."""
    group = table.groupby(["unit_id", "month"], sort=False)["difference"]
    return group.transform("median").where(group.transform("count") >= FEWEST_LINES, 0.0)


@rule("item_jump", "threshold", ROBUST, score=SCORE)
def item_jump(data: Material, score: float) -> pd.DataFrame:
    """A quantity per tonne of output jumps against the other months; a shift common to many items is the output's."""
    table = _per_output(data)
    found = deviation(table["logarithm"] - _common(table), table["series"], table["peers"])
    return _off(table, found, score, _("per tonne of output"))


@rule("output_jump", "correlation", ROBUST, score=SCORE)
def output_jump(data: Material, score: float) -> pd.DataFrame:
    """Output does not fit the items of the month: most of these per tonne of output are off by one factor."""
    table = _per_output(data)
    size = data.months[["unit_id", "month", "emissions_tco2e"]]
    common = (
        table.assign(shift=_common(table)).drop_duplicates(["unit_id", "month"]).merge(size, on=["unit_id", "month"])
    )
    found = deviation(common["shift"], common["unit_id"], common["sector"])
    # A higher ratio of the items is a lower output.
    table = common.assign(item="", value=np.exp(common["shift"]), size_t=common["emissions_tco2e_y"].abs())
    return _off(table, found, score, _("items per tonne of output, relative to a usual month,"))


@rule("calorific_value", "threshold", ROBUST, score=SCORE)
def calorific_value(data: Material, score: float) -> pd.DataFrame:
    """A measured calorific value jumps against the other months."""
    lines = data.lines
    table = lines[(lines["ncv_basis"] == "measured") & (lines["flow"] == "in")]
    table, logarithm = _logarithms(table.assign(value=table["ncv_gj_per_unit"]))
    found = deviation(logarithm, table["series"], table["peers"])
    return _off(table, found, score, _("calorific value [GJ per unit]"))


@rule("unlike_peers", "correlation", ROBUST, score=8)
def unlike_peers(data: Material, score: float) -> pd.DataFrame:
    """The ratio of a unit over a year is unlike those of its peers; its most unusual month stands for the year."""
    parts = [_of_peers(data, name, score) for name in RATIOS]
    return pd.concat(parts, ignore_index=True)


def _of_peers(data: Material, name: str, score: float) -> pd.DataFrame:
    make, ratio = RATIOS[name]
    table, logarithm = _logarithms(make(data))
    table = table.assign(logarithm=logarithm, year=table["number"] // 12)
    years = table.groupby(["sector", "year", "unit_id"], sort=False)["logarithm"].median().reset_index()
    group = years.groupby(["sector", "year"], sort=False)["logarithm"]
    middle = group.transform("median")
    spread = (years["logarithm"] - middle).abs().groupby([years["sector"], years["year"]]).transform("median") * NORMAL
    years = years.assign(
        middle=middle,
        score=(years["logarithm"] - middle) / np.maximum(spread, LEAST_SPREAD),
        peers=group.transform("count"),
    )
    years = years[(years["peers"] >= FEWEST_PEERS) & (years["score"].abs() > score)].drop(columns="logarithm")
    own = table.merge(years, on=["sector", "year", "unit_id"])
    own = own.assign(difference=own["logarithm"] - own["middle"])
    order = own["difference"].abs().sort_values(kind="stable").index
    own = own.loc[order].drop_duplicates(["unit_id", "year"], keep="last").reset_index(drop=True)
    return _off(own, own[["difference", "score"]], 0.0, _("of the year and its peers: {ratio}", ratio=ratio))
