"""Damaged run folders: a message that names the file and its key or column, exit code 2, and never a traceback."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import etsopt
from etsopt.cli import main
from tests.compliance_years import by_hand

Damage = Callable[[Path], Any]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, tiny = tmp_path_factory.mktemp("runs"), etsopt.read("tiny")
    etsopt.solve(tiny).save(folder / "allocation", tiny)
    etsopt.solve(by_hand(), "compliance").save(folder / "compliance", by_hand())
    etsopt.solve(tiny).save(folder / "parquet", tiny, "parquet")
    return folder


@pytest.fixture
def damaged(runs: Path, tmp_path: Path) -> Callable[[str, Damage], Path]:
    def copy(name: str, damage: Damage) -> Path:
        run = Path(shutil.copytree(runs / name, tmp_path / "run"))
        damage(run)
        return run

    return copy


def stated(*path: str | int, **values: Any) -> Damage:
    """Change keys of result.json, at the top or below a path; a value of ... takes the key out."""

    def damage(run: Path) -> None:
        content = json.loads((run / "result.json").read_text(encoding="utf-8"))
        inner = content
        for step in path:
            inner = inner[step]
        for key, value in values.items():
            inner[key] = value
            if value is ...:
                del inner[key]
        (run / "result.json").write_text(json.dumps(content), encoding="utf-8")

    return damage


def written(name: str, content: str | bytes | Callable[[bytes], bytes]) -> Damage:
    """Replace the content of a file."""

    def damage(run: Path) -> None:
        path = run / name
        new = content(path.read_bytes()) if callable(content) else content
        path.write_bytes(new.encode() if isinstance(new, str) else new)

    return damage


def cell(name: str, row: int, column: str, value: str) -> Damage:
    """Replace a cell of a table in CSV."""

    def change(content: bytes) -> bytes:
        lines = [line.split(",") for line in content.decode().splitlines()]
        lines[row][lines[0].index(column)] = value
        return "\n".join(map(",".join, lines)).encode() + b"\n"

    return written(f"tables/{name}.csv", change)


def without(name: str, column: str) -> Damage:
    """Take a column out of a table in CSV."""

    def change(content: bytes) -> bytes:
        lines = [line.split(",") for line in content.decode().splitlines()]
        position = lines[0].index(column)
        return "\n".join(",".join(line[:position] + line[position + 1 :]) for line in lines).encode() + b"\n"

    return written(f"tables/{name}.csv", change)


def header_alone(name: str) -> Damage:
    return written(f"tables/{name}.csv", lambda content: content.partition(b"\n")[0] + b"\n")


def missing(name: str) -> Damage:
    return lambda run: (run / name).unlink()


def folder_in_place(run: Path) -> None:
    (run / "result.json").unlink()
    (run / "result.json").mkdir()


JSON = "result.json: is not valid JSON ("

OF_RESULT: dict[str, tuple[Damage, str]] = {
    "empty": (written("result.json", ""), JSON),
    "cut short": (written("result.json", lambda content: content[: len(content) // 2]), JSON),
    "cut by a byte": (written("result.json", lambda content: content.rstrip()[:-1]), JSON),
    "100,000 deep": (written("result.json", "[" * 100_000), JSON),
    "100,000 deep in a key": (written("result.json", '{"model": ' + '{"a": ' * 100_000), JSON),
    "not UTF-8": (written("result.json", lambda content: content.replace(b"tiny", b"t\xffny")), JSON),
    "GBK": (written("result.json", '{"model": "配额"}'.encode("gbk")), JSON),
    "UTF-16": (written("result.json", lambda content: content.decode().encode("utf-16")), JSON),
    "a NUL": (written("result.json", lambda content: content.replace(b"tiny", b"t\0ny")), JSON),
    "zeros": (written("result.json", lambda content: b"\0" * len(content)), JSON),
    "NaN": (written("result.json", lambda content: content.replace(b"true", b"NaN", 1)), JSON),
    "half a character": (written("result.json", lambda content: content.replace(b"tiny", b"\\ud800")), JSON),
    "a number": (written("result.json", "5"), "result.json: is 5, but should be an object with keys."),
    "a list": (written("result.json", "[1]"), "result.json: is [1], but should be an object with keys."),
    "null": (written("result.json", "null"), "result.json: is None, but should be an object with keys."),
    "no keys": (written("result.json", "{}"), "result.json, model: is missing."),
    "a key twice": (
        written(
            "result.json", lambda content: content.replace(b'"certified": true', b'"certified": 0, "certified": 1', 1)
        ),
        "result.json, certified: is stated twice.",
    ),
    "certified a text": (stated(certified="true"), "result.json, certified: is 'true', but should be"),
    "certified missing": (stated(certified=...), "result.json, certified: is missing."),
    "status unknown": (stated(status="splendid"), "result.json, status: is 'splendid', but should be"),
    "status null": (stated(status=None), "result.json, status: is None, but should be"),
    "termination unknown": (stated(termination="done"), "result.json, termination: is 'done', but should be"),
    "termination missing": (stated(termination=...), "result.json, termination: is missing."),
    "options null": (stated(options=None), "result.json, options: is None, but should be"),
    "gap a text": (stated("options", gap="much"), "result.json, options.gap: is 'much', but should be a valid number."),
    "gap null": (stated("options", gap=None), "result.json, options.gap: is None, but should be a valid number."),
    "gap below zero": (stated("options", gap=-1.0), "result.json, options.gap: is -1.0, but should be greater than"),
    "gap of 10^400": (
        written("result.json", lambda content: content.replace(b'"gap": 1e-06', b'"gap": 1e400')),
        "result.json, options.gap: is inf, but should be a finite number.",
    ),
    "claims of no checker": (stated(checked_as="balance_value"), "result.json, checked_as: is an unknown key."),
    "options with more": (stated("options", more=1), "result.json, options.more: is an unknown key."),
    "coverage unknown": (stated("coverage", covers="all"), "result.json, coverage.covers: is 'all', but should be"),
    "coverage with more": (stated("coverage", more=[]), "result.json, coverage.more: is an unknown key."),
    "own parameter of a key": (
        stated(own_parameters=[{"key": "rule.slope"}]),
        "result.json, own_parameters.0.sectors: is missing.",
    ),
    "seed half": (stated(seed=0.5), "result.json, seed: is 0.5, but should be a valid integer."),
    "versions of more": (stated("versions", rust="1"), "result.json, versions.rust: is an unknown key."),
    "policy a list": (stated(policy=[]), "result.json, policy: is [], but should be a valid dictionary."),
    "instance a number": (stated(instance=7), "result.json, instance: is 7, but should be a valid string."),
    "instance_hash missing": (stated(instance_hash=...), "result.json, instance_hash: is missing."),
    "levels null": (stated(levels=None), "result.json, levels: is None, but should be a valid list."),
    "levels of texts": (stated(levels=["change"]), "result.json, levels.0: is 'change', but should be"),
    "level name a list": (stated("levels", 0, name=[1]), "result.json, levels.0.name: is [1], but should be"),
    "level value a text": (stated("levels", 1, value="9"), "result.json, levels.1.value: is '9', but should be"),
    "level value true": (stated("levels", 1, value=True), "result.json, levels.1.value: is True, but should be"),
    "level gap null": (stated("levels", 0, gap=None), "result.json, levels.0: states a bound and no gap."),
    "level without a unit": (stated("levels", 0, unit=...), "result.json, levels.0.unit: is missing."),
    "level with more": (stated("levels", 0, more=1), "result.json, levels.0.more: is an unknown key."),
    "prices a number": (stated(prices=3), "result.json, prices: is 3, but should be a valid list."),
    "price a list": (stated("prices", 0, price=[1.0]), "result.json, prices.0.price: is [1.0], but should be"),
    "violations of numbers": (stated(violations=[1]), "result.json, violations.0: is 1, but should be"),
    "infeasible_by_t a text": (stated(infeasible_by_t="5"), "result.json, infeasible_by_t: is '5', but should be"),
    "rounded_by_t true": (stated(rounded_by_t=True), "result.json, rounded_by_t: is True, but should be"),
    "seconds of texts": (stated(seconds={"solve": "1"}), "result.json, seconds.solve: is '1', but should be"),
    "versions a number": (stated(versions=1), "result.json, versions: is 1, but should be a valid dictionary."),
    "tables a list": (stated(tables=[]), "result.json, tables: is [], but should be a valid dictionary."),
    "type unknown": (
        stated("tables", "sectors", units="complex"),
        "result.json, tables.sectors.units: should be one of Float32",
    ),
    "type a list": (stated("tables", "sectors", units=[]), "result.json, tables.sectors.units: should be one of"),
    "type a number": (stated("tables", "sectors", units=8), "result.json, tables.sectors.units: should be one of"),
    "a folder": (folder_in_place, "There is no run in"),
    "not there": (missing("result.json"), "There is no run in"),
}

OF_TABLES: dict[str, tuple[Damage, str]] = {
    "empty": (written("tables/sectors.csv", ""), "tables/sectors.csv: is empty."),
    "a blank line": (written("tables/sectors.csv", "\n"), "tables/sectors.csv: is empty."),
    "not UTF-8": (
        written("tables/sectors.csv", b"sector,units\ncem\xff\xff,3\n"),
        "is neither UTF-8 (byte 0xff in line 2",
    ),
    "UTF-16": (written("tables/sectors.csv", lambda content: content.decode().encode("utf-16")), "in UTF-16."),
    "a NUL": (
        written("tables/sectors.csv", lambda content: content.replace(b"ce", b"c\0")),
        r"tables/sectors.csv: has a column 'referenc\x00_t'",
    ),
    "zeros": (
        written("tables/sectors.csv", lambda content: b"\0" * len(content)),
        r"tables/sectors.csv: has a column '\x00",
    ),
    "a stray mark": (
        written("tables/sectors.csv", lambda content: content.replace(b"cement", b'"cem"ent')),
        "tables/sectors.csv: is not valid CSV",
    ),
    "cut in a row": (
        written("tables/allocation.csv", lambda content: content[: content.rfind(b",")]),
        "tables/allocation.csv: 1 row does not have the",
    ),
    "a cell too many": (
        written("tables/allocation.csv", lambda content: content.rstrip() + b",1\n"),
        "tables/allocation.csv: 1 row does not have the",
    ),
    "a cell too many in every row": (
        written("tables/allocation.csv", lambda content: content.replace(b"\n", b",1\n").replace(b",1\n", b"\n", 1)),
        "tables/allocation.csv: 3 rows do not have the",
    ),
    "a column twice": (
        written("tables/sectors.csv", lambda content: content.replace(b"units,", b"sector,", 1)),
        "tables/sectors.csv: has 2 columns named 'sector'.",
    ),
    "a column without a name": (
        written("tables/sectors.csv", lambda content: content.replace(b"units,", b",", 1)),
        "tables/sectors.csv: has a column without a name.",
    ),
    "a text among numbers": (
        cell("allocation", 2, "allowance_t", "much"),
        "tables/allocation.csv, allowance_t: does not hold numbers: row 3 'much'.",
    ),
    "a half among whole numbers": (
        cell("sectors", 1, "units", "1.5"),
        "tables/sectors.csv, units: does not hold whole numbers: row 2 '1.5'.",
    ),
    "an empty cell among whole numbers": (
        cell("sectors", 1, "units", ""),
        "tables/sectors.csv, units: does not hold whole numbers: row 2.",
    ),
    "a whole number of 30 digits": (
        cell("sectors", 1, "units", "9" * 30),
        f"tables/sectors.csv, units: does not hold whole numbers: row 2 '{'9' * 30}'.",
    ),
    "two formats": (
        lambda run: shutil.copy(run / "tables" / "duals.csv", run / "tables" / "duals.parquet"),
        "tables/duals.csv: is there in two formats.",
    ),
}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The message of a command that exits with 2 and prints nothing else."""
    capsys.readouterr()
    assert main(list(map(str, arguments))) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err) < 3000
    return captured.err


