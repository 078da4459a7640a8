"""Sections of an allocation: totals, surplus rates, provinces, enterprises, what binds, and the table of units."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, joined, ngettext, pgettext
from etsopt.common.scales import signed
from etsopt.common.units import format_rate, format_tonnes
from etsopt.common.vocabulary import word
from etsopt.data.messages import first_of
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.documents.columns import heading, sums_of, table_of
from etsopt.presenting.documents.document import Column, Commands, Paragraph, Points, Section, Table, named
from etsopt.presenting.documents.quantities import FIGURES, SHADOW_PRICE, WORDS, amount
from etsopt.reports.run import figure
from etsopt.reports.stated import within_scope
from etsopt.running.results.equal_allocation import equal_allocation, outside_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.presenting.documents.document import Block
    from etsopt.reports.run import Run

MOST_UNITS = 10_000
"""Units that the table with a search box holds; more are shown by sector and province, and the page says so."""

SHOWN = 10
"""Enterprises on either side."""

TOTALS = ("units", "emissions_tco2e", "reference_t", "allowance_t", "target_t", "surplus_t")
SECTORS = ("sector", *TOTALS, "surplus_rate", "balance_value")
PROVINCES = ("province", *TOTALS[:4], "surplus_t", "surplus_rate", "balance_limit_t")
ENTERPRISES = ("name", "enterprise_id", "province", *TOTALS[:2], "allowance_t", "surplus_t", "surplus_rate")
UNITS = (
    *(
        "unit_id",
        "name",
        "enterprise_id",
        "sector",
        "province",
        "intensity",
        "emissions_tco2e",
        "reference_t",
        "allowance_t",
    ),
    *("surplus_t", "surplus_rate", "at_bound"),
)

BINDS_T = 1.0
"""Distance at which a total counts as at its limit [t]."""


def totals(run: Run) -> Iterator[Section]:
    """Yield totals and targets by sector."""
    if "sectors" not in run.tables:
        return
    sectors = run.tables["sectors"]
    blocks: list[Block] = [table_of(sectors, SECTORS, _("By sector"), totals=_sums(sectors))]
    if fixed := equal_allocation(run.tables):
        blocks.append(Paragraph(fixed, "note"))
    if outside := outside_of(run.tables):
        text = _(
            "{outside:,} more are outside the year's scope: no allowances, no obligation, in no total: {names}.",
            outside=outside,
            names=first_of(_outside_scope(run.tables["allocation"])),
        )
        blocks.append(Paragraph(text, "note"))
    blocks += [Paragraph(text, "note") for text in _exceptions(run)]
    yield Section("totals", _("Totals and targets"), tuple(blocks))


def _outside_scope(units: pd.DataFrame) -> list[str]:
    """Return the units outside the year's scope."""
    return units.loc[~units["in_scope"].astype(bool), "unit_id"].tolist()


def _exceptions(run: Run) -> Iterator[str]:
    """Yield which units use the wider band."""
    units = run.tables.get("allocation")
    if units is None or "exceptional" not in units:
        return
    chosen = units.loc[units["exceptional"], "unit_id"].tolist()
    yield _(
        "Exceptions: {count} of at most {most} units use the wider band{names}.",
        count=len(chosen),
        most=run.policy["allocation"]["exceptions"]["units"],
        names=_(": {names}", names=first_of(chosen)) if chosen else "",
    )


def _sums(table: pd.DataFrame) -> dict[str, float]:
    """Return sums for a last row; a target that not every row has is left out."""
    sums = sums_of(table, TOTALS)
    if "target_t" in sums and table["target_t"].isna().any():
        del sums["target_t"]
    return sums


def rates(run: Run) -> Iterator[Section]:
    """Yield the distribution of surplus rates, and the rates by intensity."""
    blocks = [*figure(run, "rates"), *figure(run, "surplus"), *figure(run, "intensity")]
    if blocks:
        yield Section("rates", _("Surplus rates of units"), tuple(blocks))


