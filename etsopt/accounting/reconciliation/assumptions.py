"""Assumptions of reconciliation, in one place: uncertainties by kind of meter, and the width of usual ranges.

All uncertainties are expanded ones (twice the standard deviation) of a month's quantity. The guideline of steel states
the class of meters alone (belt scales and liquids 0.5, gases 2.0); all other figures are assumptions of this package
and have confidence C. A report states its own by the column ``uncertainty_rate``.
"""

from __future__ import annotations

from typing import NamedTuple


class Assumption(NamedTuple):
    """A figure with its unit, meaning, source and confidence."""

    value: float
    unit: str
    meaning: str
    source: str
    confidence: str


CLASSES = "CETS-AG-03.01-V01-2024: class of the meter; stock-taking and moisture added by assumption"
TIERS = "assumption beside the tiers of Regulation (EU) 2018/2066, annex II, for large fuel streams: 1.5 to 7.5 %"
OWN = "assumption of this package"

ASSUMPTIONS = {
    "solid": Assumption(0.015, "fraction", "solid fuels, anodes and outputs, by belt scales", CLASSES, "C"),
    "liquid": Assumption(0.015, "fraction", "liquid fuels", CLASSES, "C"),
    "gas": Assumption(0.04, "fraction", "gases", CLASSES, "C"),
    "minor": Assumption(0.05, "fraction", "materials and deductions, by invoices", TIERS, "C"),
    "calorific": Assumption(0.015, "fraction", "added for the calorific value of a fuel", OWN, "C"),
    "purchase": Assumption(0.02, "fraction", "purchases less the change of stock, of a usual month", TIERS, "C"),
    "purchase_alone": Assumption(0.3, "fraction", "purchases without stocks, of a usual month", OWN, "C"),
    "fuel_balance": Assumption(0.2, "fraction", "fuel used beyond that bought and made: stocks", OWN, "C"),
    "steel_balance": Assumption(0.05, "fraction", "steel that leaves beside that made", OWN, "C"),
    "balance_beyond": Assumption(0.05, "fraction", "uncertainty of the range of a balance", OWN, "C"),
    "usual_calorific": Assumption(
        0.03, "fraction", "calorific value of a purchase: the usual one of the year", OWN, "C"
    ),
    "monitor": Assumption(0.1, "fraction", "emissions of a month by a stack monitor", OWN, "C"),
    "doubtful": Assumption(0.5, "fraction", "figures that are copies or end alike, by screening", OWN, "C"),
    "usual_spreads": Assumption(4.0, "spreads", "range of a ratio of the unit's other months", OWN, "C"),
    "peer_spreads": Assumption(5.0, "spreads", "range of a ratio of peers", OWN, "C"),
    "peer_factor": Assumption(1.5, "factor", "of the peers' ratio, within which no unit is implausible", OWN, "C"),
    "activity_margin": Assumption(0.3, "fraction", "output beyond the least and largest of the other months", OWN, "C"),
    "usual_beyond": Assumption(0.5, "of the report's", "uncertainty of the range of a usual ratio", OWN, "C"),
    "peer_beyond": Assumption(0.05, "of the report's", "uncertainty of the range of peers", OWN, "C"),
    "limit_beyond": Assumption(0.02, "of the report's", "uncertainty of a physical limit", OWN, "C"),
    "activity_beyond": Assumption(0.05, "fraction", "uncertainty of the range of output", OWN, "C"),
    "substitute_factor": Assumption(2.0, "factor", "of the median, beyond which no figure is a substitute", OWN, "C"),
    "usual_months": Assumption(0.5, "fraction", "least share of months of an item", OWN, "C"),
}
"""Figures by name. The uncertainties of ranges give their order: limits prevail over peers, peers over a usual ratio,
this over a single report, and a report over the range of output."""

FEWEST_MONTHS, FEWEST_PEERS = 4, 6
"""Fewer other months, or units of the sector, state no usual ratio."""

LEAST_SPREAD = 0.003
"""Least relative spread of a ratio."""


def figure(name: str) -> float:
    """Return the value of an assumption."""
    return ASSUMPTIONS[name].value
