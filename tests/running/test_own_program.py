"""Models of the user's own: their program is certified, a check with their file proves it again, no forgery passes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.program import NO_POINT
from etsopt.cli import main
from etsopt.common.errors import ModelError, StoppedError, UsageError
from etsopt.common.provenance import Coverage, Doubts, EmissionsStatus, Holders
from etsopt.data.groups import Groups
from etsopt.modelling.solving import levels
from etsopt.running import own_program, run
from tests.builders import random_instance

LEAST = '''
"""Least allowances that give every unit nine tenths of its emissions, and every sector a share."""

import pandas as pd
import pyomo.environ as pyo
from etsopt.data.groups import Groups
from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("least")
    m.UNITS, m.SECTORS = pyo.Set(), pyo.Set()
    m.UNITS_IN_SECTOR = pyo.Set(m.SECTORS, within=m.UNITS)
    m.emissions = pyo.Param(m.UNITS)
    m.allowance = pyo.Var(m.UNITS, bounds=lambda m, i: (0.9 * m.emissions[i], m.emissions[i]), doc="allowances [t]")

    @m.Constraint(m.SECTORS, doc="the sector gets enough [t]")
    def enough(m, s):
        return sum(m.allowance[i] - SHARE * m.emissions[i] for i in m.UNITS_IN_SECTOR[s]) >= 0

    @m.Objective(doc="all allowances [t]")
    def total(m):
        return sum(m.allowance[i] for i in m.UNITS)

    return m


def parameters(instance):
    sector = instance.labels("sector")
    return {
        "UNITS": len(instance.units),
        "SECTORS": len(sector),
        "UNITS_IN_SECTOR": Groups.from_labels(sector.code, len(sector)),
        "emissions": instance.emissions_tco2e,
    }


def tables(instance, solution):
    plan = instance.units[["unit_id"]].assign(allowance_t=solution.values["allowance"])
    dual = solution.levels[0].multipliers["enough"]
    return {"plan": plan, "sectors": pd.DataFrame({"sector": instance.sectors, "total_shadow_price": dual})}


SHARE = 0.95
MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
'''

RETROFIT = '''
"""Units to retrofit at least cost, of which then the fewest."""

import numpy as np
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("retrofit")
    m.UNITS = pyo.Set()
    m.saved, m.cost, m.needed = pyo.Param(m.UNITS), pyo.Param(m.UNITS), pyo.Param()
    m.retrofit = pyo.Var(m.UNITS, domain=pyo.Binary, doc="the unit is retrofitted")
    m.enough = pyo.Constraint(rule=lambda m: sum(m.saved[i] * m.retrofit[i] for i in m.UNITS) >= m.needed)
    m.cost_of_all = pyo.Objective(rule=lambda m: sum(m.cost[i] * m.retrofit[i] for i in m.UNITS), doc="cost [CNY]")
    m.number = pyo.Objective(rule=lambda m: sum(m.retrofit[i] for i in m.UNITS), doc="units")
    return m


def parameters(instance):
    emissions = np.asarray(instance.emissions_tco2e)
    cost = np.round(emissions * (20 + 10 * (np.arange(len(emissions)) % 7)))
    saved = np.round(0.3 * emissions)
    return {"UNITS": len(emissions), "saved": saved, "cost": cost, "needed": round(CUT * saved.sum())}


def tables(instance, solution):
    return {"plan": instance.units[["unit_id"]].assign(retrofit=solution.values["retrofit"] > 0.5)}


CUT = 0.4
MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
'''


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(name: str, source: str, *changes: tuple[str, str]) -> Path:
        for old, new in changes:
            assert old in source
            source = source.replace(old, new)
        path = tmp_path / f"{name}.py"
        path.write_text(source, "utf-8")
        return path

    return written


def test_the_program_is_certified_and_a_check_with_the_file_proves_it_again(
    write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, folder = write("least", LEAST), tmp_path / "run"
    assert main(["solve", "tiny", "--model", str(model), "--out", str(folder)]) == 0
    assert "program of the model file certified optimal" in capsys.readouterr().out
    result = etsopt.load(folder)
    # 0.95 of 560,000 t, and one tonne more that the sector must get costs one.
    assert (result.status, result.certified, result.levels[0].value) == ("certified_program", True, 532_000.0)
    assert result.tables["sectors"]["total_shadow_price"].tolist() == [1.0]
    enough = {"kind": "Constraint", "name": "enough", "doc": "the sector gets enough [t]"}
    assert enough in result.provenance.as_json()["formulation"]
    assert main(["check", str(folder)]) == 6
    assert "--model least.py" in capsys.readouterr().out.replace("\n", " ")
    assert main(["check", str(folder), "--model", str(model)]) == 0
    assert "Theorem of least.py" in capsys.readouterr().out
    assert main(["check", str(folder), "--model", str(model), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["theorem"], content["status"], content["certified"]) == ("least.py", "certified_program", True)


def test_a_check_runs_no_file_that_a_run_names(write: Callable[..., Path], tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    model, folder = write("least", LEAST), tmp_path / "run"
    etsopt.solve(etsopt.read("tiny"), str(model)).save(folder)
    model.write_text(f"open({str(marker)!r}, 'w').close()\n" + LEAST, "utf-8")
    assert main(["check", str(folder)]) == 6
    assert main(["report", str(folder)]) == 0
    assert not marker.exists()


def test_another_file_and_two_theorems_are_refused(
    write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    etsopt.solve(etsopt.read("tiny"), str(write("least", LEAST))).save(folder)
    more = write("more", LEAST, ("SHARE = 0.95", "SHARE = 0.97"))
    assert main(["check", str(folder), "--model", str(more)]) == 5
    assert main(["check", str(folder), "--model", str(more), "--as", "allocation"]) == 2
    assert "--as and --model" in capsys.readouterr().err


def test_both_ways_to_the_solver_certify_the_same(write: Callable[..., Path]) -> None:
    model, instance = str(write("least", LEAST)), random_instance(1, 40)
    one, other = (etsopt.solve(instance, model, method=method) for method in ("direct", "pyomo"))
    assert one.status == other.status == "certified_program"
    pd.testing.assert_frame_equal(one.tables["plan"], other.tables["plan"])
    assert run.check(instance, other, model=model).certified


def test_whole_numbers_are_proven_by_a_tree(write: Callable[..., Path], tmp_path: Path) -> None:
    model, instance, folder = write("retrofit", RETROFIT), random_instance(5, 30), tmp_path / "run"
    result = etsopt.solve(instance, str(model))
    assert result.status == "certified_program"
    assert len(result.tables["program_nodes"])
    for table_format in ("csv", "parquet"):
        result.save(folder, table_format=table_format)
        assert run.check(instance, etsopt.load(folder), model=model).certified
    # A multiplier at a split, which no proof reads.
    inner = int(result.tables["program_nodes"]["parent"].max())
    assert inner > 0
    more = forged(result, "program_duals", lambda table: pd.concat([table, table.iloc[[0]].assign(node=inner)]))
    assert run.check(instance, more, model=model).status == "refused"
    # Without its tree the cost is as good, and not proven.
    bare = {name: table for name, table in etsopt.load(folder).tables.items() if name != "program_nodes"}
    verdict = run.check(instance, replace(etsopt.load(folder), tables=bare, stated_tables=None), model=model)
    assert not verdict.certified


def test_a_larger_gap_is_certified_where_it_was_asked_for(write: Callable[..., Path], tmp_path: Path) -> None:
    model, instance = write("retrofit", RETROFIT), random_instance(5, 30)
    result = etsopt.solve(instance, str(model), gap=0.2)
    assert result.status == "certified_program"
    assert run.check(instance, result, gap=0.2, model=model).certified


def test_rows_that_conflict_are_named_and_proven(
    write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, folder = write("none", LEAST, ("SHARE = 0.95", "SHARE = 1.05")), tmp_path / "run"
    assert main(["solve", "tiny", "--model", str(model), "--out", str(folder)]) == 3
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("enough[0]", "588000", "allowance[0] ≤ 100000"))
    result = etsopt.load(folder)
    assert (result.status, result.termination) == ("infeasible_program", "infeasible")
    conflict = result.tables["conflict"]
    assert conflict["part"].tolist() == ["row", "bound", "bound", "bound"]
    assert main(["check", str(folder), "--model", str(model)]) == 0
    assert "recomputed" in capsys.readouterr().out
    for change in (
        {"lower": [580_000.0, *conflict["lower"][1:]]},
        {"position": [1, *conflict["position"][1:]]},
        {"name": ["few", *conflict["name"][1:]]},
        {"part": ["bound", *conflict["part"][1:]]},
    ):
        forged = replace(result, tables={**result.tables, "conflict": conflict.assign(**change)})
        assert run.check(etsopt.read("tiny"), forged, model=model).status == "refused"


ODD = (
    ("saved = np.round(0.3 * emissions)", "saved = 2 * np.round(0.15 * emissions)"),
    ("for i in m.UNITS) >= m.needed", "for i in m.UNITS) == m.needed"),
    ("round(CUT * saved.sum())", "2 * round(0.2 * saved.sum()) + 1"),
)


def test_whole_numbers_that_no_row_allows_are_proven_to_have_no_point(write: Callable[..., Path]) -> None:
    model, instance = write("odd", RETROFIT, *ODD), etsopt.read("tiny")
    result = etsopt.solve(instance, str(model))
    assert result.status == "infeasible_program"
    assert result.tables["conflict"]["name"].tolist() == ["enough"]
    assert run.check(instance, result, model=model).certified


def test_limits_that_are_broken_by_the_solver_are_refused(write: Callable[..., Path], monkeypatch: Any) -> None:
    from etsopt.modelling.solving.levels import solve_levels as original
    from etsopt.running import solve_task

    def broken(*arguments: Any) -> Any:
        solution = original(*arguments)
        return replace(solution, values={name: 0.99 * one for name, one in solution.values.items()})

    monkeypatch.setattr(solve_task, "solve_levels", broken)
    result = etsopt.solve(etsopt.read("tiny"), str(write("least", LEAST)))
    assert result.status == "refused"
    assert result.violations[0]["where"] == "enough[0]"


def test_a_name_of_a_table_that_holds_the_program_is_refused(write: Callable[..., Path]) -> None:
    model = write("taken", LEAST, ('"plan": plan', '"program_values": plan'))
    with pytest.raises(ModelError, match="makes a table 'program_values'"):
        etsopt.solve(etsopt.read("tiny"), str(model))


def test_a_model_of_several_programs_stays_unchecked(write: Callable[..., Path], tmp_path: Path) -> None:
    model = write("twice", LEAST, ("tables=tables)", "tables=tables, second_program=lambda instance, solution: None)"))
    result = etsopt.solve(etsopt.read("tiny"), str(model))
    assert (result.status, result.certified) == ("feasible", False)
    result.save(tmp_path / "run")
    assert main(["check", str(tmp_path / "run"), "--model", str(model)]) == 6


def test_an_infeasible_model_without_time_for_a_proof_says_so(write: Callable[..., Path], monkeypatch: Any) -> None:
    from etsopt.common.errors import StoppedError
    from etsopt.running import own_program

    def late(*_: Any) -> Any:
        raise StoppedError("time_limit")

    monkeypatch.setattr(own_program, "refute", late)
    result = etsopt.solve(random_instance(5, 12), write("odd", RETROFIT, *ODD), time_limit_s=5)
    assert result.status == "infeasible_unproven"
    assert result.tables["conflict"]["name"].tolist() == ["enough"]


def test_the_report_shows_the_formulation_and_what_is_proven(write: Callable[..., Path], tmp_path: Path) -> None:
    result = etsopt.solve(etsopt.read("tiny"), str(write("least", LEAST)))
    english, chinese = tmp_path / "en.html", tmp_path / "zh.html"
    result.report(english)
    result.report(chinese, lang="zh")
    for text in ("the sector gets enough [t]", "all allowances [t]", "every row, bound and whole number"):
        assert text.casefold() in english.read_text("utf-8").casefold()
    assert "program_values" not in english.read_text("utf-8")
    assert "模型文件的规划已证明最优" in chinese.read_text("utf-8")


IDLE = """
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("idle")
    m.UNITS = pyo.Set()
    m.x = pyo.Var(m.UNITS, bounds=(0, 1e12))
    m.y = pyo.Var(m.UNITS, bounds=(500, 1000))
    m.at_least = pyo.Constraint(m.UNITS, rule=lambda m, i: m.x[i] - m.y[i] >= 0)
    m.total = pyo.Objective(rule=lambda m: sum(m.x[i] for i in m.UNITS), doc="all [t]")
    return m


