"""The overview of a sweep: its scenarios as the file states them, and how they ended, as sections of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.language import _, joined, pgettext
from etsopt.presenting.documents.document import Column, Facts, Paragraph, Section, Table, named, noted
from etsopt.presenting.documents.keys import axis_of, cells_of, columns_of
from etsopt.presenting.documents.quantities import COUNT
from etsopt.reports.inputs_section import MODELS
from etsopt.studies.sweeping.outcome import ENDED, PROVEN
from etsopt.studies.sweeping.sampling import KINDS, SALTELLI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.presenting.documents.document import Block
    from etsopt.studies.sweeping.sweep_document import SweepSummary

DESIGNS = {
    "latin_hypercube": _("Latin hypercube"),
    "sobol": _("scrambled Sobol points"),
    "random": _("independent draws"),
    SALTELLI: _("Saltelli design"),
}
"""Designs of draws in words."""

DISTRIBUTIONS = {
    "uniform": _("uniform from {0} to {1}"),
    "triangular": _("triangular, {0} at least, {1} most likely, {2} at most"),
    "normal": _("normal, mean {0}, standard deviation {1}"),
    "lognormal": _("lognormal, median {0}, standard deviation of the logarithm {1}"),
}
"""Distributions in words, with their parameters."""

MOST_NAMES, MOST_ROWS, MOST_FAILURES = 12, 60, 2_000
"""Named scenarios in words, rows of a table that is all there, and of one with a search box."""

DECISION = {True: _("decision"), False: _("scenario")}
"""What a row of statistics is of, with draws and without."""


def scenarios_section(sweep: SweepSummary) -> Section:
    """Return the section on what was asked."""
    blocks: tuple[Block, ...] = (Facts(tuple(_facts(sweep))), *_changes(sweep))
    return Section("asked", _("What was asked"), blocks)


def _changes(sweep: SweepSummary) -> Iterator[Table]:
    """Yield what each decision changes, if there are several."""
    found = sweep.changes.head(MOST_FAILURES)
    # Without names of their own, scenarios are named by their values.
    if len(sweep.stated.get("scenarios") or {}) < 2:
        return
    axes = [axis_of(key, found[key].where(found[key].notna(), None).tolist()) for key in found if key != "decision"]
    heads = (Column(DECISION[sweep.sampled]), *columns_of(axes))
    rows = tuple((name, *cells_of(axes, row)) for row, name in enumerate(found["decision"]))
    yield Table(_("Changes by which they differ"), heads, rows, key="changes" if len(rows) > MOST_ROWS else "")


def _facts(sweep: SweepSummary) -> Iterator[tuple[str, str]]:
    stated, model = sweep.stated, str(sweep.about.get("model", ""))
    yield _("question"), noted(MODELS.get(model, _("a model of your own")), model)
    yield _("instance"), sweep.about["instance"]
    yield _("scenarios"), f"{len(sweep.scenarios):,}"
    for key, value in (stated.get("policy") or {}).items():
        yield _("in every scenario"), f"{key} = {value}"
    for name, changes in list((stated.get("scenarios") or {}).items())[:MOST_NAMES]:
        yield name, changes_of(changes)
    if (more := len(stated.get("scenarios") or {}) - MOST_NAMES) > 0:
        yield _("further named scenarios"), f"{more:,}"
    for part, words in (("grid", _("every combination of")), ("paired", _("taken together"))):
        for key, values in (stated.get(part) or {}).items():
            axis = axis_of(key, values)
            label = axis.label if axis.words == key else noted(axis.label, key)
            yield words, named(label, joined(axis.text(place) for place in axis.places))
    if sample := stated.get("sample"):
        yield _("draws"), _draws(sweep, sample)
        for key, distribution in sample["values"].items():
            yield key, _distribution(distribution)


def changes_of(changes: Mapping[str, Any]) -> str:
    """Return changes of keys in a line."""
    return joined(f"{key} = {value}" for key, value in changes.items()) or _("no change")


def _draws(sweep: SweepSummary, sample: Mapping[str, Any]) -> str:
    number, seed, inputs = int(sample["number"]), sweep.stated.get("seed", 0), len(sample["values"])
    design = DESIGNS.get(sample["method"], sample["method"])
    if sample["method"] == SALTELLI:
        return _(
            "{design}, {rows:,} rows of {draws} draws, {total:,} in all; seed {seed}",
            design=design,
            rows=number,
            draws=inputs + 2,
            total=number * (inputs + 2),
            seed=seed,
        )
    return _("{number:,}, {design}; seed {seed}", number=number, design=design, seed=seed)


def _distribution(stated: Mapping[str, Any]) -> str:
    """Return a distribution in words."""
    kind = next(name for name in KINDS if stated.get(name) is not None)
    values = [f"{value:g}" if isinstance(value, int | float) else str(value) for value in stated[kind]]
    if kind == "choice":
        text: str = _("one of {values}", values=joined(values))
    else:
        text = str(DISTRIBUTIONS[kind]).format(*values)
    by_row = stated.get("each") == "row"
    return _("{distribution}, each row by its own factor", distribution=text) if by_row else text


def outcomes_section(scenarios: pd.DataFrame) -> Section:
    """Return how many scenarios ended how, and those without a proven answer with their reason."""
    counts: dict[str, int] = scenarios["status"].value_counts().to_dict()
    rows = tuple((ENDED.get(one, one), count) for one, count in counts.items())
    heads = (Column(_("status")), Column(pgettext("sweeping", "number"), COUNT))
    blocks: list[Block] = [Table(_("Number by status"), heads, rows)]
    failures = scenarios[~scenarios["status"].isin(PROVEN)]
    if len(failures):
        said = _("All figures and charts are of proven answers alone; the table has the others.")
        blocks += [Paragraph(said, "warning"), _failures(failures)]
    return Section("outcomes", _("How they ended"), tuple(blocks))


def _failures(failures: pd.DataFrame) -> Table:
    columns = tuple(Column(name) for name in (_("name"), _("status"), _("reason")))
    rows = tuple(
        (row["scenario"], ENDED.get(row["status"], row["status"]), row["message"] or "–")
        for row in failures.head(MOST_FAILURES).to_dict("records")
    )
    note = ""
    if len(failures) > MOST_FAILURES:
        note = _("{shown:,} of {count:,} scenarios.", shown=MOST_FAILURES, count=len(failures))
    return Table(_("Without a proven answer"), columns, rows, note=note, key="failures")
