"""A forecast as a document: balance values, surpluses by deficit, and what has to be bought at each stated price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.language import _
from etsopt.common.vocabulary import word
from etsopt.data.messages import first_of
from etsopt.presenting.documents.columns import table_of
from etsopt.presenting.documents.document import Column, Document, Paragraph, Section, noted
from etsopt.presenting.documents.figures import of_chart
from etsopt.presenting.documents.quantities import INTENSITY, MONEY, RATE, TONNES, tonnes
from etsopt.reports.write import write_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etsopt.presenting.documents.document import Block, Table
    from etsopt.studies.forecasting.api import Forecast

SHOWN = 12
"""Largest number of units that are shown below their enterprises; the file has all."""

SURPRISING = 3.0
"""Standard deviations between own units and the prior from which on they are told to contradict each other."""


def forecast_document(found: Forecast) -> Document:
    """Return balance values, own surpluses, the largest deficit first, and purchases where prices are stated."""
    text = _("Forecast for {year}, {draws:,} draws; from and to are the interval of {percent:g} %.")
    about = found.about
    answer = _(text, year=about["year"], draws=about["draws"], percent=round(100 * about["interval"], 6))
    tables: tuple[Block, ...] = (_balance_values(found), _surpluses(found.numbers))
    return Document(
        title=answer,
        kicker="",
        answer=answer,
        sections=(
            Section("forecast", "", (*_benchmarked(found.benchmarked), *tables, *_surprises(found.priors))),
            *_purchases(found),
        ),
    )


def write_forecast_page(found: Forecast, path: Path, inline: bool = False) -> list[Path]:
    """Write the page of a forecast with its chart, in the language of the moment.

    Raises
    ------
    UsageError
        If jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    document = forecast_document(found)
    figure = Section("chart", _("Distributions"), (of_chart(found.about["instance"], found.chart),))
    shown = replace(document, kicker=found.about["instance"], sections=(*document.sections, figure))
    return write_document(shown, path, inline)


def _benchmarked(units: pd.DataFrame) -> Iterator[Paragraph]:
    """Yield the own units that have no balance value to forecast, by sector: they are in all totals."""
    for sector, own in units.groupby("sector"):
        text = _(
            "{sector} has no balance value: allowances of {units} follow from published benchmarks at the stated "
            "figures, without an interval, and are in all totals.",
            sector=word("sector", str(sector)),
            units=first_of(own["unit_id"].tolist()),
        )
        yield Paragraph(text)


def _balance_values(found: Forecast) -> Table:
    """Return the balance value of each sector, beside the one to start from."""
    figures = INTENSITY._replace(unit="")
    own = {
        "mean": Column(_("mean"), figures, 1),
        "deviation": Column(_("deviation"), figures, 3),
        "lower": Column(_("from"), figures, 1),
        "upper": Column(_("to"), figures, 1),
        "prior_mean": Column(_("prior mean"), figures, 3),
        "at_start": Column(_("start"), figures),
    }
    sectors = found.numbers[found.numbers["level"] == "sector"]
    sectors = sectors.assign(prior_mean=found.priors["prior_mean"].to_numpy())
    return table_of(sectors, ("sector", *own), _("Balance values [t/t]"), own=own)


