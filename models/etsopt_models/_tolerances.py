"""Tolerances of the models: numbers that decide whether figures are equal, zero or within a limit.

The checker has its own (`etsopt.checking.tolerances`). Where a method has to satisfy one of those, its own is no
larger, and says so. `etsopt.common.units` has the tolerances of objectives.
"""

from __future__ import annotations

import math

# Sums, and rounding to whole tonnes

LIMIT_ROUNDING_RELATIVE = 1e-14
"""Rounding of a limit in tonnes, relative to it, beside `etsopt.common.units.ROUNDING_NOISE_T`; it counts as no tonne.

At 1e9 t it adds ten times the noise of a single unit."""

CELL_LIMIT_ROUNDING_RELATIVE = 1e-13
"""Rounding of a sum over aggregated units, relative to the sum of its absolute terms; limits are wider by it.

Without it rounding would make an objective infeasible whose rows earlier objectives have fixed."""

PART_ROOM_ROUNDING_RELATIVE = 1e-14
"""Room of a part of a cell that is rounding, relative to the lower ends in the largest of its rows.

As a bound, what rounding leaves of a kink at an end would be out of all proportion to the room beside it."""

DUAL_PROOF_ROUNDING_RELATIVE = 1e-12
"""Rounding of a sum of terms of duals, relative to the sum of their absolute values; a sum no larger proves nothing.

A larger one would leave rates and choices open that are excluded, and cost rounds; a smaller one would exclude some by
rounding."""

RATE_TONNES_ROUNDING_RELATIVE = 1e-12
"""Relative rounding of a rate times emissions: within it a whole tonne counts as reached. Without it a rate that a
whole tonne needs would not reach that tonne."""

MOVE_START_DECIMALS = 3
"""Decimals of the tonnes from which moves to whole tonnes are measured: less than a kilogram is rounding, which must
break no tie."""

LIMIT_EXCESS_T = 1e-3
"""Excess over limits that is rounding, a kilogram [t]: a smaller one is no relaxation and no infeasibility, and sends
no enterprise to trade again."""

AT_BOUND_TOLERANCE_T = 1e-3
"""Distance from a bound of its band up to which an allowance is at it [t]; the checker takes the same for a bound."""

# Objectives of an allocation

ZERO_SLOPE_RELATIVE = 1e-9
"""Share of the steepest slope up to which units are indifferent, and of the largest dual up to which a dual is zero. A
larger one lets later objectives worsen an earlier one, a smaller one fixes units by rounding."""

LARGEST_RATE_RISE_RELATIVE = 1e-14
"""Relative rise of the largest rate at which the rounds over cells stop; some dozens of units in the last place."""

PART_CHANGE_MIN_RATE = 1e-6
"""Least rate by which the bounds let every part of a cell change: if all are at their references but for rounding,
changes with tighter bounds would be negligible beside the rate in rows with both."""

TONNE_GAIN_RELATIVE = 1e-9
"""Gain from a whole tonne, relative to the cost of a tonne of the smallest unit, that counts as none. A smaller one
would have units move by rounding, round after round."""

TONNE_COST_ROUNDING_RELATIVE = 1e-11
"""Cost of a tonne, relative to that of the smallest unit, within the rounding of the duals: it is zero, or rounding
would break ties."""

EARLIER_OBJECTIVES_MISS_T = 1e-2
"""Violation of a row that the tie-break accepts because of the rounding of earlier objectives [t]; the checker allows
twice as much."""

EARLIER_OBJECTIVES_MISS_RATE = 1e-8
"""The same of a row of rates, where it is the checker's tolerance."""

# Projection

ALLOWANCE_ROUNDING_LAST_PLACES = 8
"""Units in the last place of an allowance that are rounding: some billionths of a tonne."""

POLISHED_VIOLATION_MAX_T = 1.0
"""Largest violation of a total that is removed as rounding [t]; a larger one is none, and stays visible."""

POLISHING_ROOM_PER_VIOLATION = 1e3
"""Room within its interval that a unit needs to move, and largest move, relative to the violation that moves remove: so
no move reaches the end of an interval."""

REDUNDANT_ROW_RELATIVE = 1e-9
"""Relative difference from a sum of other rows up to which a row is redundant, and its violation rounding."""

PROXIMAL_ROUND_SLOPE_RELATIVE = 0.1
"""Slope, relative to that of the parabola, at which a round of the proximal method ends. A smaller one costs steps
within the round, a larger one rounds."""

PROXIMAL_SLOPE_ROUNDING_RELATIVE = 1e-9
"""Slope, relative to the steepest at duals of zero, that is rounding if a step no longer halves it. A smaller one would
have a round step on without any gain."""

PROXIMAL_MISS_RELATIVE = 1e-15
"""Violation of a row, relative to the sum of its absolute terms, at which the proximal method stops: a few units in the
last place."""

