"""The page of the diagnosis: its figures as tables, and what they do and do not say."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from benchmarks.causes.faults import FREQUENCIES
from benchmarks.reporting import provenance, table

Rates = dict[str, Any]
Part = dict[str, Any]

INTRODUCTION = """`etsopt.accounting.screen(reports).causes` names causes of faults in monthly reports: a factor, a
row that is counted twice, a unit of measure. Here its findings are held against faults that were planted. Generator and
diagnosis were written apart, neither with the code of the other in sight. The seeds below serve this measurement alone:
who works on the diagnosis takes seeds up to 20,000. `python -m benchmarks.causes` writes this page and
[causes.json](causes.json)."""

GOALS = """Goals at a noise of {noise:.0%}: recall and precision by item of at least 85 %, and at most 1.2 findings a
fault. {met}"""

MEASURES = """*Recall* is the share of faults at whose place there is a finding, *precision* the share of places with a
finding at which there is a fault: by unit, month and item; by unit and month alone; and with process and flow as well.
A missing month has no item. *Right cause* is the share of all faults at whose item the most probable cause is the true
one: a fault that is not found counts as wrong. Every finding counts as one *a fault*, also where several have one
place. The rules look for other faults and smaller deviations too, and are measured on every fifth seed; one of them,
`likely_cause`, tells what the diagnosis finds and no other rule does. The diagnosis is shown on these seeds as well."""

COLUMNS = """*Found* is the recall by item, *right* the share with the true cause. *Named instead* are the causes named
at the other faults that were found, as shares of all faults of the cause."""

SETS = """A set has 18 plants (clinker lines, steelworks with blast furnaces or electric furnaces, electrolysis
processes) of drawn sizes over twelve months, and ten faults in unit-months of their own. Output follows seasons, a
trend and in some plants a month of repair; consumption follows output, with a part of the load fixed and a rate of each
plant that drifts. An item varies around it by the noise of the set, whose tails are those of Student's t with four
degrees of freedom; materials by invoice have twice the noise, meters, calorific values and second counts a third. Some
plants have several meters, blend fuels or give one up, keep stocks whose purchases and closing stocks balance what was
used, or write whole tonnes. Fuels are tested in one to four batches a month, whose number changes."""

PLANTED = """A fault may be in any quantity or calorific value that is reported, output and purchases included, in small
items as often as in large ones; plants are drawn alike, whatever they report. Of an item of several
rows half of the faults concern one row, so that the item is off by less. An item in coal equivalent has the default
calorific value, a closing stock is off by 30 to 150 %, a copy is one figure of the month before, and a factor without
an explanation is anything from 1.3 to 5, or its inverse. How often each cause occurs is a judgement of practice:
{frequencies}."""

FLATTERS = """*What flatters.* Reports and faults are drawn: a real fault need not be one of these kinds, and comes with
others in the same month, or in all months alike, where no comparison of months can see it. Ten faults in 216
unit-months are an assumption; with fewer of them the precision is lower. Factors are exact but for the digits that are
written, kilns never stand for a whole month, no capacity is added within the year, and no report is corrected later."""

BURDENS = """*What does not.* Small items, single rows and factors that hide in the noise are planted as often as large
ones: of an item of three deliveries, one of which is stated as a thousandth of itself, a third is gone, and the sum
does not say why. A factor without an explanation that happens to be near 2 counts as wrong if it is named as counted
twice. A noise of 3 % is above that of most items by meter."""

ERRORS = """With 5,000 faults the standard error of a recall of 85 % is 0.5 %, with 1,000 it is 1.1 %."""


# The page is one text.
def page(content: dict[str, Any]) -> str:
    """Return the page in Markdown."""
    low, high = content["low"], content["high"]
    causes, rules = low["causes"], low["rules"]
    frequencies = ", ".join(f"`{cause}` {share:.0%}" for cause, share in FREQUENCIES.items())
    return f"""# Causes of faults

{_prose(INTRODUCTION)}

{_prose(GOALS.format(noise=low["noise"], met=_met(causes)))}

{_overview(low, high)}

{_prose(MEASURES)}

{_prose(f"{_seeds(low)} {_seeds(high)} {ERRORS}")}

{provenance(content["machine"], content["versions"])}

## By cause

{_by_cause(causes)}

{_prose(COLUMNS)}

Of the findings that name a cause, those at a faulty item, and those at a fault of that cause:

{_by_named(causes)}

## By flow, size and way

{_recalls(causes, "by_flow", "flow")}

By the factor by which the figure of the item is off, up or down:

{_recalls(causes, "by_size", "factor")}

