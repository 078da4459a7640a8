"""Sections of the policy for the allocation of one year: bands, targets, balances, objectives."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from etsopt.common.errors import brief
from etsopt.common.language import _
from etsopt.data.policy.section import Positive, Section, Share, YearlyPositive

LARGEST_RATE = 100.0
"""Largest rate of a band; a larger number is not a rate."""

BandRate = Annotated[float, Field(ge=0, le=LARGEST_RATE)]
"""A rate of a band, a fraction of emissions; a deficit rate above 1 is the same as 1."""


class Band(Section):
    """Limits of a surplus rate (A - E)/E: from -lower to +upper; allowances are never negative."""

    lower: BandRate = Field(description="largest deficit rate, a fraction of emissions")
    upper: BandRate = Field(description="largest surplus rate, a fraction of emissions")


def _band_of_number(value: object) -> object:
    """Turn one number into a band with equal sides; validate it first, so that a message names that number."""
    if isinstance(value, dict | Band):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST_RATE:
        what = _(
            "is {value}: expected a number from 0 to {largest_rate:g}, or {{lower, upper}}",
            value=brief(value),
            largest_rate=LARGEST_RATE,
        )
        raise ValueError(what, _("Correct the value; 0.03 is 3 %."))
    return {"lower": value, "upper": value}


TARGET_KEYS = ("target_change", "target_intensity", "target_t")
"""Keys that may state a target."""


class Target(Section):
    """A limit on a total of allowances, stated by one of several keys."""

    target_change: float | None = Field(None, gt=-1, le=1, description="change against emissions, a fraction")
    target_t: float | None = Field(None, ge=0, description="total of allowances [t]")

    @property
    def target_keys(self) -> list[str]:
        """Keys that state the target as a number."""
        return [key for key in TARGET_KEYS if getattr(self, key, None) is not None]

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if len(self.target_keys) > 1:
            what = _("states {stated}: expected one of them", stated=" and ".join(self.target_keys))
            raise ValueError(what, _("Keep one of them."))
        return self


class Interval(Section):
    """Ends of a figure of which nobody knows more."""

    lower: Positive = Field(description="least value")
    upper: Positive = Field(description="largest value")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower > self.upper:
            what = _("is from {lower:g} to {upper:g}", lower=self.lower, upper=self.upper)
            raise ValueError(what, _("State the lower end first."))
        return self


ONE_VALUE = (Band, Interval)
"""Sections that are one value, whether of one number or of two."""


class SectorPolicy(Target):
    """A sector: its band, its target over the units that are not fixed at A = E, and its balance value from outside."""

    band: Annotated[Band, BeforeValidator(_band_of_number)] | None = Field(
        None,
        description="band of the surplus rate: one number for both sides, or {lower, upper}; default allocation.band",
    )
    target_intensity: float | None = Field(None, gt=0, description="allowances per tonne of output_t [t/t]")
    target_sense: Literal["at_most", "exactly", "none"] | None = Field(
        None,
        description="limit, equality, or no target; default at_most where a target is stated or the rule balances the "
        "sector (cn-2024, cn-2025, cn-2026, industry under cn), where the target is its emissions; else none",
    )

    balance_value: Interval | YearlyPositive | None = Field(
        None,
        description="balance value from outside [t/t]: published, or assumed of the nation of which the table is a "
        "part; one number, one by year, or {lower, upper}, which is solved at both ends. The sector has no default "
        "target then, and its units do not balance themselves. Default: that of the table's own units",
    )
    balance_value_source: str | None = Field(None, description="where the balance value is from, in words")
    balance_value_mark: Literal["A", "B", "C", "D"] | None = Field(
        None,
        description="A official text, B independent secondary sources, C one secondary source or recalled, D computed",
    )

    @model_validator(mode="after")
    def _source_has_value(self) -> Self:
        about = [key for key in ("balance_value_source", "balance_value_mark") if getattr(self, key) is not None]
        if about and self.balance_value is None:
            raise ValueError(_("states {key}, but no balance_value", key=about[0]), _("State both, or none."))
        return self

    @model_validator(mode="after")
    def _none_is_no_target(self) -> Self:
        if self.target_sense == "none" and self.target_keys:
            what = _(
                "states {stated}, but target_sense is 'none', which removes the target", stated=self.target_keys[0]
            )
            raise ValueError(what, _("Remove one of the two."))
        return self


UNSTATED = SectorPolicy()
"""Section of a sector of which a policy states nothing."""


class NationalPolicy(Target):
    """The total of allowances over every unit of every sector, fixed ones included."""

    target_sense: Literal["at_most", "exactly"] = Field("at_most", description="limit, or equality")

    @model_validator(mode="after")
    def _sense_has_target(self) -> Self:
        if "target_sense" in self.model_fields_set and not self.target_keys:
            raise ValueError(
                _("states target_sense, but no target"), _("State target_change or target_t, or remove it.")
            )
        return self


class ProvincePolicy(Section):
    """The balance of a province: the limit of |sum of A - E| over its emissions; and what names one."""

    names: Literal["official", "any"] = Field(
        "official",
        description="official: under the rules of the system each province is a listed one; any: others may be stated",
    )
    balance: Share | dict[str, Share] | None = Field(None, description="one share for all, or one for each province")


class ExceptionsPolicy(Section):
    """Number of units that may use a wider band, and its sides; a side narrower than the unit's own has no effect."""

    units: int = Field(0, ge=0, description="number of units that may use the wider band")
    lower: BandRate = Field(0.10, description="largest deficit rate of such a unit, a fraction of emissions")
    upper: BandRate = Field(0.03, description="largest surplus rate of such a unit, a fraction of emissions")


