"""Result tables of an outlook, each with every case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.policy.yearly import by_year
from etsopt_models._outlook.cases import FIXED, POLICY, largest_distance
from etsopt_models._outlook.inputs import MILLION, STEPS
from etsopt_models._tolerances import KEPT_MIN_T

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt_models._outlook.cases import PreparedOutlook, Solved
    from etsopt_models._outlook.inputs import Outlook

    Floats = NDArray[np.float64]


def outlook_tables(solution: Any, prepared: PreparedOutlook) -> dict[str, pd.DataFrame]:
    """Return the tables of an outlook.

    Returns
    -------
    dict
        ``outlook``: a row for each case, with its peak. ``outlook_years``, ``outlook_sectors`` and ``outlook_sources``:
        prices and quantities of the market, of products, and of each source; of the last only what supplies or is built.
        ``duals``: multipliers of the rows, those of further cases as ``cost:`` and their name.
    """
    if not solution.levels:
        return {}
    main = replace(prepared.main, values=solution.values, multipliers=solution.levels[0].multipliers)
    cases, outlook = (main, *prepared.others), prepared.outlook
    years = {one.case.name: _years(outlook, one) for one in cases}
    parts = {
        "outlook": [_summary(outlook, one, years[one.case.name]) for one in cases],
        "outlook_years": list(years.values()),
        "outlook_sectors": [_sectors(outlook, one) for one in cases],
        "outlook_sources": [_sources(outlook, one) for one in cases],
        "duals": [part for one in cases for part in _duals(outlook, one)],
    }
    return {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()}


def _by_source(outlook: Outlook, solved: Solved) -> Floats:
    """Return the supply of each source, shape ``(k, t)`` [Mt, TWh]."""
    return solved.values["supply"].reshape(len(outlook.sources), -1)


def _years(outlook: Outlook, solved: Solved) -> pd.DataFrame:
    supply, cap = _by_source(outlook, solved), _cap(outlook, solved)
    by_rule = (outlook.columns["benchmark_tco2e_per_t"] * supply).sum(axis=0)
    paid = by_year(outlook.instance.policy.pathway.paid_share, outlook.years, 0.0)
    limited = np.where(np.isinf(cap), 0.0, cap)
    auctioned = paid * limited if solved.case.free_part == FIXED else solved.volume
    price = np.maximum(-solved.multipliers["bank"], 0.0) / outlook.discount
    observed = outlook.instance.policy.outlook.observed_price_cny_per_t or {}
    banked = MILLION * solved.values["banked"][1:]
    return pd.DataFrame(
        {
            "case": solved.case.name,
            "year": outlook.years,
            "price_cny_per_t": price,
            "observed_price_cny_per_t": [observed.get(str(year), np.nan) for year in outlook.years],
            "tied_to_year": _tied_to(outlook.years, banked),
            "emissions_tco2e": MILLION * (outlook.emissions * supply).sum(axis=0),
            "cap_t": np.where(np.isinf(cap), np.nan, MILLION * cap),
            "allowance_t": MILLION * (solved.free_share * by_rule + solved.volume),
            "free_share": solved.free_share,
            "auctioned_t": MILLION * auctioned,
            "revenue_cny": MILLION * auctioned * price,
            "offset_t": MILLION * solved.values["offset"],
            "banked_t": banked,
        }
    )


def _cap(outlook: Outlook, solved: Solved) -> Floats:
    return outlook.cap if solved.case.capped else np.full(len(outlook.years), np.inf)


def _tied_to(years: NDArray[np.int64], banked: Floats) -> NDArray[np.int64]:
    """Return the last year that an unbroken bank ties each price to."""
    tied = years.copy()
    for t in range(len(years) - 2, -1, -1):
        tied[t] = tied[t + 1] if banked[t] > KEPT_MIN_T else years[t]
    return tied


def _sectors(outlook: Outlook, solved: Solved) -> pd.DataFrame:
    supply, sectors, steps = _by_source(outlook, solved), outlook.instance.sectors, outlook.firm.copy()
    served = solved.values["step"].reshape(len(outlook.elastic), STEPS, len(outlook.years)).sum(axis=1)
    steps[outlook.elastic] += served
    of_sector = np.array([outlook.holds("sector", name) for name in sectors], dtype=float)
    made = of_sector * outlook.holds("supplies", "output")
    # What plants of a forecast make, and emit before any measure.
    emitting = made * (outlook.emissions[:, 0] > 0)
    by_emitting = emitting @ supply
    intensity = _ratio(emitting @ (outlook.emissions * supply), by_emitting)
    return pd.DataFrame(
        {
            "case": solved.case.name,
            "sector": np.repeat(sectors, len(outlook.years)),
            "year": np.tile(outlook.years, len(sectors)),
            "demand_at_reference_t": MILLION * outlook.demand.ravel(),
            "demand_t": MILLION * steps.ravel(),
            "product_price_cny_per_t": (
                solved.multipliers["served"].reshape(len(sectors), -1) / outlook.discount
            ).ravel(),
            "output_t": MILLION * (made @ supply).ravel(),
            "emissions_tco2e": MILLION * (of_sector @ (outlook.emissions * supply)).ravel(),
            "output_factor": _ratio(by_emitting, by_emitting[:, :1]).ravel(),
            "intensity_factor": _ratio(intensity, intensity[:, :1]).ravel(),
        }
    )


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return a ratio, NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=np.broadcast_to(whole, part.shape) > 0)


def _sources(outlook: Outlook, solved: Solved) -> pd.DataFrame:
    supply = _by_source(outlook, solved)
    built = np.full(supply.shape, np.nan)
    built[outlook.shared] = solved.values["built"].reshape(len(outlook.shared), supply.shape[1] + 1)[:, 1:]
    table = pd.DataFrame(
        {
            "case": solved.case.name,
            "supply_id": np.repeat(outlook.sources["supply_id"].to_numpy(), supply.shape[1]),
            "year": np.tile(outlook.years, len(supply)),
            "supply_t": MILLION * supply.ravel(),
            "new_capacity_t": MILLION * built.ravel(),
        }
    )
    return table[(table["supply_t"] != 0) | (table["new_capacity_t"].fillna(0.0) != 0)]


def _duals(outlook: Outlook, solved: Solved) -> Iterator[pd.DataFrame]:
    """Yield the multipliers of each row that are not zero, discounted to the first year."""
    names, name = outlook.sources["supply_id"].to_numpy(), solved.case.name
    of_row = {
        "served": np.array(outlook.instance.sectors, dtype=object),
        "capacity": names[outlook.shared],
        "build_rate": names[outlook.shared],
        "share_limit": names[outlook.limited],
    }
    for row, multipliers in solved.multipliers.items():
        labels, years = of_row.get(row, np.array([""], dtype=object)), outlook.years
        kept = multipliers != 0
        yield pd.DataFrame(
            {
                "level": "cost" if name == POLICY else f"cost:{name}",
                "row": row,
                "index": np.repeat(labels, len(years))[kept],
                "year": np.tile(years, len(labels))[kept],
                "multiplier": multipliers[kept],
                "unit": "CNY/t",
            }
        )


def _summary(outlook: Outlook, solved: Solved, years: pd.DataFrame) -> pd.DataFrame:
    instance, case, cap = outlook.instance, solved.case, _cap(outlook, solved)
    until = instance.policy.outlook.report_until or int(outlook.years[-1])
    shown = years[years["year"] <= until]
    peak_year, peak = max(
        zip(shown["year"].tolist(), shown["emissions_tco2e"].tolist(), strict=True), key=lambda one: (one[1], -one[0])
    )
    if "prior_emissions_tco2e" in instance.units:
        before = float(instance.units["prior_emissions_tco2e"].sum())
        peak_year, peak = (instance.policy.year - 1, before) if before >= peak else (peak_year, peak)
    missed = (years["allowance_t"] - years["cap_t"]).abs().max()
    paid = by_year(instance.policy.pathway.paid_share, outlook.years, 0.0)
    by_output = case.capped and case.free_part != FIXED
    distance = largest_distance(solved.free_share, solved.volume, cap, paid) if by_output else 0.0
    return pd.DataFrame(
        {
            "case": [case.name],
            "free_part": case.free_part,
            "capped": case.capped,
            "terminal_price_cny_per_t": case.terminal_price,
            "peak_year": peak_year,
            "peak_emissions_tco2e": peak,
            "cap_missed_t": 0.0 if np.isnan(missed) else float(missed),
            "auctioned_share_off": distance,
        }
    )
