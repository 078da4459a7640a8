"""The rule with a unit's figures put in: from emissions to the reference allocation, and what a tonne abated earns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.common.language import _, pgettext
from etsopt.data.content import intensity_base
from etsopt.data.policy.yearly import by_year
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.explanation.steps import Figures, Step, amount, number, percent, put_in
from etsopt.rules import parameters_of, reference_allowances, steps_of_power
from etsopt.rules.balance import surplus_rates
from etsopt.rules.cases import thresholds
from etsopt.rules.intensity import IntensityParameters
from etsopt.rules.power_units import electricity_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.common.provenance import OwnRule
    from etsopt.data.instance import Instance

POWER = "power"


class Unit(NamedTuple):
    """A unit of an instance: its position, its sector, its province, and its emissions in scope [tCO2e]."""

    instance: Instance
    row: int
    unit_id: str
    sector: str
    province: str
    emissions: float

    @property
    def fixed(self) -> bool:
        """True if the rule gives it allowances equal to its emissions."""
        return bool(reference_allowances(self.instance).fixed[self.row])

    @property
    def stated_emissions(self) -> float:
        """Emissions as they are stated, even of a unit outside the scope [tCO2e]."""
        return float(self.instance.units["emissions_tco2e"].iloc[self.row])

    @property
    def special_case(self) -> str:
        """Its special case, empty if it has none."""
        units = self.instance.units
        return str(units["special_case"].iloc[self.row]) if "special_case" in units else ""

    @property
    def in_scope(self) -> bool:
        """True if it is in the scope of the allocation."""
        return bool(self.instance.in_scope[self.row])


def rule_steps(unit: Unit, own_rule: OwnRule | None = None) -> Iterator[Step]:
    """Yield the steps from the emissions of a unit to its reference allocation.

    Parameters
    ----------
    own_rule
        What the run states of a rule from outside the package, whose allowances its instance holds as given.
    """
    yield Step("emissions_tco2e", _("Verified emissions E"), unit.stated_emissions, "tCO2e")
    reference = reference_allowances(unit.instance)
    result = float(reference.reference_t[unit.row])
    if not unit.in_scope:
        yield Step("scope", why_outside(unit))
        return
    if unit.fixed and (unit.emissions or not result):
        yield _why_fixed(unit)
        yield Step("reference_t", _("Reference allocation R"), result, "t", "R = E")
        return
    if unit.fixed:
        yield Step("no_emissions", ENTITLED)
    if unit.sector == POWER and steps_of_power(unit.instance) is not None:
        yield from _power(unit)
    elif isinstance(parameters_of(unit.instance), IntensityParameters) and unit.sector in reference.sectors.index:
        yield from _intensity(unit)
    else:
        yield Step("rule", _rule(unit.instance.policy.rule.name, own_rule))
        yield Step("reference_t", _("Reference allocation R"), result, "t")


def _rule(name: str, own: OwnRule | None) -> str:
    """Return the name of a rule, with the source and the terms of one from outside the package."""
    if own is None:
        return _("Rule {name}", name=name)
    terms = ", ".join(f"{term.name} ({term.source})" for term in own.terms)
    text = _("Rule {name} ({source}), your own, made of {terms}") if terms else _("Rule {name} ({source}), your own")
    return _(text, name=own.name, source=own.source, terms=terms)


ENTITLED = _("It has no emissions in the year: no band or target moves what the rule gives.")
"""Sentence on a unit without emissions that a rule other than China's plans entitles."""


def why_outside(unit: Unit) -> str:
    """Return why a unit is outside the scope: the special case that the plan of the year leaves out."""
    year, case = unit.instance.policy.year, unit.special_case
    if not case:
        return _("Outside the scope of the allocation: it gets none.")
    text = _("Special case {case}: outside the scope of the allocation of {year}; it gets none and owes none.")
    return _(text, case=pgettext("special_case", case), year=year)


def _why_fixed(unit: Unit) -> Step:
    """Return the reason of A = E: a special case, no emissions, or an enterprise below the threshold."""
    units, case = unit.instance.units, unit.special_case
    if case:
        text = _("Special case {case}: the plan gives allowances equal to emissions.")
        return Step("special_case", _(text, case=pgettext("special_case", case)))
    if not unit.emissions:
        label = _("It has no emissions in the year: its allowances are 0 as well.")
        return Step("no_emissions", label)
    threshold = float(thresholds(unit.instance, parameters_of(unit.instance))[unit.row])
    of_owner = units["enterprise_id"] == units["enterprise_id"].iloc[unit.row]
    total = float(unit.instance.emissions_tco2e[of_owner.to_numpy()].sum())
    if total < threshold:
        text = _("Its enterprise emits {emitted} t, below the threshold of {threshold} t: A = E.")
        return Step("threshold", _(text, emitted=amount(total), threshold=amount(threshold)))
    return Step("special_case", _("The rule gives it allowances equal to emissions."))


