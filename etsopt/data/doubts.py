"""Figures of units that are probably false: intensities far from others, and months that findings leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import Text, _, chain, pgettext
from etsopt.common.provenance import Doubts, FarIntensities, MissingMonths, OpenMonths, UnusualIntensity
from etsopt.data.messages import first_of
from etsopt.data.tables.schema import PLAUSIBLE_INTENSITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.content import Content

DOUBTFUL_RATIO = 3.0
"""Ratio of intensities from which one of them is probably a slip: sectors spread by less than a factor of two."""

DOUBTFUL_SHARE = 0.1
"""Share of a year from which on a month with open findings puts the year in doubt. A usual month holds a twelfth."""


def doubts_of(instance: Content) -> Doubts | None:
    """Return the figures of an instance that are probably false, whatever its policy; None if there are none."""
    found: Doubts | None = instance.cached("doubts", lambda: _doubts_of(instance))
    return found


def _doubts_of(instance: Content) -> Doubts | None:
    units, intensity = instance.units, instance.intensity
    names, emissions = units["unit_id"].to_numpy(), units["emissions_tco2e"].to_numpy(dtype=float)
    far, unusual = [], []
    for sector, of_kind in _kinds(instance):
        comparable = of_kind & (intensity > 0)
        if not comparable.any():
            continue
        middle, usual = float(np.median(intensity[comparable])), PLAUSIBLE_INTENSITY.get(sector)
        if usual is not None and not usual / DOUBTFUL_RATIO < middle < usual * DOUBTFUL_RATIO:
            unusual.append(UnusualIntensity(sector=sector, intensity=middle, usual=usual))
        which = comparable & ((intensity > DOUBTFUL_RATIO * middle) | (intensity < middle / DOUBTFUL_RATIO))
        if which.any():
            far.append(FarIntensities(sector=sector, intensity=middle, units=names[which].tolist()))
    idle, months = names[(emissions == 0) & np.isfinite(intensity)].tolist(), _open_months(units)
    missing = _missing_months(units)
    if not (far or unusual or idle or months or missing):
        return None
    return Doubts(sectors=unusual, intensities=far, idle=idle, months=months, missing=missing)


def _kinds(instance: Content) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield units whose intensities compare, with their sector: those of power by class, since coal and gas do not."""
    units = instance.units
    classes = units["unit_class"].to_numpy(dtype=str) if "unit_class" in units else np.full(len(units), "")
    for sector in instance.sectors:
        of_sector = instance.labels("sector").where(sector)
        for kind in np.unique(classes[of_sector]):
            yield sector, of_sector & (classes == kind)


def _open_months(units: pd.DataFrame) -> list[OpenMonths]:
    """Return the units with months in doubt, the largest share first."""
    if "doubtful_months" not in units:
        return []
    own = units[units["doubtful_months"] != ""].sort_values(["doubtful_rate", "unit_id"], ascending=[False, True])
    rows = own[["unit_id", "doubtful_months", "doubtful_rate"]].itertuples(index=False)
    return [OpenMonths(unit=unit, months=months.split(), rate=rate) for unit, months, rate in rows]


def _missing_months(units: pd.DataFrame) -> list[MissingMonths]:
    """Return the units with months without a report."""
    if "missing_months" not in units:
        return []
    rows = units.loc[units["missing_months"] != "", ["unit_id", "missing_months"]].itertuples(index=False)
    return [MissingMonths(unit=unit, months=months.split()) for unit, months in rows]


def doubts_at(doubts: Doubts | None, units: Iterable[str]) -> Doubts | None:
    """Return the doubts at some units and at whole sectors: what one enterprise is told."""
    if doubts is None:
        return None
    own = {*units}
    far = [
        one.model_copy(update={"units": own_units})
        for one in doubts.intensities
        if (own_units := [unit for unit in one.units if unit in own])
    ]
    idle, months = [unit for unit in doubts.idle if unit in own], [one for one in doubts.months if one.unit in own]
    missing = [one for one in doubts.missing if one.unit in own]
    return Doubts(sectors=doubts.sectors, intensities=far, idle=idle, months=months, missing=missing)


def sentences_of(doubts: Doubts, columns: str = "") -> Iterator[Text]:
    """Yield what is in doubt, and at which units; of a file with the headings of which its intensities are made."""
    if doubts.idle:
        yield _("Output but no emissions at {listed}.", listed=first_of(doubts.idle))
    for one in doubts.intensities:
        text = _("Intensities far from the others of {sector}, {middle:.3g}, at {listed}.")
        yield _(text, sector=pgettext("sector", one.sector), middle=one.intensity, listed=first_of(one.units))
    if doubts.sectors:
        text = _("the intensity of {sector} is about {middle:.3g}, usually {usual:g}")
        unusual = [
            _(text, sector=pgettext("sector", one.sector), middle=one.intensity, usual=one.usual)
            for one in doubts.sectors
        ]
        of, each = _(", {columns}", columns=columns) if columns else "", chain(unusual, _("{first}; {second}"))
        yield _("Check the units of measure{of}: {unusual}.", of=of, unusual=each)
    if doubts.months:
        text = _("{unit} ({months}: {rate:.0f} %)")
        listed = [_(text, unit=one.unit, months=", ".join(one.months), rate=100 * one.rate) for one in doubts.months]
        text = _("Months with open findings hold more than {share:.0f} % of their year: {listed}. See etsopt screen.")
        yield _(text, share=100 * DOUBTFUL_SHARE, listed=first_of(listed))
    if doubts.missing:
        text = _("{unit} ({months})")
        listed = [_(text, unit=one.unit, months=", ".join(one.months)) for one in doubts.missing]
        text = _("Months without a report, without which the year is allocated: {listed}. See etsopt screen.")
        yield _(text, listed=first_of(listed))
