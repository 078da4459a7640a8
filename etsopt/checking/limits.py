"""What the policy demands of allowances, derived again from the instance alone.

Written apart from the models on purpose: a slip there must not hide here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.bands import bands, floored, rounded, whole_limits
from etsopt.rules.registry import parameters_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.bands import Bands
    from etsopt.data.instance import Instance

ROW_TOLERANCE = {"fair_order": 1e-8, "equal_rates": 1e-8}
ROW_TOLERANCE_T = 2e-2
"""A total may leave its limit by 20 kg, an order of rates by 1e-8; sums of 1e9 t carry an error of about 1e-7 t."""


def row_tolerance(row: str) -> float:
    """How far a row of that name may be missed, in its unit."""
    return ROW_TOLERANCE.get(row, ROW_TOLERANCE_T)


@dataclass(frozen=True)
class CouplingRows:
    """Rows over units: entries as triples, limits, and the name and index of each row.

    Row ``r`` says ``least[r] <= sum of coefficient * A over its entries <= most[r]``.
    """

    row: NDArray[np.int64]
    position: NDArray[np.int64]
    coefficient: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    names: list[tuple[str, str]]

    def totals(self, allowance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Left-hand side of every row."""
        return np.bincount(self.row, self.coefficient * allowance[self.position], len(self.names)).astype(float)

    def reach(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a unit of the given size adds at most to each row; zero where a row is empty."""
        largest = np.zeros(len(self.names))
        np.maximum.at(largest, self.row, np.abs(self.coefficient) * sizes[self.position])
        return largest

    def pull(self, price: NDArray[np.float64], units: int) -> NDArray[np.float64]:
        """What the prices of the rows add up to at every unit."""
        return np.bincount(self.position, self.coefficient * price[self.row], units).astype(float)


@dataclass(frozen=True)
class Demands:
    """Bounds of every unit and the rows that couple them; positions in the order of the instance.

    Parameters
    ----------
    fixed
        Units at A = E.
    whole
        Whether allowances are whole tonnes.
    lower, upper
        Bounds of the allowances.
    at_target_rate
        Allowances at the target rate of the sector.
    rows
        Rows over several units.
    bands
        Bands of the units.
    enterprise
        Row of the enterprise whose band the unit stands in, -1 where it has one of its own.
    """

    fixed: NDArray[np.bool_]
    whole: bool
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    at_target_rate: NDArray[np.float64]
    rows: CouplingRows
    bands: Bands
    enterprise: NDArray[np.int64]


def derive(instance: Instance, exceptional: NDArray[np.bool_] | None = None) -> Demands:
    """Everything that allowances must satisfy.

    Parameters
    ----------
    exceptional
        Units that use the wider band; None where there are none.
    """
    units, policy = instance.units, instance.policy
    emissions = instance.emissions_tco2e
    fixed = fixed_at_emissions(instance)
    whole = policy.allocation.whole_allowances
    found = bands(instance)
    chosen = np.zeros(len(units), dtype=bool) if exceptional is None else exceptional & ~fixed
    lower, upper = found.lower - found.added_below * chosen, found.upper + found.added_above * chosen
    rows = _Rows(whole)
    at_target_rate = emissions.copy()
    sector = units["sector"].to_numpy()
    for name in sorted(set(sector[~fixed])):
        here = np.flatnonzero((sector == name) & ~fixed)
        least, most = _target(instance, name, here)
        rows.add("sector_target", name, here, 1.0, least, most)
        at_target_rate[here] = emissions[here] * (rows.most[-1] / emissions[here].sum())
    _add_provinces(rows, instance, fixed)
    _add_nation(rows, instance, fixed)
    enterprise = np.full(len(units), -1)
    if policy.allocation.band_on == "enterprise":
        _add_enterprises(rows, instance, fixed, found, chosen, (lower, upper, enterprise))
    if policy.allocation.fair_order:
        _add_order(rows, instance, fixed)
    if whole:
        at_target_rate = rounded(at_target_rate)
    return Demands(fixed, whole, lower, upper, at_target_rate, rows.finish(), found, enterprise)


def fixed_at_emissions(instance: Instance) -> NDArray[np.bool_]:
    """Units that get A = E: special cases, small enterprises, and units without emissions."""
    units = instance.units
    threshold = parameters_of(instance).threshold_tco2e
    small = {
        owner for owner, total in units.groupby("enterprise_id")["emissions_tco2e"].sum().items() if total < threshold
    }
    fixed = units["enterprise_id"].isin(small).to_numpy() | (units["emissions_tco2e"].to_numpy() <= 0)
    return fixed | (units["case"].to_numpy() != "") if "case" in units else fixed


class _Rows:
    """Collects coupling rows; where allowances are whole, so are the limits in tonnes."""

    def __init__(self, whole: bool) -> None:
        self.whole = whole
        self.parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
        self.least: list[float] = []
        self.most: list[float] = []
        self.names: list[tuple[str, str]] = []

    def add(
        self,
        name: str,
        index: str,
        positions: NDArray[np.int64],
        coefficients: object,
        least: float,
        most: float,
    ) -> None:
        values = np.broadcast_to(np.asarray(coefficients, dtype=float), positions.shape)
        self.parts.append((np.full(len(positions), len(self.names)), positions, values))
        if self.whole and name not in ROW_TOLERANCE:
            least, most = (float(end[0]) for end in whole_limits(np.array([least]), np.array([most])))
        self.least.append(float(least))
        self.most.append(float(most))
        self.names.append((name, index))

    def finish(self) -> CouplingRows:
        row, position, value = (
            np.concatenate([part[k] for part in self.parts]) if self.parts else np.zeros(0) for k in range(3)
        )
        return CouplingRows(
            row.astype(np.int64),
            position.astype(np.int64),
            value,
            np.array(self.least),
            np.array(self.most),
            self.names,
        )


def _target(instance: Instance, name: str, here: NDArray[np.int64]) -> tuple[float, float]:
    """Least and most allowances of a sector's units that are not fixed."""
    most = float(instance.emissions_tco2e[here].sum())
    section = instance.policy.sectors.get(name)
    if section is None:
        return 0.0, most
    if section.target_t is not None:
        most = section.target_t
    elif section.target_intensity is not None:
        most = section.target_intensity * float(instance.units["output_t"].to_numpy()[here].sum())
    elif section.target_change is not None:
        most += section.target_change * most
    return (most if section.target_sense == "exactly" else 0.0), most


def _add_provinces(rows: _Rows, instance: Instance, fixed: NDArray[np.bool_]) -> None:
    balance = instance.policy.provinces.balance
    province, emissions = instance.units["province"].to_numpy(), instance.emissions_tco2e
    for name in sorted(set(province[~fixed])) if balance is not None else []:
        share = balance.get(name) if isinstance(balance, dict) else balance
        if share is not None:
            here = np.flatnonzero((province == name) & ~fixed)
            own, room = float(emissions[here].sum()), share * float(emissions[province == name].sum())
            rows.add("province_balance", name, here, 1.0, own - room, own + room)


def _add_nation(rows: _Rows, instance: Instance, fixed: NDArray[np.bool_]) -> None:
    section = instance.policy.national
    if section is None or (section.target_t is None and section.target_change is None):
        return
    emissions = instance.emissions_tco2e
    at_emissions = due_at_emissions(instance)[fixed]
    total = section.target_t
    if total is None:
        total = float(emissions.sum()) * (1 + (section.target_change or 0.0))
    most = total - float(at_emissions.sum())
    least = most if section.target_sense == "exactly" else min(0.0, most)
    rows.add("national_total", "", np.flatnonzero(~fixed), 1.0, least, most)


def due_at_emissions(instance: Instance, optimised: bool = True) -> NDArray[np.float64]:
    """Allowances A = E of every unit, in whole tonnes where the rule says so, or the policy of what is optimised."""
    emissions = instance.emissions_tco2e
    if instance.policy.rule.name != "given":
        return np.floor(emissions + 1e-6)
    return floored(emissions) if optimised and instance.policy.allocation.whole_allowances else emissions


def _add_enterprises(
    rows: _Rows,
    instance: Instance,
    fixed: NDArray[np.bool_],
    found: Bands,
    chosen: NDArray[np.bool_],
    into: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
) -> None:
    """Bands of enterprises with several units; their units may then hold anything from nothing to the whole."""
    owner = instance.units["enterprise_id"].to_numpy()
    lower, upper, enterprise = into
    for name in sorted(set(owner[~fixed])):
        here = np.flatnonzero((owner == name) & ~fixed)
        if len(here) > 1:
            rows.add("enterprise_band", name, here, 1.0, found.shared_lower[here].sum(), found.shared_upper[here].sum())
            enterprise[here] = len(rows.names) - 1
            # What exceptions add is whole where allowances are, so the rounded limits move by it.
            rows.least[-1] -= float((found.shared_below * chosen)[here].sum())
            rows.most[-1] += float((found.shared_above * chosen)[here].sum())
            lower[here], upper[here] = 0.0, rows.most[-1]


def _add_order(rows: _Rows, instance: Instance, fixed: NDArray[np.bool_]) -> None:
    """Neighbours by intensity inside a sector: the lower one has no lower surplus rate."""
    sector, intensity, emissions = (
        instance.units["sector"].to_numpy(),
        instance.intensity,
        instance.emissions_tco2e,
    )
    names = instance.units["unit_id"].to_numpy()
    for name in sorted(set(sector[~fixed])):
        here = np.flatnonzero((sector == name) & ~fixed)
        here = here[np.argsort(intensity[here], kind="stable")]
        for pair in pairwise(here):
            both = np.array(pair)
            equal = intensity[both[0]] == intensity[both[1]]
            rule = "equal_rates" if equal else "fair_order"
            rates = np.array([1.0, -1.0]) / emissions[both]
            rows.add(rule, str(names[both[0]]), both, rates, 0.0, 0.0 if equal else np.inf)
