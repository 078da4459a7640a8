"""Checks of changed units together with what the store has of them, as if all rows were in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.checks import RowChecks
from etsopt.accounting.register import validate_register
from etsopt.accounting.schema import REGISTER
from etsopt.accounting.store.reading import unchecked
from etsopt.common.errors import DataError
from etsopt.common.language import _
from etsopt.data.tables.raw import RawTable

if TYPE_CHECKING:
    from etsopt.accounting.store.schema import Connection


def check_across_entries(opened: Connection, entry: int) -> None:
    """Raise DataError if units that entries from this one on change are not valid with what the store had of them."""
    changed = (
        f"unit_id IN (SELECT unit_id FROM rows WHERE entry >= {entry:d} "
        f"UNION SELECT unit_id FROM units WHERE entry >= {entry:d})"
    )
    reports = unchecked(opened, changed)
    if len(reports.rows):
        problems = RowChecks(reports.rows, reports.coded).all()
        problems += validate_register(RawTable.from_frame(reports.register, REGISTER.file))[1]
        if problems:
            raise DataError(_("The change together with the rows of the store"), problems)