NEWTON_MISS_RELATIVE = 1e-13
"""The same at which Newton's steps alone suffice: one more step then removes the rounding."""

LINE_SEARCH_SLOPE_RELATIVE = 0.1
"""Slope, relative to the first, at which the line search ends. A smaller one costs bisections, a larger one Newton
steps."""

# Plans and shares

FRACTIONAL_SHARE_MIN = 1e-7
"""Share of a plan above the solver's rounding, which is 1e-10 in rows of tens of thousands of plans."""

CHOSEN_SHARE_MIN = 1e-9
"""Least share of a chosen plan, or of a response in a mixture; less is rounding."""

CHOSEN_INTEGER_MIN = 0.5
"""Threshold of a choice: the solver's integers differ from 0 and 1 by rounding."""

COEFFICIENT_SHARE_MIN = 1e-9
"""Share of a year's emissions below which the solver drops the coefficients of a plan."""

PLAN_GAIN_RELATIVE = 1e-11
"""Gain of a plan over those at hand, relative to its value, that is rounding alone."""

PRICE_END_GAIN_RELATIVE = 1e-9
"""Gain of a plan over the reference plan at an end of a price interval, relative to its value, that is rounding alone.

It is larger than that over plans at hand, because these multipliers come from a program that holds the reference plan
within the solver's tolerance only."""

PRICING_GAIN_RELATIVE = 1e-10
"""Gain of all plans together, relative to the cost, that counts as none: column generation ends."""

PROOF_GAP_SHARE = 0.9
"""Part of the gap that the search for whole plans uses, so that rounding does not decide the check."""

CORE_GAP_SHARE = 0.01
"""Part of the requested gap at which branch and bound of the core of enterprises stops: what their prices leave open
needs the remainder."""

UPLIFT_MIN_CNY = 1.0
"""Uplift below which a unit is not reported [CNY]: less is rounding, since values reach a billion."""

# Market balance and prices

UNMET_TOLERANCE_T = 2e-2
"""Unmet demand up to this is rounding: the tolerance of a total [t]."""

NOTICED_UNMET_SHARE = 1e-9
"""Share of a year's emissions that costs, unmet, as much as is unproven: the charge by which multipliers of unmet
demand join those of the cost."""

SUPPLY_WITHHELD_RELATIVE = (0.0, 1e-9, 1e-8)
"""Supply withheld in turn, relative to all emissions, so that chosen plans clear the market: in a row of billions the
solver tolerates some tonnes."""

TYPICAL_PRICE_CNY_PER_T = 100.0
"""A typical price of an allowance, by which costs are scaled for the solver's tolerances; only its order of magnitude
matters [CNY/t]."""

PRICE_BOUND_CNY_PER_T = 1e5
"""Bound of every price in the programs and searches of prices [CNY/t]. A price this high is none: no row limits it."""

UNLIMITED_PRICE_MIN_CNY_PER_T = PRICE_BOUND_CNY_PER_T * (1 - 1e-6)
"""Size from which on a multiplier of a row that is no balance is free of any limit [CNY/t]: the solver returns the
bound within its tolerance."""

GROUP_VALUE_BOUND_CNY_PER_T = 1e9
"""Bound of the value of a group of enterprises per tonne of it in a year; none reaches it [CNY/t]."""

PRICE_EQUALITY_RELATIVE = 1e-6
"""Difference up to which prices are the same, relative to the price and at least to 1 CNY/t: the solver's multipliers
repeat that closely."""

TRADED_PRICE_EQUALITY_RELATIVE = 1e-10
"""Difference, relative to the largest price, up to which the prices at which an account trades are the same.

It covers the rounding of sums of prices and transaction costs, and not that of a solver: prices a transaction cost
apart are made so by addition (`steady_prices`)."""

PRICE_CHANGE_RELATIVE = 1e-3
"""Change of prices, relative to the highest, at which corrections of a sample stop; all units are priced later
anyway."""

PRICE_PROOF_RELATIVE = 5e-8
"""Share of the cost, and of a year's emissions at the prices, within which other prices are proven as those of the same
market: an end of a price interval, or prices at another terminal price. It is half of what the checker accepts."""

FLOW_AT_BOUND_RELATIVE = 1e-7
"""Least distance of a flow from its bounds, and slack of a row, relative to the emissions of a typical unit. A smaller
one would take the solver's rounding for room, and fix a price that may move."""

EMPTY_BANK_SHARE = 1e-6
"""Bank that counts as empty, as a share of the year's emissions before abatement. A smaller one would take the solver's
rounding for a bank, which links the prices of two years."""

OUTSTANDING_ROUNDING_T = 0.5
"""Outstanding obligations up to this are rounding, and no shortfall [t]."""

