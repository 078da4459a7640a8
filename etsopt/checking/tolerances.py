"""Tolerances of the checker: numbers that decide whether figures are equal, zero or within a limit.

They are stated here and nowhere else, and shared with no model and no method of the solver. What computed numbers lose
by rounding is no tolerance: `etsopt.checking.arithmetic` bounds it. `etsopt.common.units` has the tolerances of
objectives.
"""

from __future__ import annotations

# Figures in tables

NUMBER_RELATIVE = 1e-9
"""Tolerance of a number relative to it, or to the sum of its parts: their rounding."""

TOTAL_TOLERANCE_T = 2e-2
"""Tolerance of a total, and amount by which a total may miss its limit: 20 kg [t]."""

UNIT_TOLERANCE_T = 1e-3
"""Amount by which an allowance may miss a bound, a kilogram [t]."""

RATE_TOLERANCE = 1e-8
"""Tolerance of a rate, and amount by which an order of rates may be missed. Answers are refined to it, since the solver
violates orders by more."""

RATE_ROW_TOLERANCES = {"intensity_order": RATE_TOLERANCE, "equal_rates": RATE_TOLERANCE}
"""Tolerance of the rows in rates, by their rule; all other rows are in tonnes."""

AMOUNT_TOLERANCE_CNY = 1.0
"""Tolerance of an amount in tables of markets and investments: a CNY [CNY]."""

CELL_TOLERANCE = {"t": TOTAL_TOLERANCE_T, "CNY": AMOUNT_TOLERANCE_CNY, "CNY/t": 1e-6, "units": 1e-6}
"""Tolerance of a number in tables of markets by its unit, beside that relative to it: prices and numbers without a unit
may be rounded."""

FAIRNESS_TOLERANCE = 1e-10
"""Tolerance of a measure of fairness, a share of one: the rounding of cumulative sums of millions of shares, far below
the 1e-5 of narrow bands."""

# Allowances

UNLIMITED_ALLOWANCE_FACTOR = 100.0
"""Multiple of the larger of emissions and reference that no allowance without a band exceeds: a proof needs a finite
bound."""

ROUNDING_EDGE_T = 1e-5
"""Tolerance of rounding edges: two orders of the same arithmetic differ by up to about 1e-7 t at 1e8 t."""

ALLOWANCE_ROUNDING_T = 1e-6
"""Rounding of a unit's allowance to doubles [t]: it makes no whole tonne and no loss."""

MOVE_START_DECIMALS = 3
"""Decimals to which tonnes are rounded before moves are measured: fractions of a kilogram are rounding."""

RELAXATION_MIN_T = 1e-3
"""Miss of a limit up to which nothing is relaxed [t]."""

WIDENING_MIN_RATE = 1e-9
"""Widening of a band up to which nothing is relaxed."""

# Proofs of allocations

ZERO_SLOPE_RELATIVE = 1e-9
"""Share of the steepest slope up to which a unit is indifferent, and of the largest dual up to which one is zero. It
serves the search for multipliers, which need no trust: a worse one loses bounds."""

LEAST_REFERENCE_SHARE = 1e-3
"""Share of emissions as which a smaller reference counts where changes are in proportion to the reference."""

PROOF_WEIGHT_SHARE_MIN = 1e-3
"""Share of all weights below which a unit has no part in the proof of the largest rate."""

TOTAL_RESOLUTION_RELATIVE = 1e-15
"""Resolution of an allocation relative to all emissions: totals are known no better."""

RATE_RESOLUTION_MAX_RELATIVE = 1e-6
"""Largest tolerance of the largest rate that the size of a unit is the reason of, relative to the rate."""

ROUNDING_GAP_RELATIVE = 1e-3
"""Gap, relative to the value, above which rounding is not the cause and no bound is repeated in rational numbers."""

JUST_SMALLER_RATE_FACTOR = 1 - 1e-13
"""First rate to rule out, relative to that of the answer: if the answer is optimal, no other need be tried."""

MISS_COMPARISON_FACTOR = 1 + 1e-6
"""Factor on the tolerances of an answer that covers the rounding of their comparison: infeasibility is proven beyond
all that an answer may miss."""

DIFFERENCE_ROUNDING_FACTOR = 1 + 1e-15
"""Factor that covers the rounding of a difference of two numbers."""

# Gaps that are accepted

WHOLE_GAP_RELATIVE = 1e-4
"""Largest relative gap that proves whole plans, whole tonnes and exceptions, unless the reader asks for another."""

WHOLE_GAPS_RELATIVE = {"review_plan": 1e-3}
"""Those of other theorems, to which their models are solved."""

REAL_GAP_RELATIVE = 1e-8
"""Largest relative gap of an objective without whole numbers that sizes over many decades leave to 64-bit numbers."""

# Programs of models of one's own

