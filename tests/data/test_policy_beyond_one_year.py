"""The policy's sections on horizon, abatement, market, penalty and pathway, and numbers that change by year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError
from etsopt.data.files.read import read_instance
from etsopt.data.files.write import write_instance
from etsopt.data.instance import Instance
from etsopt.data.policy.parsing import SECTIONS, parse_policy
from etsopt.data.policy.policy import MULTI_YEAR_SECTIONS, Policy
from etsopt.data.policy.yearly import by_year
from tests.folders import Writer, message_of, policy_toml, units_csv

EVERYTHING = """\
[horizon]
first_year = 2026
last_year = 2035
discount_rate = 0.08
price_year = 2024

[abatement]
no_regret = "exclude"
divisible_measures = true

[abatement.output_cut.cement]
share = 0.1
margin_cny_per_t = 60

[market]
prices_cny_per_t = {2026 = 70, 2030 = 120.5}
transaction_cost_cny_per_t = 0.5
external_demand_t = {2027 = -1e6, 2030 = 2e6}
auctioned_t = 1000
paid_share = {2028 = 0.1}
floor_price_cny_per_t = 50
ceiling_price_cny_per_t = {2028 = 200}
reserve_t = 5e6
ccer_price_cny_per_t = 60
ccer_supply_t = {2026 = 9e6}
ccer_share = 0.05
borrow_pre_allocation = false
terminal_price_cny_per_t = 80

[penalty]
multiple = 7
reference_price_cny_per_t = 74.63
fixed_fine_cny = 2000000
deduction_share = 0.5

[compliance]
at_risk = ["north"]
without_purchases = ["north"]
speculating = ["north"]

[pathway]
self_balancing_until = {cement = 2026}
phase_2_from = 2027
tightening = {2027 = 0.006, 2031 = 0.01}
band = {2030 = 0.05}
slope = 0.2
paid_share = {2028 = 0.1}
cap_from = 2031
cap_change = -0.02
no_bank_from = 2031

[outlook]
free_part = "output"
report_until = 2034
highest_terminal_price_cny_per_t = 1200
observed_price_cny_per_t = {2026 = 84}

[review_plan]
days_per_review = 1.5
seed = 7
drawn_by = "equal"
municipal = {days = 40, effort = 1, travel_days = 0.5}
provincial = {days = {North = 3, South = 4.5}, travel_days = 1, least_share = 0.2, drawn_share = 0.1}
national = {days = 20, travel_days = 2, least = 3, drawn = 2}

