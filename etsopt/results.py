"""Results: tables, how they were obtained, and what the checker said of them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.data.parquet import SUFFIX, read_frame
from etsopt.data.plain import EXACTLY
from etsopt.data.read import read_instance
from etsopt.data.schema import TABLES, USER_COLUMN_PREFIX
from etsopt.data.write import FORMATS, check_format, write_instance, write_table
from etsopt.errors import DataError, Problem, UsageError

if TYPE_CHECKING:
    from etsopt.data.instance import Instance

TONNES = ("infeasible_by_t", "rounded_by_t")
"""What a result states in tonnes, or not at all."""

TEXT_COLUMNS = frozenset(
    {
        "unit_id",
        "enterprise_id",
        "sector",
        "province",
        "name",
        "city",
        "at_bound",
        "target_sense",
        "level",
        "row",
        "index",
    }
    | {"unit", "way_out", "limit", "rule", "where", "message", "regime"}
    | {"measure_id", "price_unit", "price_obtained", "measures", "status", "obtained"}
)


INSTANCE_FILES = ("policy.toml", *(file for table in TABLES for file in table.files))


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


@dataclass(frozen=True)
class Results:
    """Tables of one solve and their provenance.

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
    stated_prices
        The prices that a run folder states; None where the results come from a solve.
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
    stated_prices: tuple[Any, ...] | None = None

    @property
    def prices(self) -> pd.DataFrame:
        """Prices of allowances by year where there is a market, else shadow prices of targets, balances and totals.

        A price of the market is what one tonne less on offer costs, with its unit, its interval where it is not unique,
        and how it was obtained. A shadow price is what a tonne more on the right-hand side adds to a level.
        """
        if "years" in self.tables:
            names = {"price_cny_per_t": "price", "price_lower_cny_per_t": "lower", "price_upper_cny_per_t": "upper"}
            years = self.tables["years"].rename(columns=names | {"price_unit": "unit", "price_obtained": "obtained"})
            return years[["year", "price", "lower", "upper", "unit", "obtained"]]
        duals = self.tables.get("duals", pd.DataFrame(columns=["level", "row", "index", "multiplier", "unit"]))
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
            "infeasible_by_t": self.infeasible_by_t,
            "rounded_by_t": self.rounded_by_t,
            "levels": [asdict(level) for level in self.levels],
            "prices": self.prices.to_dict("records"),
            "violations": list(self.violations),
        }
        return dict(finite(content))

    def save(self, folder: str | Path, instance: Instance | None = None, table_format: str = FORMATS[0]) -> None:
        """Write a run folder: ``tables/<name>.csv``, ``result.json``, and the instance to check it against.

        What an earlier run left there is removed first. Tables in the format ``parquet`` are ``tables/<name>.parquet``.

        Raises
        ------
        UsageError
            If the folder holds tables or an instance that no run wrote, the format is unknown, or needs a package that
            is not installed.
        """
        check_format(table_format)
        folder = Path(folder)
        (folder / "tables").mkdir(parents=True, exist_ok=True)
        temporary = folder / "result.json.part"
        _clear(folder, (folder / "result.json", temporary))
        # Begun now, it tells that the folder is a run's even if writing is cut short.
        text = json.dumps(self.summary(), indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
        for name, table in self.tables.items():
            write_table(table, folder / "tables" / f"{name}.{table_format}")
        if instance is not None:
            write_instance(instance, folder / "instance", table_format=table_format)
        temporary.replace(folder / "result.json")


def _clear(folder: Path, marks: tuple[Path, ...]) -> None:
    """Remove the files of an earlier run, which one of the marks tells; nothing else is touched."""
    old = _tables_in(folder)
    old += [path for name in INSTANCE_FILES if (path := folder / "instance" / name).is_file()]
    if old and not any(mark.is_file() for mark in marks):
        what = f"The folder {str(folder)!r} holds {old[0].relative_to(folder)}, which no run wrote."
        raise UsageError(what, "Name another folder; a run would write over it.")
    for path in (*marks, *old):
        path.unlink(missing_ok=True)


def _tables_in(folder: Path) -> list[Path]:
    """Files with the tables of a run, in either format."""
    return sorted(path for ending in FORMATS for path in (folder / "tables").glob(f"*.{ending}"))


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
        If a file of it is damaged.
    """
    folder = Path(folder)
    path = folder / "result.json"
    if not path.is_file():
        raise UsageError(
            f"There is no run in {str(folder)!r}.",
            "A run folder has a result.json; `etsopt solve` makes one.",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        levels = tuple(LevelResult(**_numbers(level)) for level in content.pop("levels"))
        prices = tuple(content.pop("prices"))
        known = {key: content.pop(key) for key in ("termination", "status", "certified", *TONNES)}
        known |= {key: float(known[key]) for key in TONNES if known[key] is not None}
        violations = tuple(content.pop("violations"))
        files = _tables_in(folder)
        if len({file.stem for file in files}) < len(files):
            raise ValueError("a table is there in two formats")
        tables = {file.stem: _read_table(file) for file in files}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = Problem("result.json or tables", f"cannot be read ({type(error).__name__}: {error})", "Solve again.")
        raise DataError(f"The run {folder.name!r}", [problem]) from None
    return Results(tables, levels=levels, provenance=content, violations=violations, stated_prices=prices, **known)


def _numbers(level: dict[str, Any]) -> dict[str, Any]:
    """A level with numbers; one without a bound has null on disk: its bound is minus infinity, its gap infinite."""
    if level["bound"] is None:
        level = {**level, "bound": -math.inf, "gap": math.inf}
    return {**level, **{part: float(level[part]) for part in ("value", "bound", "gap")}}


def load_instance(folder: str | Path) -> Instance:
    """The instance that a run folder holds."""
    return read_instance(Path(folder) / "instance")


def _read_table(path: Path) -> pd.DataFrame:
    """Read a table so that every number comes back as it was; an empty number is NaN, an empty text stays empty."""
    if path.suffix == SUFFIX:
        return read_frame(path)
    names = pd.read_csv(path, dtype=object, nrows=0, encoding="utf-8").columns
    texts = [name for name in names if name in TEXT_COLUMNS or name.startswith(USER_COLUMN_PREFIX)]
    absent = {name: [""] for name in names if name not in texts}
    table = pd.read_csv(
        path,
        dtype=dict.fromkeys(texts, object),
        keep_default_na=False,
        na_values=absent,
        encoding="utf-8",
        **EXACTLY,
    )
    for name in absent:
        if not pd.api.types.is_numeric_dtype(table[name]):
            # A cell is no number, which is then said of it; or there is no row.
            table[name] = table[name].astype(float)
    return table


def compare(one: Results, other: Results) -> dict[str, pd.DataFrame]:
    """Difference of two allocations, the second minus the first: by unit, sector and province.

    Raises
    ------
    UsageError
        If one of them holds no allocation, or they are of different units.
    """
    if "allocation" not in one.tables or "allocation" not in other.tables:
        raise UsageError("One of the two runs holds no allocation.", "Compare runs that found one.")
    if set(one.tables["allocation"]["unit_id"]) != set(other.tables["allocation"]["unit_id"]):
        raise UsageError(
            "The two runs do not have the same units.", "Compare runs of one instance, under two policies."
        )
    result = {}
    for name, key in (("allocation", "unit_id"), ("sectors", "sector"), ("provinces", "province")):
        columns = [key, "emissions_tco2e", "allowance_t"]
        both = one.tables[name][columns].merge(
            other.tables[name][columns], on=key, how="outer", suffixes=("_one", "_other")
        )
        both["difference_t"] = both["allowance_t_other"] - both["allowance_t_one"]
        result[name] = both
    return result
