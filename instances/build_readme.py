"""Write README.md, the description of the instance format, from the schema and the policy classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.data.files import shipped
from etsopt.data.files.instance_sheets import heading
from etsopt.data.policy.allocation import ONE_VALUE
from etsopt.data.policy.official import LAST_YEAR
from etsopt.data.policy.parsing import ANY, SECTIONS
from etsopt.data.policy.plans import of_plan
from etsopt.data.policy.policy import Policy
from etsopt.data.policy.rule import RulePolicy
from etsopt.data.tables import chinese
from etsopt.data.tables.schema import TABLES
from etsopt.rules import RULES

if TYPE_CHECKING:
    from etsopt.data.tables.table import Table

HERE = Path(__file__).parent

INTRODUCTION = """\
# Instances

An instance is a folder with the tables below, `policy.toml` and a `README.md` whose first line separates observed from
assumed data. An instance does not name a model. Files are UTF-8 or Chinese GBK. With `etsopt[parquet]` installed, a
table may also be in Parquet, `units.parquet` in place of `units.csv`; its columns are checked like those of a CSV file.

Headings may be Chinese, and so may words of cells and keys of the policy that name a sector or a province. A heading
may state another unit of measure in brackets, such as 排放量(万吨) or `emissions_tco2e (kt)`: the numbers are converted
exactly. A province of China has one name, however it is written: 安徽省 is Anhui.

With `etsopt[excel]` an instance may also be one workbook: a sheet for each table and one for the policy, named as below
or in Chinese, with a row of headings; the sheet `policy` has a row for each key, with the headings `key` and `value`.
`etsopt new plants.xlsx` writes one to fill in, `etsopt convert cn-2025 cn-2025.xlsx` an instance as one. A CSV file of
units alone is an instance too. Headings may be plain words there (Emissions, Company), columns of your own need no
`x_`, a missing `unit_id` or `enterprise_id` is taken from the name of the enterprise where it can be, and without a
policy the plan of 2026 holds; warnings tell each of these. Headings may state the year of the policy and the year
before, such as 2024年排放量 beside 2025年排放量, of which the first is `prior_emissions_tco2e`; without a policy the
later of two years is this year. Commas that separate thousands are left out of `1,234,567` and `1,234.5`, and of
`1,234` where another cell of its column has such a number; any other is refused. `etsopt fix plants.xlsx --out
clean.xlsx` writes all of this out: tables that need no warning, a list of every change, and the cells that are left to
a person in colour.

`etsopt roll RUN --out DIR` makes next year's instance of a compliance year: holdings, deductions and obligations
outstanding of `enterprises.csv`, prior emissions of `units.csv`, and the plan of the next year. Emissions and output
are those of `--units FILE`; without it this year's stand in for them, as the README of the folder states.

In place of emissions an instance may have [monthly reports](../etsopt/accounting/README.md): `register.csv` and
`reports/`, or a store `reports.duckdb`. `units.csv` then needs no emissions and may be absent; it states further
columns of these units, such as special cases, and units without reports. Emissions, outputs and intensities follow from
the reports of the year of the policy, `emissions_status` says whether they are verified, and `--emissions` what is
taken until then. The hash of the instance covers the reports.

`make docs` generates this page from `etsopt/data/tables/schema.py`, `etsopt/data/policy` and the rules: edit those.
"""

REMARKS = """\
State a target by one key. A sector without one has no target, unless the rule balances the sector (cn-2025, cn-2026,
and industry under cn from 2025 on): its target is then its emissions, and `target_sense = "none"` removes it. A
`target_sense` without a figure limits the sector to its emissions.

A band may be wider than all emissions: the allowances of a unit are never negative.

