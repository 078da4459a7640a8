"""A page for each rule: formula, parameters with their sources, and an example that is worked and executed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import etsopt
from docs.tools.examples_of_rules import EXAMPLES, Example
from docs.tools.models import mathematics
from etsopt.data.policy.official import CONFIDENCE, LAST_YEAR, SOURCES
from etsopt.data.policy.plans import of_plan, of_year, plan_year
from etsopt.rules import RULES, issuance

if TYPE_CHECKING:
    from etsopt.rules import Rule

COEFFICIENT = (
    r"A_i = \lfloor E_i (1 + \alpha_i) \rfloor",
    r"\alpha_i = \mathrm{clip}(0.15 X_i, -0.03, 0.03), \quad X_i = (V_s - I_i) / V_s",
    r"\sum_{i \in s} E_i \alpha_i = 0",
)
FORMULAS = {
    "benchmark": (r"A_i = \lfloor b_s \, Q_i \rfloor",),
    "cn": (r"A_i = \lfloor Q_i B_c F_i \rfloor + \lfloor H_i B_h \rfloor \quad \text{(power)}", *COEFFICIENT),
    "cn-2024": ("A_i = E_i",),
    "cn-2025": COEFFICIENT,
    "cn-2026": COEFFICIENT,
    "given": ("A_i = R_i",),
    "grandfathering": (r"A_i = \lfloor f \, E_i^{\mathrm{prior}} \rfloor",),
}
"""Main formulas of each rule; the symbols are explained once, on the index page."""

INDEX = r"""# Rules

A rule gives each unit its reference allocation. The model [allocation](../models/allocation.md) changes it as little as
possible, so that limits and targets hold. `etsopt rules` lists the rules, and `etsopt rules cn-2025` the figures of a
plan. [A rule of your own](../how-to/own-rule.md) is a Python file. Each page has an example that `etsopt` computes as
the page is built; [the official ones](../official-examples.md) have a page of their own.

$A_i$ are the allowances of unit $i$, $E_i$ its verified emissions, $Q_i$ its output (generation for power), $H_i$ its
heat, $I_i$ its intensity, $V_s$ the balance value of its sector, $X_i$ its intensity deviation and $\alpha_i$ its
coefficient. $b_s$ and $B$ are benchmarks, $F_i$ is the load correction, $R_i$ the allowance that the user states, and
$f$ a factor. $\lfloor \cdot \rfloor$ rounds down to whole tonnes.

| rule | contents |
| --- | --- |
"""


def write_pages(target: Path) -> None:
    """Write the page of every rule, and their index, below the folder of English sources."""
    folder = target / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    packaged = {name: rule for name, rule in sorted(RULES.items()) if not rule.own}
    for name, rule in packaged.items():
        (folder / f"{name}.md").write_text(_page(rule), encoding="utf-8")
    rows = "\n".join(f"| [{name}]({name}.md) | {rule.summary} |" for name, rule in packaged.items())
    toctree = "\n".join(["```{toctree}", ":hidden:", "", *packaged, "```"])
    (folder / "index.md").write_text(f"{INDEX}{rows}\n\n{toctree}\n", encoding="utf-8")


def _page(rule: Rule) -> str:
    formulas = "\n\n".join(f"$$ {formula} $$" for formula in FORMULAS[rule.name])
    head = f"# {rule.name}\n\n**{rule.summary}**\n\n{formulas}\n\nSource: {_linked(rule.source)}."
    worked = "\n\n".join(_worked(rule.name, example) for example in EXAMPLES[rule.name])
    return mathematics(f"{head}\n\n## Example\n\n{worked}\n\n## Parameters\n\n{_parameters(rule)}\n\n{_official(rule)}")


def answer(rule: str, example: Example) -> list[float]:
    """Return the figures of an example as etsopt computes them [t].

    Raises
    ------
    ValueError
        If they differ from those worked by hand.
    """
    policy = {"year": example.year, "rule": {"name": rule, **example.rule}}
    instance = etsopt.Instance.from_frames(example.frame(), policy, name="example")
    result = etsopt.solve(instance, "balance_value")
    if not result.certified:
        raise ValueError(f"the example of {rule} is {result.status}.\n\nCorrect docs/tools/examples_of_rules.py.")
    table = result.tables["allocation"]
    if example.column == "reference_t":
        found = table["reference_t"].astype(float).tolist()
    else:
        found = issuance(instance, table["reference_t"].to_numpy(dtype=float))[example.column].tolist()
    if found != example.by_hand:
        raise ValueError(f"the example of {rule} gives {found} and not {example.by_hand}.\n\nCorrect one of both.")
    return found


def _worked(rule: str, example: Example) -> str:
    found = answer(rule, example)
    columns = list(example.units)
    head = ["unit", *(f"`{name}`" for name in columns), "by hand [t]", "etsopt [t]"]
    frame = example.frame()
    lines = [
        [unit, *(_shown(value) for value in values), _shown(by_hand), _shown(by_etsopt)]
        for unit, values, by_hand, by_etsopt in zip(
            frame["unit_id"], frame[columns].itertuples(index=False), example.by_hand, found, strict=True
        )
    ]
    rows = [
        head,
        ["---", *("---:" if _is_number(value) else "---" for value in frame[columns].iloc[0]), "---:", "---:"],
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in [*rows, *lines])
    keys = "".join(f", `rule.{key} = {value}`" for key, value in example.rule.items())
    equal = f"Year {example.year}{keys}. The last column is computed while this page is built; a difference stops it."
    return f"*{example.origin}*\n\n{example.text}\n\n{table}\n\n{equal}"


def _is_number(value: object) -> bool:
    return not isinstance(value, str)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else f"{value:,.10g}"


def _parameters(rule: Rule) -> str:
    plan = of_plan(rule.name, LAST_YEAR)
    lines = ["| key | default | meaning |", "| --- | --- | --- |"]
    for key, field in rule.parameters.model_fields.items():
        default = "required" if field.is_required() else plan.get(key, field.default)
        if isinstance(default, tuple):
            default = ", ".join(default)
        lines.append(f"| `rule.{key}` | {'' if default is None else default} | {field.description} |")
    return "\n".join(lines)


def _official(rule: Rule) -> str:
    """Return the official figures of the rule's year, each with its mark and source."""
    year = plan_year(rule.name, LAST_YEAR) or LAST_YEAR
    found = list(of_year(rule.name, year)) if rule.name.startswith("cn") else []
    if not found:
        return "No plan of China has this rule, so it has no official figures.\n"
    lines = [f"## Official figures of {year}\n", "| key | official | unit | sectors | mark | source |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    used = list(dict.fromkeys(row.source for row in found))
    lines += [
        f"| `{row.key}` | {row.shown} | {row.unit} | {', '.join(row.sectors)} | **[{row.confidence}]** {row.status} "
        f"| {', '.join(filter(None, (str(used.index(row.source) + 1), row.page)))} |"
        for row in found
    ]
    marks = "; ".join(f"[{mark}] {meaning}" for mark, meaning in CONFIDENCE.items())
    sources = [f"{number}. {_linked(SOURCES[name])}." for number, name in enumerate(used, 1)]
    return "\n".join([*lines, f"\nMarks: {marks}. A figure marked [C] has to be checked before use.\n", *sources, ""])


def _linked(source: str) -> str:
    """Return a source with its addresses as links."""
    return re.sub(r"(https?://[^\s;,]+)", r"<\1>", source.rstrip("."))
