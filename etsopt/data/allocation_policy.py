"""Sections of the policy that the allocation of one year stands on: bands, targets, balances, objectives."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from etsopt.data.section import Section, Share
from etsopt.errors import brief

WIDEST = 100.0
"""Largest rate of a band: beyond it no figure of emissions is meant as one."""

BandRate = Annotated[float, Field(ge=0, le=WIDEST)]
"""A rate of a band, a fraction of emissions; a deficit of more than all emissions is one of all."""


class Band(Section):
    """How far a surplus rate (A - E)/E may go: from -lower to +upper, and never below no allowances at all."""

    lower: BandRate = Field(description="largest deficit rate, a fraction of emissions")
    upper: BandRate = Field(description="largest surplus rate, a fraction of emissions")


def _both_sides(value: object) -> object:
    """Let one number stand for both sides, and judge it as the one number it is."""
    if isinstance(value, dict | Band):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= WIDEST:
        what = f"is {brief(value)}, but should be a number from 0 to {WIDEST:g}, or {{lower, upper}}"
        raise ValueError(what, "Correct the value; 0.03 is 3 %.")
    return {"lower": value, "upper": value}


TARGET_KEYS = ("target_change", "target_intensity", "target_t")
"""Ways in which a target may be stated."""


class Target(Section):
    """A limit on a total of allowances, stated in one of several ways."""

    target_change: float | None = Field(None, gt=-1, le=1, description="change against emissions, a fraction")
    target_t: float | None = Field(None, ge=0, description="total of allowances [t]")

    @property
    def stated(self) -> list[str]:
        """Keys that state the target as a number."""
        return [key for key in TARGET_KEYS if getattr(self, key, None) is not None]

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if len(self.stated) > 1:
            what = f"states {' and '.join(self.stated)}, but a target is stated in one way only"
            raise ValueError(what, "Keep one of them.")
        return self


class SectorPolicy(Target):
    """A sector: its band, and its target over the units that are not fixed at A = E."""

    band: Annotated[Band, BeforeValidator(_both_sides)] | None = Field(
        None,
        description="band of the surplus rate: one number for both sides, or {lower, upper}; default the rule's",
    )
    target_intensity: float | None = Field(None, gt=0, description="allowances per tonne of output_t [t/t]")
    target_sense: Literal["at_most", "exactly", "none"] | None = Field(
        None,
        description="limit, equality, or no target; default at_most where a target is stated or the rule balances the "
        "sector (cn-2024, cn-2025, cn-2026), whose target is then its emissions; else none",
    )

    @model_validator(mode="after")
    def _none_is_no_target(self) -> Self:
        if self.target_sense == "none" and self.stated:
            what = f"states {self.stated[0]}, but target_sense is 'none', which is no target"
            raise ValueError(what, "Remove one of the two.")
        return self


class NationalPolicy(Target):
    """The total of allowances over every unit of every sector, fixed ones included."""

    target_sense: Literal["at_most", "exactly"] = Field("at_most", description="limit, or equality")

    @model_validator(mode="after")
    def _a_sense_of_some_target(self) -> Self:
        if "target_sense" in self.model_fields_set and not self.stated:
            raise ValueError("states target_sense, but no target", "State target_change or target_t, or remove it.")
        return self


class ProvincePolicy(Section):
    """The balance of a province: |sum of A - E| is at most this share of its emissions."""

    balance: Share | dict[str, Share] | None = Field(None, description="one share for all, or one for each province")


class ExceptionsPolicy(Section):
    """How many units may leave their band, and how far; a side that is no wider than their own leaves it as it is."""

    units: int = Field(0, ge=0, description="how many units may use the wider band")
    lower: BandRate = Field(0.10, description="largest deficit rate of such a unit, a fraction of emissions")
    upper: BandRate = Field(0.03, description="largest surplus rate of such a unit, a fraction of emissions")


class AllocationPolicy(Section):
    """What the allocation optimises, in which order, and on what the band stands."""

    objectives: list[Literal["change", "largest_change", "deficit", "spread"]] = Field(
        ["change", "largest_change"], description="levels in lexicographic order"
    )
    band_on: Literal["unit", "enterprise"] = Field("unit", description="who stays inside the band")
    intensity_order: bool = Field(False, description="a lower intensity never gets a lower surplus rate in its sector")
    integer_allowances: bool = Field(
        False, description="every allowance is a whole number of tonnes; in a fair order the real answer is rounded"
    )
    exceptions: ExceptionsPolicy = Field(
        ExceptionsPolicy(), description="a table: how many units may use a wider band, and which"
    )

    @property
    def rounds(self) -> bool:
        """Whether real allowances are rounded: an order of rates is one before rounding, which no whole tonnes keep."""
        return self.intensity_order and self.integer_allowances

    @model_validator(mode="after")
    def _each_level_once(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("names a level of objectives twice", "Keep one of them.")
        return self

    @model_validator(mode="after")
    def _no_exceptions_before_rounding(self) -> Self:
        if self.rounds and self.exceptions.units:
            what = "asks for intensity_order, integer_allowances and exceptions, but rounding may need other exceptions"
            raise ValueError(what, "Leave out one of the three.")
        return self
