"""Commands whose output is kept: the words of each command line, by the name of its case."""

from __future__ import annotations

from typing import Any

from etsopt.cli import parser_of
from tests.terminal.long_names import CODE

CLINKER = "--unit U3 --month 2025-04 --item portland_clinker"
BY_LI = "--level municipal --by Li"
TARGET = "--set sectors.cement.target_change"

SOLVES = {
    "solve-tiny": "solve tiny --out result",
    "solve-workbook": "solve plants.xlsx --out result.xlsx",
    "solve-infeasible": f"solve tiny {TARGET}=-0.04 --out result",
    "solve-remedy": f"solve tiny {TARGET}=-0.04 --apply-remedy 1",
    "solve-stopped": "solve tiny --time-limit 1e-9 --out result",
    "solve-generated": "solve generated",
    "solve-long": f"solve long {TARGET}=-0.001",
    "solve-long-compliance": "solve long --model compliance",
    "solve-exceptions": "solve exceptions/instance",
    "solve-rounded": "solve rounded/instance",
    "solve-everything": "solve everything/instance",
    "solve-two-conflicts": "solve eu-2019",
    "solve-balance-value": "solve tiny --model balance_value",
    "solve-compliance": "solve compliance/instance --model compliance",
    "solve-all-sectors": "solve all-sectors --model compliance",
    "solve-clearing": "solve clearing/instance --model clearing",
    "solve-clearing-unmet": "solve missing/instance --model clearing",
    "solve-pathway": "solve pathway/instance --model pathway",
    "solve-abatement": "solve taker/instance --model abatement",
    "solve-outlook": "solve outlook/instance --model outlook",
    "solve-equilibrium": "solve equilibrium/instance --model equilibrium",
    "solve-investment": "solve two-scenarios --model investment",
    "solve-reconciliation": "solve reconciliation/instance --model reconciliation",
    "solve-review-plan": "solve review_plan/instance --model review_plan",
    "solve-missing-days": "solve missing_days/instance --model review_plan",
    "solve-own-model": "solve tiny --model own_model.py --out result",
    "solve-own-model-conflict": "solve tiny --model own_model.py --set sectors.cement.target_change=0.05",
    "solve-own-rule": "solve tiny --rule own_rule.py",
    "solve-own-parameters": "solve tiny --set rule.slope=0.2 --set rule.cap=0.05",
    "solve-not-verified": "solve cn-2025-reports --model balance_value",
    "solve-assumed": "solve plants.csv",
}
"""Models, and the remarks on a result."""

RUNS = {
    "validate": "validate tiny",
    "validate-long": "validate long",
    "validate-doubtful": "validate tiny --set sectors.cement.target_change=1",
    **{f"check-{name}": f"check {name}" for name in ("run", "infeasible", "clearing", "compliance", "investment")},
    **{f"check-{name}": f"check {name}" for name in ("reconciliation", "review_plan", "equilibrium", "damaged", "own")},
    **{f"check-{name}": f"check {name}" for name in ("missing", "missing_days", "long-run", "under-own-rule")},
    "check-own-model": "check own --model own_model.py",
    "explain": "explain run north-1",
    "explain-long": f"explain long-run {CODE}-clinker-line-1",
    "explain-clearing": "explain clearing u0",
    "compare": "compare run other",
    "plot": "plot run",
    "plot-clearing": "plot clearing",
    "plot-drawn": "plot run surplus --out surplus.html",
    "plot-swept": "plot swept",
    "plot-designed": "plot designed",
    "report": "report run",
    "report-letter": "report run --letter enterprise-a",
    "report-letter-long": f"report long-run --letter {CODE}",
    "report-beside": "report run --beside other",
    "report-sheets": "report compliance --sheets",
    "report-swept": "report swept",
    "report-designed": "report designed",
    "roll": "roll compliance --out next",
    "roll-long": "roll long-year --out next",
    "export": "export all-sectors-run --tables official --out tables",
    "import": "import annex --out instance --year 2026 --province 福建",
    "new": "new own.xlsx",
    "new-monthly": "new monthly.xlsx --monthly",
    "convert": "convert tiny tiny.xlsx",
    "fix": "fix messy.csv --out clean.xlsx",
    "generate": "generate --units 12 --seed 3 --measures 2 --out generated-again",
}
"""Runs, and files made of them."""

REPORTS = {
    "account": "account plants --out accounts",
    "account-factors": "account --factors",
    "account-long": "account long-plants",
    "screen": "screen plants --out findings",
    "screen-rules": "screen --rules",
    "screen-long": "screen long-plants",
    "inclusion": "inclusion plants --year 2027",
    "inclusion-long": "inclusion long --year 2027",
    "monitor": "monitor plants --out monitored",
    "reconcile": "reconcile plants --out reconciled",
    "reconcile-long": "reconcile long-plants",
    "store-import": "store import new.duckdb plants",
    "store-import-again": "store import store.duckdb plants",
    "store-export": "store export store.duckdb --out exported",
    "store-log": "store log reviewed.duckdb",
    "store-log-long": "store log long-reviewed.duckdb",
    "store-verify": "store verify reviewed.duckdb",
    "review-status": "review status reviewed.duckdb --on 2026-03-31",
    "review-status-long": "review status long-reviewed.duckdb --on 2026-03-31 --out tables",
    "review-findings": "review findings reviewed.duckdb",
    "review-findings-long": "review findings long-reviewed.duckdb",
    "review-notice": "review notice reviewed.duckdb --out notices --deadline 2026-04-30",
    "review-history": "review history reviewed.duckdb --unit U3 --month 2025-04",
    "review-history-long": f"review history long-reviewed.duckdb --unit {CODE}-series-500kA --month 2025-02",
    "review-apply": "review apply store.duckdb decisions.csv",
    "review-apply-again": "review apply reviewed.duckdb decisions.csv",
    "review-screen": f"review screen store.duckdb {BY_LI}",
    "review-pass": f"review pass store.duckdb --unit U1 {BY_LI}",
    "review-find": f"review find store.duckdb --unit U3 --month 2025-03 {BY_LI} --reason late --size 10",
    "review-close": f"review close reviewed.duckdb --finding 1 {BY_LI} --reason mended",
    "review-correct": f"review correct store.duckdb {CLINKER} {BY_LI} --reason 'as in the ledger' --quantity 40000",
    "review-restore": f"review restore reviewed.duckdb {CLINKER} {BY_LI} --reason 'was right' --version 1",
    "verify": "verify reviewed.duckdb --year 2025 --out verified",
    "verify-long": "verify long-reviewed.duckdb --year 2025",
    "review-plan": "review-plan plants --days national=5 --days provincial=4 --out plan --tables tables",
    "review-plan-infeasible": "review-plan missing_days/instance",
}
"""Monthly reports and stores of them."""