@pytest.mark.everyday("certified missing", "level with more", "null", "type a number")
@pytest.mark.parametrize("name", OF_RESULT)
def test_a_damaged_result_is_told_by_its_key(
    damaged: Callable[[str, Damage], Path], runs: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, message = OF_RESULT[name]
    run = damaged("allocation", damage)
    assert message in refused(capsys, "check", run)
    assert message in refused(capsys, "compare", run, runs / "allocation")
    assert message in refused(capsys, "report", run)


@pytest.mark.everyday("a stray mark", "empty", "not UTF-8", "zeros")
@pytest.mark.parametrize("name", OF_TABLES)
def test_a_damaged_table_is_told_by_its_file_and_column(
    damaged: Callable[[str, Damage], Path], runs: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, message = OF_TABLES[name]
    run = damaged("allocation", damage)
    assert message in refused(capsys, "check", run)
    assert message in refused(capsys, "compare", runs / "allocation", run)


def test_a_truth_that_is_none_is_told(
    damaged: Callable[[str, Damage], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(capsys, "report", damaged("compliance", cell("compliance", 2, "at_risk", "perhaps")))
    assert "tables/compliance.csv, at_risk: does not hold True or False: row 3 'perhaps'." in message


def test_a_theorem_that_there_is_not_is_told(
    damaged: Callable[[str, Damage], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(capsys, "check", damaged("allocation", stated(seed=0)), "--as", "nonsense")
    assert "There is no theorem of the model 'nonsense'." in message
    assert "The checker proves allocation, " in message


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_damaged_parquet_file_is_told(
    damaged: Callable[[str, Damage], Path], cut: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run = damaged("parquet", written("tables/sectors.parquet", lambda content: content[:cut]))
    assert "tables/sectors.parquet: is not a Parquet file (" in refused(capsys, "check", run)


def test_a_parquet_file_of_other_types_is_told(
    damaged: Callable[[str, Damage], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def damage(run: Path) -> None:
        etsopt.load(run).tables["sectors"].assign(sector=1.5, units="few", surplus_rate="x").to_parquet(
            run / "tables" / "sectors.parquet"
        )

    message = refused(capsys, "check", damaged("parquet", damage))
    assert "tables/sectors.parquet, sector: does not hold texts." in message
    assert "tables/sectors.parquet, units: does not hold whole numbers." in message
    assert "tables/sectors.parquet, surplus_rate: does not hold numbers." in message


@pytest.mark.parametrize("name", ["sectors", "provinces"])
def test_a_comparison_names_the_table_or_column_that_it_misses(
    damaged: Callable[[str, Damage], Path], runs: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = damaged("allocation", without(name, "allowance_t"))
    message = refused(capsys, "compare", runs / "allocation", run)
    assert f"The second run has a problem.\n\n1. tables/{name}, allowance_t: the column is missing." in message
    missing(f"tables/{name}.csv")(run)
    assert f"tables/{name}: the table is missing." in refused(capsys, "compare", run, runs / "allocation")
    # The checker refuses such a run, as it does one without any other table.
    assert main(["check", str(run)]) == 5


@pytest.mark.parametrize("column", ["row", "level", "index", "multiplier", "unit"])
def test_a_table_of_multipliers_without_a_column_is_refused_by_the_checker(
    damaged: Callable[[str, Damage], Path], column: str
) -> None:
    assert main(["check", str(damaged("allocation", without("duals", column)))]) == 5


def test_a_comparison_of_a_run_that_names_a_row_twice_is_refused(
    damaged: Callable[[str, Damage], Path], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = written("tables/sectors.csv", lambda content: content + content.partition(b"\n")[2])
    message = refused(capsys, "compare", runs / "allocation", damaged("allocation", twice))
    assert "tables/sectors, sector: names a row twice." in message


@pytest.mark.everyday("damage-tables/nation: has no row.")
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (missing("tables/holdings.csv"), "tables/holdings: the table is missing."),
        (missing("tables/nation.csv"), "tables/nation: the table is missing."),
        (header_alone("nation"), "tables/nation: has no row."),
        (without("compliance", "at_risk"), "tables/compliance, at_risk: the column is missing."),
        (without("shortfalls", "regime"), "tables/shortfalls, regime: the column is missing."),
        (missing("instance/units.csv"), "units.csv: the file is missing."),
        (written("instance/policy.toml", "year = "), "policy.toml: is not valid TOML"),
    ],
)
def test_a_report_names_the_table_or_column_that_it_misses(
    damaged: Callable[[str, Damage], Path], damage: Damage, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = damaged("compliance", damage)
    assert message in refused(capsys, "report", run, "--sheets")
    # A page of a run is not written either; its check finds the same, or what it cannot read.
    assert main(["report", str(run)]) in (2, 5)
    assert not (run / "report.html").exists()


def test_tables_without_rows_are_no_traceback(
    damaged: Callable[[str, Damage], Path], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(path.stem for path in (runs / "compliance" / "tables").iterdir())
    run = damaged("compliance", lambda run: [header_alone(name)(run) for name in names if name != "nation"])
    assert main(["report", str(run), "--sheets"]) == 0
    assert main(["report", str(run)]) == 5
    assert main(["check", str(run)]) == 5


def test_a_run_from_before_types_were_stated_is_read(
    damaged: Callable[[str, Damage], Path], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("allocation", "compliance"):
        run = damaged(name, stated(tables=...))
        now, then = etsopt.load(runs / name), etsopt.load(run)
        for key, table in now.tables.items():
            assert then.tables[key].astype(object).equals(table.astype(object)), key
        assert main(["check", str(run)]) == 0
        shutil.rmtree(run)


def test_a_text_among_numbers_is_told_of_such_a_run_too(
    damaged: Callable[[str, Damage], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def damage(run: Path) -> None:
        stated(tables=...)(run)
        cell("sectors", 1, "target_t", "much")(run)

    run = damaged("allocation", damage)
    assert "tables/sectors.csv, target_t: does not hold numbers: row 2 'much'." in refused(capsys, "check", run)
    # A model of the user's own may have had columns of texts of its own.
    stated(model="mine.py")(run)
    assert etsopt.load(run).tables["sectors"]["target_t"].tolist() == ["much"]


@pytest.mark.parametrize(("table", "column"), [("plans", "unit_id"), ("plans", "measure_id"), ("duals", "row")])
def test_a_market_without_a_column_of_texts_is_refused_by_the_checker(table: str, column: str) -> None:
    instance = etsopt.generate(30, seed=1).with_policy({"market.prices_cny_per_t": 80.0})
    found = etsopt.solve(instance, "abatement")
    tables = {**found.tables, table: found.tables[table].drop(columns=column)}
    report = etsopt.check(instance, dataclasses.replace(found, tables=tables))
    assert (table, column) == tuple(report.violations[0].where.split("."))


def test_a_save_over_a_damaged_run_leaves_tables_that_are_not_known_to_be_its_own(
    damaged: Callable[[str, Damage], Path],
) -> None:
    run = damaged("allocation", own_table)
    tiny = etsopt.read("tiny")
    etsopt.solve(tiny).save(run, tiny)
    assert (run / "tables" / "mine.csv").read_text(encoding="utf-8") == "mine\n1\n"
    assert etsopt.check(tiny, etsopt.load(run)).certified


def own_table(run: Path) -> None:
    """Put a table of the user's own beside those of a run, and cut its result.json short."""
    (run / "tables" / "mine.csv").write_text("mine\n1\n", encoding="utf-8")
    content = (run / "result.json").read_bytes()
    (run / "result.json").write_bytes(content.rstrip()[:-1])


def test_keys_that_came_later_may_be_absent(damaged: Callable[[str, Damage], Path]) -> None:
    later = ("tables", "rounded_by_t", "method_reason")
    run = damaged("allocation", stated(**dict.fromkeys(later, ...)))
    assert etsopt.load(run).rounded_by_t is None
    assert main(["check", str(run)]) == 0


def test_the_problems_are_all_told_at_once_but_not_without_end(
    damaged: Callable[[str, Damage], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = damaged("allocation", stated(status="x", seed="1", prices=[5] * 1000))
    message = refused(capsys, "check", run)
    assert "has 10 problems." in message
    assert "result.json, status: " in message
    two = damaged_tables(run)
    assert all(f"tables/{name}.csv" in refused(capsys, "check", run) for name in two)


def damaged_tables(run: Path) -> list[str]:
    """Repair result.json of a run and damage two tables."""
    stated(status="certified_optimal", seed=0, prices=[])(run)
    cell("allocation", 1, "surplus_t", "?")(run)
    cell("provinces", 1, "surplus_t", "?")(run)
    return ["allocation", "provinces"]
