"""Texts of the page, which holds them in every language; words in braces are put in by its program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.language import Text, _, pgettext
from etsopt.presenting.explanation.near_optimal import JUST_AS_GOOD, LEAST, SETTLED, WITHIN, WITHIN_OPEN

if TYPE_CHECKING:
    from etsopt.studies.curves.axes import Axis

TEXTS = {
    "about": _("Allocation at every value of a key"),
    "question": _(
        "What does every unit get if “{key}” is set otherwise? Of all allocations within the limits, this page shows "
        "the one with the least {objective}."
    ),
    "outside": _("“{typed}” is outside {first} … {last}: nothing was changed."),
    "no_number": _("“{typed}” is no number: nothing was changed."),
    "map": _(
        "Map of both keys: {first} from left to right, {second} from below. "
        "Cells are proven at their middles, one after another; choose a place."
    ),
    "headline": _("{keys}: {losers} units get less than by the rule, {lost} in all; {winners} get more"),
    "proven": _("Proven in this browser by this file's numbers: no allocation within the limits is better"),
    "proven_before": _(
        "Proven by the page that saved this workbook, by its file's numbers: no allocation within the limits is better"
    ),
    "infeasible": _(
        "No allocation exists here: limits are missed by at least {tonnes}, proven in this browser by this file's "
        "numbers"
    ),
    "unproven": _("Not proven here"),
    "nearest": _("All below is of another value, the nearest that is proven: {value}."),
    "elsewhere": _("Not at the value that is set, but at the nearest proven one: {finding}"),
    "not_here": _("Set on the page, and not proven to have an allocation"),
    "nothing": _("None of the values tried near it is proven either."),
    "filling": _("The map is being proven: {share}"),
    "claimed": _("Stated by the file:"),
    "legend_proven": _("proven"),
    "legend_infeasible": _("no allocation exists"),
    "legend_open": _("not proven here"),
    "t": pgettext("unit", "t"),
    "kt": pgettext("page", "kt"),
    "total": _("Allowances of all units"),
    "net": _("Net change against the rule"),
    "rate": _("Largest change of a unit"),
    "of_units": _("at {count} units"),
    "units": pgettext("page", "Units"),
    "losers": _("Units with less"),
    "winners": _("Units with more"),
    "sectors": _("Sectors"),
    "sector": pgettext("column", "sector"),
    "province": pgettext("column", "province"),
    "unit": pgettext("page", "unit"),
    "emissions": _("Emissions"),
    "by_rule": _("By the rule"),
    "here": _("At {value}"),
    "change": _("Change"),
    "change_rate": _("Of emissions"),
    "all": _("All"),
    "provinces": _("Provinces"),
    "tiles": _("Change of each province against the rule, in % of its emissions. Places are those of a grid."),
    "less": _("less"),
    "more": _("more"),
    "losses": _("Largest losses"),
    "losses_note": _("Units that get less than by the rule alone, the most tonnes first."),
    "choose": _("Choose one to see why."),
    "no_losses": _("No unit gets less than by the rule."),
    "mine": _("My plant"),
    "search": _("Name or identifier of a unit or an enterprise"),
    "none_found": _("No unit has this name."),
    "found_of": _("{shown} of {count} are listed: a longer name finds fewer."),
    "gets": _("{name} gets {allowance} at {value}: {moved} {side} than by the rule ({rate} of its emissions)."),
    "gets_same": _("{name} gets {allowance} at {value}, as by the rule."),
    "rule_gives": _("The rule alone gives {reference}. Emissions are {emissions}: a {side} of {surplus} ({rate})."),
    "excess": pgettext("page", "surplus"),
    "deficit": pgettext("page", "deficit"),
    "fixed": _("Its allowances are set by the rule alone: no limit moves them."),
    "as_rule": _("The limits move nothing: it gets what the rule gives."),
    "pulls": _("{limit}: {tonnes}"),
    "held_band": _("Held by its band"),
    "held_rate": _("Held back so that no unit moves by more than {share} of its emissions"),
    "held_change": _("Held back so that allowances change least in sum"),
    "held": _("Held back by earlier objectives"),
    "moves": _("The limits give it {tonnes} {side}:"),
    "slope": _("Near this value, {step} more of “{key}” changes it by {tonnes}."),
    "allowance": pgettext("page", "Allowance"),
    "along": _("Its allowances along the key: from {least} to {most}. The dashed line is the rule."),
    "just_as_good": JUST_AS_GOOD,
    "ranging": _("The range of this unit is being found and proven."),
    "range": WITHIN,
    "range_open": WITHIN_OPEN,
    "settled": SETTLED[True],
    "not_settled": SETTLED[False],
    "settled_open": SETTLED[None],
    **{f"least_{name}": text for name, text in LEAST.items()},
    "shadow": _("Shadow prices"),
    "shadow_note": _(
        "Change of the first objective, {objective}, if a limit were one tonne higher. "
        "A limit without a price is left out. The balance of a province keeps its allowances near its emissions."
    ),
    "no_shadow": _("No limit has a price at this value."),
    "limit": _("Limit"),
    "price": _("Per tonne"),
    "seal": _("What is proven"),
    "objective": pgettext("page", "Objective"),
    "value": _("Value"),
    "gap": _("Farthest from the optimum"),
    "tolerance": _("Tolerance"),
    "derived": _(
        "Derived again in this browser for this value, from the numbers in this file: prices and the allowances of "
        "all units, that bands and limits are met, totals, and for each objective that no allocation is better by "
        "more than the tolerance. No solver is asked. The rounding of every 64-bit number is counted."
    ),
    "not_derived": _(
        "Taken from this file, and not derived here: names, identifiers, owners, sectors and provinces of units; "
        "emissions, what the rule gives, bands, the units of each limit, limits as straight lines of the key, and "
        "which of them may be relaxed; order and words of the objectives; name, key, ends and steps of the slider; "
        "name and hash of the instance, its commands, and the share that is proven; every text of this page, and the "
        "program that proves. Tolerances and roundings are the program's own. Whoever can alter the file can alter "
        "these, its program too, and nothing in it can show that: the second command below compares all of it with the "
        "instance and with etsopt."
    ),
    "missed_band": _("Most that an allowance misses its band"),
    "missed_limit": _("Most that a total misses its limit"),
    "miss": _("{miss} t, tolerated {tolerance} t"),
    "share": _("Share of the feasible range that the file says it proves"),
    "time": _("Time for this value"),
    "again": _("Check it yourself"),
    "again_note": _("This value solved again by etsopt {version}, and this page checked against the instance:"),
    "instance": _("Instance"),
    "hash": _("Hash of the instance"),
    "date": pgettext("page", "Date"),
    "tco2e": pgettext("page", "tCO2e"),
    "download": _("Save this value as a workbook"),
    "workbook": _("Allowances of {instance} at {keys}"),
    "proposal": _("Calculated, not decided: these allowances are proposed, and no final allocation."),
    "identifier": pgettext("page", "identifier"),
    "owner": _("Enterprise, by its name if it has one"),
    "proposed": _("Proposed allowance"),
    "surplus": _("Surplus, below 0 a deficit"),
    "surplus_rate": _("Surplus of emissions"),
    "column_unit": _("Unit of measure"),
    "changed": _("Changed in the policy before"),
    "solve_again": _("Solve it again"),
    "check_again": _("Check the page"),
    "sheet_about": pgettext("sheet", "About"),
    "sheet_allowances": pgettext("sheet", "Allowances"),
    "print": pgettext("page", "Print"),
    "ms": _("{time} ms"),
}
"""Every text by its key in the program."""

OBJECTIVES = {
    "change": _("sum of changes against the rule"),
    "largest_change": _("largest change of a unit, of its emissions"),
    "deficit": _("sum of deficits"),
    "spread": _("mean distance from the rates of targets"),
    "least_squares": _("tie-break: squares of changes, over emissions"),
}
"""Objectives in words for those who know none of their names."""

MEANINGS = {
    "target_change": _("At −1 % the limit for the allowances of its units together is 1 % below their emissions."),
    "target_t": _("Its value is the limit for the allowances of its units together."),
    "target_intensity": _("Its value is the limit for the allowances of its units together, per tonne of output."),
    "balance": _("At 1 % the allowances of a province may together be up to 1 % above or below its emissions."),
    "band": _("At 1 % an allowance may be up to 1 % above or below the emissions of its unit."),
    "lower": _("At 1 % an allowance may be up to 1 % below the emissions of its unit."),
    "upper": _("At 1 % an allowance may be up to 1 % above the emissions of its unit."),
}
"""What the value of a key means, by the part of the key that says it."""

MISSING = _(
    "This page needs JavaScript. If that is on, the file was altered: its program is not the one it states, or its "
    "numbers are none that a page has."
)
"""What is shown until the program of the page runs."""


def meanings(axis: Axis) -> list[Text]:
    """Return what the values of an axis mean, each sentence once.

    >>> from etsopt.studies.curves.axes import Axis
    >>> print(*meanings(Axis({"provinces.balance.Anhui": (0.01, 0.0)})))
    At 1 % the allowances of a province may together be up to 1 % above or below its emissions.
    """
    parts = (part for key in axis.ends for part in reversed(key.split(".")) if part in MEANINGS)
    return [MEANINGS[part] for part in dict.fromkeys(parts)]
