"""What is told of monthly reports: values as the tables have them, in both languages, and on a page as well."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etsopt import accounting
from etsopt.accounting.factors import Factors
from etsopt.accounting.screening import rules_table
from etsopt.common.language import speaking
from etsopt.presenting.documents import html
from etsopt.presenting.documents.columns import heading, in_one_scale
from etsopt.presenting.documents.document import Document, Section, Table
from etsopt.reports.monthly import accounts, inclusion, monitoring, review, screening


@pytest.fixture(scope="module")
def plants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = accounting.write_example(tmp_path_factory.mktemp("monthly") / "plants", units=3, months=12, seed=2)
    return accounting.write_monitor_example(folder)


@pytest.fixture(scope="module")
def accounted(plants: Path) -> accounting.Accounts:
    return accounting.account(accounting.read_reports(plants))


@pytest.fixture(scope="module")
def store(plants: Path) -> str:
    path = str(plants.parent / "plants.duckdb")
    accounting.import_reports(path, [plants])
    place = {"level": "municipal", "who": "Li", "unit_id": "U3"}
    of_item = {"month": "2025-04", "item": "portland_clinker", "quantity": 40000, "reason": "as in the ledger"}
    accounting.decide(path, {"decision": "find", **place, "month": "2025-03", "reason": "no ledger", "size_t": 10})
    accounting.decide(path, {"decision": "correct", **place, **of_item})
    return path


def tables(document: Document) -> dict[str, Table]:
    """The tables of a document by their captions."""
    return {
        str(block.caption): block
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Table)
    }


def columns(table: Table) -> dict[str, list[Any]]:
    """The cells of a table by the headings of their columns."""
    cells = zip(*table.rows, strict=True)
    return {str(column.heading): list(own) for column, own in zip(table.columns, cells, strict=True)}


def test_sectors_and_gases_have_the_sums_of_the_units_in_one_unit(plants: Path, accounted: accounting.Accounts) -> None:
    shown = tables(accounts.accounts(accounting.read_reports(plants), accounted))
    sectors, units = columns(shown["Sectors"]), columns(shown["Units"])
    assert sum(sectors["emissions"]) == pytest.approx(accounted.unit_years["emissions_tco2e"].sum())
    assert units["emissions"] == accounted.unit_years["emissions_tco2e"].tolist()
    gases = [sum(row) for row in zip(*(sectors[gas] for gas in ("CO2", "CF4", "C2F6")), strict=True)]
    # A gas that a sector does not emit has no figure.
    assert [math.isnan(total) for total in gases] == [name != "aluminium" for name in sectors["sector"]]
    assert gases[0] == pytest.approx(sectors["emissions"][0])
    assert {head.unit for head in shown["Sectors"].shown().columns[3:7]} == {"kt"}
    assert [row[3] for row in shown["Units"].shown().rows] == ["5,058,300.83", "563,030.35", "212,413.77"]


def test_amounts_that_are_compared_have_the_scale_of_the_largest() -> None:
    frame = pd.DataFrame({"listed_tco2e": [2e7, math.nan], "with_near_tco2e": [-1e3, 0.0]})
    shown = in_one_scale(frame, ("listed_tco2e", "with_near_tco2e"))
    assert {column.quantity.unit for column in shown.values()} == {"Mt"}
    assert [column.quantity.shown(-1e3) for column in shown.values()] == ["−0.001", "−0.001"]


def test_a_factor_that_is_stated_is_shown_beside_the_official_one() -> None:
    section = accounts.factors(Factors.of({"aluminium.default_tco2e_per_t": 0.2}).table())
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    values = {row[0]: str(row[1]) for row in table.rows}
    assert values["aluminium.default_tco2e_per_t"] == "0.2 (official 0.1454)"
    assert values["aluminium.cf4_gwp"] == "6630"
    assert not table.key


def test_entities_near_the_line_come_first_and_what_is_unknown_has_no_figure(accounted: accounting.Accounts) -> None:
    register = accounted.register.assign(direct_emissions_tco2e=math.nan)
    more = register.iloc[[0] * 4].assign(
        unit_id=["x1", "x2", "x3", "x4"],
        enterprise_id=["near", "far", "unknown", "closer"],
        complex_id="",
        direct_emissions_tco2e=[25_500.0, 1_000.0, math.nan, 26_100.0],
    )
    found = accounting.inclusion(pd.concat([register, more], ignore_index=True), accounted)
    shown = tables(inclusion.inclusion(found, None))
    assert columns(shown["Within 5% of the line"])["entity id"] == ["closer", "near"]
    outside = columns(shown["Not on the list"])
    assert outside["entity id"] == ["near", "far", "unknown"]
    assert outside["reason"] == ["below threshold", "below threshold", "emissions unknown"]
    assert [math.isnan(value) for value in outside["emissions"]] == [False, False, True]
    assert shown["Not on the list"].shown().rows[2][2:4] == ("-", "-")


def test_monitors_that_drift_come_first_with_their_interval(plants: Path, accounted: accounting.Accounts) -> None:
    found = accounting.monitor(accounted, accounting.read_monitor(plants, accounted.register))
    units = columns(tables(monitoring.monitored(found))["Units"])
    assert units["drifts"] == [True, False, False]
    row = found.units[found.units["drifts"]].iloc[0]
    assert units["95 % interval"][0] == f"{100 * row['drift_lower']:.1f}...{100 * row['drift_upper']:.1f}"
    assert units["95 % interval"][1].startswith("−")


def test_all_findings_are_in_the_table_in_the_language_of_the_moment() -> None:
    source = accounting.read_source("cn-2025-reports")
    found = accounting.screen(source.reports, source.parameters)
    for language, word in (("en", "usually"), ("zh", "通常为")):
        with speaking(language):
            table = next(table for table in tables(screening.screening(found)).values() if table.key == "findings")
            assert len(table.rows) == len(found.findings) > 20
            assert any(word in row[3] for row in table.rows)
    assert [row[2] for row in table.rows] == found.findings["size_t"].tolist()


def test_the_first_causes_stand_before_the_findings_one_for_an_item() -> None:
    source = accounting.read_source("cn-2025-reports")
    found = accounting.screen(source.reports, source.parameters)
    document = screening.screening(found)
    assert [section.key for section in document.sections] == ["causes", "findings"]
    table = tables(document)["Likely causes"]
    assert len(table.rows) == screening.SHOWN < len(found.causes)
    # Of a year far from its peers one month is named.
    assert sum(row[0] == "R01" for row in table.rows) == (found.causes["unit_id"] == "R01").sum() == 1
    assert str(len(found.causes)) in table.note
    with speaking("zh"):
        words = [str(row[-1]) for row in tables(screening.screening(found))["可能的原因"].rows]
    assert any(text.startswith("缺少月份：") for text in words)


def test_the_history_of_items_has_words_and_every_digit(store: str) -> None:
    table = accounting.history(store, "U3", "2025-04")
    shown = columns(review.history(table))
    assert shown["event"][-1] == "correct"
    assert shown["item"][-1] == "portland_clinker product"
    assert [str(text) for text in review.history(table).shown().rows[-1][5:8]] == ["2", "40,000", "t"]
    with speaking("zh"):
        shown = columns(review.history(table))
        assert (shown["事项"][-1], shown["燃料、物料或产品"][-1]) == ("更正", "硅酸盐水泥熟料 产品")
    exact = review.history(table.assign(quantity=47904437.41))
    assert {row[6] for row in exact.shown().rows} == {"47,904,437.41"}


def test_headings_of_accounts_are_chinese_and_those_of_nobody_stay() -> None:
    with speaking("zh"):
        assert (heading("late_months"), heading("open_findings"), heading("verified_emissions_tco2e")) == (
            *("逾期月数", "未关闭问题数", "经核查排放量"),
        )
        assert heading("x_origin") == "x_origin"


@pytest.mark.everyday("zh")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_told_is_a_page_as_well(
    plants: Path, accounted: accounting.Accounts, store: str, language: str
) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    reports = accounting.read_reports(plants)
    found = accounting.monitor(accounted, accounting.read_monitor(plants, accounted.register))
    listed = accounting.inclusion(accounted.register, accounted)
    state = accounting.review(store)
    decided = (review.findings(state.findings), review.history(accounting.history(store, "U3", "2025-04")))
    with speaking(language):
        documents = (
            accounts.accounts(reports, accounted),
            inclusion.inclusion(listed, None),
            monitoring.monitored(found),
            review.status(state),
            review.verified(accounting.verify(store)),
            screening.screening(accounting.screen(reports)),
            Document("", "", "", sections=tuple(screening.rules(rules_table({})))),
            Document(
                "", "", "", sections=(Section("log", "", (*decided, review.journal(accounting.store_log(store)))),)
            ),
        )
        for document in documents:
            page = html.page(document)
            assert str(document.answer) in page
            for table in tables(document).values():
                assert all(str(head.heading) in page for head in table.shown().columns)
                assert f"rows-{table.key}" in page or not table.key
