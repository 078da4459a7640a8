"""Pages of curves, as written and with data that were altered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from etsopt.studies.explore.page import AFTER, BEFORE, page_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser import Page

CEMENT, STEEL = "sectors.cement.target_change", "sectors.steel.target_change"

SEAL = "document.getElementById('seal').dataset.state"
"""What the seal of a page says."""


def data_in(page: Path) -> dict[str, Any]:
    """Return the data of a page."""
    text = page.read_text(encoding="utf-8").partition(BEFORE)[2].partition(AFTER)[0]
    data: dict[str, Any] = json.loads(text)
    return data


def forged(page: Path, data: dict[str, Any]) -> Path:
    """Write other data into a page, which then states the hash of its altered program."""
    path = page.with_name(f"forged-{page.name}")
    path.write_text(page_of(data), encoding="utf-8")
    return path


def allowances_at(page: Page, value: float | list[float]) -> list[float] | None:
    """Return the allowances of all units at values of the keys, as the page proves them; None without a proof."""
    found: list[float] | None = page.ask(f"set({value!r}), {SEAL} === 'proven' ? Array.from(shown.all) : null")
    return found
