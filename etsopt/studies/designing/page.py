"""The report of a design search as one HTML page, made of the parts of the report of a run."""

from __future__ import annotations

import itertools
import shlex
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.language import _, joined, ngettext, pgettext, speaking
from etsopt.presenting.charts.designs import phrases
from etsopt.presenting.documents.document import (
    Column,
    Document,
    Facts,
    KeyFigure,
    Paragraph,
    Section,
    Table,
    named,
    noted,
)
from etsopt.presenting.documents.figures import of_chart, short_in
from etsopt.presenting.documents.keys import axis_of, cells_of, columns_of
from etsopt.presenting.documents.quantities import COUNT, YES
from etsopt.reports.inputs_section import MODELS
from etsopt.reports.write import write_document
from etsopt.studies.designing.design_document import DesignSummary
from etsopt.studies.designing.plan import ENACTED, Range
from etsopt.studies.sweeping.sweep_overview import MOST_ROWS, outcomes_section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etsopt.presenting.charts.chart import Chart
    from etsopt.presenting.charts.designs import Axis
    from etsopt.presenting.documents.document import Block
    from etsopt.studies.designing.numbers import Number

MOST_DESIGNS = 5_000
"""Designs in the table with a search box."""

TAKEN = {"sum": _("sum"), "least": _("least"), "largest": _("largest"), "mean": _("mean")}
"""What is taken of several rows, in words."""

BEST = {"least": _("as small as possible"), "largest": _("as large as possible")}
"""What is best of a goal, in words."""


