"""What duals of the coupling rows demand of every choice of exceptions, and programs with a choice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._tolerances import DUAL_PROOF_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def with_exceptions(program: Any, chosen: list[int]) -> Any:
    """Return the program with these units as exceptions and no others."""
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    block = program.columns["exceptional"]
    lower[block] = upper[block] = 0.0
    lower[block.start + np.array(chosen, dtype=np.int64)] = upper[block.start + np.array(chosen, dtype=np.int64)] = 1.0
    return replace(program, column_lower=lower, column_upper=upper)


class Demands:
    """Demands of duals on every choice."""

    def __init__(self, parameters: Mapping[str, Any], program: Any) -> None:
        self.program, self.unit_band = program, np.zeros(len(parameters["emissions"]), dtype=bool)
        self.unit_band[parameters["WITH_OWN_BAND"]] = True
        block = program.columns["allowance"]
        # A unit of an enterprise with a band may hold all of its allowances, with every exception.
        self.lower = np.where(self.unit_band, parameters["band_lower"], program.column_lower[block])
        self.upper = np.where(self.unit_band, parameters["band_upper"], program.column_upper[block])
        self.below, self.above = parameters["widening_lower"], parameters["widening_upper"]
        self.duals: list[dict[str, NDArray[np.float64]]] = []
        self.gains: list[NDArray[np.float64]] = []
        self.wanted: list[float] = []

    def add(self, duals: dict[str, NDArray[np.float64]], only_if_infeasible: bool = False) -> None:
        """Add the demand of some duals."""
        program = self.program
        dual = np.zeros(program.matrix.shape[0])
        for name, part in duals.items():
            dual[program.rows[name]] = part
        side = np.where(dual > 0, program.row_lower, program.row_upper)
        dual = np.where(np.isfinite(side), dual, 0.0)
        matrix = program.matrix.toscipy()
        dual_activity = dual @ matrix[:, program.columns["allowance"]]
        lowest = np.minimum(-dual_activity * self.lower, -dual_activity * self.upper)
        terms = np.concatenate([lowest, dual[dual != 0] * side[dual != 0]])
        gains = np.where(dual_activity > 0, dual_activity * self.above, -dual_activity * self.below) * self.unit_band
        gains = gains + dual @ matrix[:, program.columns["exceptional"]]
        wanted = float(np.sum(terms)) - DUAL_PROOF_ROUNDING_RELATIVE * float(np.sum(np.abs(terms)))
        if wanted > 0 or not only_if_infeasible:
            self.duals.append(duals)
            self.gains.append(gains)
            self.wanted.append(wanted)

    def rule_out(self, chosen: list[int]) -> bool:
        """Return True if the last duals exclude a choice."""
        return float(np.sum(self.gains[-1][chosen])) < self.wanted[-1]

    def stacked(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the gains by demand and unit, and the gain wanted by demand."""
        return np.array(self.gains).reshape(len(self.gains), len(self.below)), np.array(self.wanted)
