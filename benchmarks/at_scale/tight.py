"""The honest baseline of `change`: HiGHS on rows of the coupling alone and two columns a unit, made by hand."""

from __future__ import annotations

import time
from typing import Any

import highspy
import numpy as np
from scipy.sparse import coo_array, hstack

SAME = 1e-6
"""Largest relative difference of the value from that of the method."""

SETTINGS: dict[str, dict[str, Any]] = {
    "simplex": {"solver": "simplex"},
    "ipm, no crossover": {"solver": "ipm", "run_crossover": "off"},
}


def program(parameters: dict[str, Any]) -> highspy.HighsLp:
    """Return the least increase and decrease of every unit that meet targets and balances [kt].

    Parameters
    ----------
    parameters
        Of the model ``allocation``, without enterprises, order, exceptions or a national total.
    """
    if parameters["ENTERPRISES"] or parameters["LINKS"] or parameters["NATION"] or parameters["LIMITED"]:
        raise ValueError("The tight form has rows of sectors and provinces alone.")
    reference, lower, upper = (1e-3 * parameters[name] for name in ("reference", "lower", "upper"))
    units = len(reference)
    blocks = [
        (parameters["UNITS_IN_SECTOR"], parameters["target_least"], parameters["target_most"]),
        (parameters["UNITS_IN_PROVINCE"], parameters["balance_least"], parameters["balance_most"]),
    ]
    rows, columns, least, most, first = [], [], [], [], 0
    for groups, low, high in blocks:
        group = np.repeat(np.arange(len(groups)), np.diff(groups.starts))
        base = np.bincount(group, reference[groups.members], len(groups))
        rows.append(first + group)
        columns.append(groups.members)
        least.append(1e-3 * low - base)
        most.append(1e-3 * high - base)
        first += len(groups)
    ones = np.ones(sum(map(len, rows)))
    half = coo_array((ones, (np.concatenate(rows), np.concatenate(columns))), shape=(first, units))
    matrix = hstack([half, -half]).tocsc()
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = 2 * units, first
    lp.col_cost_ = np.ones(2 * units)
    lp.col_lower_ = np.concatenate([np.maximum(lower - reference, 0.0), np.maximum(reference - upper, 0.0)])
    lp.col_upper_ = np.concatenate([np.maximum(upper - reference, 0.0), np.maximum(reference - lower, 0.0)])
    lp.row_lower_, lp.row_upper_ = np.concatenate(least), np.concatenate(most)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    return lp


def solved(parameters: dict[str, Any], value: float, limit_s: float) -> dict[str, Any]:
    """Return the CPU seconds of HiGHS at its better setting, or nothing if none ends; making and loading do not count.

    Parameters
    ----------
    value
        Least change that the method found [t].

    Raises
    ------
    SystemExit
        If HiGHS ends with another value.
    """
    best: dict[str, Any] = {}
    for name, options in SETTINGS.items():
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("time_limit", limit_s)
        for option, stated in options.items():
            highs.setOptionValue(option, stated)
        highs.passModel(program(parameters))
        before = time.process_time()
        highs.run()
        seconds = time.process_time() - before
        optimal = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        found = 1e3 * highs.getInfo().objective_function_value
        if optimal and abs(found - value) > SAME * max(abs(value), 1.0):
            raise SystemExit(f"The tight form has a change of {found!r} t, the method {value!r} t.")
        if optimal and seconds < best.get("tight_s", np.inf):
            best = {"tight_s": seconds, "tight_setting": name}
    return best
