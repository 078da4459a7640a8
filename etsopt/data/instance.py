"""An instance: the tables and the policy of one allocation, checked and frozen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.data.policy import Policy, changed, parse_policy
from etsopt.data.raw import RawTable
from etsopt.data.schema import FORECAST, MEASURES, TABLES, USER_COLUMN_PREFIX
from etsopt.data.together import intensity_base, validate_together
from etsopt.data.validate import validate_table
from etsopt.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Instance:
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
    """

    name: str
    units: pd.DataFrame
    enterprises: pd.DataFrame | None
    policy: Policy
    measures: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None

    @classmethod
    def from_raw(
        cls, name: str, raw: Mapping[str, RawTable], policy: Policy | None, problems: list[Problem]
    ) -> Instance:
        """Check raw tables by their names, add what is wrong to `problems` found before, and raise once.

        Without a policy, which is then one of the problems, the tables are checked all the same.

        Raises
        ------
        DataError
            With every problem of every table.
        """
        problems, frames = list(problems), {}
        for table in TABLES:
            if table.name in raw:
                frames[table.name], found = validate_table(raw[table.name], table)
                problems += found
        if not problems and policy is not None:
            problems = validate_together(frames, policy)
        if problems or policy is None:
            raise DataError(f"The instance {name!r}", problems)
        enterprises = frames.pop("enterprises", None)
        return cls(name, enterprises=enterprises, policy=policy, **frames)

    @classmethod
    def from_frames(
        cls,
        units: pd.DataFrame,
        policy: Mapping[str, Any],
        enterprises: pd.DataFrame | None = None,
        measures: pd.DataFrame | None = None,
        forecast: pd.DataFrame | None = None,
        name: str = "from frames",
    ) -> Instance:
        """Build an instance from data frames and a policy, checked as files are.

        Parameters
        ----------
        units, enterprises, measures, forecast
            Columns as in ``units.csv`` and the other files; missing values are absent cells.
        policy
            The content of ``policy.toml`` as nested dictionaries.

        Raises
        ------
        DataError
            With every problem of the tables and the policy.
        """
        frames = {"units": units, "enterprises": enterprises, "measures": measures, "forecast": forecast}
        raw = {name: RawTable.from_frame(frame, name) for name, frame in frames.items() if frame is not None}
        parsed, problems = None, []
        try:
            parsed = parse_policy(policy, "policy")
        except DataError as error:
            problems = error.problems
        return cls.from_raw(name, raw, parsed, problems)

    def with_policy(self, changes: Mapping[str, Any]) -> Instance:
        """Return the instance under a changed policy; keys are dotted paths such as ``sectors.cement.band``.

        Raises
        ------
        DataError
            Where a key is unknown or a value out of its range.
        """
        policy = changed(self.policy, changes)
        problems = validate_together(self.tables, policy)
        if problems:
            raise DataError(f"The changed policy of {self.name!r}", problems)
        return replace(self, policy=policy)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that are there, by their names."""
        frames = {table.name: getattr(self, table.name) for table in TABLES}
        return {name: frame for name, frame in frames.items() if frame is not None}

    @property
    def emissions_tco2e(self) -> NDArray[np.float64]:
        """Verified emissions, shape ``(units,)`` [tCO2e]."""
        return self.units["emissions_tco2e"].to_numpy(dtype=float)

    @property
    def intensity(self) -> NDArray[np.float64]:
        """Intensity that the rule measures, shape ``(units,)`` [tCO2e/t]; NaN where a unit has no output."""
        output, emissions = intensity_base(self.units)
        return emissions / output

    @property
    def sectors(self) -> list[str]:
        """Sectors that have units, in alphabetical order."""
        return sorted(set(self.units["sector"]))

    @property
    def provinces(self) -> list[str]:
        """Provinces that have units, in alphabetical order."""
        return sorted(set(self.units["province"]))

    @property
    def hash(self) -> str:
        """SHA-256 over every cell and every key of the policy, the same for the same content."""
        digest = hashlib.sha256()
        for name, table in self.tables.items():
            if name in (MEASURES.name, FORECAST.name):
                digest.update(f"\x1c{name}".encode())
            for column in sorted(table.columns):
                cells = table[column]
                digest.update(f"\x1d{column}\x1d".encode())
                if cells.dtype == object or column.startswith(USER_COLUMN_PREFIX):
                    # A user's own numbers are text once they have been in a file: the text that is written.
                    digest.update("\x1f".join("" if pd.isna(cell) else str(cell) for cell in cells).encode())
                else:
                    digest.update(cells.to_numpy().tobytes())
        digest.update(json.dumps(self.policy.content, sort_keys=True).encode())
        return digest.hexdigest()
