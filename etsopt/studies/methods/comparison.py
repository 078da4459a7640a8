"""An instance allocated in several ways, each solved and checked: what moves, how equal it is, and who pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.common.units import LEAST_REFERENCE_SHARE
from etsopt.data.policy.allocation import AllocationPolicy
from etsopt.rules import reference_allowances
from etsopt.rules.fairness import fairness_table
from etsopt.rules.inequality import Distribution
from etsopt.running import run
from etsopt.running.results.words import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results

    Floats = NDArray[np.float64]

TIE_BREAKS: tuple[str, ...] = get_args(AllocationPolicy.model_fields["tie_break"].annotation)
OBJECTIVES = ("change", "largest_change", "deficit", "spread")
RULE, POLICY = "rule", "policy"


@dataclass(frozen=True)
class Comparison:
    """Ways to allocate on one instance.

    Parameters
    ----------
    price_cny_per_t
        Price of a deficit [CNY/t]; None for no bills.
    table
        A row for each way: ``method``, ``status``, ``moved_t`` against the rule, Gini of units against emissions and
        output, Gini against emissions if sector totals were the only limits, largest loss against the reference, units
        at an end of their band, deficits of enterprises before abatement, and their bills.
    allowances
        Allowances of the units by method; none for a method without an answer [t].
    outside
        Those of tie-breaks and the rule under sector totals alone [t].
    """

    instance: Instance
    price_cny_per_t: float | None
    table: pd.DataFrame
    allowances: Mapping[str, Floats]
    outside: Mapping[str, Floats]

    @property
    def certified(self) -> bool:
        """True if every method has a proven answer."""
        return bool((self.table["status"].isin(("certified_optimal", "calculated"))).all())


def compare_methods(instance: Instance, price_cny_per_t: float | None = None, **options: Any) -> Comparison:
    """Allocate by the rule, by each tie-break and each objective alone, and by the policy as it is stated.

    Parameters
    ----------
    price_cny_per_t
        Price at which deficits are charged [CNY/t]; None for no bills.
    options
        Options of each solve, as of `etsopt.solve`.

    Raises
    ------
    UsageError
        If no allocation keeps the limits.
    """
    solved = dict(_solved(instance, options))
    reference = reference_allowances(instance).reference_t
    found = {name: result.tables["allocation"]["allowance_t"].to_numpy() for name, result in solved.items()}
    sectors = solved[POLICY].tables["sectors"]
    outside = {RULE: reference} | {name: under_totals_alone(instance, sectors, name) for name in TIE_BREAKS}
    allowances = {RULE: reference, **found}
    rows: list[dict[str, Any]] = []
    for name, allowance in allowances.items():
        checkpoint(_("measured"), len(rows) + 1)
        row: dict[str, Any] = {"method": name, "status": "calculated" if name == RULE else solved[name].status}
        row |= _measured(instance, reference, allowance, price_cny_per_t)
        row["gini_outside"] = _gini(instance, outside[name]) if name in outside else np.nan
        bound = None if name == RULE else solved[name].tables["sectors"][["units_lower", "units_upper"]]
        rows.append(row | {"units_at_band": np.nan if bound is None else float(bound.to_numpy().sum())})
    columns = ("method", "status", "moved_t", "gini", "gini_outside", "gini_output", "largest_loss_rate")
    columns += ("units_at_band", "deficit_t", *(() if price_cny_per_t is None else ("bill_cny",)))
    return Comparison(instance, price_cny_per_t, pd.DataFrame(rows)[[*columns]], allowances, outside)


def _solved(instance: Instance, options: Mapping[str, Any]) -> Iterator[tuple[str, Results]]:
    """Yield the results of each method; the policy first, so that one without an answer is refused at once."""
    ways: dict[str, dict[str, Any]] = {POLICY: {}}
    ways |= {name: {"allocation.tie_break": name, "allocation.objectives": []} for name in TIE_BREAKS}
    ways |= {name: {"allocation.tie_break": "least_squares", "allocation.objectives": [name]} for name in OBJECTIVES}
    for name, changes in ways.items():
        checkpoint(_("method {name}", name=name), 0)
        result = run.solve(instance.with_policy(changes) if changes else instance, "allocation", **options)
        if "allocation" in result.tables:
            yield name, result
        elif name == POLICY:
            status = STATUSES[result.status]
            what = _("No allocation was found that keeps the limits of the policy: {status}.", status=status)
            raise UsageError(what, _("`etsopt solve` says which limits to relax, and by how much."))


def _measured(instance: Instance, reference: Floats, allowance: Floats, price: float | None) -> dict[str, Any]:
    table = fairness_table(instance, reference, allowance).set_index(["level", "against", "allocation"])
    owner = instance.labels("enterprise_id")
    deficit = float(np.maximum(owner.sums(instance.emissions_tco2e) - owner.sums(allowance), 0.0).sum())
    row = table.loc[("unit", "emissions", "final")]
    return {
        "moved_t": float(np.abs(allowance - reference).sum()),
        "gini": row["gini"],
        "gini_output": table.loc[("unit", "output", "final"), "gini"],
        "largest_loss_rate": row["largest_loss_rate"],
        "deficit_t": deficit,
        "bill_cny": np.nan if price is None else price * deficit,
    }


def _gini(instance: Instance, allowance: Floats) -> float:
    """Return the Gini coefficient of units against emissions."""
    has = instance.emissions_tco2e > 0
    return Distribution.of(allowance[has], instance.emissions_tco2e[has]).gini


def under_totals_alone(instance: Instance, sectors: pd.DataFrame, tie_break: str) -> Floats:
    """Return the allowances of a tie-break if sector targets and zero were the only limits, shape ``(units,)`` [t].

    Parameters
    ----------
    sectors
        Table of the sectors with their targets; one without a target keeps the sum of its reference.
    """
    found = reference_allowances(instance)
    reference, emissions = found.reference_t, instance.emissions_tco2e
    sector, allowance = instance.labels("sector"), reference.copy()
    targets = dict(zip(sectors["sector"], sectors["target_t"], strict=True))
    for place, name in enumerate(sector.names):
        units = np.flatnonzero((sector.code == place) & ~found.fixed)
        if not len(units):
            continue
        target = targets.get(name, np.nan)
        target = float(reference[units].sum()) if np.isnan(target) else target
        r, e = reference[units], emissions[units]
        weight = {
            "proportional": np.maximum(r, LEAST_REFERENCE_SHARE * e),
            "equal_losses": np.ones(len(units)),
        }.get(tie_break, e)
        centre = e * (target / e.sum()) if tie_break == "equal_rates" else r
        allowance[units] = _shared(centre, weight, target)
    return allowance


def _shared(centre: Floats, weight: Floats, total: float) -> Floats:
    """Return ``max(0, centre + weight * multiplier)`` whose sum is the total."""
    allowance, some = centre.copy(), np.ones(len(centre), dtype=bool)
    while some.any():
        allowance[some] = centre[some] + weight[some] * ((total - centre[some].sum()) / weight[some].sum())
        below = some & (allowance < 0)
        if not below.any():
            break
        allowance[below] = 0.0
        some &= ~below
    return allowance
