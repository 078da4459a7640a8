"""Sections of a page on the numbers of a sweep: their charts, statistics, decisions, and what moves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.language import _, capitalised, joined, pgettext
from etsopt.presenting.charts import sweeps
from etsopt.presenting.documents.document import Column, Paragraph, Section, Table
from etsopt.presenting.documents.figures import SHORT, of_chart, short_in
from etsopt.presenting.documents.keys import cells_of, columns_of
from etsopt.presenting.documents.quantities import COUNT, unit_in
from etsopt.running.results.words import TABLES
from etsopt.studies.sweeping.charts_by_key import charts_of
from etsopt.studies.sweeping.outcome import LEVELS
from etsopt.studies.sweeping.sensitivity import ENDS, inputs_of
from etsopt.studies.sweeping.statistics import regret
from etsopt.studies.sweeping.sweep_document import place_of, words_of
from etsopt.studies.sweeping.sweep_overview import DECISION, MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.presenting.charts.texts import Number
    from etsopt.presenting.documents.document import Block
    from etsopt.studies.sweeping.sweep_document import Shown, SweepSummary

MOST_LISTED, MOST_INDICES = 5_000, 6
"""Rows of a table with a search box, and charts of indices."""

STATISTICS = {
    "mean": _("mean"),
    "p05": "5 %",
    "median": _("median"),
    "p95": "95 %",
    "least": pgettext("sweeping", "least"),
    "largest": pgettext("sweeping", "largest"),
}
"""Columns of statistics and their headings."""

COUNTS = {"count": _("answers"), "states": pgettext("sweeping", "draws")}
"""Columns of the number of answers and of draws, and their headings."""

ALONE: dict[str, str] = {"mean": _("value")}
"""The same of a single scenario."""


def numbers(sweep: SweepSummary) -> Iterator[Section]:
    """Yield the numbers that come first, each with its chart and statistics."""
    for shown in sweep.shown:
        blocks: tuple[Block, ...] = (
            *_only_first(sweep, shown),
            *(of_chart(sweep.about["instance"], chart) for chart in charts_of(sweep, shown)),
            _table(sweep, shown),
        )
        yield Section(shown.number.key, capitalised(shown.number.words), blocks)


def _only_first(sweep: SweepSummary, shown: Shown) -> Iterator[Paragraph]:
    """Say how many decisions a chart leaves out."""
    if sweep.sampled and shown.by_year and (count := len(sweep.decisions)) > sweeps.MOST_PANELS:
        yield Paragraph(_("The chart has the first {most} of {count:,}.", most=sweeps.MOST_PANELS, count=count), "note")


def _table(sweep: SweepSummary, shown: Shown) -> Table:
    """Return the statistics of a number by decision and place, scaled with the unit in the heading."""
    rows = shown.rows
    if shown.by_year:
        years = sorted(rows["year"].unique())
        rows = rows[rows["year"].isin({years[0], years[len(years) // 2], years[-1]})]
    columns, counts = (STATISTICS, COUNTS) if sweep.sampled else (ALONE, {})
    quantity = short_in(float(rows[["least", "largest"]].abs().max(axis=None)), shown.number.unit)
    heads = (
        [*columns_of(sweep.axes), Column(_("of"))] if sweep.axes else [Column(DECISION[sweep.sampled]), Column(_("of"))]
    )
    heads += [Column(name, COUNT) for name in counts.values()] + [Column(name, quantity) for name in columns.values()]
    places = {name: tuple(cells_of(sweep.axes, row)) or (name,) for row, name in enumerate(sweep.decisions)}
    cells = [
        (
            *places[row["decision"]],
            place_of(row | ({"id": ""} if shown.table == LEVELS else {})) or _("all"),
            *(row[key] for key in (*counts, *columns)),
        )
        for row in rows.to_dict("records")
    ]
    key = f"table-{shown.number.key}" if len(cells) > MOST_ROWS else ""
    return Table(shown.number.words, tuple(heads), tuple(cells), key=key)


def decisions(sweep: SweepSummary) -> Iterator[Section]:
    """Yield the comparison of decisions by the first objective: mean, quantiles, worst case and regret."""
    first = next((one for one in sweep.shown if one.table == LEVELS), None)
    if first is None or not sweep.sampled or len(sweep.states["decision"].unique()) < 2:
        return
    rows = first.rows.set_index("decision")
    found = regrets(sweep, first)
    quantity = short_in(float(rows[["least", "largest"]].abs().max(axis=None)), first.number.unit)
    heads = (_("mean"), "5 %", "95 %", _("worst"), _("mean regret"), _("largest regret"))
    columns = [Column(_("decision")), *(Column(name, COUNT) for name in COUNTS.values())]
    columns += [*(Column(name, quantity) for name in heads), Column(_("in draw"))]
    cells = []
    for row in found.to_dict("records"):
        one = rows.loc[row["decision"], ["mean", "p05", "p95", "largest"]]
        where = row["worst_state"] if row["largest_regret"] else "–"
        regrets_of = (row["mean_regret"], row["largest_regret"])
        cells.append((row["decision"], *(row[key] for key in COUNTS), *one, *regrets_of, where))
    said = _(
        "Regret is the distance from the decision that is best in a draw; a draw without an answer has none. A "
        "decision with fewer answers than draws is listed last."
    )
    key = "decisions-table" if len(cells) > MOST_ROWS else ""
    table = Table(first.number.words, tuple(columns), tuple(cells), note=said, key=key)
    yield Section("decisions", pgettext("sweeping", "Decisions"), (table,))


def moves(sweep: SweepSummary) -> Iterator[Section]:
    """Yield Sobol indices: charts of the numbers shown, and a table of all."""
    table = sweep.indices
    if not inputs_of(sweep.stated) or not len(table):
        return
    found = _without_bounds(table[table["total_order"].notna()])
    used, of = int(table["rows"].max()), int(table["rows_of"].max())
    said = _(
        "An index is the share of a number's variance over the draws that an input is the cause of: alone, or with "
        "all its interactions. Rows of the design with every answer: up to {used:,} of {of:,}; the others are left "
        "out whole. A number that does not move has no indices.",
        used=used,
        of=of,
    )
    blocks: list[Block] = [Paragraph(said, "note" if used == of else "warning")]
    for number, one in indices_shown(sweep):
        blocks.append(of_chart(sweep.about["instance"], sweeps.indices(number, one, sweep.about)))
    yield Section("moves", _("What moves the answer"), (*blocks, _index_table(sweep, found)))


def indices_shown(sweep: SweepSummary) -> list[tuple[Number, pd.DataFrame]]:
    """Return the first numbers shown that have indices, with these."""
    table = sweep.indices
    found = table[table["total_order"].notna()] if len(table) else table
    return list(_of_places(sweep, found))[:MOST_INDICES] if len(found) else []


def _of_places(sweep: SweepSummary, indices: pd.DataFrame) -> Iterator[tuple[Number, pd.DataFrame]]:
    """Yield the numbers shown with their indices by sector, of the last year."""
    for shown in sweep.shown:
        same = (indices[["table", "quantity"]] == [shown.table, shown.quantity]).all(axis=1)
        same &= indices["id"].isin(shown.ends["id"])
        if shown.by_year:
            same &= indices["year"] == shown.ends["year"].iloc[0]
        for place, (_key, part) in enumerate(indices[same].groupby(["sector", "province", "id"], sort=False), 1):
            where = place_of(part.iloc[0].to_dict() | ({"id": ""} if shown.table == LEVELS else {}))
            words = joined(filter(None, (shown.number.words, where)), "，")
            yield shown.number._replace(key=f"{shown.number.key}-{place}", words=words), part


def _index_table(sweep: SweepSummary, indices: pd.DataFrame) -> Table:
    """Return all indices with their intervals."""
    heads = [*_what_heads(sweep), Column(_("input")), Column(pgettext("sweeping", "rows"), COUNT)]
    shares = []
    for index, words in (("total_order", _("total index")), ("first_order", _("first-order index"))):
        ends = zip(ENDS, (words, pgettext("column", "from"), pgettext("column", "to")), strict=True)
        shares += [(f"{index}{end}", name) for end, name in ends]
    heads += [Column(name, short_in(1.0, "1")) for _key, name in shares]
    cells = [
        (*_what(row), row["input"], row["rows"], *(row[key] for key, _name in shares))
        for row in indices.head(MOST_LISTED).to_dict("records")
    ]
    return Table(_("Sobol indices"), tuple(heads), tuple(cells), note=_left_out(len(indices)), key="indices")


def everything(sweep: SweepSummary) -> Iterator[Section]:
    """Yield the statistics of every number, which one can search."""
    if not len(sweep.summary):
        return
    columns = STATISTICS if sweep.sampled else ALONE
    heads = [*_what_heads(sweep), Column(_("unit")), *(Column(name, SHORT) for name in columns.values())]
    found = _without_bounds(sweep.summary)
    cells = [
        (*_what(row), unit_in(row["unit"]) or "–", *(row[key] for key in columns))
        for row in found.head(MOST_LISTED).to_dict("records")
    ]
    title = _("All numbers")
    said = _(
        "The folder of the sweep has the tables to export: scenarios with every change and message, values with "
        "every number."
    )
    if sweep.sampled:
        said = _(
            "The folder of the sweep has the tables to export: scenarios with every change and message, values with "
            "every number, summary with these statistics."
        )
    table = Table(title, tuple(heads), tuple(cells), note=_left_out(len(found)), key="numbers")
    yield Section("all", title, (Paragraph(said, "note"), table))


def _without_bounds(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the bounds of objectives, which a proven answer reaches."""
    return table[~((table["table"] == LEVELS) & (table["quantity"] == "bound"))]


def _what_heads(sweep: SweepSummary) -> list[Column]:
    heads = (DECISION[sweep.sampled], _("table"), pgettext("sections", "number"), _("of"))
    return [Column(name) for name in heads]


def _what(row: dict[str, Any]) -> tuple[str, ...]:
    """Return decision, table, column and place of a number."""
    table = TABLES.get(row["table"], row["table"]) if row["table"] != LEVELS else _("objectives")
    name = row["id"] if row["table"] == LEVELS else ""
    place = place_of(row | ({"id": ""} if name else {}))
    return row["decision"], table, words_of(row["quantity"], name), place or "–"


def _left_out(count: int) -> str:
    if count <= MOST_LISTED:
        return ""
    return _(
        "The first {shown:,} of {count:,} rows; the file beside this page has all.", shown=MOST_LISTED, count=count
    )


def regrets(sweep: SweepSummary, shown: Shown) -> pd.DataFrame:
    """Return the regret of each decision in an objective, which every model makes small."""
    values = sweep.proven[sweep.proven["id"].isin(shown.rows["id"].unique())]
    return regret(values, shown.table, shown.quantity)
