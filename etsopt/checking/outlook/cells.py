"""Check the cells of a case that follow from its program: the market's years, sectors, sources and its summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.market.statements import columns_follow, violations_above
from etsopt.checking.outlook.derived import BANKED, OFFSET, SUPPLY
from etsopt.checking.readings.instance_inputs import by_year
from etsopt.checking.readings.supply import DEMAND_STEPS, MILLION
from etsopt.checking.tolerances import BANK_KEPT_MIN_T, BOUND_ROUNDING_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.arrays import Floats
    from etsopt.checking.outlook.cases import Case
    from etsopt.checking.outlook.derived import Derived, Model


def years_follow(
    model: Model, case: Case, program: Derived, x: Floats, multipliers: Floats, tables: Mapping[str, pd.DataFrame]
) -> list[Violation]:
    """Return the cells of the market's years that do not follow from supply, allowances and multipliers."""
    supply, table = x[program.columns[SUPPLY]].reshape(len(model.owner), -1), tables["outlook_years"]
    price = np.maximum(-multipliers[program.rows["bank"]], 0.0) / model.discount
    free_share, limited = table["free_share"].to_numpy(dtype=float), np.where(case.capped, case.cap, 0.0)
    paid = by_year(model.instance.policy.pathway.paid_share, model.years, 0.0)
    auctioned = table["auctioned_t"].to_numpy(dtype=float) / MILLION if case.by_output else paid * limited
    observed = model.instance.policy.outlook.observed_price_cny_per_t or {}
    banked = MILLION * x[program.columns[BANKED]]
    tied = model.years.copy()
    for t in range(len(tied) - 1)[::-1]:
        tied[t] = tied[t + 1] if banked[t] > BANK_KEPT_MIN_T else tied[t]
    by_rule = (model.figure("benchmark_tco2e_per_t") * supply).sum(axis=0)
    expected = {
        "price_cny_per_t": price,
        "observed_price_cny_per_t": np.array([observed.get(str(year), np.nan) for year in model.years.tolist()]),
        "tied_to_year": tied.astype(float),
        "emissions_tco2e": MILLION * (model.sources.emissions * supply).sum(axis=0),
        "cap_t": np.where(case.capped, MILLION * case.cap, np.nan),
        "allowance_t": MILLION * (free_share * by_rule + (auctioned if case.by_output else limited)),
        "auctioned_t": MILLION * auctioned,
        "revenue_cny": MILLION * auctioned * price,
        "offset_t": MILLION * x[program.columns[OFFSET]],
        "banked_t": banked,
    }
    rows = {name: values[None, :] for name, values in expected.items()}
    return columns_follow("outlook_years", np.array([case.name], dtype=object), model.years, table, rows)


def sectors_follow(
    model: Model, program: Derived, supply: Floats, multipliers: Floats, table: pd.DataFrame
) -> list[Violation]:
    """Return the cells of sectors that do not follow, and new capacity of sources that have none."""
    sectors = model.instance.sectors
    of_sector = np.array([model.sources.sector == sector for sector in sectors], dtype=float)
    made = np.array([model.sources.makes(sector) for sector in sectors], dtype=float)
    served = multipliers[program.rows["served"]].reshape(len(sectors), -1)
    # Factors are of sources that emit in the first year, before abatement.
    plants = made * (model.sources.emissions[:, 0] > 0)
    output, emitted = plants @ supply, plants @ (model.sources.emissions * supply)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(output > 0, emitted / output, np.nan)
        factors = [np.where(path[:, :1] > 0, path / path[:, :1], np.nan) for path in (output, rate)]
    expected = {
        "demand_at_reference_t": MILLION * model.demand.amount,
        "product_price_cny_per_t": served / model.discount,
        "output_t": MILLION * made @ supply,
        "emissions_tco2e": MILLION * of_sector @ (model.sources.emissions * supply),
        "output_factor": factors[0],
        "intensity_factor": factors[1],
    }
    labels = np.array(sectors, dtype=object)
    violations = columns_follow("outlook_sectors", labels, model.years, table, expected)
    demand = table["demand_t"].to_numpy(dtype=float).reshape(len(sectors), -1) / MILLION
    most = model.demand.firm.copy()
    for sector in model.demand.answers:
        most[sector] += DEMAND_STEPS * model.demand.size(sector)
    beyond = np.maximum(demand - most, model.demand.firm - demand)
    tolerance = BOUND_ROUNDING_RELATIVE * most
    return violations + violations_above(
        "demand", labels, model.years, _("demand is on its curve"), beyond, tolerance, "Mt"
    )


def summary_follows(
    model: Model, case: Case, missed: float, off: float, tables: Mapping[str, pd.DataFrame]
) -> list[Violation]:
    """Return the cells of the row of a case that do not follow, and sources that state what they do not have."""
    row, years, policy = tables["outlook"], tables["outlook_years"], model.instance.policy
    until = policy.outlook.report_until or int(model.years[-1])
    emitted = dict(zip(years["year"].tolist(), years["emissions_tco2e"].tolist(), strict=True))
    if "prior_emissions_tco2e" in model.instance.units:
        emitted |= {policy.year - 1: float(model.instance.units["prior_emissions_tco2e"].sum())}
    emitted = {year: amount for year, amount in sorted(emitted.items()) if year <= until}
    peak = max(emitted, key=lambda year: emitted[year])
    expected = {
        "terminal_price_cny_per_t": case.terminal_price,
        "peak_year": peak,
        "peak_emissions_tco2e": emitted[peak],
        "auctioned_share_off": off,
        "cap_missed_t": MILLION * missed,
    }
    cells = {name: np.array([[float(value)]]) for name, value in expected.items()}
    label, year = np.array([case.name], dtype=object), model.years[:1]
    violations = columns_follow("outlook", label, year, row, cells)
    if row["free_part"].tolist() != [case.free_part] or row["capped"].tolist() != [bool(case.capped.any())]:
        violations.append(
            Violation("outlook", case.name, 1.0, "cells", _("the row states the form and the cap of its case"))
        )
    rows = tables["outlook_sources"]
    builds = rows["supply_id"].isin(np.array(model.sources.names, dtype=object)[model.builders])
    if (rows["new_capacity_t"].notna() != builds).any():
        message = _("new capacity is stated of sources that build, and of no other")
        violations.append(Violation("outlook_sources", case.name, 1.0, "cells", message))
    return violations