PROGRAM_MISS_RELATIVE = 1e-9
"""Share of its limit, less what whole numbers take of it, by which an answer may miss a row."""

CANCELLED_TERM_RELATIVE = 1e-12
"""Share of the largest term of a row without a limit to it by which an answer may miss it; solvers that refine their
answers miss less."""

WHOLE_ROW_MISS = 1e-6
"""Most by which an answer may miss a row of whole numbers alone, beside the rounding of its terms."""

NEGLECTED_TERM_RELATIVE = 1e-9
"""Share of what the columns of a row may reach that a solver neglects in it."""

# Markets

SHARE_EXCESS = 1e-8
"""Tolerance of the shares of a unit's plans for rounding."""

NO_COST_CNY_PER_T = 1e-10
"""Cost that counts as none [CNY per tonne of all emissions]: where nothing costs anything, rounding alone is left."""

REDUCED_COST_ROUNDING_RELATIVE = 1e-9
"""Reduced cost that counts as rounding, relative to the largest multiplier, and is repaired."""

PRICE_PROOF_RELATIVE = 1.01e-7
"""Demand, relative to emissions, with which price intervals and prices at other terminal prices are found, and relative
tolerance of their cost: a larger one would accept prices at which the market does not clear."""

PRICE_EQUALITY_RELATIVE = 1e-6
"""Difference of equal prices, relative to them and at least to 1 CNY/t."""

EMPTY_BANK_SHARE = 1e-6
"""Share of a year's emissions up to which a bank is empty, which then links no prices."""

OUTSTANDING_ROUNDING_T = 0.5
"""Outstanding tonnes up to which rounding is the cause, and there is no shortfall [t]."""

UPLIFT_TOLERANCE_CNY = 2.0
"""Tolerance of an uplift, below which none is reported [CNY]."""

UPLIFT_TOLERANCE_RELATIVE = 1e-8
"""The same relative to the unit's cash flows, of which an uplift is a difference."""

UNPROVEN_SPENDING_SHARE = 1e-9
"""Share of the spending of all enterprises that may remain unproven, before their plans are listed."""

OUTSIDE_PRICE_CHARGE_T = 1e15
"""Tonnes for which a price outside the transaction cost of the market prices is charged [t]: more than any other term,
so that it is chosen only where no price is inside."""

BALANCE_VALUE_EQUALITY_RELATIVE = 1e-8
"""Relative difference of a balance value derived again that counts as none."""

INTENSITY_MIN_RELATIVE = 1e-12
"""Least intensity of a plan relative to the largest, so that a balance value is defined."""

# Investments

BUDGET_EXCESS_RELATIVE = 1e-9
"""Relative excess of a budget that is rounding alone."""

MULTIPLIER_TOLERANCE = 1e-6
"""Tolerance of weights of scenarios and multipliers of budgets, which are numbers without a unit."""

BUDGET_PRICE_MAX = 1e12
"""Largest price of a budget that is tried [CNY/CNY]: none saves so many CNY by one more."""

# Reconciliation

UNCERTAINTY_MARGIN_RELATIVE = 1e-6
"""Part of an uncertainty that is added to it, so that rounding makes no gross error."""

AS_REPORTED_RELATIVE = 1e-9
"""Relative difference up to which a quantity is as it was reported."""

AS_REPORTED_OPEN_SHARE = 1e-3
"""Part of this difference within which it counts as both: rounding leaves open on which side it is."""

EVIDENCE_MISS_RELATIVE = 1e-9
"""Part of the terms of a sum by which a solver may miss a limit, beside a millionth of the uncertainty."""

ADJUSTMENT_TOLERANCE = 1e-6
"""Tolerance of an adjustment: a millionth of one uncertainty, or a billionth of the value."""

# Plans of reviews

DAYS_TOLERANCE = 1e-5
"""Largest distance of days from those recomputed, and from their limit [days]: days have six decimals."""

DAY_PARTS_ROUNDING = 1e-7
"""Distance from a multiple of parts of a day by the rounding of binary fractions alone; days have six decimals."""

SNAPPED_POINT_T = 1e-6
"""Distance from a kink or bound up to which the point of a unit on a segment is put there [t]. Any point is valid; one
that is off by the rounding of an answer would see a slope that the answer does not have."""

# Outlooks

BOUND_ROUNDING_RELATIVE = 1e-9
"""Part of an amount by which a cell in tonnes may be beyond its bound in millions of tonnes, and counts as at it."""

BANK_KEPT_MIN_T = 100.0
"""Least bank of the nation at the end of a year that ties its price to that of the next."""

CAP_MISS_TOLERANCE_RELATIVE = 1e-9
"""Part of the largest cap by which allowances whose free part follows output may be off it in a proven outlook: 8 t."""

AUCTIONED_SHARE_TOLERANCE = 1e-6
"""Distance of auctioned shares from those of the policy up to which both are the same."""
