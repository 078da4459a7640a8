"""From findings of screening to an instance for the model ``review_plan``: enterprises, cities and tonnes at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.accounting.screening import Screening


def review_plan_instance(
    found: Screening, policy: Mapping[str, Any] | None = None, year: int | None = None, name: str = "review plan"
) -> Instance:
    """Return an instance whose enterprises have the tonnes at risk that screening found.

    Of several findings in a unit and month the largest counts, because one fault may be found by many rules; months
    and units add up. A steel complex is one enterprise, as it reports. A unit without reports has the direct emissions
    that the register states.

    Parameters
    ----------
    policy
        The section ``[review_plan]`` of the policy.
    year
        Year of the findings and emissions; None for the last one of the reports.

    Raises
    ------
    UsageError
        If no unit has reports in that year.
    DataError
        With every problem of the section.
    """
    accounts = found.accounts
    known = sorted({int(one) for one in accounts.unit_years["year"]})
    year = max(known, default=0) if year is None else year
    if year not in known:
        advice = _("Choose one of {names}.", names=", ".join(map(str, known))) if known else _("Add reports of a year.")
        raise UsageError(_("No unit has reports of {year}.", year=year), advice)
    units = _units(found, year)
    months = found.unit_months
    months = months[months["month"].astype(str).str[:4] == str(year)]
    at_risk = months.groupby("unit_id")["size_t"].sum()
    owners = units.assign(at_risk_tco2e=units["unit_id"].map(at_risk).fillna(0.0).round(2)).groupby("enterprise_id")
    enterprises = pd.DataFrame(
        {
            "province": owners["province"].first(),
            # Reviewers of an enterprise with sites in several cities visit none of them once for all.
            "city": owners["city"].agg(lambda cities: cities.iloc[0] if len(set(cities)) == 1 else ""),
            "at_risk_tco2e": owners["at_risk_tco2e"].sum(),
        }
    ).reset_index()
    # The model reads no rule; equal allocation asks for no further column.
    content = {"year": year, "rule": {"name": "cn-2024"}, "review_plan": dict(policy or {})}
    return Instance.from_frames(units.drop(columns="city"), content, enterprises=enterprises, name=name)


def _units(found: Screening, year: int) -> pd.DataFrame:
    """Return the units of the register with the emissions of a year, and the enterprise or complex that reports."""
    years = found.accounts.unit_years
    emissions = years[years["year"] == year].set_index("unit_id")["emissions_tco2e"]
    register = found.accounts.register
    stated = register["direct_emissions_tco2e"].fillna(0.0)
    joint = register["complex_id"] != ""
    return pd.DataFrame(
        {
            "unit_id": register["unit_id"],
            "enterprise_id": register["complex_id"].where(joint, register["enterprise_id"]),
            "name": register["name"],
            "sector": register["sector"],
            "province": register["province"],
            "city": register["city"],
            "emissions_tco2e": register["unit_id"].map(emissions).fillna(stated).clip(lower=0.0),
        }
    )
