"""A valid instance folder to break: its tables with columns replaced, and the message that reading it brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from etsopt.common.errors import DataError
from etsopt.data.files.read import read_instance

if TYPE_CHECKING:
    from etsopt.data.instance import Instance

Writer = Callable[..., Path]
"""The fixture ``write_folder``."""

VALID: dict[str, list[str]] = {
    "unit_id": ["line-1", "line-2", "mill-1"],
    "enterprise_id": ["north", "north", "south"],
    "name": ["Line 1", "Line 2", "Mill"],
    "sector": ["cement", "cement", "steel"],
    "province": ["Hebei", "Hebei", "Hunan"],
    "emissions_tco2e": ["780000", "984000", "10500000"],
    "output_t": ["1000000", "1200000", "5000000"],
    "intensity_output_t": ["", "", "5000000"],
    "intensity_emissions_tco2e": ["", "", "4400000"],
    "special_case": ["", "", ""],
}


def units_csv(**columns: list[str] | None) -> str:
    """The valid table with columns replaced, added, or left out by None."""
    table = {name: cells for name, cells in {**VALID, **columns}.items() if cells is not None}
    rows = [",".join(cells) for cells in zip(*table.values(), strict=True)]
    return "\n".join([",".join(table), *rows]) + "\n"


def policy_toml(more: str = "", year: str = "2025") -> str:
    return f'year = {year}\n\n[rule]\nname = "cn-2025"\n\n{more}\n'


def message_of(folder: Path, read: Callable[[Path], Instance] = read_instance) -> str:
    """The message of a folder with one problem, without the heading that all have."""
    with pytest.raises(DataError) as caught:
        read(folder)
    heading = "The instance 'plant' has a problem.\n\n1. "
    assert str(caught.value).startswith(heading), str(caught.value)
    return str(caught.value).removeprefix(heading)
