"""Rules from outside the package: a file passed by ``--rule``, the entry points ``etsopt.rules``, or a notebook.

Such a rule is evaluated once for each year. The instance that is solved then has the rule ``given`` with these
reference allowances by unit and year, so that a run can be checked wherever the rule itself is not installed. The
checker certifies the answer given them.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.common import modules
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.provenance import OwnRule, RuleTerm
from etsopt.rules.parameters import Parameters
from etsopt.rules.registry import GIVEN, RULES, parameters_of, reference_allowances

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.data.policy.policy import Policy
    from etsopt.rules.declared import Rule


def load_file(path: Path) -> list[str]:
    """Load a file of rules; return the names of those that it enters in the registry.

    Raises
    ------
    UsageError
        If there is no such file, it fails, or it enters no rule.
    """
    if str(path) in RULES and not path.is_file():
        advice = _("For the rule of the package state `--set 'rule={{name=\"{path}\"}}'`.", path=path)
        raise UsageError(_("There is no rule file {path!r}.", path=str(path)), advice)
    module = modules.load_file(path, "rule", UsageError, passed=(UsageError,))
    names = [rule.name for rule in RULES.values() if rule.function.__module__ == module.__name__]
    if not names:
        what = _("The rule file {path!r} enters no rule.", path=str(path))
        raise UsageError(what, _("Decorate a function with `@rule(name, source)`, as in docs/en/how-to/own-rule.md."))
    return names


def under_rule_of(policy: Policy, names: list[str], asked: str | None = None) -> Policy:
    """Return a policy under one of the rules of a file: the one asked for or named by it, or the only one.

    Parameters of the former rule that the new one has too are kept.

    Raises
    ------
    UsageError
        If there are several and none is named.
    """
    from etsopt.data.policy.changes import changed

    former = policy.rule
    wanted = asked or (former.name if former.name in names or len(names) > 1 else names[0])
    if wanted not in names:
        raise UsageError(
            _("The rule file enters {names}.", names=", ".join(names)), _("Say which by --set rule.name=NAME.")
        )
    if former.name == wanted:
        return policy
    known = RULES[wanted].parameters.model_fields
    kept = {key: value for key, value in former.parameters.items() if key in known}
    outside = {} if former.outside_scope is None else {"outside_scope": list(former.outside_scope)}
    return changed(policy, {"rule": {"name": wanted, **outside, **kept}})


def own_rule(instance: Instance) -> Rule | None:
    """Return the rule of an instance if it comes from outside the package."""
    found = RULES.get(instance.policy.rule.name)
    return found if found is not None and found.own else None


def as_given(instance: Instance, by_year: bool = False) -> Instance:
    """Return the instance with its own rule evaluated: under the rule ``given``, with the allowances and band it found.

    Under a rule of the package it is the instance itself.

    Parameters
    ----------
    by_year
        True to evaluate the rule in every later year of the horizon as well, for a model that reads the horizon.

    Raises
    ------
    DataError
        As `etsopt.rules.reference_allowances` does.
    """
    if own_rule(instance) is None:
        return instance
    from etsopt.rules.years import instance_of_year, with_references

    parameters, reference = parameters_of(instance), reference_allowances(instance)
    policy = instance.policy
    # A rule of one's own may have other defaults than those that every rule has.
    found = parameters.model_dump(mode="json", include=set(Parameters.model_fields))
    usual = Parameters().model_dump(mode="json")
    stated = {key: value for key, value in found.items() if value != usual[key]}
    # What China's plans issue in advance is theirs, whatever a sector is called.
    stated.setdefault("pre_allocation_share", 0.0)
    outside = list(policy.rule.outside_scope or ())
    changes: dict[str, Any] = {"rule": {"name": GIVEN, "outside_scope": outside, **stated}}
    for name in instance.sectors:
        band = reference.bands.get(name, reference.band)
        if policy.band_of(name) is None and band is not None:
            changes[f"sectors.{name}.band"] = band
    stated_t = replace(instance, units=instance.units.assign(reference_t=reference.reference_t))
    later = [year for year in policy.years if by_year and year > policy.year]
    if later:
        of_years = {year: reference_allowances(instance_of_year(instance, year)).reference_t for year in later}
        stated_t = with_references(stated_t, of_years)
    return replace(stated_t.with_policy(changes), given=instance.given)


def about(instance: Instance) -> OwnRule | None:
    """Return what a result states of a rule from outside the package, or None."""
    found = own_rule(instance)
    if found is None:
        return None
    stated = OwnRule(name=found.name, source=found.source, parameters=instance.policy.rule.parameters)
    if terms := reference_allowances(instance).terms:
        stated.terms = [RuleTerm(name=term.name, source=term.source) for term in terms]
    file = getattr(sys.modules.get(found.function.__module__), "__file__", None)
    if file is not None and Path(file).is_file():
        stated.file, stated.sha256 = Path(file).name, hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return stated
