"""Columns of power units in the table of units."""

from __future__ import annotations

from etsopt.common.language import _
from etsopt.data.tables.table import Column

COAL_CLASSES = ("I", "II", "III")
UNIT_CLASSES = (*COAL_CLASSES, "IV", "I+II", "I+III", "II+III", "I+II+III")
"""Classes of power units; units that are reported together have the classes of all of them."""

COOLING = ("water", "air", "none")

POWER_COLUMNS = (
    Column(
        "unit_class",
        _(
            "class of a power unit: I conventional coal from 400 MW, II conventional coal below, III "
            "unconventional coal "
            "and circulating fluidised beds, IV gas; units reported together have several, as in I+II, and the least "
            "favourable benchmark of them"
        ),
        choices=UNIT_CLASSES,
    ),
    Column("capacity_mw", _("rated power of a power unit"), "MW", number=True, above=0),
    Column("generation_mwh", _("gross generation of a power unit, its output"), "MWh", number=True, at_least=0),
    Column(
        "supply_mwh",
        _("net electricity supply of a power unit, basis of the rule up to 2022"),
        "MWh",
        number=True,
        at_least=0,
    ),
    Column("heat_gj", _("heat that a power unit supplies; absent: none"), "GJ", number=True, at_least=0),
    Column(
        "load_factor",
        _("output over rated power in the hours of operation of a coal-fired power unit"),
        "fraction",
        number=True,
        above=0,
        at_most=1,
    ),
    Column(
        "heat_supply_ratio",
        _("heat supplied over fuel heat of a power unit, for the rule up to 2022; absent: 0"),
        "fraction",
        number=True,
        at_least=0,
        at_most=1,
    ),
    Column(
        "cooling",
        _("cooling of a power unit, for the rule up to 2022; none for back pressure; absent: water"),
        choices=COOLING,
    ),
)
