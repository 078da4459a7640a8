"""Changes of a policy by the dotted paths of its keys, as ``--set`` and `Instance.with_policy` take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.errors import DataError, Problem, brief
from etsopt.common.language import _
from etsopt.data.policy.allocation import TARGET_KEYS
from etsopt.data.policy.keys import english_path
from etsopt.data.policy.parsing import parse_policy
from etsopt.data.policy.policy import CAP_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.data.policy.policy import Policy


def changed(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """Return a policy with some keys changed, each named by its dotted path.

    Stating a target or a cap, or that there is no target, removes the previous one, by whichever key it was stated.
    Several changes of one target are validated together.

    Raises
    ------
    DataError
        If a key is unknown, a value is out of its range, or a path leads below a value that is not a table.
    """
    content = policy.model_dump(exclude_unset=True)
    for path, value in changes.items():
        *parents, key = english_path(str(path).split("."))
        table = content
        for depth, parent in enumerate(parents, 1):
            nested = table.get(parent)
            if nested is not None and not isinstance(nested, dict):
                # Replacing it by a table of one key would silently drop its value for all other keys.
                above, below = ".".join(parents[:depth]), ".".join([*parents, key][depth:])
                what = _(
                    "is the one value {nested}: expected a table with {below}", nested=brief(nested), below=brief(below)
                )
                advice = _("Set {above} itself, to a table of all values if it may be one.", above=above)
                raise DataError(_("The policy"), [Problem(_("the changed policy"), what, advice, above)])
            table[parent] = dict(nested or {})
            table = table[parent]
        for other in _superseded_keys(key, value, table):
            if ".".join([*parents, other]) not in changes:
                table.pop(other, None)
        table[key] = value
    return parse_policy(content, _("the changed policy"))


def _superseded_keys(key: str, value: Any, table: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of a target that a change of one of them removes."""
    if key in CAP_KEYS and value is not None:
        return CAP_KEYS
    if key in TARGET_KEYS:
        return (*TARGET_KEYS, "target_sense") if table.get("target_sense") == "none" else TARGET_KEYS
    return TARGET_KEYS if (key, value) == ("target_sense", "none") else ()
