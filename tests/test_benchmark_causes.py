"""The benchmark of causes: clean sets are sound, faults are where they are said to be, and rates are those by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.causes.__main__ import part
from benchmarks.causes.faults import FAULTS, FREQUENCIES, PLACE, Case, figure, planted
from benchmarks.causes.measures import SHIPPED, compared, figures, set_of, touched
from benchmarks.causes.page import page
from benchmarks.causes.plants import PLANTS, clean
from etsopt.accounting import Reports, account, read_reports
from etsopt.accounting.figures import FUELS

NOISES = (0.03, 0.08)
SEEDS = range(1, 16)
FIGURES = ["quantity", "ncv_gj_per_unit"]
KCAL, COAL_EQUIVALENT = 4.1868, 29.3076

case = cache(planted)


def of(rows: pd.DataFrame, fault: pd.Series[Any]) -> pd.DataFrame:
    """The rows of a fault's place by batch; of a missing month all of the unit and month."""
    names = PLACE if fault["process"] else PLACE[:2]
    return rows[(rows[names] == fault[names]).all(axis=1)].set_index("batch")


def faults_of(cause: str) -> list[tuple[Case, pd.Series[Any]]]:
    """All faults of a cause in the sets of some seeds."""
    cases = [case(seed, NOISES[0]) for seed in SEEDS]
    return [(one, fault) for one in cases for _, fault in one.faults.iterrows() if fault["cause"] == cause]


# Clean sets.


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_clean_set_is_accepted_and_has_the_emissions_of_such_plants(seed: int, noise: float) -> None:
    register, rows = clean(seed, noise)
    accounts = account(Reports.from_frames(register, rows))
    assert len(register) == PLANTS
    assert register["sector"].value_counts().min() >= 3
    assert (accounts.unit_months.groupby("unit_id").size() == 12).all()
    years = accounts.unit_years.merge(register[["unit_id", "activity"]], on="unit_id")
    intensity = years["emissions_tco2e"] / years["output_t"]
    usual = {
        "portland_clinker": (0.7, 1.0),
        "primary_aluminium": (1.3, 1.8),
        "long_process": (1.2, 2.5),
        "short_process": (0.03, 0.4),
    }
    for activity, (least, most) in usual.items():
        assert intensity[years["activity"] == activity].between(least, most).all()


@pytest.mark.everyday("0.08")
@pytest.mark.parametrize("noise", NOISES)
def test_items_vary_by_the_noise_that_is_stated_with_heavy_tails(noise: float) -> None:
    deviations = []
    for seed in range(1, 13):
        _register, rows = clean(seed, noise)
        sums = rows.pivot_table(index=["unit_id", "month"], columns=["item", "flow"], values="quantity", aggfunc="sum")
        rate = np.log(sums["anode", "in"] / sums["aluminium", "product"]).dropna()
        deviations.append(rate - rate.groupby("unit_id").transform("mean"))
    every = pd.concat(deviations)
    # Two meters, of a third of the noise each, and twelve months around a mean of their own.
    assert every.std() == pytest.approx(noise * np.sqrt((1 + 2 * 0.3**2) * 11 / 12), rel=0.1)
    assert (every.abs() > 3.5 * every.std()).mean() > 0.001


def test_purchases_and_stocks_balance_what_was_used() -> None:
    _register, rows = clean(1, NOISES[0])
    keys = ["unit_id", "process", "item", "month"]
    sums = rows.pivot_table(index=keys, columns="flow", values="quantity", aggfunc="sum")
    kept = sums.dropna(subset=["purchase", "stock", "in"])
    assert len(kept) >= 24
    assert kept["stock"].gt(0).all()
    opening = kept.groupby(keys[:3])["stock"].shift()
    off = ((kept["purchase"] + opening - kept["stock"]) / kept["in"] - 1).dropna()
    assert off.abs().median() < NOISES[0]
    assert off.abs().max() < 6 * NOISES[0]


def test_a_seed_makes_one_set() -> None:
    first, again, other = planted(7, NOISES[0]), planted(7, NOISES[0]), planted(8, NOISES[0])
    for one, two in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, two)
    assert not first.faults.equals(other.faults)


# Planted faults.


