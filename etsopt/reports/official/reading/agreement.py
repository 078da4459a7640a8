"""Agreement of annex tables with each other: rows that others lack, and figures that violate an identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.reports.official.headings import ANNEXES
from etsopt.reports.official.identities import Identity, differs, figures_that, of_issue, of_units, sums_of_units
from etsopt.reports.official.reading.units import ISSUE_KEY, UNIT_KEY, problems_of_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.official.reading.joined import Joined

NAME, CODE = "重点排放单位名称", "统一社会信用代码"
CORRECT = _("Correct the figure, or those that it follows from.")


def problems_of_agreement(joined: Joined) -> list[Problem]:
    """Return every problem of tables that are each valid by itself."""
    problems = []
    for rows in (joined.determined, joined.pre_allocated):
        problems += problems_of_duplicates(rows, UNIT_KEY, "unit", CODE)
    for rows in (joined.issued, joined.pre_issued):
        problems += problems_of_duplicates(rows, ISSUE_KEY, "enterprise", CODE)
    problems += _names(joined) + _units_without_rows(joined)
    problems += _enterprises_without_rows(joined.determined, joined.issued, "2-5")
    problems += _enterprises_without_rows(joined.pre_allocated, joined.pre_issued, "1-5")
    units, before, after = joined.units, joined.issue_before, joined.issue_after
    # Sums would repeat the problem of a row that is missing or counts twice.
    whole = not problems and (joined.every_row["uscc"] != "").all()
    found = [(one, units) for one in (*of_units(units), *_printed(units))]
    for issue, number in ((before, "1-5"), (after, "2-5")):
        identities = (*of_issue(issue), *(sums_of_units(_without_open(units), issue) if whole else ()))
        found += [(one, issue) for one in identities if one.numbers == number]
    found += [(one, after) for one in _of_both(before, after)]
    problems += [problem for one, rows in found for problem in _violations(one, rows)]
    return list(dict.fromkeys(problems))


def _without_open(units: pd.DataFrame) -> pd.DataFrame:
    """Return the units without the figures of enterprises of which one is missing, whose sums are open."""
    closed = units.copy()
    for key, place in (("emissions", "place_2"), ("determined", "place_2"), ("pre_allocated", "place_1")):
        missing = units[key].isna() & units[place].notna()
        is_open = missing.groupby([units[one] for one in ISSUE_KEY]).transform("any")
        closed[key] = units[key].where(~is_open)
    return closed


def _printed(units: pd.DataFrame) -> Iterator[Identity]:
    """Yield what the tables of units state beside the identities of the allowances."""
    columns = {name: units[name].to_numpy() for name in units}
    words = (_("is not the sum of electricity and heat"), _("are not the sums of electricity and heat"))
    yield Identity("2-1", "initial", words, columns["electricity"] + columns["heat_allowances"], CORRECT)
    words = (_("is not the verified emissions"), _("are not the verified emissions"))
    yield Identity("2-", "obligation", words, columns["emissions"], CORRECT, within=1.0)
    output, within = np.where(columns["output"] > 0, columns["output"], np.nan), columns["intensity_within"]
    words = (_("is not (2) plus (3) over (1)"), _("are not (2) plus (3) over (1)"))
    both = (columns["iron_emissions"] + columns["sinter_emissions"]) / output
    yield Identity("2-2", "intensity", words, both, CORRECT, within=within)
    whole = columns["emissions"] / output
    words = (_("is above emissions over output"), _("are above emissions over output"))
    # Below it, intensity is measured on a part of the emissions.
    above = (columns["intensity"] > whole) & ~columns["outside"] & np.isnan(both)
    yield Identity("2-", "intensity", words, np.where(above, whole, np.nan), CORRECT, within=within)


def _of_both(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[Identity]:
    """Yield that both tables of issue state the same of pre-allocation."""
    for key in ("pre_allocated", "pre_issued"):
        words = (_("is not that of table 1-5"), _("are not those of table 1-5"))
        yield Identity("2-5", key, words, before[key].to_numpy(dtype=float), CORRECT)


def _violations(one: Identity, rows: pd.DataFrame) -> Iterator[Problem]:
    """Yield a problem for each file with a figure that is not the expected one; absent figures are passed over."""
    figures = rows[one.key].to_numpy(dtype=float)
    suffix = "_1" if one.numbers.startswith("1") else "_2"
    wrong = one.wrong(figures) & ~np.isnan(figures)
    for annex in ANNEXES:
        heading = {key: chinese for key, chinese, _ in annex.columns}.get(one.key)
        of_issue_rows = "number" not in rows
        if not annex.number.startswith(one.numbers) or annex.number.endswith("-5") != of_issue_rows or heading is None:
            continue
        of_annex = np.flatnonzero(wrong & (rows["sector"] == annex.sector).to_numpy())
        for place in dict.fromkeys(rows[f"place{suffix}"].iloc[of_annex]):
            at = [row for row in of_annex if rows[f"place{suffix}"].iloc[row] == place]
            cells = tuple((rows[f"row{suffix}"].iloc[row], differs(figures[row], one.expected[row])) for row in at)
            what = figures_that(len(at), one.words)
            yield Problem(str(place), what, CORRECT, heading, cells)


def _names(joined: Joined) -> list[Problem]:
    """Return a problem for each file in which an enterprise has another name than in an earlier one."""
    problems = []
    rows = joined.every_row
    rows = rows[(rows["uscc"] != "") & (rows["name"] != "")]
    first = rows.drop_duplicates("uscc").set_index("uscc")
    other = rows["name"].to_numpy() != first.loc[rows["uscc"], "name"].to_numpy()
    for place, part in rows[other].groupby("place", sort=False):
        cells = []
        for row, name, code in zip(part["row"], part["name"], part["uscc"], strict=True):
            known = first.loc[code]
            other_name = _(
                "{name}, but {other} in row {row} of {place}",
                name=name,
                other=known["name"],
                row=known["row"],
                place=known["place"],
            )
            cells.append((row, other_name))
        one, many = (
            _("enterprise has another name in another table"),
            _("enterprises have another name in another table"),
        )
        what = counted(len(cells), one, many)
        problems.append(Problem(str(place), what, _("Correct the name or the code."), NAME, tuple(cells)))
    return problems


def _units_without_rows(joined: Joined) -> list[Problem]:
    """Return a problem for each table 1-1 to 1-4 with units that tables 2-1 to 2-4 state otherwise or not at all."""
    known = {_key(row): row for row in joined.determined.to_dict("records")}
    by_number = {(row["sector"], row["number"]): row for row in known.values() if row["number"]}
    wrong: dict[tuple[str, str, str, str], list[tuple[str, str]]] = {}
    for row in joined.pre_allocated.to_dict("records"):
        if not row["uscc"]:
            continue
        label = " ".join(filter(None, (row["uscc"], row["number"])))
        same, other = known.get(_key(row)), by_number.get((row["sector"], row["number"]))
        if same is None and other is not None and other["uscc"]:
            what, heading = _("is of another enterprise in table 2"), CODE
            label = _(
                "{name}, but {other} in row {row} of {place}",
                name=label,
                other=other["uscc"],
                row=other["row"],
                place=other["place"],
            )
        elif same is None:
            what, heading = _("has no row in table 2-{place}", place=_place_of(row["sector"])), CODE
        elif same["province"] != row["province"] and row["province"] and same["province"]:
            what, heading = _("is in another province in table 2"), "省（区、市）"
            label = _(
                "{name} {province}, but {other} in row {row} of {place}",
                name=label,
                province=row["province"],
                other=same["province"],
                row=same["row"],
                place=same["place"],
            )
        else:
            continue
        wrong.setdefault((row["place"], what, heading, _("Make both tables agree.")), []).append((row["row"], label))
    return [
        Problem(place, _which(counted(len(cells), _("unit"), _("units")), what), advice, heading, tuple(cells))
        for (place, what, heading, advice), cells in wrong.items()
    ]


def _which(count: str, what: str) -> str:
    """Return a count followed by what is wrong with those."""
    return _("{count} {what}", count=count, what=what)


def _place_of(sector: str) -> int:
    """Return the last part of the number of the tables of a sector's units."""
    return next(int(annex.number[2]) for annex in ANNEXES if annex.sector == sector)


