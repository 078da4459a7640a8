"""Check the tables of an outlook: every case is a program derived again, proven by its multipliers, and added up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.checking.cells import are_whole, crossed, rows_are
from etsopt.checking.outlook.cases import cases_of, share_off
from etsopt.checking.outlook.cells import sectors_follow, summary_follows, years_follow
from etsopt.checking.outlook.derived import SUPPLY, Model, derive
from etsopt.checking.outlook.point import multipliers_of, point_of
from etsopt.checking.program import ProgramAnswer, ProgramQuestion, judge_program
from etsopt.checking.readings.supply import MILLION
from etsopt.checking.theorem import COST, OWN_TABLES
from etsopt.checking.tolerances import AUCTIONED_SHARE_TOLERANCE, CAP_MISS_TOLERANCE_RELATIVE
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.outlook.cases import Case
    from etsopt.checking.readings.instance_inputs import InstanceInputs


def check(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], gap: float) -> Verdict:
    """Check the tables of an outlook against the instance.

    Returns
    -------
    Verdict
        Violations, and the cost of the policy's case with its bound. It is not proven if another case is not, if
        allowances miss the cap, or if auctioned shares of the policy's case are off those that it states.
    """
    violations = are_whole(tables, OWN_TABLES["outlook"])
    if not violations and (instance.supply is None or instance.policy.outlook.free_part is None):
        message = _("the instance has sources of supply, and states the form of the free part")
        violations = [Violation("tables", "supply", 1.0, "tables", message)]
    if violations:
        return Verdict(tuple(violations), ())
    model = Model.of(instance)
    cases = list(cases_of(model))
    violations = list(_rows(model, cases, tables))
    if violations:
        return Verdict(tuple(violations), ())
    verdicts = [
        _of_case(model, case, {name: _part(name, table, case) for name, table in tables.items()}, gap) for case in cases
    ]
    found = tuple(violation for verdict in verdicts for violation in verdict.violations)
    # Prices are as near to the least cost as their case; those of one that is not proven are named.
    loose = tuple(
        case.level
        for case, verdict in zip(cases, verdicts, strict=True)
        if verdict.unproven_prices or not all(level.certified for level in verdict.levels)
    )
    unproven = bool(loose) or any(verdict.unproven for verdict in verdicts)
    return Verdict(found, verdicts[0].levels, unproven=unproven, unproven_prices=loose)


def _rows(model: Model, cases: Sequence[Case], tables: Mapping[str, pd.DataFrame]) -> Iterator[Violation]:
    """Yield a violation for each table whose rows are not those of the cases."""
    names, years = [case.name for case in cases], model.years.tolist()
    yield from rows_are("outlook", tables["outlook"], {"case": names})
    yield from rows_are("outlook_years", tables["outlook_years"], crossed(case=names, year=years))
    of_sectors = crossed(case=names, sector=model.instance.sectors, year=years)
    yield from rows_are("outlook_sectors", tables["outlook_sectors"], of_sectors)
    sources, duals = tables["outlook_sources"], tables["duals"]
    known = sources["case"].isin(names) & sources["supply_id"].isin(model.sources.names) & sources["year"].isin(years)
    if not known.all() or sources.duplicated(["case", "supply_id", "year"]).any():
        yield Violation(
            "same_rows", "outlook_sources", 1.0, "rows", _("each row is of a case, a source and a year, once")
        )
    levels = [case.level for case in cases]
    if not duals["level"].isin(levels).all() or set(duals["unit"]) - {"CNY/t"}:
        yield Violation("same_rows", "duals", 1.0, "rows", _("each multiplier is of the cost of a case, in CNY/t"))


def _part(name: str, table: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return the rows of a case."""
    found = table[table["level"] == case.level] if name == "duals" else table[table["case"] == case.name]
    return found.reset_index(drop=True)


def _of_case(model: Model, case: Case, tables: Mapping[str, pd.DataFrame], gap: float) -> Verdict:
    """Check the tables of one case; the verdict is open if its cap or its auctioned shares are missed."""
    years = tables["outlook_years"]
    free_share, auctioned = (
        years["free_share"].to_numpy(dtype=float),
        years["auctioned_t"].to_numpy(dtype=float) / MILLION,
    )
    limited = np.where(case.capped, case.cap, 0.0)
    volume = auctioned if case.by_output else limited
    violations = list(_form(case, free_share, volume))
    program = derive(model, free_share, volume, case.terminal_price)
    x, multipliers = point_of(model, program, tables), multipliers_of(model, program, tables["duals"])
    if multipliers is None:
        message = _("each multiplier is of a row of the program, once")
        violations.append(Violation("duals", case.name, 1.0, "rows", message))
    if violations or multipliers is None:
        return Verdict(tuple(violations), ())
    question = ProgramQuestion(program, (COST,), gap)
    # A table states no value of the cost.
    stated = LevelCheck(COST, "", 0.0, 0.0, 0.0, 0.0)
    answer = ProgramAnswer(x, (stated,), {COST: _Root((multipliers,))})
    verdict = judge_program(question, answer, "outlook")
    violations = [
        replace(one, where=f"{one.where}, {case.name}") for one in verdict.violations if one.rule != "level_is_kept"
    ]
    supply = x[program.columns[SUPPLY]].reshape(len(model.owner), -1)
    violations += years_follow(model, case, program, x, multipliers, tables)
    violations += sectors_follow(model, program, supply, multipliers, tables["outlook_sectors"])
    allowance = free_share * (model.figure("benchmark_tco2e_per_t") * supply).sum(axis=0) + volume
    missed = float(np.abs(allowance - limited)[case.capped].max(initial=0.0))
    off = share_off(model, case, free_share, volume)
    violations += summary_follows(model, case, missed, off, tables)
    largest = float(limited.max(initial=0.0))
    open_shares = case.name == "policy" and off > AUCTIONED_SHARE_TOLERANCE
    unproven = missed > CAP_MISS_TOLERANCE_RELATIVE * largest or open_shares
    # Bounds narrowed by rows prove a cost by almost any multipliers; prices have to prove it by themselves.
    return Verdict(tuple(violations), verdict.levels, unproven=unproven, unproven_prices=verdict.unproven_prices)


class _Root(NamedTuple):
    """A tree without splits: one vector of multipliers is of the whole program."""

    multipliers: tuple[Floats]
    parent: Ints = np.array([-1])
    column: Ints = np.array([-1])
    above: Mask = np.array([False])
    value: Floats = np.zeros(1)


def _form(case: Case, free_share: Floats, volume: Floats) -> Iterator[Violation]:
    """Yield shares that are not those of the form: all of the rule without a cap, none under one if it is fixed."""
    expected = np.where(case.capped, np.clip(free_share, 0.0, 1.0) if case.by_output else 0.0, 1.0)
    if (free_share != expected).any() or (volume[~case.capped] != 0).any() or not np.isfinite(volume).all():
        message = _("allowances follow output before the cap, and under it as the form says")
        yield Violation("free_part", case.name, float(np.abs(free_share - expected).max()), "share", message)