@pytest.mark.nightly
def test_reports_differ_at_the_places_of_faults_and_nowhere_else() -> None:
    for one in [*(case(seed, NOISES[0]) for seed in SEEDS), case(1, NOISES[1])]:
        months = one.faults[["unit_id", "month"]]
        assert len(one.faults) == FAULTS
        assert not months.duplicated().any()
        key = [*PLACE, "batch"]
        both = one.clean.merge(one.rows, on=key, how="outer", indicator=True, suffixes=("", "_after"))
        same = (both["_merge"] == "both") & np.logical_and.reduce(
            [
                (both[name] == both[f"{name}_after"]) | both[[name, f"{name}_after"]].isna().all(axis=1)
                for name in FIGURES
            ]
        )
        changed = set(both.loc[~same, PLACE].itertuples(index=False, name=None))
        whole = set(
            one.faults.loc[one.faults["process"] == "", ["unit_id", "month"]].itertuples(index=False, name=None)
        )
        said = set(one.faults.loc[one.faults["process"] != "", PLACE].itertuples(index=False, name=None))
        assert {place for place in changed if place[:2] not in whole} == said
        assert {place[:2] for place in changed if place[:2] in whole} == whole


@pytest.mark.nightly
def test_reports_with_faults_are_accepted_and_their_factors_are_those_stated() -> None:
    for one in [*(case(seed, NOISES[0]) for seed in SEEDS), case(1, NOISES[1])]:
        account(Reports.from_frames(one.register, one.rows))
        for _, fault in one.faults.iterrows():
            after, before = (of(rows, fault) for rows in (one.rows, one.clean))
            assert len(before)
            stated = figure(after) / figure(before) if len(after) else 0.0
            assert fault["factor"] == pytest.approx(stated, rel=1e-12)


def ratios(one: Case, fault: pd.Series[Any]) -> pd.Series[float]:
    """The changed figures of a place over those before: of tests the calorific values, which alone change."""
    column = FIGURES[fault["flow"] == "test"]
    after, before = of(one.rows, fault), of(one.clean, fault)
    found = after[column] / before[column]
    assert found.notna().all()
    return found[found != 1]


def is_power(power: int) -> Callable[[Case, pd.Series[Any]], bool]:
    return lambda one, fault: is_one_of(ratios(one, fault), power, 1 / power)


def is_one_of(found: pd.Series[float], *wanted: float) -> bool:
    """Whether there are ratios, all of them one of those wanted; a value of 0.0234 has three digits."""
    return len(found) > 0 and any(np.allclose(found, value, rtol=3e-3, atol=0) for value in wanted)


def is_twice(one: Case, fault: pd.Series[Any]) -> bool:
    after, before = of(one.rows, fault)["quantity"], of(one.clean, fault)["quantity"]
    if len(after) == len(before):
        return is_one_of(ratios(one, fault), 2.0)
    return len(after) == len(before) + 1 and bool(after.drop(before.index).isin(before).all())


def is_copy(one: Case, fault: pd.Series[Any]) -> bool:
    last = fault.copy()
    last["month"] = str(pd.Period(fault["month"], "M") - 1)
    after, source, before = of(one.rows, fault), of(one.rows, last), of(one.clean, fault)
    return after[FIGURES].equals(source[FIGURES]) and not after[FIGURES].equals(before[FIGURES])


def is_total(one: Case, fault: pd.Series[Any]) -> bool:
    after, before = of(one.rows, fault)["quantity"], of(one.clean, fault)["quantity"]
    total = after.max()
    return len(after) > len(before) and np.isclose(after.sum() - total, total, rtol=0, atol=0.011)


def is_stock(one: Case, fault: pd.Series[Any]) -> bool:
    off = np.exp(np.abs(np.log(ratios(one, fault)))) - 1
    return fault["flow"] == "stock" and len(off) == 1 and 0.3 < off.iat[0] < 1.5


def lacks_a_row(one: Case, fault: pd.Series[Any]) -> bool:
    after, before = of(one.rows, fault), of(one.clean, fault)
    others = [name for name in PLACE if name != "month"]
    months = one.clean.loc[(one.clean[others] == fault[others]).all(axis=1), "month"].nunique()
    rest = before.loc[after.index, FIGURES]
    return (
        months == 12
        and len(after) < len(before)
        and (not len(after) or len(before) - len(after) == 1)
        and rest.equals(after[FIGURES])
    )


