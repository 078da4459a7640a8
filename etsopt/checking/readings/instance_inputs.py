"""The instance as it was given: tables and keys of the policy, and the readings of them that need nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from etsopt.common.units import sums

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from etsopt.data.content import Content
    from etsopt.data.policy.policy import Policy

TONNE_ROUNDING_T = 1e-6
"""Distance below a whole tonne that counts as rounding [t]."""


@dataclass(frozen=True)
class Names:
    """Distinct texts of a column in alphabetical order, and the position of each row's among them."""

    names: NDArray[np.object_]
    code: NDArray[np.int64]

    @classmethod
    def of(cls, texts: NDArray[np.object_]) -> Names:
        """Return the distinct texts and the codes of a column.

        >>> Names.of(np.array(["steel", "cement", "steel"], dtype=object)).code
        array([1, 0, 1])
        """
        code, names = pd.factorize(texts)
        names = np.asarray(names, dtype=object)
        if (names[1:] < names[:-1]).any():
            # Python sorts a million texts in a third of the time that numpy takes.
            order = np.array(sorted(range(len(names)), key=names.tolist().__getitem__))
            code, names = np.argsort(order)[code], names[order]
        return cls(names, code)

    def __len__(self) -> int:
        return len(self.names)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the values of the rows of each text, shape ``(names,)``."""
        return sums(self.code, values, len(self.names))

    def mapped(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """Return the value of every row by its text, NaN without one, shape ``(rows,)``."""
        return np.array([values.get(name, np.nan) for name in self.names], dtype=float)[self.code]

    def where(self, name: str) -> NDArray[np.bool_]:
        """Return True for rows with this text, shape ``(rows,)``."""
        is_one: NDArray[np.bool_] = (self.names == name)[self.code]
        return is_one


@dataclass(frozen=True, eq=False)
class InstanceInputs:
    """Tables and policy of an instance, of which nothing but cells and stated keys is taken.

    Parameters
    ----------
    units, enterprises, measures, forecast, scenarios, supply, quantities, statements, terms
        The tables, as `etsopt.data.tables.schema` declares them.
    policy
        The policy; what it computes beside its keys is not asked for.
    known
        Readings of these tables and this policy, each found once.
    """

    units: pd.DataFrame
    policy: Policy
    enterprises: pd.DataFrame | None = None
    measures: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None
    scenarios: pd.DataFrame | None = None
    supply: pd.DataFrame | None = None
    quantities: pd.DataFrame | None = None
    statements: pd.DataFrame | None = None
    terms: pd.DataFrame | None = None
    known: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, instance: Content | InstanceInputs, like: InstanceInputs | None = None) -> InstanceInputs:
        """Return what is given of an instance.

        Parameters
        ----------
        like
            What was given before: a table of units that is the same object is not read again.
        """
        if isinstance(instance, InstanceInputs):
            return instance
        given = cls(**{item.name: getattr(instance, item.name) for item in fields(cls) if item.init})
        return given if like is None or like.units is not given.units else given._knowing(like)

    def with_allocation(self, **keys: Any) -> InstanceInputs:
        """Return the same under other keys of the policy's section ``allocation``."""
        allocation = self.policy.allocation.model_copy(update=keys)
        return replace(self, policy=self.policy.model_copy(update={"allocation": allocation}))._knowing(self)

    def _knowing(self, other: InstanceInputs) -> InstanceInputs:
        vars(self)["of_units"] = other.of_units
        return self

    @cached_property
    def of_units(self) -> dict[Any, Any]:
        """Readings of the table of units alone, which hold under every policy."""
        return {}

    def labels(self, column: str) -> Names:
        """Return a text column of the units as positions among its texts."""
        if column not in self.of_units:
            self.of_units[column] = Names.of(self.units[column].to_numpy())
        found: Names = self.of_units[column]
        return found

    @property
    def sectors(self) -> list[str]:
        """Sectors that have units, in alphabetical order."""
        return self.labels("sector").names.tolist()

    @property
    def years(self) -> NDArray[np.int64]:
        """Compliance years of the horizon, by default the year of the tables alone, shape ``(years,)``."""
        stated, year = self.policy.horizon, self.policy.year
        first = year if stated.first_year is None else stated.first_year
        return np.arange(first, (first if stated.last_year is None else stated.last_year) + 1)

    @property
    def price_year(self) -> int:
        """Price year of every amount in CNY, by default the year of the tables."""
        stated = self.policy.horizon.price_year
        return self.policy.year if stated is None else stated

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the rule as the policy states them."""
        return dict(self.policy.rule.model_extra or {})

    @property
    def rounds(self) -> bool:
        """True if real allowances are rounded: whole tonnes cannot keep an order of rates."""
        return self.policy.allocation.intensity_order and self.policy.allocation.integer_allowances

    def first_stated(self, *columns: str) -> NDArray[np.float64]:
        """Return the first number that a unit states in these columns, NaN if it states none, shape ``(units,)``."""
        if columns not in self.of_units:
            stated = np.full(len(self.units), np.nan)
            for column in columns:
                if column in self.units:
                    stated = np.where(np.isnan(stated), self.units[column].to_numpy(dtype=float), stated)
            stated.flags.writeable = False
            self.of_units[columns] = stated
        found: NDArray[np.float64] = self.of_units[columns]
        return found

    @cached_property
    def output(self) -> NDArray[np.float64]:
        """Output [t], of power generation [MWh]; NaN without any, shape ``(units,)``."""
        return self.first_stated("output_t", "generation_mwh")

    @cached_property
    def measured_output(self) -> NDArray[np.float64]:
        """Output to which the intensity refers, shape ``(units,)`` [t, of power MWh]."""
        return self.first_stated("intensity_output_t", "output_t", "generation_mwh")

    @cached_property
    def intensity(self) -> NDArray[np.float64]:
        """Intensity as the rule measures it, shape ``(units,)`` [tCO2e/t]; NaN for a unit without output."""
        emissions = self.first_stated("intensity_emissions_tco2e", "emissions_tco2e")
        return emissions / np.where(self.measured_output > 0, self.measured_output, np.nan)


Found = TypeVar("Found")


def cached(find: Callable[[InstanceInputs], Found]) -> Callable[[InstanceInputs], Found]:
    """Return a reading that is found once for what is given."""

    @wraps(find)
    def kept(instance: InstanceInputs) -> Found:
        if find not in instance.known:
            instance.known[find] = find(instance)
        found: Found = instance.known[find]
        return found

    return kept


def by_year(
    value: float | Mapping[str, float] | None, years: Sequence[int] | NDArray[np.int64], default: float = np.nan
) -> NDArray[np.float64]:
    """Return a number of the policy for each year, shape ``(years,)``: each stated year's holds until the next one.

    >>> by_year({"2027": 0.1, "2030": 0.3}, [2025, 2027, 2028, 2031], 0.0)
    array([0. , 0.1, 0.1, 0.3])
    """
    if not isinstance(value, Mapping):
        return np.full(len(years), float(default if value is None else value))
    found = np.full(len(years), float(default))
    for first in sorted(value, key=int):
        found[np.asarray(years) >= int(first)] = value[first]
    return found


def whole(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return quantities rounded down to whole tonnes, as the plans do [t]."""
    rounded: NDArray[np.float64] = np.floor(tonnes + TONNE_ROUNDING_T)
    return rounded
