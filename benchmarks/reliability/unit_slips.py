"""Unit errors: plausible instances with one column wrong by a thousand or ten thousand, and the same without."""

from __future__ import annotations

import functools
from random import Random
from typing import TYPE_CHECKING, Any

import etsopt
from benchmarks.reliability.row import Found
from etsopt.common.errors import DataError
from etsopt.data.files import shipped
from etsopt.data.files.read import reports_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

SLIPS, CLEAN = 300, 60

FACTORS = (1e-3, 1e-4, 1e3, 1e4)
"""kt or 10,000 t (万吨) for t and CNY 10,000 (万元) for CNY make a number smaller; kg for t, or the reverse, larger."""


@functools.cache
def shipped_instance(name: str) -> etsopt.Instance:
    return etsopt.read(name)


def clean(random: Random) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return tables and policy of a shipped instance in some provinces, or of a generated one."""
    # Instances with monthly reports have no units.csv of their own, and an outlook has a nation for its units.
    names = [name for name in shipped.names() if reports_in(shipped.folder(name)) is None and name != "cn-outlook"]
    name = random.choice([*names, "generated", "generated"])
    if name == "generated":
        instance = etsopt.generate(random.randrange(5, 200), random.randrange(10**6), measures=random.choice((0, 4)))
    else:
        instance = shipped_instance(name)
    tables = dict(instance.tables)
    units = tables["units"]
    if name not in ("tiny", "generated"):
        kept = random.sample(instance.provinces, random.randrange(8, len(instance.provinces)))
        units = units[units["province"].isin(kept)]
    emissions = units["emissions_tco2e"]
    # Optional columns that few of the shipped instances have.
    spread = [random.uniform(0.85, 1.15) for _ in range(len(units))]
    prior = (emissions * spread).round()
    units = units.assign(prior_emissions_tco2e=prior, pre_allocated_t=(0.7 * prior).round())
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    here = set(units["sector"])
    policy["sectors"] = {sector: part for sector, part in policy.get("sectors", {}).items() if sector in here}
    if isinstance(policy.get("provinces", {}).get("balance"), dict):
        del policy["provinces"]
    return {**tables, "units": units}, policy


def candidates(tables: dict[str, pd.DataFrame]) -> list[tuple[str, str]]:
    """Return the columns of tonnes and of money with a number."""
    return [
        (name, column)
        for name, table in tables.items()
        for column in table.columns
        if column.endswith(("_t", "_tco2e", "_cny_per_t"))
        and not column.startswith("x_")
        and (table[column].fillna(0) != 0).any()
    ]


def slips(numbers: Iterable[int]) -> Found:
    """Scale a column of a plausible instance; every sixth trial leaves all columns unchanged."""
    found = Found()
    for number in numbers:
        random = Random(number)
        tables, policy = clean(random)
        slipped = None
        if number % (SLIPS // CLEAN + 1):
            slipped, factor = random.choice(candidates(tables)), random.choice(FACTORS)
            name, column = slipped
            tables[name] = tables[name].assign(**{column: tables[name][column] * factor})
        try:
            etsopt.Instance.from_frames(policy=policy, **tables)
        except DataError as error:
            if slipped is None:
                found.saw("clean, refused")
                found.failed(number, f"a false alarm: {error}")
            else:
                found.saw("caught")
                if slipped[1] not in str(error):
                    found.failed(number, f"{slipped} is caught and not named: {error}")
        else:
            found.saw("clean, taken" if slipped is None else f"not seen in {slipped[1]}")
    return found