SEVERAL = {
    "sweep": "sweep sweep.toml --workers 1",
    "sweep-count": "sweep sweep.toml --count",
    "curve": "curve tiny --vary sectors.cement.target_change=-0.03:0 --out curved",
    "explore": "explore tiny --vary sectors.cement.target_change=-0.03:0 --out page.html",
    "curve-box": "curve tiny --vary sectors.cement.target_change=-0.01:0 --vary provinces.balance=0.01:0.02",
    "methods": "methods tiny --price 84",
    "error-methods": "methods tiny --out methods.pdf",
    "design": "design design.toml --workers 1",
    "forecast": "forecast forecast.toml",
    "forecast-long": "forecast long-forecast.toml",
    "models": "models",
    "rules": "rules",
    "rules-year": "rules cn --year 2026",
    "instances": "instances",
    "completion": "completion fish",
    "schema": "schema",
    "version": "--version",
}
"""Many solves, and lists."""

ERRORS = {
    "error-no-command": "",
    "error-unknown-command": "slove tiny",
    "error-unknown-option": "solve tiny --no-such-option",
    "error-choice": "completion cmd",
    "error-missing-argument": "review pass store.duckdb --unit U1",
    "error-number": "solve tiny --gap many",
    "error-no-verb": "review",
    "error-key": "solve tiny --set sectors.cement.targt_change=-0.01",
    "error-ignored-key": "solve tiny --set abatement.divisible_measures=true --set market.prices_cny_per_t=80",
    "error-parameters": "solve tiny --set rule.name=given",
    "error-pair": "solve tiny --set sectors.cement.band",
    "error-value": "solve tiny --set sectors.cement.band=wide",
    "error-instance": "solve cn-2052",
    "error-model": "solve tiny --model alocation",
    "error-method": "solve tiny --method fast",
    "error-units": "validate bad",
    "error-long": "solve long --set rule.name=cn-2027",
    "error-run": "check plants",
    "error-damaged-run": "report damaged",
    "error-enterprise": "report run --letter enterprise-c",
    "error-explain": "explain compliance b1",
    "error-unit": "explain run north-3",
    "error-chart": "plot run surplsu",
    "error-reports": "account faulty",
    "error-factor": "account plants --set gwp=1",
    "error-no-store": "store log plants.csv",
    "error-decision": "review pass store.duckdb --unit U1 --level national --by Li",
    "error-days": "review-plan review_plan/instance --days provinc=3",
    "error-sweep": "sweep design.toml",
    "error-curve": "curve tiny --vary sectors.cement.band=0.02:0.03",
    "error-explore": "explore tiny --vary sectors.cement.target_change=-1%:0 --vary sectors.cement.band=0.02:0.03",
    "error-range": "curve tiny --vary sectors.cement.target_change=-0.01",
    "error-rule": "rules cm",
    "error-workbook": "new plants.xlsx",
    "error-empty-workbook": "validate new.xlsx",
    "error-roll": "roll run --out next",
    "error-official": "export run --tables offical --out tables",
}
"""Calls and files with a mistake."""


def paths() -> dict[str, tuple[str, ...]]:
    """Return every command and verb of the parser, by the name of its help."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(parser: Any, before: tuple[str, ...]) -> None:
        for action in parser._actions:
            if isinstance(action.choices, dict):
                for name, own in action.choices.items():
                    found["-".join(("help", *before, name))] = (*before, name)
                    walk(own, (*before, name))

    walk(parser_of(), ())
    return found


HELP = {"help": "--help", **{name: f"{' '.join(path)} --help" for name, path in paths().items()}}

CASES = {**SOLVES, **RUNS, **REPORTS, **SEVERAL, **ERRORS, **HELP}
"""Command lines by the names of their cases."""

BY_NIGHT = frozenset(
    (
        *(f"{name}-long" for name in ("solve", "screen", "verify", "reconcile", "forecast", "roll", "explain")),
        *(f"solve-{name}" for name in ("long-compliance", "all-sectors", "workbook", "generated", "own-parameters")),
        *("solve-own-model", "solve-assumed", "report-letter-long", "store-log", "store-import-again"),
        *(f"check-{name}" for name in ("long-run", "under-own-rule", "damaged")),
        *(f"check-{name}" for name in ("compliance", "clearing", "investment", "review_plan")),
    )
)
"""Cases of which four other everyday tests at least run each line, beside a case of the same command."""

HEADS = {"completion": 8, "schema": 8}
"""Cases of which so many lines are kept: other tests compare the script, and the schema is for programs."""
