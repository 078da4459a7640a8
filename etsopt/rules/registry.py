"""The registry of allocation rules, by name: their inputs and results.

Rules import numpy and pandas where they calculate, so that listing them with their parameters waits for neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import ValidationError

from etsopt.common import modules
from etsopt.common.errors import PROBLEMS_SHOWN, DataError, Problem, UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import cells_of, counted, did_you_mean
from etsopt.data.policy.official import POWER
from etsopt.data.policy.plans import of_plan
from etsopt.rules.declared import Rule, RuleFunction
from etsopt.rules.evaluated import evaluated
from etsopt.rules.parameters import Parameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.policy.policy import Policy
    from etsopt.rules.reference import Reference

GIVEN = "given"
"""The rule whose references are stated: those of the year of the tables with the units, later ones in the forecast."""

GROUP = "etsopt.rules"
"""Entry points whose module enters rules in the registry when it is imported."""

RULES: dict[str, Rule] = {}


def rule(
    name: str, source: str, parameters: type[Parameters] = Parameters, columns: tuple[str, ...] = ()
) -> Callable[[RuleFunction], RuleFunction]:
    """Register a function as the rule of that name; the first line of its docstring is its summary.

    The function is called for each year. It gets the instance of that year with all units, the rule's parameters, and
    which units are fixed at A = E; ``columns`` must be there and filled in every row that is not fixed and has
    emissions. It returns a `Reference`, or from outside the package allowances alone [t].

    Raises
    ------
    UsageError
        If the package has a rule of that name, or what is stated is none of what a rule has.
    """
    right = isinstance(name, str) and name and isinstance(source, str) and isinstance(columns, tuple)
    if not right or not (isinstance(parameters, type) and issubclass(parameters, Parameters)):
        what = _("The rule {name} is not declared rightly.", name=brief(name))
        raise UsageError(what, _("State name and source as texts, a class of `Parameters`, and columns as a tuple."))

    def enter(function: RuleFunction) -> RuleFunction:
        if not callable(function):
            raise UsageError(_("The rule {name} is no function.", name=brief(name)), _("Decorate a function."))
        if name in RULES and not RULES[name].own:
            raise UsageError(_("There is a rule {name!r} already.", name=name), _("Give your own another name."))
        summary = (function.__doc__ or "").strip().split("\n")[0]
        RULES[name] = Rule(name, summary, source, parameters, columns, function)
        return function

    return enter


def register_installed() -> None:
    """Enter the rules of every installed package that has an entry point for them.

    Raises
    ------
    UsageError
        If the module of one of them cannot be imported.
    """
    advice = _("Correct or remove the package that brings them.")
    for point in modules.installed(GROUP):
        what = _("The rules {name!r} of {value} cannot be loaded", name=point.name, value=point.value)
        with modules.loading(what, advice, UsageError, passed=(UsageError,)):
            point.load()


def parameters_of(instance: Instance) -> Parameters:
    """Return the parameters of the instance's rule, as `parameters_in` does."""
    return parameters_in(instance.policy)


def parameters_in(whole: Policy) -> Parameters:
    """Return the parameters of a policy's rule: stated in it, else official of its plan, else defaults.

    Raises
    ------
    DataError
        Where the policy names no rule of the registry, or states a parameter wrongly.
    """
    from etsopt.data.policy.allocation import of_allocation
    from etsopt.data.policy.parsing import problems_of

    policy = whole.rule
    if policy.name not in RULES:
        register_installed()
    if policy.name not in RULES:
        advice: str = _(
            "{guess}The rules are {rules}.", guess=did_you_mean(policy.name, RULES), rules=", ".join(sorted(RULES))
        )
        raise DataError(
            _("The policy"),
            [Problem("policy.toml", _("there is no rule {name}", name=brief(policy.name)), advice, "rule.name")],
        )
    wanted = RULES[policy.name].parameters
    try:
        return wanted.model_validate(of_plan(policy.name, whole.year) | policy.parameters)
    except ValidationError as error:
        problems = []
        for number, found in enumerate(problems_of(error, "policy.toml", "rule")):
            what = _("is not a parameter of the rule") if found.code == "unknown_key" else found.what
            unknown = found.code == "unknown_key" and number < PROBLEMS_SHOWN
            known = ("outside_scope", *wanted.model_fields)
            key = found.column.removeprefix("rule.")
            guess = (did_you_mean(key, known) or of_allocation(key)) if unknown else ""
            advice = _(
                "{guess}The parameters of {name} are {known}.", guess=guess, name=policy.name, known=", ".join(known)
            )
            if found.code == "unknown_name":
                advice = found.advice
            if unknown and any(key in other.parameters.model_fields for other in RULES.values()):
                without = f"--set 'rule={{name=\"{policy.name}\"}}'"
                text = _("{advice} `{without}` leaves out those of another rule.")
                advice = _(text, advice=advice, without=without)
            problems.append(Problem(found.place, what, advice, found.column, code=found.code))
        raise DataError(_("The policy"), problems) from None


