"""Measures on offer to units: cost, remaining emissions, and the sets that may run in each year.

Dependencies between the measures of a unit, by their places at the unit and not by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.measure_sets import MOST_SETS, chains_of
from etsopt.data.measure_steps import offers_of
from etsopt.data.measures import offered
from etsopt.data.tables.row_scope import filled_column
from etsopt.data.tables.schema import MEASURES
from etsopt_models._market.set_family import Group, family_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.set_family import SetFamily


NOTHING = -1


class Dependencies(NamedTuple):
    """Dependencies of the measure in one place at every unit.

    Parameters
    ----------
    group
        First place of a measure of its exclusive group, its own if it has none; -1 without a measure, shape
        ``(units,)``.
    required
        True for places that it requires, and last for a measure that is not on offer, shape ``(units, places + 1)``.
    first_year
        Its first year, 0 for any; -1 without a measure, shape ``(units,)``.
    stops
        1 if it may stop, else 0; -1 without a measure, shape ``(units,)``.
    step
        Which step of its measure it is, from 1 on; -1 without a measure, shape ``(units,)``.
    """

    group: NDArray[np.int64]
    required: NDArray[np.bool_]
    first_year: NDArray[np.int64]
    stops: NDArray[np.int64]
    step: NDArray[np.int64]

    def codes(self) -> Iterator[NDArray[np.int64]]:
        """Yield codes that are equal at two units if all else is, each of shape ``(units,)``."""
        yield self.group
        yield self.first_year
        yield self.stops
        yield self.step
        if self.required.any():
            packed = np.packbits(self.required, axis=1)
            packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
            for word in packed.view(np.int64).T:
                yield pd.factorize(word)[0]


def dependencies_of(instance: Instance, rows: NDArray[np.int64]) -> Iterator[Dependencies]:
    """Yield the dependencies of the measures in each place.

    Parameters
    ----------
    rows
        Offer in each place of each unit, -1 for none, shape ``(units, places)``; `etsopt.data.measure_steps.offers_of`.
    """
    if instance.measures is None or not rows.shape[1]:
        return
    table = _instance_codes(instance)
    there = rows >= 0
    name, group, first_year, stops, step = (
        np.where(there, codes[rows], NOTHING)
        for codes in (table.name, table.group, table.first, table.stops, offers_of(instance).step)
    )
    for place in range(rows.shape[1]):
        has_measure = there[:, place]
        same = (group == group[:, [place]]) & (group[:, [place]] != NOTHING)
        first = np.where(same.any(axis=1), same.argmax(axis=1), place)
        required = np.zeros((len(rows), rows.shape[1] + 1), dtype=bool)
        for code in table.required.T:
            wanted = np.where(has_measure, code[rows[:, place]], NOTHING)
            if (wanted == NOTHING).all():
                continue
            provides = (name == wanted[:, None]) & (wanted != NOTHING)[:, None]
            required[:, :-1] |= provides
            required[:, -1] |= (wanted != NOTHING) & ~provides.any(axis=1)
        yield Dependencies(
            np.where(has_measure, first, NOTHING), required, first_year[:, place], stops[:, place], step[:, place]
        )


class _Codes(NamedTuple):
    """Texts of the table as codes, shape ``(offers,)``; codes of required measures, shape ``(offers, most)``."""

    name: NDArray[np.int64]
    group: NDArray[np.int64]
    first: NDArray[np.int64]
    stops: NDArray[np.int64]
    required: NDArray[np.int64]


def _instance_codes(instance: Instance) -> _Codes:
    row = offers_of(instance).row
    codes: _Codes = instance.cached(
        "measure dependencies", lambda: _Codes(*(part[row] for part in _codes(instance.measures)))
    )
    return codes


def _codes(measures: Any) -> _Codes:
    name, names = pd.factorize(measures["measure_id"].to_numpy())
    group, groups = pd.factorize(filled_column(measures, MEASURES, "exclusive_group"))
    group = np.where(groups[group] == "", NOTHING, group)
    first = np.nan_to_num(filled_column(measures, MEASURES, "first_year")).astype(np.int64)
    which, texts = pd.factorize(filled_column(measures, MEASURES, "requires"))
    words = pd.Series(texts, dtype=object).str.split().explode()
    place = words.groupby(level=0).cumcount().to_numpy()
    table = np.full((len(texts), int(place.max(initial=0)) + 1), NOTHING)
    stated = words.notna().to_numpy()
    code = pd.Index(names).get_indexer(words.to_numpy()[stated])
    # An unknown name is on offer nowhere: any code but those of measures marks it.
    table[words.index.to_numpy()[stated], place[stated]] = np.where(code < 0, len(names), code)
    stops = (filled_column(measures, MEASURES, "stops") == "yes").astype(np.int64)
    return _Codes(name, group, first, stops, table[which])


@dataclass(frozen=True)
class Measures:
    """Measures of units that share groups, prerequisites and first years.

    Parameters
    ----------
    units
        Positions of the units, shape ``(units,)``.
    row
        Position of each measure or step in `offers_of`, -1 for a cut of output, shape ``(units, measures)``.
    emissions_left, intensity_left, output_left
        Factor that remains of each under a measure, shape ``(units, measures)``.
    fixed, variable
        Yearly cost [CNY], and cost per tonne of the year's output [CNY/t], in the year of the tables, shape
        ``(units, measures)``.
    growth, elapsed
        Factor of both from year to year, shape ``(units, measures)``, and years since that of the tables, ``(years,)``.
    family
        Sets of measures, numbered.
    admissible
        True if a set may run in a year, shape ``(years, sets)``.
    """

    units: NDArray[np.int64]
    row: NDArray[np.int64]
    emissions_left: NDArray[np.float64]
    intensity_left: NDArray[np.float64]
    output_left: NDArray[np.float64]
    fixed: NDArray[np.float64]
    variable: NDArray[np.float64]
    growth: NDArray[np.float64]
    elapsed: NDArray[np.int64]
    family: SetFamily
    admissible: NDArray[np.bool_]

    def part(self, chosen: slice | NDArray[np.int64]) -> Measures:
        """Return the measures of some of the units."""
        names = ("units", "row", "emissions_left", "intensity_left", "output_left", "fixed", "variable", "growth")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def costs(self, t: int, output: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cost of each measure in a year with some output, shape ``(measures, units)`` [CNY]."""
        each: NDArray[np.float64] = (self.fixed + self.variable * output[:, None]) * self.growth ** self.elapsed[t]
        return each.T

    def times(self, factor: NDArray[np.float64]) -> Measures:
        """Return the measures of units scaled by a factor each."""
        return replace(self, fixed=self.fixed * factor[:, None])


