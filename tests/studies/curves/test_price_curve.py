"""A curve has the price of every value: a staircase along what is on offer, lines along the terminal price."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, StoppedError, UsageError
from etsopt.common.progress import watched
from etsopt.studies.curves import PriceCurve, check_curve, curve, read_curve
from etsopt.studies.curves import price_search as search
from etsopt.studies.curves.curve_document import document_of, write_curve_report
from tests.markets import market, some_market

if TYPE_CHECKING:
    from pathlib import Path

AUCTION, DEMAND, WORTH = "market.auctioned_t", "market.external_demand_t", "market.terminal_price_cny_per_t"
CAP = "pathway.cap_t.2025"


def by_hand(reference: float = 900.0, **policy: Any) -> etsopt.Instance:
    """A unit of 1,000 t that may avoid 50 t for 500 CNY or 100 t for 2,500 CNY: 10 CNY/t, and 40 CNY/t beyond."""
    choice = {"sector": "cement", "exclusive_group": "g"}
    measures: list[dict[str, object]] = [
        {"measure_id": "a", "abatement_rate": 0.05, "variable_opex_cny_per_t": 0.5, **choice},
        {"measure_id": "b", "abatement_rate": 0.10, "variable_opex_cny_per_t": 2.5, **choice},
    ]
    divisible = {"abatement": {"divisible_measures": True}}
    return market({"emissions_tco2e": [1000.0], "reference_t": [reference]}, measures, **divisible | policy)


def found(instance: etsopt.Instance, model: str = "clearing", **limits: Any) -> PriceCurve:
    made = curve(instance, {limits.pop("key"): limits.pop("ends")}, model=model, **limits)
    assert isinstance(made, PriceCurve)
    return made


@pytest.fixture(scope="module")
def stairs() -> PriceCurve:
    return found(by_hand(), key=AUCTION, ends=(0.0, 120.0))


@pytest.fixture(scope="module")
def lines() -> PriceCurve:
    return found(by_hand(market={AUCTION.split(".")[1]: 75.0}), key=WORTH, ends=(0.0, 60.0))


def test_prices_are_a_staircase_along_the_auction(stairs: PriceCurve) -> None:
    # Without an auction 100 t are short: beyond 50 t each costs 40 CNY, then 10 CNY, and from 100 t on nothing.
    assert stairs.pieces["to"].tolist() == pytest.approx([50.0, 100.0, 120.0])
    assert stairs.pieces["cost_from_cny"].tolist() == pytest.approx([2500.0, 500.0, 0.0], abs=1e-9)
    assert stairs.prices["price_from_cny_per_t"].tolist() == pytest.approx([40.0, 10.0, 0.0])
    assert stairs.prices["price_to_cny_per_t"].equals(stairs.prices["price_from_cny_per_t"])
    assert set(stairs.prices["price_unit"]) == {"CNY 2025/t"}
    assert stairs.proven
    for value, price in ((20.0, 40.0), (99.0, 10.0), (110.0, 0.0)):
        point = stairs.at(value)
        assert point.price_cny_per_t.to_dict() == pytest.approx({2025: price})
        assert (point.status, point.solved) == ("certified_optimal", False)


def test_prices_are_lines_along_the_terminal_price(lines: PriceCurve) -> None:
    # 25 t are short, at 10 CNY/t. What is worth more than that at the end is avoided and banked, up to 100 t.
    assert lines.pieces["to"].tolist() == pytest.approx([10.0, 40.0, 60.0])
    assert lines.prices["price_from_cny_per_t"].tolist() == pytest.approx([10.0, 10.0, 40.0])
    assert lines.prices["price_to_cny_per_t"].tolist() == pytest.approx([10.0, 40.0, 60.0])
    assert lines.pieces["cost_to_cny"].tolist() == pytest.approx([250.0, 500.0 - 40 * 25, 2500.0 - 60 * 75])
    assert lines.at(33.0).price_cny_per_t.tolist() == pytest.approx([33.0])


def test_prices_are_a_staircase_along_a_cap_that_cuts() -> None:
    instance = by_hand(1000.0, pathway={"cap_t": {"2025": 1000.0}})
    made = found(instance, "pathway", key=CAP, ends=(900.0, 1000.0))
    assert made.proven
    assert made.pieces["to"].tolist() == pytest.approx([950.0, 1000.0])
    assert made.prices["price_to_cny_per_t"].tolist() == pytest.approx([40.0, 10.0])


@pytest.mark.nightly
def test_a_year_has_a_curve_of_its_own() -> None:
    made = found(by_hand(market={"external_demand_t": {"2025": 0.0}}), key=f"{DEMAND}.2025", ends=(-100.0, -10.0))
    assert made.pieces["to"].tolist() == pytest.approx([-50.0, -10.0])
    assert made.prices["price_to_cny_per_t"].tolist() == pytest.approx([10.0, 40.0])


def test_keys_move_together_along_a_line() -> None:
    made = curve(by_hand(), along={AUCTION: (20.0, 100.0), DEMAND: (0.0, 20.0)}, model="clearing")
    assert isinstance(made, PriceCurve)
    # From 20 t to 80 t in sum.
    assert made.pieces["to"].tolist() == pytest.approx([0.5, 1.0])
    assert made.at(0.75).price_cny_per_t.tolist() == pytest.approx([10.0])


@pytest.mark.parametrize(
    ("seed", "key", "share"),
    [
        (0, AUCTION, 0.2),
        (3, WORTH, 100.0),
        (3, DEMAND, 0.05),
        *(
            pytest.param(seed, key, share, marks=pytest.mark.nightly)
            for seed in (1, 2, 4, 5, 7)
            for key, share in ((AUCTION, 0.2), (WORTH, 100.0), (DEMAND, 0.05))
        ),
    ],
)
def test_the_price_of_a_place_is_one_of_its_own_solve(seed: int, key: str, share: float) -> None:
    instance = some_market(seed).with_policy({"abatement.divisible_measures": True})
    end = share if key == WORTH else share * float(instance.emissions_tco2e.sum())
    made = found(instance, key=key, ends=(0.0, end))
    assert made.proven
    for value in np.random.default_rng(seed).uniform(0.0, end, 3):
        piece = made.pieces[made.pieces["to"] >= value].iloc[0]
        part = (value - piece["from"]) / (piece["to"] - piece["from"])
        cost = piece["cost_from_cny"] + part * (piece["cost_to_cny"] - piece["cost_from_cny"])
        own = etsopt.solve(instance.with_policy({key: value}), "clearing")
        assert own.levels[-1].value == pytest.approx(cost, rel=1e-8, abs=0.05)
        years, price = own.tables["years"], made.at(value).price_cny_per_t.to_numpy()
        assert (years["price_lower_cny_per_t"] <= price + 1e-4 * (1 + price)).all()
        assert (years["price_upper_cny_per_t"] >= price - 1e-4 * (1 + price)).all()


@pytest.mark.nightly
def test_a_search_that_ends_early_names_what_is_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    left = [4]

    def few(results: etsopt.Results) -> bool:
        left[0] -= 1
        if left[0] < 0:
            raise StoppedError("time_limit")
        return False

    monkeypatch.setattr(search, "is_stopped", few)
    made = found(by_hand(), key=AUCTION, ends=(0.0, 400.0))
    assert made.termination == "time_limit"
    assert 0 < made.certified_share < 1
    gap = made.pieces[~made.pieces["certified"]].iloc[0]
    assert made.at((gap["from"] + gap["to"]) / 2).solved
    monkeypatch.undo()
    # What is said of pieces is said of as many as the check proves.
    count, answer = int(made.pieces["certified"].sum()), document_of(made).answer
    assert f": {count} piece" in answer
    assert f"{len(made.pieces) - count} more are not proven" in answer
    assert "The search ended early: the time limit was reached." in str(document_of(made).sections[0].blocks)
    assert any("Not proven" in str(block) for block in document_of(made).sections[0].blocks)
    made.save(tmp_path / "curve")
    checked = check_curve(tmp_path / "curve")
    assert checked.holds
    assert checked.certified_share == pytest.approx(made.certified_share)


def test_an_answer_that_is_not_proven_proves_no_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    read = search.PriceSolver.read

    def of_ends(solver: search.PriceSolver, place: float, results: etsopt.Results) -> search.Priced:
        found = read(solver, place, results)
        return found if place in (0.0, 1.0) else replace(found, end=replace(found.end, read=None))

    monkeypatch.setattr(search.PriceSolver, "read", of_ends)
    made = found(by_hand(), key=AUCTION, ends=(0.0, 120.0))
    assert made.certified_share == 0.0
    assert made.cover.pieces[0].verdict.refused == ("an end has no proven answer",)
    assert made.prices.empty


def test_a_search_that_ends_before_its_ends_has_no_piece(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(search, "is_stopped", lambda results: True)
    made = found(by_hand(), key=AUCTION, ends=(0.0, 120.0))
    assert made.certified_share == 0.0
    assert made.at(20.0).price_cny_per_t.tolist() == pytest.approx([40.0])
    with pytest.raises(UsageError, match="no piece to write"):
        made.save(tmp_path / "curve")
    with pytest.raises(UsageError, match="no proven piece to draw"):
        made.chart()
    assert document_of(made, with_chart=True).status == "proven in parts"


@pytest.mark.nightly
@pytest.mark.everyday("csv")
@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_saved_curve_is_read_and_proven_again(lines: PriceCurve, tmp_path: Path, format_: str) -> None:
    lines.save(tmp_path / "curve", format_)
    read = read_curve(tmp_path / "curve")
    assert isinstance(read, PriceCurve)
    pd.testing.assert_frame_equal(read.pieces, lines.pieces, atol=1e-3)
    pd.testing.assert_frame_equal(read.prices, lines.prices)
    checked = check_curve(tmp_path / "curve")
    assert checked.holds
    assert (checked.pieces, checked.proven) == (3, 3)


@pytest.mark.nightly
def test_what_is_changed_in_a_folder_is_refused(lines: PriceCurve, tmp_path: Path) -> None:
    folder = tmp_path / "curve"
    lines.save(folder)

    def refused(name: str, change: dict[str, Any]) -> bool:
        path, before = folder / name, (folder / name).read_bytes()
        table = pd.read_csv(path).astype(object)
        for column, value in change.items():
            table.loc[1, column] = value
        table.to_csv(path, index=False)
        try:
            return not check_curve(folder).holds
        except (DataError, UsageError):
            return True
        finally:
            path.write_bytes(before)

    assert not refused("pieces.csv", {})
    for change in (
        {"to": 45.0},
        {"gap_cny": 0.5, "cost_to_cny": 1.0},
        {"first_run": 3, "last_run": 2},
        {"last_run": 4},
        {"owner_run": 1.5},
    ):
        assert refused("pieces.csv", change), change
    assert refused("prices.csv", {"price_to_cny_per_t": 39.0, "price_unit": "CNY 2024/t"})
    assert refused("runs/2/tables/plans.csv", {"share": 0.25})
    stated = json.loads((folder / "curve.json").read_text(encoding="utf-8"))
    for key, value in (
        ("certified_share", 0.5),
        ("keys", {WORTH: [0.0, 61.0]}),
        ("places", stated["places"][::-1]),
        ("places", []),
        ("model", "abatement"),
        ("instance", "other"),
    ):
        (folder / "curve.json").write_text(json.dumps({**stated, key: value}), encoding="utf-8")
        with suppress(DataError, UsageError):
            assert not check_curve(folder).holds, key
    (folder / "curve.json").write_text(json.dumps({**stated, "further": 1}), encoding="utf-8")
    with pytest.raises(DataError, match="is no curve: further"):
        check_curve(folder)


def test_what_a_run_of_a_curve_claims_of_itself_is_compared(lines: PriceCurve, tmp_path: Path) -> None:
    folder = tmp_path / "curve"
    lines.save(folder)
    honest = check_curve(folder)
    assert honest.refused == ()
    assert {"termination", "runs: method", "runs: options"} <= {*honest.not_checked}
    path = folder / "runs" / "2" / "result.json"
    stated = json.loads(path.read_text(encoding="utf-8"))
    level = stated["levels"][-1]
    for change in (
        {"status": "certified_gap"},
        {"termination": "infeasible"},
        {"certified": False},
        {"infeasible_by_t": 7.0},
        {"levels": [*stated["levels"][:-1], level | {"bound": level["bound"] - 50.0}]},
    ):
        path.write_text(json.dumps(stated | change), encoding="utf-8")
        assert any(one.startswith("runs/2: ") for one in check_curve(folder).refused), change
    path.write_text(json.dumps(stated), encoding="utf-8")
    pd.DataFrame({"price_cny_per_t": [84.0]}).to_csv(folder / "final.csv")
    pd.DataFrame({"price_cny_per_t": [84.0]}).to_csv(folder / "runs" / "2" / "tables" / "final.csv")
    assert {"final.csv", "runs/2/tables/final.csv"} <= {*check_curve(folder).not_checked}


@pytest.mark.parametrize("kind", ["stated", "two formats"])
def test_further_tables_of_a_curve_are_refused(kind: str, lines: PriceCurve, tmp_path: Path) -> None:
    lines.save(tmp_path)
    if kind == "stated":
        stated = json.loads((tmp_path / "curve.json").read_text(encoding="utf-8"))
        stated["tables"]["final"] = {"price_cny_per_t": "float64"}
        (tmp_path / "curve.json").write_text(json.dumps(stated), encoding="utf-8")
    else:
        pd.read_csv(tmp_path / "prices.csv").to_parquet(tmp_path / "prices.parquet")
    with pytest.raises(DataError, match="the table final" if kind == "stated" else "two formats"):
        check_curve(tmp_path)


@pytest.mark.parametrize(
    ("policy", "model", "line", "reason"),
    [
        ({"abatement": {}}, "clearing", {AUCTION: (0.0, 9.0)}, "whole plans move in steps"),
        ({}, "clearing", {"market.ccer_share": (0.0, 0.1)}, "market.ccer_share is no side of the market"),
        ({}, "clearing", {AUCTION: (0.0, 9.0), WORTH: (0.0, 9.0)}, "moves together with other keys"),
        ({}, "clearing", {DEMAND: (-9.0, 9.0)}, "of 2025 passes zero, from demand to supply"),
        ({"pathway": {"cap_t": {"2025": 9.0}}}, "pathway", {CAP: (900.0, 1100.0)}, "the cap of 2025 cuts at one end"),
        ({"pathway": {"cap_t": {"2025": 9.0}}}, "pathway", {CAP: (1100.0, 1200.0)}, "nothing in the market moves with"),
        ({"pathway": {"no_bank_from": 2026}}, "pathway", {WORTH: (0.0, 9.0)}, "nothing in the market moves with"),
        ({"pathway": {"self_balancing_until": 2025}}, "pathway", {AUCTION: (0.0, 9.0)}, "2025 is self-balancing"),
        ({}, "abatement", {AUCTION: (0.0, 9.0)}, "The model 'abatement' has no curves"),
    ],
)
def test_what_bends_is_refused_by_name_before_anything_is_solved(
    policy: dict[str, Any], model: str, line: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "solve", None)
    with pytest.raises(UsageError, match=reason):
        curve(by_hand(1000.0, **policy), along=line, model=model)


def test_two_keys_have_no_box_of_prices() -> None:
    with pytest.raises(UsageError, match="not over a box of two keys"):
        curve(by_hand(), {AUCTION: (0.0, 9.0), WORTH: (0.0, 9.0)}, model="clearing")


def test_an_end_that_does_not_clear_is_refused() -> None:
    with pytest.raises(UsageError, match=r"does not clear at market.auctioned_t = 0: 50 t stay unmet"):
        found(by_hand(850.0), key=AUCTION, ends=(0.0, 120.0))


def test_the_command_writes_checks_and_draws_a_curve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: PriceCurve
) -> None:
    from etsopt.data.files.write import write_instance

    write_instance(by_hand(), tmp_path / "hand")
    out = str(tmp_path / "curve")
    asked = ["curve", str(tmp_path / "hand"), "--model", "clearing", "--vary", f"{AUCTION}=0:120", "--out", out]
    assert main([*asked, "--lang", "en"]) == 0
    told = capsys.readouterr().out
    assert "3 pieces, on each of which the price of every year is a straight line" in " ".join(told.split())
    assert main(["check", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["proven"] == 3
    assert main(["plot", out, "curve", "--out", str(tmp_path / "curve.svg")]) == 0
    written = write_curve_report(lines, tmp_path / "page.html", "zh")
    assert "期末价格" in written[0].read_text(encoding="utf-8")
    assert "etsopt" in lines._repr_html_()
    assert repr(lines).startswith("<PriceCurve of")
    assert lines.results(20.0).certified


def test_many_years_have_a_colour_each(lines: PriceCurve, monkeypatch: pytest.MonkeyPatch) -> None:
    piece, many = lines.prices.iloc[0], range(2025, 2060)
    prices = pd.DataFrame([piece.to_dict() | {"year": year} for year in many])
    monkeypatch.setattr(lines, "prices", prices)
    drawn = [one for one in lines.chart().panels[0].series if one.kind == "line"]
    assert len({one.colour for one in drawn}) == len(drawn) == len(many)


def test_a_search_and_a_saved_curve_tell_how_far_they_are(tmp_path: Path) -> None:
    told: list[str] = []
    made = curve(by_hand(), {AUCTION: (0.0, 120.0)}, model="clearing", progress=told.append)
    assert isinstance(made, PriceCurve)
    assert told[-1].startswith("percent of the range: ")
    shares = [int(line.split()[4]) for line in told if line.startswith("percent")]
    assert shares[0] == 0 < shares[-1]
    made.save(tmp_path / "curve")
    with watched(None, told.append):
        read_curve(tmp_path / "curve")
    count = len(list((tmp_path / "curve" / "runs").iterdir()))
    assert told[-1] == f"runs of the curve: {count - 1} of {count}"
