"""Columns of the table of measures on their costs, and on the speed at which they are built."""

from __future__ import annotations

from etsopt.common.language import _
from etsopt.data.tables.table import Column

COST_COLUMNS = (
    Column(
        "capex_cny_per_t",
        _("investment per tonne of annual output_t"),
        "CNY/t",
        number=True,
        at_least=0,
        default=0.0,
    ),
    Column(
        "fixed_opex_cny_per_t",
        _("yearly cost per tonne of annual output_t; negative is a saving"),
        "CNY/t",
        number=True,
        default=0.0,
    ),
    Column(
        "variable_opex_cny_per_t",
        _("cost per tonne of the year's output; negative is a saving"),
        "CNY/t",
        number=True,
        default=0.0,
    ),
    Column(
        "fuel_saving_cny_per_t",
        _("fuel saving per tonne of the year's output"),
        "CNY/t",
        number=True,
        at_least=0,
        default=0.0,
    ),
    Column(
        "cost_change_rate",
        _("yearly change of all its costs, a fraction, from the year of the tables on: -0.02 is 2 % less each year"),
        "fraction",
        number=True,
        above=-1,
        at_most=1,
        default=0.0,
    ),
)

LARGEST_NEW_SHARE = Column(
    "largest_new_share_a_year",
    _(
        "largest fraction of the unit to which it can newly be applied in a year: it is built in equal steps of at "
        "most this share, one a year or fewer; absent: all at once"
    ),
    "fraction/year",
    number=True,
    above=0,
    at_most=1,
)
