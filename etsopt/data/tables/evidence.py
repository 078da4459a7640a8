"""Tables of evidence on monthly quantities, which the model ``reconciliation`` reads; no other model does."""

from __future__ import annotations

from etsopt.common.language import _
from etsopt.data.tables.table import Column, Table

KINDS = {
    "purchases": "purchases less the change of stock",
    "monitor": "emissions by a stack monitor",
    "balance": "material balance of a process or an enterprise",
    "usual_ratio": "ratio of two quantities in the other months of the unit",
    "peers": "the same ratio of other units of the sector",
    "limit": "limit of what is physically possible",
    "activity": "output of the other months of the unit",
}
"""Kinds of statements, and their meaning."""

SUM, OWN = "unit of the sum", "own unit"
"""Units of measure that differ from row to row."""

_UNIT = Column("unit_id", _("unit of units.csv"), required=True, identifier=True)

QUANTITIES = Table(
    "quantities",
    _("the monthly quantities of units, for the model reconciliation"),
    ("unit_id", "quantity_id"),
    (
        _UNIT,
        Column("quantity_id", _("identifies the quantity at its unit"), required=True, identifier=True),
        Column("month", _("month, such as 2025-01"), identifier=True),
        Column("unit", _("unit of the quantity"), identifier=True),
        Column(
            "emissions_tco2e_per_unit",
            _("emissions per unit of the quantity; below 0 for carbon that leaves, 0 for a quantity without emissions"),
            "tCO2e/unit",
            number=True,
            required=True,
        ),
        Column("reported", _("quantity as reported; absent if there is no report"), OWN, number=True, at_least=0),
        Column(
            "uncertainty",
            _("distance from the reported quantity that is no gross error; needed if it is reported"),
            OWN,
            number=True,
            above=0,
        ),
        Column("substitute", _("conservative substitute if there is no report"), OWN, number=True, at_least=0),
        Column("most", _("largest possible quantity"), OWN, number=True, required=True, above=0),
    ),
)

STATEMENTS = Table(
    "statements",
    _("the statements on these quantities beside the reports, each with its uncertainty"),
    ("unit_id", "statement_id"),
    (
        _UNIT,
        Column("statement_id", _("identifies the statement at its unit"), required=True, identifier=True),
        Column("kind", _("kind of evidence"), required=True, choices=tuple(KINDS)),
        Column("value", _("value of the sum of its terms; absent in a limit"), SUM, number=True),
        Column("lower", _("least value; absent: value, or no lower limit without a value"), SUM, number=True),
        Column("upper", _("largest value; absent: value, or no upper limit without a value"), SUM, number=True),
        Column(
            "uncertainty",
            _("distance from this range that is no gross error"),
            SUM,
            number=True,
            required=True,
            above=0,
        ),
        Column("source", _("meter, document or assumption that it comes from")),
    ),
)

TERMS = Table(
    "terms",
    _("the terms of the statements: quantities and their coefficients"),
    ("unit_id", "statement_id", "quantity_id"),
    (
        _UNIT,
        Column("statement_id", _("statement of the unit"), required=True, identifier=True),
        Column("quantity_id", _("quantity of the unit"), required=True, identifier=True),
        Column("coefficient", _("coefficient of the quantity in the sum"), "number", number=True, required=True),
    ),
)

EVIDENCE = (QUANTITIES, STATEMENTS, TERMS)
