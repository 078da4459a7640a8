"""Remarks on a result as a whole: open gaps, unused policy keys, and unofficial parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.judge import REAL_GAP
from etsopt.checking.theorem import default_gap
from etsopt.cli.shown import Text
from etsopt.data.messages import counted
from etsopt.data.policy.doubts import doubtful_values
from etsopt.language import _, in_brackets, in_chinese, joined
from etsopt.results.claims import PROGRAM, is_checked, is_program
from etsopt.results.notices import notices
from etsopt.results.prices import open_balance
from etsopt.results.words import TERMINATIONS
from etsopt.units import format_tonnes
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from etsopt.results.results import LevelResult, Results

NO_SOLUTION = _(
    "The model has no solution on this instance: its constraints and bounds contradict each other. The solver does "
    "not report which.\nGive a constraint a slack variable with a cost in the objective to see its infeasibility."
)


def open_gaps(results: Results) -> str:
    """Return the open gaps of a result that keeps every limit, and how to close them."""
    if "equilibrium" in results.tables:
        return _without_fixed_point(results)
    requested = float(results.provenance["options"]["gap"])
    if is_program(results):
        requested = max(requested, default_gap(str(results.provenance["model"])))
    open_ = [f"{word('level', level.name)} {_in_percent(level)}" for level in results.levels if not level.certified]
    proven = _("Every limit holds. Not certified: {open}.", open=joined(open_)) if open_ else _("Every limit holds.")
    if results.termination == "solver_error":
        return _("{proven}\nThe solver failed at the last of the objectives shown.", proven=proven)
    if results.termination in TERMINATIONS:
        return _("{proven}\nA longer --time-limit may close the gap.", proven=proven)
    largest = max((level.relative_gap for level in results.levels if not level.certified), default=np.inf)
    if not open_:
        return proven
    accepts = _("`--gap {largest:.1e}` accepts the result; ", largest=largest * 1.01) if requested < largest < 1 else ""
    remedy = _("{accepts}another --method or --seed may close the gap.", accepts=accepts)
    # Of real allowances the checker asks more than an integer solve does.
    text = _("{proven}\nThe requested gap is {requested:.2g} %: {remedy}")
    if largest <= requested:
        requested = REAL_GAP
        text = _("{proven}\nReal allowances need a gap of {requested:.2g} %: {remedy}")
    return _(text, proven=proven, requested=100 * requested, remedy=remedy)


def open_balance_of(results: Results) -> str:
    """Return the status of a market whose balance values do not repeat, with what they leave; empty of any other."""
    row = open_balance(results.tables) if results.status == "feasible" and is_checked(results) else None
    if row is None:
        return ""
    where = {"sector": word("sector", row["sector"]), "year": row["year"]}
    if abs(row["residual_t"]) < 1 <= row["moved_t"]:
        return _(
            "feasible, balance values do not repeat: emissions of {sector} in {year} are {moved} t off those of its "
            "paid allowances",
            **where,
            moved=format_tonnes(row["moved_t"]),
        )
    return _(
        "feasible, balance values do not repeat: allowances less emissions of {sector} in {year} are {residual} t",
        **where,
        residual=format_tonnes(row["residual_t"]),
    )


def remarks(results: Results) -> list[str]:
    """Return warnings of policy keys whose effect may not be the intended one."""
    policy = results.provenance["policy"]
    lines: list[str] = []
    if "sectors" in results.tables and is_checked(results):
        frame = results.tables["sectors"]
        for name in frame.loc[frame["units"] == frame["units_fixed"], "sector"]:
            stated = policy.get("sectors", {}).get(name, {})
            if stated.get("target_change") or "target_t" in stated or "target_intensity" in stated:
                lines.append(
                    _(
                        "The target of {name} has no effect: each of its units gets A = E (special case or "
                        "below the threshold) or is outside the scope. Check that emissions are in tonnes.",
                        name=word("sector", name),
                    )
                )
    lines += (str(doubt) for doubt in doubtful_values(policy))
    return [*map(str, notices(results.provenance)), *lines, *_profitable_banking(results)]


def _profitable_banking(results: Results) -> list[str]:
    """Return a warning if the terminal price exceeds the cost of an allowance: every enterprise then buys its limit."""
    market = results.provenance["policy"].get("market", {})
    prices, terminal = market.get("prices_cny_per_t"), market.get("terminal_price_cny_per_t", 0.0)
    if results.provenance["model"] not in ("abatement", "compliance") or prices is None:
        return []
    price = list(prices.values())[-1] if isinstance(prices, dict) else prices
    if price + market.get("transaction_cost_cny_per_t", 0.0) >= terminal:
        return []
    return [
        _(
            "An allowance banked to the end is worth {terminal:g} CNY/t "
            "(market.terminal_price_cny_per_t) and costs {price:g}: every enterprise buys as "
            "much as its limits allow.",
            terminal=terminal,
            price=price,
        )
    ]


def _without_fixed_point(results: Results) -> str:
    """Return a statement of the sectors and years in which no balance value is a fixed point of best responses."""
    frame = results.tables["equilibrium"]
    cycles = frame[frame["status"] == "cycle"]
    where = joined(f"{word('sector', row['sector'])} {row['year']}" for row in cycles.to_dict("records"))
    return _(
        "No balance value is a fixed point in {where}: the best responses cycle (table "
        "`cycles`).\nAt the value shown every unit responds optimally, but the sector does "
        "not balance.",
        where=where,
    )


def _in_percent(level: LevelResult) -> str:
    """Return the gap of an objective in percent of its value, of whole plans as well of what is spent."""
    if not np.isfinite(level.relative_gap):
        return _("(no bound)")
    if not level.spending:
        return _("(gap {share:.2g} %)", share=100 * level.relative_gap)
    spent = 100 * abs(level.gap) / level.spending
    if not level.value:
        return _("(gap {spent:.2g} % of spending, and the cost that is minimised is zero)", spent=spent)
    cost = 100 * abs(level.gap / level.value)
    return _("(gap {spent:.2g} % of spending, {cost:.2g} % of the cost that is minimised)", spent=spent, cost=cost)


def ignored(model: str, keys: list[str]) -> str:
    """Return one line on the policy keys that the model does not read; `result.json` lists each."""
    sections: dict[str, list[str]] = {}
    for key in keys:
        sections.setdefault(key.partition(".")[0], []).append(key)
    parts = [
        stated[0] if len(stated) == 1 else _("{name} ({count} keys)", name=name, count=len(stated))
        for name, stated in sections.items()
    ]
    return _("Policy keys that {model} does not use: {parts}.", model=model, parts=joined(parts))


def listed_tables(results: Results) -> str:
    """Return the names and lengths of the tables of a user's own model, but for those that prove its program."""
    own = {name: table for name, table in results.tables.items() if not name.startswith(PROGRAM)}
    rows = {name: counted(len(table), _("row"), _("rows")) for name, table in own.items()}
    return _("Tables: {listed}.\n", listed=joined(name + in_brackets(count) for name, count in rows.items()))


