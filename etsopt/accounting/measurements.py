"""Checks of measured figures of a month: one row of each, batches with their tonnes, and sizes that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.calorific import IS_GAS
from etsopt.accounting.carbon import OF_TEST, carbon_of_tests, tonnes_of_batches
from etsopt.accounting.coded import FLOW, SECTOR, joined
from etsopt.accounting.vocabulary import ITEMS, POWER, RATES
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.accounting.checked_rows import CheckedRows
    from etsopt.common.errors import Problem

ALONE = np.array([item.kind in ("minutes", "rate") for item in ITEMS.values()])
"""True for items of which a month has one row."""

IS_RATE = np.isin(list(ITEMS), RATES)
MOST_CARBON_PER_T = 1.0
MOST_CARBON_PER_GAS_UNIT = 20.0
"""Carbon of 10^4 Nm3 is below it: methane has 5.4 t, butane 21.4 t of which no fuel gas consists [tC/10^4 Nm3]."""


def single_figures(check: CheckedRows) -> Iterator[Problem]:
    """Find months with several rows of a figure that does not add up: minutes of anode effect, rates."""
    coded = check.coded
    single = coded.known & (ALONE[coded.item] | (coded.flow == FLOW["oxidation"])) & check.current
    own = coded.select(single)
    month = joined([(own.unit, 0), (own.month, 12 * 10_000), (own.item, len(ITEMS))])
    twice = np.zeros(len(coded), dtype=bool)
    twice[single] = pd.Series(month).duplicated(keep=False).to_numpy()
    what = (_("month has several rows of a figure"), _("rows of a figure share a month"))
    advice = _(
        "State one for the month, such as the mean of the process: minutes per pot and day, and rates, do not add up."
    )
    yield from check.problems(twice, "unit_id, month", what, advice)


def carbon_of_all_tests(check: CheckedRows) -> Iterator[Problem]:
    """Find tests of a power unit without a carbon content beside others of the fuel and month that have one."""
    coded = check.coded
    tests = coded.known & check.current & (coded.sector == SECTOR[POWER]) & (coded.flow == FLOW["test"]) & coded.is_fuel
    stated = ~np.isnan(carbon_of_tests(check.rows, coded)) & tests
    if not stated.any():
        return
    fuel, count = coded.fuel_month
    some = np.bincount(fuel[stated], minlength=count)[fuel] > 0
    apart = np.bincount(fuel[coded.flow == FLOW["carbon"]], minlength=count)[fuel] > 0
    what = (_("test has no carbon content"), _("tests have no carbon content"))
    advice = _(
        "State that of every batch of the month, or its composite as one row of flow carbon: a batch without a test "
        "has the default of the guideline (CETS-VG-01.01-V02-2026, table 8), not the mean of the others."
    )
    yield from check.problems(tests & ~stated & some & ~apart, OF_TEST, what, advice)


def batches_of_carbon(check: CheckedRows) -> Iterator[Problem]:
    """Find carbon contents of several batches of a month whose tonnes are not known, so that nothing weights them."""
    if not (check.coded.flow == FLOW["carbon"]).any():
        return
    current = check.coded.known & check.current
    own, rows = check.coded.select(current), check.rows[current]
    of_carbon = own.flow == FLOW["carbon"]
    fuel, count = own.fuel_month
    several = np.bincount(fuel[of_carbon], minlength=count)[fuel] > 1
    tonnes, _weighs = tonnes_of_batches(rows, own)
    bad = np.zeros(len(check.coded), dtype=bool)
    bad[current] = of_carbon & several & ~IS_GAS[own.item] & ~(tonnes > 0)
    what = (_("batch of carbon has no tonnes"), _("batches of carbon have no tonnes"))
    advice = _("Give it the batch of a row of flow test or in with its tonnes, or state one composite of the month.")
    yield from check.problems(bad, "batch", what, advice)


def values_of_batches(check: CheckedRows) -> Iterator[Problem]:
    """Find batches of a power unit without a calorific value beside others that have one, in a month without tests."""
    coded = check.coded
    of_power = (coded.sector == SECTOR[POWER]) & coded.known & coded.is_fuel
    if not of_power.any():
        return
    fuel, count = coded.fuel_month
    test = np.bincount(fuel[of_power & (coded.flow == FLOW["test"])], minlength=count) > 0
    burnt = of_power & (coded.flow == FLOW["in"]) & check.current
    measured = np.bincount(fuel[burnt & check.measured], minlength=count) > 0
    bad = burnt & ~check.measured & (check.rows["quantity"] > 0).to_numpy() & (measured & ~test)[fuel]
    what = (_("batch has no calorific value"), _("batches have no calorific value"))
    advice = _(
        "State one for each row of the fuel in the month: a day or batch without a test has the default of the "
        "guideline (CETS-VG-01.01-V02-2026, table 9), not the mean of the others."
    )
    yield from check.problems(bad, "ncv_gj_per_unit", what, advice)


def sizes_of_figures(check: CheckedRows) -> Iterator[Problem]:
    """Find carbon contents above that of carbon itself, and rates that are fractions or above 100 %."""
    coded, quantity = check.coded, check.rows["quantity"].to_numpy(dtype=float)
    most = np.where(IS_GAS[coded.item], MOST_CARBON_PER_GAS_UNIT, MOST_CARBON_PER_T)
    wrong = coded.known & (coded.flow == FLOW["carbon"]) & ((quantity > most) | (quantity == 0))
    what = (_("carbon content is not possible"), _("carbon contents are not possible"))
    advice = _("State tonnes of carbon per tonne or 1e4 Nm3 as received: 51.96 % are 0.5196 tC/t.")
    yield from check.problems(wrong, "quantity", what, advice)
    content = carbon_of_tests(check.rows, coded)
    yield from check.problems((content > most) | (content <= 0), OF_TEST, what, advice)
    oxidation = coded.flow == FLOW["oxidation"]
    rate = coded.known & (oxidation | IS_RATE[coded.item])
    what = (_("rate is not in percent"), _("rates are not in percent"))
    advice = _("State it in percent, at most 100: an oxidation rate of 0.99 is 99.")
    yield from check.problems(rate & ((quantity > 100) | (oxidation & (quantity <= 1))), "quantity", what, advice)
