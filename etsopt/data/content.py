"""Content of an instance: tables, policy, and cached quantities derived from them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.digest import digest_of, hash_with_policy
from etsopt.data.tables.labels import Labels
from etsopt.data.tables.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.policy.policy import Policy


_tables_of = attrgetter(*(table.name for table in TABLES))
"""Tables of an instance in their order; of thousands of scenarios each asks for them hundreds of times."""


class Derived:
    """Results derived from tables, by name, kept for the last tables that were asked for."""

    def __init__(self) -> None:
        self._tables: tuple[pd.DataFrame | None, ...] = ()
        self._results: dict[str, Any] = {}

    def of(self, *tables: pd.DataFrame | None) -> dict[str, Any]:
        """Return the results of these tables; of others nothing is kept."""
        if len(tables) != len(self._tables) or any(map(is_not, tables, self._tables)):
            self._tables, self._results = tables, {}
        return self._results


@dataclass(frozen=True, eq=False)
class Content:
    """Tables and policy of one allocation.

    Rows are sorted by their key, so that sums and results do not depend on the order of the file.

    Parameters
    ----------
    name
        Name of the instance: of its folder, or one that the user gave.
    units
        A row for each allocation unit; columns as `etsopt.data.tables.schema.UNITS` declares.
    enterprises
        A row for each enterprise, or None.
    policy
        The policy file, key by key.
    measures
        A row for each measure at a unit or at every unit of a sector, or None.
    forecast
        A row for each later year of a unit or of every unit of a sector, or None.
    scenarios
        A row for each scenario from a year on, of one sector or of all, or None.
    supply
        A row for each stated year of a source of output or abatement, or None.
    quantities, statements, terms
        Evidence on monthly quantities, as `etsopt.data.tables.evidence` declares it, or None.
    given
        Paths of the policy's keys that `with_policy` changed; not part of the content, so left out of comparisons and
        of the hash.
    assumed
        Sentences on what was assumed of the file, by ``policy`` and ``tables``; no part of the content, so left out of
        comparisons and of the hash.
    order
        Positions of the units in the order of a person's file, for the sheets that this person reads; None if the rows
        were sorted. It is no part of the content: left out of comparisons and of the hash.
    derived
        Cache of results derived from the tables; instances that differ in their policy alone share it. It is left out
        of copies and comparisons.
    """

    name: str
    units: pd.DataFrame
    enterprises: pd.DataFrame | None
    policy: Policy
    measures: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None
    scenarios: pd.DataFrame | None = None
    supply: pd.DataFrame | None = None
    quantities: pd.DataFrame | None = None
    statements: pd.DataFrame | None = None
    terms: pd.DataFrame | None = None
    given: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    assumed: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    order: NDArray[np.int64] | None = field(default=None, repr=False, compare=False)
    derived: Derived = field(default_factory=Derived, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)} | {"derived": Derived()}

    def __eq__(self, other: object) -> bool:
        """Return True if the other has the same cells and the same policy, whatever its name."""
        return isinstance(other, Content) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def known(self) -> dict[str, Any]:
        """Results derived from these tables, by name."""
        return self.derived.of(*_tables_of(self))

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the instance by name."""
        frames = {table.name: getattr(self, table.name) for table in TABLES}
        return {name: frame for name, frame in frames.items() if frame is not None}

    @cached_property
    def in_scope(self) -> NDArray[np.bool_]:
        """True for units in the scope of the allocation in the year of the tables, shape ``(units,)``."""
        outside = {sector: self.policy.cases_outside(sector) for sector in self.sectors}
        return self.cached("scope", lambda: ~self.has_case(outside), key=repr(outside))

    def has_case(self, cases: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
        """Return True for units whose special case is one of those of their sector, shape ``(units,)``.

        A unit without a special case has the case ``""``.
        """
        sector = self.labels("sector")
        if "special_case" not in self.units:
            return np.array(["" in cases[name] for name in sector.names], dtype=bool)[sector.code]
        label = self.labels("special_case")
        among = np.array([np.isin(label.names.astype(str), list(cases[name])) for name in sector.names], dtype=bool)
        is_one: NDArray[np.bool_] = among[sector.code, label.code]
        return is_one

    def in_scope_in(self, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True for units in the scope of the allocation in each year, shape ``(units, years)``.

        A unit that is new in the year of the tables joins the year after; a closed one leaves by then at the latest.
        """
        later = np.asarray(years) > self.policy.year
        if "special_case" not in self.units:
            return np.broadcast_to(self.in_scope[:, None], (len(self.units), len(later)))
        labels = self.labels("special_case")
        new, closed = ((labels.names == case)[labels.code][:, None] for case in ("new", "closed"))
        # Years with the same plan, which are most, share its scope.
        outside = [tuple(self.policy.cases_outside(sector, int(year)) for sector in self.sectors) for year in years]
        scope = {cases: ~self.has_case(dict(zip(self.sectors, cases, strict=True))) for cases in set(outside)}
        inside = np.column_stack([scope[cases] for cases in outside])
        inside[:, ~later] = self.in_scope[:, None]
        return (inside | (later & new)) & ~(later & closed)

    @cached_property
    def emissions_tco2e(self) -> NDArray[np.float64]:
        """Verified emissions in the scope of the allocation, shape ``(units,)`` [tCO2e]; 0 for a unit outside it."""
        verified = self.units["emissions_tco2e"].to_numpy(dtype=float)
        if self.in_scope.all():
            return verified
        inside = np.where(self.in_scope, verified, 0.0)
        inside.flags.writeable = False
        return inside

    @property
    def intensity(self) -> NDArray[np.float64]:
        """Intensity as the rule measures it, shape ``(units,)`` [tCO2e/t]; NaN for a unit without output."""
        return self.cached("intensity", lambda: _intensity(self.units))

    def cached(self, name: str, find: Callable[[], Any], key: str = "") -> Any:
        """Return the result of `find`, which is called once for these tables and cached under the name.

        Parameters
        ----------
        key
            Other input that the result depends on; only the result for the newest of these is cached, so that a sweep
            over many policies needs no more memory than one.
        """
        known = self.known
        cached = known.get(name)
        if cached is None or cached[0] != key:
            cached = known[name] = key, find()
        return cached[1]

    def labels(self, column: str) -> Labels:
        """Return a text column of the units, such as ``sector`` or ``enterprise_id``, as positions among its texts."""
        return self.cached(f"labels of {column}", lambda: Labels.of(self.units[column].to_numpy()))

    @property
    def sectors(self) -> list[str]:
        """Sectors that have units, in alphabetical order."""
        return self.labels("sector").names.tolist()

    @property
    def provinces(self) -> list[str]:
        """Provinces that have units, in alphabetical order."""
        return self.labels("province").names.tolist()

    @property
    def hash(self) -> str:
        """SHA-256 over every cell and every key of the policy."""
        return hash_with_policy(self.cached("digest", lambda: digest_of(self.tables)), self.policy, self.sectors)


def _intensity(units: pd.DataFrame) -> NDArray[np.float64]:
    """Compute the intensity of every unit, in a read-only array because it is cached."""
    output, emissions = intensity_base(units)
    intensity = np.divide(emissions, output, out=np.full(len(units), np.nan), where=output > 0)
    intensity.flags.writeable = False
    return intensity


def intensity_base(units: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the output and emissions on which intensity is measured, shapes ``(units,)`` [t, of power MWh; tCO2e].

    Absent cells of the intensity columns default to those of the whole unit; NaN where there is no output.
    """
    output = output_of(units)
    emissions = units["emissions_tco2e"].to_numpy(dtype=float)
    if "intensity_output_t" in units:
        part = units["intensity_output_t"].to_numpy(dtype=float)
        output = np.where(np.isnan(part), output, part)
    if "intensity_emissions_tco2e" in units:
        part = units["intensity_emissions_tco2e"].to_numpy(dtype=float)
        emissions = np.where(np.isnan(part), emissions, part)
    return output, emissions


def output_of(units: pd.DataFrame) -> NDArray[np.float64]:
    """Return the output of every unit [t], of power its generation [MWh], shape ``(units,)``; NaN without any."""
    output = np.full(len(units), np.nan)
    for column in ("generation_mwh", "output_t"):
        if column in units:
            stated = units[column].to_numpy(dtype=float)
            output = np.where(np.isnan(stated), output, stated)
    return output