def _surpluses(numbers: pd.DataFrame) -> Table:
    """Return the surplus of every enterprise and, if they are few, of every unit; the largest deficit comes first."""
    surpluses = numbers[numbers["quantity"] == "surplus_t"]
    if (surpluses["level"] == "unit").sum() > SHOWN:
        surpluses = surpluses[surpluses["level"] != "unit"]
    owners = surpluses[surpluses["level"] == "enterprise"].sort_values("mean", kind="stable")["enterprise_id"]
    # Units follow their enterprise.
    surpluses = surpluses.assign(
        place=surpluses["enterprise_id"].map({one: place for place, one in enumerate(owners)}),
        at_a_cap=surpluses["at_upper_cap"] + surpluses["at_lower_cap"],
    )
    # All are in the scale of the largest.
    amounts = TONNES.fitting(float(surpluses[["mean", "lower", "upper", "at_start"]].abs().max(axis=None)))
    own = {
        "name": Column(_("name")),
        "mean": Column(_("mean"), amounts, 1),
        "lower": Column(_("from"), amounts, 1),
        "upper": Column(_("to"), amounts, 1),
        "at_start": Column(_("at start"), amounts, 3),
        "deficit_probability": Column(_("deficit"), RATE),
        "at_a_cap": Column(_("at a cap"), RATE),
    }
    rows = surpluses[surpluses["level"] != "group"].sort_values(["place", "level", "mean"], kind="stable")
    units = rows["level"] == "unit"
    labels = _labels(rows, rows["enterprise_id"].mask(units, "  " + rows["unit_id"]))
    group = surpluses[surpluses["level"] == "group"]
    totals = group.iloc[0][list(own)[1:-1]].to_dict() if len(group) else None
    return table_of(rows.assign(name=labels), (*own,), _("Surpluses"), own=own, totals=totals)


def _labels(rows: pd.DataFrame, codes: pd.Series[str]) -> list[str]:
    """Return codes with the names beside them, where there are any."""
    return [noted(code, name) if name else code for code, name in zip(codes, rows["name"], strict=True)]


def _purchases(found: Forecast) -> Iterator[Section]:
    """Yield what has to be bought until the deadline, with its cost in each case of the price."""
    table, prices, due = found.purchases, found.about["prices_cny_per_t"], found.about["due"]
    if table.empty:
        return
    accounts = table.drop_duplicates("enterprise_id")
    costs = {f"cost of {case}": accounts["purchase_t"] * price for case, price in prices.items()}
    accounts, money = accounts.assign(**costs), MONEY.fitting(float(table["cost_cny"].max()))
    own: dict[str, Column] = {
        "label": Column(_("name")),
        **({"held_t": Column(_("held"), TONNES, 1)} if table["held_t"].any() else {}),
        "purchase_t": Column(_("mean"), TONNES, 1),
        "purchase_lower_t": Column(_("from"), TONNES, 1),
        "purchase_upper_t": Column(_("to"), TONNES, 1),
    }
    for case, price in prices.items():
        own[f"cost of {case}"] = Column(_("cost: {case}, {price:,.2f} CNY/t", case=case, price=price), money, 1)
    rows = accounts[(accounts["level"] == "enterprise") & (accounts["purchase_upper_t"] > 0)]
    rows = rows.sort_values("purchase_t", ascending=False, kind="stable")
    group = accounts[accounts["level"] == "group"]
    totals: dict[str, Any] | None = group.iloc[0][list(own)[1:]].to_dict() if len(group) else None
    whole = (group if len(group) else accounts).iloc[0]
    mean, lower, upper = (tonnes(whole[f"purchase{end}_t"]) for end in ("", "_lower", "_upper"))
    text = _(
        "To buy by {day}, China time (UTC+8): {mean} on average, {lower} to {upper}.",
        day=due,
        mean=mean,
        lower=lower,
        upper=upper,
    )
    note = _(
        "Every enterprise surrenders from its own account, what it holds first: "
        "no surplus of another covers what it lacks."
    )
    shown = rows.assign(label=_labels(rows, rows["enterprise_id"]))
    block = table_of(shown, (*own,), _("To buy, and its cost"), own=own, totals=totals, note=note)
    yield Section("purchases", _("Purchase plan"), (Paragraph(text), block))


def _surprises(priors: pd.DataFrame) -> Iterator[Paragraph]:
    """Yield the sectors whose own units contradict the prior."""
    text = _("Own units of {sector} are {z:.1f} deviations off the prior: see which is wrong.")
    # Own units that say nothing of the others may be unlike them.
    for row in priors[priors["informed"] & (priors["z"].abs() >= SURPRISING)].to_dict("records"):
        yield Paragraph(_(text, sector=word("sector", row["sector"]), z=abs(row["z"])), "warning")
