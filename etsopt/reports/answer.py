"""The answer of a run in one sentence, and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, capitalised, joined, ngettext
from etsopt.common.units import format_tonnes
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.documents.document import noted
from etsopt.presenting.documents.quantities import amount, per_tonne, rate, tonnes
from etsopt.reports.outlook import answer_of
from etsopt.running.results.claims import is_checked, is_judged
from etsopt.running.results.equal_allocation import outside_of
from etsopt.running.results.prices import STATED, has_price, open_balance
from etsopt.running.results.words import STATUSES, TERMINATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import pandas as pd

    from etsopt.reports.run import Run

SAME_PRICE = 1e-6
"""Relative difference below which two prices count as equal."""

SHORT_REMEDY = 2
"""Changes of a remedy that fit into the answer."""

NO_PRICE = "self-balancing"
"""What sets the price of a year in which allowances equal emissions: every price above the next year's clears."""


def answer(run: Run) -> str:
    """Return the answer in one sentence."""
    if run.results.status == "refused":
        return _("The checker refuses this result: there is no answer.")
    # Tables of a user's own model have columns of their own, whatever their names.
    for table, sentence in SENTENCES.items() if is_checked(run.results) else ():
        if table in run.tables and len(run.tables[table]):
            return sentence(run)
    return _("{sentence}.", sentence=capitalised(status(run)))


def status(run: Run) -> str:
    """Return the verdict in words, with the reason for which a solve stopped early."""
    results = run.results
    verdict: str = STATUSES.get(results.status, results.status)
    if results.status == "feasible" and not is_judged(results):
        verdict = _("solved according to the solver, not checked")
    elif results.status == "feasible" and is_checked(results) and (row := open_balance(run.tables)) is not None:
        verdict = _("feasible, balance values do not repeat: {left}", left=_left_open(row))
    stop = TERMINATIONS.get(results.termination)
    return _("{verdict}, {stop}", verdict=verdict, stop=stop) if stop else verdict


def _left_open(row: Mapping[str, Any]) -> str:
    """Return what balance values that do not repeat leave, of the sector and year farthest from its own."""
    where = {"sector": name_of(row["sector"]), "year": row["year"]}
    if abs(row["residual_t"]) < 1 <= row["moved_t"]:
        return _(
            "emissions of {sector} in {year} are {moved} t off those of its paid allowances",
            **where,
            moved=format_tonnes(row["moved_t"]),
        )
    return _(
        "allowances less emissions of {sector} in {year} are {residual} t",
        **where,
        residual=format_tonnes(row["residual_t"]),
    )


def _infeasible(run: Run) -> str:
    least = run.results.infeasible_by_t
    sentence = _("No allocation keeps every limit of this policy")
    if least is not None:
        least_t = amount(least, "t")
        sentence = _("{sentence}: in all they would have to give by at least {least}", sentence=sentence, least=least_t)
    if not run.remedies:
        return _("{sentence}.", sentence=sentence)
    first = min(run.remedies, key=lambda remedy: len(remedy.changes))
    if len(first.changes) > SHORT_REMEDY:
        return _("{sentence}. What would have to give is stated below.", sentence=sentence)
    return _("{sentence}. There is one with {changes}.", sentence=sentence, changes=first.text)


def _compliance(run: Run) -> str:
    nation = run.tables["nation"].iloc[0]
    short, enterprises = float(nation["shortfall_t"]), int(nation["enterprises"])
    owed, left = (amount(float(nation[name]), "t") for name in ("obligation_t", "closing_t"))
    if short:
        sentence = ngettext(
            "{count:,} of {enterprises:,} enterprises falls {short} short of the {owed} that is owed",
            "{count:,} of {enterprises:,} enterprises fall {short} short of the {owed} that is owed",
            int(nation["enterprises_with_shortfall"]),
            enterprises=enterprises,
            short=tonnes(short),
            owed=owed,
        )
    else:
        sentence = _(
            "All {enterprises:,} enterprises surrender in full the {owed} that they owe",
            enterprises=enterprises,
            owed=owed,
        )
    if not nation["closing_t"]:
        return _("{sentence}.", sentence=sentence)
    return _("{sentence}; {left} are left for later years.", sentence=sentence, left=left)


def _price(run: Run) -> str:
    """Return the price of one year, or of the first and last with a price."""
    years = run.tables["years"]
    before, after = (float(years[name].sum()) for name in ("emissions_before_tco2e", "emissions_tco2e"))
    abated, share = amount(before - after, "t"), rate((before - after) / before) if before else "-"
    if not has_price(run.tables):
        return _without_price(run)
    if years["price_obtained"].eq(STATED).all():
        return _(
            "At {price}, enterprises abate {abated}, {share} of their emissions.",
            price=_span(years),
            abated=abated,
            share=share,
        )
    found = years
    if "closure" in run.tables:
        found = years[(run.tables["closure"]["set_by"] != NO_PRICE).to_numpy()]
    if not len(found):
        return _(
            "Nothing is scarce: every price from {price} up clears the market, and measures abate {abated} ({share}).",
            price=per_tonne(years["price_lower_cny_per_t"].iloc[0]),
            abated=abated,
            share=share,
        )
    return _(
        "The market clears at {price}; measures abate {abated}, {share} of emissions.",
        price=_span(found),
        abated=abated,
        share=share,
    )


def _without_price(run: Run) -> str:
    row = open_balance(run.tables)
    assert row is not None
    text = _("Balance values do not repeat, so there is no price, which at others would be another: {left}.")
    return _(text, left=_left_open(row))


