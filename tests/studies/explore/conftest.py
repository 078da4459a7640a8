"""Curves, their pages, and the browser that opens them, once for all tests of the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import etsopt
from etsopt.studies.curves import Curve, curve
from etsopt.studies.explore import write_page
from tests.browser import CHROMIUM, browser
from tests.studies.explore.pages import CEMENT, STEEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser import Page


def along(instance: str, key: str) -> Curve:
    found = curve(etsopt.read(instance), {key: (-0.01, 0.0)})
    assert isinstance(found, Curve)
    return found


@pytest.fixture(scope="package")
def cement() -> Curve:
    """The curve of cn-2025 along the target of cement."""
    return along("cn-2025", CEMENT)


@pytest.fixture(scope="package")
def steel() -> Curve:
    """The curve along the target of steel, which cannot be met below -0.775 %."""
    return along("cn-2025", STEEL)


@pytest.fixture(scope="package")
def tiny() -> Curve:
    return along("tiny", CEMENT)


@pytest.fixture(scope="package")
def cement_page(cement: Curve, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(cement, tmp_path_factory.mktemp("cement"))


@pytest.fixture(scope="package")
def steel_page(steel: Curve, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(steel, tmp_path_factory.mktemp("steel"))


@pytest.fixture(scope="package")
def tiny_page(tiny: Curve, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tiny, tmp_path_factory.mktemp("tiny"))


def written(curve: Curve, folder: Path) -> Path:
    write_page(curve, folder / "page.html")
    return folder / "page.html"


@pytest.fixture(scope="package")
def page() -> Iterator[Page]:
    """An empty page of the browser."""
    if not CHROMIUM:
        pytest.skip("no browser on this machine")
    with browser() as opened:
        yield opened
