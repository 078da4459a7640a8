r"""What the program changed: how each limit moved the allowance of a unit, and which would have to give for one more.

The tie-break has one solution, the least $\sum_i (A_i - R_i)^2 / E_i$ that keeps every limit and earlier objective.
Where no band holds, its stationarity is $A_i - R_i = \tfrac{1}{2} E_i \sum_r y_r$ over the rows $r$ of unit $i$: half
its emissions times the multiplier is what a row moves. A multiplier of an earlier objective that is kept stands for the
rows of that objective, in proportion. What these do not explain is what the band, the order of rates, whole tonnes or
the earlier objectives hold back. Multipliers are not unique where more limits hold than are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from etsopt.data.tables.provinces import name_of
from etsopt.explanation.steps import Step, number
from etsopt.language import _
from etsopt.rules import reference_allowances

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.explanation.rule import Unit

LAST = "least_squares"
ROWS = {
    "sector_target": _("Target of {name}"),
    "province_balance": _("Balance of {name}"),
    "national_total": _("National total"),
}
SAME_T = 0.5
"""Distance at which an allowance counts as at a limit [t]."""


Limit = tuple[str, str, float]
"""Key of a limit in the policy, its name in both languages, and the least value that would give one tonne more."""


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
        for (row, index), multiplier in _multipliers(allocated.tables["duals"], LAST).items():
            if row == "national_total" or index == {"sector_target": unit.sector}.get(row, unit.province):
                pull = 0.5 * unit.emissions * multiplier
                if abs(pull) >= 0.005:
                    rest -= pull
                    yield Step(row, _limit(row, index), pull, "t")
        if abs(rest) >= 0.005:
            yield Step("held_back", _rest(unit, allocated, largest), rest, "t")
    formula = f"A = {number(reference)} {'+' if move >= 0 else '-'} {number(abs(move))}"
    yield Step("allowance_t", _("Final allocation A"), allowance, "t", formula)
    formula = f"A - E = {number(allowance)} - {number(unit.emissions)}"
    label = _("Surplus (below 0: deficit)")
    yield Step("surplus_t", label, allocated.number("surplus_t"), "t", formula)
    if unit.emissions > 0:
        yield Step("surplus_rate", _("Surplus rate"), allocated.number("surplus_rate"), "rate")


def _limit(row: str, index: str) -> str:
    """Return the name of a limit."""
    return _(ROWS[row], name=name_of(index))


def _multipliers(duals: pd.DataFrame, level: str, weight: float = 1.0) -> dict[tuple[str, str], float]:
    """Return the multipliers of limits in an objective, those of earlier objectives that it keeps included."""
    found: dict[tuple[str, str], float] = {}
    here = duals[duals["level"] == level]
    for row, index, multiplier in zip(here["row"], here["index"], here["multiplier"], strict=True):
        if row == "level_is_kept":
            parts = _multipliers(duals, str(index), -weight * float(multiplier))
        else:
            parts = {(str(row), str(index)): weight * float(multiplier)} if row in ROWS else {}
        for key, value in parts.items():
            found[key] = found.get(key, 0.0) + value
    return found


def _rest(unit: Unit, allocated: Allocated, largest: float | None) -> str:
    """Return in words what holds back the rest of a move."""
    move = allocated.number("allowance_t") - allocated.number("reference_t")
    policy = unit.instance.policy.allocation
    if allocated.row["at_bound"] in ("lower", "upper"):
        return _("Held by its band")
    if largest is not None and abs(move) >= largest * unit.emissions - SAME_T:
        text = _("Held back so that no unit moves by more than {share} % of its emissions")
        return _(text, share=number(100 * largest))
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
    for key, words, value in limits:
        # One tonne is a billionth of a large sector.
        yield Step(key, words, formula=f"{key} ≥ {value:.12g}")
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
        yield f"sectors.{unit.sector}.band.upper", words, rate


def _target(unit: Unit, allocated: Allocated) -> Iterator[Limit]:
    sectors = allocated.tables["sectors"].set_index("sector").loc[unit.sector]
    target, below = float(sectors["target_t"]), float(sectors["under_target_t"])
    if not below < 1:
        return
    policy = unit.instance.policy.sectors.get(unit.sector)
    needed, words = target + 1 - max(below, 0.0), _limit("sector_target", unit.sector)
    if policy is not None and policy.target_t is not None:
        yield f"sectors.{unit.sector}.target_t", words, needed
    elif policy is not None and policy.target_intensity is not None:
        yield f"sectors.{unit.sector}.target_intensity", words, policy.target_intensity * needed / target
    else:
        change = 0.0 if policy is None or policy.target_change is None else policy.target_change
        base = target / (1 + change)
        yield f"sectors.{unit.sector}.target_change", words, needed / base - 1


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
    yield key, _limit("province_balance", unit.province), (surplus + 1) / float(provinces["emissions_tco2e"])
