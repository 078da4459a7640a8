"""The part of a store that a state of the review is of: months of a year, and units of a city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean

if TYPE_CHECKING:
    from etsopt.accounting.store.schema import Connection


@dataclass(frozen=True)
class Scope:
    """Months and units, as a condition in SQL.

    Parameters
    ----------
    year
        Year of the months; None for all.
    city
        City of the units; empty for all.
    """

    year: int | None = None
    city: str = ""

    def look(self, opened: Connection) -> None:
        """Create the table ``chosen`` of the units of the city.

        Raises
        ------
        UsageError
            If the register has no unit in the city.
        """
        chosen = "SELECT unit_id FROM current_units WHERE ? IN ('', city)"
        opened.execute(f"CREATE OR REPLACE TEMP TABLE chosen AS {chosen}", [self.city])
        if self.city and not opened.execute("SELECT count(*) FROM chosen").fetchall()[0][0]:
            known = [
                city for (city,) in opened.execute("SELECT DISTINCT city FROM current_units ORDER BY 1").fetchall()
            ]
            cities = ", ".join(filter(None, known))
            what = _("The register has no unit in {city}.", city=brief(self.city))
            guess = did_you_mean(self.city, filter(None, known))
            advice = _("{guess}It names these cities: {cities}.", guess=guess, cities=cities)
            raise UsageError(what, advice if cities else _("Fill in its column `city`, and import it again."))

    def within(self, table: str) -> str:
        """Return the condition, from `AND` on, on month and unit of a table."""
        year = "" if self.year is None else f" AND {table}.month LIKE '{self.year:04d}-%'"
        return f"{year} AND {table}.unit_id IN (FROM chosen)" if self.city else year
