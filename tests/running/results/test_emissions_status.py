"""What results say of emissions that are not verified."""

from __future__ import annotations

import pandas as pd
import pytest

from etsopt.common.language import in_both
from etsopt.running.results.emissions_status import emissions_status, not_verified


def units(*rows: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["emissions_status", "emissions_tco2e", "accounted_emissions_tco2e"])


def test_nothing_is_said_of_verified_emissions() -> None:
    assert emissions_status(units(("", 1.0, float("nan")), ("verified", 2.0, float("nan")))) is None
    assert emissions_status(pd.DataFrame({"emissions_tco2e": [1.0]})) is None
    assert not_verified(None) is None


@pytest.mark.parametrize(
    ("rows", "english", "chinese"),
    [
        (
            [("accounted", 5.0, 5.0), ("", 1.0, float("nan"))],
            "Emissions of 1 of 2 units are not verified: taken as accounted from monthly reports.",
            "2 个单元中有 1 个的排放量未经核查：采用月度报告核算值。",
        ),
        (
            [("lowest", 900.0, 1000.0), ("highest", 100.0, 0.0)],
            "Emissions of 2 of 2 units are not verified: the highest that reconciliation allows and the lowest that "
            "reconciliation allows.",
            "2 个单元中有 2 个的排放量未经核查：采用数据协调区间的上限、采用数据协调区间的下限。",
        ),
        (
            [("lowest", 900.0, 1000.0)],
            "Emissions of 1 of 1 units are not verified: the lowest that reconciliation allows, 100 t (10.00 %) below "
            "the accounted ones.",
            "1 个单元中有 1 个的排放量未经核查：采用数据协调区间的下限，较核算值低 100 t (10.00 %)。",
        ),
        (
            [("highest", 900.0, 0.0)],
            "Emissions of 1 of 1 units are not verified: the highest that reconciliation allows, 900 t above the "
            "accounted ones.",
            "1 个单元中有 1 个的排放量未经核查：采用数据协调区间的上限，较核算值高 900 t。",
        ),
        (
            [("reconciled", 900.0, float("nan"))],
            "Emissions of 1 of 1 units are not verified: as reconciliation estimates them.",
            "1 个单元中有 1 个的排放量未经核查：采用数据协调的估计值。",
        ),
    ],
)
def test_what_is_taken_is_said_in_both_languages(
    rows: list[tuple[str, float, float]], english: str, chinese: str
) -> None:
    assert in_both(not_verified(emissions_status(units(*rows)))) == {"en": english, "zh": chinese}