def parameters(instance):
    return {"UNITS": len(instance.units)}


def tables(instance, solution):
    plan = instance.units[["unit_id"]].assign(x=solution.values["x"], code="000000000000000001")
    return {"plan": plan}


MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
"""


def forged(run_of: Any, name: str, change: Callable[[pd.DataFrame], pd.DataFrame], **words: Any) -> Any:
    return replace(run_of, tables={**run_of.tables, name: change(run_of.tables[name].copy())}, **words)


def holding(run_of: Any, name: str, table: pd.DataFrame) -> Any:
    return replace(run_of, tables={**run_of.tables, name: table})


def test_hostile_numbers_and_words_prove_nothing(write: Callable[..., Path]) -> None:
    """What strangers tried: each passed once, as certified or as a traceback."""
    instance, model = etsopt.read("tiny"), write("idle", IDLE)
    honest = etsopt.solve(instance, model)
    assert honest.certified
    worse = honest.tables["program_values"].assign(value=[1e12, 1e12, 1e12, 500.0, 500.0, 500.0])
    made = honest.tables["plan"].assign(x=1e12)
    level = replace(honest.levels[0], value=3e12, bound=3e12, gap=0.0)
    far = replace(honest, tables={**honest.tables, "program_values": worse, "plan": made}, levels=(level,))
    low = honest.tables["program_values"].assign(value=[0.0, 0.0, 1e12, 500.0, 500.0, 500.0])
    extra = pd.DataFrame([["total", 0, "no_row", 7, 1.0]], columns=[*honest.tables["program_duals"]])
    twice = replace(honest.levels[0], name="welfare of the people", value=1e12, certified=False)
    tried = [
        far,
        forged(far, "program_duals", lambda table: table.assign(multiplier=1e308)),
        forged(far, "program_duals", lambda table: table.assign(multiplier=-1e308)),
        replace(honest, tables={**honest.tables, "program_values": low}),
        forged(honest, "plan", lambda table: table.assign(code="000000000000000002")),
        forged(honest, "plan", lambda table: table.assign(x=table["x"] + 1e-4)),
        forged(honest, "program_duals", lambda table: pd.concat([table, extra])),
        forged(honest, "program_duals", lambda table: pd.concat([table, extra.assign(row="at_least", node=1e15)])),
        forged(honest, "program_duals", lambda table: pd.concat([table, extra.assign(level="welfare")])),
        forged(honest, "program_duals", lambda table: pd.concat([table.assign(multiplier=9e9), table])),
        forged(honest, "program_duals", lambda table: pd.concat([table, table.assign(level=NO_POINT)])),
        replace(honest, levels=(*honest.levels, twice)),
        replace(honest, levels=(*honest.levels, *honest.levels)),
        replace(honest, levels=()),
    ]
    for one in tried:
        verdict = run.check(instance, one, model=model)
        assert verdict.status == "refused" or not verdict.certified
        assert verdict.violations
    # Multipliers that prove nothing by themselves are said to be unchecked.
    wide = replace(honest, tables={**honest.tables, "program_duals": extra.assign(row="at_least", position=0)})
    verdict = run.check(instance, wide, model=model)
    assert verdict.violations or verdict.unproven_prices == ("total",)


def test_facts_of_the_instance_that_no_one_derives_of_a_model_of_ones_own_are_refused(
    write: Callable[..., Path],
) -> None:
    instance, model = etsopt.read("tiny"), write("least", LEAST)
    honest = etsopt.solve(instance, model)
    forged_facts = {
        "coverage": Coverage(covers="nation"),
        "emissions": EmissionsStatus(
            units={"estimated": 3}, not_verified_tco2e=1.0, not_verified_as_accounted_tco2e=1.0
        ),
        "holders": Holders(),
        "doubts": Doubts(),
    }
    for name, stated in forged_facts.items():
        about = copy(honest.provenance)
        setattr(about, name, stated)
        verdict = run.check(instance, replace(honest, provenance=about), model=model)
        assert [one.where for one in verdict.violations] == [name]


def test_a_conflict_is_that_of_its_proof(write: Callable[..., Path]) -> None:
    model, instance = write("none", LEAST, ("SHARE = 0.95", "SHARE = 1.05")), random_instance(1, 12)
    honest = etsopt.solve(instance, model)
    conflict = honest.tables["conflict"]
    assert run.check(instance, honest, model=model).certified
    row = conflict.iloc[[0]]
    for change in (
        conflict.iloc[:1],
        conflict.iloc[1:],
        pd.concat([row, conflict]),
        pd.concat([conflict, row.assign(part="law", name="the ministry")]),
        conflict.assign(lower=conflict["lower"].fillna(-np.inf)),
        conflict.assign(lower="very much"),
        conflict.assign(position=conflict["position"] + 0.5),
    ):
        wrong = replace(honest, tables={**honest.tables, "conflict": change})
        assert run.check(instance, wrong, model=model).status == "refused"
    welfare = replace(honest, levels=etsopt.solve(etsopt.read("tiny")).levels[:1])
    assert run.check(instance, welfare, model=model).violations


@pytest.mark.parametrize(
    ("source", "change", "said"),
    [
        (RETROFIT, ("=tables)", '=tables, fix_after={"number": ("foo",)})'), "fixes 'foo' after"),
        (RETROFIT, ("=tables)", '=tables, objectives=lambda i: ["number", "number"])'), "names 'number' twice"),
        (LEAST, ("    plan =", "    import sys\n\n    sys.exit(0)\n    plan ="), "SystemExit"),
    ],
)
def test_slips_of_a_model_file_are_named(
    write: Callable[..., Path], source: str, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        etsopt.solve(etsopt.read("tiny"), write("slip", source, change))


def test_tables_may_change_what_they_are_given(write: Callable[..., Path]) -> None:
    spoilt = (
        "    plan =",
        '    solution.values["allowance"] *= 1000\n    solution.values.pop("allowance")\n    plan =',
    )
    kept = ('allowance_t=solution.values["allowance"]', "allowance_t=1.0")
    model, instance = write("spoilt", LEAST, spoilt, kept), etsopt.read("tiny")
    result = etsopt.solve(instance, model)
    assert result.certified
    assert result.levels[0].value == 532_000.0
    assert run.check(instance, result, model=model).certified


def test_names_that_the_engine_gives_to_rows_may_be_taken(write: Callable[..., Path]) -> None:
    taken = ("m.enough = ", "m.cost_of_all_stays_optimal = ")
    model, instance = write("taken", RETROFIT, taken), random_instance(5, 12)
    result = etsopt.solve(instance, model)
    assert result.certified
    assert run.check(instance, result, model=model).certified


@pytest.mark.parametrize(("lower", "upper"), [(1.5, 1.5), (0.5, 0.7), (2.0, 1.0)])
def test_a_variable_without_a_value_is_named(
    write: Callable[..., Path], lower: float, upper: float, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bounds = ("domain=pyo.Binary,", f"domain=pyo.Integers, bounds=({lower}, {upper}),")
    model, folder = write("empty", RETROFIT, bounds), tmp_path / "run"
    assert main(["solve", "tiny", "--model", str(model), "--out", str(folder)]) == 3
    assert f"no value between its bounds: retrofit[0] ≥ {lower:g}, retrofit[0] ≤ {upper:g}" in " ".join(
        capsys.readouterr().out.split()
    )
    assert etsopt.load(folder).status == "infeasible_program"
    assert main(["check", str(folder), "--model", str(model)]) == 0


def test_the_page_of_an_own_model_states_no_limits_that_it_may_not_keep(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    etsopt.solve(etsopt.read("tiny"), write("least", LEAST)).report(tmp_path / "page.html")
    assert "surplus rate from" not in (tmp_path / "page.html").read_text("utf-8")


FORGERIES = 150


@pytest.mark.nightly
def test_no_forgery_of_a_run_passes_as_proven(write: Callable[..., Path]) -> None:
    """Another feasible answer, with claims dropped, swapped or made to agree, is never certified."""
    draw = np.random.default_rng(0)
    for source, other in ((LEAST, ("SHARE = 0.95", "SHARE = 0.96")), (RETROFIT, ("CUT = 0.4", "CUT = 0.6"))):
        instance = random_instance(5, 12)
        model = write("honest", source)
        honest = etsopt.solve(instance, str(model))
        worse = etsopt.solve(instance, str(write("worse", source, other)))
        best = honest.levels[0].value
        assert honest.certified
        assert worse.levels[0].value > best + 1
        for _ in range(FORGERIES):
            tables = dict(worse.tables)
            for name in honest.tables.keys() & tables.keys():
                if draw.random() < 0.3:
                    tables[name] = honest.tables[name]
            for name in [*tables]:
                if draw.random() < 0.1:
                    del tables[name]
                elif draw.random() < 0.1:
                    tables[name] = tables[name].iloc[: int(draw.integers(0, len(tables[name]) + 1))]
                elif draw.random() < 0.1:
                    column = draw.choice([*tables[name]])
                    tables[name] = (
                        tables[name].drop(columns=column)
                        if draw.random() < 0.5
                        else tables[name].assign(**{column: "?"})
                    )
            levels = (worse, honest)[int(draw.integers(2))].levels[: int(draw.integers(0, 3))]
            about = worse.provenance.model_copy()
            about.model = str(draw.choice(["honest.py", "allocation", "worse.py"]))
            forged = replace(honest, tables=tables, levels=levels, provenance=about)
            verdict = run.check(instance, forged, model=model)
            if verdict.certified:
                plan = forged.tables["plan"]
                pd.testing.assert_frame_equal(plan, honest.tables["plan"])


def test_a_run_of_the_library_is_none_of_a_file(write: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    etsopt.solve(etsopt.read("tiny")).save(folder)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert main(["check", str(copy), "--model", str(write("least", LEAST))]) == 5
    with pytest.raises(UsageError, match="no theorem"):
        run.check(etsopt.read("tiny"), etsopt.load(folder), model="nothing")


def test_a_check_of_a_sweep_runs_no_file_that_its_record_names(
    write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, marker, folder = write("least", LEAST), tmp_path / "marker", tmp_path / "sweep"
    sweep = tmp_path / "sweep.toml"
    text = f'instance = "tiny"\nmodel = "{model.as_posix()}"\n\n[grid]\nsectors.cement.target_change = [0.0, -0.005]\n'
    sweep.write_text(text, "utf-8")
    assert main(["sweep", str(sweep), "--out", str(folder)]) == 0
    model.write_text(f"open({str(marker)!r}, 'w').close()\n" + LEAST, "utf-8")
    capsys.readouterr()
    assert main(["check", str(folder)]) == 0
    assert "Nothing was solved again" in capsys.readouterr().out
    assert not marker.exists()
    assert main(["check", str(folder), "--model", str(model)]) == 0
    assert "2 of 2 proven ones were solved again" in capsys.readouterr().out
    assert marker.exists()


IDENTIFIED = ("    plan =", "    number = 91110000000000002 + np.arange(len(instance.units))\n    plan =")


def test_an_integer_of_a_table_is_that_of_the_model_to_its_last_digit(write: Callable[..., Path]) -> None:
    imports = ("import pandas as pd", "import numpy as np\nimport pandas as pd")
    stated = (
        'assign(allowance_t=solution.values["allowance"])',
        'assign(allowance_t=solution.values["allowance"], n=number)',
    )
    model, instance = write("least", LEAST, imports, IDENTIFIED, stated), etsopt.read("tiny")
    honest = etsopt.solve(instance, model)
    assert run.check(instance, honest, model=model).certified
    for cells in (honest.tables["plan"]["n"] - 1, honest.tables["plan"]["n"].astype(float)):
        wrong = holding(honest, "plan", honest.tables["plan"].assign(n=cells))
        assert run.check(instance, wrong, model=model).violations[0].where == "plan.n"


def test_a_smaller_gap_that_was_asked_for_counts(write: Callable[..., Path]) -> None:
    model, instance = write("retrofit", RETROFIT), random_instance(5, 30)
    usual, asked = etsopt.solve(instance, model), etsopt.solve(instance, model, gap=1e-8)
    assert asked.status == "certified_program"
    of_usual, of_asked = (
        {run.check(instance, result, gap=gap, model=model).levels[0].asked for gap in (None, 0.99)}
        for result in (usual, asked)
    )
    assert (len(of_usual), len(of_asked)) == (1, 1)
    assert of_asked.pop() < 1e-3 * of_usual.pop()


NARROW = """
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("narrow")
    m.UNITS = pyo.Set()
    m.emissions = pyo.Param(m.UNITS)
    m.x = pyo.Var(m.UNITS, bounds=lambda m, i: (0, m.emissions[i]), doc="t")

    @m.Constraint(m.UNITS, doc="each [t]")
    def each(m, i):
        return m.x[i] >= 0.5 * m.emissions[i]

    @m.Constraint(doc="enough [t]")
    def enough(m):
        return sum(m.x[i] for i in m.UNITS) >= 900000

    @m.Objective(doc="costs [t]")
    def cost(m):
        return sum(m.x[i] for i in m.UNITS)

    return m


