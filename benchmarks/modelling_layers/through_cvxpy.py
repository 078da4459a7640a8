"""The programs through cvxpy: whole arrays, compiled to the standard form of its interface to HiGHS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cvxpy as cp
import highspy
import numpy as np
from cvxpy import settings
from scipy.sparse import csr_array

from benchmarks.modelling_layers import NotSolvedError
from benchmarks.modelling_layers.handing import set_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.problems import Problem
    from etsopt.data.groups import Groups

Built = tuple[cp.Problem, dict[str, cp.Variable]]


def build(problem: Problem, data: Mapping[str, Any]) -> Built:
    """Return the model of a problem."""
    objective, rows, names = FAMILIES[problem.family](data, problem.objective)
    return cp.Problem(cp.Minimize(objective), rows), names


def hand_over(built: Built, problem: Problem, options: Mapping[str, Any]) -> Any:
    """Compile, then pass the program as the interface of cvxpy does, which cannot stop before the solve."""
    data, chain, inverse = built[0].get_problem_data(cp.HIGHS)
    matrix, limits = data[settings.A].tocsc(), data[settings.B]
    model = highspy.HighsModel()
    lp = model.lp_
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_ = data[settings.C]
    lp.row_upper_ = limits
    lp.row_lower_ = np.where(np.arange(len(limits)) < data[settings.DIMS].zero, limits, -np.inf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    whole = data[settings.BOOL_IDX]
    lower, upper = data[settings.LOWER_BOUNDS], data[settings.UPPER_BOUNDS]
    lower = np.full(lp.num_col_, -np.inf) if lower is None else lower.copy()
    upper = np.full(lp.num_col_, np.inf) if upper is None else upper.copy()
    if whole:
        kinds = [highspy.HighsVarType.kContinuous] * lp.num_col_
        for column in whole:
            kinds[column] = highspy.HighsVarType.kInteger
        lp.integrality_ = kinds
        lower[whole], upper[whole] = np.maximum(lower[whole], 0), np.minimum(upper[whole], 1)
    lp.col_lower_, lp.col_upper_ = lower, upper
    highs = highspy.Highs()
    set_options(highs, options)
    if highs.passModel(model) != highspy.HighsStatus.kOk:
        raise RuntimeError("HiGHS did not take the program")
    return highs, chain, inverse


def solve(held: Any) -> Any:
    """Run HiGHS."""
    held[0].run()
    status = held[0].getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise NotSolvedError(held[0].modelStatusToString(status))
    return held


def extract(built: Built, held: Any) -> dict[str, Any]:
    """Return the values of every variable."""
    highs, chain, inverse = held
    answer = {"solution": highs.getSolution(), "basis": highs.getBasis(), "info": highs.getInfo()}
    answer |= {"model_status": highs.getModelStatus().name, "run_time": highs.getRunTime()}
    built[0].unpack_results(answer, chain, inverse)
    return {name: variable.value for name, variable in built[1].items()}


def allocation(data: Mapping[str, Any], level: str) -> Any:
    """Return the allocation model; the sets of the objectives hold every unit or none."""
    emissions, units = data["emissions"], data["UNITS"]

    def column(most: Any) -> cp.Variable:
        return cp.Variable(units, bounds=[np.zeros(units), most])

    names = {"allowance": cp.Variable(units, bounds=[data["lower"], data["upper"]])}
    names["largest_rate"] = cp.Variable(bounds=[0.0, data["largest_rate_most"]])
    allowance, rate = names["allowance"], names["largest_rate"]
    sectors, provinces = (_adding(data[name], units) for name in ("UNITS_IN_SECTOR", "UNITS_IN_PROVINCE"))
    rows = [sectors @ allowance >= data["target_least"], sectors @ allowance <= data["target_most"]]
    rows += [provinces @ allowance >= data["balance_least"], provinces @ allowance <= data["balance_most"]]
    costed = {"largest_change": rate}
    if len(data["CHANGE_MEASURED"]):
        names["increase"], names["decrease"] = column(data["increase_most"]), column(data["decrease_most"])
        rows += [allowance - names["increase"] + names["decrease"] == data["reference"]]
        costed["change"] = cp.sum(names["increase"] + names["decrease"])
    if len(data["LARGEST_CHANGE_MEASURED"]):
        rows += [names["increase"] + names["decrease"] - emissions * rate <= 0]
    if len(data["DEFICIT_MEASURED"]):
        names["shortfall"] = column(emissions)
        rows += [allowance + names["shortfall"] >= emissions]
        costed["deficit"] = cp.sum(names["shortfall"])
    if len(data["SPREAD_MEASURED"]):
        names["above"], names["below"] = column(data["upper"]), column(data["at_target_rate"])
        rows += [allowance - names["above"] + names["below"] == data["at_target_rate"]]
        costed["spread"] = data["per_total_emissions"] * cp.sum(names["above"] + names["below"])
    return costed[level], rows, names


def abatement(data: Mapping[str, Any], objective: str) -> Any:
    """Return the abatement model over firms and plans."""
    firms = data["FIRMS"]
    pick = cp.Variable((firms, data["PLANS"]), boolean=True)
    reduced = cp.sum(cp.multiply(data["reduction"], pick), axis=1)
    rows = [
        cp.sum(pick, axis=1) == 1,
        cp.sum(cp.multiply(data["position"], pick)) <= 0,
        _adding(data["FIRMS_IN_SECTOR"], firms) @ reduced >= data["reduction_least"],
    ]
    return cp.sum(cp.multiply(data["plan_cost"], pick)), rows, {"pick": pick}


def banking(data: Mapping[str, Any], objective: str) -> Any:
    """Return the banking model over firms and years."""
    firms, years = data["need"].shape

    def column(name: str) -> cp.Variable:
        most = data[f"{name}_most"]
        most = most if most.ndim > 1 else np.tile(most[:, np.newaxis], years)
        return cp.Variable(most.shape, bounds=[np.zeros(most.shape), most])

    names = {name: column(name) for name in ("cheap", "dear", "bank", "buy", "sell")}
    cheap, dear, bank, buy, sell = names.values()
    rows = [
        cheap + dear + buy - sell + bank[:, :-1] - bank[:, 1:] == data["need"],
        cp.sum(buy - sell, axis=0) == 0,
    ]
    cheap_cost, dear_cost = (np.outer(data[name], data["discount"]) for name in ("cheap_cost", "dear_cost"))
    fee = np.tile(data["fee"] * data["discount"], (firms, 1))
    cost = cp.sum(cp.multiply(cheap_cost, cheap) + cp.multiply(dear_cost, dear) + cp.multiply(fee, buy + sell))
    return cost, rows, names


FAMILIES = {"allocation": allocation, "abatement": abatement, "banking": banking}


def _adding(groups: Groups, members: int) -> csr_array:
    """Return the matrix that adds the members of each group."""
    entries = np.ones(len(groups.members)), groups.members, groups.starts
    return csr_array(entries, shape=(len(groups), members))