def provinces(run: Run) -> Iterator[Section]:
    """Yield surplus and balance of each province."""
    if "provinces" not in run.tables:
        return
    table = run.tables["provinces"]
    blocks: list[Block] = [*figure(run, "provinces")]
    blocks.append(table_of(table, PROVINCES, _("By province"), totals=_sums(table)))
    yield Section("provinces", _("Provinces"), tuple(blocks))


def fairness(run: Run) -> Iterator[Section]:
    """Yield how equal the allocation is, by the rule and optimised."""
    if "fairness" not in run.tables:
        return
    table = run.tables["fairness"]
    note = _(
        "Zero is equal. Against emissions: the same surplus rate for all; against output: the same allowances per "
        "output, beside the mean intensity of the sector. The largest loss is against the reference allocation, "
        "coverage the share of the weight that allowances cover."
    )
    shown = [name for name in table if name != "left_out_t" or table[name].any()]
    yield Section("fairness", _("Fairness"), (table_of(table, shown, _("Inequality of allowances"), note=note),))


def enterprises(run: Run) -> Iterator[Section]:
    """Yield the enterprises that have the most to buy and to sell."""
    if "enterprises" not in run.tables or "surplus_t" not in run.tables["enterprises"]:
        return
    table = run.tables["enterprises"]
    short, left = table[table["surplus_t"] < -0.5], table[table["surplus_t"] > 0.5]
    blocks: list[Block] = [*figure(run, "enterprises")]
    for part, largest, caption in (
        (short, short.nsmallest(SHOWN, "surplus_t"), _("Largest deficits: to buy")),
        (left, left.nlargest(SHOWN, "surplus_t"), _("Largest surpluses: to sell")),
    ):
        if len(part):
            note = _(
                "{shown:,} of {count:,} enterprises, which together have {total}.",
                shown=len(largest),
                count=len(part),
                total=amount(float(part["surplus_t"].abs().sum()), "t"),
            )
            blocks.append(table_of(largest, ENTERPRISES, caption, note=note, exact=True))
    if len(blocks) > 1:
        title = _("Largest buyers and sellers")
        if "enterprise_years" in run.tables:
            title = _("Largest deficits and surpluses, before measures")
        yield Section("enterprises", title, tuple(blocks))


def binding(run: Run) -> Iterator[Section]:
    """Yield the limits that bind, what one tonne more would save, and the key of the policy that states each."""
    if "sectors" not in run.tables or not run.results.levels:
        return
    rows = [*_targets(run), *_balances(run), *_bands(run)]
    columns = (
        Column(heading("limit")),
        Column(pgettext("column", "at"), FIGURES, 1),
        Column(_("one more tonne saves"), FIGURES, 1),
        Column(_("loosen it with"), WORDS, 3),
    )
    blocks: list[Block] = []
    if rows:
        note = _(
            "The third column is the shadow price of the first objective: tonnes of change against the rule that "
            "one tonne more on the limit would save. It holds for small moves, and where several limits bind "
            "together it need not be the only one."
        )
        blocks.append(Table(_("Limits that bind"), columns, tuple(rows), (), note))
    else:
        blocks.append(Paragraph(_("No limit binds: the rule alone keeps them all.")))
    blocks += [Paragraph(text) for text in _counted_balances(run)]
    blocks += _shadow_prices(run)
    text = _("Why one unit got its number, and what it would take to get one tonne more:")
    blocks += [Paragraph(text), Commands((f"etsopt explain {shlex.quote(run.folder)} UNIT",))]
    yield Section("binding", _("What binds, and what would loosen it"), tuple(blocks))


def _targets(run: Run) -> Iterator[tuple[str, ...]]:
    sectors = run.tables["sectors"]
    for row in sectors[sectors["under_target_t"].abs() <= BINDS_T].to_dict("records"):
        sector = str(row["sector"])
        name = _("target of {sector}", sector=name_of(sector))
        stated = (run.policy.get("sectors") or {}).get(sector) or {}
        key = next((key for key in ("target_t", "target_intensity") if stated.get(key) is not None), "target_change")
        price = _saving(float(row.get("change_shadow_price", np.nan)))
        yield name, amount(float(row["target_t"]), "t"), price, f"sectors.{sector}.{key}"