def parameters(instance):
    return {"UNITS": len(instance.units), "emissions": instance.emissions_tco2e}


def tables(instance, solution):
    return {"plan": instance.units[["unit_id"]].assign(x=solution.values["x"])}


MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
"""


def test_a_conflict_without_multipliers_has_rows_of_which_none_can_be_left_out_and_its_bounds(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # 560,000 t are less than the 900,000 t of one row, by the bounds alone.
    model, instance = write("narrow", NARROW), etsopt.read("tiny")
    honest = etsopt.solve(instance, model)
    of_row, bounds = (honest.tables["conflict"].query(f"part == '{part}'") for part in ("row", "bound"))
    assert (of_row["name"].tolist(), len(bounds)) == (["enough"], 3)
    bare = forged(honest, "program_duals", lambda duals: duals.iloc[:0])
    rows = [("row", "each", place, 0.5 * amount, np.nan) for place, amount in enumerate(bounds["upper"])]
    more = pd.concat([pd.DataFrame(rows, columns=of_row.columns), of_row])
    for table in (of_row, more, pd.concat([more, bounds])):
        assert run.check(instance, holding(bare, "conflict", table), model=model).violations

    def late(*_: Any) -> Any:
        raise StoppedError("time_limit")

    # A solve that finds no multipliers in time states such rows, with every bound that narrowing may need.
    monkeypatch.setattr(own_program, "refute", late)
    monkeypatch.setattr(own_program, "conflicting_rows", lambda program, _options: (np.arange(4), False))
    found = etsopt.solve(instance, model)
    assert found.status == "infeasible_program"
    assert found.tables["conflict"]["name"].tolist() == ["enough", "x", "x", "x"]
    assert len(found.tables["program_duals"]) == 0
    assert run.check(instance, found, model=model).certified


def test_columns_that_only_memory_can_hold_are_refused(write: Callable[..., Path]) -> None:
    model, instance = write("least", LEAST), etsopt.read("tiny")
    honest = etsopt.solve(instance, model)
    for name, table in honest.tables.items():
        column = table.columns[-1]
        for wrong in (pd.concat([table, table[[column]]], axis=1), table.assign(**{column: table[column] + 1e6j})):
            verdict = run.check(instance, holding(honest, name, wrong), model=model)
            assert (verdict.status, verdict.violations[0].where) == ("refused", f"{name}.{column}")


@pytest.mark.parametrize("cell", ["[1, 2]", "{1: 2}", "1 + 2j", "(1, 2)", "None if i else [1]", "'a' if i else {1}"])
def test_a_cell_that_no_file_can_hold_is_named_before_anything_is_saved(
    write: Callable[..., Path], tmp_path: Path, cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ("    dual =", f"    plan['own'] = pd.Series([{cell} for i in (1, 1, 0)], dtype=object)\n    dual =")
    model, folder = write("odd", LEAST, made), tmp_path / "run"
    assert main(["solve", "tiny", "--model", str(model), "--out", str(folder)]) == 2
    shown = capsys.readouterr().err
    assert "of the column 'own' of the table 'plan'" in shown
    assert "Traceback" not in shown
    assert not folder.exists()


ROUNDED = """
import numpy as np
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("parts")
    m.PARTS = pyo.Set()
    m.part, m.whole = pyo.Param(m.PARTS), pyo.Param()
    m.taken = pyo.Var(domain=pyo.Integers, bounds=lambda m: (0, m.whole - sum(m.part[k] for k in m.PARTS)))
    m.all = pyo.Constraint(rule=lambda m: sum(m.part[k] * m.taken for k in m.PARTS) >= m.whole * m.taken - 3 * m.taken)
    m.most = pyo.Objective(rule=lambda m: -m.taken)
    return m


