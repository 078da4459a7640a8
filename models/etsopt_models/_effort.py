"""Effort of the models: numbers that bound work, and the sizes from which on another method is used.

None of them decides which answer is right: with other numbers a method takes longer, finds another answer within its
gap, or proves less and says so.
"""

from __future__ import annotations

import math

# Aggregation of units into cells

AGGREGATED_CELLS_MAX = 2_000
"""Cells above which aggregation pays only if each has `AGGREGATED_UNITS_PER_CELL_MIN` units on average."""

AGGREGATED_UNITS_PER_CELL_MIN = 4
"""Units of a cell on average that make aggregation into very many cells pay."""

COUNTED_CODES_PER_UNIT_MAX = 4
"""Possible cells per unit above which cells are found by sorting, not by counting, whose array has one entry for
each."""

CELL_RATE_ROUNDS_MAX = 200
"""Most rounds of the largest rate over cells. The rate rises to that of all units from below, so that fewer could leave
it too small."""

# Whole tonnes

WHOLE_TONNES_ROUNDS_MAX = 100
"""Most rounds of the largest rate in whole tonnes, by units or over cells, and of the closest whole tonnes over cells.
After them branch and bound takes over, or over cells the solve ends without an answer."""

RATE_HALVINGS_MAX = 200
"""Most halvings of the interval of a rate. Neighbouring numbers, or few enough steps of units, end them before."""

RATE_STEPS_ENUMERATED_MAX = 100_000
"""Steps of units by a tonne, between two rates, up to which they are enumerated."""

MOVERS_FIRST_PER_CELL = 32
"""Units of each cell that may move at first in whole tonnes, up and down; four times as many each time they are few.
More make the first program larger, fewer cost rounds."""

MOVERS_JOINING_MAX = 2_000
"""Most units that join those that may move at once; of more, which are alike, only the first of each cell are
needed."""

MOVERS_MAX = 10_000
"""Units that may move beyond which, since very many are alike, the integer answer meets the rows but is not proven
closest."""

PROJECTION_TONNES_ROUNDS_MAX = 40
"""Most rounds of the closest whole tonnes by units; after them any whole point is taken, and its bound is zero."""

PROJECTION_REACH_FIRST_T = 2.0
"""First tonnes up and down for each unit [t]: each is a column of the program, and most units need no more."""

PROJECTION_REACH_FACTOR = 4.0
"""Factor of these for a unit that needs more."""

# Exceptions

EXCEPTION_ROUNDS_MAX = 200
"""Most rounds of the search for exceptions, of which each tests a choice; after them branch and bound takes over."""

EXCEPTION_UNITS_TRIED_MAX = 300_000
"""Most units that the search for the first choice adds to choices before it stops; then branch and bound takes over."""

EXCEPTION_CHOICES_MAX = 100_000
"""Most choices of exceptions for which the smallest relaxation is bounded one by one: all are held at once, and the
checker looks at as many. Of more, the relaxation of the whole program is stated, which proves less."""

EXCEPTION_CHOICES_SOLVED_MAX = 300
"""Most of these choices that are solved before the relaxation of the whole program is stated."""

# Projection

DENSE_SYSTEM_ROWS_MAX = 300
"""Rows up to which a dense matrix is faster than a sparse one, and scipy, slow to load beside Pyomo, is not needed."""

PROXIMAL_RIDGE_FIRST = 1e-4
"""First parabola of the proximal method, relative to the curvature. With one of 1e-8 duals of redundant rows become so
large that their rounding costs the certificate."""

PROXIMAL_RIDGE_MIN = 1e-13
"""Least parabola: below it is lost in rounding."""

PROXIMAL_RIDGE_MAX = 1.0
"""Largest parabola: as curved as the function where all units move."""

PROXIMAL_ROUNDS_MAX = 60
"""Most rounds of the proximal method, after which the answer says that it stopped short. Half or twice as many of this
and of the two below change the total steps by 5 % over 447 random instances of 1 to 400 units."""

PROXIMAL_STEPS_MAX = 40
"""Newton steps after which a round ends and the parabola rises."""

PROXIMAL_STEPS_FEW = 8
"""Newton steps of a round up to which the parabola falls."""

PROXIMAL_ROUNDS_WITHOUT_GAIN_MAX = 2
"""Rounds without much gain, at the least parabola, after which the method stops."""

LINE_SEARCH_HALVINGS_MAX = 60
"""Most halvings of a step: after them it is below the last place of its first length."""

LINE_SEARCH_START_SHARE = 1e-3
"""Share of a step that counts as its start, within which a dual that becomes negative goes to zero and moves no
other."""

POLISHING_ROUNDS_MAX = 3
"""Rounds of moves onto limits; each removes what the one before has rounded."""

POLISHING_WORK_MAX = 1e8
"""Rows squared times columns up to which one dense system gives the moves; it takes a tenth of a second."""

# Columns: sampling and fixing of units

SAMPLE_UNITS_MAX = 1_500
"""Units of a sample: their program is solved within hundredths of a second. Smaller markets need none."""

