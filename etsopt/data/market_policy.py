"""Sections of the policy that reach beyond the allocation of one year: horizon, abatement, market, penalty, pathway."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from etsopt.data.schema import SECTORS
from etsopt.data.section import (
    CALENDAR,
    Section,
    Yearly,
    YearlyAmount,
    YearlyFraction,
    YearlyShare,
)

CalendarYear = Annotated[int, CALENDAR]
Sector = Literal[SECTORS]  # type: ignore[valid-type]


class HorizonPolicy(Section):
    """The compliance years that a model looks at, and how it weighs them."""

    first_year: CalendarYear | None = Field(None, description="first compliance year; default year")
    last_year: CalendarYear | None = Field(None, description="last compliance year; default first_year")
    discount_rate: float = Field(0.05, ge=0, lt=1, description="real discount rate, a fraction a year")
    price_year: CalendarYear | None = Field(
        None, description="every CNY of every year is one of this year, those of measures too; default year"
    )


class OutputCutPolicy(Section):
    """A cut of output, as one more measure at every unit of a sector."""

    share: float = Field(gt=0, lt=1, description="fraction of the output, and so of the emissions, that is cut")
    margin_cny_per_t: float = Field(ge=0, description="what a tonne of output less costs [CNY/t]")


class AbatementPolicy(Section):
    """Which measures may be chosen, in which form, and how allowances answer to them."""

    no_regret: Literal["include", "exclude"] = Field(
        "include",
        description="measures that save money at no carbon price: part of every choice, or excluded, because their "
        "published costs do not explain why nobody took them",
    )
    divisible_measures: bool = Field(False, description="plans may be mixed: a linear program")
    follow_emissions_until: CalendarYear | None = Field(
        None,
        description="allowances up to this year follow the unit's own emissions under the rule, later ones are lump "
        "sums; default: all are",
    )
    output_cut: dict[Sector, OutputCutPolicy] = Field(
        {},
        description="by sector: a cut of output as one more measure, output_cut; once made it lasts to the last year",
    )


class MarketPolicy(Section):
    """The market of allowances and offsets: prices that are expected, supply and demand from outside."""

    prices_cny_per_t: YearlyAmount | None = Field(
        None,
        description="allowance price that price takers expect [CNY/t], by compliance year, which is settled in the "
        "next calendar year: that year's market price, in CNY of horizon.price_year",
    )
    transaction_cost_cny_per_t: float = Field(0.0, ge=0, description="cost of each side of a trade [CNY/t]")
    external_demand_t: Yearly = Field(
        0.0, description="net demand of sectors outside the instance [t], by year; negative is supply"
    )
    auctioned_t: YearlyAmount = Field(0.0, description="allowances auctioned beyond paid shares [t], by year")
    paid_share: YearlyFraction = Field(
        0.0, description="fraction of the free allowances that is auctioned instead, by year"
    )
    floor_price_cny_per_t: YearlyAmount | None = Field(
        None, description="price at which the reserve buys [CNY/t], by year; default none"
    )
    ceiling_price_cny_per_t: YearlyAmount | None = Field(
        None, description="price at which the reserve sells [CNY/t], by year; default none"
    )
    reserve_t: float = Field(
        0.0, ge=0, description="allowances in the reserve at the start [t]; what the floor takes in joins it"
    )
    borrow_pre_allocation: bool = Field(
        True, description="whether next year's allowances that are issued in advance may settle this year"
    )
    ccer_price_cny_per_t: YearlyAmount | None = Field(
        None, description="price of an offset (CCER) [CNY/t], by year; needed where there is supply"
    )
    ccer_supply_t: YearlyAmount = Field(0.0, description="offsets (CCER) on the market [t], by year")
    ccer_share: float = Field(0.05, ge=0, le=1, description="fraction of an obligation that offsets may settle")
    terminal_price_cny_per_t: float = Field(
        0.0, ge=0, description="worth of an allowance held after the last year [CNY/t], not discounted"
    )


class PenaltyPolicy(Section):
    """What a shortfall costs."""

    multiple: float = Field(5.0, ge=5, le=10, description="fine as a multiple of the reference price, 5 to 10")
    reference_price_cny_per_t: YearlyAmount | None = Field(
        None,
        description="average price of the month before the deadline [CNY/t], by year; without it no model allows a "
        "shortfall, and a compliance year with one needs it",
    )
    fixed_fine_cny: float | None = Field(
        None,
        ge=1_000_000,
        le=5_000_000,
        description="fine of an enterprise with a shortfall [CNY]; default that of the law at the deadline: 1,000,000, "
        "the least, for compliance years from 2025 on, which are due after 15 August 2026; none before",
    )
    deduction_share: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of a shortfall deducted from next year's allowances; default that of the law at the "
        "deadline: all of it for compliance years up to 2024, none from 2025 on",
    )


class CompliancePolicy(Section):
    """Which enterprises settle the year in a way of their own."""

    at_risk: list[str] = Field(
        [],
        description="enterprises whose allowances go to the account of the province, are surrendered first, and "
        "released as far as they remain; those with a closed unit are among them unnamed",
    )
    without_purchases: list[str] = Field(
        [], description="enterprises that buy no allowances: what they lack is a shortfall"
    )


class PathwayPolicy(Section):
    """How the allocation tightens over the years."""

    phase_2_from: CalendarYear = Field(2027, description="first year of the second phase")
    tightening: YearlyShare = Field(
        0.0, description="yearly fall of the balance value in the second phase, a fraction, by year"
    )
    band: YearlyShare | None = Field(
        None, description="cap of the surplus rate, a fraction, by year; default the rule's"
    )
    slope: YearlyAmount | None = Field(
        None, description="surplus rate per relative deviation from the balance value, by year; default the rule's"
    )
    paid_share: YearlyFraction = Field(0.0, description="fraction of the allowances that is paid for, by year")
    cap_from: CalendarYear | None = Field(None, description="first year under an absolute cap; default none")
    cap_change: float = Field(
        -0.01,
        gt=-1,
        le=1,
        description="yearly change of the absolute cap, a fraction, from the total of the year before cap_from",
    )
