"""What of the nation a table covers, as its policy states it or as its emissions beside official totals suggest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def coverage_of(instance: Instance) -> dict[str, Any]:
    """Return what an instance covers, as plain values; empty where neither policy nor rule says anything of a nation.

    Returns
    -------
    dict
        ``covers``: nation, part, or unknown. ``alone``: sectors whose balance value is of these units alone, in what is
        no nation. ``beside``: emissions of sectors and the official total of the latest year, where these are far from
        each other and the policy is silent. ``stated``: balance values from outside, with source and mark.
    """
    policy = instance.policy
    if policy.coverage is None and not policy.follows_plan:
        return {}
    outside = [
        {"sector": name, **section.model_dump(mode="json", include={"balance_value"})}
        | {"source": section.balance_value_source, "mark": section.balance_value_mark}
        for name, section in sorted(policy.sectors.items())
        if section.balance_value is not None
    ]
    stated = {"stated": outside} if outside else {}
    beside = [] if policy.coverage else _beside(instance)
    if policy.coverage == "nation" or not (policy.coverage or beside):
        return {"covers": "nation", **stated}
    alone = [
        name
        for name in instance.sectors
        if uses_balance_value(policy.rule.name, name, policy.year) and not policy.states_balance_value(name)
    ]
    return {"covers": policy.coverage or "unknown", "alone": alone, **({"beside": beside} if beside else {}), **stated}


def _beside(instance: Instance) -> list[dict[str, Any]]:
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
            entry = {"sector": str(name), "emissions_tco2e": float(emissions)}
            found.append(entry | {"official_tco2e": known[latest], "year": latest})
    return found
