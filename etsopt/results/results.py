"""Results: tables, how they were obtained, and what the checker said of them."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.data.read import read_instance
from etsopt.data.write import FORMATS
from etsopt.errors import DataError, FormerNameWarning, Problem, UsageError
from etsopt.results.former_runs import current_run
from etsopt.results.run_folder import INSTANCE, read_run, read_together, write_run
from etsopt.rules import as_given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etsopt.data.instance import Instance

TONNES = ("infeasible_by_t", "rounded_by_t", "misses_t", "distance_t")
"""What a result states in tonnes, or not at all."""

COMPARED = {"allocation": "unit_id", "sectors": "sector", "provinces": "province"}
"""Tables that are compared, and what names their rows."""

SOLVE_AGAIN = "Solve again; a table of a run is not changed by hand."


@dataclass(frozen=True)
class LevelResult:
    """A level: value, lower bound recomputed by the checker, gap, unit, and which algorithm ran."""

    name: str
    value: float
    bound: float
    gap: float
    unit: str
    certified: bool
    algorithm: str


@dataclass(frozen=True, eq=False)
class Results:
    """Tables of one solve and their provenance; two are equal where they say the same, however long each took.

    Parameters
    ----------
    tables
        By name; for ``allocation`` what `etsopt.models` describes.
    termination
        Why it stopped: optimal, infeasible, time_limit, interrupted, memory, solver_error, refused.
    status
        What is held: certified_optimal, certified_gap, certified_rounded, feasible, infeasible_certified,
        infeasible_unproven, none. In ``certified_rounded`` the real answer is proven to be the best, and the whole
        tonnes near it keep every limit but the order of rates.
    certified
        Whether the checker recomputed feasibility and a bound that proves the status.
    levels
        In lexicographic order.
    infeasible_by_t
        Tonnes proven to be missing where nothing is feasible, else None.
    provenance
        Model, method and why, instance and its hash, policy, options, versions, seconds.
    violations
        What the checker found wrong.
    rounded_by_t
        Largest move of an allowance to whole tonnes where a real answer was rounded, else None.
    misses_t, distance_t
        The most by which the answer misses a limit, and how far any unit can be from the one answer of the last step;
        None where nothing is told of it.
    stated_prices
        The prices that a run folder states; None where the results come from a solve.
    stated_tables
        Names of the tables that a run folder lists; None where it lists none, or the results come from a solve.
    """

    tables: dict[str, pd.DataFrame]
    termination: str
    status: str
    certified: bool
    levels: tuple[LevelResult, ...]
    infeasible_by_t: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    violations: tuple[dict[str, Any], ...] = ()
    rounded_by_t: float | None = None
    misses_t: float | None = None
    distance_t: float | None = None
    stated_prices: tuple[Any, ...] | None = None
    stated_tables: tuple[str, ...] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Results) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def hash(self) -> str:
        """SHA-256 over every cell, and over all that is stated beside the tables but seconds."""
        stated = {key: value for key, value in self.summary().items() if key != "seconds"}
        digest = hashlib.sha256(json.dumps(stated, sort_keys=True, default=str).encode())
        for name, table in sorted(self.tables.items()):
            digest.update(repr((name, list(table.columns))).encode())
            for column in table:
                numeric = pd.api.types.is_numeric_dtype(table[column])
                digest.update(pd.util.hash_array(table[column].to_numpy(float if numeric else str)).tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        about = self.provenance
        return f"<Results of {about.get('model')} on {about.get('instance')}: {self.status}, {len(self.tables)} tables>"

    @property
    def prices(self) -> pd.DataFrame:
        """Prices of allowances by year where there is a market, else shadow prices of targets, balances and totals.

        A price of the market is what one tonne less on offer costs, with its unit, the interval of proven prices,
        and how it was obtained. A shadow price is what a tonne more on the right-hand side adds to a level.
        """
        if "years" in self.tables:
            names = {"price_cny_per_t": "price", "price_lower_cny_per_t": "lower", "price_upper_cny_per_t": "upper"}
            years = self.tables["years"].rename(columns=names | {"price_unit": "unit", "price_obtained": "obtained"})
            wanted = ["year", "price", "lower", "upper", "unit", "obtained"]
            return years[wanted] if set(wanted) <= set(years) else pd.DataFrame(columns=wanted)
        empty = pd.DataFrame(columns=["level", "row", "index", "multiplier", "unit"])
        duals = self.tables.get("duals", empty)
        # A table that lacks these columns, as a damaged one does, states no prices.
        duals = duals if {"level", "row"} <= set(duals) else empty
        rows = ("sector_target", "province_balance", "national_total")
        # Further proofs of a level, which have a number, are no prices.
        stated = duals["row"].isin(rows) & ~duals["level"].astype(str).str.contains(":", regex=False)
        return duals[stated].rename(columns={"multiplier": "price"}).reset_index(drop=True)

    def summary(self) -> dict[str, Any]:
        """Everything but the tables, as plain values for JSON; what is not finite is null."""
        content = {
            **self.provenance,
            "termination": self.termination,
            "status": self.status,
            "certified": self.certified,
            **{name: getattr(self, name) for name in TONNES},
            "levels": [asdict(level) for level in self.levels],
            "prices": self.prices.to_dict("records"),
            "violations": list(self.violations),
        }
        return dict(finite(content))

    def save(self, folder: str | Path, instance: Instance | None = None, table_format: str = FORMATS[0]) -> None:
        """Write a run folder: ``tables/<name>.csv``, ``result.json``, and the instance to check it against.

        A run that was there before is replaced as a whole; whatever ends the save, it is there or the new one is. Files
        that are no run's stay. Tables in the format ``parquet`` are ``tables/<name>.parquet``.

        Raises
        ------
        UsageError
            If the folder holds tables or an instance that no run wrote, another process is writing to it, or the format
            is unknown or needs a package that is not installed.
        OSError
            With the name of the file that cannot be written.
        """
        held_to = None if instance is None else as_given(instance)
        write_run(Path(folder), self.summary(), self.tables, held_to, table_format)


def finite(value: Any) -> Any:
    """Return plain values for JSON, which knows no NaN and no infinity: both become None."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value.item() if hasattr(value, "item") else value


