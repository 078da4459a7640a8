"""Columns of the table of the forecast."""

from __future__ import annotations

from etsopt.common.language import _
from etsopt.data.tables.table import Column, Table


def forecast_table(sectors: tuple[str, ...]) -> Table:
    """Return the table of later years, with the sectors that a row may name."""
    return Table(
        "forecast",
        _("a unit, or every unit of a sector, in a later year; linear between stated years, constant after the last"),
        ("unit_id", "sector", "year"),
        (
            Column(
                "unit_id", _("unit of the row; this or sector, and a unit's own rows take precedence"), identifier=True
            ),
            Column("sector", _("sector, for all its units; this or unit_id"), choices=sectors),
            Column(
                "year",
                _("compliance year, after that of the tables"),
                "year",
                number=True,
                required=True,
                at_least=2000,
                at_most=2100,
                whole=True,
            ),
            Column("output_t", _("output of the unit; this or output_factor"), "t", number=True, above=0),
            Column(
                "output_factor",
                _("output relative to units.csv; this or output_t"),
                "fraction",
                number=True,
                above=0,
                at_most=1000,
            ),
            Column(
                "intensity_factor",
                _("emissions per output relative to units.csv, without measures"),
                "fraction",
                number=True,
                above=0,
                at_most=1000,
                default=1.0,
            ),
            Column(
                "elasticity",
                _("fall of demand per rise of its price, at product_price_cny_per_t; read by the model outlook"),
                "number",
                number=True,
                at_least=0,
                at_most=10,
            ),
            Column(
                "product_price_cny_per_t",
                _("price that buyers of the product pay, of power per MWh; read by the model outlook"),
                "CNY/t",
                number=True,
                above=0,
            ),
            Column(
                "reference_cost_cny_per_t",
                _("cost of supply at which demand is as stated; absent: product_price_cny_per_t; read by outlook"),
                "CNY/t",
                number=True,
                at_least=0,
            ),
            Column(
                "reference_t",
                _("reference allowances of a unit in the year, for the rule 'given'; beside output or alone"),
                "t",
                number=True,
                at_least=0,
            ),
        ),
    )