def parameters(instance):
    return {"PARTS": 3, "part": np.array([847942.41, 548721.75, 128485.32]), "whole": 1525152.48}


MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=lambda instance, solution: {})
"""


def test_whole_numbers_and_coefficients_are_those_that_a_sum_means_beside_its_rounding(
    write: Callable[..., Path],
) -> None:
    part, whole = (847942.41, 548721.75, 128485.32), 1525152.48
    assert sum(map(Fraction, map(str, part))) + 3 == Fraction(str(whole))
    assert whole - (part[0] + part[1] + part[2]) < 3
    found = etsopt.solve(etsopt.read("tiny"), write("parts", ROUNDED))
    assert (found.status, found.levels[0].value) == ("certified_program", -3.0)


def test_groups_take_arrays_of_positions() -> None:
    for starts, members in (([0, 1], np.array([0])), (np.array([0, 1]), 3)):
        with pytest.raises(ValueError, match="Groups take two arrays of positions"):
            Groups(starts, members)  # type: ignore[arg-type]


def test_an_answer_that_presolve_rounds_is_solved_again_without(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    original = levels.solve_levels

    def rounding(program: Any, names: Any, options: Any, *rest: Any) -> Any:
        solution = original(program, names, options, *rest)
        told.append(options.solver_options.get("presolve"))
        if told[-1] is None:
            return replace(solution, values={name: 0.99 * array for name, array in solution.values.items()})
        return solution

    monkeypatch.setattr("etsopt.running.solve_task.solve_levels", rounding)
    assert etsopt.solve(etsopt.read("tiny"), write("least", LEAST)).status == "certified_program"
    assert told == [None, "off"]


SWITCHED = """
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("switched")
    m.open, m.bought = pyo.Var(domain=pyo.Binary), pyo.Var(bounds=(0, 100))
    m.enough = pyo.Constraint(rule=lambda m: 2 * m.open + 0.0001 * m.bought >= 0.5)
    m.first = pyo.Objective(rule=lambda m: 1000 * m.open + m.bought, doc="spent [t]")
    m.second = pyo.Objective(rule=lambda m: 5 - 10000 * m.bought, doc="left")
    return m


