"""What one file holds of an instance, while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etsopt.data.files.lenient.thousands import Ungrouped, notes_of_separators
from etsopt.data.files.policy_sheet import POLICY

if TYPE_CHECKING:
    from etsopt.common.errors import Problem
    from etsopt.data.tables.raw import RawTable


@dataclass
class OneFile:
    """What one file holds of an instance.

    Parameters
    ----------
    tables
        Raw tables by name.
    policy
        Content of the policy as nested dictionaries; None if the file has none.
    problems
        Problems of sheets, headings and cells.
    place_of_policy
        Place of the policy for messages.
    policy_cells
        Cell of each key of the policy.
    notes, doubts
        Sentences on what is assumed and not read, and on what is probably a slip.
    years
        Years that titles and names of the units state, and where.
    ungrouped
        Numbers with separators of thousands that were left out, by table.
    policy_rows
        Place, key and value of each row of the policy, as they are written.
    """

    tables: dict[str, RawTable] = field(default_factory=dict)
    policy: dict[str, Any] | None = None
    problems: list[Problem] = field(default_factory=list)
    place_of_policy: str = POLICY
    policy_cells: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    years: dict[int, str] = field(default_factory=dict)
    ungrouped: dict[str, list[Ungrouped]] = field(default_factory=dict)
    policy_rows: list[tuple[str, str, Any]] = field(default_factory=list)

    @property
    def of_separators(self) -> list[str]:
        """Sentences on separators of thousands."""
        return [note for cells in self.ungrouped.values() for note in notes_of_separators(cells)]

    @property
    def sentences(self) -> list[str]:
        """All sentences."""
        return [*self.notes, *self.of_separators, *self.doubts]
