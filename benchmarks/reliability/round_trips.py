"""Instances and results written in every format and read again: the same hash, and every float to the last bit."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pandas as pd

import etsopt
from benchmarks.reliability.folders import NAMES, PROVINCES
from benchmarks.reliability.row import Found
from etsopt.data.files.write import write_instance
from etsopt.running.results.results import Results
from tests.builders import random_units
from tests.compliance_years import random_compliance_year

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

NOTES = (
    "",
    "=1+1",
    "'=1",
    "NA",
    "007",
    "two\nlines",
    'a "b", c',
    " spaced ",
    "-5.5",
    "备注",
    "-dash",
    "\ta",
    "1e5",
    "'",
)
NOT_SETTLED = 8
"""One in so many instances is a solved compliance year; the others have results of random cells."""


def random_floats(random: np.random.Generator, count: int, largest: float = 1e11) -> NDArray[np.float64]:
    """Return floats of any size with all digits, whole ones, decimals, and neighbours of these."""
    kinds = random.integers(0, 5, count)
    size = np.exp(random.uniform(-20, np.log(largest), count))
    whole, decimal = np.rint(size) + 1, np.round(size, 2) + 0.01
    return np.choose(
        kinds, [size, whole, decimal, np.nextafter(decimal, np.inf), 10.0 ** random.integers(-5, 10, count)]
    )


def random_instance(number: int) -> etsopt.Instance:
    """Return an instance with every table, numbers of any size, names in any script, and arbitrary notes."""
    if number % NOT_SETTLED == 0:
        return random_compliance_year(number)
    random, chance = np.random.default_rng(number), Random(number)
    units = random_units(number, int(random.integers(2, 25)))
    count = len(units)
    emissions = random_floats(random, count)
    units = units.assign(
        emissions_tco2e=emissions,
        output_t=emissions * random.uniform(0.5, 1.5, count),
        province=random.choice(PROVINCES, count),
        prior_emissions_tco2e=np.where(random.random(count) < 0.3, np.nan, random_floats(random, count)),
        x_note=[chance.choice(NOTES) for _ in range(count)],
        x_share=random_floats(random, count),
    )
    owners = sorted(set(units["enterprise_id"]))
    held = {f"opening_{year}_t": random_floats(random, len(owners)) for year in (2021, 2025)}
    enterprises = pd.DataFrame({"enterprise_id": owners, "name": random.choice(NAMES, len(owners)), **held})
    enterprises["net_sales_t"] = -random_floats(random, len(owners))
    sectors = sorted(set(units["sector"]))
    rates = {name: random.uniform(0, 1, len(sectors)) for name in ("abatement_rate", "maximum_share")}
    costs = {f"{name}_cny_per_t": random_floats(random, len(sectors), 1e4) for name in ("capex", "variable_opex")}
    measures = pd.DataFrame({"measure_id": "kiln", "sector": sectors, "lifetime_years": 15.0, **rates, **costs})
    factors = {name: random.uniform(0.5, 2, len(sectors)) for name in ("output_factor", "intensity_factor")}
    forecast = pd.DataFrame({"sector": sectors, "year": 2027.0, **factors})
    band = {"lower": float(random.uniform(0, 0.1)), "upper": float(random.uniform(0, 0.1))}
    policy: dict[str, Any] = {
        "year": 2025,
        "rule": {"name": "cn-2025", "slope": float(random.uniform(0.1, 0.2))},
        "sectors": {sectors[0]: {"band": band, "target_t": float(random_floats(random, 1)[0])}},
        "provinces": {"balance": {str(units["province"][0]): float(random.uniform(0, 0.5))}},
        "market": {"prices_cny_per_t": {"2025": float(random.uniform(40, 100)), "2027": 1e-7}},
    }
    return etsopt.Instance.from_frames(units, policy, enterprises, measures, forecast, name=f"random {number}")


def random_results(number: int, instance: etsopt.Instance) -> Results:
    """Return results of a compliance year, or of random cells of every type."""
    if number % NOT_SETTLED == 0:
        return etsopt.solve(instance, "compliance")
    random, chance = np.random.default_rng(number), Random(number)
    count = int(random.integers(1, 12))
    table = pd.DataFrame(
        {
            "unit_id": [f"{chance.choice(NAMES)} {row}" for row in range(count)],
            "note": pd.Series([chance.choice(NOTES) for _ in range(count)], dtype=object),
            "allowance_t": random_floats(random, count, 1e300) * random.choice([-1, 1], count),
            "absent_t": np.where(random.random(count) < 0.4, np.nan, random_floats(random, count, 1.0)),
            "units": random.integers(-(2**62), 2**62, count),
            "at_risk": random.random(count) < 0.5,
            "zero_t": random.choice([0.0, -0.0, 5e-324, np.inf, 1.7976931348623157e308], count),
        }
    )
    solved = _solved()
    return Results({"allocation": table}, "optimal", "feasible", False, solved.levels, None, solved.provenance)


def _solved(kept: list[Results] = []) -> Results:  # noqa: B006  solved once in a process
    if not kept:
        kept.append(etsopt.solve(etsopt.read("tiny")))
    return kept[0]


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Return True if two tables have equal columns and cells, floats to the last bit."""
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        return False
    for name in one.columns:
        cells, others = one[name].to_numpy(), other[name].to_numpy()
        if cells.dtype.kind == "f":
            nothing = np.isnan(cells) & np.isnan(others.astype(float))
            equal = nothing | (cells.view(np.int64) == others.astype(float).view(np.int64))
        else:
            equal = cells.astype(object) == others.astype(object)
        if not np.all(equal):
            return False
    return True


def differing(instance: etsopt.Instance, results: Results, folder: Path, formats: tuple[str, ...]) -> str:
    """Return the parts that differ after reading."""
    policy = instance.policy.model_dump(exclude_unset=True)
    copies = {"frames": etsopt.Instance.from_frames(policy=policy, name=instance.name, **instance.tables)}
    for kind in formats:
        write_instance(instance, folder / kind, table_format=kind)
        copies[kind] = etsopt.read(folder / kind)
        results.save(folder / f"run {kind}", copies[kind], kind)
        copies[f"run in {kind}"] = etsopt.read(folder / f"run {kind}" / "instance")
        again = etsopt.load(folder / f"run {kind}")
        if again.summary() | {"tables": 0, "prices": 0} != results.summary() | {"tables": 0, "prices": 0}:
            return f"the summary in {kind}"
        for name, table in results.tables.items():
            if not same(table, again.tables[name]):
                return f"table {name} in {kind}"
    for kind, copy in copies.items():
        if copy.hash != instance.hash:
            return f"the hash after {kind}"
        if copy.tables.keys() != instance.tables.keys():
            return f"the tables after {kind}"
        for name, table in instance.tables.items():
            if not same(table, copy.tables[name]):
                return f"{name} after {kind}"
    return ""


def round_trips(numbers: Iterable[int]) -> Found:
    """Write and read an instance and results in all formats."""
    found = Found()
    formats = ("csv", "parquet") if importlib.util.find_spec("pyarrow") is not None else ("csv",)
    for number in numbers:
        instance = random_instance(number)
        results = random_results(number, instance)
        # Synchronisation with the disk is irrelevant here and takes most of the time.
        with tempfile.TemporaryDirectory() as place, mock.patch.object(os, "fsync"):
            wrong = differing(instance, results, Path(place), formats)
        found.saw(f"equal in {' and '.join(formats)}" if not wrong else "different")
        if wrong:
            found.failed(number, f"{wrong} is not what was written")
    return found