OUTSTANDING_PRICE_ROUNDING_RELATIVE = 1e-6
"""Relative excess of a stated price over the cost of an outstanding tonne that is rounding alone."""

# Accounts of enterprises

BOUND_GAIN_RELATIVE = 5e-8
"""Relative gain of the bound from better prices at which the search for prices of all enterprises stops. A smaller one
costs passes over all of them, a larger one leaves a larger gap."""

SAMPLE_BOUND_GAIN_RELATIVE = 1e-6
"""The same for a sample, whose prices only start the search for those of all: a smaller one costs passes over the
sample, a larger one passes over all."""

IMBALANCE_RELATIVE = 1e-7
"""Imbalance that the mixture of responses may leave, relative to all emissions of a year: the core absorbs it."""

RESPONSE_GAP_RELATIVE = 1e-11
"""Largest gap of an enterprise's response that counts as converged, relative to its cost. Of the others plans are
enumerated."""

MIXTURE_SAVINGS_RELATIVE = (5e-7, math.inf)
"""Saving by mixtures of plans allowed in the core at first, relative to the total value, and if it stays unproven: an
enterprise with a larger saving may be the one that the others need."""

FLOW_REACH_MARGIN_RELATIVE = 1e-6
"""Extra reach of flows in the core, relative to all emissions: the relaxation keeps its rows within rounding."""

# Balance values

BALANCE_VALUE_EQUALITY_RELATIVE = 1e-9
"""Relative difference of balance values, and of emissions, of two passes that counts as none."""

INTENSITY_MIN_RELATIVE = 1e-12
"""Least intensity of a plan, relative to the largest: a balance value needs a positive one."""

INTENSITY_LEFT_MIN_SHARE = 1e-9
"""Least share of intensity that measures leave: at zero every balance value would give the full surplus. It is also the
weight of a unit without emissions [t], so that a balance value stays defined."""

RESPONSE_TIE_RELATIVE = 1e-12
"""Difference of the values of sets of measures, relative to the largest value, up to which they are equally good."""

RESPONSE_EDGE_RELATIVE = 1e-12
"""Relative distance from a change of response within which a balance value is at it: the unit is indifferent."""

SURPLUS_ROUNDING_RELATIVE = 1e-9
"""Error of running sums of surpluses, relative to all emissions; pieces that pass are confirmed exactly."""

# Investment, reconciliation and plans of reviews

SCENARIO_COST_MARGIN_SHARE = 0.01
"""Part of its range by which the bounds of a scenario's cost are wider, so that they exclude nothing by rounding."""

UNCERTAINTY_MARGIN_RELATIVE = 1e-6
"""Part of an uncertainty by which a distance may exceed it through rounding; the checker adds the same."""

AS_REPORTED_RELATIVE = 1e-9
"""Relative difference up to which a quantity counts as it was reported."""

DAY_DECIMALS = 6
"""Decimals to which days of reviews are rounded, as the checker rounds them: days that differ by less are the same."""

ENTERPRISE_COUNT_ROUNDING = 1e-9
"""A share of the enterprises this close above a whole number is that number."""

MISSING_DAYS_MIN = 1e-6
"""Missing days up to this are none [days]: the last decimal of days."""

PINNED_INTERVAL_T = 1e-9
"""Width of an interval up to which its unit is pinned in a region of a curve [t]: wider, and a unit that multipliers hold
would count as free, so that prices move with it."""

AT_END_RELATIVE = 1e-12
"""Share of its unbounded answer by which a unit may be beyond the end of its interval and still count as inside, at a
point where regions of a curve meet and no prices are found otherwise."""

DEPENDENT_ROW_RELATIVE = 1e-11
"""Singular value, relative to the largest, below which a row of a region is a sum of others, whose price is free."""

MOVING_SIDES_MISS_RELATIVE = 1e-6
"""Miss of the moving sides of rows, relative to the largest move, above which no prices follow them: the point that was
solved is degenerate, and another one is tried."""

MOVING_SIDES_ROUNDING_RELATIVE = 1e-12
"""The same, relative to the moves of side and units that cancel where no unit is between its ends."""

MARGIN_SLOPE_MIN = 1e-9
"""Slope of a margin, in tonnes or prices over the whole box, up to which it is rounding, and bounds no region."""

# Outlook

CAP_MISS_RELATIVE = 1e-10
"""Distance of allowances from the cap at which the search of those that do not follow output ends, relative to the largest
cap: a tonne in ten thousand million."""

MADE_RELATIVE = 1e-9
"""Part of the most that is demanded by which a least output may be above it: rounding of sums of sources."""

KEPT_MIN_T = 100.0
"""Least bank of the nation at the end of a year that ties its price to the next: a hundred-millionth of emissions."""