MODEL = ProgramModel(formulate=formulate, parameters=lambda instance: {}, tables=lambda instance, solution: {})
"""


def test_a_later_objective_spends_nothing_of_an_earlier_one_beside_whole_numbers(write: Callable[..., Path]) -> None:
    # A switch is worth 2, so it is on, and nothing is bought; 20 kg of slack would bring the second to -195.
    found = etsopt.solve(etsopt.read("tiny"), write("switched", SWITCHED))
    assert found.status == "certified_program"
    assert [level.value for level in found.levels] == [1000.0, 5.0]
    fixed = "pyo.Var(domain=pyo.Binary)", "pyo.Var(bounds=(1, 1))"
    found = etsopt.solve(etsopt.read("tiny"), write("switched", SWITCHED, fixed))
    assert [level.value for level in found.levels] == [1000.0, 5.0]


def test_twenty_kilograms_are_nothing_only_where_terms_reach_the_size_of_plants(write: Callable[..., Path]) -> None:
    # At least a kilogram is due of the tonne that there may be; a forged answer has twenty.
    tonne = (
        ('    m.second = pyo.Objective(rule=lambda m: 5 - 10000 * m.bought, doc="left")\n', ""),
        ("bounds=(0, 100)", "bounds=(0, 1)"),
        ("1000 * m.open + m.bought", "m.bought + 0.001"),
    )
    instance, model = etsopt.read("tiny"), write("tonne", SWITCHED, *tonne)
    honest = etsopt.solve(instance, model)
    assert (honest.status, honest.levels[0].value) == ("certified_program", 0.001)
    values = honest.tables["program_values"]
    values = values.assign(value=values["value"].where(values["variable"] != "bought", 0.019))
    levels = tuple(replace(level, value=0.02, gap=0.02 - level.bound) for level in honest.levels)
    forged = replace(honest, tables={**honest.tables, "program_values": values}, levels=levels)
    verdict = etsopt.check(instance, forged, model=model)
    assert verdict.levels[0].tolerance == 1e-10
    assert verdict.status == "refused"


def test_a_file_that_is_edited_within_a_second_at_the_same_length_is_read_anew(write: Callable[..., Path]) -> None:
    instance = etsopt.read("tiny")
    for most in ("3", "4"):
        path = write("edited", SWITCHED, ("5 - 10000 * m.bought", f"{most} - 10000 * m.bought"))
        os.utime(path, (1e9, 1e9))
        assert etsopt.solve(instance, path).levels[1].value == float(most)


HALVES = """
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("halves")
    m.kept, m.free = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1))
    m.enough = pyo.Constraint(rule=lambda m: m.kept + m.free >= 0.5)
    m.first = pyo.Objective(rule=lambda m: 2 * m.kept + 3 * m.free)
    m.second = pyo.Objective(rule=lambda m: m.free - m.kept)
    return m


MODEL = ProgramModel(
    formulate=formulate,
    parameters=lambda instance: {},
    tables=lambda instance, solution: {},
    fix_after={"first": ["kept"]},
)
"""


def test_a_real_variable_that_is_fixed_after_an_objective_keeps_its_value(write: Callable[..., Path]) -> None:
    found = etsopt.solve(etsopt.read("tiny"), write("halves", HALVES))
    assert (found.status, [level.value for level in found.levels]) == ("certified_program", [1.0, -0.5])
