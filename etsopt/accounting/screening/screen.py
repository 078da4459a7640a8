"""Screening: all rules over the reports and their accounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.accounting.accounts import account
from etsopt.accounting.screening.likely import once
from etsopt.accounting.screening.material import Material
from etsopt.accounting.screening.registry import RULES, Rule, thresholds_of
from etsopt.common import modules
from etsopt.common.errors import ModelError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.rows import Reports

COLUMNS = ("rule", "kind", "unit_id", "month", "item", "size_t", "reason", "reason_zh")
ROOM = "etsopt.accounting.screening."
RETURNED = ("unit_id", "month", "item", "size_t", "reason")


@dataclass(frozen=True, eq=False)
class Screening:
    """Findings of all rules.

    Parameters
    ----------
    findings
        Rule, kind, unit, month, item, size [tCO2e] and reason in English and Chinese; the largest first.
    rules
        Name, kind, source, thresholds and number of findings of every rule.
    material
        The reports that were screened, and their accounts.
    """

    findings: pd.DataFrame
    rules: pd.DataFrame
    material: Material

    @property
    def accounts(self) -> Accounts:
        """The accounts that were screened."""
        return self.material.accounts

    @property
    def causes(self) -> pd.DataFrame:
        """The likeliest mistake behind what is suspicious, one for each unit, month and item, the largest first.

        Unit, month, process, item and flow; cause, its probability, factor of stated over true figure, size [tCO2e],
        and reason in English and Chinese. A cause is a proposal: no figure is corrected.
        """
        return self.material.causes

    @property
    def unit_months(self) -> pd.DataFrame:
        """The units and months with a finding: rules, number, and the largest size [tCO2e]."""
        groups = self.findings.groupby(["unit_id", "month"], sort=True)
        table = groups.agg(
            rules=("rule", lambda names: " ".join(sorted(set(names)))), count=("rule", "size"), size_t=("size_t", "max")
        )
        return table.reset_index()


def screen(
    reports: Reports,
    parameters: Mapping[str, Any] | None = None,
    thresholds: Mapping[str, Any] | None = None,
    accounts: Accounts | None = None,
) -> Screening:
    """Screen monthly reports by all rules, those of loaded files included.

    Parameters
    ----------
    parameters
        Factors in place of the official ones, as `account` takes them.
    thresholds
        Thresholds of rules by nested or dotted keys, such as ``{"late_month.days": 45}``.
    accounts
        Accounts of these reports, if they exist already.

    Raises
    ------
    UsageError
        If there is no such rule or threshold.
    DataError
        As `account` does.
    ModelError
        If a rule of the user's fails, or returns no findings.
    """
    settings = thresholds_of(thresholds)
    if accounts is None:
        # Figures that accounts refuse are screened as they are filed.
        accounts = account(replace(reports, refused=()) if reports.refused else reports, parameters)
    material = Material(reports, accounts)
    parts = []
    for number, one in enumerate(RULES.values()):
        checkpoint(_("screening"), number, len(RULES))
        found = _applied(one, material, settings[one.name])
        parts.append(found.assign(rule=one.name, kind=one.kind))
    every = once(pd.concat(parts, ignore_index=True), material.causes)[list(COLUMNS)]
    every = every.sort_values(["size_t", "unit_id", "month"], ascending=[False, True, True], kind="stable")
    every = every.assign(size_t=every["size_t"].astype(float).round(2))
    table = rules_table(thresholds)
    table.insert(4, "findings", table["rule"].map(every["rule"].value_counts()).fillna(0).astype(int))
    return Screening(every.reset_index(drop=True), table, material)


def rules_table(thresholds: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Return name, kind, meaning, thresholds in use and source of every rule."""
    settings = thresholds_of(thresholds)
    return pd.DataFrame(
        [
            {
                "rule": one.name,
                "kind": one.kind,
                "meaning": one.summary,
                "thresholds": " ".join(f"{key}={value:g}" for key, value in settings[one.name].items()),
                "source": one.source,
            }
            for one in RULES.values()
        ]
    )


def _applied(one: Rule, material: Material, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """Return the findings of a rule; those of a user's rule are checked."""
    if one.function.__module__.startswith(ROOM):
        return one.function(material, **thresholds)
    advice = _(
        "Return a data frame with columns {returned}, and perhaps reason_zh, a row for each finding.",
        returned=", ".join(RETURNED),
    )
    with modules.loading(_("The rule of screening {name!r} failed", name=one.name), advice, ModelError):
        found = one.function(material, **thresholds)
        if not isinstance(found, pd.DataFrame):
            raise TypeError(_("it returned {kind}", kind=type(found).__name__))
        missing = [name for name in RETURNED if name not in found]
        if missing:
            raise ValueError(_("its table lacks {missing}", missing=", ".join(missing)))
        if not found["size_t"].astype(float).ge(0).all():
            raise ValueError(_("a size is negative or absent"))
    return found if "reason_zh" in found else found.assign(reason_zh=found["reason"])
