"""The programs through linopy: labelled arrays, passed by its direct interface without names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import linopy
import numpy as np
import pandas as pd
import xarray as xr
from linopy.solvers import Highs

from benchmarks.modelling_layers import NotSolvedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.problems import Problem
    from etsopt.data.groups import Groups


def build(problem: Problem, data: Mapping[str, Any]) -> linopy.Model:
    """Return the model of a problem."""
    model = linopy.Model()
    FAMILIES[problem.family](model, data, problem.objective)
    return model


def hand_over(model: linopy.Model, problem: Problem, options: Mapping[str, Any]) -> Any:
    """Let linopy create the HiGHS object; the options are set at the run."""
    return Highs.from_model(model, io_api="direct", options=dict(options), set_names=False)


def solve(solver: Any) -> Any:
    """Run HiGHS."""
    result = solver.solve()
    if str(result.status.termination_condition.value) != "optimal":
        raise NotSolvedError(str(result.status.termination_condition.value))
    return result


def extract(model: linopy.Model, result: Any) -> dict[str, Any]:
    """Return the values of every variable."""
    model.assign_result(result)
    return {name: variable.solution.values for name, variable in model.variables.items()}


def allocation(model: Any, data: Mapping[str, Any], level: str) -> None:
    """Return the allocation model; the sets of the objectives hold every unit or none."""
    units = pd.RangeIndex(data["UNITS"], name="unit")

    def over_units(name: str) -> xr.DataArray:
        return xr.DataArray(data[name], [units])

    def column(name: str, most: str) -> Any:
        return model.add_variables(lower=0, upper=over_units(most), name=name)

    emissions = over_units("emissions")
    allowance = model.add_variables(lower=over_units("lower"), upper=over_units("upper"), name="allowance")
    rate = model.add_variables(lower=0, upper=data["largest_rate_most"], name="largest_rate")
    for groups, least, most in (
        ("UNITS_IN_SECTOR", "target_least", "target_most"),
        ("UNITS_IN_PROVINCE", "balance_least", "balance_most"),
    ):
        total = (1 * allowance).groupby(_labels(data[groups], units)).sum()
        model.add_constraints(total >= xr.DataArray(data[least], dims="group"), name=least)
        model.add_constraints(total <= xr.DataArray(data[most], dims="group"), name=most)
    costed: Any = {"largest_change": 1 * rate}
    if len(data["CHANGE_MEASURED"]):
        increase, decrease = column("increase", "increase_most"), column("decrease", "decrease_most")
        model.add_constraints(allowance - increase + decrease == over_units("reference"), name="change")
        costed["change"] = (increase + decrease).sum()
    if len(data["LARGEST_CHANGE_MEASURED"]):
        model.add_constraints(increase + decrease - emissions * rate <= 0, name="largest_change")
    if len(data["DEFICIT_MEASURED"]):
        shortfall = column("shortfall", "emissions")
        model.add_constraints(allowance + shortfall >= emissions, name="short")
        costed["deficit"] = (1 * shortfall).sum()
    if len(data["SPREAD_MEASURED"]):
        above, below = column("above", "upper"), column("below", "at_target_rate")
        model.add_constraints(allowance - above + below == over_units("at_target_rate"), name="distance")
        costed["spread"] = data["per_total_emissions"] * (above + below).sum()
    model.add_objective(costed[level])


def abatement(model: Any, data: Mapping[str, Any], objective: str) -> None:
    """Return the abatement model over firms and plans."""
    firms, plans = pd.RangeIndex(data["FIRMS"], name="firm"), pd.RangeIndex(data["PLANS"], name="plan")

    def over_plans(name: str) -> xr.DataArray:
        return xr.DataArray(data[name], [firms, plans])

    pick = model.add_variables(binary=True, coords=[firms, plans], name="pick")
    model.add_constraints(pick.sum("plan") == 1, name="one_plan")
    model.add_constraints((over_plans("position") * pick).sum() <= 0, name="market")
    reduced = (over_plans("reduction") * pick).sum("plan")
    by_sector = reduced.groupby(_labels(data["FIRMS_IN_SECTOR"], firms)).sum()
    model.add_constraints(by_sector >= xr.DataArray(data["reduction_least"], dims="group"), name="sector_cap")
    model.add_objective((over_plans("plan_cost") * pick).sum())


def banking(model: Any, data: Mapping[str, Any], objective: str) -> None:
    """Return the banking model over firms and years."""
    firms, years = pd.RangeIndex(data["FIRMS"], name="firm"), pd.RangeIndex(data["YEARS"], name="year")
    ends = pd.RangeIndex(data["ENDS"], name="end")

    def column(name: str, second: pd.Index) -> Any:
        most = data[f"{name}_most"]
        upper = xr.DataArray(most if most.ndim > 1 else np.tile(most[:, np.newaxis], len(second)), [firms, second])
        return model.add_variables(lower=0, upper=upper, name=name)

    cheap, dear, bank = column("cheap", years), column("dear", years), column("bank", ends)
    buy, sell = column("buy", years), column("sell", years)
    opening, closing = (
        (1 * bank).isel(end=at).rename(end="year").assign_coords(year=years) for at in (slice(0, -1), slice(1, None))
    )
    need = xr.DataArray(data["need"], [firms, years])
    model.add_constraints(cheap + dear + buy - sell + opening - closing == need, name="balance")
    model.add_constraints((buy - sell).sum("firm") == 0, name="market")
    discount = xr.DataArray(data["discount"], [years])
    cheap_cost, dear_cost = (xr.DataArray(data[name], [firms]) * discount for name in ("cheap_cost", "dear_cost"))
    fees = (data["fee"] * discount) * (buy + sell)
    model.add_objective((cheap_cost * cheap + dear_cost * dear + fees).sum())


FAMILIES = {"allocation": allocation, "abatement": abatement, "banking": banking}


def _labels(groups: Groups, members: pd.Index) -> xr.DataArray:
    """Return the group of each member in the form that linopy requires."""
    labels = np.empty(len(members), dtype=np.int64)
    labels[groups.members] = np.repeat(np.arange(len(groups)), np.diff(groups.starts))
    return xr.DataArray(labels, [members], name="group")
