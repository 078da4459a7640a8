"""The explanation of one unit of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.explanation.markets import market_parts
from etsopt.presenting.explanation.named import unit_of
from etsopt.presenting.explanation.program import Allocated, further_steps, program_steps
from etsopt.presenting.explanation.rule import Unit, incentive_steps, rule_steps, why_outside
from etsopt.presenting.explanation.steps import Explanation, Step, amount, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.common.provenance import OwnRule
    from etsopt.data.instance import Instance

RULE = _("What the rule gives")
PROGRAM = _("What the limits moved")
INCENTIVE = _("What one tonne abated earns")
FURTHER = _("For one tonne more, these would have to give")


def explain(
    instance: Instance,
    tables: Mapping[str, pd.DataFrame],
    unit_id: str,
    objectives: Mapping[str, float] | None = None,
    own_rule: OwnRule | None = None,
) -> Explanation:
    """Explain the number of a unit: rule, limits, incentive, and what would give one tonne more.

    Parameters
    ----------
    tables
        Tables of the run.
    unit_id
        Identifier or name of the unit, or of an enterprise that has no other.
    objectives
        Values of its objectives by name.
    own_rule
        What the run states of a rule from outside the package.

    Raises
    ------
    UsageError
        If the instance has no such unit or several, or the run no table of its units.
    """
    unit = _unit(instance, str(unit_id))
    parts: list[tuple[str, tuple[Step, ...]]] = [(RULE, tuple(rule_steps(unit, own_rule)))]
    if of_market := market_parts(tables, unit.unit_id):
        return Explanation(unit.unit_id, _facts(unit), (*parts, *of_market))
    if "allocation" not in tables:
        what = _("The run has no table of the allowances of its units.")
        raise UsageError(what, _("Explain a run of a model that allocates, such as allocation, abatement or pathway."))
    row = _row(tables["allocation"], unit)
    if not unit.in_scope:
        return Explanation(unit.unit_id, _title(_facts(unit), unit, row), tuple(parts))
    if {"duals", "sectors", "provinces"} <= {*tables}:
        allocated = Allocated(row, tables)
        parts.append((PROGRAM, tuple(program_steps(unit, allocated, (objectives or {}).get("largest_change")))))
        parts.append((FURTHER, tuple(further_steps(unit, allocated))))
    if earned := tuple(incentive_steps(unit)):
        parts.append((INCENTIVE, earned))
    return Explanation(unit.unit_id, _title(_facts(unit), unit, row), tuple(parts))


def _unit(instance: Instance, unit_id: str) -> Unit:
    unit_id = unit_of(unit_id, instance.units, instance.enterprises)
    row = int(np.flatnonzero(instance.units["unit_id"] == unit_id)[0])
    cells = instance.units.iloc[row]
    return Unit(instance, row, unit_id, cells["sector"], cells["province"], float(instance.emissions_tco2e[row]))


def _row(table: pd.DataFrame, unit: Unit) -> dict[str, Any]:
    found = table[table["unit_id"] == unit.unit_id]
    if not len(found):
        raise UsageError(
            _("The run has no unit {unit_id}.", unit_id=brief(unit.unit_id)),
            _("Solve again: its tables are not whole."),
        )
    return {str(key): value for key, value in found.iloc[0].items()}


def _facts(unit: Unit) -> str:
    """Return name, sector and province of the unit."""
    units = unit.instance.units
    name = str(units["name"].iloc[unit.row]) if "name" in units else ""
    text = _("{unit_id}, {sector}, {province}")
    if name and name != unit.unit_id:
        text = _("{unit_id} ({name}), {sector}, {province}")
    return _(text, unit_id=unit.unit_id, name=name, sector=name_of(unit.sector), province=name_of(unit.province))


def _title(facts: str, unit: Unit, row: Mapping[str, Any]) -> str:
    if not unit.in_scope:
        return _("{facts}. {why}", facts=facts, why=why_outside(unit))
    surplus = float(row["surplus_t"])
    text = _("{facts}: {allowance} t of allowances for {emissions} tCO2e ({surplus}).")
    balance = _("surplus {amount} t") if surplus >= 0 else _("deficit {amount} t")
    if unit.emissions > 0:
        balance = _("surplus {amount} t, {rate}") if surplus >= 0 else _("deficit {amount} t, {rate}")
    rate = percent(round(surplus / unit.emissions, 6)) if unit.emissions > 0 else ""
    return _(
        text,
        facts=facts,
        allowance=amount(float(row["allowance_t"])),
        emissions=amount(unit.emissions),
        surplus=_(balance, amount=amount(abs(surplus)), rate=rate),
    )
