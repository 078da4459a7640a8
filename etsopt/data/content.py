"""What an instance holds, tables and policy, and what is derived from them once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.digest import digest_of, with_policy_content
from etsopt.data.labels import Labels
from etsopt.data.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.policy import Policy


@dataclass(frozen=True, eq=False)
class Content:
    """Tables and policy of one allocation.

    Rows are sorted by their key, so that sums and results do not depend on the order of the file.

    Parameters
    ----------
    name
        Name of the instance: of its folder, or one that the user gave.
    units
        A row for each allocation unit; columns as `etsopt.data.schema.UNITS` declares.
    enterprises
        A row for each enterprise, or None.
    policy
        The policy file, key by key.
    measures
        A row for each measure at a unit or at every unit of a sector, or None.
    forecast
        A row for each later year of a unit or of every unit of a sector, or None.
    given
        Paths of the policy's keys that were changed by `with_policy`; no part of the content, so it is left out of
        comparisons and of the hash.
    known
        What was found out about the tables and is used again, by its name; instances that differ in their policy alone
        share it. It is left out of copies and comparisons.
    """

    name: str
    units: pd.DataFrame
    enterprises: pd.DataFrame | None
    policy: Policy
    measures: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None
    given: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    known: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "known": {}}

    def __eq__(self, other: object) -> bool:
        """Whether another has the same cells and the same policy, whatever its name."""
        return isinstance(other, Content) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that are there, by their names."""
        frames = {table.name: getattr(self, table.name) for table in TABLES}
        return {name: frame for name, frame in frames.items() if frame is not None}

    @property
    def in_scope(self) -> NDArray[np.bool_]:
        """Units in the scope of the allocation in the year of the tables, shape ``(units,)``."""
        outside = self.policy.rule.cases_outside
        return self.once("scope", lambda: in_scope(self.units, outside), given=repr(outside))

    def in_scope_in(self, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        """Units in the scope of the allocation in each year, shape ``(units, years)``.

        What is new in the year of the tables joins the year after; what has closed leaves it then at the latest.
        """
        later = np.asarray(years) > self.policy.year
        inside = self.in_scope[:, None]
        if "special_case" not in self.units:
            return np.broadcast_to(inside, (len(inside), len(later)))
        labels = self.labels("special_case")
        new, closed = ((labels.names == case)[labels.code][:, None] for case in ("new", "closed"))
        return (inside | (later & new)) & ~(later & closed)

    @property
    def emissions_tco2e(self) -> NDArray[np.float64]:
        """Verified emissions in the scope of the allocation, shape ``(units,)`` [tCO2e]; 0 of a unit outside it."""
        verified = self.units["emissions_tco2e"].to_numpy(dtype=float)
        return verified if self.in_scope.all() else np.where(self.in_scope, verified, 0.0)

    @property
    def intensity(self) -> NDArray[np.float64]:
        """Intensity that the rule measures, shape ``(units,)`` [tCO2e/t]; NaN where a unit has no output."""
        return self.once("intensity", lambda: _intensity(self.units))

    def once(self, name: str, find: Callable[[], Any], given: str = "") -> Any:
        """What `find` returns, which is found out once for these tables and kept under the name.

        Parameters
        ----------
        given
            What it depends on beside the tables; only what was found for the newest of these is kept, so that a sweep
            through many policies needs no more memory than one.
        """
        kept = self.known.get(name)
        if kept is None or kept[0] != given:
            kept = self.known[name] = given, find()
        return kept[1]

    def labels(self, column: str) -> Labels:
        """The texts of a column of the units by their positions, such as ``sector`` or ``enterprise_id``."""
        return self.once(f"labels of {column}", lambda: Labels.of(self.units[column].to_numpy()))

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
        """SHA-256 over every cell and every key of the policy, the same for the same content."""
        return with_policy_content(self.once("digest", lambda: digest_of(self.tables)), self.policy, self.sectors)


def in_scope(units: pd.DataFrame, outside: Sequence[str]) -> NDArray[np.bool_]:
    """Units whose case is none of those outside the scope, shape ``(units,)``."""
    if "special_case" not in units or not outside:
        return np.ones(len(units), dtype=bool)
    return ~units["special_case"].isin(outside).to_numpy()


def _intensity(units: pd.DataFrame) -> NDArray[np.float64]:
    """Intensity of every unit, in an array that cannot be written to, since it is kept."""
    output, emissions = intensity_base(units)
    intensity = emissions / output
    intensity.flags.writeable = False
    return intensity


def intensity_base(units: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Output and emissions on which a unit's intensity is measured, shapes ``(units,)`` [t, tCO2e].

    Where the columns of the intensity are absent, those of the whole unit stand in; NaN where there is no output.
    """
    nothing = np.full(len(units), np.nan)
    output = units["output_t"].to_numpy(dtype=float) if "output_t" in units else nothing
    emissions = units["emissions_tco2e"].to_numpy(dtype=float)
    if "intensity_output_t" in units:
        part = units["intensity_output_t"].to_numpy(dtype=float)
        output = np.where(np.isnan(part), output, part)
    if "intensity_emissions_tco2e" in units:
        part = units["intensity_emissions_tco2e"].to_numpy(dtype=float)
        emissions = np.where(np.isnan(part), emissions, part)
    return output, emissions