{_recalls(causes, "by_way", "what was done")}

## At a noise of {high["noise"]:.0%}

{_by_cause(high["causes"])}

{_by_named(high["causes"])}

## The rules

On every fifth seed, at a noise of {low["noise"]:.0%}:

{_by_rule(rules)}

## The shipped reports

{_shipped(content["shipped"])}

## Sets and faults

{_prose(SETS)}

{_prose(PLANTED.format(frequencies=frequencies))}

## What this says

{_prose(FLATTERS)}

{_prose(BURDENS)}
"""


def _prose(text: str) -> str:
    return fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _met(rates: Rates) -> str:
    """Return which goals are met."""
    found = {
        "recall": rates["item"]["recall"] >= 0.85,
        "precision": rates["item"]["precision"] >= 0.85,
        "findings a fault": rates["findings_per_fault"] <= 1.2,
    }
    groups = (("Met", True), ("Missed", False))
    named = [(word, ", ".join(name for name, met in found.items() if met is wanted)) for word, wanted in groups]
    return " ".join(f"{word}: {names}." for word, names in named if names)


def _seeds(part: Part) -> str:
    sets, first = part["causes"]["sets"], part["first"]
    return (
        f"The {sets} sets with a noise of {part['noise']:.0%} have the seeds {first} to {first + sets - 1}; accounts, "
        f"rules and diagnosis of a set take {part['causes']['cpu_s']:.2f} CPU s."
    )


def _overview(low: Part, high: Part) -> str:
    kinds = (("causes", "causes"), ("causes_beside_rules", "causes, every fifth"), ("rules", "rules, every fifth"))
    head = ["findings", "sets", *(f"{rate}, {level}" for level in ("item", "month", "place") for rate in _RATES)]
    rows = []
    for key, kind in kinds:
        for part in (low, high):
            rates = part[key]
            levels = [rates.get(level) for level in ("item", "month", "place")]
            shares = [f"{one[rate]:.1%}" if one else "" for one in levels for rate in _RATES]
            right = f"{rates['right_cause']:.1%}" if "right_cause" in rates else ""
            name, count = f"{kind}, {part['noise']:.0%}", f"{rates['sets']:,}"
            rows.append([name, count, *shares, right, f"{rates['findings_per_fault']:.2f}"])
    return table([*head, "right cause", "findings a fault"], rows)


_RATES = ("recall", "precision")


def _by_cause(rates: Rates) -> str:
    rows = []
    for cause, own in rates["by_cause"].items():
        if own["faults"]:
            others = {name: count / own["faults"] for name, count in own["named"].items() if name not in ("", cause)}
            instead = ", ".join(f"`{name}` {share:.0%}" for name, share in others.items())
            right = own["named"].get(cause, 0) / own["faults"]
            rows.append([f"`{cause}`", f"{own['faults']:,}", f"{own['recall']:.1%}", f"{right:.1%}", instead])
    return table(["cause", "planted", "found", "right", "named instead"], rows, ("named instead",))


def _by_named(rates: Rates) -> str:
    rows = [
        [f"`{cause}`", f"{own['findings']:,}", f"{own['precision']:.1%}", f"{own['right']:.1%}"]
        for cause, own in rates["by_cause"].items()
        if own["findings"]
    ]
    return table(["cause named", "findings", "at a faulty item", "at a fault of that cause"], rows)


def _recalls(rates: Rates, key: str, head: str) -> str:
    rows = [[name or "month", f"{own['faults']:,}", f"{own['recall']:.1%}"] for name, own in rates[key].items()]
    return table([head, "planted", "found"], rows)


def _by_rule(rates: Rates) -> str:
    rows = [
        [f"`{rule}`", f"{own['findings']:,}", f"{own['at_item']:.1%}", f"{own['at_month']:.1%}"]
        for rule, own in rates["by_rule"].items()
    ]
    return table(["rule", "findings", "at a faulty item", "in a faulty month"], rows)


def _shipped(found: dict[str, Any]) -> str:
    told = f"""[cn-2025-reports](../instances/cn-2025-reports/README.md) has {found["faults"]} faults, of kinds and
    sizes of their own. Causes are named in a unit-month of {found["touched"]} of them. Of {found["causes"]:,} causes
    {found["causes_in_clean_plants"]} are in the {found["clean_plants"]} plants without a fault, in
    {found["clean_plants_with_causes"]} of these."""
    rows = [[kind, str(own["faults"]), str(own["touched"])] for kind, own in found["by_kind"].items()]
    return f"{_prose(told)}\n\n{table(['kind', 'planted', 'touched'], rows)}"
