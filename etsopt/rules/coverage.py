"""What of the nation a table covers, as its policy states it or as its emissions beside official totals suggest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.provenance import BalanceFromOutside, BesideOfficial, Coverage
from etsopt.data.policy.plans import uses_balance_value

if TYPE_CHECKING:
    from etsopt.data.instance import Instance

OFFICIAL_TOTALS_TCO2E: dict[str, dict[int, float]] = {
    "aluminium": {2024: 68_997_500.0},
    "cement": {2024: 956_178_700.0},
    "power": {2021: 5_094e6, 2022: 5_091e6, 2023: 5_244e6, 2024: 5_306_350_000.0},
    "steel": {2024: 1_862_466_000.0},
}
"""Verified emissions of the system by sector and compliance year: MEE, Development Report 2026 on the national carbon
market, of 2023 and 2024 [A]; MEE at the conference of 2024, as ecopolitic.com.ua quotes it, of 2021 and 2022 [B]."""

WHOLE = (0.8, 1.2)
"""Emissions relative to the official total between which a table counts as that of the nation."""


def coverage_of(instance: Instance) -> Coverage | None:
    """Return what an instance covers; None where neither policy nor rule says anything of a nation.

    Sectors are ``beside`` the official total of the latest year where they are far from it and the policy is silent.
    """
    policy = instance.policy
    if policy.coverage is None and not policy.follows_plan:
        return None
    outside = [
        BalanceFromOutside(
            sector=name,
            **section.model_dump(mode="json", include={"balance_value"}),
            source=section.balance_value_source,
            mark=section.balance_value_mark,
        )
        for name, section in sorted(policy.sectors.items())
        if section.balance_value is not None
    ]
    beside = [] if policy.coverage else _beside(instance)
    found = Coverage(covers=policy.coverage or ("unknown" if beside else "nation"))
    if found.covers != "nation":
        found.alone = [
            name
            for name in instance.sectors
            if uses_balance_value(policy.rule.name, name, policy.year) and not policy.states_balance_value(name)
        ]
    if beside:
        found.beside = beside
    if outside:
        found.stated = outside
    return found


def _beside(instance: Instance) -> list[BesideOfficial]:
    """Return the sectors whose emissions are far from the official total, with both."""
    sector, year = instance.labels("sector"), instance.policy.year
    totals = sector.sums(instance.emissions_tco2e)
    found = []
    for name, emissions in zip(sector.names, totals, strict=True):
        known = OFFICIAL_TOTALS_TCO2E.get(name)
        if known is None:
            continue
        latest = max((one for one in known if one <= year), default=min(known))
        if not WHOLE[0] * known[latest] <= emissions <= WHOLE[1] * known[latest]:
            both = {"emissions_tco2e": float(emissions), "official_tco2e": known[latest]}
            found.append(BesideOfficial(sector=str(name), year=latest, **both))
    return found
