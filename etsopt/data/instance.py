"""An instance: the validated, immutable tables and policy of one allocation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import AssumedWarning, DataError, Problem, UsageError, brief, warn
from etsopt.common.language import _
from etsopt.data.consistency import validate_consistency
from etsopt.data.content import Content
from etsopt.data.partial import further_problems
from etsopt.data.policy.changes import changed
from etsopt.data.policy.keys import english_path, nested
from etsopt.data.policy.parsing import parse_policy
from etsopt.data.policy_consistency import problems_of_sectors
from etsopt.data.tables.headings import as_stated, in_schema
from etsopt.data.tables.provinces import note_of_provinces, problems_of_provinces
from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.schema import TABLES, with_own_sectors
from etsopt.data.tables.validate import validate_table

if TYPE_CHECKING:
    from etsopt.data.policy.policy import Policy


@dataclass(frozen=True, eq=False, repr=False)
class Instance(Content):
    """Tables and policy of one allocation, validated one by one and together; from files or data frames.

    Its fields and derived quantities are those of `etsopt.data.content.Content`.
    """

    def __repr__(self) -> str:
        policy = self.policy
        about = f"{len(self.units):,} units of {', '.join(self.sectors)}; year {policy.year}, rule {policy.rule.name}"
        return f"<Instance {self.name}: {about}>"

    def _repr_html_(self) -> str:
        """Return what it holds, for a notebook."""
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{len(table):,}</td><td>{escape(', '.join(map(str, table)))}</td></tr>"
            for name, table in self.tables.items()
        )
        head = "<tr><th>table</th><th>rows</th><th>columns</th></tr>"
        return f"<div><b>{escape(repr(self)[1:-1])}</b><table>{head}{rows}</table></div>"

    @classmethod
    def from_raw(
        cls,
        name: str,
        raw: Mapping[str, RawTable],
        policy: Policy | None,
        problems: list[Problem],
        of_policy: list[Problem],
        informal: bool = False,
    ) -> Instance:
        """Validate raw tables by name, add their problems to those of the files, and raise once.

        Tables are validated even if the policy is None, or the units are missing. Of tables and policy together are
        reported what can be told beside the problems of each.

        Parameters
        ----------
        problems, of_policy
            Those of the files and of the policy.
        informal
            True to understand headings that people write, such as ``Emissions``, as in workbooks.

        Raises
        ------
        DataError
            With every problem of every table.
        """
        complete, problems, frames, broken = not problems, problems + of_policy, {}, {}
        notes: list[str] = []
        for table in TABLES:
            if table.name in raw:
                cells = raw[table.name]
                named, of_headings = in_schema(cells, table, informal)
                # China's plans alone have a list of sectors.
                of_rule = table if policy is None or policy.follows_plan else with_own_sectors(table)
                frames[table.name], of_table = validate_table(named, of_rule)
                if policy is None or policy.provinces.names == "official":
                    of_table += problems_of_provinces(named, policy is not None and policy.names_provinces_of_china)
                broken[table.name] = {problem.column for problem in of_headings + of_table}
                broken[table.name] |= set() if cells.whole else {""}
                problems += of_headings + [as_stated(problem, named) for problem in of_table]
                if not problems and (note := note_of_provinces(named)):
                    warn(note, AssumedWarning)
                    notes.append(note)
        if problems or policy is None:
            problems += further_problems(frames, broken, policy, informal, complete)
            raise DataError(_("The instance {name!r}", name=name), problems)
        enterprises = frames.pop("enterprises", None)
        assumed = {"tables": tuple(notes)} if notes else {}
        instance = cls(name, enterprises=enterprises, policy=policy, assumed=assumed, **frames)
        problems = validate_consistency(instance, informal)
        if problems:
            raise DataError(_("The instance {name!r}", name=name), problems)
        return instance

    @classmethod
    def from_frames(
        cls,
        units: pd.DataFrame,
        policy: Mapping[str, Any],
        enterprises: pd.DataFrame | None = None,
        measures: pd.DataFrame | None = None,
        forecast: pd.DataFrame | None = None,
        quantities: pd.DataFrame | None = None,
        statements: pd.DataFrame | None = None,
        terms: pd.DataFrame | None = None,
        scenarios: pd.DataFrame | None = None,
        supply: pd.DataFrame | None = None,
        name: str = "from frames",
    ) -> Instance:
        """Build an instance from data frames and a policy, validated as files are.

        Parameters
        ----------
        units, enterprises, measures, forecast, quantities, statements, terms, scenarios, supply
            Columns as in ``units.csv`` and the other files; missing values are absent cells.
        policy
            The content of ``policy.toml`` as nested dictionaries, or by dotted paths as in `with_policy`.

        Raises
        ------
        DataError
            With every problem of the tables and the policy.
        """
        frames = {"units": units, "enterprises": enterprises, "measures": measures, "forecast": forecast}
        frames |= {
            "scenarios": scenarios,
            "supply": supply,
            "quantities": quantities,
            "statements": statements,
            "terms": terms,
        }
        for place, frame in frames.items():
            if frame is not None and not isinstance(frame, pd.DataFrame):
                what = _("`{place}` is {frame}: expected a data frame.", place=place, frame=brief(frame))
                raise UsageError(what, _("Pass a data frame, or read a folder with etsopt.read."))
        if not isinstance(policy, Mapping):
            what = _("`policy` is {policy}: expected a dictionary.", policy=brief(policy))
            raise UsageError(what, _('Pass at least a year and a rule: {"year": 2026, "rule": {"name": "cn"}}.'))
        raw = {name: RawTable.from_frame(frame, name) for name, frame in frames.items() if frame is not None}
        parsed, problems = None, []
        try:
            parsed = parse_policy(nested(policy), _("policy"))
        except DataError as error:
            problems = error.problems
        return cls.from_raw(name, raw, parsed, [], problems)

    def with_policy(self, changes: Mapping[str, Any]) -> Instance:
        """Return the instance under a changed policy; keys are dotted paths such as ``sectors.cement.band``.

        Raises
        ------
        DataError
            If a key is unknown or a value is out of its range.
        UsageError
            If the year of an instance changes whose emissions come from monthly reports.
        """
        changes = {".".join(english_path(str(path).split("."))): value for path, value in changes.items()}
        if "year" in changes and "reports_sha256" in self.units and changes["year"] != self.policy.year:
            what = _(
                "Emissions are those of the monthly reports of {year}, the year of the policy.", year=self.policy.year
            )
            raise UsageError(what, _("Change the year in policy.toml, and read the instance again."))
        instance = replace(self, policy=changed(self.policy, changes), given=self.given | changes.keys())
        if {key.partition(".")[0] for key in changes} & {"year", "rule"}:
            # What is stated by now is no longer assumed.
            instance = replace(instance, assumed={key: told for key, told in self.assumed.items() if key != "policy"})
        problems = validate_consistency(instance) + problems_of_sectors(instance)
        if instance.policy.names_provinces_of_china and not self.policy.names_provinces_of_china:
            for name, table in self.tables.items():
                problems += problems_of_provinces(RawTable.from_frame(table, name), of_china=True)
        if problems:
            raise DataError(_("The changed policy of {name!r}", name=self.name), problems)
        return instance
