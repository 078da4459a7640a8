"""Instances at both ends of the balance values that a policy states as intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.data.policy.allocation import Interval

if TYPE_CHECKING:
    from etsopt.data.instance import Instance

ENDS = ("lower", "upper")


def at_ends(instance: Instance) -> dict[str, Instance]:
    """Return an instance with every balance value at the lower end of its interval, and at the upper one.

    Reference allowances never fall in a balance value, so those in between lie between both. Empty if there is no
    interval.
    """
    intervals = {
        f"sectors.{name}.balance_value": section.balance_value
        for name, section in instance.policy.sectors.items()
        if isinstance(section.balance_value, Interval)
    }
    ends = ENDS if intervals else ()
    return {end: instance.with_policy({key: getattr(one, end) for key, one in intervals.items()}) for end in ends}
