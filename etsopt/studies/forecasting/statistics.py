"""Statistics of the draws of a forecast, as tidy tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.studies.forecasting.simulation import Drawn

    Floats = NDArray[np.float64]

AT = ["level", "sector", "enterprise_id", "unit_id", "quantity", "unit"]
"""Columns that say what a number is: of a sector, of all own enterprises, of one, or of a unit."""

BALANCE_VALUE, SURPLUS, ALLOWANCE = "balance_value", "surplus_t", "allowance_t"


def quantiles(values: Floats, shares: Sequence[float]) -> Floats:
    """Return quantiles over the last axis, shape ``(shares, ...)``.

    The k-th of n draws in rising order is the quantile of k/(n + 1), so that another draw lies between two of them with
    the difference of their shares, exactly and for any distribution.
    """
    found: Floats = np.quantile(values, shares, axis=-1, method="weibull")
    return found


def statistics(instance: Instance, drawn: Drawn, start: Drawn, interval: float) -> pd.DataFrame:
    """Return mean, deviation, quantiles and interval of every balance value, allowance and surplus.

    Parameters
    ----------
    start
        The draw in which nothing changes.
    interval
        Share of the draws between ``lower`` and ``upper``.

    Returns
    -------
    pandas.DataFrame
        A row a number: ``level`` (sector, group, enterprise, unit), what it is, ``name`` of an enterprise or unit,
        ``mean``, ``deviation``, ``least``, ``lower``,
        ``p25``, ``median``, ``p75``, ``upper``, ``largest``; ``at_start``, the number at the balance values that the
        priors start from, as of a guess that nothing changes; ``deficit_probability`` of surpluses (1 t and more), and
        ``at_upper_cap`` and ``at_lower_cap`` of units, as shares of the draws.
    """
    shares = [(1 - interval) / 2, 0.25, 0.5, 0.75, (1 + interval) / 2]
    rows = []
    for (where, values, more), (_, guess, _) in zip(_numbers(instance, drawn), _numbers(instance, start), strict=True):
        found = dict(zip(("lower", "p25", "median", "p75", "upper"), quantiles(values, shares), strict=True))
        about = {"mean": values.mean(), "deviation": values.std(), "least": values.min(), **found}
        rows.append(
            {**dict(zip(AT, where, strict=True)), **about, "largest": values.max(), "at_start": guess[0], **more}
        )
    order = ["mean", "deviation", "least", "lower", "p25", "median", "p75", "upper", "largest", "at_start"]
    last = ["deficit_probability", "at_upper_cap", "at_lower_cap"]
    table = pd.DataFrame(rows).reindex(columns=[*AT, *order, *last])
    names = names_of(instance)
    own = table["enterprise_id"].where(table["level"] != "unit", table["unit_id"])
    table.insert(4, "name", [names.get((level, one), "") for level, one in zip(table["level"], own, strict=True)])
    return table


def names_of(instance: Instance) -> dict[tuple[str, str], str]:
    """Return the names of enterprises and units that the instance states, by level and identifier."""
    tables = {"enterprise": instance.enterprises, "unit": instance.units}
    return {
        (level, str(one)): str(name)
        for level, table in tables.items()
        if table is not None and "name" in table
        for one, name in zip(table[f"{level}_id"], table["name"].fillna(""), strict=True)
    }


def held_t(instance: Instance) -> dict[str, float]:
    """Return the allowances that enterprises hold at the start, of all vintages that the instance states [t]."""
    table = instance.enterprises
    if table is None:
        return {}
    opening = table[[name for name in table if name.startswith("opening_")]].fillna(0.0).sum(axis=1)
    return dict(zip(table["enterprise_id"].astype(str), opening.astype(float), strict=True))


def purchases(instance: Instance, drawn: Drawn, prices: Mapping[str, float], interval: float) -> pd.DataFrame:
    """Return what own enterprises have to buy for the year, and its cost in each case of the price.

    Every enterprise surrenders from its own account, what it holds first, so that a group buys the sum of what each of
    its own lacks.

    Parameters
    ----------
    prices
        Price of an allowance by case [CNY/t].
    interval
        Share of the draws between the lower and upper amounts.

    Returns
    -------
    pandas.DataFrame
        A row an account and case: ``level`` (group, enterprise), ``enterprise_id``, ``name``, ``case``,
        ``price_cny_per_t``, ``held_t``, ``purchase_t`` and ``cost_cny`` (means) and their ``_lower`` and ``_upper``
        ends.
    """
    owner = own_units(instance, drawn)["enterprise_id"].to_numpy()
    stated = held_t(instance)
    held = {str(one): stated.get(str(one), 0.0) for one in dict.fromkeys(owner)}
    lacking = {one: np.maximum(-drawn.surplus_t[:, owner == one].sum(axis=1) - has, 0.0) for one, has in held.items()}
    if len(lacking) > 1:
        held[""], lacking[""] = sum(held.values()), np.sum([*lacking.values()], axis=0)
    names, rows = names_of(instance), []
    for one, values in lacking.items():
        ends = quantiles(values, [(1 - interval) / 2, (1 + interval) / 2])
        amounts = dict(zip(("", "_lower", "_upper"), (values.mean(), *ends), strict=True))
        about = {"level": "enterprise" if one else "group", "enterprise_id": one}
        for case, price in prices.items():
            row = {**about, "name": names.get(("enterprise", one), ""), "case": case, "price_cny_per_t": price}
            row |= {"held_t": held[one]} | {f"purchase{end}_t": amount for end, amount in amounts.items()}
            rows.append(row | {f"cost{end}_cny": amount * price for end, amount in amounts.items()})
    return pd.DataFrame(rows)


def _numbers(instance: Instance, drawn: Drawn) -> Iterator[tuple[tuple[str, ...], Floats, dict[str, float]]]:
    """Yield what each number is, its draws, and the probabilities that belong to it."""
    for sector, values in zip(drawn.sectors, drawn.balance_values, strict=True):
        yield ("sector", sector.name, "", "", BALANCE_VALUE, "t/t"), values, {}
    units = own_units(instance, drawn)
    both = {ALLOWANCE: drawn.allowance_t, SURPLUS: drawn.surplus_t}
    owners = list(dict.fromkeys(units["enterprise_id"]))
    # A group is more than one enterprise.
    for owner in [*([""] if len(owners) > 1 else []), *owners]:
        of_owner = (units["enterprise_id"] == owner).to_numpy() | (owner == "")
        for quantity, values in both.items():
            total = values[:, of_owner].sum(axis=1)
            level = "enterprise" if owner else "group"
            yield (level, "", str(owner), "", quantity, "t"), total, _deficit(quantity, total)
    cap = {sector.name: sector.belief.cap for sector in drawn.sectors}
    for place, (name, owner, sector_name) in enumerate(
        units[["unit_id", "enterprise_id", "sector"]].itertuples(index=False)
    ):
        rate = drawn.rate[:, place]
        shares: dict[str, float] = {}
        if not np.isnan(rate).any():
            at_caps = {"at_upper_cap": rate >= cap[sector_name], "at_lower_cap": rate <= -cap[sector_name]}
            shares = {key: float(at.mean()) for key, at in at_caps.items()}
        for quantity, values in both.items():
            own = values[:, place]
            more = _deficit(quantity, own) | (shares if quantity == SURPLUS else {})
            yield ("unit", str(sector_name), str(owner), str(name), quantity, "t"), own, more


def _deficit(quantity: str, values: Floats) -> dict[str, float]:
    """Return the share of the draws with a deficit of a tonne or more; less is rounding."""
    return {"deficit_probability": float((values <= -1).mean())} if quantity == SURPLUS else {}


def own_units(instance: Instance, drawn: Drawn) -> pd.DataFrame:
    """Return the own units in the order of the draws: those of the sectors that are forecast, then the others."""
    rows = np.concatenate([*(sector.rows for sector in drawn.sectors), drawn.benchmarked])
    return instance.units.iloc[rows]


def of_sectors(drawn: Drawn) -> pd.DataFrame:
    """Return what is believed of every sector, with its source.

    Returns
    -------
    pandas.DataFrame
        A row a sector: ``source``, numbers of units, the balance value to start from, mean and deviation of that of a
        sector without end by the prior alone and with the own units seen, ``z`` of these, and the largest imbalance of
        a drawn sector relative to its emissions.
    """
    rows: list[dict[str, Any]] = []
    for sector, imbalance in zip(drawn.sectors, drawn.imbalance, strict=True):
        prior, own = sector.prior, sector.own_intensity
        before = sector.belief.mean_and_deviation(np.empty(0))
        after = sector.belief.mean_and_deviation(own)
        row = {"sector": sector.name, "source": prior.source, "other_units": prior.other_units, "own_units": len(own)}
        row |= {"start": prior.balance_value, "prior_mean": before[0], "prior_deviation": before[1]}
        row |= {"informed": prior.owner_deviation is not None and len(own) > 0}
        row |= {"informed_mean": after[0], "informed_deviation": after[1], "z": sector.belief.surprise(own)}
        rows.append(row | {"largest_imbalance": imbalance.max()})
    return pd.DataFrame(rows)


def every_draw(instance: Instance, drawn: Drawn) -> pd.DataFrame:
    """Return balance values of sectors and surpluses of enterprises in every draw, tidy."""
    parts = []
    for where, values, _ in _numbers(instance, drawn):
        if where[0] != "unit" and where[4] != ALLOWANCE:
            numbers = pd.DataFrame({"draw": np.arange(1, len(values) + 1), "value": values})
            parts.append(numbers.assign(**dict(zip(AT, where, strict=True))))
    return pd.concat(parts, ignore_index=True)[
        ["draw", "level", "sector", "enterprise_id", "quantity", "value", "unit"]
    ]


def sensitivity(instance: Instance, shifted: dict[float, Drawn]) -> pd.DataFrame:
    """Return the means of balance values and surpluses if every prior's mean is wrong, by its standard deviations.

    Returns
    -------
    pandas.DataFrame
        A row a shift and number of a sector or an enterprise: ``shift``, what it is, ``mean``, ``deficit_probability``.
    """
    rows = [
        {"shift": shift, **dict(zip(AT, where, strict=True)), "mean": values.mean(), **more}
        for shift, drawn in sorted(shifted.items())
        for where, values, more in _numbers(instance, drawn)
        if where[0] != "unit" and where[4] != ALLOWANCE
    ]
    columns = ["shift", "level", "sector", "enterprise_id", "quantity", "unit", "mean", "deficit_probability"]
    return pd.DataFrame(rows).reindex(columns=columns)