def _intensity(unit: Unit) -> Iterator[Step]:
    """Yield the steps of the intensity-coefficient method."""
    instance, row = unit.instance, unit.row
    parameters = parameters_of(instance)
    assert isinstance(parameters, IntensityParameters)
    output, emissions = (float(part[row]) for part in intensity_base(instance.units))
    intensity = float(instance.intensity[row])
    found = reference_allowances(instance).sectors.loc[unit.sector]
    value = float(found["balance_value"])
    if emissions != unit.emissions:
        label = _("Emissions on which intensity is measured")
        yield Step("intensity_emissions_tco2e", label, emissions, "tCO2e")
    yield Step("intensity_output", _("Output Q"), output, "t")
    formula = put_in("I = {} / {}", amount(emissions), amount(output))
    yield Step("intensity", _("Emission intensity I"), intensity, "t/t", formula)
    label = _("Balance value BP, at which allowances of {sector} are its emissions")
    if instance.policy.states_balance_value(unit.sector):
        label = _("Balance value BP of {sector}, from outside")
    yield Step("balance_value", _(label, sector=name_of(unit.sector)), value, "t/t")
    deviation = (value - intensity) / value
    formula = put_in("X = (BP - I) / BP = ({0} - {1}) / {0}", number(value), number(intensity))
    yield Step("intensity_deviation", _("Intensity deviation X"), deviation, "rate", formula)
    slope, cap = parameters.slope, parameters.cap
    rate = float(surplus_rates(np.array([intensity]), value, slope, cap)[0])
    factor, most, product = number(slope), percent(cap), percent(slope * deviation)
    formula = Figures(
        f"α = clip({factor} X, ±{most}) = clip({product}, ±{most})",
        _("α = {slope} X, at most ±{most}; {slope} X = {product}, so α", slope=factor, most=most, product=product),
    )
    yield Step("coefficient", _("Intensity coefficient α"), rate, "rate", formula)
    exact = amount(unit.emissions * (1 + rate))
    formula = put_in("R = ⌊E (1 + α)⌋ = ⌊{} × {}⌋ = ⌊{}⌋", amount(unit.emissions), f"{1 + rate:.8g}", exact)
    whole = float(reference_allowances(instance).reference_t[row])
    yield Step("reference_t", _("Reference allocation R"), whole, "t", formula)


def _power(unit: Unit) -> Iterator[Step]:
    """Yield the steps of a power unit: benchmarks, corrections, and what is added."""
    found = steps_of_power(unit.instance)
    assert found is not None
    units = unit.instance.units
    place = int(np.flatnonzero(unit.instance.labels("sector").where(POWER)).searchsorted(unit.row))
    column, label = electricity_of(unit.instance.policy.year), _("Gross generation")
    if column == "supply_mwh":
        label = _("Net supply of electricity")
    yield Step(column, label, float(units[column].iloc[unit.row]) if column in units else np.nan, "MWh")
    correction = float(found.load_correction[place])
    yield Step("load_correction", _("Load correction"), correction)
    labels = {
        "electricity_t": _("Allowances of electricity"),
        "heat_t": _("Allowances of heat"),
        "gas_top_up_t": _("Added to a gas unit up to its emissions"),
        "added_t": _("Added up to the least share of its enterprise's emissions"),
    }
    parts = {name: float(getattr(found, name)[place]) for name in labels}
    for name, label in labels.items():
        if parts[name] or name == "electricity_t":
            yield Step(name, label, parts[name], "t")
    whole = float(reference_allowances(unit.instance).reference_t[unit.row])
    yield Step("reference_t", _("Reference allocation R"), whole, "t")


def incentive_steps(unit: Unit) -> Iterator[Step]:
    """Yield what one tonne abated earns under the rule: a smaller obligation, less what the allocation loses."""
    gain, formula = _gain_of_a_tonne(unit)
    if gain is None:
        return
    label = _("One tonne abated adds to the surplus (or reduces the deficit)")
    yield Step("marginal_gain_t", label, gain, "t", formula)
    prices = by_year(unit.instance.policy.market.prices_cny_per_t, [unit.instance.policy.year])
    if np.isfinite(prices[0]):
        label = _("At the stated price that is worth")
        formula = put_in("{} × {}", amount(gain), amount(float(prices[0])))
        yield Step("marginal_incentive_cny_per_t", label, gain * float(prices[0]), "CNY/t", formula)


def _gain_of_a_tonne(unit: Unit) -> tuple[float | None, str]:
    """Return the allowances that one tonne abated frees at the rule's balance value, and the formula."""
    if not unit.in_scope:
        return None, ""
    if unit.fixed:
        return 0.0, ""
    parameters, reference = parameters_of(unit.instance), reference_allowances(unit.instance)
    if unit.sector == POWER and steps_of_power(unit.instance) is not None:
        return 1.0, ""
    if not isinstance(parameters, IntensityParameters) or unit.sector not in reference.sectors.index:
        return None, ""
    output = float(intensity_base(unit.instance.units)[0][unit.row])
    value = float(reference.sectors.loc[unit.sector, "balance_value"])
    intensity = float(unit.instance.intensity[unit.row])
    deviation = (value - intensity) / value
    rate = float(np.clip(parameters.slope * deviation, -parameters.cap, parameters.cap))
    if abs(parameters.slope * deviation) >= parameters.cap:
        return -rate, put_in("-α")
    gain = -rate + parameters.slope * unit.emissions / (output * value)
    return gain, put_in("{} E / (Q BP) - α", number(parameters.slope))