SAMPLE_CORRECTIONS_MAX = 6
"""Most corrections of a sample by the responses of all units; mostly three or four suffice."""

FIXING_STAGES_MAX = 3
"""Most stages of fixing units, each with a sample of those that are free. Each costs the responses of all of them."""

FREE_UNITS_MAX = 3_000
"""Number of free units at which fixing stops. Fewer would cost another stage, more are in every program that
follows."""

FREE_UNITS_MIN = 300
"""Least number of free units: fewer might not absorb what the others leave, and then all would be priced."""

PRICE_DISTANCE_FACTOR = 8.0
"""Factor of the distance of the prices on either side while too few units are free. A larger one may free more than are
needed, a smaller one costs responses of all units."""

PRICE_DISTANCE_STEPS_MAX = 7
"""Most steps of this factor: together they reach two million times the first distance."""

PRICE_DISTANCE_MIN_RELATIVE = 1e-6
"""Least distance of the prices on either side, relative to the price, from which on the factor counts."""

PRICED_TRANSACTION_COSTS = (-1.0, 1.0, -2.0, 2.0)
"""Distances from the price, in transaction costs, at which other plans are priced: a buyer pays one more, a seller gets
one less, and an enterprise that does either with different plans lies between."""

# Columns: prices and their intervals

PRICING_ROUNDS_MAX = 400
"""Most rounds of pricing; the slowest of some thousands of markets took a tenth."""

PRICE_INTERVALS_MAX_ACCOUNT_YEARS = 2_000
"""Accounts times years up to which price intervals are computed: two hundred enterprises over ten years take
seconds."""

PRICE_END_ROUNDS_MAX = 200
"""Most rounds in which plans join as cuts at an end of a price interval; after them the end is not stated."""

# Columns: whole plans

ROUNDED_UNITS_MAX = 12
"""Fractional units that try other plans when the relaxation is rounded, the largest first. A market of a few years has
no more fractional units than rows that couple them."""

ROUNDED_PLANS_MAX = 24
"""Plans that each of them tries at most, those of least reduced cost first."""

ROUNDING_TURNS_MAX = 2
"""Turns in which all of them try: a second one finds what the first has made possible."""

DIVE_ROUNDS_MAX = 60
"""Most rounds in which the largest fractional units are fixed and prices found again."""

DIVE_FIXES_ONE_IN = 2
"""One in how many fractional units is fixed at a time, the largest first."""

LISTED_PLANS_FAST_MAX = 2_500
"""Plans among which branch and bound takes a second mostly, if trading is free: it comes before the tree."""

LISTED_PLANS_OF_ACCOUNTS_FAST_MAX = 1_000
"""The same with accounts of enterprises, whose rows and trades are part of the program."""

LISTED_PLANS_MAX = 20_000
"""Plans among which branch and bound takes half a minute. Among 5,000 plans of 15,000 units it did, while the tree
found better plans in two seconds: so a part of the tree comes before."""

REDUCED_COST_LIMIT_FACTOR = 0.25
"""Factor of the limit of the reduced cost while plans are too many; a better answer then leaves fewer."""

RETRADING_MAX_ACCOUNT_YEARS = 1_000
"""Accounts times years up to which all accounts trade again when plans are chosen; beyond, those of the units that
choose."""

OWNER_PLANS_MAX = 20_000
"""Most near-optimal plans listed for one unit or account; the checker lists as many. More need memory for a proof that
the checker does not follow."""

ENUMERATED_PLANS_MAX = 2_000_000
"""Most listed for all together; beyond it, the owners with most are not listed."""

COMBINED_PLANS_FACTOR = 4
"""Combinations formed at most, relative to those kept, before those beyond the budget are dropped."""

TREE_WORK_UNITS_MAX = 60_000_000
"""Most units priced in all nodes of the tree, about a minute; at most 24,000 nodes."""

TREE_NODE_WORK_UNITS = 2_500
"""Units as which a node counts, whatever its size: what the solver takes for it."""

TREE_PLAN_WORK_UNITS = 2
"""Units as which a plan at hand counts."""

TREE_ACCOUNT_YEAR_WORK_UNITS = 30
"""Units as which an account in a year counts."""

TREE_SETS_PER_WORK_UNIT = 16
"""Sets of measures that count as one unit."""

TREE_ROUNDED_NODES = 8
"""Nodes rounded at first, and one in how many after them: later ones seldom find an improvement."""

TREE_FIRST_WORK_SHARE = 0.01
"""Part of the tree's work done before combinations are tried: most trees end within it."""

TREE_STAGES = ((LISTED_PLANS_FAST_MAX, 0.2), (LISTED_PLANS_MAX, 1.0))
"""Most plans enumerated for the solver, and part of the tree's work done after it. With many units the tree mostly ends
within a second, while the solver would take half a minute. With accounts of enterprises the tree seldom finds plans, so
the solver chooses at once."""

COMBINATION_SUMS_MAX = 15_000_000
"""Sums of parts of combinations at a time, by vector of multipliers: half of what the checker allows."""

