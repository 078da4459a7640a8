"""Results: tables, their provenance, and the verdict of the checker."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.offered import offered
from etsopt.data.files.read import POLICY, read_instance
from etsopt.data.files.write import FORMATS
from etsopt.presenting.explanation import explain, remedies
from etsopt.presenting.explanation.near_optimal import NEAR_SHARES, with_ranges
from etsopt.rules import as_given
from etsopt.running.results.iamc import to_iamc
from etsopt.running.results.levels import LevelResult as LevelResult
from etsopt.running.results.levels import read_level
from etsopt.running.results.named_tables import NamedTables
from etsopt.running.results.prices import prices_of
from etsopt.running.results.run_folder import INSTANCE, read_run, read_together, write_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.common.provenance import Provenance
    from etsopt.data.instance import Instance
    from etsopt.presenting.charts.plots import Plots
    from etsopt.presenting.explanation import Explanation, NearOptimalRanges, Remedy

TONNES = ("infeasible_by_t", "rounded_by_t", "misses_t", "distance_t")
"""Optional attributes of a result in tonnes."""


@dataclass(frozen=True, eq=False)
class Results:
    """Tables of one solve and their provenance; two are equal if their content is, whatever their seconds.

    Parameters
    ----------
    tables
        By name; ``models/README.md`` and the data dictionary describe their columns.
    termination
        Reason for which it stopped: optimal, infeasible, time_limit, interrupted, memory, solver_error.
    status
        Verdict of the checker: certified_optimal, certified_gap, certified_rounded, feasible, infeasible_certified,
        infeasible_unproven, none. In ``certified_rounded`` the real answer is proven to be the best, and the whole
        tonnes near it keep every limit but the order of rates.
    certified
        True if the checker recomputed feasibility and a bound that proves the status.
    levels
        Objectives in lexicographic order.
    infeasible_by_t
        Proven infeasibility if no answer is feasible, else None [t].
    provenance
        Model, method and reason, instance and its hash, policy, options, versions, seconds: see `Provenance`.
    violations
        Violations that the checker found.
    rounded_by_t
        Largest move of an allowance by rounding to whole tonnes, if a real answer was rounded, else None.
    misses_t, distance_t
        Largest violation of a limit, and largest distance of a unit from the unique answer of the tie-break; None if
        not reported.
    stated_prices
        Prices that a run folder states; None if the results come from a solve.
    stated_tables
        Names of the tables that a run folder lists; None if it lists none, or the results come from a solve.
    held
        The instance that was solved, or the run folder that has it, for `instance`. It is left out of comparisons,
        hashes and copies.
    """

    tables: dict[str, pd.DataFrame]
    termination: str
    status: str
    certified: bool
    levels: tuple[LevelResult, ...]
    infeasible_by_t: float | None
    provenance: Provenance
    violations: tuple[dict[str, Any], ...] = ()
    rounded_by_t: float | None = None
    misses_t: float | None = None
    distance_t: float | None = None
    stated_prices: tuple[Any, ...] | None = None
    stated_tables: tuple[str, ...] | None = None
    held: Instance | Path | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", NamedTables(self.tables))

    def __getstate__(self) -> dict[str, Any]:
        # Sweeps send results between processes, which have the instance.
        return {**self.__dict__, "held": None}

    @property
    def instance(self) -> Instance:
        """The instance that was solved; a loaded run reads it from its folder.

        Raises
        ------
        UsageError
            If the results do not hold it, or the folder holds another run by now.
        """
        found = load_instance(self.held) if isinstance(self.held, Path) else self.held
        if found is None or (found is not self.held and found.hash != self.provenance.instance_hash):
            what = _("These results do not hold their instance.")
            raise UsageError(what, _("Solve again, or load a run folder that was saved with its instance."))
        object.__setattr__(self, "held", found)
        return found

    def explain(self, unit_id: str, near_optimal: bool = False) -> Explanation:
        """Explain why a unit got its number: the rule, what each limit moved, and what one tonne more would take.

        With ``near_optimal`` also what it gets in allocations that are just as good, or nearly. Raises UsageError if
        there is not one such unit, the run has no table of units, or it does not hold its instance.
        """
        values = {level.name: level.value for level in self.levels}
        found = explain(self.instance, self.tables, unit_id, values, self.provenance.own_rule)
        if not near_optimal or self.provenance.model != "allocation" or "duals" not in self.tables:
            return found
        return with_ranges(found, lambda: self.near_optimal(found.unit_id))

    def near_optimal(self, unit_id: str, shares: Sequence[float] = NEAR_SHARES) -> NearOptimalRanges:
        """Return proven ranges of the allowance of a unit within shares of the least change; UsageError without one."""
        found: NearOptimalRanges = offered("Results.near_optimal")(self, unit_id, shares)
        return found

    @property
    def plot(self) -> Plots:
        """Charts of the result: ``result.plot.surplus()`` and others, `result.plot.kinds` lists them."""
        from etsopt.presenting.charts.plots import Plots

        return Plots(self.tables, self.provenance, None if self.held is None else lambda: self.instance)

    def report(self, path: str | Path, lang: str = "en", inline: bool = False) -> list[Path]:
        """Write the result as an HTML page in ``en`` or ``zh``, with the script of its charts beside it or inline.

        Returns the files written. Raises UsageError if jinja2 or plotly is not installed (extra ``report``).
        """
        written: list[Path] = offered("Results.report")(self, path, lang, inline)
        return written

    def to_iamc(self, scenario: str = "", region: str = "China") -> pd.DataFrame:
        """Return totals and prices in the IAMC format, as pyam and scenario databases read it.

        Parameters
        ----------
        scenario
            Name of the scenario; default the name of the instance.
        region
            Name of the whole; provinces are regions below it.
        """
        return to_iamc(self.tables, self.provenance, scenario, region)

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """Changes of the policy that make an infeasible one feasible; none of a feasible one."""
        return remedies(self.instance, self.tables) if "relaxed_limits" in self.tables else ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Results) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def hash(self) -> str:
        """SHA-256 over every cell, and over all content beside the tables but seconds."""
        stated = {key: value for key, value in self.summary().items() if key != "seconds"}
        return self._digest(json.dumps(stated, sort_keys=True, default=str).encode())

    @property
    def tables_hash(self) -> str:
        """SHA-256 over every cell of the tables alone, whatever else the result says: equal if the answer is."""
        return self._digest(b"")

    def _digest(self, beside: bytes) -> str:
        """Return the SHA-256 of content beside the tables, and of their names, columns and cells."""
        digest = hashlib.sha256(beside)
        for name, table in sorted(self.tables.items()):
            digest.update(repr((name, list(table.columns))).encode())
            for column in table:
                numeric = pd.api.types.is_numeric_dtype(table[column])
                digest.update(pd.util.hash_array(table[column].to_numpy(float if numeric else str)).tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        about = self.provenance
        return f"<Results of {about.model} on {about.instance}: {self.status}, {len(self.tables)} tables>"

    def _repr_html_(self) -> str:
        """Return what the command shows, for a notebook."""
        from etsopt.presenting.documents.notebook import output

        return output(offered("Results.summary")(self))

    @property
    def prices(self) -> pd.DataFrame:
        """Prices of allowances by year if there is a market, else shadow prices of targets, balances and totals.

        A market price is the cost of one tonne less on offer, with the interval of proven prices; in a year that is
        self-balancing in ``closure`` every higher one clears too. There is none if balance values do not repeat. A
        shadow price is an objective's increase per tonne.
        """
        return prices_of(self.tables)

    def summary(self) -> dict[str, Any]:
        """Return all content but the tables, as plain values for JSON; numbers that are not finite are null."""
        content = {
            **self.provenance.as_json(),
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

        The instance is the one that was solved, which the results hold; those that hold none need it here.

        An earlier run is replaced as a whole; whatever ends the save, the whole old or new run is left. Other files
        stay. Tables in the format ``parquet`` are ``tables/<name>.parquet``.

        Raises
        ------
        UsageError
            If the folder holds tables or an instance that no run wrote, another process is writing to it, or the format
            is unknown or needs a package that is not installed.
        OSError
            With the name of the file that cannot be written.
        """
        if instance is None and self.held is not None:
            instance = self.instance
        held_to = instance and as_given(instance, any("year" in table for table in self.tables.values()))
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
        If a file of it is damaged. A missing table or column raises no error here: the checker refuses it.
    """
    path = Path(folder)
    return read_together(path, lambda: _read(path))


def load_instance(folder: str | Path) -> Instance:
    """Read the instance that a run folder holds."""
    path = Path(folder)
    return read_together(path, lambda: read_instance(path / INSTANCE))


def load_both(folder: str | Path) -> tuple[Results, Instance]:
    """Read a run folder and its instance, both from one save, even while another process saves to it."""
    path = Path(folder)
    return read_together(path, lambda: (_read(path), read_instance(path / INSTANCE)))


def _read(folder: Path) -> Results:
    content, tables = read_run(folder)
    return Results(
        tables,
        levels=tuple(map(read_level, content.levels)),
        violations=tuple(content.violations),
        stated_prices=tuple(content.prices),
        stated_tables=None if content.tables is None else tuple(content.tables),
        held=folder if (folder / INSTANCE / POLICY).is_file() else None,
        **{name: getattr(content, name) for name in ("termination", "status", "certified", "provenance", *TONNES)},
    )