A key marked "by year" takes one number for all years or a table `{2027 = 0.1, 2030 = 0.3}`: a value holds until the
next stated year; before the first, the default holds.
"""

OFFICIAL_PARAMETERS = """\
The rule `cn` follows, for each sector, the plan of the year of the tables: power by benchmarks, steel, cement and
aluminium as under the rules named after their plans. A rule named after a year takes the official parameters of that
year's plan unless the policy states them. Pre-allocation, carry-over, offsets and fines follow the compliance year.
`etsopt rules cn-2025` and `etsopt rules cn --year 2025` print all parameters with their sources. A result lists every
parameter that the policy states differently.

The option `--set 'rule={name="benchmark", benchmarks={cement=0.8}}'` states another rule; `--set rule.name=benchmark`
alone keeps the parameters of the former one.
"""


def readme() -> str:
    """Return the page as Markdown text."""
    tables = [
        f"## {table.file}\n\n{table.meaning[0].upper()}{table.meaning[1:]}. In a workbook: sheet `{table.name}` or "
        f"{chinese.TABLES[table.name]}.\n\n{_columns(table)}\n"
        for table in TABLES
    ]
    names = "\n".join(f"- [{name}]({name}/README.md)" for name in shipped.names())
    return "\n".join([INTRODUCTION, f"Shipped:\n\n{names}\n", *tables, _policy(), _rules()])


def _columns(table: Table) -> str:
    lines = ["| column | Chinese heading | required | unit or values | meaning |", "| --- | --- | --- | --- | --- |"]
    for column in table.columns:
        kind = [column.unit, "whole" if column.whole else "", column.limits]
        values = ", ".join(part for part in kind if part) or ", ".join(column.choices) or "text"
        default = "" if column.default is None else f"; default {_number(column.default)}"
        meaning = f"{column.meaning}{default}"
        words = heading(column, table, in_chinese=True)
        lines.append(f"| `{column.name}` | {words} | {'yes' if column.required else ''} | {values} | {meaning} |")
    return "\n".join([*lines, "| `x_...` | | | | a column of your own, passed to the results: numbers or text |"])


def _number(default: float | str) -> str:
    return default if isinstance(default, str) else f"{default:g}"


def _policy() -> str:
    head = "| key | default | meaning |\n| --- | --- | --- |"
    parts = [f"## policy.toml\n\n{head}\n| `year` | required | {Policy.model_fields['year'].description} |"]
    parts[0] += "\n| `rule.name` | required | name of the rule; its other keys are below |"
    parts[0] += f"\n| `rule.outside_scope` |  | {RulePolicy.model_fields['outside_scope'].description} |"
    parts[0] += f"\n| `coverage` |  | {Policy.model_fields['coverage'].description} |"
    # A band is one key, and the keys of the year and the rule are above.
    sections = {
        path.replace(ANY, "<sector>"): model for path, model in SECTIONS.items() if path and model not in ONE_VALUE
    }
    for section, model in sections.items():
        parts += [
            f"| `{section}.{key}` | {_default(field)} | {field.description} |"
            for key, field in model.model_fields.items()
            # The keys of a nested table are listed one by one.
            if f"{section}.{key}" not in sections
        ]
    return "\n".join(parts) + "\n\n" + REMARKS


def _rules() -> str:
    parts = ["## Rules\n", OFFICIAL_PARAMETERS]
    for name, rule in sorted(RULES.items()):
        plan = of_plan(name, LAST_YEAR)
        keys = [
            f"| `rule.{key}` | {_shown(plan[key]) if key in plan else _default(field)} | {field.description} |"
            for key, field in rule.parameters.model_fields.items()
        ]
        parts.append(
            "\n".join([f"### {name}\n\n{rule.summary}\n\n| key | default | meaning |\n| --- | --- | --- |", *keys])
            + "\n"
        )
    return "\n".join(parts)


def _default(field: object) -> str:
    if field.is_required():  # type: ignore[attr-defined]
        return "required"
    return _shown(field.default)  # type: ignore[attr-defined]


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        default = ", ".join(default)
    return "" if default is None else f"`{default}`"


if __name__ == "__main__":
    (HERE / "README.md").write_text(readme(), encoding="utf-8", newline="\n")
