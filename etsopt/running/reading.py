"""Read an instance: its tables and policy, and the emissions of its units from monthly reports if it has these."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.common.errors import DataError, SolverError, StoppedError, UsageError, brief
from etsopt.common.language import _, chain
from etsopt.data.files import shipped
from etsopt.data.files.lenient.table_plausibility import MEASURED, doubted
from etsopt.data.files.read import STORE, find_folder, is_file, read_instance, reports_in
from etsopt.data.files.workbook import WORKBOOKS
from etsopt.data.policy.changes import changed
from etsopt.data.policy.keys import english_path
from etsopt.data.tables.report_columns import ACCOUNTED
from etsopt.data.tables.schema import ENTERPRISES, UNITS
from etsopt.rules import reference_allowances
from etsopt.rules.registry import parameters_in
from etsopt.running.ends import at_ends
from etsopt.running.run import solve

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from etsopt.common.errors import Problem
    from etsopt.data.files.fixing import Fixed
    from etsopt.data.files.read import Complete, Wanted
    from etsopt.data.instance import Instance
    from etsopt.data.policy.policy import Policy
    from etsopt.data.tables.raw import RawTable

RECONCILIATION = "reconciliation"
STORE_SUFFIX = Path(STORE).suffix


def read(
    source: str | Path,
    emissions: str | None = None,
    policy: Mapping[str, Any] | None = None,
    stated: Collection[str] = (),
    under: Wanted | None = None,
) -> Instance:
    """Read an instance and evaluate its rule on it.

    Parameters
    ----------
    source
        A folder, a workbook, a CSV file of units, or the name of a shipped instance.
    emissions
        For an instance with monthly reports, the emissions of units that the national level has not passed:
        ``accounted`` (the default), ``low``, ``reconciled`` or ``high``, the ends and the estimate of reconciliation;
        ``verified`` refuses such units.
    policy
        Changes of the policy before the rule is evaluated, as `Instance.with_policy` takes them.
    stated
        Keys of the policy that are stated elsewhere: nobody is warned that they are assumed of a file without them.
    under
        A function that returns a policy under another rule, before it is changed.

    Raises
    ------
    UsageError
        If emissions are chosen of an instance without reports, or verified ones that are not.
    DataError
        With every problem of its files, or of what its rule needs; those of reports come first and alone.
    StoppedError, SolverError
        If the reconciliation of reports is stopped, or not certified.
    """
    if is_file(source) or Path(source).suffix == STORE_SUFFIX:
        _refuse_reports(Path(source))
    place = None if is_file(source) else reports_in(find_folder(source))
    if place is None and emissions is not None:
        what = _("{source!r} has no monthly reports: its emissions are those of units.csv.", source=str(source))
        raise UsageError(what, _("Leave out the choice of emissions, or add register.csv and reports/."))
    complete = None if place is None else _from_reports(place, ACCOUNTED if emissions is None else emissions)
    changes = policy or {}

    def wanted(found: Policy) -> Policy:
        found = changed(found if under is None else under(found), changes)
        try:
            parameters_in(found)
        except DataError as error:
            of_change = {key for key in given if key.partition(".")[0] == "rule"}
            place = _("the changed policy")
            problems = [
                replace(one, place=place) if {one.column, "rule"} & of_change else one for one in error.problems
            ]
            raise DataError(error.subject, problems) from None
        return found

    given = {".".join(english_path(str(key).split("."))) for key in changes}
    instance = read_instance(source, complete, _evaluate, wanted, given, stated)
    if is_file(source):
        return instance
    # Figures of a folder are doubted as those of a file are, which its reader doubts.
    measured = [name for name in MEASURED if name in instance.units]
    return doubted(instance, "units.csv" if place is None else "reports", chain(measured, _("{first}, {second}")))


class InstanceChecked(NamedTuple):
    """The instance of which a check proves something; ``shipped`` is True if it is the shipped one of that name."""

    name: str
    year: int
    hash: str
    shipped: bool

    @property
    def told(self) -> str:
        """Name and hash in a sentence, and whether it is as it is shipped."""
        text = _("Instance: {name}, SHA-256 {digest}….")
        if self.shipped:
            text = _("Instance: {name} as it is shipped, SHA-256 {digest}….")
        return _(text, name=self.name, digest=self.hash[:16])


def instance_checked(instance: Instance, stated: str, moved: Mapping[str, Any] | None = None) -> InstanceChecked:
    """Return what identifies the instance of a run folder, whose files hold no name.

    Parameters
    ----------
    stated
        Its name, as the run states it. It counts only if the shipped instance of that name has the same cells.
    moved
        Of a curve, the first value of each key that varies, at which instances are compared: a shipped one keeps the
        hash that it is shipped with, another has that of its policy there.
    """
    with warnings.catch_warnings():
        # Doubts about the figures were told when they were solved.
        warnings.simplefilter("ignore")
        there = instance.with_policy(moved or {})
        if stated in shipped.names():
            published = read(shipped.folder(stated))
            if published.with_policy(moved or {}).hash == there.hash:
                return InstanceChecked(stated, instance.policy.year, published.hash, True)
    return InstanceChecked(instance.name, instance.policy.year, there.hash, False)


def _refuse_reports(source: Path) -> None:
    """Raise UsageError for a workbook of monthly reports or a store, which is no instance without a policy."""
    from etsopt.accounting.monthly.tables import is_monthly

    if source.suffix == STORE_SUFFIX and source.is_file():
        what = _("{source} is a store of monthly reports, not an instance.", source=source.name)
        advice = _(
            "Account for it: etsopt account {source}. To allocate, put it into a folder as reports.duckdb, beside a "
            "policy.toml with year and rule, and solve the folder.",
            source=source.name,
        )
        raise UsageError(what, advice)
    if source.suffix.lower() in WORKBOOKS and is_monthly(source):
        what = _("{source} is a workbook of monthly data, not an instance.", source=source.name)
        advice = _(
            "Account for it: etsopt account {source}. To allocate, put it into the folder reports of a folder with a "
            "policy.toml, DIR/reports/{source}, and solve DIR.",
            source=source.name,
        )
        raise UsageError(what, advice)


def fix(source: Path, target: Path) -> Fixed:
    """Write a person's own file as a clean workbook; what its rule refuses is among the problems, as `read` tells it.

    Raises
    ------
    UsageError, DataError
        As `etsopt.data.files.fixing.fix` does.
    """
    from etsopt.data.files.fixing import fix as fixed

    def wanted(found: Policy) -> Policy:
        parameters_in(found)
        return found

    return fixed(source, target, _evaluate, wanted)


def _evaluate(instance: Instance) -> None:
    """Evaluate the rule of an instance, at both ends of a balance value that is known as an interval."""
    for one in at_ends(instance).values() or [instance]:
        reference_allowances(one)


def _from_reports(place: Path, emissions: str) -> Complete:
    """Return the function that completes the units of an instance from its reports, which it reads once."""
    from etsopt.accounting import reported
    from etsopt.accounting.units_from_reports import units_from_reports

    if emissions not in reported.CHOICES:
        raise UsageError(
            _("There are no emissions {emissions}.", emissions=brief(emissions)),
            _("Choose one of {choices}.", choices=", ".join(reported.CHOICES)),
        )

    @cache
    def of(year: int) -> tuple[reported.Reported, pd.DataFrame]:
        found = reported.Reported.of(place, year)
        return found, found.units(emissions, _reconciled)

    def complete(year: int, stated: RawTable | None) -> tuple[dict[str, RawTable], list[Problem]]:
        found, reported_units = of(year)
        units, problems = units_from_reports(stated, reported_units, found.id_in_instance)
        enterprises = found.enterprises(units)
        return {UNITS.name: units} | ({} if enterprises is None else {ENTERPRISES.name: enterprises}), problems

    return complete


def _reconciled(evidence: Instance) -> Mapping[str, pd.DataFrame]:
    """Return the tables of a certified reconciliation.

    Raises
    ------
    StoppedError
        If it was stopped.
    SolverError
        If it is not certified.
    """
    results = solve(evidence, RECONCILIATION)
    if results.termination in ("time_limit", "interrupted"):
        raise StoppedError(results.termination)
    if not results.certified or RECONCILIATION not in results.tables:
        what = _("The interval of emissions is not known: reconciliation ended {status}.", status=results.status)
        raise SolverError(
            what, _("See why: etsopt reconcile. Without the choice of emissions accounted ones are taken.")
        )
    return results.tables