def write_design_report(folder: Path, path: Path, lang: str = "en", inline: bool = False) -> list[Path]:
    """Write the report of the design search in a folder, and beside it the script that draws its chart.

    Parameters
    ----------
    folder
        Folder with the record of the search.
    path, lang, inline
        As of the report of a run.

    Raises
    ------
    UsageError
        If the folder has no record, another process holds it, or jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    with speaking(lang):
        return write_document(page_of(DesignSummary.read(folder)), path, inline)


def kicker(design: DesignSummary) -> str:
    """Return the line above the answer."""
    return design.kicker(_("design search"))


def charts_of(design: DesignSummary) -> list[Chart]:
    """Return the charts of the front and its choices, if some design has every goal."""
    return [*design.charts] if design.designs[[*design.plan.goals]].notna().all(axis=1).any() else []


def page_of(design: DesignSummary) -> Document:
    """Return the report of a design search, apart from its layout."""
    designs = design.designs
    certified, count = int(designs["certified"].sum()), len(designs)
    return Document(
        title=named(design.about["instance"], _("design search")),
        kicker=kicker(design),
        answer=_answer(design),
        status=_("{certified:,} of {count:,} designs certified", certified=certified, count=count),
        proven=bool(design.front["certified"].all()) and len(design.front) > 0,
        figures=(
            KeyFigure(f"{count:,}", "", _("designs")),
            KeyFigure(f"{certified:,}", "", _("certified")),
            KeyFigure(f"{int(designs['within_limits'].sum()):,}", "", _("within the limits")),
            KeyFigure(f"{len(design.front):,}", "", pgettext("designing", "on the front")),
        ),
        sections=tuple(_sections(design)),
        imprint=design.imprint,
    )


def _sections(design: DesignSummary) -> Iterator[Section]:
    yield Section("asked", _("What was asked"), (Facts(tuple(_asked(design))),))
    yield _front(design)
    yield from _chosen(design)
    named = dict(zip(design.designs["design"], phrases(design.axes), strict=True)) | {ENACTED: str(_("enacted"))}
    yield outcomes_section(design.scenarios.replace({"scenario": named}))
    title = _("All designs")
    yield Section("all", title, (_table(design, design.designs.head(MOST_DESIGNS), title, "designs"),))
    command = f"etsopt design {shlex.quote(design.plan.file)} --runs --out again"
    yield design.reproduce(command, _("search, SHA-256"))


def _answer(design: DesignSummary) -> str:
    """Return the answer in one sentence: the front, and where the enacted design is."""
    enacted, count = design.enacted, len(design.front)
    if not count:
        return _("No design keeps every limit with a proven answer.")
    found = _(
        "{count:,} of {total:,} designs are on the front: no other one found beats them",
        count=count,
        total=len(design.designs),
    )
    if enacted is None:
        return _("{found}.", found=found)
    if enacted["on_front"]:
        return _("{found}; the enacted design is one of them.", found=found)
    if not enacted["within_limits"]:
        return _("{found}; the enacted design does not keep the limits.", found=found)
    return ngettext(
        "{found}; {count:,} of them beats the enacted design.",
        "{found}; {count:,} of them beat the enacted design.",
        int(_beats(design, enacted).sum()),
        found=found,
    )


def _beats(design: DesignSummary, one: pd.Series[Any]) -> pd.Series[bool]:
    """Return True for each design of the front that is better than another in some goal and worse in none."""
    goals = design.plan.goals
    signs = np.array([1.0 if goal.best == "least" else -1.0 for goal in goals.values()])
    distance = (design.front[[*goals]].astype(float) - one[[*goals]].astype(float)) * signs
    beats: pd.Series[bool] = (distance <= 0).all(axis=1) & (distance < 0).any(axis=1)
    return beats


def _asked(design: DesignSummary) -> Iterator[tuple[str, str]]:
    plan = design.plan
    model = MODELS.get(plan.model, _("a model of your own"))
    yield _("question"), f"{model} ({plan.model})"
    yield _("instance"), design.about["instance"]
    search = _(
        "generations: {generations:,}, designs in each: {population:,}, seed: {seed}",
        generations=plan.generations,
        population=plan.population,
        seed=plan.seed,
    )
    yield _("search"), search
    for key, value in plan.policy.items():
        yield _("in every design"), f"{key} = {value}"
    for key, choice in plan.choose.items():
        axis = axis_of(key, _values(choice))
        yield _("choose"), named(axis.label if axis.words == key else noted(axis.label, key), _range(choice, axis))
    for name, goal in plan.goals.items():
        yield _("goal"), named(name, joined((_number(goal), BEST[goal.best]), "，"))
    for name, limit in plan.limits.items():
        ends = [_("at least {at_least:g}", at_least=limit.at_least)] if limit.at_least is not None else []
        ends += [_("at most {at_most:g}", at_most=limit.at_most)] if limit.at_most is not None else []
        unit = design.units.get(name, "")
        text = f"{joined(ends)} {'' if unit in ('1', 'rate') else unit}".strip()
        yield _("limit"), named(name, joined((_number(limit), text), "，"))


def _values(choice: Range | list[Any]) -> list[Any]:
    """Return the ends of a range, or what a list has."""
    return [choice.lower, choice.upper] if isinstance(choice, Range) else choice


def _range(choice: Range | list[Any], axis: Axis) -> str:
    """Return what may be chosen, in the unit of the axis of these values."""
    values = [axis.text(place) for place in axis.places]
    if not isinstance(choice, Range):
        return joined(values)
    ends = _("{low} to {high}", low=values[0], high=values[1])
    return _("{ends}, in orders of magnitude", ends=ends) if choice.log else ends


def _number(number: Number) -> str:
    """Return in words what of an outcome is taken."""
    where = [number.sector, number.province, None if number.year is None else str(number.year), number.id]
    rows = f"{number.table}.{number.quantity}"
    if place := joined(filter(None, where)):
        rows = noted(rows, place)
    return _("{taken} of {rows}", taken=TAKEN[number.take], rows=rows)


def _front(design: DesignSummary) -> Section:
    """Return the front: its chart, its table with the enacted design, and what it does not prove."""
    said = _(
        "The front is the best that was found; nothing proves that no better design exists. Every design on it is "
        "solved and checked like a run."
    )
    blocks: list[Block] = [Paragraph(said, "note")]
    blocks += [of_chart(design.about["instance"], chart) for chart in charts_of(design)]
    if len(design.front):
        rows = design.front
        if design.enacted is not None and not design.enacted["on_front"]:
            rows = pd.concat([design.designs[design.designs["design"] == ENACTED], rows])
        caption = _("The front and the enacted design")
        blocks.append(_table(design, rows, caption, "front" if len(rows) > MOST_ROWS else ""))
    return Section("front", _("The front"), tuple(blocks))


def _chosen(design: DesignSummary) -> Iterator[Section]:
    """Yield what the designs of the front choose, of all that may be chosen."""
    rows = np.flatnonzero(design.designs["on_front"] & (design.designs["design"] != ENACTED))
    if not len(rows):
        return
    cells = []
    for (key, choice), axis in zip(design.plan.choose.items(), design.axes, strict=True):
        steps, counts = np.unique(axis.places[rows], return_counts=True)
        found = f"{axis.text(steps[0])} … {axis.text(steps[-1])}"
        if not isinstance(choice, Range):
            found = joined(noted(axis.text(step), f"{count:,}") for step, count in zip(steps, counts, strict=True))
        cells.append((axis.label, _range(choice, axis_of(key, _values(choice))), found))
    heads = (_("key"), _("may be chosen"), _("chosen on the front"))
    columns = tuple(Column(name) for name in heads)
    title = _("What the front chooses")
    yield Section("chosen", title, (Table(title, columns, tuple(cells)),))


def _table(design: DesignSummary, rows: pd.DataFrame, caption: str, key: str) -> Table:
    """Return designs with what was chosen, their goals and their limited numbers.

    The front has one row for each point, with the number of the designs that reach it as well; the table of all has
    their names.
    """
    numbers, whole = design.numbers, key == "designs"
    reached = rows[[*numbers]].astype(float)
    heads = [Column(_("design")), *columns_of(design.axes)]
    heads += [Column(name, short_in(float(reached[name].abs().max()), one.unit)) for name, one in numbers.items()]
    heads.append(Column(_("on the front"), YES) if whole else Column(_("more designs that reach it"), COUNT))
    cells = []
    points = itertools.count(1)
    for at, row, values in zip(rows.index, rows.to_dict("records"), reached.to_numpy(), strict=True):
        enacted, others = row["design"] == ENACTED, row["same_goals"].count(", ") + bool(row["same_goals"])
        name = _("enacted") if enacted else row["design"] if whole else f"{next(points)}"
        cells.append((name, *cells_of(design.axes, at), *values.tolist(), row["on_front"] if whole else others))
    count = len(design.designs)
    note = ""
    if whole and count > len(rows):
        note = _("The first {shown:,} of {count:,} designs.", shown=len(rows), count=count)
    return Table(caption, tuple(heads), tuple(cells), note=note, key=key)
