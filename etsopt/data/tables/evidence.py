"""Tables of evidence on monthly quantities, which the model ``reconciliation`` reads; no other model does."""

from __future__ import annotations

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

_UNIT = Column("unit_id", "unit of units.csv", required=True, identifier=True)

QUANTITIES = Table(
    "quantities",
    "the monthly quantities of units, for the model reconciliation",
    ("unit_id", "quantity_id"),
    (
        _UNIT,
        Column("quantity_id", "identifies the quantity at its unit", required=True, identifier=True),
        Column("month", "month, such as 2025-01", identifier=True),
        Column("unit", "unit of the quantity", identifier=True),
        Column(
            "emissions_tco2e_per_unit",
            "emissions per unit of the quantity; below 0 for carbon that leaves, 0 for a quantity without emissions",
            "tCO2e/unit",
            number=True,
            required=True,
        ),
        Column("reported", "quantity as reported; absent if there is no report", OWN, number=True, at_least=0),
        Column(
            "uncertainty",
            "distance from the reported quantity that is no gross error; needed if it is reported",
            OWN,
            number=True,
            above=0,
        ),
        Column("substitute", "conservative substitute if there is no report", OWN, number=True, at_least=0),
        Column("most", "largest possible quantity", OWN, number=True, required=True, above=0),
    ),
)

STATEMENTS = Table(
    "statements",
    "the statements on these quantities beside the reports, each with its uncertainty",
    ("unit_id", "statement_id"),
    (
        _UNIT,
        Column("statement_id", "identifies the statement at its unit", required=True, identifier=True),
        Column("kind", "kind of evidence", required=True, choices=tuple(KINDS)),
        Column("value", "value of the sum of its terms; absent in a limit", SUM, number=True),
        Column("lower", "least value; absent: value, or no lower limit without a value", SUM, number=True),
        Column("upper", "largest value; absent: value, or no upper limit without a value", SUM, number=True),
        Column(
            "uncertainty",
            "distance from this range that is no gross error",
            SUM,
            number=True,
            required=True,
            above=0,
        ),
        Column("source", "meter, document or assumption that it comes from"),
    ),
)

TERMS = Table(
    "terms",
    "the terms of the statements: quantities and their coefficients",
    ("unit_id", "statement_id", "quantity_id"),
    (
        _UNIT,
        Column("statement_id", "statement of the unit", required=True, identifier=True),
        Column("quantity_id", "quantity of the unit", required=True, identifier=True),
        Column("coefficient", "coefficient of the quantity in the sum", "number", number=True, required=True),
    ),
)

EVIDENCE = (QUANTITIES, STATEMENTS, TERMS)