def has_no_meaning(one: Case, fault: pd.Series[Any]) -> bool:
    off = np.exp(np.abs(np.log(ratios(one, fault))))
    return len(off) > 0 and bool(off.between(1.299, 5.005).all())


IS: dict[str, Callable[[Case, pd.Series[Any]], bool]] = {
    "factor_1000": is_power(1000),
    "factor_10": is_power(10),
    "factor_10000": is_power(10_000),
    "counted_twice": is_twice,
    "calorific_unit": lambda one, fault: (
        fault["flow"] == "test" and is_one_of(ratios(one, fault), KCAL, 1 / KCAL, 1 / COAL_EQUIVALENT)
    ),
    "tonnes_of_coal_equivalent": lambda one, fault: is_one_of(
        ratios(one, fault), FUELS[fault["item"]][0] / COAL_EQUIVALENT
    ),
    "copied_month": is_copy,
    "total_and_parts": is_total,
    "stock_open": is_stock,
    "missing_row": lacks_a_row,
    "missing_month": lambda one, fault: not len(of(one.rows, fault)) and fault["item"] == "",
    "unexplained": has_no_meaning,
}
"""What each cause is, told from the reports alone."""


@pytest.mark.parametrize("cause", FREQUENCIES)
def test_a_fault_is_of_its_cause(cause: str) -> None:
    found = faults_of(cause)
    assert found
    for one, fault in found:
        assert IS[cause](one, fault), fault.to_dict()


def test_frequencies_add_up_and_outputs_have_faults_too() -> None:
    assert sum(FREQUENCIES.values()) == pytest.approx(1)
    flows = pd.concat([case(seed, NOISES[0]).faults["flow"] for seed in SEEDS])
    assert {"in", "out", "product", "purchase", "stock", "test", ""} == set(flows)


# Measures.


