"""Table of a stack monitor, and the settings of its evaluation."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean
from etsopt.data.tables.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

MONITOR = Table(
    "monitor",
    _("a day of a stack"),
    (),
    (
        Column("unit_id", _("unit of the register"), required=True, identifier=True),
        Column("stack", _("stack of the unit, if it has several monitors"), identifier=True),
        Column("day", _("day, such as 2025-01-31"), required=True, identifier=True),
        Column(
            "flow_1e4_nm3",
            _("dry flue gas of the day at 0 °C and 101.325 kPa; absent: not measured"),
            "1e4 Nm3",
            number=True,
            at_least=0,
        ),
        Column(
            "co2_percent",
            _("mean concentration of CO2, by volume of the dry gas; absent: not measured"),
            "%",
            number=True,
            at_least=0,
            at_most=100,
        ),
        Column("load_rate", _("load of the unit over its capacity"), "fraction", number=True, at_least=0, at_most=2),
        Column("valid_hours", _("hours with valid values; absent: all"), "hours", number=True, at_least=0, at_most=24),
    ),
)

LEAST_PERCENT = 0.35
"""Median concentration below which a stack is taken for one in fractions: kilns and furnaces have 10 to 30 %, the
diluted gas of electrolysis about 1 %."""


@dataclass(frozen=True)
class Settings:
    """Settings of the evaluation; each is an assumption of this package, which no guideline states.

    Parameters
    ----------
    density_kg_per_nm3
        Density of CO2: 44.0095 kg/kmol over 22.41397 Nm3/kmol of an ideal gas.
    least_hours
        Valid hours below which a day counts as not measured.
    window_days
        Days before and after a gap whose measured days fill it.
    least_neighbours
        Measured days in the window below which a gap stays open.
    drift_rate
        Change over the whole period above which a trend is a drift; below it is within what meters are good for.
    unusual_score
        Distance of a day's ratio from the median of its unit, in robust standard deviations, above which it is unusual.
    """

    density_kg_per_nm3: float = 1.963485
    least_hours: float = 18.0
    window_days: float = 15.0
    least_neighbours: float = 5.0
    drift_rate: float = 0.02
    unusual_score: float = 4.5

    @classmethod
    def of(cls, changes: Mapping[str, Any] | None) -> Settings:
        """Return the settings with some changed.

        Raises
        ------
        UsageError
            If there is no such setting, or a value is no number above 0.
        """
        known = [one.name for one in fields(cls)]
        for name, value in (changes or {}).items():
            if name not in known:
                advice = _("{guess}The settings are {known}.", guess=did_you_mean(name, known), known=", ".join(known))
                raise UsageError(_("There is no setting of monitors {name}.", name=brief(name)), advice)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise UsageError(
                    _("Setting {name} is {value}: expected a number above 0.", name=name, value=brief(value)),
                    _("Correct it."),
                )
        return replace(cls(), **{name: float(value) for name, value in (changes or {}).items()})