def _balances(run: Run) -> Iterator[tuple[str, ...]]:
    if "provinces" not in run.tables:
        return
    table = run.tables["provinces"]
    at_limit = table[(table["surplus_t"].abs() - table["balance_limit_t"]).abs() <= BINDS_T]
    by_name = isinstance((run.policy.get("provinces") or {}).get("balance"), dict)
    for row in at_limit[at_limit["emissions_tco2e"] > 0].to_dict("records"):
        province = str(row["province"])
        name = _("balance of {province}", province=name_of(province))
        key = f"provinces.balance.{province}" if by_name else "provinces.balance"
        price = _saving(float(row.get("change_shadow_price", np.nan)))
        yield name, amount(float(row["surplus_t"]), "t"), price, key


def _counted_balances(run: Run) -> Iterator[str]:
    """Yield how many provinces have a balance, and which of them are at its limit."""
    if "provinces" not in run.tables:
        return
    table = run.tables["provinces"]
    limited = table[table["balance_limit_t"].notna()]
    if limited.empty:
        stated = (run.policy.get("provinces") or {}).get("balance") is not None
        yield _("No province has a unit to balance.") if stated else _("The policy has no province balance.")
        return
    beyond = limited["surplus_t"].abs() - limited["balance_limit_t"]
    at_limit, over = (
        joined(name_of(name) for name in limited.loc[where, "province"])
        for where in (beyond.abs() <= BINDS_T, beyond > BINDS_T)
    )
    yield _(
        "Province balances: {count} in all, {at_limit} at the limit{names}{exceeded}.",
        count=len(limited),
        at_limit=int((beyond.abs() <= BINDS_T).sum()),
        names=_(": {names}", names=at_limit) if at_limit else "",
        exceeded=_("; beyond the limit: {names}", names=over) if over else "",
    )


WITHOUT_PRICES = (
    *("least_squares", "squared_rates", "squared_shares", "squared_losses"),
    *("rounding", "exceptions", "exception_size", "exception_order"),
)
"""Objectives whose shadow prices prove them and have no use beyond."""


def _shadow_prices(run: Run) -> Iterator[Table]:
    """Yield the change of each objective by one tonne more of a sector's target, if an objective has shadow prices."""
    table = run.tables["sectors"]
    names = [level.name for level in run.results.levels if level.name not in WITHOUT_PRICES]
    names = [name for name in names if f"{name}_shadow_price" in table]
    if names:
        units = {level.name: level.unit for level in run.results.levels}
        priced = table[["sector", *(f"{name}_shadow_price" for name in names)]]
        columns = [
            Column(word("level", name), SHADOW_PRICE._replace(unit=f"{units[name]}/t"), 1, f"{name}_shadow_price")
            for name in names
        ]
        made = table_of(priced, priced.columns, _("Shadow prices: change per extra tonne of target"))
        yield replace(made, columns=(made.columns[0], *columns))


def _bands(run: Run) -> Iterator[tuple[str, ...]]:
    for row in run.tables["sectors"].to_dict("records"):
        sector = str(row["sector"])
        ends = {
            "lower": _("lower end of the band of {sector}", sector=name_of(sector)),
            "upper": _("upper end of the band of {sector}", sector=name_of(sector)),
        }
        for side, name in ends.items():
            if count := int(row[f"units_{side}"]):
                units = ngettext("{count:,} unit", "{count:,} units", count)
                yield name, units, "–", f"sectors.{sector}.band.{side}"


def _saving(price: float) -> str:
    """Return what one tonne more on a limit saves, by its shadow price."""
    return _in_tonnes(f"{abs(price) + 0.0:.4g}") if np.isfinite(price) else "–"


def _in_tonnes(number: str) -> str:
    return _("{tonnes} t", tonnes=signed(number))