def of_allocation(name: str) -> str:
    """Return a hint at the key of a name that is stated for all sectors at once; empty if there is none."""
    return _("Did you mean {name!r}? ", name="allocation." + name) if name in AllocationPolicy.model_fields else ""


class AllocationPolicy(Section):
    """Objectives of the allocation in lexicographic order, and conditions on all its units."""

    objectives: list[Literal["change", "largest_change", "deficit", "spread"]] = Field(
        ["change", "largest_change"], description="objectives in lexicographic order"
    )
    tie_break: Literal["least_squares", "equal_rates", "proportional", "equal_losses"] = Field(
        "least_squares",
        description="choice among equally good allocations, as squares whose sum is least: of changes against the "
        "reference over emissions; of distances from the rate of the sector's target (equal_rates); of changes over "
        "the reference (proportional); of changes in tonnes (equal_losses)",
    )
    band: Annotated[Band, BeforeValidator(_band_of_number)] | None = Field(
        None,
        description="band of the surplus rate of every sector that states none: one number for both sides, or "
        "{lower, upper}; default the rule's",
    )
    band_on: Literal["unit", "enterprise"] = Field(
        "unit", description="entity whose surplus rate the band limits; power under cn has a part in it only if stated"
    )
    intensity_order: bool = Field(False, description="a lower intensity never gets a lower surplus rate in its sector")
    integer_allowances: bool = Field(
        False,
        description="every allowance is a whole number of tonnes; with intensity_order real allowances are rounded",
    )
    exceptions: ExceptionsPolicy = Field(
        ExceptionsPolicy(), description="a table: number of units that may use a wider band, and its sides"
    )

    @property
    def rounds(self) -> bool:
        """True if the continuous solution is rounded, since whole tonnes cannot keep an order of rates."""
        return self.intensity_order and self.integer_allowances

    @model_validator(mode="after")
    def _each_objective_once(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError(_("names an objective twice in objectives"), _("Keep one of them."))
        return self

    @model_validator(mode="after")
    def _no_exceptions_before_rounding(self) -> Self:
        if self.rounds and self.exceptions.units:
            what = _(
                "states intensity_order, integer_allowances and exceptions, but rounding may need other exceptions"
            )
            raise ValueError(what, _("Remove one of the three."))
        return self