[investment]
budget_cny = {north = 5_000_000}
cvar_level = 0.9
cvar_weight = 0.25
"""


def policy(**sections: Any) -> Policy:
    return parse_policy({"year": 2025, "rule": {"name": "cn-2025"}, **sections})


def test_a_number_holds_for_all_years_and_a_stated_year_until_the_next() -> None:
    years = [2025, 2026, 2027, 2028, 2029, 2030, 2031]
    table = {"2027": 0.1, "2030": 0.3}
    assert by_year(table, years, 0.02).tolist() == [0.02, 0.02, 0.1, 0.1, 0.1, 0.3, 0.3]
    assert by_year(dict(reversed(table.items())), years, 0.02).tolist() == by_year(table, years, 0.02).tolist()
    assert by_year(7, years, 0.02).tolist() == [7.0] * 7
    assert by_year(None, years, 0.02).tolist() == [0.02] * 7
    assert np.isnan(by_year({"2027": 1.0}, years)).tolist() == [True, True, *[False] * 5]
    assert np.isnan(by_year(None, years)).all()
    assert by_year(table, [], 0.0).shape == (0,)


def test_the_horizon_is_the_year_of_the_tables_unless_stated() -> None:
    assert policy().years == [2025]
    assert policy(horizon={"first_year": 2026}).years == [2026]
    assert policy(horizon={"last_year": 2027}).years == [2025, 2026, 2027]
    assert policy(horizon={"first_year": 2027, "last_year": 2028}).years == [2027, 2028]
    assert policy().price_year == 2025
    assert policy(horizon={"price_year": 2020}).price_year == 2020


def test_every_key_is_read_written_and_read_back(write_folder: Writer, tmp_path: Path) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml(EVERYTHING)))
    market = instance.policy.market
    assert market.prices_cny_per_t == {"2026": 70.0, "2030": 120.5}
    assert instance.policy.abatement.output_cut["cement"].margin_cny_per_t == 60
    assert instance.policy.pathway.cap_from == 2031
    for section in MULTI_YEAR_SECTIONS:
        stated = getattr(instance.policy, section).model_fields_set
        # The cap by year is stated instead of one that starts in a year.
        assert stated == set(SECTIONS[section].model_fields) - {"cap_t"}, section
    write_instance(instance, tmp_path / "copy")
    again = read_instance(tmp_path / "copy")
    assert again.policy == instance.policy
    assert again.hash == instance.hash


def test_a_policy_that_is_silent_on_them_hashes_as_before_and_as_one_that_states_the_defaults() -> None:
    units = etsopt.read("tiny").units.assign(province="Hebei")
    rule = {"year": 2025, "rule": {"name": "cn-2025"}}
    plain = Instance.from_frames(units, rule)
    assert set(plain.policy.content) == {"year", "rule", "sectors", "provinces", "national", "allocation"}
    stated = Instance.from_frames(units, {**rule, "market": {"paid_share": 0.0}, "penalty": {"multiple": 5}})
    assert stated.hash == plain.hash
    others = [
        Instance.from_frames(units, {**rule, "market": {"paid_share": 0.1}}),
        Instance.from_frames(units, {**rule, "market": {"paid_share": {"2025": 0.1}}}),
        Instance.from_frames(units, {**rule, "pathway": {"paid_share": 0.1}}),
        Instance.from_frames(units, {**rule, "horizon": {"last_year": 2026}}),
    ]
    assert len({plain.hash, *(other.hash for other in others)}) == 5


def test_a_year_may_be_a_number_where_the_policy_comes_from_python() -> None:
    assert policy(market={"paid_share": {2028: 0.1}}).market.paid_share == {"2028": 0.1}


def test_one_year_or_all_of_them_can_be_changed_by_a_dotted_key(write_folder: Writer) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml()))
    changed = instance.with_policy({"market.paid_share.2028": 0.1, "market.prices_cny_per_t": 80})
    assert changed.policy.market.paid_share == {"2028": 0.1}
    assert changed.policy.market.prices_cny_per_t == 80
    again = changed.with_policy({"market.paid_share.2030": 0.3}).policy.market.paid_share
    assert again == {"2028": 0.1, "2030": 0.3}
    assert changed.with_policy({"market.paid_share": 0.2}).policy.market.paid_share == 0.2
    cut = instance.with_policy(
        {"abatement.output_cut.cement.share": 0.1, "abatement.output_cut.cement.margin_cny_per_t": 50}
    )
    assert cut.policy.abatement.output_cut["cement"].share == 0.1


@pytest.mark.parametrize(
    ("section", "message"),
    [
        pytest.param(
            "[markets]\nreserve_t = 1",
            "markets: is not a key of the policy.\n"
            "   Did you mean 'market'? Use one of year, coverage, rule, sectors, provinces, national, "
            "allocation, horizon, abatement, market, penalty, compliance, pathway, outlook, review_plan, investment.",
            id="an unknown section",
        ),
        pytest.param(
            "[penalty]\nmultiples = 5",
            "penalty.multiples: is not a key of the policy.\n"
            "   Did you mean 'multiple'? "
            "Use one of multiple, reference_price_cny_per_t, fixed_fine_cny, deduction_share.",
            id="an unknown key",
        ),
        pytest.param(
            "[abatement.output_cut.cement]\nshare = 0.1\nmargin_cny_per_t = 1\nshares = 1",
            "abatement.output_cut.cement.shares: is not a key of the policy.\n"
            "   Did you mean 'share'? Use one of share, margin_cny_per_t.",
            id="an unknown key of an output cut",
        ),
        pytest.param(
            "[abatement.output_cut.cement]\nshare = 0.1",
            "abatement.output_cut.cement.margin_cny_per_t: is missing.\n"
            "   Add the key; instances/README.md and `etsopt rules` list its values.",
            id="an output cut without a margin",
        ),
        pytest.param(
            "[abatement.output_cut.cement]\nshare = 1\nmargin_cny_per_t = 1",
            "abatement.output_cut.cement.share: is 1: expected less than 1.\n   Correct the value.",
            id="a cut of everything",
        ),
        pytest.param(
            "[abatement.output_cut.cemnt]\nshare = 0.1\nmargin_cny_per_t = 1",
            "abatement.output_cut.cemnt: 'cemnt' is not a sector.\n"
            "   Did you mean 'cement'? Use one of cement, steel, aluminium, power.",
            id="an output cut of an unknown sector",
        ),
        pytest.param(
            "[abatement.output_cut.power]\nshare = 0.1\nmargin_cny_per_t = 1",
            "abatement.output_cut.power: the sector 'power' has no unit.\n   Remove its table, or add its units.",
            id="an output cut of a sector without units",
        ),
        pytest.param(
            '[abatement]\nno_regret = "leave"',
            "abatement.no_regret: is 'leave': expected 'include' or 'exclude'.\n   Correct the value.",
            id="an unknown word",
        ),
        pytest.param(
            "[market.paid_share]\n28 = 0.1",
            "market.paid_share.28: names '28': expected a year from 2000 to 2100.\n"
            "   Write a year with four digits: 2028.",
            id="a year of two digits",
        ),
        pytest.param(
            "[market]\nauctioned_t = {later = 5}",
            "market.auctioned_t.later: names 'later': expected a year from 2000 to 2100.\n"
            "   Write a year with four digits: 2028.",
            id="a word for a year",
        ),
        pytest.param(
            "[market]\npaid_share = {}",
            "market.paid_share: names no year.\n   State one number for all years, or a year with its number.",
            id="a table without years",
        ),
        pytest.param(
            "[market]\npaid_share = {2028 = 10}",
            "market.paid_share.2028: is 10: expected less than or equal to 1.\n   Correct the value.",
            id="a share of a year in per cent",
        ),
        pytest.param(
            "[market]\npaid_share = 10",
            "market.paid_share: is 10: expected less than or equal to 1 or a table.\n   Correct the value.",
            id="a share in per cent",
        ),
        pytest.param(
            '[market]\nprices_cny_per_t = "80"',
            "market.prices_cny_per_t: is '80': expected a valid number or a table.\n"
            "   Write a number without quotes, commas and units; 0.03 is 3 %.",
            id="text for a price",
        ),
        pytest.param(
            "[market]\nprices_cny_per_t = {2025 = -1}",
            "market.prices_cny_per_t.2025: is -1: expected greater than or equal to 0.\n   Correct the value.",
            id="a negative price",
        ),
        pytest.param(
            "[market]\nexternal_demand_t = {2025 = inf}",
            "market.external_demand_t.2025: is inf: expected a finite number.\n   Correct the value.",
            id="demand without end",
        ),
        pytest.param(
            "[market]\nreserve_t = -1",
            "market.reserve_t: is -1: expected greater than or equal to 0.\n   Correct the value.",
            id="a negative reserve",
        ),
        pytest.param(
            "[market]\nprices_cny_per_t = {2027 = 80}\n[horizon]\nlast_year = 2028",
            "market.prices_cny_per_t: is stated for later years, but not for 2 years from 2025 to 2026.\n"
            "   State the price from the first year of the horizon on.",
            id="a price that begins too late",
        ),
        pytest.param(
            "[market]\nceiling_price_cny_per_t = {2025 = 100, 2026 = 50}\nfloor_price_cny_per_t = 60\n"
            "[horizon]\nlast_year = 2026",
            "market.floor_price_cny_per_t: is above the ceiling price in 2026.\n"
            "   Lower the floor or raise the ceiling.",
            id="a floor above the ceiling",
        ),
        pytest.param(
            "[market]\nccer_supply_t = 5",
            "market.ccer_price_cny_per_t: is missing, while there is ccer_supply_t, in 2025.\n"
            "   State the price of an offset, or remove the supply.",
            id="offsets without a price",
        ),
        pytest.param(
            "[horizon]\nfirst_year = 2024",
            "horizon.first_year: is 2024: expected 2025, the year of the tables, or later.\n"
            "   State that year or a later one.",
            id="a horizon before the tables",
        ),
        pytest.param(
            "[horizon]\nfirst_year = 2027\nlast_year = 2026",
            "horizon.last_year: is 2026: expected 2027, the first year, or later.\n   State that year or a later one.",
            id="a horizon that ends before it begins",
        ),
        pytest.param(
            "[horizon]\nlast_year = 2024",
            "horizon.last_year: is 2024: expected 2025, the first year, or later.\n   State that year or a later one.",
            id="a horizon that ends before the tables",
        ),
        pytest.param(
            "[horizon]\nlast_year = 2200",
            "horizon.last_year: is 2200: expected less than or equal to 2100.\n   Correct the value.",
            id="a year beyond the calendar",
        ),
        pytest.param(
            "[horizon]\ndiscount_rate = 5",
            "horizon.discount_rate: is 5: expected less than 1.\n   Correct the value: 0.05 means 5 % a year.",
            id="a discount rate in per cent",
        ),
        pytest.param(
            "[pathway]\ncap_from = 2025",
            "pathway.cap_from: is 2025: expected a year after 2025, the first, since the cap starts from the total "
            "before it.\n   State a later year, or begin the horizon earlier.",
            id="a cap without a year before",
        ),
        pytest.param(
            "[pathway]\ntightening = 1",
            "pathway.tightening: is 1: expected less than 1 or a table.\n   Correct the value: 0.01 means 1 % a year.",
            id="a tightening that leaves nothing",
        ),
        pytest.param(
            "[penalty]\nmultiple = 4",
            "penalty.multiple: is 4: expected greater than or equal to 5.\n   Correct the value.",
            id="a multiple below the law",
        ),
        pytest.param(
            "[penalty]\nmultiple = 11",
            "penalty.multiple: is 11: expected less than or equal to 10.\n   Correct the value.",
            id="a multiple above the law",
        ),
        pytest.param(
            "[penalty]\nfixed_fine_cny = 6e6",
            "penalty.fixed_fine_cny: is 6000000.0: expected less than or equal to 5000000.\n   Correct the value.",
            id="a fine above the law",
        ),
    ],
)
def test_a_fault_of_these_sections_is_told(write_folder: Writer, section: str, message: str) -> None:
    assert message_of(write_folder(units_csv(), policy_toml(section))) == f"policy.toml, {message}"


def test_an_output_cut_needs_output(write_folder: Writer) -> None:
    cut = policy_toml("[abatement.output_cut.cement]\nshare = 0.1\nmargin_cny_per_t = 1")
    assert message_of(write_folder(units_csv(output_t=["1000000", "", "5000000"]), cut)) == (
        "units.csv, output_t: 1 unit has no output that could be cut: row of line-2.\n"
        "   Fill the column, of power generation_mwh, or remove the sector from abatement.output_cut."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"market.paid_share.soon": 0.1},
            "The policy has a problem.\n\n1. the changed policy, market.paid_share.soon: names 'soon': expected a "
            "year from 2000 to 2100.\n   Write a year with four digits: 2028.",
            id="no year",
        ),
        pytest.param(
            {"market.reserve_t.2028": 5.0},
            "The policy has a problem.\n\n1. the changed policy, market.reserve_t: is {'2028': 5.0}: expected a "
            "valid number.\n   Correct the value.",
            id="a year of what has none",
        ),
        pytest.param(
            {"horizon.first_year": 2020},
            "The changed policy of 'plant' has a problem.\n\n1. policy.toml, horizon.first_year: is 2020: expected "
            "2025, the year of the tables, or later.\n   State that year or a later one.",
            id="a horizon before the tables",
        ),
    ],
)
def test_a_wrong_change_of_these_sections_is_refused(
    write_folder: Writer, changes: dict[str, Any], message: str
) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml()))
    with pytest.raises(DataError) as caught:
        instance.with_policy(changes)
    assert str(caught.value) == message


def test_the_command_line_changes_one_year(capsys: pytest.CaptureFixture[str]) -> None:
    changes = ["--set", "market.paid_share.2028=0.1", "--set", "market.prices_cny_per_t=80"]
    assert main(["validate", "tiny", *changes, "--json"]) == 0
    assert main(["solve", "tiny", "--set", "market.paid_share.28=0.1"]) == 2
    assert "names '28': expected a year from 2000 to 2100" in capsys.readouterr().err


def test_a_number_for_all_years_is_not_dropped_for_that_of_one_year(write_folder: Writer) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml("[market]\npaid_share = 0.05")))
    with pytest.raises(DataError) as caught:
        instance.with_policy({"market.paid_share.2028": 0.1})
    assert str(caught.value) == (
        "The policy has a problem.\n\n1. the changed policy, market.paid_share: is the one value 0.05: expected a "
        "table with '2028'.\n   Set market.paid_share itself, to a table of all values if it may be one."
    )
