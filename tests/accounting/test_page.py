"""The page on accounting and the Chinese tables: no item, column or heading is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from etsopt.accounting import Reports, account, generate, inclusion, read_reports, screen
from etsopt.accounting.chinese import HEADINGS, in_words
from etsopt.accounting.example import PARTS
from etsopt.accounting.figures import CLINKERS, DEDUCTIONS, FIGURES, FUELS, MATERIALS, SOURCES
from etsopt.accounting.schema import ACTIVITIES, ACTIVITIES_OF, REGISTER, ROWS
from etsopt.accounting.screening import RULES
from etsopt.accounting.screening.causes import CAUSES
from etsopt.accounting.vocabulary import FLOWS, ITEMS, PROCESSES, PROCESSES_OF, STATED
from etsopt.common.language import speaking

PAGE = (Path(__file__).parents[2] / "etsopt" / "accounting" / "README.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_is_on_the_page_in_both_languages(name: str) -> None:
    assert f"`{name}` {ITEMS[name].chinese}" in WORDS


def test_every_rule_of_screening_is_on_the_page() -> None:
    for name, one in RULES.items():
        thresholds = ", ".join(f"{key} {value:g}" for key, value in one.thresholds.items())
        assert f"| `{name}` | {one.kind} | {one.summary.removesuffix('.')} | {thresholds} |" in PAGE


def test_every_cause_is_on_the_page() -> None:
    for cause in CAUSES:
        assert f"| `{cause}` |" in PAGE


def test_every_column_is_on_the_page() -> None:
    for table in (REGISTER, ROWS):
        for column in table.columns:
            needed = "yes" if column.required else ""
            assert f"| `{column.name}` | {needed} | {column.meaning} |" in PAGE


def test_the_tables_of_the_guideline_are_complete() -> None:
    # Of 26 fuels semi-coke has its factors by a note of the table.
    assert (len(FUELS), len(MATERIALS), len(CLINKERS), len(DEDUCTIONS)) == (26, 18, 4, 30)
    assert FUELS["semi_coke"] == FUELS["coke"]
    kinds: dict[str, Any] = {"fuel": FUELS, "material": MATERIALS, "clinker": CLINKERS, "deduction": DEDUCTIONS}
    for kind, figures in kinds.items():
        assert {name for name, item in ITEMS.items() if item.kind == kind and not item.own_of} == set(figures)
    assert {item.own_of for item in ITEMS.values()} - {""} <= set(FUELS)
    assert all(figure.source in SOURCES and figure.confidence in "ABC" for figure in FIGURES.values())
    assert {figure.source for figure in FIGURES.values()} == set(SOURCES)
    # A factor of the steel guideline is read, one of the others is not; of power units an update of it is quoted.
    read = ("power.oxidation_to_2025.coal", "power.fuels.natural_gas.")
    for key, figure in FIGURES.items():
        expected = "B" if key.endswith("gwp") else "A" if key.startswith(("steel", *read)) else "C"
        assert figure.confidence == expected, key
        # What no text that was read has, and only that, has no value.
        assert (figure.value != figure.value) == (key.startswith("power") and not key.startswith(read)), key


def test_words_are_unambiguous() -> None:
    chinese = [item.chinese for item in ITEMS.values()]
    assert len(set(chinese)) == len(chinese)
    assert {process for own in PROCESSES_OF.values() for process in own} == set(PROCESSES)
    assert {activity for own in ACTIVITIES_OF.values() for activity in own} == set(ACTIVITIES)
    of_power = {"carbon", "oxidation"}
    assert {part[2] for parts in PARTS.values() for part in parts} == set(FLOWS) - set(STATED) - of_power


def test_every_heading_and_word_has_its_chinese() -> None:
    register, rows = generate(5, months=2)
    accounts = account(Reports.from_frames(register, rows))
    found = inclusion(accounts.register, accounts)
    screening = screen(read_reports("cn-2025-reports"))
    screened = (screening.causes, screening.findings, screening.rules, screening.unit_months)
    for table in (*accounts.tables.values(), found.sectors, found.entities, found.units, *screened):
        assert set(table.columns) <= set(HEADINGS)
        with speaking("zh"):
            chinese = in_words(table)
        assert len(set(chinese.columns)) == len({*table.columns} - {"reason_zh"})
        assert len(chinese) == len(table)
    with speaking("zh"):
        monthly = in_words(accounts.monthly)
    assert {"炼铁工序", "熟料生产", "铝电解工序", "其他"} <= set(monthly["工序"])
    assert set(monthly["行业"]) == {"钢铁", "水泥", "铝冶炼"}
