"""Columns of the table of scenarios: states of the world among which nobody knows which one comes."""

from __future__ import annotations

from etsopt.common.language import _
from etsopt.data.tables.table import Column, Table


def scenarios_table(sectors: tuple[str, ...]) -> Table:
    """Return the table of scenarios, whose rows may be of one of these sectors."""
    return Table(
        "scenarios",
        _(
            "a state of the world from a year on, read by the model investment; a year holds until the next stated "
            "one of "
            "the same scenario and sector, and before the first one factors are 1"
        ),
        ("scenario", "sector", "year"),
        (
            Column("scenario", _("identifies the scenario"), required=True, identifier=True),
            Column(
                "sector", _("sector of the factors, which then follow its own rows alone; absent: all"), choices=sectors
            ),
            Column(
                "year",
                _("compliance year from which the row holds"),
                "year",
                number=True,
                required=True,
                at_least=2000,
                at_most=2100,
                whole=True,
            ),
            Column(
                "probability",
                _("probability of the scenario, the same in all its rows; those of all scenarios add up to 1"),
                "fraction",
                number=True,
                required=True,
                above=0,
                at_most=1,
            ),
            Column(
                "price_cny_per_t",
                _(
                    "allowance price, in CNY of horizon.price_year, in rows without a sector; absent: "
                    "market.prices_cny_per_t of the policy"
                ),
                "CNY/t",
                number=True,
                at_least=0,
            ),
            _factor("output_factor", _("output relative to units.csv and forecast.csv, at unchanged intensity")),
            _factor(
                "balance_value_factor", _("balance value of a self-balancing year relative to that of the instance")
            ),
            _factor(
                "allowance_factor", _("other allowances relative to those of the instance, such as by a benchmark")
            ),
        ),
    )


def _factor(name: str, meaning: str) -> Column:
    return Column(name, meaning, "fraction", number=True, above=0, at_most=1000, default=1.0)
