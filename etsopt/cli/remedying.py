"""An infeasible policy on the command line: the limits to relax, and policies that would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results


def applied(
    number: int, instance: Instance, result: Results, solve: Callable[[Instance], Results]
) -> tuple[Instance, Results, str]:
    """Return the instance under a remedy of its infeasibility, its results, and a sentence on what was changed.

    Raises
    ------
    UsageError
        If there is no remedy of that number.
    """
    if result.termination != "infeasible":
        return instance, result, _("No remedy was needed: the policy is feasible.")
    known = {remedy.number: remedy for remedy in result.remedies}
    if number not in known:
        listed = ", ".join(map(str, known)) or _("none")
        advice = _("Leave --apply-remedy out to see which limits would have to give, and by how much.")
        raise UsageError(_("There is no remedy {number}; there are: {listed}.", number=number, listed=listed), advice)
    changed = instance.with_policy(known[number].changes)
    return (
        changed,
        solve(changed),
        _("Infeasible as stated; remedy {number} was applied: {text}", number=number, text=known[number].text),
    )


def content(result: Results) -> dict[str, object]:
    """Return the remedies of an infeasible result for JSON; nothing of a feasible one."""
    if result.termination != "infeasible":
        return {}
    return {"remedies": [{"number": one.number, "way": one.way[0], "changes": one.changes} for one in result.remedies]}
