"""An instance and monthly reports whose names, codes and numbers are as long as real ones.

Enterprises and offices are made up; a code has the form of a credit code, and belongs to no enterprise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import etsopt

OWNERS = {
    "91110000100000000A": "燕山北麓建材集团股份有限公司怀来第二水泥分公司",
    "91130200200000000B": "渤海湾联合钢铁集团有限责任公司曹妃甸工业区炼钢总厂",
    "91150000300000000C": "阴山铝电一体化有限公司",
}
CODE = next(iter(OWNERS))
"""Code of the first enterprise."""

SIZE = 47_904_437.40
"""Emissions of the largest unit [tCO2e], and the size of a finding."""

ROWS = [
    ("-clinker-line-1", "91110000100000000A", "cement", "Hebei", 1_234_567.89, 1_500_000.0, "怀来二线熟料生产线一号窑"),
    ("-clinker-line-2", "91110000100000000A", "cement", "Inner Mongolia", 2_345_678.9, 2_750_000.0, ""),
    ("-steel", "91130200200000000B", "steel", "Hebei", SIZE, 23_000_000.0, "曹妃甸联合钢铁厂区"),
    ("-series-500kA", "91150000300000000C", "aluminium", "Inner Mongolia", 1_570_000.25, 1_000_000.0, ""),
]


def instance() -> etsopt.Instance:
    """Four units of three enterprises in two provinces."""
    names = ["unit_id", "enterprise_id", "sector", "province", "emissions_tco2e", "output_t", "name"]
    units = pd.DataFrame([(owner + unit, owner, *rest) for unit, owner, *rest in ROWS], columns=names)
    whole = units["sector"] == "steel"
    units["intensity_output_t"] = np.where(whole, units["output_t"], np.nan)
    units["intensity_emissions_tco2e"] = np.where(whole, 0.9 * units["emissions_tco2e"], np.nan)
    units["prior_emissions_tco2e"] = np.round(1.03 * units["emissions_tco2e"], 2)
    enterprises = pd.DataFrame({"enterprise_id": list(OWNERS), "name": list(OWNERS.values())})
    enterprises["opening_2024_t"] = [0.0, 1_234_567.0, 98_765.0]
    enterprises["net_sales_t"] = [np.nan, 200_000.0, 0.0]
    market = {"prices_cny_per_t": 80.0, "transaction_cost_cny_per_t": 1.0, "terminal_price_cny_per_t": 70.0}
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2025"},
        "market": market,
        "penalty": {"reference_price_cny_per_t": 90.0},
        "compliance": {"at_risk": list(OWNERS)[:2], "without_purchases": list(OWNERS)[:1]},
    }
    return etsopt.Instance.from_frames(units, policy, enterprises=enterprises, name="long")


def write_reports(folder: Path) -> None:
    """Write a register of two aluminium works and their reports of three months."""
    (folder / "reports").mkdir(parents=True)
    codes = list(OWNERS)[:2]
    register = [f"{code}-series-500kA,{code},aluminium,Inner Mongolia,primary_aluminium" for code in codes]
    rows = [
        f"{code}-series-500kA,2025-{month:02d},electrolysis,{item},{flow},{quantity},t"
        for place, code in enumerate(codes, 1)
        for month in (1, 2, 3)
        for item, flow, quantity in (
            ("anode", "in", f"{21_543_210.75 * place:.2f}"),
            ("aluminium", "product", f"{47_904_437.40 + month:.2f}"),
        )
    ]
    for name, head, lines in (
        ("register.csv", "unit_id,enterprise_id,sector,province,activity", register),
        ("reports/2025.csv", "unit_id,month,process,item,flow,quantity,unit", rows),
    ):
        (folder / name).write_text("\n".join([head, *lines, ""]), encoding="utf-8")
