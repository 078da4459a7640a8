"""The list of a year: scope by year, threshold, complexes, what is near the line, and the totals."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.accounting import Reports, account, generate, inclusion, register_of
from etsopt.accounting.schema import REGISTER as TABLE
from etsopt.common.errors import UsageError
from tests.accounting.builders import reports

COLUMNS = [column.name for column in TABLE.columns]


def register(*rows: tuple[str, str, str, str, float | None], complexes: dict[str, str] | None = None) -> pd.DataFrame:
    """Units: id, enterprise, sector, activity and stated emissions."""
    joint = complexes or {}
    records = [
        {
            "unit_id": unit,
            "enterprise_id": enterprise,
            "name": "",
            "sector": sector,
            "province": "Hebei",
            "city": "Tangshan",
            "activity": activity,
            "complex_id": joint.get(unit, ""),
            "direct_emissions_tco2e": emissions,
        }
        for unit, enterprise, sector, activity, emissions in rows
    ]
    return pd.DataFrame(records, columns=COLUMNS).astype({"direct_emissions_tco2e": float})


def reasons(found: Any) -> dict[str, str]:
    return dict(zip(found.entities["entity_id"], found.entities["reason"], strict=True))


def test_the_threshold_is_26_000_tonnes_of_an_entity() -> None:
    units = register(
        ("a", "A", "cement", "portland_clinker", 26_000.0),
        ("b", "B", "cement", "portland_clinker", 25_999.99),
        ("c1", "C", "cement", "portland_clinker", 13_000.0),
        ("c2", "C", "cement", "portland_clinker", 13_000.0),
        ("d", "D", "cement", "portland_clinker", None),
    )
    found = inclusion(units, year=2026)
    assert reasons(found) == {"A": "listed", "B": "below threshold", "C": "listed", "D": "emissions unknown"}
    assert found.entities["near"].tolist() == [True, True, True, False]
    assert found.entities["emissions_tco2e"].isna().tolist() == [False, False, False, True]
    assert set(found.entities["confidence"]) == {"A"}
    (sector,) = found.sectors.to_dict("records")
    assert (sector["listed"], sector["not_listed"], sector["near"]) == (2, 2, 3)
    assert (sector["listed_tco2e"], sector["without_near_tco2e"], sector["with_near_tco2e"]) == (52_000, 0, 77_999.99)


@pytest.mark.parametrize(
    ("emissions", "near"), [(24_699.9, False), (24_700.0, True), (27_300.0, True), (27_300.1, False)]
)
def test_near_is_within_five_percent(emissions: float, near: bool) -> None:
    found = inclusion(register(("a", "A", "cement", "portland_clinker", emissions)), year=2026)
    assert found.entities["near"].tolist() == [near]


def test_steel_counts_by_the_long_process_alone() -> None:
    activities = ("long_process", "short_process", "rolling", "foundry_iron")
    units = register(*((name, name, "steel", name, 1e6) for name in activities))
    found = inclusion(units, year=2025)
    assert reasons(found) == {
        "long_process": "listed",
        **dict.fromkeys(activities[1:], "activity not in scope"),
    }
    (sector,) = found.sectors.to_dict("records")
    assert (sector["listed_tco2e"], sector["not_listed_tco2e"]) == (1e6, 3e6)


def test_other_clinker_and_captive_plants_on_own_gases_join_industry_in_2027() -> None:
    units = register(
        ("k", "K", "cement", "other_clinker", 90_000.0),
        ("s", "S", "steel", "long_process", 5e6),
        ("g", "S", "steel", "own_gas_power", 1e6),
    )
    before, after = inclusion(units, year=2026), inclusion(units, year=2027)
    assert reasons(before)["K"] == "activity not in scope"
    assert reasons(after)["K"] == "listed"
    of_before, of_after = (found.sectors.set_index("sector")["listed_tco2e"] for found in (before, after))
    assert of_before.to_dict() == {"cement": 0, "power": 1e6, "steel": 5e6}
    assert of_after.to_dict() == {"cement": 90_000, "power": 0, "steel": 6e6}
    # The table of 2027 has the same emissions under the scope of 2026 beside it.
    assert after.sectors.set_index("sector")["scope_of_year_before_tco2e"].to_dict() == of_before.to_dict()


def test_an_entity_counts_all_its_units_and_is_covered_by_those_in_scope() -> None:
    units = register(
        ("p", "E", "cement", "portland_clinker", 20_000.0),
        ("w", "E", "cement", "other_clinker", 10_000.0),
    )
    (entity,) = inclusion(units, year=2026).entities.to_dict("records")
    assert (entity["reason"], entity["emissions_tco2e"], entity["covered_tco2e"]) == ("listed", 30_000, 20_000)


def test_a_complex_reports_as_one_entity() -> None:
    rows = (("s1", "E1", "steel", "long_process", 20_000.0), ("s2", "E2", "steel", "long_process", 15_000.0))
    assert set(reasons(inclusion(register(*rows), year=2026)).values()) == {"below threshold"}
    found = inclusion(register(*rows, complexes={"s1": "K", "s2": "K"}), year=2026)
    (entity,) = found.entities.to_dict("records")
    assert (entity["entity_id"], entity["enterprises"], entity["reason"]) == ("K", 2, "listed")


def test_industry_is_not_covered_before_2024() -> None:
    units = register(("a", "A", "cement", "portland_clinker", 1e6), ("b", "B", "power", "grid_power", 1e6))
    assert reasons(inclusion(units, year=2023)) == {"A": "sector not covered yet", "B": "listed"}


def test_accounts_take_precedence_and_give_the_years() -> None:
    plants, rows = generate(5, months=24, seed=2)
    accounts = account(Reports.from_frames(plants, rows))
    found = inclusion(accounts.register, accounts)
    assert (found.year, found.emissions_year) == (2028, 2026)
    own = accounts.unit_years[accounts.unit_years["year"] == 2026]
    assert found.sectors["listed_tco2e"].sum() == pytest.approx(own["emissions_tco2e"].sum(), abs=0.01)
    assert inclusion(accounts.register, accounts, year=2027).emissions_year == 2025
    with pytest.raises(UsageError, match=r"No unit has reports of 2019\.\n\nChoose one of 2025, 2026"):
        inclusion(accounts.register, accounts, emissions_year=2019)


def test_units_without_reports_keep_their_stated_emissions() -> None:
    units = register(
        ("C1", "E1", "cement", "portland_clinker", 1.0), ("C2", "E2", "cement", "portland_clinker", 50_000.0)
    )
    accounts = account(reports([("C1", "2025-01", "clinker", "portland_clinker", "product", 100_000)], units))
    found = inclusion(accounts.register, accounts)
    assert found.entities["emissions_tco2e"].tolist() == [53_500.0, 50_000.0]
    assert found.entities["months"].tolist() == [1, 0]


def test_an_instance_serves_as_a_register() -> None:
    found = inclusion(register_of(etsopt.read("cn-2025")), year=2027)
    assert found.sectors.set_index("sector")["listed_tco2e"].sum() == pytest.approx(2_887.6e6, rel=1e-3)
    with pytest.raises(UsageError, match="--year"):
        inclusion(register_of(etsopt.read("cn-2025")))