def _span(years: pd.DataFrame) -> str:
    first, last = years.iloc[0], years.iloc[-1]
    price, last_price = (per_tonne(row["price_cny_per_t"]) for row in (first, last))
    if len(years) == 1:
        return price
    return _(
        "{price} in {year} and {last_price} in {last_year}",
        price=price,
        year=first["year"],
        last_price=last_price,
        last_year=last["year"],
    )


def _equilibrium(run: Run) -> str:
    found = run.tables["equilibrium"]
    price, last = (float(found["price_cny_per_t"].iloc[place]) for place in (0, -1))
    prices = per_tonne(price)
    if not np.isclose(last, price):
        prices = _("{price} to {last_price}", price=prices, last_price=per_tonne(last))
    moved = [
        f"{name_of(row['sector'])} {row['balance_value_before']:.4f} → {row['balance_value']:.4f}"
        for row in found[found["year"] == found["year"].min()].to_dict("records")
        if abs(row["balance_value"] - row["balance_value_before"]) > 1e-9
    ]
    before, after = (float(found[name].sum()) for name in ("emissions_before_tco2e", "emissions_tco2e"))
    return _(
        "At {price} units abate {abated}, and the balance values that move are {values} t/t.",
        price=prices,
        abated=amount(before - after, "t"),
        values=joined(moved) if moved else _("none"),
    )


def _allocated(run: Run) -> str:
    units = run.tables["allocation"]
    emissions, given = float(units["emissions_tco2e"].sum()), float(units["allowance_t"].sum())
    outside = outside_of(run.tables)
    counted = _("{count:,} units", count=len(units) - outside)
    if outside:
        counted = _("{units} ({outside:,} more are outside the scope of the year)", units=counted, outside=outside)
    return _(
        "{units} are due {allowances} of allowances for {emissions} of emissions, {balance}{change}",
        units=counted,
        allowances=amount(given, "t"),
        emissions=amount(emissions, "t"),
        balance=_balance(given - emissions, emissions),
        change=_moved(run, units),
    )


def _balance(surplus: float, emissions: float) -> str:
    if abs(surplus) < 1:
        return _("which is in balance")
    share = rate(abs(surplus) / emissions) if emissions else "-"
    return noted(surplus_of(surplus, amount(abs(surplus), "t")), share)


def surplus_of(surplus: float, tonnes: str) -> str:
    """Return the tonnes of a surplus, or of a deficit."""
    return _("a surplus of {tonnes}", tonnes=tonnes) if surplus >= 0 else _("a deficit of {tonnes}", tonnes=tonnes)


def _moved(run: Run, units: pd.DataFrame) -> str:
    """Return what the limits moved against the rule alone; the end of the sentence."""
    moved = float(units["change_t"].abs().sum()) if "change_t" in units else 0.0
    if run.about.model == "balance_value":
        return _(" under the rule alone.")
    if moved < 1:
        return _("; the rule already keeps every limit.")
    change = amount(moved, "t")
    if run.results.certified and run.results.levels and run.results.levels[0].name == "change":
        return _("; keeping every limit moves {change} against the rule, proven to be the least.", change=change)
    return _("; keeping every limit moves {change} against the rule.", change=change)


def _reconciled(run: Run) -> str:
    table = run.tables["reconciliation"]
    lowest, best, highest = (
        amount(float(table[name].sum()), "t") for name in ("lowest_tco2e", "reconciled_tco2e", "highest_tco2e")
    )
    return _(
        "The reports of {count:,} units allow emissions from {lowest} to {highest}; the best estimate is {best}.",
        count=len(table),
        lowest=lowest,
        highest=highest,
        best=best,
    )


def _reviews(run: Run) -> str:
    summary, plan = run.tables["review_summary"].iloc[0], run.tables["plan"]
    covered, at_risk = (float(summary[name]) for name in ("covered_tco2e", "at_risk_tco2e"))
    return _(
        "{count:,} reviews of {enterprises:,} enterprises cover {covered} of the {at_risk} at risk ({share}).",
        count=len(plan),
        enterprises=int(summary["enterprises"]),
        covered=amount(covered, "t"),
        at_risk=amount(at_risk, "t"),
        share=rate(covered / at_risk) if at_risk else "-",
    )


def _invested(run: Run) -> str:
    from etsopt.presenting.charts.investments import by_scenario

    summary = run.tables["investment_summary"].iloc[-1]
    costs = by_scenario(run.tables["scenario_costs"])["cost_cny"]
    return _(
        "Enterprises invest {now} now; over {count:,} scenarios their discounted cost is expected to be {expected}, "
        "from {least} to {most}.",
        now=amount(float(summary["investment_cny"]), "CNY"),
        count=len(costs),
        expected=amount(float(summary["expected_cost_cny"]), "CNY"),
        least=amount(float(costs.min()), "CNY"),
        most=amount(float(costs.max()), "CNY"),
    )


def _missing_days(run: Run) -> str:
    days = float(run.tables["missing_days"]["missing_days"].sum())
    return _("No plan of reviews exists: at least {days:,.6g} reviewer days are missing.", days=days)


def _unmet(run: Run) -> str:
    short = amount(float(run.tables["unmet_demand"]["unmet_t"].sum()), "t")
    return _("The market cannot clear: at least {short} of demand is unmet at any price.", short=short)


SENTENCES: Mapping[str, Callable[[Run], str]] = {
    "relaxed_limits": _infeasible,
    "unmet_demand": _unmet,
    "missing_days": _missing_days,
    "nation": _compliance,
    "years": _price,
    "equilibrium": _equilibrium,
    "outlook": answer_of,
    "reconciliation": _reconciled,
    "review_summary": _reviews,
    "investment_summary": _invested,
    "allocation": _allocated,
}
"""The sentence of a run by the first of these tables that it has."""
