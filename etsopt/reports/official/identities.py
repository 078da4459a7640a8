"""Identities of the annex tables, checked before anything of them is written, and when they are read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.common.units import nearest_tonnes, whole_tonnes
from etsopt.data.messages import counted
from etsopt.reports.official.headings import ANNEXES
from etsopt.reports.official.issue import KEYS
from etsopt.reports.official.rows import table_of_units
from etsopt.running.results.comparison import SOLVE_AGAIN, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.running.results.results import Results

IN_WHOLE_TONNES = _("Solve with --set allocation.integer_allowances=true, and state pre_allocated_t in whole tonnes.")


@dataclass(frozen=True)
class Identity:
    """A statement about a column: its tables, words for one row and for several, expected figures, and remedy.

    Parameters
    ----------
    numbers
        Beginning of the number of its tables, such as ``2-`` of units or ``2-5`` of issue.
    expected
        Shape ``(rows,)``; NaN where the statement says nothing.
    within
        Largest difference of a figure from the expected one, a number or shape ``(rows,)``.
    """

    numbers: str
    key: str
    words: tuple[str, str]
    expected: NDArray[np.float64]
    advice: str = SOLVE_AGAIN
    within: NDArray[np.float64] | float = 0.0

    def wrong(self, figures: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return True for figures that are not the expected ones, shape ``(rows,)``; an absent one is wrong."""
        same: NDArray[np.bool_] = np.abs(figures - self.expected) <= self.within
        return ~same & ~np.isnan(self.expected)


def check_identities(units: pd.DataFrame, issue: pd.DataFrame, results: Results) -> None:
    """Raise DataError with every figure that violates an identity of the annex, or a total of the run.

    Parameters
    ----------
    units, issue
        As `unit_rows` and `issue_rows` return them, of the whole run.
    """
    problems = [problem for one in of_units(units) for problem in _violations(one, units, "unit")]
    if not problems:
        # Sums of fractions would repeat the problems of the units.
        statements = (*of_issue(issue), *sums_of_units(units, issue))
        problems = [problem for one in statements for problem in _violations(one, issue, "enterprise_id")]
        problems += list(_totals_of_run(issue, results))
    if problems:
        raise DataError(_("The run"), problems)


def of_units(units: pd.DataFrame) -> Iterator[Identity]:
    """Yield the statements about single units; ``within_t`` is what a rounded coefficient leaves open [t]."""
    columns = {name: units[name].to_numpy() for name in units}
    nowhere = np.full(len(units), np.nan)
    for numbers, key in (("1-", "pre_allocated"), ("2-", "determined")):
        words = (_("is not whole tonnes from 0 on"), _("are not whole tonnes from 0 on"))
        yield Identity(numbers, key, words, np.maximum(np.floor(columns[key]), 0.0), IN_WHOLE_TONNES)
    share = np.where(columns["by_share"], columns["share_percent"], np.nan)
    words = (_("is not the share of last year's emissions"), _("are not the share of last year's emissions"))
    yield Identity("1-", "pre_allocated", words, whole_tonnes(share / 100 * columns["prior"]))
    planned, fixed = columns["as_planned"], columns["fixed"]
    steps = columns["initial"] + columns["gas_top_up"]
    words = (_("is not the sum of (2) and (3)"), _("are not the sum of (2) and (3)"))
    yield Identity("2-1", "determined", words, np.where(planned & ~fixed, steps, nowhere))
    by_coefficient = whole_tonnes(columns["emissions"] * (1 + columns["coefficient"]))
    words = (_("is not emissions times 1 plus the coefficient"), _("are not emissions times 1 plus the coefficient"))
    within = columns.get("within_t", 0.0)
    yield Identity("2-", "determined", words, np.where(planned, by_coefficient, nowhere), within=within)
    words = (_("of a special case is not its emissions"), _("of special cases are not their emissions"))
    yield Identity("2-", "determined", words, np.where(planned & fixed, nearest_tonnes(columns["emissions"]), nowhere))
    words = (_("is not pre-allocated plus top-up less return"), _("are not pre-allocated plus top-up less return"))
    issued = columns["pre_allocated"] + columns["top_up_t"] - columns["return_t"] - columns["exemption"]
    yield Identity("2-", "determined", words, issued)


def of_issue(issue: pd.DataFrame) -> Iterator[Identity]:
    """Yield the statements of the notes of tables 1-5 and 2-5."""
    columns = {name: issue[name].to_numpy() for name in issue}
    pre, pre_deducted, determined = (columns[name] for name in ("pre_allocated", "pre_deducted", "determined"))
    true_up, returned, deducted = (columns[name] for name in ("true_up", "deduction_returned", "deducted"))
    words = (_("is not (1) less (2)"), _("are not (1) less (2)"))
    yield Identity("1-5", "pre_issued", words, pre - pre_deducted)
    words = (_("is not what is left to deduct"), _("are not what is left to deduct"))
    yield Identity("1-5", "pre_remaining", words, columns["to_deduct"] - pre_deducted)
    words = (_("is not initial allowances plus exemption"), _("are not initial allowances plus exemption"))
    yield Identity("2-5", "determined", words, columns["initial"] + columns["exemption"])
    words = (_("is not determined less pre-allocated"), _("are not determined less pre-allocated"))
    yield Identity("2-5", "true_up", words, determined - pre)
    words = (_("is not (1) plus (2) less (3)"), _("are not (1) plus (2) less (3)"))
    yield Identity("2-5", "issued", words, true_up + returned - deducted)
    words = (
        _("is not 0, though (1) is at most what is to be deducted"),
        _("are not 0, though (1) is at most the deduction"),
    )
    covered = (true_up >= 0) & (true_up <= columns["pre_remaining"])
    yield Identity("2-5", "issued", words, np.where(covered, 0.0, np.nan))
    words = (_("is not (4) plus (5)"), _("are not (4) plus (5)"))
    yield Identity("2-5", "issued_in_all", words, columns["pre_issued"] + columns["issued"])
    words = (_("is not determined less what is deducted"), _("are not determined less what is deducted"))
    yield Identity("2-5", "issued_in_all", words, determined - (pre_deducted - returned + deducted))
    words = (_("is not what is left to deduct"), _("are not what is left to deduct"))
    left = columns["to_deduct"] - pre_deducted + returned - deducted
    yield Identity("2-5", "remaining", words, np.maximum(left, 0.0))


