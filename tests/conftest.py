"""What several test files need: a small valid instance folder, and random instances by a seed."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from etsopt.common import progress
from etsopt.data.instance import Instance

# A shell lets what it runs in the background ignore Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The language, width, colours and time that whoever runs the tests has chosen are none of the tests'.
OF_HERE = (
    *("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHON_COLORS"),
    *("TTY_COMPATIBLE", "TTY_INTERACTIVE", "SOURCE_DATE_EPOCH", "MPLBACKEND", "MATPLOTLIBRC"),
)
for name in OF_HERE:
    os.environ.pop(name, None)

# However slow the machine, code without a checkpoint comes to its end, and a time limit is met where it is elsewhere.
progress.POLL_INTERVAL_S = 60.0

# The same examples in every run, and none of them judged by the clock.
settings.register_profile("etsopt", deadline=None, derandomize=True)
settings.load_profile("etsopt")


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave out what stays to the end, which each of its rounds would walk through."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


BY_NIGHT = Path(__file__).with_name("by_night.txt")
"""Tests, or cases of them, whose lines other everyday tests run, by the map of lines (`benchmarks/by_night.py`)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to ``make nightly`` all seeds of a test but its first, or all cases but those that it names for every day.

    So are the tests that a file lists, since others run their lines.

    A case is named by its whole id, or by the part of it that belongs to some of the parameters. A test that names a
    case which it does not have fails: an error here would be lost between several processes.
    """
    first: dict[Any, Any] = {}
    missed: dict[Any, set[str]] = {}
    listed = frozenset(BY_NIGHT.read_text(encoding="utf-8").splitlines())
    for item in items:
        if not listed.isdisjoint((item.nodeid, item.nodeid.partition("[")[0])):
            item.add_marker(pytest.mark.nightly)
        function, case = getattr(item, "function", item), getattr(item, "callspec", None)
        every_day = item.get_closest_marker("everyday")
        if every_day is not None:
            named = {name for name in every_day.args if case is not None and f"-{name}-" in f"-{case.id}-"}
            missed[function] = missed.get(function, set(every_day.args) or {""}) - named
            if not named:
                item.add_marker(pytest.mark.nightly)
        elif case is not None and (seed := case.params.get("seed")) != first.setdefault(function, seed):
            item.add_marker(pytest.mark.nightly)
    # Of a test that is asked for by name not all cases are here.
    for item in () if any("::" in argument for argument in config.args) else items:
        if unknown := missed.get(getattr(item, "function", item)):
            item.own_markers = [mark for mark in item.own_markers if mark.name != "nightly"]
            reason = f"no such case of every day: {', '.join(sorted(unknown))}; name one that the test has"
            item.runtest = partial(pytest.fail, reason, pytrace=False)  # type: ignore[method-assign]


UNITS_CSV = """\
unit_id,enterprise_id,name,sector,province,emissions_tco2e,output_t
line-1,north,Line 1,cement,Hebei,780000,1000000
line-2,north,Line 2,cement,Hebei,984000,1200000
mill-1,south,Mill,steel,Hunan,10500000,5000000
"""

POLICY_TOML = """\
year = 2025

[rule]
name = "cn-2025"
"""

TYPICAL_INTENSITY = {"cement": 0.83, "steel": 2.06, "aluminium": 1.57}
"""Emissions of a whole unit per tonne of product [t/t], from the domain's sector totals of 2024."""


@pytest.fixture
def write_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write an instance folder: valid as it stands, each file replaced by another content or left out by None."""

    def write(
        units_csv: str | bytes | None = UNITS_CSV,
        policy: str | bytes | None = POLICY_TOML,
        enterprises_csv: str | bytes | None = None,
        name: str = "plant",
        measures_csv: str | None = None,
        forecast_csv: str | None = None,
        **further: str,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for file, content in (
            ("units.csv", units_csv),
            ("policy.toml", policy),
            ("enterprises.csv", enterprises_csv),
            ("measures.csv", measures_csv),
            ("forecast.csv", forecast_csv),
            *((table.replace("_csv", ".csv"), text) for table, text in further.items()),
        ):
            if content is not None:
                (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return write


@pytest.fixture(scope="session")
def random_instance() -> Callable[..., Instance]:
    """Make a small random instance: ``random_instance(seed, units, **{"sectors.cement.band": 0.02})``."""
    return make_random_instance


def make_random_instance(seed: int, units: int, **policy_changes: Any) -> Instance:
    """Three sectors in four provinces, one to three units an enterprise, 30 kt to 10 Mt, intensities spread by 6 %."""
    random = np.random.default_rng(seed)
    sector = random.choice(list(TYPICAL_INTENSITY), units)
    emissions = np.round(10 ** random.uniform(np.log10(3e4), 7, units))
    typical = np.array([TYPICAL_INTENSITY[name] for name in sector])
    output = np.round(emissions / (typical * np.exp(0.06 * random.normal(size=units))))
    owner = np.repeat(np.arange(units), random.integers(1, 4, units))[:units]
    frame = pd.DataFrame(
        {
            "unit_id": [f"unit-{number:03d}" for number in range(units)],
            "enterprise_id": [f"firm-{number:03d}" for number in owner],
            "sector": sector,
            "province": random.choice(["Anhui", "Hebei", "Hunan", "Yunnan"], units),
            "emissions_tco2e": emissions,
            "output_t": output,
        }
    )
    policy = {"year": 2025, "rule": {"name": "cn-2025"}}
    instance = Instance.from_frames(frame, policy, name=f"random-{units}-{seed}")
    return instance.with_policy(policy_changes) if policy_changes else instance