def known(output: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the output with zero if none is stated; such a unit has no measure with a cost per tonne of it."""
    return np.where(np.isnan(output), 0.0, output)


def measures_of(instance: Instance, baseline: Baseline) -> list[Measures]:
    """Return the measures of every unit, grouped by structure."""
    rows = _rows(instance)
    cut = instance.labels("sector").mapped(dict.fromkeys(instance.policy.abatement.output_cut, 1.0), 0.0) > 0
    kind = np.zeros(len(rows), dtype=np.int64)
    # One place after the other, because each has as many requirements as there are places.
    of_places = chain.from_iterable(place.codes() for place in dependencies_of(instance, rows))
    for code in chain(of_places, [cut.astype(np.int64)]):
        # Structures are few, so the codes stay small.
        kind = pd.factorize(kind * (int(code.max(initial=0)) + 2) + code + 1)[0].astype(np.int64)
    order = np.argsort(kind, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(kind[order])) + 1)
    costs = (np.zeros(0), np.zeros(0)) if instance.measures is None else costs_per_t(instance)
    found = [_measures(instance, baseline, units, rows[units], costs) for units in parts]
    return [_with_output_cut(instance, part) if cut[part.units[0]] else part for part in found]


def column(instance: Instance, name: str) -> NDArray[Any]:
    """Return a column of the table of measures by offer, with the defaults of the schema; read-only."""
    assert instance.measures is not None
    cells, row = filled_column(instance.measures, MEASURES, name), offers_of(instance).row
    return cells if len(row) == len(cells) else cells[row]


def _rows(instance: Instance) -> NDArray[np.int64]:
    """Return what is on offer to each unit, as positions in `offers_of`, shape ``(units, most)``, padded with -1."""
    units, groups = len(instance.units), offered(instance)
    unit, member = np.repeat(np.arange(units), np.diff(groups.starts)), groups.members
    if len(member) and instance.policy.abatement.no_regret == "exclude":
        dear = np.add(*costs_per_t(instance)) >= 0
        unit, member = unit[dear[member]], member[dear[member]]
    count = np.bincount(unit, minlength=units)
    place = np.arange(len(unit)) - np.repeat(np.cumsum(count) - count, count)
    rows = np.full((units, int(count.max(initial=0))), -1)
    rows[unit, place] = member
    return rows


def costs_per_t(instance: Instance) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the yearly cost of each measure, or of each step, shapes ``(offers,)``.

    Returns
    -------
    fixed, variable
        Cost per tonne of the base year's output, and per tonne of the year's own output [CNY/t]. Investment is
        an annuity over the lifetime: a measure is renewed at the end of its life.
    """
    rate, life = instance.policy.horizon.discount_rate, column(instance, "lifetime_years")
    annuity = 1 / life if rate == 0 else rate / -np.expm1(-life * np.log1p(rate))
    share = column(instance, "maximum_share") / offers_of(instance).steps
    fixed = share * (column(instance, "capex_cny_per_t") * annuity + column(instance, "fixed_opex_cny_per_t"))
    return fixed, share * (column(instance, "variable_opex_cny_per_t") - column(instance, "fuel_saving_cny_per_t"))


def _measures(
    instance: Instance,
    baseline: Baseline,
    units: NDArray[np.int64],
    rows: NDArray[np.int64],
    costs: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Measures:
    """Return the measures of the table for units that have the same structure."""
    rows = _that_can_run(instance, rows[:, rows[0] >= 0])
    nothing = np.zeros(rows.shape)
    emissions, intensity, output, fixed, variable, growth = (nothing + filled for filled in (1, 1, 1, 0, 0, 1))
    if rows.shape[1]:
        names = ("abatement_rate", "output_abatement_rate", "intensity_abatement_rate")
        emissions, output, measured = (_left(instance, name)[rows] for name in names)
        # Emissions on which intensity is measured fall by their own rate, and the output beneath them with the output.
        intensity = measured / output
        per_base_t, variable = (cost[rows] for cost in costs)
        fixed = per_base_t * baseline.base_output[units, None]
        growth = 1 + column(instance, "cost_change_rate")[rows]
    family, admissible = _admissible(instance, rows[:1], baseline.years)
    elapsed = baseline.years - instance.policy.year
    return Measures(units, rows, emissions, intensity, output, fixed, variable, growth, elapsed, family, admissible)


def _that_can_run(instance: Instance, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave out measures that require one that is not on offer; they would only make sets, none of which may run."""
    while True:
        can = np.array([not place.required[0, -1] for place in dependencies_of(instance, rows[:1])], dtype=bool)
        if can.all():
            return rows
        rows = rows[:, can]


def _left(instance: Instance, rate: str) -> NDArray[np.float64]:
    """Return the factor that remains under each offer, shape ``(offers,)``: all steps together leave what is stated."""
    _, step, steps = offers_of(instance)
    whole = column(instance, rate) * column(instance, "maximum_share")
    left: NDArray[np.float64] = (1 - whole * step / steps) / (1 - whole * (step - 1) / steps)
    return left


def _with_output_cut(instance: Instance, part: Measures) -> Measures:
    """Return the measures of units, with the cut of output that the policy offers to their sectors."""
    sector = instance.units["sector"].to_numpy()[part.units]
    cuts = instance.policy.abatement.output_cut
    share, margin = (np.array([getattr(cuts[name], key) for name in sector]) for key in ("share", "margin_cny_per_t"))
    # Output falls with emissions, so intensity is unchanged.
    rows, emissions, intensity, output, fixed, variable, growth = (
        np.column_stack([before, new])
        for before, new in (
            (part.row, np.full(len(sector), -1)),
            (part.emissions_left, 1 - share),
            (part.intensity_left, np.ones(len(sector))),
            (part.output_left, 1 - share),
            (part.fixed, np.zeros(len(sector))),
            (part.variable, share * margin),
            (part.growth, np.ones(len(sector))),
        )
    )
    family, admissible = part.family.with_measure(), np.tile(part.admissible, 2)
    return Measures(
        part.units, rows, emissions, intensity, output, fixed, variable, growth, part.elapsed, family, admissible
    )


def _admissible(
    instance: Instance, rows: NDArray[np.int64], years: NDArray[np.int64]
) -> tuple[SetFamily, NDArray[np.bool_]]:
    """Return the sets of the measures of one unit, and True for each that may run in a year, ``(years, sets)``."""
    dependencies = list(dependencies_of(instance, rows))
    groups = _groups(dependencies)
    sets = prod(len(group.places) + 1 for group in groups)
    if sets > MOST_SETS:
        # The table has fewer; without some measures the others may make other chains.
        what = _(
            "without no-regret measures a unit has {sets:,} sets of measures, more than {most_sets:,}",
            sets=sets,
            most_sets=MOST_SETS,
        )
        advice = _("Leave out those that never pay, build them in fewer steps, or set abatement.no_regret to include.")
        raise DataError(_("The table of measures"), [Problem(MEASURES.file, what, advice, "measure_id")])
    family = family_of(groups)
    allowed = np.ones((len(years), len(family)), dtype=bool)
    for k, place in enumerate(dependencies):
        needed, has = place.required[0, :-1], family.has[:, k]
        allowed &= ~has | family.has[:, needed].all(axis=1)
        allowed &= ~((years < place.first_year[0])[:, None] & has)
    return family, allowed


def _groups(dependencies: Sequence[Dependencies]) -> tuple[Group, ...]:
    """Return the groups of one unit's measures: exclusive ones, chains, and measures by themselves."""
    group, stops, step = (
        np.array([int(getattr(place, name)[0]) for place in dependencies], dtype=np.int64)
        for name in ("group", "stops", "step")
    )
    size = np.bincount(group, minlength=len(group))
    exclusive = [
        Group(tuple(np.flatnonzero(group == first).tolist()), stops=bool(stops[first]))
        for first in np.flatnonzero(size > 1)
    ]
    # The steps of a measure are neighbours, from the first on.
    firsts = np.flatnonzero((step == 1) & (size[group] == 1))
    steps = [tuple(part.tolist()) for part in np.split(np.arange(len(step)), np.flatnonzero(step == 1)[1:])]
    steps = [part for part in steps if part and part[0] in firsts]
    requires = [np.flatnonzero(dependencies[int(first)].required[0, firsts]).tolist() for first in firsts]
    chains = chains_of(requires, stops[firsts] == 0)
    chains += [(number,) for number in np.flatnonzero(stops[firsts] > 0).tolist()]
    alone = [_chain([steps[number] for number in chain], bool(stops[firsts[chain[0]]])) for chain in chains]
    return tuple(sorted(exclusive + alone))


def _chain(steps: Sequence[tuple[int, ...]], stops: bool) -> Group:
    """Return the group of measures that follow each other, from the places of the steps of each."""
    owner = [number for number, places in enumerate(steps) for _ in places]
    if len(owner) == 1:
        return Group(steps[0], stops=stops)
    reach = []
    for built in range(len(owner) + 1):
        most = built
        # The next one may begin unless it is a further step of a measure that has begun one in this year.
        while most < len(owner) and (most == built or owner[most] != owner[most - 1]):
            most += 1
        reach.append(most)
    return Group(tuple(place for places in steps for place in places), tuple(reach), stops)
