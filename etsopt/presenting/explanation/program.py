r"""What the program changed: how each limit moved the allowance of a unit, and which would have to give for one more.

The tie-break has one solution, the least $\sum_i (A_i - C_i)^2 / W_i$ that keeps every limit and earlier objective.
Where no band holds, its stationarity is $A_i - C_i = \tfrac{1}{2} W_i \sum_r y_r$ over the rows $r$ of unit $i$: half
its weight times the multiplier is what a row moves. The weight is its emissions, and the centre its reference, unless
`allocation.tie_break` says otherwise. A multiplier of an earlier objective that is kept stands for the rows of that
objective, in proportion. What these do not explain is what the band, the order of rates, whole tonnes or the earlier
objectives hold back. Multipliers are not unique where more limits hold than are needed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from etsopt.common.language import _
from etsopt.common.units import LEAST_REFERENCE_SHARE
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.explanation.steps import Figures, Step, amount, put_in
from etsopt.rules import reference_allowances

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.presenting.explanation.rule import Unit

ROWS = {
    "sector_target": _("Target of {name}"),
    "province_balance": _("Balance of {name}"),
    "national_total": _("National total"),
}
SAME_T = 0.5
"""Distance at which an allowance counts as at a limit [t]."""

NOISE = 1e-6
"""Part of its last digit by which a value may exceed a whole number of it."""


class Limit(NamedTuple):
    """A limit that is in the way of one tonne more.

    Parameters
    ----------
    key
        Its key in the policy.
    name
        What it is.
    stated_t, needed_t
        The limit, and the least one that would give one tonne more [t].
    stated, needed
        The same as values of the key.
    """

    key: str
    name: str
    stated_t: float
    needed_t: float
    stated: float
    needed: float

    @property
    def step(self) -> Step:
        """The step that states it."""
        text = _("at least {needed_t} t instead of {stated_t} t ({key} ≥ {needed})")
        # People need no more digits than tell the value from the stated one, from which it is rounded away.
        decimals = max(1 - math.floor(math.log10(max(self.needed - self.stated, NOISE**2))), 1)
        needed = f"{math.ceil(self.needed * 10**decimals - NOISE) / 10**decimals:.{decimals}f}".rstrip("0").rstrip(".")
        amounts = {"needed_t": amount(self.needed_t), "stated_t": amount(self.stated_t)}
        # One tonne is a billionth of a large sector.
        exact = f"{self.key} ≥ {self.needed:.12g}"
        return Step(self.key, self.name, formula=Figures(exact, _(text, key=self.key, needed=needed, **amounts)))


class Allocated(NamedTuple):
    """The rows of a unit in the tables of an allocation, and these tables."""

    row: Mapping[str, object]
    tables: Mapping[str, pd.DataFrame]

    def number(self, column: str) -> float:
        """Return a number of the unit."""
        return float(self.row[column])  # type: ignore[arg-type]


def program_steps(unit: Unit, allocated: Allocated, largest: float | None) -> Iterator[Step]:
    """Yield what each limit moved, from the reference allocation to the allowance.

    Parameters
    ----------
    largest
        Value of the objective ``largest_change``, a rate; None if the policy has no such objective.
    """
    reference, allowance = allocated.number("reference_t"), allocated.number("allowance_t")
    move = allowance - reference
    rest = move
    if not unit.fixed and unit.in_scope:
        last, weight = _tie_break(unit, allocated)
        for (row, index), multiplier in _multipliers(allocated.tables["duals"], last).items():
            if row == "national_total" or index == {"sector_target": unit.sector}.get(row, unit.province):
                pull = 0.5 * weight * multiplier
                if abs(pull) >= 0.005:
                    rest -= pull
                    yield Step(row, _limit(row, index), pull, "t")
        if abs(rest) >= 0.005:
            yield Step("held_back", _rest(unit, allocated, largest), rest, "t")
    formula = put_in(f"A = {{}} {'+' if move >= 0 else '-'} {{}}", amount(reference), amount(abs(move)))
    yield Step("allowance_t", _("Final allocation A"), allowance, "t", formula)
    formula = put_in("A - E = {} - {}", amount(allowance), amount(unit.emissions))
    label = _("Surplus (below 0: deficit)")
    yield Step("surplus_t", label, allocated.number("surplus_t"), "t", formula)
    if unit.emissions > 0:
        yield Step("surplus_rate", _("Surplus rate"), allocated.number("surplus_rate"), "rate")


def _tie_break(unit: Unit, allocated: Allocated) -> tuple[str, float]:
    """Return the objective of the tie-break, and the weight of the unit in it [t]."""
    chosen = unit.instance.policy.allocation.tie_break
    if chosen == "proportional":
        return "squared_shares", max(allocated.number("reference_t"), LEAST_REFERENCE_SHARE * unit.emissions)
    if chosen == "equal_losses":
        adjustable = unit.instance.emissions_tco2e[~reference_allowances(unit.instance).fixed]
        return "squared_losses", float(adjustable.mean())
    return "squared_rates" if chosen == "equal_rates" else "least_squares", unit.emissions


def _limit(row: str, index: str) -> str:
    """Return the name of a limit."""
    return _(ROWS[row], name=name_of(index))


def _multipliers(duals: pd.DataFrame, level: str) -> dict[tuple[str, str], float]:
    """Return the multipliers of limits in an objective, and in each earlier one times the multiplier that keeps it.

    An earlier objective is kept by its own multipliers alone, as the certificate of the later one adds them.
    """
    of_level = duals[duals["level"] == level]
    kept = of_level[of_level["row"] == "level_is_kept"]
    parts = [(of_level, 1.0)]
    parts += [
        (duals[duals["level"] == name], -float(times))
        for name, times in zip(kept["index"], kept["multiplier"], strict=True)
    ]
    found: dict[tuple[str, str], float] = {}
    for part, weight in parts:
        limits = part[part["row"].isin(ROWS)]
        for row, index, multiplier in zip(limits["row"], limits["index"], limits["multiplier"], strict=True):
            key = str(row), str(index)
            found[key] = found.get(key, 0.0) + weight * float(multiplier)
    return found


def _rest(unit: Unit, allocated: Allocated, largest: float | None) -> str:
    """Return in words what holds back the rest of a move."""
    move = allocated.number("allowance_t") - allocated.number("reference_t")
    policy = unit.instance.policy.allocation
    if allocated.row["at_bound"] in ("lower", "upper"):
        return _("Held by its band")
    if largest is not None and abs(move) >= largest * unit.emissions - SAME_T:
        text = _("Held back so that no unit moves by more than {share} % of its emissions")
        return _(text, share=amount(100 * largest))
    if policy.tie_break == "equal_rates":
        return _("Moved towards the rate of its sector's target, as far as earlier objectives allow")
    if abs(move) <= SAME_T:
        return _("Held back so that allowances change least in sum")
    if policy.intensity_order:
        return _("Held back by the order of rates and earlier objectives")
    return _("Held back by earlier objectives, or whole tonnes")


UNLIMITED = _("No limit is in the way: the allowance is that of the rule.")
KEPT_NEAR = _("No limit is in the way: the objectives keep the allowance near that of the rule.")
"""Sentences on a unit that no limit keeps from one tonne more."""


def further_steps(unit: Unit, allocated: Allocated) -> Iterator[Step]:
    """Yield the limits that would have to give for one tonne more to this unit and none less to others, and to what."""
    if unit.fixed or not unit.in_scope:
        yield Step("none", _("Its allowances are set by the rule alone."))
        return
    limits = [*_band(unit, allocated), *_target(unit, allocated), *_province(unit, allocated)]
    yield from (limit.step for limit in limits)
    if not limits:
        by_rule = abs(allocated.number("allowance_t") - allocated.number("reference_t")) < SAME_T
        yield Step("none", UNLIMITED if by_rule else KEPT_NEAR)


def _band(unit: Unit, allocated: Allocated) -> Iterator[Limit]:
    policy, reference = unit.instance.policy, reference_allowances(unit.instance)
    if policy.allocation.band_on != "unit" or allocated.row.get("exceptional"):
        return
    stated = policy.band_of(unit.sector)
    upper = reference.bands.get(unit.sector, reference.band) if stated is None else stated.upper
    rate = (allocated.number("allowance_t") + 1 - unit.emissions) / unit.emissions
    if upper is not None and rate > upper:
        words = _("Upper end of the band of {sector}", sector=name_of(unit.sector))
        most_t, more_t = unit.emissions * (1 + upper), allocated.number("allowance_t") + 1
        yield Limit(f"sectors.{unit.sector}.band.upper", words, most_t, more_t, upper, rate)


def _target(unit: Unit, allocated: Allocated) -> Iterator[Limit]:
    sectors = allocated.tables["sectors"].set_index("sector").loc[unit.sector]
    target, below = float(sectors["target_t"]), float(sectors["under_target_t"])
    if not below < 1:
        return
    policy = unit.instance.policy.sectors.get(unit.sector)
    more = target + 1 - max(below, 0.0)
    if policy is not None and policy.target_t is not None:
        key, stated, needed = "target_t", policy.target_t, more
    elif policy is not None and policy.target_intensity is not None:
        key, stated, needed = "target_intensity", policy.target_intensity, policy.target_intensity * more / target
    else:
        stated = 0.0 if policy is None or policy.target_change is None else policy.target_change
        key, needed = "target_change", more / (target / (1 + stated)) - 1
    words = _limit("sector_target", unit.sector)
    yield Limit(f"sectors.{unit.sector}.{key}", words, target, more, stated, needed)


def _province(unit: Unit, allocated: Allocated) -> Iterator[Limit]:
    balance = unit.instance.policy.provinces.balance
    if balance is None:
        return
    provinces = allocated.tables["provinces"].set_index("province").loc[unit.province]
    limit, surplus = float(provinces["balance_limit_t"]), float(provinces["surplus_t"])
    if not surplus + 1 > limit:
        return
    by_name = isinstance(balance, dict)
    key = f"provinces.balance.{unit.province}" if by_name else "provinces.balance"
    emissions = float(provinces["emissions_tco2e"])
    words = _limit("province_balance", unit.province)
    yield Limit(key, words, limit, surplus + 1, limit / emissions, (surplus + 1) / emissions)
