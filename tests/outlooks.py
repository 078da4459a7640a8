"""Instances of outlooks: one of two years solved by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd

import etsopt

MT = 1e6
UNITS = pd.DataFrame(
    [{"unit_id": "nation", "enterprise_id": "nation", "sector": "cement", "province": "North"}]
).assign(emissions_tco2e=100 * MT, prior_emissions_tco2e=95 * MT, output_t=100 * MT, reference_t=100 * MT)
ENTERPRISES = pd.DataFrame([{"enterprise_id": "nation", "opening_2025_t": 5 * MT}])
POLICY: dict[str, Any] = {
    "year": 2025,
    "rule.name": "given",
    "provinces.names": "any",
    "horizon": {"last_year": 2026, "discount_rate": 0.1},
    "pathway.cap_t": {"2026": 80 * MT},
    "outlook.free_part": "fixed",
}
FORECAST = pd.DataFrame([{"sector": "cement", "year": 2026, "output_factor": 1.0, "elasticity": 0.0}])


def source(name: str, kind: str, year: int = 2025, **columns: object) -> dict[str, object]:
    """A row of a source of cement; columns without their unit of measure, amounts in Mt."""
    amounts = ("existing", "least", "largest_new", "least_new")
    endings = {
        "cost": "_cny_per_t",
        "capacity_cost": "_cny_per_t",
        "emissions": "_tco2e_per_t",
        "benchmark": "_tco2e_per_t",
    }
    row: dict[str, object] = {"supply_id": name, "supplies": kind, "sector": "cement", "year": year}
    for column, value in columns.items():
        if column in amounts:
            assert isinstance(value, int | float)
            row[f"{column}_t"] = value * MT
        else:
            row[f"{column}{endings.get(column, '')}"] = value
    return row


SOURCES = (
    source("kiln", "output", existing=200, cost=300, emissions=1.0, benchmark=1.0),
    source("green", "output", largest_new=0, cost=320, benchmark=0.0),
    source("green", "output", 2026, largest_new=10, cost=320, benchmark=0.0),
    source("capture", "abatement", existing=30, cost=50, largest_share=0.4),
)


def by_hand(*more: dict[str, object], **policy: object) -> etsopt.Instance:
    """A kiln, ten million tonnes of clinker without emissions in the second year, and capture; a cap in that year.

    Parameters
    ----------
    more
        Rows of further sources, or other rows in place of a source's.
    policy
        Other keys, with ``__`` for the dot.
    """
    replaced = {row["supply_id"] for row in more}
    rows = [row for row in SOURCES if row["supply_id"] not in replaced]
    return etsopt.Instance.from_frames(
        UNITS,
        POLICY | {key.replace("__", "."): value for key, value in policy.items()},
        ENTERPRISES,
        forecast=FORECAST,
        supply=pd.DataFrame([*rows, *more]),
        name="by hand",
    )


def elastic() -> etsopt.Instance:
    """The same with a demand that answers to its price, from 80 to 110 % in 30 steps."""
    return with_forecast(by_hand(), FORECAST.assign(elasticity=0.3, product_price_cny_per_t=300.0))


def with_forecast(instance: etsopt.Instance, forecast: pd.DataFrame) -> etsopt.Instance:
    """The same with another demand."""
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    return etsopt.Instance.from_frames(
        instance.units, policy, instance.enterprises, forecast=forecast, supply=instance.supply, name="elastic"
    )
