"""Balance of power by the rule of the product, beside official figures; ``python -m benchmarks.history``.

The years are 2023 to 2026, on the power units of the instance ``cn-national-2025``. The plans of 2019-2022 measure net
supply and correct cooling and heat supply, which the units do not have. Prints the tables and writes
``benchmarks/history.md``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import etsopt
from benchmarks.reporting import FOLDER, machine, provenance, table, versions
from instances.build_cn_national_2025 import shipped
from instances.draw_power import SHIPPED, instance_of_year

if TYPE_CHECKING:
    import pandas as pd

YEARS = (2023, 2024, 2025, 2026)
LOAD_SHARES = (0.0, 0.1, 0.3, 0.5, 0.7)
CLASSES = {"IV": "IV, gas", "I": "I", "II": "II", "III": "III"}
NOT_PUBLISHED = "not published"
OFFICIAL = {2023: ("5,244", "5,215", "29", "0.55"), 2024: ("5,306", *3 * (NOT_PUBLISHED,))}
"""Verified emissions, allowances and gap [Mt], and gap [%]: Ministry of Ecology and Environment, Development Reports
2025 and 2026."""

TEXT = """\
# The balance of power, 2023 to 2026

The rule `cn` on the 3,760 power units of [cn-national-2025](../instances/cn-national-2025/README.md), year by year,
beside the official figures of the Development Reports 2025 and 2026. `python -m benchmarks.history` makes this page
again. A gap is verified emissions less allowances; positive is short. Units with A = E count with both, also in 2023
and 2024, when they were outside the scope. Every allocation is solved and certified.

The emissions of 2023 and 2024 are scaled to the official ones and prove nothing. Allowances are not fitted: class
intensities are the official balance values of 2023. The years 2021 and 2022, with official surpluses of 0.03 and
0.25 %, cannot be computed: their plans measure net supply and correct cooling and heat supply, which the source of the
units does not have.

## Beside official figures

Goal: a gap of 2023 between 0.35 and 0.65 %, untuned. {goal}

{years}

## By class

Gap [%]. The order of surpluses that the Development Report 2026 states for 2024, gas, then I, II and III, follows from
benchmarks and balance values, so that it is a weak test.

{classes}

## Deficits

Owners of power units whose allowances are below their emissions, before trading. In the first cycle, 2019-2020, 847 of
2,011 entities (42 %) were short by 94 Mt a year; the spread of intensities is set to that.

{deficits}

## By load share

Gap [%] by the share of the generation of conventional coal at 50 to 65 % load, which is not public; 0.3 is shipped. The
plan of 2023-2024 corrects these loads, that of 2025-2026 does not.

{loads}

{provenance} All {solves} solves and checks took {seconds:.0f} CPU s.
"""


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


def balance(plants: pd.DataFrame, year: int, load_share: float = SHIPPED.load_share) -> Balance:
    """Return the balance of a year, solved and checked."""
    instance = instance_of_year(plants, year, replace(SHIPPED, load_share=load_share))
    results = etsopt.solve(instance)
    allowances = results.tables["allocation"].set_index("unit_id")["allowance_t"]
    units = instance.units[["unit_class", "enterprise_id"]].assign(
        verified=instance.units["emissions_tco2e"],
        e=instance.emissions_tco2e,
        a=allowances[instance.units["unit_id"]].to_numpy(),
    )
    return Balance(units, results.certified and not results.violations)


def of_years(found: dict[int, Balance]) -> str:
    """Return the table of the years beside official figures."""
    rows = []
    for year, one in found.items():
        verified, issued, gap, percent = OFFICIAL.get(year, 4 * (NOT_PUBLISHED,))
        total = one.units["verified"].sum() / 1e6
        computed = (f"{total:,.0f}", f"{total - one.gap_mt():,.0f}", f"{one.gap_mt():.0f}", f"{one.gap_percent():.2f}")
        pairs = zip((verified, issued, gap, percent), computed, strict=True)
        rows.append((str(year), *(cell for pair in pairs for cell in pair), "yes" if one.certified else "no"))
    names = ("verified [Mt]", "allowances [Mt]", "gap [Mt]", "gap [%]")
    head = ("year", *(text for name in names for text in (f"official {name}", name)), "certified")
    return table(head, rows)


def of_classes(found: dict[int, Balance]) -> str:
    """Return the table of the gaps of each class."""
    rows = [(label, *(f"{one.gap_percent(name):.2f}" for one in found.values())) for name, label in CLASSES.items()]
    return table(("class", *map(str, found)), rows)


def of_deficits(found: dict[int, Balance]) -> str:
    """Return the table of deficits and of the owners that are short."""
    rows = []
    for year, one in found.items():
        deficits = one.deficits()
        short = int((deficits > 0).sum())
        share = f"{100 * short / len(deficits):.0f}"
        rows.append((str(year), f"{len(deficits):,}", f"{short:,}", share, f"{deficits.sum() / 1e6:.0f}"))
    return table(("year", "owners", "short", "short [%]", "deficits [Mt]"), rows)


def of_loads(found: dict[float, dict[int, Balance]]) -> str:
    """Return the table of the gaps by load share."""
    rows = [
        (f"{share:.1f}", *(f"{one.gap_percent():.2f}".replace("-0.00", "0.00") for one in years.values()))
        for share, years in found.items()
    ]
    return table(("load share", *map(str, YEARS)), rows)


def page() -> str:
    """Return the page, with every figure computed."""
    before = time.process_time()
    plants = shipped()[0]
    loads = {share: {year: balance(plants, year, share) for year in YEARS} for share in LOAD_SHARES}
    found = loads[SHIPPED.load_share]
    met = 0.35 < found[2023].gap_percent() < 0.65
    here = machine()
    return TEXT.format(
        goal="Met." if met else "Missed.",
        years=of_years(found),
        classes=of_classes(found),
        deficits=of_deficits(found),
        loads=of_loads(loads),
        provenance=provenance(here, versions(("etsopt", "highspy", "numpy", "pandas"))),
        solves=len(LOAD_SHARES) * len(YEARS),
        seconds=time.process_time() - before,
    )


def main() -> None:
    text = page()
    print(text)
    (FOLDER / "history.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
