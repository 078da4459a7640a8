"""Official parameters of the allocation plans for power, 2019 to 2026, with source and confidence.

They belong to the rule ``cn`` alone. Up to 2022 electricity is measured as net supply, from 2023 on as gross
generation, so the benchmarks before and after cannot be compared. No plan is enacted for years after 2026.

The checker does not read this table: `etsopt.readings.power` states the figures again.
"""

from __future__ import annotations

from etsopt.data.policy.official import POWER, Official
from etsopt.data.tables.power_columns import COAL_CLASSES
from etsopt.data.tables.schema import POWER_CASES

FIRST_YEAR, LAST_YEAR = 2019, 2026
"""First compliance year of the system, and last year with a plan."""

FIRST_YEAR_OF_INDUSTRY = 2024
"""First compliance year of steel, cement and aluminium."""

GROSS_FROM = 2023
"""First year whose benchmarks refer to gross generation."""

CLASSES = (*COAL_CLASSES, "IV")
"""Conventional coal from 400 MW, conventional coal below, unconventional coal and circulating fluidised beds, gas."""

FUELS = ("coal", "gas")
"""Fuels whose heat has benchmarks."""

_BENCHMARKS: dict[tuple[int, int, str, str], tuple[tuple[float, ...], tuple[float, float]]] = {
    (2019, 2020, "power 2019-2020", "B"): ((0.877, 0.979, 1.146, 0.392), (0.126, 0.059)),
    (2021, 2021, "power 2021-2022", "B"): ((0.8218, 0.8773, 0.9350, 0.3920), (0.1111, 0.0560)),
    (2022, 2022, "power 2021-2022", "B"): ((0.8177, 0.8729, 0.9303, 0.3901), (0.1105, 0.0557)),
    (2023, 2023, "power 2023-2024", "A"): ((0.7950, 0.8090, 0.8285, 0.3305), (0.1038, 0.0536)),
    (2024, 2024, "power 2023-2024", "A"): ((0.7910, 0.8049, 0.8244, 0.3288), (0.1033, 0.0533)),
    (2025, 2025, "draft 2026", "A"): ((0.7902, 0.8017, 0.8162, 0.3288), (0.1027, 0.0533)),
    (2026, 2026, "draft 2026", "A"): ((0.7894, 0.7985, 0.8080, 0.3288), (0.1021, 0.0533)),
}
"""Benchmarks of electricity by class [t/MWh], and of heat from coal and from gas [t/GJ]."""


def _rows_of_benchmarks() -> list[Official]:
    rows = []
    for (first, last, source, mark), (electricity, heat) in _BENCHMARKS.items():
        for names, key, values, unit in (
            (CLASSES, "electricity_benchmarks", electricity, "t/MWh"),
            (FUELS, "heat_benchmarks", heat, "t/GJ"),
        ):
            rows += [
                Official(f"rule.{key}.{name}", POWER, first, last, value, f"{value:g}", unit, source, mark)
                for name, value in zip(names, values, strict=True)
            ]
    return rows


_CASES, _OUTSIDE = ", ".join(("new", "closed", *POWER_CASES)), ("new", "closed", *POWER_CASES)

POWER_PLANS: tuple[Official, ...] = (
    *_rows_of_benchmarks(),
    Official(
        "rule.load_correction",
        POWER,
        2019,
        2022,
        "steps below 85 %",
        "below 85 %: 1 + 0.0014 (85 - F); below 80 %: 1.007 + 0.0016 (80 - F); below 75 %: 1.015^(16 - F/5); F in %",
        "",
        "power 2021-2022",
        "B",
    ),
    Official(
        "rule.load_correction",
        POWER,
        2023,
        2024,
        "power of 1.015 below 65 %",
        "below 65 %: 1.015^(16 - F/5); F in %",
        "",
        "power 2023-2024",
        "A",
    ),
    Official(
        "rule.load_correction",
        POWER,
        2025,
        2026,
        "two exponentials below 50 %",
        "below 50 %: 7.254 - 0.633 (1 - e^(-F/29.822)) - 5.643 (1 - e^(-F/6.871)); F in %",
        "",
        "draft 2026",
        "A",
    ),
    Official("rule.cooling_correction", POWER, 2019, 2022, 1.05, "air 1.05", "", "power 2021-2022", "B"),
    Official("rule.heat_correction.coal", POWER, 2019, 2022, 0.22, "0.22", "", "power 2021-2022", "B"),
    Official("rule.heat_correction.gas", POWER, 2019, 2022, 0.6, "0.6", "", "power 2021-2022", "B"),
    Official("rule.least_allowance_share", POWER, 2019, 2020, 0.8, "0.8", "fraction", "power 2019-2020", "C"),
    Official("rule.least_allowance_share", POWER, 2021, 2022, 0.8, "0.8", "fraction", "power 2021-2022", "B"),
    Official("rule.least_allowance_share", POWER, 2023, 2024, 0.8, "0.8", "fraction", "power 2023-2024", "A"),
    Official("rule.least_allowance_share", POWER, 2025, 2026, 0.8, "0.8", "fraction", "draft 2026", "A"),
    Official("rule.gas_topped_up", POWER, 2019, 2022, True, "yes", "", "power 2021-2022", "B"),
    Official("rule.gas_topped_up", POWER, 2023, 2024, True, "yes", "", "power 2023-2024", "A"),
    Official("rule.gas_topped_up", POWER, 2025, 2026, True, "yes", "", "draft 2026", "A"),
    Official("rule.outside_scope", POWER, 2019, 2024, _OUTSIDE, _CASES, "", "power 2023-2024", "B"),
    Official("rule.outside_scope", POWER, 2025, None, (), "none", "", "draft 2026", "A"),
    Official("rule.special_cases", POWER, 2019, 2024, (), "none", "", "power 2023-2024", "B"),
    Official("rule.special_cases", POWER, 2025, None, _OUTSIDE, _CASES, "", "draft 2026", "A"),
)
"""Rows as those of `etsopt.data.policy.official.OFFICIAL`, for power alone.

In 2019 and 2020 an enterprise owed at most its allowances and 20 % of its emissions, and gas owed at most its
allowances; here allowances are raised to the same effect."""
