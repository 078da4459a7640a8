"""What was asked: the instance, and the keys of the policy that the model reads, in the words of the regulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.language import _, chain, joined, ngettext, pgettext
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.documents.document import Facts, Section, clauses, named, noted
from etsopt.presenting.documents.quantities import amount, per_tonne, rate
from etsopt.running.results.claims import is_checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from etsopt.common.language import Text
    from etsopt.reports.run import Run

Pair = tuple[str, str]

MODELS = {
    "allocation": _("How many allowances is every unit due?"),
    "balance_value": _("What does the rule alone give?"),
    "abatement": _("What do enterprises do at a given price?"),
    "clearing": _("At which price does the market clear?"),
    "pathway": _("Which prices, emissions and measures follow year by year?"),
    "equilibrium": _("Which balance value do the units' responses reproduce?"),
    "compliance": _("How is the year surrendered, and what is left?"),
    "outlook": _("Which price, capacity and emissions follow if demand and supply answer each other?"),
    "reconciliation": _("Which emissions do the monthly reports allow?"),
    "investment": _("Which measures should be installed now?"),
    "review_plan": _("Whom should the reviewers see?"),
}
"""Question that each model answers."""

RULES = {
    "cn-2024": _("plan of 2024 for industry: A = E"),
    "cn-2025": _("intensity-coefficient method of the plan for 2025"),
    "cn-2026": _("intensity-coefficient method of the draft plan for 2026"),
    "cn": _("plan of the year: benchmarks for power, balance values for industry"),
    "grandfathering": _("in proportion to last year's verified emissions"),
    "benchmark": _("output times the benchmark of the sector"),
    "given": _("reference allowances as the instance states them"),
}
"""Rules in words."""

OBJECTIVES = {
    "change": _("least tonnes moved against the rule"),
    "largest_change": _("least largest move of a unit, relative to its emissions"),
    "deficit": _("least tonnes of deficit"),
    "spread": _("least spread of surplus rates, weighted by emissions"),
}
"""Objectives in words."""

SENSES = {"at_most": pgettext("page", "at most"), "exactly": _("exactly")}

SIZES: Mapping[str, Callable[[int], Text]] = {
    "unit_id": lambda count: ngettext("{count:,} unit", "{count:,} units", count),
    "enterprise_id": lambda count: ngettext("{count:,} enterprise", "{count:,} enterprises", count),
    "sector": lambda count: ngettext("{count:,} sector", "{count:,} sectors", count),
    "province": lambda count: ngettext("{count:,} province", "{count:,} provinces", count),
}
"""Texts for numbers of different values, by column."""


def inputs_section(run: Run) -> Section:
    """Return the section on what was asked."""
    # What of the policy a model of the user's own reads, the file says, and nobody else.
    parts = (_about, _rule, _limits, _market, _at_risk, _later) if is_checked(run.results) else (_about,)
    pairs = [pair for part in parts for pair in part(run)]
    return Section("asked", _("What was asked"), (Facts(tuple(pairs)),))


def _about(run: Run) -> Iterator[Pair]:
    model, instance = run.about.model, run.about.instance
    yield _("question"), noted(MODELS.get(model, _("a model of your own")), model)
    size = joined(_sizes(run))
    yield _("instance"), named(instance, size) if size else instance
    if "year" in run.policy:
        year = run.policy["year"]
        last = (run.policy.get("horizon") or {}).get("last_year") if "years" in run.tables else None
        years = f"{year}–{last}" if last and last != year else year
        yield _("compliance year"), pgettext("compliance year", "{years}", years=years)


def _sizes(run: Run) -> Iterator[str]:
    """Yield the number of units and others in the table that has a row for each unit."""
    names = ("allocation", "issuance", "units", "unit_years", "reconciliation", "plan", "relaxed_units")
    table = next((run.tables[name] for name in names if name in run.tables), None)
    if table is not None:
        yield from (text(table[column].nunique()) for column, text in SIZES.items() if column in table)


def _rule(run: Run) -> Iterator[Pair]:
    rule = run.policy.get("rule") or {}
    if not rule or _unused(run, "rule.name"):
        return
    name = str(rule.get("name"))
    words = RULES.get(name, _("a rule of your own"))
    if "slope" in rule and "cap" in rule and not isinstance(rule["slope"], dict):
        words = _(
            "{rule}: A = E (1 + α), α = {slope:g} X within ±{cap}, X = (BP − I) / BP with the sector's balance value "
            "BP",
            rule=words,
            slope=rule["slope"],
            cap=rate(rule["cap"]),
        )
    yield pgettext("page", "rule"), noted(words, name)
    threshold = rule.get("threshold_tco2e")
    if threshold:
        yield (
            _("threshold"),
            _("enterprises below {threshold:,.0f} tCO2e get allowances equal to their emissions", threshold=threshold),
        )


def _limits(run: Run) -> Iterator[Pair]:
    """Yield targets, bands, balances, objectives and further conditions of an allocation."""
    policy = run.policy.get("sectors") or {}
    every = (run.policy.get("allocation") or {}).get("band")
    for sector in dict.fromkeys((*policy, *_senses(run))):
        stated = policy.get(sector) or {}
        parts: list[str] = []
        if not _unused(run, f"sectors.{sector}.target_change") and (target := _target(stated)):
            parts.append(target)
        elif (sense := _senses(run).get(sector)) in SENSES:
            parts.append(_("allowances {sense} verified emissions, by the rule", sense=SENSES[str(sense)]))
        if (band := stated.get("band") or every) and not _unused(run, f"sectors.{sector}.band"):
            lower, upper = rate(-band["lower"]), rate(band["upper"])
            parts.append(_("surplus rate from {lower} to {upper}", lower=lower, upper=upper))
        if parts:
            yield name_of(sector), clauses(parts)
    national = run.policy.get("national") or {}
    if target := _target(national):
        yield _("national total"), target
    balance = (run.policy.get("provinces") or {}).get("balance")
    if balance is not None and not _unused(run, "provinces.balance"):
        shares = balance if isinstance(balance, dict) else {"": balance}
        limits = joined(f"{name_of(name)} {rate(share)}".strip() for name, share in shares.items())
        yield _("each province"), _("surplus or deficit at most {limits} of its emissions", limits=limits)
    yield from _objectives(run)


def _senses(run: Run) -> dict[str, str]:
    """Return the kind of the target of each sector, as the run has it, also where the policy states none."""
    table = run.tables.get("sectors")
    if table is None or "target_sense" not in table:
        return {}
    return dict(zip(table["sector"].astype(str), table["target_sense"].astype(str), strict=True))


def _target(stated: Mapping[str, Any]) -> str:
    """Return a target in words; empty if none is stated."""
    sense = SENSES.get(stated.get("target_sense") or "at_most", "")
    if stated.get("target_t") is not None:
        return _("allowances {sense} {target}", sense=sense, target=amount(stated["target_t"], "t"))
    if stated.get("target_intensity") is not None:
        target = stated["target_intensity"]
        return _("allowances {sense} {target:.6g} t per tonne of output", sense=sense, target=target)
    change = stated.get("target_change")
    if change is None:
        return ""
    if not change:
        return _("allowances {sense} verified emissions", sense=sense)
    if change < 0:
        return _("allowances {sense} {share} less than verified emissions", sense=sense, share=rate(-change))
    return _("allowances {sense} {share} more than verified emissions", sense=sense, share=rate(change))


def _objectives(run: Run) -> Iterator[Pair]:
    allocation = run.policy.get("allocation") or {}
    solved = {level.name for level in run.results.levels}
    if not (solved & {*OBJECTIVES} or "relaxed_limits" in run.tables) or _unused(run, "allocation.objectives"):
        return
    if names := [name for name in allocation.get("objectives", ()) if name in OBJECTIVES]:
        first = chain([OBJECTIVES[name] for name in names], _("{first}; then {second}"))
        last = _("{objectives}; then nearest to the rule (weighted least squares)", objectives=first)
        yield _("objectives, in order"), last
    flags = {
        "intensity_order": _("a lower intensity never gets a lower surplus rate"),
        "integer_allowances": _("allowances are whole tonnes"),
    }
    words = [text for name, text in flags.items() if allocation.get(name)]
    exceptions = allocation.get("exceptions") or {}
    if exceptions.get("units"):
        band = f"−{rate(exceptions['lower'])} … {rate(exceptions['upper'])}"
        words.append(_("up to {count} units may use the band {band}", count=exceptions["units"], band=band))
    if allocation.get("band_on") == "enterprise":
        words.append(_("the band holds for enterprises"))
    if words:
        yield _("further conditions"), clauses(words)


MARKET: Mapping[str, Pair] = {
    "prices_cny_per_t": (_("price that enterprises expect"), "CNY/t"),
    "auctioned_t": (_("allowances auctioned"), "t"),
    "paid_share": (_("share of paid allocation"), "rate"),
    "floor_price_cny_per_t": (_("price floor"), "CNY/t"),
    "ceiling_price_cny_per_t": (_("price ceiling"), "CNY/t"),
    "reserve_t": (_("reserve at the start"), "t"),
    "external_demand_t": (_("net demand from outside"), "t"),
    "ccer_supply_t": (_("offsets (CCER) on offer"), "t"),
    "ccer_price_cny_per_t": (_("price of an offset"), "CNY/t"),
    "ccer_share": (_("offsets meet at most, of the obligation"), "rate"),
    "transaction_cost_cny_per_t": (_("cost of a trade, each side"), "CNY/t"),
    "terminal_price_cny_per_t": (_("value of an allowance kept to the end"), "CNY/t"),
}
"""Keys of the market, their words, and the unit of their numbers."""


def _market(run: Run) -> Iterator[Pair]:
    if not ({"years", "equilibrium", "compliance"} & {*run.tables}):
        return
    market = run.policy.get("market") or {}
    for key, (words, unit) in MARKET.items():
        stated = market.get(key)
        if stated and not _unused(run, f"market.{key}"):
            yield words, _yearly(stated, unit)
    penalty = run.policy.get("penalty") or {}
    if penalty.get("reference_price_cny_per_t") and not _unused(run, "penalty.reference_price_cny_per_t"):
        price = _yearly(penalty["reference_price_cny_per_t"], "CNY/t")
        multiple = penalty.get("multiple", 5)
        fine = _("{multiple:g} times the reference price of {price}", multiple=multiple, price=price)
        yield _("fine for a shortfall"), fine


def _at_risk(run: Run) -> Iterator[Pair]:
    """Yield how many enterprises are under differentiated allocation in a compliance year."""
    enterprises = (run.policy.get("compliance") or {}).get("at_risk") or ()
    if "compliance" in run.tables and enterprises:
        words = _("{count:,} enterprises, through the account of the province", count=len(enterprises))
        yield _("differentiated allocation"), words


def _later(run: Run) -> Iterator[Pair]:
    """Yield the horizon and the second phase of a path."""
    if "years" not in run.tables and "equilibrium" not in run.tables:
        return
    horizon = run.policy.get("horizon") or {}
    if horizon.get("discount_rate") is not None and not _unused(run, "horizon.discount_rate"):
        yield _("real discount rate, a year"), rate(horizon["discount_rate"])
    if run.about.model != "pathway":
        return
    path = run.policy.get("pathway") or {}
    yield _("second phase from"), str(path.get("phase_2_from"))
    for key, words, unit in (
        ("tightening", _("balance value falls, a year"), "rate"),
        ("band", _("limit of the surplus rate"), "rate"),
        ("slope", _("slope of the surplus rate"), ""),
        ("paid_share", _("share of paid allocation"), "rate"),
        ("cap_from", _("absolute cap from"), "year"),
        ("cap_change", _("cap changes, a year"), "rate"),
        ("no_bank_from", _("no allowances banked into"), "year"),
    ):
        if path.get(key) and not (key == "cap_change" and not path.get("cap_from")):
            yield words, _yearly(path[key], unit)


def _yearly(stated: Any, unit: str) -> str:
    """Return a number, or those of years, with their unit."""
    if isinstance(stated, dict):
        return joined(named(str(year), _yearly(value, unit)) for year, value in stated.items())
    if unit == "rate":
        return rate(stated)
    if unit == "t":
        return amount(stated, "t")
    if unit == "CNY/t":
        return per_tonne(stated)
    return str(stated) if unit == "year" else f"{stated:g}"


def _unused(run: Run, key: str) -> bool:
    """Return True if the model does not read a key of the policy."""
    return key in run.about.ignored
