"""Columns of the table of supply, which the model ``outlook`` reads; no other model does."""

from __future__ import annotations

from etsopt.common.language import _
from etsopt.data.tables.table import Column, Table

KINDS = ("output", "abatement", "emissions")
"""Output of the product of a sector; abatement of emissions; or emissions beside the output, such as those of heat."""


def supply_table(sectors: tuple[str, ...]) -> Table:
    """Return the table of supply, with the sectors that a row may name."""
    return Table(
        "supply",
        _(
            "a source of output or of abatement in a year, for the model outlook; linear between stated years, level "
            "before and after them; output is in tonnes, of power in MWh, abatement in tCO2e"
        ),
        ("supply_id", "year"),
        (
            Column("supply_id", _("identifies the source"), required=True, identifier=True),
            Column(
                "year",
                _("year of the figures"),
                "year",
                number=True,
                required=True,
                at_least=2000,
                at_most=2100,
                whole=True,
            ),
            Column("supplies", _("output, abatement, or emissions beside output"), required=True, choices=KINDS),
            Column("sector", _("sector; absent: of none, as removal from the air"), choices=sectors),
            Column("capacity_of", _("source whose capacity it uses as well; absent: it has its own"), identifier=True),
            _amount("existing_t", _("largest supply in the year without new capacity"), default=0.0),
            _amount("least_t", _("least supply in the year"), default=0.0),
            _amount("largest_new_t", _("most new capacity in the year; absent: none"), default=0.0),
            _amount("least_new_t", _("least new capacity; with 0 it stays, absent: it may be given up")),
            _cost("cost_cny_per_t", _("cost of the supply, without electricity and allowances")),
            _cost("capacity_cost_cny_per_t", _("yearly cost of all new capacity")),
            _rate(
                "emissions_tco2e_per_t",
                _("emissions per supply; a tonne of abatement takes one away, whatever is stated"),
                "tCO2e/t",
            ),
            _rate("benchmark_tco2e_per_t", _("allowances per supply under the rule, before a cap"), "tCO2e/t"),
            _rate("electricity_mwh_per_t", _("electricity used; below 0: generated beside the output"), "MWh/t", None),
            Column(
                "largest_share",
                _("largest share of the sector's output, or of the emissions of its output; absent: no limit"),
                "fraction",
                number=True,
                at_least=0,
                at_most=1,
            ),
            Column(
                "confidence",
                _("A official text, B secondary source, C assumption, D computed"),
                choices=("A", "B", "C", "D"),
            ),
            Column("source", _("source of the figures")),
        ),
    )


def _amount(name: str, meaning: str, default: float | None = None) -> Column:
    return Column(name, meaning, "t", number=True, at_least=0, default=default)


def _cost(name: str, meaning: str) -> Column:
    return Column(name, meaning, "CNY/t", number=True, default=0.0)


def _rate(name: str, meaning: str, unit: str, at_least: float | None = 0) -> Column:
    return Column(name, meaning, unit, number=True, at_least=at_least, default=0.0)
