"""The shipped outlook: its tables are those of the build script, and its page states what it solves to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import etsopt
from instances import build_cn_outlook

FOLDER = Path(__file__).parents[2] / "instances" / "cn-outlook"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_build_script_writes_the_same_bytes(tmp_path: Path) -> None:
    build_cn_outlook.write(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name


def test_every_source_has_its_mark_and_its_source() -> None:
    supply = etsopt.read("cn-outlook").supply
    assert supply is not None
    assert (supply["confidence"] != "").all()
    assert (supply["source"].str.len() > 20).all()
    assert f"{supply['supply_id'].nunique()} sources of output and abatement" in PAGE


def test_the_prices_of_the_page_are_those_of_the_instance() -> None:
    years = etsopt.solve(etsopt.read("cn-outlook"), "outlook").tables["outlook_years"]
    rows = {
        "cap, free part fixed (the shipped policy)": "policy",
        "cap, free part by output, auctioned share rising": "other form",
        "benchmarks, no cap": "no cap",
    }
    for words, case in rows.items():
        found = re.search(rf"\| {re.escape(words)} \| (.*) \|", PAGE)
        assert found is not None, words
        stated = [float(cell) for cell in found[1].split("|")]
        prices = years[years["case"] == case].set_index("year")["price_cny_per_t"]
        assert [round(prices[year], 1) for year in (2025, 2030, 2035, 2045, 2060)] == pytest.approx(stated, abs=0.051)