def units(run: Run) -> Iterator[Section]:
    """Yield the table of units with its search box; of too many, totals by sector and province."""
    if "allocation" not in run.tables or not len(run.tables["allocation"]):
        return
    table = run.tables["allocation"]
    if "in_scope" in table and run.results.held is not None:
        why = str(_("outside the scope"))
        bound = table["at_bound"].where(table["in_scope"], why)
        table = within_scope(table, run.results.instance).assign(at_bound=bound)
    blocks: list[Block] = []
    if len(table) <= MOST_UNITS:
        caption = _("All {count:,} units", count=len(table))
        blocks.append(table_of(table, UNITS, caption, exact=True, key="units"))
    else:
        text = _(
            "The run has {count:,} units, too many for a page: here they are added up by sector and province. The "
            "table allocation of the run has each of them; etsopt explain and --letter tell of one.",
            count=len(table),
        )
        blocks.append(Paragraph(text, "warning"))
        columns = [name for name in TOTALS if name in table]
        groups = table.groupby(["sector", "province"], as_index=False, observed=True)
        added = groups[columns].sum().merge(groups.size().rename(columns={"size": "units"}))
        added["surplus_rate"] = added["surplus_t"] / added["emissions_tco2e"].where(added["emissions_tco2e"] > 0)
        caption = _("Units by sector and province")
        shown = ("sector", "province", *TOTALS[:4], "surplus_t", "surplus_rate")
        blocks.append(table_of(added, shown, caption, key="units"))
    yield Section("units", _("Units"), tuple(blocks))


def relaxed(run: Run) -> Iterator[Section]:
    """Yield relaxations of an infeasible policy, called least if that is proven, and the policies that would do."""
    if "relaxed_limits" not in run.tables:
        return
    frame = run.tables["relaxed_limits"]
    blocks: list[Block] = []
    if run.remedies:
        blocks.append(Paragraph(_("Each of these changes makes the policy feasible:")))
        lines = [named(_("remedy {number}", number=one.number), named(one.way, one.text)) for one in run.remedies]
        blocks.append(Points(tuple(lines)))
        if run.is_written:
            name = f"{shlex.quote(run.folder)}/instance"
            blocks.append(Commands(tuple(f"etsopt solve {name} --apply-remedy {one.number}" for one in run.remedies)))
        else:
            blocks.append(Paragraph(_("Add `--apply-remedy 1` to the command to solve under the first of them.")))
    blocks += figure(run, "relaxations")
    proven = any(level.name == "target_relaxation" and level.certified for level in run.results.levels)
    titles = {
        "alone": _("Infeasible even without the other limits"),
        "target_relaxation": _("Bands kept, targets and balances relaxed least")
        if proven
        else _("Bands kept, targets and balances relaxed (not proven to be the least)"),
        "band_relaxation": _("Targets kept, bands and balances relaxed (not proven to be the least)"),
    }
    for way, title in titles.items():
        rows = frame[frame["way_out"] == way]
        if len(rows):
            blocks.append(_relaxations(rows, title))
    yield Section("relaxed", _("What would have to give"), tuple(blocks))


MOST_LIMITS = 12
"""Limits of each way out that the page shows."""

LIMITS = {
    "target": _("target of {sector}"),
    "balance": _("balance of {province}"),
    "band": _("band of {sector}"),
    "nation": _("national total"),
}
"""Names of limits."""


def _relaxations(rows: pd.DataFrame, caption: str) -> Table:
    cells = []
    # A band that has to give comes first, since it is one limit for all of its sector.
    ordered = rows.sort_values("limit", key=lambda limits: limits != "band", kind="stable")
    for row in ordered.head(MOST_LIMITS).to_dict("records"):
        place = name_of(row["index"])
        name = _(LIMITS[row["limit"]], sector=place, province=place)
        cells.append((name, *(_in_unit(float(row[key]), row["unit"]) for key in ("by", "from", "to"))))
    heads = (heading("limit"), _("relax by"), heading("from"), heading("to"))
    columns = tuple(Column(head, FIGURES if place > 0 else WORDS) for place, head in enumerate(heads))
    left = len(rows) - MOST_LIMITS
    note = _("{left} more are in the table relaxed_limits.", left=left) if left > 0 else ""
    return Table(caption, columns, tuple(cells), (), note)


def _in_unit(value: float, unit: str) -> str:
    return _in_tonnes(format_tonnes(value)) if unit == "t" else signed(format_rate(value))
