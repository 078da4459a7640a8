"""Abatement measures: the rows that apply to each unit, and their validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.content import output_of
from etsopt.data.groups import Groups
from etsopt.data.measure_sets import DEPENDENCY_COLUMNS, MOST_SETS, distinct_groups, row_codes, set_counts
from etsopt.data.measure_steps import offers_of, step_counts
from etsopt.data.messages import cells_of, counted
from etsopt.data.tables.row_scope import (
    RowCheck,
    filled,
    filled_column,
    problems_of_rows,
    problems_of_scope,
    unit_positions,
)
from etsopt.data.tables.schema import MEASURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.content import Content
    from etsopt.data.policy.policy import Policy

OUTPUT_CUT = "output_cut"
"""Name of the measure that a policy adds by its table ``abatement.output_cut``."""


def applicable(instance: Content) -> Groups:
    """Return the rows of ``instance.measures`` that apply to each unit, sorted by ``measure_id``.

    A unit's own row takes precedence over its sector's row of the same ``measure_id``. Rows that save electricity alone
    do not apply.
    """
    if instance.measures is None:
        return Groups(np.zeros(len(instance.units) + 1, dtype=np.int64), np.zeros(0, dtype=np.int64))
    return instance.cached("applicable", lambda: _applicable(instance, instance.measures))


def offered(instance: Content) -> Groups:
    """Return the positions of each unit's measures and steps in `offers_of`, sorted by ``measure_id`` and step."""
    return instance.cached("offered", lambda: _offered(instance))


def _offered(instance: Content) -> Groups:
    rows, offers = applicable(instance), offers_of(instance)
    if (offers.steps == 1).all():
        return rows
    first = np.flatnonzero(offers.step == 1)
    steps = offers.steps[first][rows.members]
    ends = np.append(0, np.cumsum(steps))
    members = np.repeat(first[rows.members] - ends[:-1], steps) + np.arange(ends[-1])
    return Groups(ends[rows.starts], members)


def _applicable(instance: Content, measures: pd.DataFrame) -> Groups:
    unit, row = _pairs(instance, measures)
    measure = pd.factorize(measures["measure_id"])[0][row]
    of_sector = (filled_column(measures, MEASURES, "unit_id") == "")[row]
    # Rows are sorted by measure_id, so their positions sort by it too; a unit's own row comes first.
    order = np.argsort((unit * (int(measure.max(initial=0)) + 1) + measure) * 2 + of_sector, kind="stable")
    unit, row, measure = unit[order], row[order], measure[order]
    first = np.ones(len(unit), dtype=bool)
    first[1:] = (unit[1:] != unit[:-1]) | (measure[1:] != measure[:-1])
    chosen = first & (filled_column(measures, MEASURES, "electricity_only") != "yes")[row]
    count = np.bincount(unit[chosen], minlength=len(instance.units))
    return Groups(np.append(0, np.cumsum(count)), row[chosen])


def _positions(instance: Content, measures: pd.DataFrame) -> NDArray[np.int64]:
    """Return the position of each measure row's unit, shape ``(rows,)``; -1 for a row of a sector or of no unit."""
    if "unit_id" not in measures:
        return np.full(len(measures), -1)
    return instance.cached("units of the measures", lambda: unit_positions(measures, instance.units))