def _key(row: dict[Any, Any]) -> tuple[str, ...]:
    return tuple(str(row[one]) for one in UNIT_KEY)


def _enterprises_without_rows(units: pd.DataFrame, issue: pd.DataFrame, number: str) -> list[Problem]:
    """Return a problem for each file with an enterprise that the other kind of table lacks.

    Sectors without a table of issue are passed over, and those of table 1-5 without a table of units.
    """
    has_issue = units[units["sector"].isin(issue["sector"])]
    has_units = issue[issue["sector"].isin(units["sector"])] if number == "1-5" else issue
    words = (
        _("has no row in table {number}", number=number),
        _("has no unit in a table {year}-1 to {year}-4", year=number[0]),
    )
    advice = _("Add the row of the enterprise there, or correct the code."), _("Add its units, or correct the code.")
    problems = []
    for rows, others, what, remedy in zip((has_issue, has_units), (issue, units), words, advice, strict=True):
        known = set(map(tuple, others[ISSUE_KEY].to_numpy()))
        keys = map(tuple, rows[ISSUE_KEY].to_numpy())
        alone = np.array([all(key) and key not in known for key in keys], dtype=bool)
        for place, part in rows[alone].drop_duplicates(ISSUE_KEY).groupby("place", sort=False):
            count = counted(len(part), _("enterprise"), _("enterprises"))
            cells = tuple(zip(part["row"], part["uscc"], strict=True))
            problems.append(Problem(str(place), _which(count, what), remedy, CODE, cells))
    return problems
