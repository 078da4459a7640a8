"""The policy keys that a model reads: others are refused if they were changed for it or would bind, else ignored."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.targets import fixed_at_emissions, national_target, sector_targets
from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.common.units import format_tonnes
from etsopt.modelling import PreparedModel
from etsopt.rules import reference_allowances
from etsopt.running import library

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etsopt.data.instance import Instance
    from etsopt.modelling import Model

OF_TABLES = ("provinces.names", "coverage", "sectors.*.balance_value_*")
"""Keys that every model follows: they say which tables are valid, and what they and stated figures stand for."""

PRICE, COLLAR = "market.prices_cny_per_t", "market.ceiling_price_cny_per_t"
"""The price from outside, at which a market that may have a ceiling price trades where it is that of a part."""

TOTALS = ("sectors.*.target_*", "national.target_*")
"""Keys that limit a total of allowances."""


def ignored_keys(model: Model, instance: Instance) -> list[str]:
    """Return the keys that the policy of an instance states and a model does not read, in alphabetical order.

    Parameters
    ----------
    model
        What `library.choose` returns. One that declares no ``reads`` reads every key.

    Raises
    ------
    DataError
        If ``with_policy`` or ``--set`` changed one of them, or one limits a total of allowances that the rule violates:
        the model's answer would not follow the policy.
    """
    read = keys_read(model)
    if read is None:
        return []
    read = (*read, *OF_TABLES, *([PRICE] if instance.policy.coverage == "part" and covered(COLLAR, read) else []))
    unread = [key for key in instance.policy.stated_keys if not covered(key, read)]
    given = [key for key in unread if any(covered(key, [path]) or covered(path, [key]) for path in instance.given)]
    what = _("the model {name} does not read it", name=model.name)
    problems = [Problem(_("the changed policy"), what, _advice(key), key, code="unknown_key") for key in given]
    problems += _problems_of_totals(model.name, instance, [key for key in unread if key not in given], read)
    if problems:
        raise DataError(_("The policy"), problems)
    return unread


def keys_read(model: Model) -> tuple[str, ...] | None:
    """Return the keys that a model and those it starts from read; None if one of them declares no ``reads``."""
    first = model.starts_from if isinstance(model, PreparedModel) else ""
    before = keys_read(library.load(first)) if first else ()
    return None if model.reads is None or before is None else (*before, *model.reads)


def reads_years(model: Model) -> bool:
    """Return True if a model has a horizon, so that it needs the rule of each year."""
    read = keys_read(model)
    return read is None or covered("horizon.last_year", read)


def covered(key: str, patterns: Iterable[str]) -> bool:
    """Return True if a pattern names a key or a section above it; of several patterns the last decides.

    A pattern that begins with an exclamation mark excludes keys that earlier ones name.

    >>> covered("sectors.cement.band", ["sectors.*.band"]), covered("market.reserve_t", ["market"])
    (True, True)
    >>> covered("sectors.cement.target_t", ["sectors.*.band"]), covered("market", ["market.reserve_t"])
    (False, False)
    >>> covered("rule.cap", ["rule", "!rule.carry_*"]), covered("rule.carry_over_base_t", ["rule", "!rule.carry_*"])
    (True, False)
    """
    return _covered(key, tuple(patterns))


# A sweep asks the same of each of its scenarios.
@lru_cache(10_000)
def _covered(key: str, patterns: tuple[str, ...]) -> bool:
    is_covered = False
    for pattern in patterns:
        name = pattern.removeprefix("!")
        if fnmatchcase(key, name) or fnmatchcase(key, f"{name}.*"):
            is_covered = name == pattern
    return is_covered


def _advice(key: str) -> str:
    """Return the remedy for a key that a model does not read."""
    others = []
    for name in library.names():
        read = None if library.explains(name) else keys_read(library.load(name))
        if read is not None and covered(key, read):
            others.append(name)
    return _("Leave it out, or solve a model that reads it: {names}.", names=", ".join(others))


def _problems_of_totals(name: str, instance: Instance, unread: list[str], read: Iterable[str]) -> list[Problem]:
    """Find total limits of the file that the rule alone, by which the model allocates, violates."""
    # A model that reads no rule allocates by none.
    if not covered("rule.name", read) or not any(covered(key, TOTALS) for key in unread):
        return []
    given, reference = InstanceInputs.of(instance), reference_allowances(instance)
    # A model that rounds no balance value balances every sector exactly.
    rounded = covered("rule.balance_value_decimals", read)
    fixed, sector = fixed_at_emissions(given), given.labels("sector")
    outside = sector.mapped({name: float(instance.policy.states_balance_value(name)) for name in instance.sectors})
    allocated = reference.reference_t
    if not rounded:
        allocated = np.where(outside > 0, allocated, instance.emissions_tco2e)
    _sense, least, most = sector_targets(given, fixed)
    limits = [
        (f"sectors.{name}", limit, sector.where(name) & ~fixed)
        for name, *limit in zip(sector.names, least, most, strict=True)
    ]
    if nation := national_target(given, fixed):
        limits.append(("national", list(nation), ~fixed))
    problems = []
    for section, (least, most), is_used in limits:
        stated = [key for key in unread if covered(key, [f"{section}.target_*"])]
        total = float(allocated[is_used].sum())
        # Rounding to whole tonnes may move a total by one tonne a unit, which is no violation.
        if stated and is_used.any() and (total < least - is_used.sum() or total > most + is_used.sum()):
            what = _(
                "the model {name} allocates {total} t by the rule alone: expected {limit} t as stated",
                name=name,
                total=format_tonnes(total),
                limit=format_tonnes(most),
            )
            advice = _(
                "{advice} `--set {partition}={{}}` leaves out all of its section.",
                advice=_advice(stated[0]),
                partition=section.partition(".")[0],
            )
            problems.append(Problem("policy.toml", what, advice, stated[0]))
    return problems