def _pairs(instance: Content, measures: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return unit and row positions of every pair of a unit and a row for it or its sector, shapes ``(pairs,)``."""
    position = _positions(instance, measures)
    own = np.flatnonzero(position >= 0)
    pairs = [(position[own], own)]
    of_sector = np.flatnonzero(position < 0)
    sector = filled_column(measures, MEASURES, "sector")[of_sector]
    for name in pd.unique(sector):
        units, rows = np.flatnonzero(instance.labels("sector").where(name)), of_sector[sector == name]
        pairs.append((np.repeat(units, len(rows)), np.tile(rows, len(units))))
    return np.concatenate([unit for unit, _ in pairs]), np.concatenate([row for _, row in pairs])


def problems_of_measures(instance: Content, stated: pd.DataFrame) -> list[Problem]:
    """Find problems of the measures of an instance, each cell of which is valid by itself."""
    measures = filled(stated, MEASURES)
    problems = problems_of_scope(MEASURES, measures, _positions(instance, measures))
    problems += _problems_of_rows(measures, instance.policy)
    return problems or _problems_at_units(instance, measures)


def _problems_of_rows(measures: pd.DataFrame, policy: Policy) -> list[Problem]:
    names = measures["measure_id"]
    saves_power = (measures["electricity_only"] == "yes").to_numpy()
    direct = saves_power & (measures[["abatement_rate", "intensity_abatement_rate"]].to_numpy() != 0).any(axis=1)
    price_year = measures["price_year"].to_numpy()
    other_year = ~np.isnan(price_year) & (price_year != policy.price_year)
    checks = [
        RowCheck(
            names.isin([name for name in names.unique() if " " in name]).to_numpy(),
            "measure_id",
            (_("name holds a space"), _("names hold a space")),
            _("Write it as one word, since requires separates names by spaces."),
        ),
        RowCheck(
            (names == OUTPUT_CUT).to_numpy(),
            "measure_id",
            (_("row has the name of the policy's own measure"), _("rows have the name of the policy's own measure")),
            _("Choose another name: the policy's table abatement.output_cut adds a measure of this name."),
        ),
        RowCheck(
            direct,
            "electricity_only",
            (_("such measure has an abatement rate above 0"), _("such measures have an abatement rate above 0")),
            _("Write 0 for it, or electricity_only no: emissions of electricity are outside this system."),
        ),
        RowCheck(
            (measures["output_abatement_rate"] * measures["maximum_share"] >= 1).to_numpy(),
            "output_abatement_rate",
            (_("row leaves no output"), _("rows leave no output")),
            _("State less than 1, or a maximum_share below 1: a unit without output is closed, not abated."),
        ),
        RowCheck(
            (measures["output_abatement_rate"] > measures["abatement_rate"]).to_numpy(),
            "output_abatement_rate",
            (_("row takes more output than emissions"), _("rows take more output than emissions")),
            _("State the emissions that go with the output in abatement_rate too."),
        ),
        RowCheck(
            _mixed_groups(measures),
            "stops",
            (
                _("row differs from others of its exclusive group"),
                _("rows differ from others of their exclusive groups"),
            ),
            _("State the same for all measures of a group: those that stop may follow each other."),
        ),
        RowCheck(
            (~np.isnan(measures["largest_new_share_a_year"]) & (measures["exclusive_group"] != "")).to_numpy(),
            "largest_new_share_a_year",
            (_("row is of an exclusive group"), _("rows are of exclusive groups")),
            _("Leave out either: a measure that is built in steps has no alternatives."),
        ),
        RowCheck(
            step_counts(measures) >= MOST_SETS,
            "largest_new_share_a_year",
            (
                _("row has more than {most:,} steps", most=MOST_SETS - 1),
                _("rows have more than {most:,} steps", most=MOST_SETS - 1),
            ),
            _("State a larger share of new ones: the steps are as many as it divides maximum_share into."),
        ),
        RowCheck(
            other_year,
            "price_year",
            (
                _("row is not in CNY of {year}, the price year of the policy", year=policy.price_year),
                _("rows are not in CNY of {year}, the price year of the policy", year=policy.price_year),
            ),
            _("Convert the costs, or state their year as horizon.price_year in policy.toml."),
        ),
    ]
    return problems_of_rows(MEASURES, measures, checks)


def _mixed_groups(measures: pd.DataFrame) -> NDArray[np.bool_]:
    """Return True for rows of an exclusive group of which some measures stop and others do not."""
    kinds = measures.groupby("exclusive_group", observed=True)["stops"].transform("nunique").to_numpy()
    mixed: NDArray[np.bool_] = (kinds > 1) & (measures["exclusive_group"] != "").to_numpy()
    return mixed


def _problems_at_units(instance: Content, measures: pd.DataFrame) -> list[Problem]:
    """Find problems of all measures that apply to a unit."""
    units = instance.units
    groups = applicable(instance)
    count = np.diff(groups.starts)
    problems = []
    without = (count > 0) & np.isnan(output_of(units))
    if without.any():
        what = _(
            "{count}, but no output",
            count=counted(int(without.sum()), _("unit has measures"), _("units have measures")),
        )
        advice = _("Fill output_t (of power generation_mwh), or remove the measures: their costs are per unit of it.")
        problems.append(Problem("units.csv", what, advice, "output_t", cells_of(units, without)))
    sets = set_counts(measures, groups)
    many = sets > MOST_SETS
    if many.any():
        what = _(
            "{count} more than {most:,} sets of measures",
            count=counted(int(many.sum()), _("unit has"), _("units have")),
            most=MOST_SETS,
        )
        advice = _(
            "Leave out those that never pay, build them in fewer steps, or give alternatives an exclusive_group, of "
            "which a set has one at most; measures that save electricity alone do not count."
        )
        cells = cells_of(units, many, sets, "{:.10g} sets")
        return [*problems, Problem(MEASURES.file, what, advice, "measure_id", cells)]
    return problems + _problems_of_requirements(units, measures, groups)


def _problems_of_requirements(units: pd.DataFrame, measures: pd.DataFrame, groups: Groups) -> list[Problem]:
    """Find requirements that cannot be met, each reported once with its units."""
    if not (measures["requires"] != "").any():
        return []
    # Units with the same names of measures have the same problems, so that each distinct set is checked once.
    first, kind = distinct_groups(
        groups, row_codes([measures[name].to_numpy() for name in ("measure_id", *DEPENDENCY_COLUMNS)])
    )
    faulty: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for number, unit in enumerate(first):
        for fault in _faults(measures.iloc[groups[unit]]):
            faulty[fault] = faulty.get(fault, np.zeros(len(units), dtype=bool)) | (kind == number)
    return [
        Problem(MEASURES.file, what, advice, "requires", cells_of(units, where))
        for (what, advice), where in sorted(faulty.items())
    ]


def _faults(measures: pd.DataFrame) -> list[tuple[str, str]]:
    """Return problem and advice of every wrong requirement among the measures of a unit."""
    names = measures["measure_id"]
    requires = {name: set(text.split()) for name, text in zip(names, measures["requires"], strict=True)}
    group = dict(zip(names, measures["exclusive_group"], strict=True))
    faults: list[tuple[str, str]] = []
    for name, directly in requires.items():
        for other in sorted(directly - set(requires)):
            what = _("{name!r} requires {other!r}, which is not a measure of the same unit", name=name, other=other)
            faults.append((what, _("Add it there, correct its name, or remove the requirement.")))
        needed, ahead = set(), set(directly)
        while ahead:
            needed |= ahead
            ahead = {further for one in ahead for further in requires.get(one, set())} - needed
        if name in needed:
            what = _("{name!r} requires itself, directly or indirectly", name=name)
            faults.append((what, _("Remove a requirement of the cycle.")))
            continue
        groups = [group[one] for one in sorted(needed | {name}) if group.get(one)]
        for twice in sorted({one for one in groups if groups.count(one) > 1}):
            what = _(
                "{name!r} can never run: it and its requirements include two measures of the group {twice!r}",
                name=name,
                twice=twice,
            )
            advice = _("Remove the requirement, or change a group: a unit applies at most one measure of a group.")
            faults.append((what, advice))
    return faults
