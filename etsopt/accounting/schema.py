"""Tables of monthly reports: the register of units, and the rows of a month."""

from __future__ import annotations

from etsopt.accounting.vocabulary import FLOWS, PROCESSES, UNITS
from etsopt.common.language import _
from etsopt.data.tables.schema import SECTORS
from etsopt.data.tables.schema import UNITS as UNITS_OF_INSTANCE
from etsopt.data.tables.table import Column, Table

ACTIVITIES = (
    *("long_process", "short_process", "rolling", "foundry_iron"),
    *("portland_clinker", "other_clinker", "primary_aluminium", "grid_power", "own_gas_power"),
)
"""Activities that decide whether a unit is on the list of a year."""

ACTIVITIES_OF = {
    "cement": ("portland_clinker", "other_clinker", "own_gas_power"),
    "steel": ("long_process", "short_process", "rolling", "foundry_iron", "own_gas_power"),
    "aluminium": ("primary_aluminium", "own_gas_power"),
    "power": ("grid_power",),
}
"""Activities of each sector. A captive plant on own gases belongs to the sector of its enterprise."""

ALLOCATED_BY = ("unit_class", "capacity_mw", "load_factor", "special_case")
"""What an allocation rule needs of a unit beside its emissions and output, as the table of units has it."""

REGISTER = Table(
    "register",
    _("the units that report"),
    ("unit_id",),
    (
        Column("unit_id", _("identifies the unit"), required=True, identifier=True),
        Column("enterprise_id", _("identifies the legal entity that owns it"), required=True, identifier=True),
        Column("enterprise_name", _("name of the legal entity, which official tables and letters print")),
        Column("name", _("name of the unit")),
        Column("sector", _("sector of the unit"), required=True, choices=SECTORS),
        Column("province", _("province that allocates to it"), required=True, identifier=True),
        Column("city", _("city of the site; needed in a complex"), identifier=True),
        Column("activity", _("what it does, for its place on the lists"), required=True, choices=ACTIVITIES),
        Column(
            "complex_id",
            _(
                "steel complex: legal entities of one city, one contiguous site and one chain of production that "
                "report as one; absent: the enterprise reports alone"
            ),
            identifier=True,
        ),
        Column(
            "direct_emissions_tco2e",
            _("direct emissions of a year, for inclusion only; accounts of the unit take precedence"),
            "tCO2e",
            number=True,
            at_least=0,
        ),
        *(UNITS_OF_INSTANCE.column(name) for name in ALLOCATED_BY),
    ),
)

ADDED_TO_REGISTER = ("enterprise_name", *ALLOCATED_BY)
"""Columns that registers of earlier releases did not have."""

LARGEST_NCV = 1000.0
"""Calorific values are far below it [GJ/t or GJ/10^4 Nm3]; one in kJ/kg is a thousand times as large."""

ROWS = Table(
    "reports",
    _("a quantity of a unit, month, process, item and batch"),
    # The order of the file stays, so that a figure can name its lines.
    (),
    (
        Column("unit_id", _("unit of the register"), required=True, identifier=True),
        Column("month", _("month, such as 2025-01"), required=True, identifier=True),
        Column("process", _("boundary to which the row belongs"), required=True, choices=tuple(PROCESSES)),
        Column("item", _("fuel, material or product"), required=True, identifier=True),
        Column(
            "flow",
            _(
                "in or out of the boundary, product for an output, test for a batch whose calorific value was "
                "measured; of power units carbon for the measured carbon content as received, oxidation for the "
                "oxidation rate; for reconciliation alone: purchase, stock at the end of the month, monitor for "
                "emissions of a stack"
            ),
            required=True,
            choices=tuple(FLOWS),
        ),
        Column("quantity", _("quantity in the unit beside it"), number=True, required=True, at_least=0),
        Column("unit", _("unit of the quantity"), required=True, choices=UNITS),
        Column(
            "ncv_gj_per_unit",
            _("measured net calorific value; absent: the default of the guideline"),
            _("GJ/t or GJ/1e4 Nm3"),
            number=True,
            above=0,
            at_most=LARGEST_NCV,
        ),
        Column(
            "uncertainty_rate",
            _("relative uncertainty of the quantity; absent: that of the kind of meter"),
            "fraction",
            number=True,
            above=0,
            at_most=1,
        ),
        Column("batch", _("batch or meter, to tell rows of one item apart"), identifier=True),
        Column("evidence", _("record that proves the quantity, such as a ledger or a test report"), verbatim=True),
        Column("reported_by", _("department or person who reported the row")),
        Column("reported_on", _("day on which the month was filed, such as 2025-02-28"), identifier=True),
        Column("calibrated_on", _("day of the last calibration of the meter, such as 2024-11-30"), identifier=True),
        Column(
            "version",
            _("version of the row; the highest replaces the others"),
            number=True,
            at_least=1,
            at_most=1_000_000,
            whole=True,
            default=1.0,
        ),
    ),
)
