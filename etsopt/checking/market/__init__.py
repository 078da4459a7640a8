"""Check the claims of the market models from the mathematics on their pages, without their code.

`baseline` derives the baseline of every unit, `choices` its measures, `plans` its plans in the tables, `search` its
best plan at given duals, `accounts` the limits of holdings and trades, `bound` the lower bound of the cost, `leaves`
the proof for whole plans, `restricted` the plans within a leaf, `combinations` the proof choice by choice, `uplift` the
units with a better plan at the prices, `closure` what sets the prices, `terminal_prices` those at other terminal
prices, `unmet_demand` the proof that the market cannot clear, and `statements` the
demands on the tables.
"""

from etsopt.checking.market.market import check_market
from etsopt.checking.market.unmet_demand import check_unmet_demand

__all__ = ["check_market", "check_unmet_demand"]
