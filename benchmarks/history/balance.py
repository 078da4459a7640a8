"""Balance of power by the rule of the product, from 2021 to 2026, on the power units of ``cn-national-2025``."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import etsopt
from benchmarks.history import net_supply
from instances.build_cn_national_2025 import shipped
from instances.draw_power import BASE_YEAR, SHIPPED, instance_of_year

if TYPE_CHECKING:
    import pandas as pd

YEARS = (2021, 2022, 2023, 2024, 2025, 2026)
LOAD_SHARES = (0.0, 0.1, 0.3, 0.5, 0.7)
CLASSES = {"IV": "IV, gas", "I": "I", "II": "II", "III": "III"}

NOT_PUBLISHED = "not published"


@dataclass(frozen=True)
class Official:
    """Official figures of a year: confidence, verified emissions, allowances and gap [Mt], and gap [%]."""

    mark: str
    verified: str
    allowances: str = NOT_PUBLISHED
    gap: str = NOT_PUBLISHED
    gap_percent: str = NOT_PUBLISHED

    def cells(self) -> tuple[str, ...]:
        """Return the figures as a page shows them."""
        return self.verified, self.allowances, self.gap, self.gap_percent


OFFICIAL = {
    2021: Official("B", "5,094", "5,096", "-1.5", "-0.03"),
    2022: Official("B", "5,091", "5,104", "-13", "-0.25"),
    2023: Official("A", "5,244", "5,215", "29", "0.55"),
    2024: Official("A", "5,306"),
}
"""2021 and 2022: figures of the ministry at a conference of 2024, as reported by the press; 2023 and 2024: Ministry of
Ecology and Environment, Development Reports 2025 and 2026."""


@dataclass(frozen=True)
class Balance:
    """Balance of one year: a row for each unit with its class, owner, verified emissions, and A and E in scope [t]."""

    units: pd.DataFrame
    certified: bool

    def gap_mt(self) -> float:
        return float((self.units["e"] - self.units["a"]).sum() / 1e6)

    def gap_percent(self, unit_class: str | None = None) -> float:
        units = self.units if unit_class is None else self.units[self.units["unit_class"] == unit_class]
        return float(100 * (units["e"] - units["a"]).sum() / units["verified"].sum())

    def deficits(self) -> pd.Series[float]:
        """Return the deficit of each owner [t], 0 for one that is not short."""
        owners = self.units.groupby("enterprise_id")[["e", "a"]].sum()
        return (owners["e"] - owners["a"]).clip(lower=0.0)

    def figures(self) -> dict[str, Any]:
        """Return the figures of the page, in Mt and percent."""
        deficits = self.deficits()
        figures = {
            "verified_mt": self.units["verified"].sum() / 1e6,
            "gap_mt": self.gap_mt(),
            "gap_percent": self.gap_percent(),
            "deficits_mt": deficits.sum() / 1e6,
        }
        return {name: round(float(value), 4) for name, value in figures.items()} | {
            "class_gap_percent": {name: round(self.gap_percent(name), 4) for name in CLASSES},
            "owners": len(deficits),
            "short": int((deficits > 0).sum()),
            "certified": self.certified,
        }


def balance(plants: pd.DataFrame, year: int, load_share: float = SHIPPED.load_share) -> Balance:
    """Return the balance of a year, solved and checked."""
    build = instance_of_year if year >= BASE_YEAR else net_supply.instance_of_year
    instance = build(plants, year, replace(SHIPPED, load_share=load_share))
    results = etsopt.solve(instance)
    allowances = results.tables["allocation"].set_index("unit_id")["allowance_t"]
    units = instance.units[["unit_class", "enterprise_id"]].assign(
        verified=instance.units["emissions_tco2e"],
        e=instance.emissions_tco2e,
        a=allowances[instance.units["unit_id"]].to_numpy(),
    )
    return Balance(units, results.certified and not results.violations)


def solved() -> dict[str, Any]:
    """Return the figures of all years by load share, and the CPU time that they took."""
    before = time.process_time()
    plants = shipped()[0]
    loads = {
        f"{share:.1f}": {str(year): balance(plants, year, share).figures() for year in YEARS} for share in LOAD_SHARES
    }
    return {"loads": loads, "cpu_s": round(time.process_time() - before, 1)}
