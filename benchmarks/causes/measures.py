"""Recall, precision and causes of findings against planted faults, on sets by seed and on the shipped reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.causes.faults import FREQUENCIES, PLACE, planted
from etsopt.accounting import Reports, read_reports, screen

SHIPPED = Path(__file__).parents[2] / "instances" / "cn-2025-reports"
MONTH = ["unit_id", "month"]
LEVELS = {"place": PLACE, "item": [*MONTH, "item"], "month": MONTH}
"""How finely a finding has to say where a fault is."""

CAUSES = tuple(FREQUENCIES)
BANDS = (1, 1.25, 1.5, 2, 5, 100, float("inf"))
SIZES = (*(f"{low:g} to {high:g}" for low, high in pairwise(BANDS[:-1])), "100 and more", "missing", "copy")
"""Factors by which the figure of a place is off, up or down; copies are told by their digits, however near they are."""
RULES_OF = 5
"""The rules are measured on every fifth seed."""

Screen = Callable[[Reports], Any]


class Compared(NamedTuple):
    """Faults and findings of sets, each with whether the other has the same place at every level.

    ``named`` is the most probable cause found at the item of a fault, empty without any, and ``of`` the true cause at
    the item of a finding.
    """

    faults: pd.DataFrame
    findings: pd.DataFrame


def compared(faults: pd.DataFrame, findings: pd.DataFrame) -> Compared:
    """Compare the findings of a set with its faults; findings of rules have neither process, flow nor cause."""
    own, found = faults.copy(), findings.reset_index(drop=True)
    # A month without a report has no item.
    found = found.assign(**{name: found[name].fillna("") for name in ("process", "item", "flow") if name in found})
    for level, names in LEVELS.items():
        if set(names) <= set(found):
            ours, theirs = (pd.MultiIndex.from_frame(table[names].astype(str)) for table in (own, found))
            own[f"at_{level}"], found[f"at_{level}"] = ours.isin(theirs), theirs.isin(ours)
            found[f"first_at_{level}"] = ~theirs.duplicated()
    if "cause" in found:
        best = found.sort_values("probability", ascending=False, kind="stable").drop_duplicates(LEVELS["item"])
        for table, other, name in ((own, best, "named"), (found, own, "of")):
            causes = other.set_index(LEVELS["item"])["cause"]
            places = pd.MultiIndex.from_frame(table[LEVELS["item"]])
            table[name] = causes.reindex(places).fillna("").to_numpy()
    return Compared(own, found)


def set_of(seed: int, noise: float, screening: Screen = screen) -> dict[str, Any]:
    """Generate a set, screen it and compare; the rules too on every fifth seed. CPU time is that of screening [s]."""
    case = planted(seed, noise)
    reports = Reports.from_frames(case.register, case.rows)
    start = time.process_time()
    found = screening(reports)
    causes = found.causes
    spent = time.process_time() - start
    result = {"seed": seed, "cpu_s": spent, "causes": compared(case.faults, causes)}
    if seed % RULES_OF == 0:
        result["rules"] = compared(case.faults, found.findings)
    return result


def figures(sets: Iterable[Compared]) -> dict[str, Any]:
    """Return the rates of several sets together: recall and precision by level, findings a fault, right causes."""
    every = list(sets)
    faults = pd.concat([one.faults for one in every], ignore_index=True)
    findings = pd.concat([one.findings for one in every], ignore_index=True)
    rates: dict[str, Any] = {"sets": len(every), "faults": len(faults), "findings": len(findings)}
    rates["findings_per_fault"] = len(findings) / len(faults)
    for level in LEVELS:
        if f"at_{level}" in findings:
            # Several findings at one place say once that a fault is there.
            first = findings[findings[f"first_at_{level}"].astype(bool)]
            rates[level] = {"recall": float(faults[f"at_{level}"].mean()), "precision": _mean(first[f"at_{level}"])}
    rates["by_flow"] = _recall(faults, "flow")
    by_size = _recall(faults.assign(size=_size(faults)), "size")
    rates["by_size"] = {name: by_size[name] for name in SIZES if name in by_size}
    rates["by_way"] = _recall(faults.assign(way=faults["cause"] + ": " + faults["way"]), "way")
    if "cause" in findings:
        rates["right_cause"] = float((faults["named"] == faults["cause"]).mean())
        rates["by_cause"] = {cause: _by_cause(cause, faults, findings) for cause in _causes(faults, findings)}
    else:
        rates["by_rule"] = {
            str(rule): {"findings": len(own), "at_item": _mean(own["at_item"]), "at_month": _mean(own["at_month"])}
            for rule, own in sorted(findings.groupby("rule"), key=lambda pair: -len(pair[1]))
        }
    return rates


def _mean(values: pd.Series[Any]) -> float:
    """Return a share; of nothing at all none is wrong."""
    return float(values.astype(float).mean()) if len(values) else 1.0


def _recall(faults: pd.DataFrame, column: str) -> dict[str, dict[str, float]]:
    groups = faults.groupby(column, sort=True)["at_item"]
    return {str(name): {"faults": len(own), "recall": _mean(own)} for name, own in groups}


def _size(faults: pd.DataFrame) -> pd.Series[Any]:
    """Return how far the figure of a place is off: by a factor up or down, as a copy, or altogether."""
    factor = faults["factor"].to_numpy(dtype=float)
    off = np.exp(np.abs(np.log(np.where(factor > 0, factor, 1.0))))
    labels = pd.Series(pd.cut(off, list(BANDS), labels=SIZES[: len(BANDS) - 1], right=False), faults.index).astype(str)
    return labels.mask(factor == 0, "missing").mask(faults["cause"] == "copied_month", "copy")


def _causes(faults: pd.DataFrame, findings: pd.DataFrame) -> list[str]:
    """Return the causes that were planted or named, in the order of the planted ones."""
    named = {*faults["cause"], *findings["cause"]}
    return [*(cause for cause in CAUSES if cause in named), *sorted(named - set(CAUSES))]


def _by_cause(cause: str, faults: pd.DataFrame, findings: pd.DataFrame) -> dict[str, Any]:
    """Return how faults of a cause were found and named, and where findings that name it are."""
    own, named = faults[faults["cause"] == cause], findings[findings["cause"] == cause]
    return {
        "faults": len(own),
        "recall": _mean(own["at_item"]) if len(own) else None,
        "named": own["named"].value_counts().to_dict(),
        "findings": len(named),
        "precision": _mean(named["at_item"]) if len(named) else None,
        "right": _mean(named["of"] == cause) if len(named) else None,
    }


def shipped(screening: Screen = screen) -> dict[str, Any]:
    """Return how many of the faults of ``cn-2025-reports`` a cause touches, by kind, and causes in its clean plants."""
    reports, faults = read_reports(SHIPPED), pd.read_csv(SHIPPED / "planted.csv")
    return touched(faults, screening(reports).causes, reports.register["unit_id"].tolist())


def touched(faults: pd.DataFrame, causes: pd.DataFrame, units: list[str]) -> dict[str, Any]:
    """Return the faults, which may last several months, that have a cause in any of their unit-months."""
    found = set(zip(causes["unit_id"], causes["month"], strict=True))
    is_touched = [
        any((one.unit_id, str(pd.Period(one.month, "M") + after)) in found for after in range(one.months))
        for one in faults.itertuples()
    ]
    kinds = faults.assign(touched=is_touched).groupby("kind", sort=False)["touched"]
    clean = set(units) - set(faults["unit_id"])
    outside = causes[causes["unit_id"].isin(clean)]
    return {
        "faults": len(faults),
        "touched": sum(is_touched),
        "by_kind": {kind: {"faults": len(own), "touched": int(own.sum())} for kind, own in kinds},
        "causes": len(causes),
        "clean_plants": len(clean),
        "causes_in_clean_plants": len(outside),
        "clean_plants_with_causes": int(outside["unit_id"].nunique()),
    }