def reference_allowances(instance: Instance) -> Reference:
    """Return the reference allowances of every unit under the rule of the instance's policy.

    Instances with the same tables, year, rule and balance values share them, so the arrays are read-only.

    Raises
    ------
    DataError
        If a parameter is wrong, or a column that the rule or a target needs is absent.
    """
    policy, found = instance.policy, RULES.get(instance.policy.rule.name)
    # What is kept holds the policy and the rule, so that nothing else has their identity.
    held = instance.cached(
        "reference of a policy", lambda: (_found(instance), policy, found), key=f"{id(policy)} {id(found)}"
    )
    reference: Reference = held[0]
    return reference


def _found(instance: Instance) -> Reference:
    """Return the reference allowances of a policy that is asked for the first time."""
    from etsopt.rules.cases import problems_of_cases, units_named

    parameters = parameters_of(instance)
    found = RULES[instance.policy.rule.name]
    problems = problems_of_cases(instance, parameters)
    # The figures that a unit needs depend on its case: none are asked of those whose case is wrong.
    at_emissions = fixed_units(instance, parameters) | units_named(instance, problems)
    fixed = at_emissions | (instance.emissions_tco2e == 0)
    lacking = _problems_of_needs(instance, found, fixed)
    if problems and not lacking and not found.own:
        lacking += _problems_of_figures(instance, found, parameters, at_emissions)
    problems += lacking + _problems_of_target_intensity(instance, fixed)
    if problems:
        raise DataError(_("The instance {name!r}", name=instance.name), problems)
    # A rule of no plan has the official parameters of the year.
    outside = {name: section.balance_value for name, section in instance.policy.sectors.items()}
    given = f"{instance.policy.year} {instance.policy.rule!r} {outside!r} {id(found.function)}"
    return instance.cached("reference", lambda: evaluated(found, instance, parameters, at_emissions), key=given)


def _problems_of_figures(
    instance: Instance, found: Rule, parameters: Parameters, fixed: NDArray[np.bool_]
) -> list[Problem]:
    """Return what a rule of the package itself refuses."""
    try:
        found.function(instance, parameters, fixed)
    except DataError as error:
        return error.problems
    return []


def fixed_units(instance: Instance, parameters: Parameters) -> NDArray[np.bool_]:
    """Return the units that get A = E: special cases, small enterprises, and units outside the scope.

    Under China's plans units without emissions are among them; another rule may give to such a unit.
    """
    from etsopt.rules.cases import special_units, thresholds

    owner, emissions = instance.labels("enterprise_id"), instance.emissions_tco2e
    small = owner.sums(emissions)[owner.code] < thresholds(instance, parameters)
    idle = (emissions == 0) & (instance.policy.follows_plan | ~instance.in_scope)
    fixed: NDArray[np.bool_] = small | idle | special_units(instance, parameters)
    return fixed


def with_fixed(instance: Instance, allowances_t: NDArray[np.float64], fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the allowances with A = E for fixed units, before rounding [t]."""
    import numpy as np

    return np.where(fixed, instance.emissions_tco2e, allowances_t)


def _problems_of_needs(instance: Instance, rule: Rule, fixed: NDArray[np.bool_]) -> list[Problem]:
    problems = []
    for column in rule.columns:
        advice = _("The rule {name} needs it for every unit that is not a special case.", name=rule.name)
        if column not in instance.units:
            problems.append(Problem("units.csv", _("the column is missing"), advice, column))
            continue
        absent = instance.units[column].isna().to_numpy() & ~fixed
        if absent.any():
            what = counted(int(absent.sum()), _("cell is empty"), _("cells are empty"))
            problems.append(Problem("units.csv", what, advice, column, cells_of(instance.units, absent)))
    return problems


def _problems_of_target_intensity(instance: Instance, fixed: NDArray[np.bool_]) -> list[Problem]:
    """Return the adjustable units without output whose sector has an intensity target."""
    units, problems = instance.units, []
    for sector, policy in instance.policy.sectors.items():
        if policy.target_intensity is None:
            continue
        unknown = units.reindex(columns=["output_t"])["output_t"].isna().to_numpy()
        absent = instance.labels("sector").where(sector) & unknown & ~fixed
        if not absent.any():
            continue
        count = counted(
            int(absent.sum()), _("unit of {sector} has", sector=sector), _("units of {sector} have", sector=sector)
        )
        what = _("{count} no output, but the sector's target is an intensity", count=count)
        advice = _("Fill the column, or state target_change or target_t.")
        if sector in POWER:
            advice = _("State target_change or target_t: the output of power is no tonnes.")
        problems.append(Problem("units.csv", what, advice, "output_t", cells_of(units, absent)))
    return problems