def sums_of_units(units: pd.DataFrame, issue: pd.DataFrame) -> Iterator[Identity]:
    """Yield that the rows of units add up to those of their enterprises."""
    words = (_("is not the sum of its units"), _("are not the sums of their units"))
    groups = units.groupby(KEYS, sort=True)
    for numbers, key, summed in (
        ("1-5", "pre_allocated", ("pre_allocated",)),
        ("2-5", "pre_allocated", ("pre_allocated",)),
        ("2-5", "determined", ("determined", "exemption")),
    ):
        yield Identity(numbers, key, words, _sums(groups, summed))
    within = _sums(groups, ("emissions",))
    near = np.abs(issue["obligation"] - within) <= HALF_A_TONNE * groups.size().to_numpy()
    nearest = np.where(near, issue["obligation"], within)
    yield Identity("2-5", "obligation", ("is not the emissions", "are not the emissions"), nearest)


def _sums(groups: Any, keys: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the sums of some columns by group; NaN where a column has none of the group's figures."""
    sums: NDArray[np.float64] = groups[list(keys)].sum(min_count=1).sum(axis=1, skipna=False).to_numpy()
    return sums


HALF_A_TONNE = 0.5 + 1e-5
"""Largest difference of an obligation in whole tonnes from the emissions of a unit [t]."""


def _violations(one: Identity, rows: pd.DataFrame, label: str) -> Iterator[Problem]:
    """Yield a problem for each table with a figure that is not the expected one."""
    if one.key not in rows:
        return
    actual = rows[one.key].to_numpy(dtype=float)
    wrong = one.wrong(actual)
    for annex in ANNEXES:
        if not annex.number.startswith(one.numbers) or annex.number.endswith("-5") == (label == "unit"):
            continue
        of_annex = np.flatnonzero(wrong & (rows["sector"] == annex.sector).to_numpy())
        heading = {key: chinese for key, chinese, _ in annex.columns}.get(one.key)
        if len(of_annex) and heading is not None:
            cells = tuple((f"of {rows[label].iloc[row]}", differs(actual[row], one.expected[row])) for row in of_annex)
            what = figures_that(len(of_annex), one.words)
            yield Problem(_("table {name}", name=annex.name), what, one.advice, heading, cells)


def figures_that(count: int, words: tuple[str, str]) -> str:
    """Return a count of figures followed by what one of them, or several, are not.

    >>> figures_that(1, ("is not 0", "are not 0")), figures_that(2, ("is not 0", "are not 0"))
    ('1 figure is not 0', '2 figures are not 0')
    """
    template = _("{count} figure {what}") if count == 1 else _("{count} figures {what}")
    return _(template, count=count, what=_(words[0] if count == 1 else words[1]))


def differs(actual: float, expected: float) -> str:
    """Return both figures with up to three decimals.

    >>> differs(560008.8179, -20.0)
    '560,008.818, expected -20'
    """
    one, other = (f"{figure:,.3f}".rstrip("0").rstrip(".") for figure in (actual, expected))
    return _("{one}, expected {other}", one=one, other=other)


def _totals_of_run(issue: pd.DataFrame, results: Results) -> Iterator[Problem]:
    """Yield a problem for each total of the run by enterprise that is not the sum of its rows."""
    summed, given = "enterprises", ["allowance_t", "pre_allocated_t", "top_up_t", "return_t"]
    if table_of_units(results) == "issuance":
        summed, given = "compliance", ["issued_t", "cancelled_t", "obligation_t"]
    require(results, {summed: ("enterprise_id",)}, {summed: given}, _("The run"))
    run = results.tables[summed].set_index("enterprise_id")
    keys = ["determined", "pre_allocated", "true_up", "issued_in_all", "obligation", "outstanding"]
    rows = issue.groupby("enterprise_id")[keys].sum()
    run = run.reindex(rows.index)
    if summed == "enterprises":
        pairs = zip(given, ("determined", "pre_allocated"), strict=False)
        checks = [(column, key, run[column]) for column, key in pairs]
        checks.append(("top_up_t", "true_up", run["top_up_t"] - run["return_t"]))
    else:
        # What is deducted counts as cancelled.
        checks = [("issued_t", "issued_in_all", run["issued_t"] - run["cancelled_t"])]
        checks.append(("obligation_t", "obligation", run["obligation_t"] - rows["outstanding"]))
    for column, key, stated in checks:
        wrong = np.flatnonzero(~(rows[key] == stated).to_numpy())
        if len(wrong):
            cells = tuple((f"of {rows.index[at]}", differs(stated.iloc[at], rows[key].iloc[at])) for at in wrong)
            what = counted(
                len(wrong), _("total is not the sum of its rows"), _("totals are not the sums of their rows")
            )
            yield Problem(f"tables/{summed}", what, SOLVE_AGAIN, column, cells)
