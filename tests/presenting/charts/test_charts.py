"""Charts: every figure drawn is that of its table, in both languages, and a file is the same each time."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.common.language import speaking
from etsopt.data.tables.provinces import SHORT
from etsopt.presenting.charts import KINDS, Plots, chart_of
from etsopt.presenting.charts.drawing import CHINESE_FONTS
from etsopt.presenting.charts.kinds import kinds_of

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def allocated() -> etsopt.Results:
    """An allocation of three sectors in many provinces, with names of enterprises and one that looks like markup."""
    instance = etsopt.generate(60, 1)
    enterprises = instance.units[["enterprise_id"]].drop_duplicates().assign(name="<b>&$x^2$ 水泥")
    policy = instance.policy.model_dump(exclude_unset=True) | {"provinces": {"balance": 0.02}}
    units = instance.units
    return etsopt.solve(etsopt.Instance.from_frames(units=units, enterprises=enterprises, policy=policy))


@pytest.fixture(scope="module")
def path() -> etsopt.Results:
    return etsopt.solve(etsopt.read("cn-2025-2035"), "pathway")


def test_the_chart_of_surplus_has_every_unit(allocated: etsopt.Results) -> None:
    chart = chart_of("surplus", allocated.tables, allocated.provenance)
    (panel,) = chart.panels
    rule, *sectors = panel.series
    table = allocated.tables["allocation"]
    assert len(rule.x) == sum(len(series.x) for series in sectors) == len(table)
    for series in sectors:
        part = table[table["sector"] == series.name]
        part = part.sort_values("emissions_tco2e", ascending=False, kind="stable")
        assert np.array_equal(series.y.astype(float), 100 * part["surplus_rate"])
        assert series.labels is not None
        assert [label.split(",")[0] for label in series.labels] == part["unit_id"].tolist()
    with speaking("zh"):
        (panel,) = chart_of("surplus", allocated.tables, allocated.provenance).panels
        assert {str(series.name) for series in panel.series[1:]} == {"铝冶炼", "水泥", "钢铁"}


def test_many_units_are_grouped_without_loss_and_said() -> None:
    result = etsopt.solve(etsopt.generate(5_000, 1))
    chart = chart_of("surplus", result.tables, result.provenance)
    rule, *sectors = chart.panels[0].series
    groups = len(rule.x)
    assert groups < 1_000
    assert f"5,000 units in {groups} groups" in chart.title
    with speaking("zh"):
        assert f"5,000 个单元合并为 {groups} 组" in str(chart.title)
    # Means by emissions: each sector keeps its sum of surpluses, its emissions and its number of units.
    table = result.tables["allocation"]
    largest = max(float(table.loc[table["sector"] == one.name, "emissions_tco2e"].sum()) for one in sectors)
    share = {one.name: one.sizes.sum() for one in sectors if one.sizes is not None}
    for series in sectors:
        part = table[table["sector"] == series.name]
        assert series.sizes is not None
        assert series.labels is not None
        rate = np.average(series.y.astype(float), weights=series.sizes)
        assert rate == pytest.approx(100 * part["surplus_t"].sum() / part["emissions_tco2e"].sum(), abs=1e-9)
        assert share[series.name] / max(share.values()) == pytest.approx(part["emissions_tco2e"].sum() / largest)
        assert sum(int(label.split(" ")[0].replace(",", "")) for label in series.labels) == len(part)


def test_the_chart_of_rates_has_all_emissions_and_the_band() -> None:
    result = etsopt.solve(etsopt.read("cn-2025"))
    chart = chart_of("rates", result.tables, result.provenance)
    totals = result.tables["sectors"].set_index("sector")["emissions_tco2e"] / 1e6
    for panel in chart.panels:
        assert panel.series[0].y.sum() == pytest.approx(totals[panel.title])
        assert panel.shaded == ((-3.0, 3.0),)


def test_the_chart_of_what_moved_adds_up_to_the_change(allocated: etsopt.Results) -> None:
    chart = chart_of("moved", allocated.tables, allocated.provenance)
    change = allocated.tables["allocation"]["change_t"]
    scales = {"t": 1.0, "kt": 1e3, "Mt": 1e6}
    for panel, by in zip(chart.panels, ("sector", "province"), strict=True):
        lost, gained = panel.series
        scale = scales[panel.x_label.rpartition("[")[2].rstrip("]")]
        assert lost.y.tolist() == gained.y.tolist()
        assert scale * float(np.sum(gained.x)) == pytest.approx(change.clip(lower=0).sum())
        assert scale * float(np.sum(lost.x)) == pytest.approx(change.clip(upper=0).sum())
        net = lost.x + gained.x
        assert np.all(np.diff(net) <= 0)
        own = allocated.tables["allocation"].groupby(by)["change_t"].sum()
        assert net[-1] * scale == pytest.approx(own.min())
        assert str(lost.y[-1]) in chart.title
    # Where nothing moves there is no such chart.
    still = allocated.tables["allocation"].assign(change_t=0.0)
    assert "moved" not in kinds_of({"allocation": still})


def test_the_chart_of_provinces_has_the_limit(allocated: etsopt.Results) -> None:
    (panel,) = chart_of("provinces", allocated.tables, allocated.provenance).panels
    moved, rule, chosen = panel.series
    assert moved.base is not None
    assert np.allclose(moved.base + moved.x, chosen.x.astype(float))
    table = allocated.tables["provinces"].set_index("province")
    assert np.allclose(chosen.x, 100 * table["surplus_rate"][list(chosen.y)])
    assert (np.diff(rule.x.astype(float)) >= 0).all()
    assert panel.shaded[0] == pytest.approx((-2.0, 2.0))


def test_a_province_that_moves_by_rounding_alone_has_no_bar(allocated: etsopt.Results) -> None:
    """One of 1e-15 % would make an axis as narrow as that, on which a browser places nothing."""
    table = allocated.tables["provinces"].head(1)
    rate = table["reference_t"] / table["emissions_tco2e"] - 1
    tables = {"provinces": table.assign(surplus_rate=rate + 1e-15)}
    (panel,) = chart_of("provinces", tables, allocated.provenance).panels
    assert panel.series[0].x.tolist() == [0.0]


def test_the_chart_of_enterprises_has_the_largest_of_both_sides(allocated: etsopt.Results) -> None:
    buyers, sellers = chart_of("enterprises", allocated.tables, allocated.provenance).panels
    surplus = allocated.tables["enterprises"]["surplus_t"] / 1e3
    assert buyers.series[0].x.max() == pytest.approx(-surplus.min())
    assert sellers.series[0].x.max() == pytest.approx(surplus.max())
    # All have the same name, and each is a bar of its own.
    assert len(set(buyers.series[0].y)) == len(buyers.series[0].y) > 1


def test_the_charts_of_a_pathway_are_its_years(path: etsopt.Results) -> None:
    years = path.tables["years"]
    price = chart_of("prices", path.tables, path.provenance).panels[0].series[0]
    # In 2025 and 2026 industry balances itself, and every price clears.
    assert price.x.tolist() == list(range(2027, 2036))
    assert price.y.tolist() == years["price_cny_per_t"].iloc[2:].tolist()
    series = {one.name: one for one in chart_of("emissions", path.tables, path.provenance).panels[0].series}
    assert np.allclose(series["emissions"].y.astype(float), years["emissions_tco2e"] / 1e6)
    assert np.allclose(series["allowances, free"].y.astype(float), years["allowance_t"] / 1e6)
    stacked = chart_of("measures", path.tables, path.provenance).panels[0].series
    total = sum(one.y.sum() for one in stacked)
    assert total == pytest.approx(path.tables["measure_years"]["abated_tco2e"].sum() / 1e6)


@pytest.mark.nightly
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_picture_keeps_its_text_and_is_the_same_again(allocated: etsopt.Results, tmp_path: Path, lang: str) -> None:
    for name in ("one.svg", "other.svg"):
        allocated.plot.save("provinces", tmp_path / name, lang)
    one = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert one == (tmp_path / "other.svg").read_text(encoding="utf-8")
    province = allocated.tables["provinces"]["province"][0]
    assert (SHORT[province] if lang == "zh" else province) in one
    assert ("各省份盈缺率" if lang == "zh" else "surplus of each province") in one
    allocated.plot.save("enterprises", tmp_path / "names.svg", lang)
    text = (tmp_path / "names.svg").read_text(encoding="utf-8")
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;$x^2$ 水泥" in text


@pytest.mark.nightly
def test_every_kind_is_a_method_and_draws(allocated: etsopt.Results, path: etsopt.Results, tmp_path: Path) -> None:
    for result in (allocated, path):
        for kind in result.plot.kinds:
            figure = getattr(result.plot, kind)()
            figure.savefig(tmp_path / f"{kind}.png")
    assert all(callable(getattr(Plots, kind)) for kind in KINDS)


def test_what_cannot_be_drawn_is_told(
    allocated: etsopt.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="There is no chart 'surpluss'") as wrong:
        allocated.plot.save("surpluss", tmp_path / "x.svg")
    # Those of other models would each be refused as well.
    here = ", ".join(allocated.plot.kinds)
    assert str(wrong.value).endswith(f"Did you mean 'surplus'? Of this run there are: {here}.")
    with pytest.raises(UsageError, match="nothing for the chart 'prices'"):
        allocated.plot.prices()
    with pytest.raises(UsageError, match=r"is no SVG or PNG"):
        allocated.plot.save("surplus", tmp_path / "x.pdf")
    monkeypatch.setattr("etsopt.presenting.charts.drawing._fonts", lambda mpl: [])
    with pytest.raises(UsageError) as caught:
        allocated.plot.save("surplus", tmp_path / "x.png", "zh")
    assert CHINESE_FONTS[0] in caught.value.advice
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="needs matplotlib") as caught:
        allocated.plot.surplus()
    assert "etsopt[plot]" in caught.value.advice


def test_settings_of_matplotlib_that_are_found_here_change_no_chart(allocated: etsopt.Results, tmp_path: Path) -> None:
    found = {"axes.grid": True, "axes.facecolor": "red", "savefig.facecolor": "red", "axes.unicode_minus": False}
    allocated.plot.save("surplus", tmp_path / "usual.svg")
    with matplotlib.rc_context(found):
        allocated.plot.save("surplus", tmp_path / "here.svg")
    assert (tmp_path / "here.svg").read_bytes() == (tmp_path / "usual.svg").read_bytes()


def test_the_command_lists_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["solve", "tiny", "--out", "run"]) == 0
    capsys.readouterr()
    assert main(["plot", "run"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == ["surplus", "intensity", "rates", "provinces", "moved", "enterprises"]
    assert main(["plot", "run", "surplus", "--lang", "zh"]) == 0
    assert "已写入 surplus.svg。" in capsys.readouterr().out
    assert re.search("各单元盈缺率", (tmp_path / "surplus.svg").read_text(encoding="utf-8"))
    assert main(["plot", "run", "rates", "--out", "rates.png", "--json", "--lang", "en"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": "rates.png"}
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    assert main(["plot", "run", "rates", "--out", "rates.html", "--lang", "en"]) == 0
    assert re.search(r"Written to rates\.html\. Its charts need plotly-\S+ beside it", capsys.readouterr().out)
    assert "Content-Security-Policy" in (tmp_path / "rates.html").read_text(encoding="utf-8")


def test_an_unknown_chart_is_told_with_the_nearest_name(allocated: etsopt.Results) -> None:
    with pytest.raises(AttributeError, match=r"no chart 'surplis'.\n\nDid you mean 'surplus'\? `kinds` lists"):
        allocated.plot.surplis()