def table(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


FOUR = table(
    "unit_id month process item flow cause way factor",
    ("P1", "2025-01", "clinker", "bituminous", "in", "factor_1000", "thousand", 1000.0),
    ("P1", "2025-02", "clinker", "bituminous", "test", "calorific_unit", "kcal/g", 0.24),
    ("P2", "2025-03", "", "", "", "missing_month", "month", 0.0),
    ("P3", "2025-04", "electrolysis", "anode", "in", "unexplained", "factor", 1.6),
)
FOUND = table(
    "unit_id month process item flow cause probability",
    # Right in all; a second finding at the place is less probable.
    ("P1", "2025-01", "clinker", "bituminous", "in", "factor_1000", 0.9),
    ("P1", "2025-01", "clinker", "bituminous", "in", "factor_10", 0.1),
    # The right item by another flow, with another cause.
    ("P1", "2025-02", "clinker", "bituminous", "in", "unexplained", 0.5),
    # A month without a report has neither process nor item.
    ("P2", "2025-03", None, None, None, "missing_month", 1.0),
    # The right month by another item, and a month without a fault.
    ("P3", "2025-04", "electrolysis", "aluminium", "product", "unexplained", 0.6),
    ("P4", "2025-05", "clinker", "diesel", "in", "factor_10", 0.7),
)


def test_rates_are_those_by_hand() -> None:
    rates = figures([compared(FOUR, FOUND)])
    assert (rates["sets"], rates["faults"], rates["findings"]) == (1, 4, 6)
    assert rates["findings_per_fault"] == pytest.approx(6 / 4)
    assert rates["place"] == pytest.approx({"recall": 2 / 4, "precision": 2 / 5})
    assert rates["item"] == pytest.approx({"recall": 3 / 4, "precision": 3 / 5})
    assert rates["month"] == pytest.approx({"recall": 1.0, "precision": 4 / 5})
    assert rates["right_cause"] == pytest.approx(2 / 4)
    by_cause = rates["by_cause"]
    assert by_cause["calorific_unit"]["named"] == {"unexplained": 1}
    assert by_cause["factor_1000"]["named"] == {"factor_1000": 1}
    assert by_cause["unexplained"] | {"named": {}} == {
        **{"faults": 1, "recall": 0.0, "named": {}, "findings": 2, "precision": 0.5, "right": 0.0}
    }
    assert by_cause["factor_10"] == {
        **{"faults": 0, "recall": None, "named": {}, "findings": 2, "precision": 0.5, "right": 0.0}
    }
    assert rates["by_size"] == {
        "1.5 to 2": {"faults": 1, "recall": 0.0},
        "2 to 5": {"faults": 1, "recall": 1.0},
        "100 and more": {"faults": 1, "recall": 1.0},
        "missing": {"faults": 1, "recall": 1.0},
    }


def test_rates_of_rules_are_those_by_hand() -> None:
    found = FOUND.drop(columns=["process", "flow", "cause", "probability"]).assign(rule=list("aabbcc"))
    rates = figures([compared(FOUR, found)])
    assert rates["item"] == pytest.approx({"recall": 3 / 4, "precision": 3 / 5})
    assert rates["by_rule"]["c"] == {"findings": 2, "at_item": 0.0, "at_month": 0.5}
    assert "place" not in rates
    assert "right_cause" not in rates


def test_of_two_sets_the_faults_count_and_a_unit_is_of_its_own_set() -> None:
    elsewhere = FOUND[FOUND["unit_id"] == "P4"]
    rates = figures([compared(FOUR, FOUND), compared(FOUR, elsewhere)])
    assert rates["item"] == pytest.approx({"recall": 3 / 8, "precision": 3 / 6})


def test_a_fault_of_the_shipped_reports_is_touched_in_any_of_its_months() -> None:
    faults = table("unit_id month months kind", ("R1", "2025-11", 2, "late"), ("R2", "2025-01", 1, "jump"))
    causes = table("unit_id month", ("R1", "2025-12"), ("R2", "2025-02"), ("R3", "2025-01"), ("R3", "2025-02"))
    found = touched(faults, causes, ["R1", "R2", "R3", "R4"])
    assert (found["faults"], found["touched"], found["causes"]) == (2, 1, 4)
    assert found["by_kind"] == {"late": {"faults": 1, "touched": 1}, "jump": {"faults": 1, "touched": 0}}
    assert (found["clean_plants"], found["causes_in_clean_plants"], found["clean_plants_with_causes"]) == (2, 2, 1)


def knowing(seed: int, noise: float) -> Callable[[Reports], Any]:
    """A screening that knows the faults of a set, and whose rules find nothing."""
    faults = planted(seed, noise).faults
    rules = pd.DataFrame(columns=["rule", "unit_id", "month", "item"])
    return lambda _reports: SimpleNamespace(causes=faults.assign(probability=1.0), findings=rules)


def test_who_knows_the_faults_reaches_the_goals_and_who_finds_nothing_misses_recall() -> None:
    sets = [set_of(seed, NOISES[0], knowing(seed, NOISES[0])) for seed in (5, 6)]
    assert [sorted(one) for one in sets] == [["causes", "cpu_s", "rules", "seed"], ["causes", "cpu_s", "seed"]]
    low = part(NOISES[0], range(5, 7), sets)
    for level in ("item", "month", "place"):
        assert low["causes"][level] == {"recall": 1.0, "precision": 1.0}
        assert low["causes_beside_rules"][level] == {"recall": 1.0, "precision": 1.0}
    assert (low["causes"]["right_cause"], low["causes"]["findings_per_fault"]) == (1.0, 1.0)
    assert low["rules"]["item"] == {"recall": 0.0, "precision": 1.0}
    faults = pd.read_csv(SHIPPED / "planted.csv")
    shipped = touched(faults, faults, read_reports(SHIPPED).register["unit_id"].tolist())
    assert (shipped["touched"], shipped["causes_in_clean_plants"]) == (30, 0)
    about = {"machine": {"cores": 2, "cpu": "none", "memory_gib": 1, "date": "2026-01-01"}, "versions": {"python": "3"}}
    text = page({"low": low, "high": low, "shipped": shipped, **about})
    assert "Met: recall, precision, findings a fault." in " ".join(text.split())
    assert "| causes, 3% | 2 | 100.0% | 100.0% | 100.0% | 100.0% | 100.0% | 100.0% | 100.0% | 1.00 |" in text
    missed = page(
        {"low": low | {"causes": low["causes"] | {"item": low["rules"]["item"]}}, "high": low}
        | about
        | {"shipped": shipped}
    )
    assert "Met: precision, findings a fault. Missed: recall." in " ".join(missed.split())