COMBINATION_WORK_MAX = 30_000_000
"""The same of all parts in turn: half of what the checker allows."""

COMBINATION_VECTORS_MAX = 24
"""Vectors of multipliers tried: three quarters of what the checker allows."""

# Accounts of enterprises

TREE_AT_ONCE_MAX_ACCOUNT_YEARS = 1_000
"""Accounts times years up to which the tree is searched at once, since it is fast enough; beyond, a master with all
accounts takes minutes, and prices by enterprise seconds."""

SINGLE_PROGRAM_MAX_ACCOUNT_YEARS = 50_000
"""Accounts times years up to which one program holds all of them if the core is not proven; beyond, the core's answer
is kept with its gap."""

SAMPLE_ENTERPRISES_MIN = 2_000
"""Least number of enterprises in a sample; fewer than twice as many are priced at once."""

SAMPLE_ONE_IN_ENTERPRISES = 20
"""One in how many enterprises a second, larger sample takes, if that is more than twice the first."""

PRICE_BOX_WIDTHS_RELATIVE = (0.1, 0.02)
"""First half-width of the box of prices, relative to the largest price, for a first sample and for larger populations.
The prices of a sample are nearer to those of all than the constant price with which it begins."""

PRICE_BOX_FACTORS = ((0.7, 2.5), (0.4, 1.5), (0.0, 1.0), (-math.inf, 0.4))
"""Least share of the promised gain that the bound attained, and the factor by which the box then widens. A promise that
is kept widens it, a broken one narrows it."""

PRICE_PASSES_MAX = 150
"""Most passes over all enterprises; if the market has not cleared after them, one program holds all accounts."""

CONSTANT_PRICE_MIN_CNY_PER_T = 1e-2
"""Least constant price found by bisection, which starts the search [CNY/t]; the largest is the bound of prices."""

CONSTANT_PRICE_BISECTIONS = 12
"""Steps of that bisection, which halves the ratio of the ends: they leave half a percent of the price, a twentieth of the
first box about it."""

ENTERPRISE_GROUPS = 32
"""Groups of enterprises, each with its own mixture of responses. A pass adds a row for each group: more of them make a
larger program, and fewer have coarser mixtures."""

RECENT_RESPONSES_KEPT = 6
"""Recent responses whose plans are kept beside those in the mixture. Each holds the sets of all units."""

ENTERPRISE_RESPONSES_MAX = 3
"""Times that multipliers and plans of an enterprise respond to each other, before they are bisected and enumerated."""

ENTERPRISE_PRICE_HALVINGS = 8
"""Steps of that bisection."""

NEARBY_PRICE_DISTANCE_TIMES_ENTERPRISES = 100
"""Relative distance of prices, times the number of enterprises, between which about as many change plans as the core
holds."""

NEARBY_PRICE_DISTANCE_MAX = 0.2
"""Largest relative distance of these prices. It holds for few enterprises."""

CORE_ENTERPRISES = 80
"""Enterprises of the core that lose least by other plans, and as many that move most by them. More take longer in
branch and bound, fewer leave the core unproven."""

CORE_TRADERS = 40
"""Enterprises of the core that trade most."""

CORE_NODES_MAX = 500
"""Most nodes of branch and bound of the core; after them its best choice has to be within the gap."""

RETRADING_ENTERPRISES_MAX = 2 * CORE_ENTERPRISES
"""Most enterprises beyond their limits that trade again in the core; for more the whole program is solved."""

# Balance values that repeat

BALANCE_PASSES_MAX = 20
"""Most passes; the balance values of a market that needs more are reported as those that do not repeat."""

PLAIN_BALANCE_PASSES = 3
"""Passes before the price of the others is sought: most markets need one or two."""

BALANCE_STARTS = (0.9, 0.8)
"""First balance values of further attempts where passes come back in a cycle, as shares of those before abatement: 2 of
2,000 random markets reach a fixed point from these alone."""

# Investment

INVESTMENT_COMBINATIONS_MAX = 200_000
"""Combinations of an enterprise, times scenarios, up to which each is computed: a hundredth of a second."""

EXTENSIVE_FORM_CELLS_MAX = 200_000
"""Numbers of operations in each scenario and year up to which the extensive form is built, in about a second."""

# Parts that stay in the processor's cache

CELLS_AT_ONCE = 2**16
"""Units times sets held at one time, so that they stay in the processor's cache."""

PLANS_AT_ONCE = 2**14
"""Plans whose quantities are computed at one time."""

ACCOUNTS_AT_ONCE = 4096
"""Accounts computed together, so that they stay in the processor's cache."""

# Outlook

SHARE_ROUNDS = 4
"""Rounds in which the share of the rule's allowances that follow output moves; after three it alternates."""

VOLUME_STEPS = 60
"""Most steps in which the rest of the cap is sought; about 20 are taken, a hundredth of a second each."""

VOLUME_MEMORY = 9
"""Last steps from which Anderson's method takes the next."""

RATE_STEPS_MAX = 50
"""Steps to the largest rate that duals state; each but the last leaves a unit behind that the rate no longer holds."""