def taken_as_given(results: Results) -> list[Text]:
    """Return what a check takes as given: a rule from outside the package."""
    return [own_rule(results.provenance["own_rule"])] if results.provenance.get("own_rule") else []


def own_rule(rule: dict[str, Any]) -> Text:
    """Return the limit of a certificate under a rule from outside the package."""
    file = _(" of {file}", file=rule["file"]) if "file" in rule else ""
    what = _(
        "The rule {name}{file} is your own: its reference allowances are taken as given, not derived again.\n",
        name=rule["name"],
        file=file,
    )
    return Text(what, style="yellow")


def moved_by_band(entry: dict[str, Any]) -> Text:
    """Return how many units and tonnes of the rule a band moves."""
    lower, upper = (f"{100 * entry[side]:g}" for side in ("lower", "upper"))
    band, tonnes = f"±{upper}" if lower == upper else f"-{lower}/+{upper}", format_tonnes(entry["tonnes"])
    if entry["units"] == 1:
        return Text(_("At the band of {band} %: 1 unit, {tonnes} t moved.\n", band=band, tonnes=tonnes), style="yellow")
    what = _(
        "At the band of {band} %: {count:,} units, {tonnes} t moved.\n", band=band, count=entry["units"], tonnes=tonnes
    )
    return Text(what, style="yellow")


def own_parameters(entries: list[dict[str, Any]]) -> Text:
    """Return the parameters that differ from the official ones, one per line."""
    lines = []
    for entry in entries:
        years = entry["years"]
        when = f"{years[0]}" if len(years) == 1 else f"{years[0]}-{years[-1]}"
        of = f"{when}{'，' if in_chinese() else ', '}{joined(word('sector', name) for name in entry['sectors'])}"
        lines.append(
            _(
                "{key}: official {official} ({of}), here {stated} (user)",
                key=entry["key"],
                official=entry["official"],
                of=of,
                stated=_stated(entry["here"]),
            )
        )
    return Text("\n".join([*map(str, lines), ""]), style="yellow")


def _stated(value: Any) -> str:
    """Return a number, a list of names, or numbers by year as a policy states them."""
    if isinstance(value, dict):
        return joined(_("{number:,} from {year}", number=number, year=year) for year, number in value.items())
    return (joined(value) or _("none")) if isinstance(value, list) else f"{value:,}"