def load(folder: str | Path) -> Results:
    """Read a run folder.

    Raises
    ------
    UsageError
        If it is no run folder.
    DataError
        If a file of it is damaged. A table or column that is not there is no damage here: the checker refuses it.
    """
    path = Path(folder)
    return read_together(path, lambda: _read(path))


def load_instance(folder: str | Path) -> Instance:
    """Read the instance that a run folder holds."""
    path = Path(folder)
    return read_together(path, lambda: _read_instance(path))


def load_both(folder: str | Path) -> tuple[Results, Instance]:
    """Read a run folder and the instance in it, both from one save, also while another process saves to it."""
    path = Path(folder)
    return read_together(path, lambda: (_read(path), _read_instance(path)))


def _read(folder: Path) -> Results:
    content, tables, listed = current_run(*read_run(folder))
    levels = tuple(LevelResult(**_numbers(level)) for level in content.pop("levels"))
    prices, violations = tuple(content.pop("prices")), tuple(content.pop("violations"))
    known = {key: content.pop(key) for key in ("termination", "status", "certified")}
    tonnes = {key: content.pop(key, None) for key in TONNES}
    known |= {key: None if value is None else float(value) for key, value in tonnes.items()}
    known |= {"stated_prices": prices, "stated_tables": listed}
    return Results(tables, levels=levels, provenance=content, violations=violations, **known)


def _read_instance(folder: Path) -> Instance:
    with warnings.catch_warnings():
        # Former names in a run are no choice of whoever reads it.
        warnings.simplefilter("ignore", FormerNameWarning)
        return read_instance(folder / INSTANCE)


def _numbers(level: dict[str, Any]) -> dict[str, Any]:
    """A level with numbers; one without a bound has null on disk: its bound is minus infinity, its gap infinite."""
    if level["bound"] is None:
        level = {**level, "bound": -math.inf, "gap": math.inf}
    return {**level, **{part: float(level[part]) for part in ("value", "bound", "gap")}}


def require(
    results: Results, texts: Mapping[str, Sequence[str]], numbers: Mapping[str, Sequence[str]], subject: str
) -> None:
    """See that a result, which may come from a damaged folder, has tables and columns.

    Parameters
    ----------
    texts, numbers
        Columns of each table, by what they must hold.
    subject
        What the result is, for the message.

    Raises
    ------
    DataError
        With every table and column that is not there, and every one that holds something else.
    """
    problems = []
    for name in dict.fromkeys((*texts, *numbers)):
        place, table = f"tables/{name}", results.tables.get(name)
        if table is None:
            problems.append(Problem(place, "the table is not there", SOLVE_AGAIN))
            continue
        for column in (*texts.get(name, ()), *numbers.get(name, ())):
            if column not in table:
                problems.append(Problem(place, "the column is not there", SOLVE_AGAIN, column))
            elif column in numbers.get(name, ()):
                if not pd.api.types.is_numeric_dtype(table[column]) and len(table):
                    problems.append(Problem(place, "does not hold numbers", SOLVE_AGAIN, column))
            elif pd.api.types.infer_dtype(table[column], skipna=False) not in ("string", "empty"):
                problems.append(Problem(place, "does not hold texts", SOLVE_AGAIN, column))
    if problems:
        raise DataError(subject, problems)


def compare(one: Results, other: Results) -> dict[str, pd.DataFrame]:
    """Difference of two allocations, the second minus the first: by unit, sector and province.

    Raises
    ------
    UsageError
        If one of them holds no allocation, or they are of different units.
    DataError
        If a table or column is not there, or names something twice.
    """
    if "allocation" not in one.tables or "allocation" not in other.tables:
        raise UsageError("One of the two runs holds no allocation.", "Compare runs that found one.")
    for run, subject in ((one, "The first run"), (other, "The second run")):
        keys = {name: (key,) for name, key in COMPARED.items()}
        require(run, keys, dict.fromkeys(COMPARED, ("emissions_tco2e", "allowance_t")), subject)
        twice = [name for name, key in COMPARED.items() if run.tables[name][key].duplicated().any()]
        problems = [Problem(f"tables/{name}", "names a row twice", SOLVE_AGAIN, COMPARED[name]) for name in twice]
        if problems:
            raise DataError(subject, problems)
    if set(one.tables["allocation"]["unit_id"]) != set(other.tables["allocation"]["unit_id"]):
        raise UsageError(
            "The two runs do not have the same units.", "Compare runs of one instance, under two policies."
        )
    result = {}
    for name, key in COMPARED.items():
        columns = [key, "emissions_tco2e", "allowance_t"]
        both = one.tables[name][columns].merge(
            other.tables[name][columns], on=key, how="outer", suffixes=("_one", "_other")
        )
        both["difference_t"] = both["allowance_t_other"] - both["allowance_t_one"]
        result[name] = both
    return result
