"""Headings of tables of rows: which column each names, and what headings of one table may not say together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from etsopt.accounting.headings import EVIDENCE_HEADINGS, FLOW_HEADINGS, ROW_HEADINGS
from etsopt.accounting.schema import ROWS
from etsopt.accounting.vocabulary import UNIT_WORDS, folded
from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.tables.recognise import Heading, known, problem_of_unit, problems_of_repeats, recognised

if TYPE_CHECKING:
    from collections.abc import Collection

OF_QUANTITIES = ("quantity", *FLOW_HEADINGS)
OF_TONNES = ("x_opening_t", "x_used_t")
COLUMNS = known(
    {column.name: ROW_HEADINGS.get(column.name, ()) for column in ROWS.columns} | FLOW_HEADINGS | EVIDENCE_HEADINGS
)
"""Columns by their headings, in their plain form."""

NCV_UNITS = frozenset(("gj/t", "gj/1e4nm3", "gj/10^4nm3", "gj/万nm3"))
"""Units of calorific values, as a heading may state them one by one."""


def heading_of(text: str) -> Heading:
    """Return what a heading names.

    >>> heading_of(" 数量（万吨）")[:2], heading_of("month")[:2], heading_of("备注")[:2]
    (('quantity', '万吨'), ('month', ''), ('', ''))
    """
    return recognised(text, COLUMNS, is_unit)


def is_unit(column: str, unit: str) -> bool:
    """Return True for a unit of measure that the heading of a column may state.

    >>> [is_unit("ncv_gj_per_unit", unit) for unit in ("GJ/t", "GJ/t或GJ/万Nm3", "kJ/kg")]
    [True, True, False]
    """
    stated = "".join(unit.split()).casefold()
    if column in OF_QUANTITIES:
        return folded(stated) in UNIT_WORDS
    if column in EVIDENCE_HEADINGS:
        return stated == ("t" if column in OF_TONNES else "tc/t")
    return column == "ncv_gj_per_unit" and all(part in NCV_UNITS for part in re.split("[,、;或]|or", stated))


def problems_of_columns(
    place: str, headings: dict[str, list[tuple[str, str]]], units: Collection[str]
) -> list[Problem]:
    """Return the problems of columns that several headings name, and of a unit or flow of the quantity that two state.

    Parameters
    ----------
    headings
        Places and texts of the headings of each column.
    units
        Columns of quantities whose headings state a unit.
    """
    problems = problems_of_repeats(place, headings)
    if units and "unit" in headings:
        twice = _("two headings state the unit of the quantity")
        advice = _("State it in the heading of the quantity, or in a column of units, and not in both.")
        stated = [cell for name in units for cell in headings[name]]
        problems.append(Problem(place, twice, advice, "unit", (*stated, *headings["unit"])))
    flows = [cell for name in FLOW_HEADINGS for cell in headings.get(name, ())]
    others = [cell for name in ("flow", "quantity") for cell in headings.get(name, ())]
    if flows and others:
        twice = _("headings state the flow of a row, and columns of flows or quantities as well")
        advice = _("Keep the columns of flow and quantity, or those whose headings name the flow.")
        problems.append(Problem(place, twice, advice, "flow", (*flows, *others)))
    return problems


def problem_of_stated_unit(place: str, named: Heading, cell: tuple[str, str]) -> list[Problem]:
    """Return the problem of a unit in a heading that its column cannot have; none if it can, or there is none."""
    if not named.unit or is_unit(named.column, named.unit):
        return []
    return [problem_of_unit(place, named, cell, UNITS_IN_HEADINGS.get(named.column, ""))]


UNITS_IN_HEADINGS = {
    **dict.fromkeys(OF_QUANTITIES, _("t, 1e4 t, Nm3, 1e4 Nm3")),
    **{"ncv_gj_per_unit": _("GJ/t, GJ/1e4 Nm3"), "x_carbon_tc_per_t": "tC/t", **dict.fromkeys(OF_TONNES, "t")},
}
