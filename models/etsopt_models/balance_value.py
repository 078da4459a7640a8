r"""The rule alone: reference allowances and balance values, with nothing optimised (exact calculation).

Under the intensity-coefficient method of 2025 and 2026 a unit with emissions $E_i$ and intensity $I_i$ gets

$$A_i = \lfloor E_i\,(1 + \alpha_i) \rfloor, \qquad \alpha_i = \mathrm{clip}\bigl(0.15\,(B - I_i)/B,\,-0.03,\,+0.03\bigr)$$

and the balance value $B$ of its sector solves $\sum_i E_i\,\alpha_i(B) = 0$ over the units that are not special cases.
$B$ is found exactly, by sorting breakpoints (`etsopt.rules.balance`). If a whole interval solves the equation, the
table of sectors states the interval, and its midpoint is used. Other rules are evaluated as they are.

There is no program and no dual. Reference: 2026 plan, consultation draft of 27 July 2026, section on the balance value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.modelling import CalculationModel
from etsopt.rules import reference_allowances
from etsopt_models._allocation.tables import allocation_tables

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

READS = (
    "year",
    "rule",
    "!rule.carry_over_*",
    # Targets, balances and bands are shown beside the allowances of the rule.
    "sectors",
    "provinces.balance",
    "allocation.band",
    "allocation.band_on",
    "allocation.integer_allowances",
    "allocation.exceptions.units",
)
"""Keys and sections of the policy."""


def calculate(instance: Instance) -> dict[str, pd.DataFrame]:
    """Return the tables ``allocation``, ``enterprises``, ``sectors`` and ``provinces``."""
    reference = reference_allowances(instance)
    return allocation_tables(instance, reference.reference_t[np.flatnonzero(~reference.fixed)])


MODEL = CalculationModel(calculate=calculate, reads=READS)
