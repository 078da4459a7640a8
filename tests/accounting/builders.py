"""Reports in a few words, for the tests of accounting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from etsopt.accounting import Reports
from etsopt.accounting.vocabulary import ITEMS

REGISTER = pd.DataFrame(
    [
        ("A1", "EA", "aluminium", "Yunnan", "primary_aluminium"),
        ("C1", "EC", "cement", "Anhui", "portland_clinker"),
        ("S1", "ES", "steel", "Hebei", "long_process"),
    ],
    columns=["unit_id", "enterprise_id", "sector", "province", "activity"],
)

Row = tuple[Any, ...]
"""Unit, month, process, item, flow, quantity, and then columns by name."""


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a data frame, each with the unit of measure of its item."""
    records = []
    for row in rows:
        unit_id, month, process, item, flow, quantity = row[:6]
        record = {"unit_id": unit_id, "month": month, "process": process, "item": item, "flow": flow}
        record |= {"quantity": quantity, "unit": ITEMS[item].unit if item in ITEMS else "t"}
        more: Mapping[str, Any] = row[6] if len(row) > 6 else {}
        records.append({**record, **more})
    return pd.DataFrame(records)


def reports(rows: Iterable[Row], register: pd.DataFrame = REGISTER) -> Reports:
    """Validated reports."""
    return Reports.from_frames(register, frame(rows))


STEEL_IN = {
    **{"anthracite": 2_300, "bituminous": 120_000, "washed_coking_coal": 300_000, "coke": 66_000},
    **{"coke_oven_gas": 900, "high_carbon_ferrochrome": 300, "blast_furnace_ferromanganese": 1_300},
    **{"silicomanganese": 6_200, "ferrosilicon": 1_800, "ferromolybdenum": 20, "micro_carbon_ferromanganese": 1_250},
    **{"scrap": 55_000, "pig_iron": 9_900, "electrode": 370, "dolomite": 53_000, "limestone": 1_900},
}
STEEL_OUT = {"crude_steel": 595_000, "crude_benzol": 1_900, "tar": 7_100}
STEEL_MONTH: list[Row] = [
    *(("S1", "2025-01", "enterprise", item, "in", quantity) for item, quantity in STEEL_IN.items()),
    *(("S1", "2025-01", "enterprise", item, "out", quantity) for item, quantity in STEEL_OUT.items()),
    ("S1", "2025-01", "ironmaking", "coke", "in", 210_000),
    ("S1", "2025-01", "ironmaking", "bituminous", "in", 85_000),
    ("S1", "2025-01", "ironmaking", "blast_furnace_gas", "in", 36_000),
    ("S1", "2025-01", "ironmaking", "blast_furnace_gas", "out", 92_000),
    ("S1", "2025-01", "ironmaking", "pig_iron", "product", 600_000),
    ("S1", "2025-01", "sintering", "anthracite", "in", 20_000),
    ("S1", "2025-01", "sintering", "coke", "in", 9_000),
]
"""A synthetic month of a steel enterprise; no real one has these figures."""

CEMENT_MONTH: list[Row] = [
    ("C1", "2025-01", "clinker", "portland_clinker", "product", 155_000),
    ("C1", "2025-01", "clinker", "bituminous", "in", 20_000),
    ("C1", "2025-01", "clinker", "carbide_slag", "in", 4_000),
]

ALUMINIUM_MONTH: list[Row] = [
    ("A1", "2025-01", "electrolysis", "anode", "in", 0.46),
    ("A1", "2025-01", "electrolysis", "aluminium", "product", 1.0),
]
