"""Sections of the policy beyond the allocation of one year: horizon, abatement, market, penalty, pathway."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from etsopt.common.language import _
from etsopt.data.policy.section import (
    CALENDAR,
    AmountByYear,
    Section,
    Yearly,
    YearlyAmount,
    YearlyFraction,
    YearlyShare,
)
from etsopt.data.tables.schema import SECTORS

CalendarYear = Annotated[int, CALENDAR]
Sector = Literal[SECTORS]  # type: ignore[valid-type]


class HorizonPolicy(Section):
    """Compliance years of a model, and their weights."""

    first_year: CalendarYear | None = Field(None, description="first compliance year; default year")
    last_year: CalendarYear | None = Field(None, description="last compliance year; default first_year")
    discount_rate: float = Field(0.05, ge=0, lt=1, description="real discount rate, a fraction a year")
    price_year: CalendarYear | None = Field(
        None, description="price year of every amount in CNY, those of measures included; default year"
    )


class OutputCutPolicy(Section):
    """A cut of output, as an additional measure at every unit of a sector."""

    share: float = Field(gt=0, lt=1, description="fraction of the output, and so of the emissions, that is cut")
    margin_cny_per_t: float = Field(ge=0, description="cost per tonne of output cut [CNY/t]")


class AbatementPolicy(Section):
    """Measures that units may choose, and the response of allowances to them."""

    no_regret: Literal["include", "exclude"] = Field(
        "include",
        description="no-regret measures, which save money at price zero: part of every choice, or excluded, since "
        "published costs do not explain why they were not taken",
    )
    divisible_measures: bool = Field(False, description="a unit may mix plans: a linear program")
    output_cut: dict[str, OutputCutPolicy] = Field(
        {},
        description="by sector: a cut of output as an additional measure, output_cut; it lasts to the last year",
    )


class MarketPolicy(Section):
    """The market of allowances and offsets: expected prices, external supply and demand."""

    prices_cny_per_t: YearlyAmount | None = Field(
        None,
        description="allowance price that price takers expect [CNY/t], by compliance year: the market price of the "
        "next calendar year, in which its allowances are surrendered, in CNY of horizon.price_year",
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
        0.0, ge=0, description="allowances in the reserve at the start [t]; purchases at the floor price are added"
    )
    borrow_pre_allocation: bool = Field(
        True, description="next year's pre-allocated allowances may be surrendered for this year"
    )
    ccer_price_cny_per_t: YearlyAmount | None = Field(
        None, description="price of an offset (CCER) [CNY/t], by year; needed if there is supply"
    )
    ccer_supply_t: YearlyAmount = Field(0.0, description="offsets (CCER) on the market [t], by year")
    ccer_share: float = Field(0.05, ge=0, le=1, description="fraction of an obligation that offsets may meet")
    terminal_price_cny_per_t: float = Field(
        0.0, ge=0, description="value of an allowance banked after the last year [CNY/t], not discounted"
    )


class PenaltyPolicy(Section):
    """Costs of a shortfall."""

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
    """Enterprises with special conditions of compliance."""

    at_risk: list[str] = Field(
        [],
        description="enterprises under differentiated allocation: allowances go to the account of the province, are "
        "surrendered first, and the rest is released; enterprises with a closed unit are included unnamed",
    )
    without_purchases: list[str] = Field(
        [], description="enterprises that buy no allowances: their unmet obligation is a shortfall"
    )
    speculating: list[str] = Field(
        [],
        description="enterprises that may buy up to their whole obligation; others buy only the part that their "
        "allowances do not meet",
    )


class PathwayPolicy(Section):
    """Tightening of the allocation over the years."""

    phase_2_from: CalendarYear = Field(2027, description="first year of the second phase")
    self_balancing_until: CalendarYear | dict[Sector, CalendarYear] | None = Field(
        None,
        description="last year in which the allowances of a sector equal its emissions after abatement, of all sectors "
        "or by sector; later ones are lump sums. Default 2026 under cn, cn-2025 and cn-2026 for sectors that a plan "
        "balances, in clearing and abatement if the allocation does so too, on a path in phase 1. A year before "
        "the horizon is never",
    )
    tightening: YearlyShare = Field(
        0.0, description="yearly reduction of the balance value in the second phase, a fraction, by year"
    )
    band: YearlyShare | None = Field(
        None, description="cap of the surplus rate, a fraction, by year; default the rule's"
    )
    slope: YearlyAmount | None = Field(
        None, description="surplus rate per relative deviation from the balance value, by year; default the rule's"
    )
    paid_share: YearlyFraction = Field(0.0, description="fraction of the allowances under paid allocation, by year")
    cap_from: CalendarYear | None = Field(None, description="first year under an absolute cap; default none")
    cap_change: float = Field(
        -0.01,
        gt=-1,
        le=1,
        description="yearly change of the absolute cap, a fraction, from the total of the year before cap_from",
    )
    cap_t: AmountByYear | None = Field(
        None,
        description="absolute cap on all allowances by year [t], on straight lines between the stated years and "
        "constant after the last; none before the first; this or cap_from",
    )
    no_bank_from: CalendarYear | None = Field(
        None,
        description="first year into which no allowance is banked, so that it and later years emit no more than their "
        "own allowances and offsets: what is left at the end of the year before, and of later ones, lapses, and "
        "nothing is borrowed then; default none",
    )

    @model_validator(mode="after")
    def _one_cap(self) -> Self:
        if self.cap_t is not None and self.cap_from is not None:
            raise ValueError(
                _("states cap_t and cap_from"),
                _(
                    "Keep one of them: a cap by year, or one from a year on; on the command line "
                    "--set pathway.cap_from= removes the latter."
                ),
            )
        return self


class OutlookPolicy(Section):
    """The design of allocation that a national outlook asks about, and what it reports."""

    free_part: Literal["fixed", "output"] | None = Field(
        None,
        description="free allowances under a cap: fixed, whatever is produced, or following output, as benchmarks do; "
        "the model outlook needs it",
    )
    report_until: CalendarYear | None = Field(
        None,
        description="last year that counts as an answer; later ones of the horizon only keep its end away; default the "
        "last year",
    )
    highest_terminal_price_cny_per_t: float | None = Field(
        None,
        ge=0,
        description="largest plausible value of an allowance banked after the last year [CNY/t]: prices at it and at 0 "
        "are stated too; default none",
    )
    observed_price_cny_per_t: AmountByYear | None = Field(
        None,
        description="price of the market itself by compliance year [CNY/t], stated beside that of the outlook and no "
        "input of it; default none",
    )
