"""Check what the market models claim, from the mathematics on their pages, sharing nothing with them.

`baseline` is what lies before every unit, `choices` which measures it may take, `plans` what it took, `search` the best
of all its plans at some prices, `accounts` what enterprises may hold and deal, `bound` the lower bound of the cost,
`leaves` what proves that of whole plans, `restricted` the plans that are left there, `uplift` who would rather have
another plan, `shortage` what is missing where the market cannot clear, and `statements` what the tables must satisfy.
"""

from etsopt.checking.market.market import MARKETS, check_market
from etsopt.checking.market.prices import COST, UNMET
from etsopt.checking.market.unmet_demand import check_shortage

__all__ = ["COST", "MARKETS", "UNMET", "check_market", "check_shortage"]
