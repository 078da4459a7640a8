"""Two runs side by side: what differs in the policy, in totals, by sector, province and year, and of units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _, pgettext
from etsopt.common.vocabulary import word
from etsopt.presenting.charts.chart import CHOSEN, OTHER, Chart, Panel, Series
from etsopt.presenting.documents.columns import column_of, heading, table_of, words_of
from etsopt.presenting.documents.document import Column, Document, Facts, Paragraph, Section, Table
from etsopt.presenting.documents.figures import of_chart
from etsopt.presenting.documents.quantities import FIGURES, WHOLE_TONNES, WORDS, amount, per_tonne, tonnes
from etsopt.reports.answer import answer, status
from etsopt.reports.certificate import figure_of
from etsopt.reports.key_figures import key_figures
from etsopt.reports.outlook import CAPTIONS, compared_tables
from etsopt.running.results.comparison import compare, policy_differences
from etsopt.running.results.prices import has_price

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.presenting.documents.document import Block
    from etsopt.reports.run import Run

SHOWN = 20
MOVED_T = 1.0
"""Difference from which a unit counts as different [t]."""

JOINED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "sectors": (("sector",), ("allowance_t", "surplus_rate"), _("By sector")),
    "years": (("year",), ("price_cny_per_t", "emissions_tco2e", "allowance_t"), _("By year")),
    "equilibrium": (("sector", "year"), ("balance_value", "emissions_tco2e"), _("Balance values")),
    "compliance_sectors": (("sector",), ("allowance_t",), _("Issued by sector")),
    "provinces": (("province",), ("allowance_t", "surplus_rate"), _("By province")),
    "compliance_provinces": (("province",), ("obligation_t", "shortfall_t"), _("By province")),
    "outlook_years": (
        ("case", "year"),
        ("price_cny_per_t", "emissions_tco2e"),
        _("Price of an allowance, and emissions"),
    ),
    "outlook_sectors": (
        ("sector", "year"),
        ("demand_t", "product_price_cny_per_t", "emissions_tco2e"),
        CAPTIONS["outlook_sectors"],
    ),
    "outlook_electricity": (
        ("year",),
        ("demand_mwh", "product_price_cny_per_mwh", "emissions_tco2e"),
        CAPTIONS["outlook_electricity"],
    ),
}
"""Tables that are shown side by side: their keys, columns and captions."""


def run_comparison(one: Run, other: Run) -> Document:
    """Return a page on two runs.

    Raises
    ------
    UsageError
        If they have no table in common that can be compared.
    """
    first, second = ({**run.tables, **compared_tables(run)} for run in (one, other))
    shared = [name for name in JOINED if len(first.get(name, ())) and len(second.get(name, ()))]
    if not shared:
        what = _("The two runs have no table in common that a page can show side by side.")
        raise UsageError(what, _("Name two runs of one model, or of models that both allocate or clear a market."))
    sections = [
        _policy(one, other),
        *_price(one, other),
        *(_joined(one, other, name, first[name], second[name]) for name in shared),
    ]
    sections += [*_units(one, other), _objectives(one, other)]
    names = [_name(run, place) for place, run in enumerate((one, other))]
    return Document(
        title=f"{names[0]} | {names[1]}",
        kicker=_("two runs side by side, second minus first"),
        answer=_difference(one, other, names),
        status=f"{status(one)} | {status(other)}",
        proven=one.results.certified and other.results.certified,
        sections=(_answers(one, other, names), *sections),
        imprint=" | ".join(_source(run) for run in (one, other)),
    )


def _source(run: Run) -> str:
    return f"{run.about.instance} {run.about.instance_hash[:16]}…"


def _difference(one: Run, other: Run, names: Sequence[str]) -> str:
    """Return in one sentence how far the two are apart."""
    first, second = names
    if all("years" in run.tables and len(run.tables["years"]) and has_price(run.tables) for run in (one, other)):
        ends = [run.tables["years"].iloc[-1] for run in (one, other)]
        prices = [per_tonne(end["price_cny_per_t"]) for end in ends]
        emissions = [amount(float(end["emissions_tco2e"]), "t") for end in ends]
        return _(
            "In {year} the price is {price} in {first} and {other_price} in {second}, emissions are {emissions} and "
            "{other_emissions}.",
            year=ends[1]["year"],
            price=prices[0],
            first=first,
            other_price=prices[1],
            second=second,
            emissions=emissions[0],
            other_emissions=emissions[1],
        )
    if all("allocation" in run.tables and "unmet_demand" not in run.tables for run in (one, other)):
        given = [float(run.tables["allocation"]["allowance_t"].sum()) for run in (one, other)]
        more = given[1] - given[0]
        template = _("“{second}” allocates {moved} more than “{first}”, {total} in all.")
        if more < 0:
            template = _("“{second}” allocates {moved} less than “{first}”, {total} in all.")
        total = amount(given[1], "t")
        return _(template, first=first, second=second, moved=tonnes(abs(more)), total=total)
    return _("{first} and {second} side by side.", first=first, second=second)


def _name(run: Run, place: int) -> str:
    """Return the name of a run: that of its folder, or first and second."""
    return run.folder if run.is_written else str((_("first"), _("second"))[place])


def _answers(one: Run, other: Run, names: Sequence[str]) -> Section:
    """Return both answers, and their key figures in two columns."""
    figures = [{figure.label: figure for figure in key_figures(run)} for run in (one, other)]
    rows = [
        (label, *(f"{found[label].value} {found[label].unit}".strip() for found in figures))
        for label in figures[0]
        if label in figures[1]
    ]
    blocks: list[Block] = [Facts(tuple(zip(names, (answer(one), answer(other)), strict=True)))]
    if rows:
        heads = (Column(_("figure")), *(Column.of_figures(name) for name in names))
        blocks.append(Table(_("Key figures"), heads, tuple(rows)))
    return Section("answers", _("Answers"), tuple(blocks))


def _policy(one: Run, other: Run) -> Section:
    """Return the keys of the policy that differ."""
    differing = policy_differences(one.policy, other.policy)
    rows = [(key, *("–" if value is None else str(value) for value in pair)) for key, pair in differing.items()]
    stated = (
        (_("instance"), one.about.instance, other.about.instance),
        (_("model"), one.about.model, other.about.model),
    )
    rows = [*(row for row in stated if row[1] != row[2]), *rows]
    names = [Column(_name(run, at)) for at, run in enumerate((one, other))]
    heads = (Column(pgettext("page", "key")), *names)
    same = () if differing else (Paragraph(_("The policies are the same.")),)
    table = (Table(_("Policy keys that differ"), heads, tuple(rows)),) if rows else ()
    return Section("policy", _("What differs in the question"), (*table, *same))


def _price(one: Run, other: Run) -> Iterator[Section]:
    """Yield both prices in one chart, where both runs have several years."""
    tables = [run.tables.get("years") for run in (one, other)]
    if any(table is None or len(table) < 2 for table in tables):
        return
    if not all(has_price(run.tables) for run in (one, other)):
        return
    series = []
    for at, (run, table, colour) in enumerate(zip((one, other), tables, (CHOSEN, OTHER), strict=True)):
        assert table is not None
        name = _name(run, at)
        place, price = (table[column].to_numpy(dtype=float) for column in ("year", "price_cny_per_t"))
        series.append(Series("line", name, place, price, colour, style="dashed" if at else "marked"))
    panel = Panel("", _("compliance year"), _("price [CNY/t]"), tuple(series))
    chart = Chart("prices", _("Price of an allowance"), (panel,))
    yield Section("price", _("Price"), (of_chart(one.about.instance, chart),))


def _joined(one: Run, other: Run, name: str, *tables: pd.DataFrame) -> Section:
    """Return a table of both runs: each column of the first, of the second, and the difference."""
    keys, wanted, caption = JOINED[name]
    shown = [column for column in wanted if all(column in table for table in tables)]
    if name == "years" and not all(has_price(run.tables) for run in (one, other)):
        shown = [column for column in shown if column != "price_cny_per_t"]
    both = tables[0][[*keys, *shown]].merge(tables[1][[*keys, *shown]], on=list(keys), how="outer", suffixes=("", " "))
    columns = [Column(heading(key)) for key in keys]
    cells = [words_of(key, both[key].tolist()) for key in keys]
    for column in shown:
        pair = [both[column], both[f"{column} "]]
        made = column_of(column, pair[0])
        # Both are in one scale, and their difference, which is small beside them, in its own.
        quantity = made.quantity.fitting(float(pd.concat(pair).abs().max()))
        for at, run in enumerate((one, other)):
            columns.append(Column(_of_run(made.heading, _name(run, at)), quantity))
        columns.append(Column(_("difference"), made.quantity))
        cells += [values.tolist() for values in (*pair, pair[1] - pair[0])]
    table = Table(caption, tuple(columns), tuple(zip(*cells, strict=True)))
    return Section(name.replace("_", "-"), caption, (table,))


def _of_run(heading: str, name: str) -> str:
    return _("{heading}, {run}", heading=heading, run=name)


def _units(one: Run, other: Run) -> Iterator[Section]:
    """Yield the units that differ most, where both runs allocate to the same units."""
    if not all("allocation" in run.tables for run in (one, other)):
        return
    title = _("Units that differ most")
    try:
        table = compare(one.results, other.results)["allocation"]
    except UsageError as error:
        yield Section("units", title, (Paragraph(error.failure, "note"),))
        return
    moved = table[table["difference_t"].abs() > MOVED_T]
    text = _(
        "{moved:,} of {count:,} units differ by more than 1 t, {total} in all.",
        moved=len(moved),
        count=len(table),
        total=tonnes(float(table["difference_t"].abs().sum())),
    )
    blocks: list[Block] = [Paragraph(text)]
    if len(moved):
        largest = moved.loc[moved["difference_t"].abs().sort_values(ascending=False, kind="stable").index[:SHOWN]]
        columns = ("unit_id", "allowance_t_one", "allowance_t_other", "difference_t")
        found = table_of(largest, columns, title, exact=True)
        names = [_of_run(heading("allowance_t"), _name(run, at)) for at, run in enumerate((one, other))]
        heads = [Column(name, WHOLE_TONNES) for name in (*names, _("difference"))]
        blocks.append(Table(title, (found.columns[0], *heads), found.rows))
    yield Section("units", title, tuple(blocks))


def _objectives(one: Run, other: Run) -> Section:
    """Return the objectives that both have."""
    levels = [{level.name: level for level in run.results.levels} for run in (one, other)]
    rows = [
        (
            word("level", name),
            *(figure_of(found[name].value) for found in levels),
            word("unit", levels[0][name].unit),
        )
        for name in levels[0]
        if name in levels[1]
    ]
    heads = (_("objective"), _name(one, 0), _name(other, 1), _("unit"))
    columns = tuple(Column(head, FIGURES if at in (1, 2) else WORDS) for at, head in enumerate(heads))
    facts = Facts(tuple((_name(run, at), status(run)) for at, run in enumerate((one, other))))
    table = Table(_("Objectives"), columns, tuple(rows))
    return Section("certificate", _("Certificate"), (facts, table) if rows else (facts,))
