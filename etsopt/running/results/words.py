"""Words of results: statuses and tables."""

from __future__ import annotations

from etsopt.common.language import _, pgettext

STATUSES = {
    "certified_optimal": _("certified optimal"),
    "certified_gap": _("certified within the gap"),
    "certified_rounded": _("certified optimal before rounding to whole tonnes"),
    "certified_program": _("program of the model file certified optimal"),
    "calculated": _("calculated, and checked"),
    "feasible": _("feasible, optimality not proven"),
    "infeasible_certified": _("infeasible, proven"),
    "infeasible_program": _("program of the model file infeasible, proven"),
    "infeasible_unproven": _("infeasible according to the solver, not proven"),
    "none": _("no result"),
    "refused": _("refused by the checker, no result"),
}
"""Status of a result."""

TERMINATIONS = {
    "time_limit": _("stopped by the time limit"),
    "interrupted": _("interrupted"),
    "memory": _("out of memory"),
    "solver_error": _("solver failure"),
}
"""Why a solve stopped early."""

TABLES = {
    "allocation": pgettext("results", "units"),
    "enterprises": pgettext("results", "enterprises"),
    "sectors": _("sectors"),
    "provinces": _("provinces"),
    "fairness": _("fairness"),
    "duals": _("duals"),
    "conflict": _("conflict"),
    "relaxed_limits": _("relaxed limits"),
    "relaxed_units": _("relaxed units"),
    "years": _("years"),
    "sector_years": _("sector years"),
    "enterprise_years": _("enterprise years"),
    "unit_years": _("unit years"),
    "plans": _("plans"),
    "measure_years": _("measure years"),
    "balance_values": _("balance values"),
    "closure": _("closure"),
    "terminal_prices": _("terminal prices"),
    "terminal_plans": _("terminal plans"),
    "uplift": _("uplift"),
    "leaves": _("leaves"),
    "equilibrium": _("equilibrium"),
    "outlook": _("outlook"),
    "outlook_years": _("outlook years"),
    "outlook_sectors": _("outlook sectors"),
    "outlook_electricity": _("outlook electricity"),
    "outlook_sources": _("outlook sources"),
    "fixed_points": _("fixed points"),
    "cycles": _("cycles"),
    "units": pgettext("results", "units"),
    "compliance": _("compliance"),
    "holdings": _("holdings"),
    "issuance": _("issuance"),
    "compliance_sectors": _("compliance sectors"),
    "compliance_provinces": _("compliance provinces"),
    "nation": _("nation"),
    "shortfalls": _("shortfalls"),
    "investments": _("investments"),
    "operations": _("operations"),
    "scenario_years": _("scenario years"),
    "scenario_costs": _("scenario costs"),
    "investment_summary": _("investment summary"),
    "unmet_demand": _("unmet demand"),
    "summary": _("summary"),
    "prices": pgettext("results", "prices"),
    "certificate": _("certificate"),
}
"""Sheets by table; tables without an entry keep their name."""
