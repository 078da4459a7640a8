"""What version 0.1.0 wrote and was asked for is still understood: runs, instances, policies, and options."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.data.former_names import KEYS, METHODS, MODELS, OBJECTIVES, SECTIONS, current_options
from etsopt.data.tables.schema import TABLES as OF_INSTANCES
from etsopt.errors import DataError, FormerNameWarning
from etsopt.results import former_runs
from etsopt.results.former_runs import as_solved
from etsopt.results.results import load_both
from etsopt.running import library
from etsopt.solving.options import METHODS as PRESENT_METHODS
from etsopt.solving.options import SolveOptions
from tests.folders import policy_toml

STORED = sorted((Path(__file__).parents[1] / "runs_of_0_1_0").iterdir())

UNTIL = "Former names are accepted until the next release."

FORMER = {
    "year": 2025,
    "rule": {"name": "cn-2025"},
    "sectors": {"cement": {"band": 0.03}},
    "allocation": {"fair_order": True, "whole_allowances": False, "objectives": ["worst", "change"]},
    "abatement": {"pays_by_itself": "left"},
    "settlement": {"at_risk": ["a"]},
}
PRESENT = {
    "year": 2025,
    "rule": {"name": "cn-2025"},
    "sectors": {"cement": {"band": 0.03}},
    "allocation": {"intensity_order": True, "integer_allowances": False, "objectives": ["largest_change", "change"]},
    "abatement": {"no_regret": "exclude"},
    "compliance": {"at_risk": ["a"]},
}


def units(**columns: Any) -> pd.DataFrame:
    own = {"unit_id": ["a", "b"], "enterprise_id": ["a", "b"], "sector": "cement", "province": "p"}
    return pd.DataFrame({**own, "emissions_tco2e": [1e6, 2e6], "output_t": [1.1e6, 2.4e6], **columns})


LATER = ("reconciliation", "review_plan", "investment")
"""Models that version 0.1.0 did not have."""


def test_there_is_a_stored_run_of_every_model() -> None:
    stored = {load_both(folder)[0].provenance["model"] for folder in STORED}
    assert stored == set(library.names()) - {"allocation_elastic", *LATER}


@pytest.mark.parametrize("folder", STORED, ids=lambda folder: folder.name)
def test_a_stored_run_loads_without_a_warning_and_is_what_it_said_it_was(folder: Path) -> None:
    results, instance = load_both(folder)
    assert instance.hash == results.provenance["instance_hash"]
    report = etsopt.check(instance, results)
    assert report.violations == ()
    assert results.status.endswith("certified") or results.status.startswith("certified") is results.certified
    assert report.certified or results.provenance["calculated"]


@pytest.mark.parametrize("folder", STORED, ids=lambda folder: folder.name)
def test_a_stored_run_has_the_names_of_a_run_made_now(folder: Path) -> None:
    before, instance = load_both(folder)
    # The markets of then had lump sums alone.
    now = etsopt.solve(as_solved(instance, before.provenance, before.tables), before.provenance["model"])
    assert {name: list(table) for name, table in before.tables.items()} == {
        # What sets the prices was not stated then, nor names of units; what the program changed follows.
        name: [column for column in table if (name, column) != ("allocation", "name")]
        for name, table in now.tables.items()
        if name != "closure"
    }
    assert [level.name for level in before.levels] == [level.name for level in now.levels]
    for column in ("level", "row", "way_out"):
        for name, table in now.tables.items():
            if column in table:
                assert set(before.tables[name][column]) == set(table[column])


def test_a_stored_run_is_written_under_present_names_and_stays_the_same(tmp_path: Path) -> None:
    results, instance = load_both(next(folder for folder in STORED if folder.name == "s0-settlement"))
    results.save(tmp_path / "run", instance)
    assert (tmp_path / "run" / "tables" / "compliance.csv").is_file()
    again, same = load_both(tmp_path / "run")
    assert (again, same) == (results, instance)
    assert main(["check", str(tmp_path / "run")]) == 0


def test_an_instance_of_either_names_is_the_same_instance() -> None:
    with pytest.warns(FormerNameWarning, match="the column 'case' is now 'special_case'"):
        before = etsopt.Instance.from_frames(units(case=["new", ""]), PRESENT)
    now = etsopt.Instance.from_frames(units(special_case=["new", ""]), PRESENT)
    assert before == now
    assert list(before.units) == list(now.units)


def test_a_policy_of_either_names_is_the_same_policy() -> None:
    with pytest.warns(FormerNameWarning) as told:
        before = etsopt.Instance.from_frames(units(), FORMER)
    assert before.policy == etsopt.Instance.from_frames(units(), PRESENT).policy
    assert [str(warning.message) for warning in told] == [
        "policy: settlement is now compliance, allocation.fair_order is now allocation.intensity_order, "
        "allocation.whole_allowances is now allocation.integer_allowances, abatement.pays_by_itself is now "
        f"abatement.no_regret, the objective 'worst' is now 'largest_change'. {UNTIL}"
    ]


def test_a_key_under_both_names_is_refused() -> None:
    stated = {**PRESENT, "allocation": {"fair_order": True, "intensity_order": True}}
    with pytest.raises(DataError, match=r"allocation\.fair_order: is the former name of allocation.intensity_order"):
        etsopt.Instance.from_frames(units(), stated)


def test_changes_by_former_paths_are_those_by_present_ones() -> None:
    instance = etsopt.Instance.from_frames(units(), PRESENT)
    former = {
        "allocation.fair_order": False,
        "abatement.pays_by_itself": "taken",
        "settlement.without_purchases": ["b"],
    }
    present = {
        "allocation.intensity_order": False,
        "abatement.no_regret": "include",
        "compliance.without_purchases": ["b"],
    }
    with pytest.warns(FormerNameWarning, match="settlement.without_purchases is now compliance.without_purchases"):
        before = instance.with_policy(former)
    now = instance.with_policy(present)
    assert (before.policy, before.given) == (now.policy, now.given)


@pytest.mark.parametrize(("former", "present"), METHODS.items())
def test_a_method_by_its_former_name(former: str, present: str) -> None:
    with pytest.warns(FormerNameWarning, match=f"The method '{former}' is now '{present}'"):
        asked = current_options({"method": former, "gap": 0.1})
    assert SolveOptions(**asked).method == present


def test_a_command_with_former_names_says_the_present_ones_and_does_its_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    units(case=["", ""]).to_csv(folder / "units.csv", index=False)
    (folder / "policy.toml").write_text(policy_toml("[allocation]\nfair_order = true"), encoding="utf-8")
    assert main(["solve", str(folder), "--method", "stamped"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"Warning: policy.toml: allocation.fair_order is now allocation.intensity_order. {UNTIL}",
        f"Warning: units.csv: the column 'case' is now 'special_case'. {UNTIL}",
        f"Warning: The method 'stamped' is now 'direct'. {UNTIL}",
    ]
    assert main(["solve", "cn-2025", "--model", "settlement"]) == 0
    assert "The model 'settlement' is now 'compliance'" in capsys.readouterr().err


def test_every_present_name_is_one_that_is_known() -> None:
    assert set(MODELS.values()) <= set(library.names())
    assert set(METHODS.values()) == set(PRESENT_METHODS)
    policy = etsopt.read("tiny").policy
    assert set(SECTIONS.values()) | set(KEYS) <= set(type(policy).model_fields)
    for section, keys in KEYS.items():
        assert set(keys.values()) <= set(type(getattr(policy, section)).model_fields)
    assert set(OBJECTIVES.values()) <= set(former_runs.NAMES.values())
    assert {column.name for table in OF_INSTANCES for column in table.columns}.isdisjoint(former_runs.COLUMNS)


def test_present_names_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        etsopt.solve(etsopt.Instance.from_frames(units(), PRESENT))
