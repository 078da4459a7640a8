"""An instance: the tables and the policy of one allocation, checked and frozen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.data.policy import Policy, changed, parse_policy
from etsopt.data.raw import RawTable
from etsopt.data.schema import ENTERPRISES, UNITS, USER_COLUMN_PREFIX
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
    """

    name: str
    units: pd.DataFrame
    enterprises: pd.DataFrame | None
    policy: Policy

    @classmethod
    def from_raw(
        cls, name: str, units: RawTable, enterprises: RawTable | None, policy: Policy | None, problems: list[Problem]
    ) -> Instance:
        """Check raw tables, add what is wrong to `problems` found before, and raise once.

        Without a policy, which is then one of the problems, the tables are checked all the same.

        Raises
        ------
        DataError
            With every problem of every table.
        """
        unit_frame, found = validate_table(units, UNITS)
        problems = problems + found
        enterprise_frame = None
        if enterprises is not None:
            enterprise_frame, found = validate_table(enterprises, ENTERPRISES)
            problems += found
        if not problems and policy is not None:
            problems = validate_together(unit_frame, enterprise_frame, policy)
        if problems or policy is None:
            raise DataError(f"The instance {name!r}", problems)
        return cls(name, unit_frame, enterprise_frame, policy)

    @classmethod
    def from_frames(
        cls,
        units: pd.DataFrame,
        policy: Mapping[str, Any],
        enterprises: pd.DataFrame | None = None,
        name: str = "from frames",
    ) -> Instance:
        """Build an instance from data frames and a policy, checked as files are.

        Parameters
        ----------
        units, enterprises
            Columns as in ``units.csv`` and ``enterprises.csv``; missing values are absent cells.
        policy
            The content of ``policy.toml`` as nested dictionaries.

        Raises
        ------
        DataError
            With every problem of the tables and the policy.
        """
        raw_enterprises = None if enterprises is None else RawTable.from_frame(enterprises, "enterprises")
        parsed, problems = None, []
        try:
            parsed = parse_policy(policy, "policy")
        except DataError as error:
            problems = error.problems
        return cls.from_raw(name, RawTable.from_frame(units, "units"), raw_enterprises, parsed, problems)

    def with_policy(self, changes: Mapping[str, Any]) -> Instance:
        """Return the instance under a changed policy; keys are dotted paths such as ``sectors.cement.band``.

        Raises
        ------
        DataError
            Where a key is unknown or a value out of its range.
        """
        policy = changed(self.policy, changes)
        problems = validate_together(self.units, self.enterprises, policy)
        if problems:
            raise DataError(f"The changed policy of {self.name!r}", problems)
        return replace(self, policy=policy)

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
        for table in (self.units, self.enterprises):
            for column in [] if table is None else sorted(table.columns):
                cells = table[column]  # type: ignore[index]
                digest.update(f"\x1d{column}\x1d".encode())
                if cells.dtype == object or column.startswith(USER_COLUMN_PREFIX):
                    # A user's own numbers are text once they have been in a file: the text that is written.
                    digest.update("\x1f".join("" if pd.isna(cell) else str(cell) for cell in cells).encode())
                else:
                    digest.update(cells.to_numpy().tobytes())
        digest.update(json.dumps(self.policy.model_dump(mode="json"), sort_keys=True).encode())
        return digest.hexdigest()
