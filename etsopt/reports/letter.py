"""The letter of an enterprise: its allowances on one page, and how the numbers of its units come about."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import UsageError
from etsopt.common.language import _, in_brackets, joined
from etsopt.data.doubts import doubts_at
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.documents.columns import heading, sums_of, table_of, used
from etsopt.presenting.documents.document import Document, Facts, Paragraph, Points, Section, clauses, named
from etsopt.presenting.documents.quantities import amount, rate, tonnes
from etsopt.presenting.explanation.explain import FURTHER
from etsopt.reports.answer import status, surplus_of
from etsopt.reports.stated import confidence_of, outside_scope, within_scope
from etsopt.rules import pre_allocation
from etsopt.running.results.notices import notices

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.presenting.documents.document import Block
    from etsopt.presenting.explanation.steps import Step
    from etsopt.reports.run import Run

MOST_YEARS, MOST_UNITS, UNITS_BESIDE_YEARS = 11, 8, 4
"""Rows of years and of units that fit on the page."""

MOST_LINES, LINES_OF_OTHERS = 32, 2
"""Rows of both tables and lines of explanation that fit on the page, and lines for each unit but the largest."""

TOLD_OF_OTHERS = (
    *("scope", "special_case", "threshold", "intensity", "coefficient", "electricity_t", "heat_t"),
    *("gas_top_up_t", "added_t", "reference_t", "sector_target", "province_balance", "national_total", "held_back"),
    "allowance_t",
)
"""Steps of the units that are explained in one line."""

UNITS = (
    *("unit_id", "name", "sector", "province", "emissions_tco2e", "reference_t", "allowance_t"),
    *("surplus_t", "surplus_rate"),
)
UNITS_LATER = ("unit_id", "name", "sector", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "surplus_t")
YEARS = ("year", "emissions_tco2e", "allowance_t", "bought_t", "sold_t", "offset_t", "banked_t", "total_cost_cny")
HOLDINGS = (
    *("vintage", "opening_t", "carried_over_t", "issued_t", "bought_t", "surrendered_t", "sold_t"),
    *("cancelled_t", "closing_t"),
)
MET = ("obligation_t", "surrendered_t", "offset_t", "shortfall_t")
OWN = ("allocation", "units", "issuance", "unit_years")
"""Tables with the units of an enterprise, the first that a run has."""


def units_of(run: Run) -> pd.DataFrame:
    """Return the table with the units of enterprises; raise UsageError if the run has none."""
    name = next((name for name in OWN if "enterprise_id" in run.tables.get(name, ())), None)
    if name is None:
        what = _("The run has no table of the units of enterprises.")
        raise UsageError(what, _("Take a run of a model that allocates, such as allocation, pathway or compliance."))
    return run.tables[name]


def letter(run: Run, enterprise: str) -> Document:
    """Return the letter of an enterprise by its identifier, as `etsopt.reports.letters.addressee` returns it."""
    units = units_of(run)
    units = units[units["enterprise_id"] == enterprise]
    if "year" in units:
        units = units[units["year"] == units["year"].min()]
    about = _about(run, enterprise)
    title = str(about.get("name") or enterprise)
    # What is in doubt at others is no matter of this enterprise.
    told = run.about.model_copy(update={"doubts": doubts_at(run.about.doubts, units["unit_id"])})
    parts = [*_accounts(run, enterprise), *_years(run, enterprise), _units(run, units), *_why(run, units)]
    year = run.policy.get("year")
    places = [title] if title == enterprise else [enterprise]
    places += [name_of(about[key]) for key in ("province", "city") if about.get(key)]
    return Document(
        title=title,
        kicker=" · ".join(map(str, [*places, _("compliance year {year}", year=year)])),
        answer=_answer(run, title, units),
        status=status(run),
        warnings=tuple(Paragraph(notice, "warning") for notice in notices(told)),
        proven=run.results.certified,
        sections=tuple(parts),
        imprint=_imprint(run),
    )


def _about(run: Run, enterprise: str) -> dict[str, Any]:
    """Return name, province and city of the enterprise, as far as the run or its instance has them."""
    tables = [run.tables.get("enterprises"), run.tables.get("compliance")]
    tables += [run.results.instance.enterprises] if run.results.held is not None else []
    found: dict[str, Any] = {}
    for table in tables:
        if table is not None:
            for row in table[table["enterprise_id"] == enterprise].head(1).to_dict("records"):
                found = {**{key: value for key, value in row.items() if isinstance(value, str)}, **found}
    return found


def _answer(run: Run, name: str, units: pd.DataFrame) -> str:
    emissions, given = (float(units[column].sum()) for column in ("emissions_tco2e", "allowance_t"))
    year, surplus = run.policy.get("year"), given - emissions
    if len(_outside(run, units)) == len(units):
        return _(
            "No unit of {name} is in the scope of {year}: it is due no allowances and owes none.", name=name, year=year
        )
    return _(
        "For compliance year {year}, {name} is due {allowances} of allowances for {emissions} of emissions: "
        "{surplus}{share}.",
        year=year,
        name=name,
        allowances=tonnes(given),
        emissions=tonnes(emissions),
        surplus=surplus_of(surplus, tonnes(abs(surplus))),
        share=in_brackets(rate(abs(surplus) / emissions)) if emissions else "",
    )


def _accounts(run: Run, enterprise: str) -> Iterator[Section]:
    """Yield what was allocated in advance and is due now, or the accounts of a compliance year."""
    if "compliance" in run.tables:
        row = run.tables["compliance"]
        row = row[row["enterprise_id"] == enterprise]
        if not len(row):
            return
        of = row.iloc[0]
        pairs = [
            *((heading(column), tonnes(float(of[column]))) for column in MET),
            (_("kept for later years"), tonnes(float(of["closing_t"]))),
            (heading("cost_cny"), amount(float(of["cost_cny"]), "CNY")),
        ]
        blocks: list[Block] = [Facts(tuple(pairs))]
        holdings = run.tables.get("holdings")
        if holdings is not None and len(own := holdings[holdings["enterprise_id"] == enterprise]):
            caption = _("Holdings by vintage")
            blocks.append(table_of(own, used(own, HOLDINGS), caption, exact=True))
        yield Section("account", _("Surrender and holdings"), tuple(blocks))
    elif "enterprises" in run.tables and "top_up_t" in run.tables["enterprises"]:
        blocks = list(_true_up(run, enterprise))
        yield from [Section("account", _("True-up"), tuple(blocks))] if blocks else []


def _true_up(run: Run, enterprise: str) -> Iterator[Block]:
    """Yield pre-allocation and what is due beside it; nothing is 0 of which the instance states nothing."""
    unknown = units = 0
    if run.results.held is not None:
        instance = run.results.instance
        own = (instance.units["enterprise_id"] == enterprise).to_numpy()
        stated = ~np.isnan(pre_allocation(instance)[own])
        # A unit outside the scope gets none, and counts only if one is stated of it.
        unknown = int((~stated & instance.in_scope[own]).sum())
        units = unknown + int(stated.sum())
        if not units:
            return
    if unknown and unknown == units:
        text = _(
            "Pre-allocation: none is stated, nor last year's emissions from which it would follow. Top-up and "
            "return are therefore not known."
        )
        yield Paragraph(text)
        return
    table = run.tables["enterprises"]
    of = table[table["enterprise_id"] == enterprise].iloc[0]
    # The enterprise settles the sum over its units, some of which may get more and others have to return some.
    due = float(of["top_up_t"]) - float(of["return_t"])
    yield Facts(
        (
            (_("pre-allocated"), tonnes(float(of["pre_allocated_t"]))),
            (_("top-up to be issued") if due >= 0 else _("to be returned"), tonnes(abs(due))),
        )
    )
    if unknown:
        text = _(
            "No pre-allocation is stated of {unknown:,} of the {count:,} units; they count with none.",
            unknown=unknown,
            count=units,
        )
        yield Paragraph(text, "note")


def _years(run: Run, enterprise: str) -> Iterator[Section]:
    if "enterprise_years" not in run.tables:
        return
    table = run.tables["enterprise_years"]
    own = table[table["enterprise_id"] == enterprise].sort_values("year")
    left = len(own) - MOST_YEARS
    note = _("{left} more years are in the table enterprise_years.", left=left)
    shown, title = own.head(MOST_YEARS), _("In the market")
    block = table_of(shown, used(shown, YEARS), title, exact=True, note=note if left > 0 else "")
    yield Section("years", title, (block,))


def _outside(run: Run, units: pd.DataFrame) -> list[str]:
    """Return the units of a table that are outside the scope of the year, as far as the run can tell."""
    if run.results.held is None:
        return []
    outside = units["unit_id"].isin(outside_scope(run.results.instance))
    return [str(name) for name in units.loc[outside, "unit_id"]]


def _most_units(run: Run) -> int:
    return UNITS_BESIDE_YEARS if "enterprise_years" in run.tables else MOST_UNITS


def _units(run: Run, units: pd.DataFrame) -> Section:
    outside = _outside(run, units)
    if outside:
        units = within_scope(units, run.results.instance)
    by_size = units.sort_values("emissions_tco2e", ascending=False, kind="stable")
    largest = _with_names(run, by_size.head(_most_units(run)))
    columns = UNITS_LATER if "emissions_before_tco2e" in units else UNITS
    left = len(units) - len(largest)
    note = _("The sums are of all {count:,} units.", count=len(units)) if left else ""
    if outside:
        # Without it a dash would be read as a figure that is missing.
        names = joined(outside[: _most_units(run)]) + ("…" if len(outside) > _most_units(run) else "")
        text = _("Outside the scope of the year: {names}.", names=names)
        note = _("{first} {second}", first=note, second=text) if note else text
    known = run.results.instance.units if run.results.held is not None else units
    for text in confidence_of(known[known["unit_id"].isin(units["unit_id"])], _most_units(run)):
        note = _("{first} {second}", first=note, second=text) if note else text
    totals = sums_of(units, [name for name in columns if name.endswith(("_t", "_tco2e"))]) if len(units) > 1 else None
    title = _("Units")
    block = table_of(largest, columns, title, totals=totals, note=note, exact=True)
    return Section("units", title, (block,))


def _with_names(run: Run, units: pd.DataFrame) -> pd.DataFrame:
    """Return units with their names beside their codes, if the instance has any of them."""
    stated = run.results.instance.units if run.results.held is not None else units
    if "name" not in stated:
        return units
    names = units["unit_id"].map(stated.set_index("unit_id")["name"]).astype(object).fillna("")
    return units.assign(name=names) if (names != "").any() else units.drop(columns="name", errors="ignore")


def _why(run: Run, units: pd.DataFrame) -> Iterator[Section]:
    """Yield how the numbers of the units come about, if the run can tell: the largest by steps, others in a line."""
    if run.results.held is None:
        return
    names = [str(name) for name in units.sort_values("emissions_tco2e", ascending=False, kind="stable")["unit_id"]]
    try:
        found = run.results.explain(names[0])
    except UsageError:
        # A compliance year has no allocation to explain.
        return
    # A name takes a second line of its row.
    rows = min(len(units), _most_units(run)) * (2 if "name" in _with_names(run, units) else 1)
    room = MOST_LINES - rows - (MOST_YEARS if "enterprise_years" in run.tables else 0)
    lines = [line for part, steps in found.parts for step in steps if (line := _line(part, step))][:room]
    blocks: list[Block] = [Points(tuple(lines))]
    title = _("How the number of {unit} comes about", unit=names[0])
    if len(names) > 1:
        title = _("How the numbers of the units come about")
        blocks.insert(0, Paragraph(_("{unit}, the largest:", unit=names[0])))
    others = names[1 : 1 + max((room - len(lines)) // LINES_OF_OTHERS, 0)]
    if others:
        blocks.append(Points(tuple(named(name, _in_one_line(run, name)) for name in others)))
    if left := len(names) - 1 - len(others):
        explain = f"etsopt explain {shlex.quote(run.folder)}"
        text = _("For {left:,} more see `{explain} UNIT`.", left=left, explain=explain)
        blocks.append(Paragraph(text, "note"))
    yield Section("why", title, tuple(blocks))


def _line(part: str, step: Step) -> str:
    """Return a step in a line; empty for a year, since the years are in a table of their own."""
    if step.key.startswith("year_"):
        return ""
    # The key of a limit is for the one who states it, and its name alone would not say that it has to give.
    return named(part, step.label) if part == FURTHER and step.formula else step.text()


def _in_one_line(run: Run, unit: str) -> str:
    """Return the figures of a unit that its row in the table of units does not have."""
    steps = [step for step in run.results.explain(unit).steps if step.key in TOLD_OF_OTHERS]
    # A sentence that is one of several parts ends with none of its own.
    end = "." + _(".")
    return clauses(replace(step, formula="").text().rstrip(end) for step in steps)


def _imprint(run: Run) -> str:
    return _(
        "A calculation with etsopt {version} on the instance {instance}, SHA-256 {digest}…; it is no official notice.",
        version=run.about.versions.etsopt,
        instance=run.about.instance,
        digest=run.about.instance_hash[:16],
    )
